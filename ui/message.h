/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What windows and VNC show while the guest shows nothing. */
#ifndef GEMEL_UI_MESSAGE_H
#define GEMEL_UI_MESSAGE_H

#include "core/display.h"

/* A picture that says why there is none. console: does the machine have one? Free with
 * message_free(). */
Surface message_surface(bool console);
void    message_free(Surface *s);

#endif
