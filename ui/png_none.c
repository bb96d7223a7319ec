/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PNG files in a build without libpng. */
#include "ui/private.h"

bool ui_png_write(FILE *f, uint32_t width, uint32_t height, const uint8_t *rgb, Error *err)
{
    (void)f, (void)width, (void)height, (void)rgb;
    return error_set(err, "built without libpng (Debian: libpng-dev); name the file .ppm instead");
}
