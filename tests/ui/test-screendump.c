/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pictures of a surface: every pixel format, PPM and PNG, errors. */
#include <glib.h>
#include <png.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ui/ui.h"
#include "util/bits.h"

enum { W = 5, H = 3 };

static char *temp_path(const char *name)
{
    return g_strdup_printf("%s/gemel-ui-%d-%s", g_get_tmp_dir(), (int)getpid(), name);
}

/* The colours of a pixel, of all bits the 16-bit format keeps. */
static void colour(unsigned x, unsigned y, uint8_t rgb[3])
{
    rgb[0] = (uint8_t)(x * 255 / (W - 1) & 0xf8);
    rgb[1] = (uint8_t)(y * 255 / (H - 1) & 0xfc);
    rgb[2] = (uint8_t)((x + y) * 16);
    rgb[0] |= rgb[0] >> 5;
    rgb[1] |= rgb[1] >> 6;
    rgb[2] = (uint8_t)((rgb[2] & 0xf8) | rgb[2] >> 5);
}

static void put(uint8_t *p, PixelFormat f, const uint8_t c[3])
{
    uint32_t r = c[0], g = c[1], b = c[2];

    switch (f) {
    case PIXEL_X8R8G8B8:
    case PIXEL_A8R8G8B8: store_le32(p, 0xee000000 | r << 16 | g << 8 | b); break;
    case PIXEL_X8B8G8R8:
    case PIXEL_A8B8G8R8: store_le32(p, 0xee000000 | b << 16 | g << 8 | r); break;
    case PIXEL_B8G8R8X8:
    case PIXEL_B8G8R8A8: store_le32(p, b << 24 | g << 16 | r << 8 | 0xee); break;
    case PIXEL_R8G8B8X8:
    case PIXEL_R8G8B8A8: store_le32(p, r << 24 | g << 16 | b << 8 | 0xee); break;
    case PIXEL_R5G6B5: store_le16(p, (uint16_t)(r >> 3 << 11 | g >> 2 << 5 | b >> 3)); break;
    default: p[0] = c[2], p[1] = c[1], p[2] = c[0]; break;
    }
}

static void check_pixels(const uint8_t *rgb)
{
    for (unsigned i = 0; i < W * H; i++) {
        uint8_t c[3];
        colour(i % W, i / W, c);
        g_assert_cmpmem(rgb + 3 * i, 3, c, 3);
    }
}

static void check_ppm(const char *path)
{
    char *data;
    size_t bytes;

    g_assert_true(g_file_get_contents(path, &data, &bytes, NULL));
    g_assert_cmpuint(bytes, ==, 11 + W * H * 3);
    g_assert_cmpmem(data, 11, "P6\n5 3\n255\n", 11);
    check_pixels((uint8_t *)data + 11);
    g_free(data);
}

static void check_png(const char *path)
{
    png_image image = {.version = PNG_IMAGE_VERSION};
    uint8_t rgb[W * H * 3];

    g_assert_true(png_image_begin_read_from_file(&image, path));
    image.format = PNG_FORMAT_RGB;
    g_assert_cmpuint(image.width, ==, W);
    g_assert_cmpuint(image.height, ==, H);
    g_assert_true(png_image_finish_read(&image, NULL, rgb, 0, NULL));
    check_pixels(rgb);
}

static void test_formats(void)
{
    char *ppm = temp_path("a.ppm"), *png = temp_path("a.png");
    Error err = {""};

    for (PixelFormat f = 0; f < PIXEL_N; f++) {
        uint8_t pixels[H * (W * 4 + 7)] = {0};
        Surface s = {W, H, W * pixel_bytes(f) + 7, f, pixels};
        for (unsigned i = 0; i < W * H; i++) {
            uint8_t c[3];
            colour(i % W, i / W, c);
            put(pixels + i / W * s.stride_bytes + i % W * pixel_bytes(f), f, c);
        }
        g_assert_true(ui_screendump(&s, ppm, &err));
        check_ppm(ppm);
        g_assert_true(ui_screendump(&s, png, &err));
        check_png(png);
    }
    unlink(ppm);
    unlink(png);
    g_free(ppm);
    g_free(png);
}

static void test_errors(void)
{
    uint8_t pixels[4] = {0};
    Surface s = {1, 1, 4, PIXEL_X8R8G8B8, pixels};
    Error err = {""};

    g_assert_false(ui_screendump(NULL, "/nowhere/a.png", &err));
    g_assert_nonnull(strstr(err.text, "nothing is shown"));
    g_assert_false(ui_screendump(&s, "/nowhere/a.png", &err));
    g_assert_nonnull(strstr(err.text, "/nowhere/a.png"));
    if (!access("/dev/full", W_OK)) {
        g_assert_false(ui_screendump(&s, "/dev/full", &err));
        g_assert_nonnull(strstr(err.text, "/dev/full"));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/screendump/formats", test_formats);
    g_test_add_func("/screendump/errors", test_errors);
    return g_test_run();
}
