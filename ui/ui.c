/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What runs: the windows and servers of a machine, and the table of -display. */
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "ui/private.h"
#include "ui/starts.h"
#include "util/keyval.h"
#include "util/str_nearest.h"

void ui_part_add(Machine *m, UiPart *p)
{
    if (!m->ui) {
        m->ui = g_new0(struct Ui, 1);
    }
    p->next = m->ui->parts;
    m->ui->parts = p;
}

void ui_part_remove(Machine *m, UiPart *p)
{
    for (UiPart **at = &m->ui->parts; *at; at = &(*at)->next) {
        if (*at == p) {
            *at = p->next;
            return;
        }
    }
}

bool ui_console_exists(Machine *m, const Console *c)
{
    for (unsigned i = 0; c && console_by_index(m, i); i++) {
        if (console_by_index(m, i) == c) {
            return true;
        }
    }
    return false;
}

void ui_stop_all(Machine *m)
{
    while (m->ui && m->ui->parts) {
        UiPart *p = m->ui->parts;

        m->ui->parts = p->next;
        p->stop(p);
    }
    g_free(m->ui);
    m->ui = NULL;
}

/* ---- -display */

typedef struct Display {
    const char *name, *help;
    bool (*start)(Machine *m, KeyVals *kv, const UiConfig *config, Error *err);
} Display;

static bool start_vnc(Machine *m, KeyVals *kv, const UiConfig *config, Error *err)
{
    (void)config;
    return vnc_start(m, kv, keyvals_get(kv, "vnc"), err);
}

static bool start_none(Machine *m, KeyVals *kv, const UiConfig *config, Error *err)
{
    (void)m, (void)config;
    return keyvals_finish(kv, err);
}

static const Display displays[] = {
    {"sdl", "a window; full-screen=, window-close=, show-cursor=on|off", sdl_start},
    {"gtk", "the same window, for command lines that ask for it", sdl_start},
    {"vnc", "vnc=HOST:DISPLAY, as with -vnc", start_vnc},
    {"none", "no window; the guest's display works and screendump shows it", start_none},
};

static const char *display_name(size_t i, const void *opaque)
{
    (void)opaque;
    return i < G_N_ELEMENTS(displays) ? displays[i].name : NULL;
}

static bool start_named(Machine *m, KeyVals *kv, const UiConfig *config, Error *err)
{
    static const UiConfig defaults;
    const char *type = keyvals_get(kv, "vnc") ? "vnc" : keyvals_get(kv, "type");

    for (size_t i = 0; type && i < G_N_ELEMENTS(displays); i++) {
        if (!strcmp(displays[i].name, type)) {
            return displays[i].start(m, kv, config ? config : &defaults, err);
        }
    }
    const char *near = type ? str_nearest(type, display_name, NULL) : NULL;
    return error_set(err, "unknown display%s%s%s (-display help lists them)",
                     near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

bool ui_display_start(Machine *m, const char *spec, const UiConfig *config, Error *err)
{
    KeyVals kv;
    bool ok = keyvals_parse(&kv, spec, "type", err) && start_named(m, &kv, config, err);

    keyvals_free(&kv);
    return ok;
}

bool ui_print_help(FILE *f)
{
    for (size_t i = 0; i < G_N_ELEMENTS(displays); i++) {
        fprintf(f, "  %-6s %s\n", displays[i].name, displays[i].help);
    }
    return !ferror(f);
}

const char *ui_default_display(void)
{
    const char *x = getenv("DISPLAY"), *wayland = getenv("WAYLAND_DISPLAY");

    return sdl_built && ((x && *x) || (wayland && *wayland)) ? "sdl" : "none";
}
