/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Displays and monitors attached to the finished machine. */
#include <string.h>

#include "emu/session.h"

bool session_open_screens(Session *s, Error *err)
{
    const char *d = options_last(&s->options, OPT_DISPLAY);
    if (d && strcmp(d, "none")) {
        return error_set(err, "-display %s: only 'none' is there yet", d);
    }
    return true;
}

void session_close_screens(Session *s)
{
    (void)s;
}
