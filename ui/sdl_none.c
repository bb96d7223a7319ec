/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The window in a build without SDL. */
#include "ui/starts.h"

const bool sdl_built = false;

bool sdl_start(Machine *m, KeyVals *kv, const UiConfig *config, Error *err)
{
    (void)m, (void)kv, (void)config;
    return error_set(err, "built without SDL (Debian: libsdl2-dev); use -display vnc=:0, or none");
}
