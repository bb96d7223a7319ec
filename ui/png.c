/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PNG files by libpng. */
#include <png.h>

#include "ui/private.h"

bool ui_png_write(FILE *f, uint32_t width, uint32_t height, const uint8_t *rgb, Error *err)
{
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = width,
                       .height = height,
                       .format = PNG_FORMAT_RGB,
                       .flags = PNG_IMAGE_FLAG_FAST};

    if (!png_image_write_to_stdio(&image, f, 0, rgb, 0, NULL)) {
        return error_set(err, "libpng: %s", image.message);
    }
    return true;
}
