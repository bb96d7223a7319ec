/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The window on an X server of its own: picture, message, title, keys, pointer, size, closing. */
#include <linux/input-event-codes.h>
#include <png.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "screen.h"

enum { MOST_MS = 8000, STEP_MS = 100 };

typedef struct Picture {
    uint32_t width, height;
    uint8_t *rgb;
} Picture;

static GPid x_server;

static bool has(const char *program)
{
    char *path = g_find_program_in_path(program);

    g_free(path);
    return path != NULL;
}

static void stop_x(void)
{
    if (x_server) {
        kill(x_server, SIGTERM);
        waitpid(x_server, NULL, 0);
    }
}

static bool start_x(void)
{
    char *argv[] = {"Xvfb",        "-displayfd", "1",   "-screen", "0",
                    "1024x768x24", "-nolisten",  "tcp", NULL};
    int out;
    char number[16] = {0};

    if (!g_spawn_async_with_pipes(NULL, argv, NULL,
                                  G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD |
                                      G_SPAWN_STDERR_TO_DEV_NULL,
                                  NULL, NULL, &x_server, NULL, &out, NULL, NULL)) {
        return false;
    }
    ssize_t n = read(out, number, sizeof number - 1);
    if (n <= 0) {
        return false;
    }
    char *display = g_strdup_printf(":%d", atoi(number));
    g_setenv("DISPLAY", display, TRUE);
    g_unsetenv("WAYLAND_DISPLAY");
    g_setenv("SDL_VIDEODRIVER", "x11", TRUE);
    g_setenv("SDL_RENDER_DRIVER", "software", TRUE);
    g_free(display);
    return true;
}

static void shell(const char *command)
{
    int status = 0;
    GError *error = NULL;

    if (!g_spawn_command_line_sync(command, NULL, NULL, &status, &error)) {
        g_error("%s: %s", command, error->message);
    }
}

/* What the X server shows. */
static Picture shot(void)
{
    char *path = g_strdup_printf("%s/gemel-sdl-%d.png", g_get_tmp_dir(), (int)getpid());
    char *command = g_strdup_printf("import -window root -depth 8 png24:%s", path);
    png_image image = {.version = PNG_IMAGE_VERSION};

    shell(command);
    g_assert_true(png_image_begin_read_from_file(&image, path));
    image.format = PNG_FORMAT_RGB;
    Picture p = {image.width, image.height, g_malloc(PNG_IMAGE_SIZE(image))};
    g_assert_true(png_image_finish_read(&image, NULL, p.rgb, 0, NULL));
    unlink(path);
    g_free(command);
    g_free(path);
    return p;
}

/* Is the surface on the screen as it is, somewhere? */
static bool shows(const Picture *p, const Screen *s, int *at_x, int *at_y)
{
    for (uint32_t y0 = 0; y0 + s->s.height <= p->height; y0++) {
        for (uint32_t x0 = 0; x0 + s->s.width <= p->width; x0++) {
            uint32_t i = 0, n = s->s.width * s->s.height;
            for (; i < n; i++) {
                const uint8_t *c =
                    p->rgb + 3 * ((size_t)(y0 + i / s->s.width) * p->width + x0 + i % s->s.width);
                if (((uint32_t)c[0] << 16 | (uint32_t)c[1] << 8 | c[2]) != s->pixels[i]) {
                    break;
                }
            }
            if (i == n) {
                *at_x = (int)x0;
                *at_y = (int)y0;
                return true;
            }
        }
    }
    return false;
}

static void wait_shown(Screen *s, int *x, int *y)
{
    for (unsigned ms = 0; ms < MOST_MS; ms += STEP_MS) {
        screen_run(s, STEP_MS);
        Picture p = shot();
        bool found = shows(&p, s, x, y);
        g_free(p.rgb);
        if (found) {
            return;
        }
    }
    shell("import -window root gemel-sdl-failed.png");
    g_error("the window does not show the surface; see gemel-sdl-failed.png");
}

static bool wait_for(Screen *s, InputKind kind, uint16_t code, int32_t value)
{
    for (unsigned ms = 0; ms < MOST_MS && !screen_saw(s, kind, code, value); ms += 20) {
        screen_run(s, 20);
    }
    return screen_saw(s, kind, code, value);
}

static void on_quit(void *opaque)
{
    *(bool *)opaque = true;
}

static void test_picture(void)
{
    Screen *s = screen_new(1 << INPUT_KEY | 1 << INPUT_BUTTON | 1 << INPUT_ABS);
    bool quit = false;
    UiConfig config = {.name = "Test machine", .quit = on_quit, .opaque = &quit};
    Error err = {""};
    int x = 0, y = 0;

    if (!ui_display_start(s->m, "sdl", &config, &err)) {
        g_error("%s", err.text);
    }
    screen_set(s, 320, 200);
    wait_shown(s, &x, &y);
    screen_fill(s, 17, 33, 50, 20);
    wait_shown(s, &x, &y);
    screen_set(s, 900, 700); /* grows from the middle: still all of it on the screen */
    wait_shown(s, &x, &y);
    screen_set(s, 288, 240);
    wait_shown(s, &x, &y);
    /* Keys and the absolute pointer. */
    char *move = g_strdup_printf("xdotool mousemove %d %d", x + 144, y + 120);
    shell(move);
    g_free(move);
    g_assert_true(wait_for(s, INPUT_ABS, INPUT_X, 144 * INPUT_ABS_MAX / 287));
    g_assert_true(wait_for(s, INPUT_ABS, INPUT_Y, 120 * INPUT_ABS_MAX / 239));
    shell("xdotool click 3");
    g_assert_true(wait_for(s, INPUT_BUTTON, BTN_RIGHT, 1));
    g_assert_true(wait_for(s, INPUT_BUTTON, BTN_RIGHT, 0));
    char *focus = g_strdup("xdotool search --name Test windowfocus --sync key a");
    shell(focus);
    g_free(focus);
    g_assert_true(wait_for(s, INPUT_KEY, KEY_A, 1));
    g_assert_true(wait_for(s, INPUT_KEY, KEY_A, 0));
    /* The window's size is a wish. */
    shell("xdotool search --name Test windowsize 400 360");
    for (unsigned ms = 0; ms < MOST_MS && s->want_width != 400; ms += 20) {
        screen_run(s, 20);
    }
    g_assert_cmpuint(s->want_width, ==, 400);
    g_assert_cmpuint(s->want_height, ==, 360);
    screen_set(s, 400, 360); /* the guest follows */
    wait_shown(s, &x, &y);
    g_assert_false(quit);
    shell("xdotool key ctrl+alt+q");
    for (unsigned ms = 0; ms < MOST_MS && !quit; ms += 20) {
        screen_run(s, 20);
    }
    g_assert_true(quit);
    screen_free(s);
}

static void test_message(void)
{
    Screen *s = screen_new(0);
    Error err = {""};
    unsigned lit = 0;

    g_assert_true(ui_display_start(s->m, "gtk,window-close=off,zoom-to-fit=on", NULL, &err));
    screen_run(s, 500);
    Picture p = shot();
    for (size_t i = 0; i < (size_t)p.width * p.height; i++) {
        lit += p.rgb[3 * i] == 0xc8 && p.rgb[3 * i + 1] == 0xc8;
    }
    g_assert_cmpuint(lit, >, 1000);
    g_free(p.rgb);
    screen_free(s);
}

static void test_options(void)
{
    Screen *s = screen_new(0);
    Error err = {""};

    g_assert_false(ui_display_start(s->m, "sdll", NULL, &err));
    g_assert_nonnull(strstr(err.text, "did you mean 'sdl'"));
    g_assert_false(ui_display_start(s->m, "sdl,window-clse=off", NULL, &err));
    g_assert_nonnull(strstr(err.text, "window-close"));
    g_assert_false(ui_display_start(s->m, "sdl,gl=on", NULL, &err));
    g_assert_true(ui_display_start(s->m, "none", NULL, &err));
    screen_free(s);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (!has("Xvfb") || !has("xdotool") || !has("import") || !start_x()) {
        printf("1..0 # SKIP needs Xvfb, xdotool and imagemagick\n");
        return 0;
    }
    g_test_add_func("/sdl/options", test_options);
    g_test_add_func("/sdl/message", test_message);
    g_test_add_func("/sdl/picture", test_picture);
    int status = g_test_run();
    stop_x();
    return status;
}
