/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Answers to `-X help`: stable, one line an entry, sorted by the tables they come from. */
#include <stdlib.h>
#include <string.h>

#include "chardev/chardev.h"
#include "emu/session.h"
#include "hw/devices.h"

static bool is_help(const char *v)
{
    return v && (!strcmp(v, "help") || !strcmp(v, "?"));
}

static bool asked(const Session *s, OptId id)
{
    const OptValues *v = &s->options.of[id];
    for (unsigned i = 0; i < v->n; i++) {
        if (is_help(v->v[i])) {
            return true;
        }
    }
    return false;
}

static void print_machines(const Session *s)
{
    puts("Supported machines are:");
    for (size_t i = 0; hw_machines[i]; i++) {
        const MachineDesc *d = hw_machines[i];
        if (d->isa && strcmp(d->isa, s->isa)) {
            continue;
        }
        printf("%-20s %s\n", d->name, d->title);
        for (const char *a = d->aliases; a && *a; a += strlen(a) + 1) {
            printf("%-20s %s (alias of %s)\n", a, d->title, d->name);
        }
    }
}

static void print_machine_options(const MachineDesc *d)
{
    printf("%s options:\n", d->name);
    for (const MachineOption *o = d->options; o && o->name; o++) {
        const char *choices = o->choices                       ? o->choices
                              : o->kind == MACHINE_OPTION_BOOL ? "on|off"
                                                               : "text";
        printf("  %s=<%s> - %s (default: %s)\n", o->name, choices, o->help,
               o->initial ? o->initial : "none");
    }
}

static int by_category_and_name(const void *a, const void *b)
{
    const DeviceClass *x = *(const DeviceClass *const *)a, *y = *(const DeviceClass *const *)b;
    int c = strcmp(x->category ? x->category : "misc", y->category ? y->category : "misc");
    return c ? c : strcmp(x->name, y->name);
}

static const char *bus_name(const DeviceClass *c)
{
    static const char *const names[] = {
        [BUS_NONE] = "none",         [BUS_SYSTEM] = "System", [BUS_PCI] = "PCI",
        [BUS_VIRTIO] = "virtio-bus", [BUS_USB] = "usb-bus",   [BUS_ISA] = "ISA",
        [BUS_SCSI] = "SCSI",         [BUS_IDE] = "IDE",       [BUS_I2C] = "i2c-bus",
    };
    return names[c->bus];
}

static void print_devices(void)
{
    size_t n = 0, all = 0;
    while (hw_devices[all]) {
        all++;
    }
    const DeviceClass **list = calloc(all + 1, sizeof *list);
    if (!list) {
        return;
    }
    for (size_t i = 0; i < all; i++) {
        if (!hw_devices[i]->internal) {
            list[n++] = hw_devices[i];
        }
    }
    qsort(list, n, sizeof *list, by_category_and_name);
    const char *category = "";
    for (size_t i = 0; i < n; i++) {
        const DeviceClass *c = list[i];
        const char *cat = c->category ? c->category : "misc";
        if (strcmp(cat, category)) {
            printf("%s%c%s devices:\n", i ? "\n" : "", cat[0] & ~0x20, cat + 1);
            category = cat;
        }
        printf("name \"%s\", bus %s", c->name, bus_name(c));
        if (c->alias) {
            printf(", alias \"%s\"", c->alias);
        }
        printf(", desc \"%s\"\n", c->title);
    }
    free(list);
}

static void print_props(const DeviceClass *c)
{
    static const char *const kinds[] = {
        [PROP_BOOL] = "bool",         [PROP_U32] = "uint32",      [PROP_U64] = "uint64",
        [PROP_SIZE] = "size",         [PROP_STRING] = "str",      [PROP_ENUM] = "enum",
        [PROP_BLOCK] = "drive",       [PROP_CHARDEV] = "chardev", [PROP_NETDEV] = "netdev",
        [PROP_AUDIODEV] = "audiodev", [PROP_MAC] = "mac",         [PROP_LINK] = "device",
    };
    printf("%s options:\n", c->name);
    for (const PropDesc *p = c->props; p && p->name; p++) {
        printf("  %s=<%s> - %s", p->name, kinds[p->kind], p->help ? p->help : "");
        printf(p->initial ? " (default: %s)\n" : "\n", p->initial);
    }
}

/* -device NAME,help */
static bool answer_device(const Session *s)
{
    const OptValues *v = &s->options.of[OPT_DEVICE];
    for (unsigned i = 0; i < v->n; i++) {
        size_t n = strcspn(v->v[i], ",");
        char name[64];
        if (n >= sizeof name || !v->v[i][n] || !is_help(v->v[i] + n + 1)) {
            continue;
        }
        snprintf(name, sizeof name, "%.*s", (int)n, v->v[i]);
        const DeviceClass *c = hw_device_find(name);
        if (c) {
            print_props(c);
            return true;
        }
    }
    return false;
}

/* -M NAME,help */
static bool answer_machine(const Session *s)
{
    const OptValues *v = &s->options.of[OPT_MACHINE];
    for (unsigned i = 0; i < v->n; i++) {
        const char *comma = strrchr(v->v[i], ',');
        if (!comma || !is_help(comma + 1)) {
            continue;
        }
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(v->v[i], ","), v->v[i]);
        const MachineDesc *d = machine_desc_find(name, s->isa, NULL);
        if (d) {
            print_machine_options(d);
            return true;
        }
    }
    return false;
}

/* -chardev BACKEND,help */
static bool answer_chardev(const Session *s)
{
    const OptValues *v = &s->options.of[OPT_CHARDEV];
    for (unsigned i = 0; i < v->n; i++) {
        const char *comma = strchr(v->v[i], ',');
        char name[64];
        if (comma && is_help(comma + 1)) {
            snprintf(name, sizeof name, "%.*s", (int)(comma - v->v[i]), v->v[i]);
            return chardev_print_help(name, stdout);
        }
    }
    return false;
}

static void print_cpus(const Session *s)
{
    puts("Available CPUs:");
    for (const char *const *m = accel_cpu_models(s->isa); m && *m; m++) {
        printf("  %s\n", *m);
    }
}

static void print_list(const char *title, const char *const *names)
{
    puts(title);
    for (; *names; names++) {
        puts(*names);
    }
}

bool session_answer_help(Session *s)
{
    static const char *const accels[] = {"tcg", NULL};
    static const char *const displays[] = {"none", "sdl", "vnc", NULL};
    static const char *const netdevs[] = {"user",   "tap",   "bridge",  "socket",
                                          "stream", "dgram", "hubport", NULL};
    static const char *const objects[] = {"rng-random", "rng-builtin", "memory-backend-ram", NULL};
    if (answer_machine(s) || answer_device(s) || answer_chardev(s)) {
        return true;
    }
    if (asked(s, OPT_MACHINE)) {
        print_machines(s);
    } else if (asked(s, OPT_CPU)) {
        print_cpus(s);
    } else if (asked(s, OPT_DEVICE)) {
        print_devices();
    } else if (asked(s, OPT_ACCEL)) {
        print_list("Accelerators supported in this binary:", accels);
    } else if (asked(s, OPT_DISPLAY)) {
        print_list("Available display backend types:", displays);
    } else if (asked(s, OPT_NETDEV)) {
        print_list("Available netdev backend types:", netdevs);
    } else if (asked(s, OPT_OBJECT)) {
        print_list("List of user creatable objects:", objects);
    } else if (asked(s, OPT_CHARDEV)) {
        chardev_print_help(NULL, stdout);
    } else if (asked(s, OPT_D)) {
        log_print_kinds(session_log_kinds, stdout);
    } else if (asked(s, OPT_L)) {
        session_print_firmware_dirs(s, stdout);
    } else {
        return false;
    }
    return true;
}
