/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a monitor says of itself. */
#ifndef GEMEL_HW_DISPLAY_EDID_H
#define GEMEL_HW_DISPLAY_EDID_H

#include <stdint.h>

enum { EDID_BYTES = 128 };

/* A base block whose preferred mode is width x height pixels at 60 Hz (each at least 1; what does not
 * fit the format's 12 bits becomes 4095). */
void edid_make(uint8_t edid[EDID_BYTES], uint32_t width, uint32_t height);

#endif
