/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the rows of -display call (ui/ui.c). */
#ifndef GEMEL_UI_STARTS_H
#define GEMEL_UI_STARTS_H

#include "ui/ui.h"
#include "util/keyval.h"

/* The window; `config` stays until ui_stop_all(). */
bool sdl_start(Machine *m, KeyVals *kv, const UiConfig *config, Error *err);
extern const bool sdl_built;

/* A VNC server at address, with the rest of kv as its options. */
bool vnc_start(Machine *m, KeyVals *kv, const char *address, Error *err);

#endif
