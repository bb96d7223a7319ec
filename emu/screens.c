/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Displays of the finished machine: -display, -vnc, -nographic, and the default. */
#include <string.h>

#include "emu/session.h"
#include "ui/ui.h"

/* Without a word about it: none with -nographic, a VNC server or no device to show, else a window.
 */
static const char *default_display(const Session *s)
{
    const Options *o = &s->options;
    bool quiet =
        options_flag(o, OPT_NOGRAPHIC) || o->of[OPT_VNC].n || options_flag(o, OPT_NODEFAULTS);
    return quiet || !console_by_index(s->machine, 0) ? "none" : ui_default_display();
}

static bool open_all(Session *s, Error *err)
{
    const OptValues *d = &s->options.of[OPT_DISPLAY], *vnc = &s->options.of[OPT_VNC];
    s->ui_config.full_screen = options_flag(&s->options, OPT_FULL_SCREEN);
    for (unsigned i = 0; i < d->n; i++) {
        if (!ui_display_start(s->machine, d->v[i], &s->ui_config, err)) {
            return session_prefix(err, "-display %s", d->v[i]);
        }
    }
    if (!d->n && !ui_display_start(s->machine, default_display(s), &s->ui_config, err)) {
        return false;
    }
    for (unsigned i = 0; i < vnc->n; i++) {
        if (!ui_vnc_start(s->machine, vnc->v[i], err)) {
            return session_prefix(err, "-vnc %s", vnc->v[i]);
        }
    }
    return true;
}

bool session_open_screens(Session *s, Error *err)
{
    machine_lock(s->machine);
    bool ok = open_all(s, err);
    machine_unlock(s->machine);
    return ok;
}

void session_close_screens(Session *s)
{
    machine_lock(s->machine);
    ui_stop_all(s->machine);
    machine_unlock(s->machine);
}
