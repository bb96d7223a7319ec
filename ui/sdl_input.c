/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The window's events: keys, pointer, hot keys, size. */
#include <time.h>

#include "core/input.h"
#include "ui/sdl_private.h"

enum { N_CONSOLE_KEYS = 9 };

static bool is_down(const SdlWindow *w, uint16_t key)
{
    return w->keys[key / 8] >> key % 8 & 1;
}

static void send_key(SdlWindow *w, uint16_t key, bool down)
{
    uint8_t bit = (uint8_t)(1u << key % 8);

    w->keys[key / 8] = (uint8_t)(down ? w->keys[key / 8] | bit : w->keys[key / 8] & ~bit);
    input_send_key(w->m, key, down);
}

void sdl_release_keys(SdlWindow *w)
{
    for (uint16_t key = 0; key < KEY_CNT; key++) {
        if (is_down(w, key)) {
            send_key(w, key, false);
        }
    }
    input_sync(w->m);
}

/* ---- hot keys: Ctrl-Alt and one more */

static void full_screen(SdlWindow *w)
{
    bool on = SDL_GetWindowFlags(w->window) & SDL_WINDOW_FULLSCREEN;

    SDL_SetWindowFullscreen(w->window, on ? 0 : SDL_WINDOW_FULLSCREEN_DESKTOP);
    sdl_redraw(w);
}

static void own_size(SdlWindow *w)
{
    w->user_sized = false;
    w->new_surface = true;
    atomic_store(&w->changed, true);
}

static void screenshot(SdlWindow *w)
{
    char path[64];
    time_t now = time(NULL);
    struct tm tm;
    Error err = {""};

    strftime(path, sizeof path, "gemel-%Y%m%d-%H%M%S.png", localtime_r(&now, &tm));
    bool ok = ui_screendump(w->console ? console_surface(w->console) : NULL, path, &err);
    fprintf(stderr, "%s\n", ok ? path : err.text);
}

static void toggle_grab(SdlWindow *w)
{
    sdl_grab(w, !w->grabbed);
}

static void quit(SdlWindow *w)
{
    if (w->config->quit) {
        w->config->quit(w->config->opaque);
    } else {
        machine_request_shutdown(w->m, CAUSE_HOST_QUIT);
    }
}

static const struct {
    uint16_t key;
    void (*run)(SdlWindow *w);
} hot_keys[] = {
    {KEY_F, full_screen}, {KEY_G, toggle_grab}, {KEY_Q, quit},
    {KEY_S, screenshot},  {KEY_U, own_size},
};

static bool hot_key(SdlWindow *w, uint16_t key)
{
    if (!(is_down(w, KEY_LEFTCTRL) || is_down(w, KEY_RIGHTCTRL)) || !is_down(w, KEY_LEFTALT)) {
        return false;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(hot_keys); i++) {
        if (hot_keys[i].key == key) {
            hot_keys[i].run(w);
            return true;
        }
    }
    if (key >= KEY_1 && key < KEY_1 + N_CONSOLE_KEYS) {
        sdl_show_console(w, (unsigned)(key - KEY_1));
        return true;
    }
    return false;
}

static void key_event(SdlWindow *w, const SDL_KeyboardEvent *e)
{
    uint16_t key = sdl_key(e->keysym.scancode);
    bool down = e->type == SDL_KEYDOWN;

    if (!key || (down && !e->repeat && hot_key(w, key))) {
        return;
    }
    if (down ? !e->repeat : is_down(w, key)) { /* guests repeat by themselves */
        send_key(w, key, down);
        input_sync(w->m);
    }
}

/* ---- pointer */

static int32_t scaled(int32_t at, int32_t start, int32_t size)
{
    int64_t v = size > 1 ? (int64_t)(at - start) * INPUT_ABS_MAX / (size - 1) : 0;

    return (int32_t)CLAMP(v, 0, INPUT_ABS_MAX);
}

static void motion(SdlWindow *w, const SDL_MouseMotionEvent *e)
{
    SDL_Rect r = sdl_picture(w);

    if (input_is_absolute(w->m)) {
        input_send_abs(w->m, INPUT_X, scaled(e->x, r.x, r.w));
        input_send_abs(w->m, INPUT_Y, scaled(e->y, r.y, r.h));
    } else if (w->grabbed) {
        input_send_rel(w->m, INPUT_X, e->xrel);
        input_send_rel(w->m, INPUT_Y, e->yrel);
    } else {
        return;
    }
    input_sync(w->m);
}

static void button(SdlWindow *w, const SDL_MouseButtonEvent *e)
{
    static const uint16_t codes[] = {0, BTN_LEFT, BTN_MIDDLE, BTN_RIGHT, BTN_SIDE, BTN_EXTRA};
    bool down = e->type == SDL_MOUSEBUTTONDOWN;

    if (!w->grabbed && !input_is_absolute(w->m)) {
        if (down && e->button == SDL_BUTTON_LEFT) {
            sdl_grab(w, true); /* this click is for the window */
        }
        return;
    }
    if (e->button < G_N_ELEMENTS(codes) && codes[e->button]) {
        input_send_button(w->m, codes[e->button], down);
        input_sync(w->m);
    }
}

static void wheel(SdlWindow *w, const SDL_MouseWheelEvent *e)
{
    int sign = e->direction == SDL_MOUSEWHEEL_FLIPPED ? -1 : 1;

    if (e->y) {
        input_send_rel(w->m, INPUT_WHEEL, sign * e->y);
    }
    if (e->x) {
        input_send_rel(w->m, INPUT_HWHEEL, sign * e->x);
    }
    input_sync(w->m);
}

/* ---- the window itself */

static void window_event(SdlWindow *w, const SDL_WindowEvent *e)
{
    switch (e->event) {
    case SDL_WINDOWEVENT_EXPOSED:
    case SDL_WINDOWEVENT_SIZE_CHANGED: sdl_redraw(w); break;
    case SDL_WINDOWEVENT_RESIZED: /* by the user or the window manager */
        w->user_sized = true;
        w->resized_at = SDL_GetTicks() | 1;
        break;
    case SDL_WINDOWEVENT_FOCUS_LOST:
        sdl_release_keys(w);
        sdl_grab(w, false);
        break;
    case SDL_WINDOWEVENT_MINIMIZED:
    case SDL_WINDOWEVENT_HIDDEN: w->hidden = true; break;
    case SDL_WINDOWEVENT_RESTORED:
    case SDL_WINDOWEVENT_SHOWN:
        w->hidden = false;
        sdl_redraw(w);
        break;
    default: break;
    }
}

void sdl_event(SdlWindow *w, const SDL_Event *e)
{
    switch (e->type) {
    case SDL_KEYDOWN:
    case SDL_KEYUP: key_event(w, &e->key); break;
    case SDL_MOUSEMOTION: motion(w, &e->motion); break;
    case SDL_MOUSEBUTTONDOWN:
    case SDL_MOUSEBUTTONUP: button(w, &e->button); break;
    case SDL_MOUSEWHEEL: wheel(w, &e->wheel); break;
    case SDL_WINDOWEVENT: window_event(w, &e->window); break;
    case SDL_RENDER_TARGETS_RESET:
    case SDL_RENDER_DEVICE_RESET: sdl_redraw(w); break;
    case SDL_QUIT:
        if (w->window_close) {
            quit(w);
        }
        break;
    default: break;
    }
}
