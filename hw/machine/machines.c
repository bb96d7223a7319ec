/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of boards, and the options of -M.
 */
#include <string.h>

#include "hw/machine.h"
#include "hw/machine/boards.h"
#include "util/str_nearest.h"

const MachineDesc *const hw_machines[] = {
    &virt_machine,
    &none_machine,
    NULL,
};

enum { MAX_NAMES = 64 };

static bool has_name(const MachineDesc *d, const char *name)
{
    if (!strcmp(d->name, name)) {
        return true;
    }
    for (const char *a = d->aliases; a && *a; a += strlen(a) + 1) {
        if (!strcmp(a, name)) {
            return true;
        }
    }
    return false;
}

const MachineDesc *machine_desc_find(const char *name, const char *isa, Error *err)
{
    const char *names[MAX_NAMES + 1] = {NULL};
    unsigned n = 0;

    for (const MachineDesc *const *m = hw_machines; *m; m++) {
        if (isa && (*m)->isa && strcmp(isa, (*m)->isa)) {
            continue;
        }
        if (has_name(*m, name)) {
            return *m;
        }
        if (n < MAX_NAMES) {
            names[n++] = (*m)->name;
        }
    }
    const char *near = str_nearest_in(name, names);
    error_set(err, "-M %s: unknown machine%s%s%s (-M help lists them)", name,
              near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    return NULL;
}

static int option_index(const MachineDesc *d, const char *name)
{
    for (int i = 0; d->options && d->options[i].name; i++) {
        if (!strcmp(d->options[i].name, name)) {
            return i;
        }
    }
    return -1;
}

/* Index of `value` in "a|b|c", or -1. */
static int choice_index(const char *choices, const char *value)
{
    size_t bytes = strlen(value);
    int i = 0;

    for (const char *c = choices; c; i++) {
        const char *end = strchrnul(c, '|');
        if ((size_t)(end - c) == bytes && !strncmp(c, value, bytes)) {
            return i;
        }
        c = *end ? end + 1 : NULL;
    }
    return -1;
}

static const char BOOL_CHOICES[] = "on|yes|true|off|no|false";
enum { FIRST_FALSE = 3 }; /* among BOOL_CHOICES */

bool machine_option_set(MachineConfig *config, const char *name, const char *value, Error *err)
{
    const MachineDesc *d = config->desc;
    int i = option_index(d, name);

    if (i < 0) {
        const char *names[MACHINE_MAX_OPTIONS + 1] = {NULL};
        for (int k = 0; d->options && d->options[k].name; k++) {
            names[k] = d->options[k].name;
        }
        const char *near = str_nearest_in(name, names);
        return error_set(err, "-M %s,%s=%s: no such option%s%s%s (-M %s,help lists them)", d->name,
                         name, value, near ? "; did you mean '" : "", near ? near : "",
                         near ? "'?" : "", d->name);
    }
    const MachineOption *o = &d->options[i];
    const char *choices = o->kind == MACHINE_OPTION_BOOL   ? BOOL_CHOICES
                          : o->kind == MACHINE_OPTION_ENUM ? o->choices
                                                           : NULL;
    if (choices && choice_index(choices, value) < 0) {
        return error_set(err, "-M %s,%s=%s: takes one of %s", d->name, name, value, choices);
    }
    config->options[i] = value;
    return true;
}

const char *machine_option(const MachineConfig *config, const char *name)
{
    int i = option_index(config->desc, name);

    if (i < 0) {
        return NULL;
    }
    return config->options[i] ? config->options[i] : config->desc->options[i].initial;
}

bool machine_option_on(const MachineConfig *config, const char *name)
{
    const char *v = machine_option(config, name);
    int i = v ? choice_index(BOOL_CHOICES, v) : -1;

    return i >= 0 && i < FIRST_FALSE;
}
