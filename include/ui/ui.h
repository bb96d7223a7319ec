/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Displays of a machine: the window, the VNC server, pictures of the screen. The interface for the
 * composer and the monitor; the devices' side is core/display.h and core/input.h.
 *
 * Threads: everything on the main loop thread with the machine lock held, but where said otherwise.
 * SDL wants one thread for all it does: the one that calls ui_display_start() must run the loop.
 */
#ifndef GEMEL_UI_UI_H
#define GEMEL_UI_UI_H

#include <stdbool.h>
#include <stdio.h>

#include "core/display.h"
#include "util/error.h"

typedef struct UiConfig {
    bool        full_screen; /* -full-screen */
    const char *name;        /* title of windows, name of VNC desktops; NULL: the machine's */
    /* The window was closed or its quit key pressed. NULL: machine_request_shutdown(). */
    void      (*quit)(void *opaque);
    void       *opaque;
} UiConfig;

/* -display SPEC: "sdl", "vnc=:1", "none", each with ,key=value. After the devices were made. What
 * `config` points at must live until ui_stop_all(); NULL: all defaults. */
bool ui_display_start(Machine *m, const char *spec, const UiConfig *config, Error *err);

/* -vnc SPEC: "HOST:DISPLAY", "unix:PATH" or "none", with ,key=value. Several servers may run. */
bool ui_vnc_start(Machine *m, const char *spec, Error *err);

/* The display a user most likely wants when no option names one: "sdl" when it was built in and the
 * environment has a screen, else "none". */
const char *ui_default_display(void);

/* Closes windows and servers. Before machine_free(), and before the devices go. */
void ui_stop_all(Machine *m);

/* -display help. false: writing failed. */
bool ui_print_help(FILE *f);

/* `info vnc`: servers, how they authenticate, clients. */
void ui_vnc_print(Machine *m, void (*print)(void *opaque, const char *line), void *opaque);

/* Password of VNC server `id` (NULL: of the first). Only its first eight bytes count (RFC 6143,
 * section 7.2.2). NULL or empty: nobody is let in. The server must run with password=on. */
bool ui_vnc_set_password(Machine *m, const char *id, const char *password, Error *err);

/* Writes the surface to a file: PNG when path ends in .png, else PPM (P6). s NULL: an error. */
bool ui_screendump(const Surface *s, const char *path, Error *err);

#endif
