/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line of gemel-system-*: parsing, help, man page, completion from one table. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "emu/options.h"
#include "util/str_nearest.h"

typedef enum OptKind { VALUE, LIST, FLAG, OLD, VOID, LATER } OptKind;
typedef enum OptSection {
    MACHINE,
    BOOT,
    DISKS,
    NETWORK,
    DISPLAY,
    CONSOLES,
    RUNNING,
    DEBUG,
    HELP,
    N_SECTIONS
} OptSection;

static const char *const section_titles[N_SECTIONS] = {
    [MACHINE] = "Machine",
    [BOOT] = "Boot",
    [DISKS] = "Disks and folders",
    [NETWORK] = "Network",
    [DISPLAY] = "Display",
    [CONSOLES] = "Serial ports and monitor",
    [RUNNING] = "Running",
    [DEBUG] = "Looking inside",
    [HELP] = "Help",
};

typedef struct OptDesc {
    const char *name, *other, *arg;
    uint8_t kind, section;
    const char *help;
} OptDesc;

static const OptDesc table[OPT_N] = {
#define OPT(id, name, other, arg, kind, section, help) {name, other, arg, kind, section, help},
#include "emu/options.def"
#undef OPT
};

static const char *opt_name(size_t i, const void *opaque)
{
    (void)opaque;
    return i < OPT_N ? table[i].name : NULL;
}

static int find(const char *name)
{
    for (int i = 0; i < OPT_N; i++) {
        if (!strcmp(table[i].name, name) || (*table[i].other && !strcmp(table[i].other, name))) {
            return i;
        }
    }
    return -1;
}

const char *options_name(OptId id)
{
    return table[id].name;
}

bool options_add(Options *o, OptId id, const char *value, Error *err)
{
    OptValues *v = &o->of[id];
    if (v->n == OPT_MAX) {
        return error_set(err, "-%s: given more than %d times", table[id].name, OPT_MAX);
    }
    v->v[v->n++] = value;
    return true;
}

const char *options_last(const Options *o, OptId id)
{
    const OptValues *v = &o->of[id];
    return v->n ? v->v[v->n - 1] : NULL;
}

/* A comma in a file name is doubled in the modern form. */
static char *double_commas(const char *s)
{
    char *r = malloc(2 * strlen(s) + 1), *p = r;
    if (!r) {
        abort();
    }
    for (; *s; s++) {
        *p++ = *s;
        if (*s == ',') {
            *p++ = ',';
        }
    }
    *p = '\0';
    return r;
}

/* "-hda x" is "-drive index=0,media=disk,file=x": the row's help holds the modern form. */
static bool translate_old(Options *o, const OptDesc *d, const char *value, FILE *notes, Error *err)
{
    char *quoted = double_commas(value ? value : "");
    const char *space = strchr(d->help, ' ');
    char name[32];
    snprintf(name, sizeof name, "%.*s", (int)(space - d->help), d->help);
    const char *mark = strstr(space + 1, "%s");
    int head = mark ? (int)(mark - space - 1) : (int)strlen(space + 1);
    size_t bytes = strlen(d->help) + strlen(quoted) + 1;
    char *text = malloc(bytes);
    if (!text) {
        abort();
    }
    snprintf(text, bytes, "%.*s%s%s", head, space + 1, mark ? quoted : "", mark ? mark + 2 : "");
    free(quoted);
    if (o->n_made == OPT_MAX) {
        free(text);
        return error_set(err, "-%s: too many options", d->name);
    }
    o->made[o->n_made++] = text;
    if (notes && d->arg == NULL) {
        fprintf(notes, "note: -%s is now: -%s %s\n", d->name, name, text);
    }
    return options_add(o, (OptId)find(name), text, err);
}

static bool take_option(Options *o, const OptDesc *d, const char *value, FILE *notes, Error *err)
{
    switch ((OptKind)d->kind) {
    case OLD: return translate_old(o, d, value, notes, err);
    case VOID: return true;
    case LATER: return error_set(err, "-%s: not there yet (%s)", d->name, d->help);
    default: return options_add(o, (OptId)(d - table), value ? value : "", err);
    }
}

static bool unknown(const char *arg, Error *err)
{
    const char *near = str_nearest(arg, opt_name, NULL);
    return near ? error_set(err, "-%s: unknown option; did you mean '-%s'? (--help lists them)",
                            arg, near)
                : error_set(err, "-%s: unknown option (--help lists them)", arg);
}

bool options_parse(Options *o, int argc, char **argv, FILE *notes, Error *err)
{
    memset(o, 0, sizeof *o);
    for (int i = 1; i < argc; i++) {
        const char *arg = argv[i];
        if (arg[0] != '-' || !arg[1]) {
            if (o->disk) {
                return error_set(err,
                                 "%s: a second image without an option (the first is %s); use "
                                 "-drive file=...",
                                 arg, o->disk);
            }
            o->disk = arg;
            continue;
        }
        arg += arg[1] == '-' ? 2 : 1;
        int n = find(arg);
        if (n < 0) {
            return unknown(arg, err);
        }
        const OptDesc *d = &table[n];
        const char *value = NULL;
        if (d->arg) {
            if (i + 1 == argc) {
                return error_set(err, "-%s: needs an argument: %s", d->name, d->arg);
            }
            value = argv[++i];
        }
        if (!take_option(o, d, value, notes, err)) {
            return false;
        }
    }
    return true;
}

void options_free(Options *o)
{
    for (unsigned i = 0; i < o->n_made; i++) {
        free(o->made[i]);
    }
    o->n_made = 0;
}

static bool is_shown(const OptDesc *d)
{
    return d->kind == VALUE || d->kind == LIST || d->kind == FLAG;
}

void options_print_help(const char *program, FILE *f)
{
    fprintf(f,
            "usage: %s [OPTIONS] [IMAGE]\n"
            "Runs a virtual machine. The options are those that people type for QEMU.\n\n"
            "  %s -M virt -cpu max -m 2G -nographic -kernel linux -initrd initrd.gz \\\n"
            "      -append \"console=ttyAMA0\"\n"
            "  gemel run debian.qcow2          picks everything by itself\n",
            program, program);
    for (int s = 0; s < N_SECTIONS; s++) {
        fprintf(f, "\n%s:\n", section_titles[s]);
        for (int i = 0; i < OPT_N; i++) {
            const OptDesc *d = &table[i];
            if (d->section != s || !is_shown(d)) {
                continue;
            }
            char left[128];
            snprintf(left, sizeof left, "-%s%s%s", d->name, d->arg ? " " : "",
                     d->arg ? d->arg : "");
            fprintf(f,
                    strlen(left) < 28 ? "  %-28s%s\n" : "  %s\n                              %s\n",
                    left, d->help);
        }
    }
    fprintf(f, "\nEvery -X that takes a NAME answers to `-X help`.\n");
}

void options_print_man(FILE *f)
{
    for (int s = 0; s < N_SECTIONS; s++) {
        fprintf(f, ".SS %s\n", section_titles[s]);
        for (int i = 0; i < OPT_N; i++) {
            const OptDesc *d = &table[i];
            if (d->section == s && is_shown(d)) {
                fprintf(f, ".TP\n.B \\-%s%s%s%s\n%s\n", d->name, d->arg ? "\n.I " : "",
                        d->arg ? d->arg : "", "", d->help);
            }
        }
    }
}

void options_print_words(FILE *f)
{
    for (int i = 0; i < OPT_N; i++) {
        if (table[i].kind != LATER) {
            fprintf(f, "-%s\n", table[i].name);
        }
    }
}
