/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Byte streams: -chardev, -serial, -nographic, and the monitors on them.
 *
 * Without a word about them, -nographic puts the serial port and a monitor on this terminal (Ctrl-A
 * c changes between the two); with a window the serial port goes nowhere and there is no monitor.
 */
#include <string.h>

#include "chardev/chardev.h"
#include "emu/session.h"

static bool add_monitor_on(Session *s, Chardev *c, bool control, bool pretty, Error *err)
{
    if (s->n_monitors == SESSION_MAX_MONITORS) {
        return error_set(err, "more than %d monitors", SESSION_MAX_MONITORS);
    }
    s->monitors[s->n_monitors].chardev = c;
    s->monitors[s->n_monitors].control = control;
    s->monitors[s->n_monitors++].pretty = pretty;
    return true;
}

/* `form` as -serial takes it; a mon: in front also asks for a monitor there. */
static bool open_short(Session *s, const char *form, const char *id, Chardev **c, Error *err)
{
    Error e = {0};
    *c = chardev_new_short(s->machine, form, id, &e);
    if (!*c && error_is_set(&e)) {
        return error_set(err, "%s", e.text);
    }
    /* Whoever names the mux by its id gets a port of it: the serial port first, the monitor later.
     */
    if (*c && !strncmp(form, "mon:", 4) && !add_monitor_on(s, *c, false, false, err)) {
        return false;
    }
    return true;
}

static bool open_serials(Session *s, Error *err)
{
    const OptValues *v = &s->options.of[OPT_SERIAL];
    bool nographic = options_flag(&s->options, OPT_NOGRAPHIC);
    if (!v->n && nographic && !options_flag(&s->options, OPT_NODEFAULTS)) {
        const OptValues *mon = &s->options.of[OPT_MONITOR];
        const char *form = mon->n ? "stdio" : "mon:stdio";
        bool stdio_taken = mon->n && strstr(mon->v[0], "stdio");
        return open_short(s, stdio_taken ? "null" : form, "serial0", &s->config.serial[0], err);
    }
    for (unsigned i = 0; i < v->n; i++) {
        if (i == BOARD_MAX_SERIALS) {
            return error_set(err, "-serial: more than %d", BOARD_MAX_SERIALS);
        }
        const char *id = session_text(s, "serial%u", i);
        if (!open_short(s, v->v[i], id, &s->config.serial[i], err)) {
            return session_prefix(err, "-serial %s", v->v[i]);
        }
    }
    return true;
}

static bool open_monitors(Session *s, Error *err)
{
    const OptValues *v = &s->options.of[OPT_MONITOR];
    for (unsigned i = 0; i < v->n; i++) {
        Chardev *c;
        if (!open_short(s, v->v[i], session_text(s, "monitor%u", i), &c, err) ||
            (c && !add_monitor_on(s, c, false, false, err))) {
            return session_prefix(err, "-monitor %s", v->v[i]);
        }
    }
    return true;
}

static bool open_qmps(Session *s, OptId option, bool pretty, Error *err)
{
    const OptValues *v = &s->options.of[option];
    for (unsigned i = 0; i < v->n; i++) {
        Error e = {0};
        const char *id = session_text(s, "%s%u", options_name(option), i);
        Chardev *c = chardev_new_short(s->machine, v->v[i], id, &e);
        if (error_is_set(&e)) {
            error_set(err, "%s", e.text);
        }
        if (error_is_set(&e) || (c && !add_monitor_on(s, c, true, pretty, err))) {
            return session_prefix(err, "-%s %s", options_name(option), v->v[i]);
        }
    }
    return true;
}

static bool open_mons(Session *s, Error *err)
{
    static const char *const modes[] = {"readline", "control", NULL};
    const OptValues *v = &s->options.of[OPT_MON];
    for (unsigned i = 0; i < v->n; i++) {
        KeyVals kv;
        int mode = 0;
        bool pretty = false;
        bool ok = keyvals_parse(&kv, v->v[i], "chardev", err) &&
                  keyvals_enum(&kv, "mode", modes, &mode, err) &&
                  keyvals_bool(&kv, "pretty", &pretty, err);
        const char *id = keyvals_get(&kv, "chardev");
        Chardev *c = ok && id ? chardev_by_id(s->machine, id) : NULL;
        if (ok && !c) {
            ok = error_set(err, "no chardev '%s'", id ? id : "");
        }
        ok = ok && keyvals_finish(&kv, err) && add_monitor_on(s, c, mode == 1, pretty, err);
        keyvals_free(&kv);
        if (!ok) {
            return session_prefix(err, "-mon %s", v->v[i]);
        }
    }
    return true;
}

static bool open_all(Session *s, Error *err)
{
    const OptValues *v = &s->options.of[OPT_CHARDEV];
    for (unsigned i = 0; i < v->n; i++) {
        if (!chardev_new(s->machine, v->v[i], err)) {
            return session_prefix(err, "-chardev %s", v->v[i]);
        }
    }
    return open_serials(s, err) && open_monitors(s, err) && open_qmps(s, OPT_QMP, false, err) &&
           open_qmps(s, OPT_QMP_PRETTY, true, err) && open_mons(s, err);
}

bool session_open_chardevs(Session *s, Error *err)
{
    machine_lock(s->machine);
    bool ok = open_all(s, err);
    machine_unlock(s->machine);
    return ok;
}
