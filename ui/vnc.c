/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The VNC server. */
#include "ui/private.h"

bool ui_vnc_start(Machine *m, const char *spec, Error *err)
{
    (void)m;
    return error_set(err, "-vnc %s: there is no VNC server yet", spec);
}

void ui_vnc_print(Machine *m, void (*print)(void *opaque, const char *line), void *opaque)
{
    (void)m;
    print(opaque, "no VNC server runs");
}

bool ui_vnc_set_password(Machine *m, const char *id, const char *password, Error *err)
{
    (void)m, (void)id, (void)password;
    return error_set(err, "no VNC server runs");
}
