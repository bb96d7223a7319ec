/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The window, by SDL 2 (its wiki is the manual): what a console shows, scaled with its aspect kept.
 * Hot keys with Ctrl-Alt: F full screen, G grab, S screenshot, U the guest's own size, Q quit,
 * 1..9 consoles.
 *
 * SDL's state is the process's and belongs to one thread, so one machine of a process can have a
 * window. Not modelled: OpenGL, text consoles.
 */
#include "core/input.h"
#include "ui/message.h"
#include "ui/pixels.h"
#include "ui/sdl_private.h"
#include "ui/starts.h"

enum { TICK_MS = 16, REFRESH_MS = 30, RESIZE_SETTLED_MS = 200 };

/* ---- what the guest shows: noted by any thread, machine lock held */

static void mark(SdlWindow *w, uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
    bool clean = !w->dirty_x1;

    w->dirty_x0 = clean ? x : MIN(w->dirty_x0, x);
    w->dirty_y0 = clean ? y : MIN(w->dirty_y0, y);
    w->dirty_x1 = MAX(w->dirty_x1, x + width);
    w->dirty_y1 = MAX(w->dirty_y1, y + height);
    atomic_store(&w->changed, true);
}

static void on_surface(DisplayListener *l, const Surface *s)
{
    SdlWindow *w = l->opaque;

    w->new_surface = true;
    w->dirty_x1 = w->dirty_y1 = 0;
    mark(w, 0, 0, s ? s->width : DISPLAY_MAX_SIDE, s ? s->height : DISPLAY_MAX_SIDE);
}

static void on_update(DisplayListener *l, uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
    mark(l->opaque, x, y, width, height);
}

static void on_cursor(DisplayListener *l, const CursorImage *image)
{
    SdlWindow *w = l->opaque;

    g_free(w->argb);
    w->argb = NULL;
    if (image) {
        w->image = *image;
        w->argb = g_memdup2(image->argb, (size_t)image->width * image->height * 4);
    }
    w->new_cursor = true;
    atomic_store(&w->changed, true);
}

static void on_cursor_move(DisplayListener *l, int32_t x, int32_t y, bool visible)
{
    SdlWindow *w = l->opaque;

    w->cursor_x = x;
    w->cursor_y = y;
    w->new_cursor |= visible != w->cursor_visible;
    w->cursor_visible = visible;
    atomic_store(&w->changed, true);
}

static void on_run_state(MachineNotify *n, RunState old, RunState now)
{
    SdlWindow *w = n->opaque;

    (void)old, (void)now;
    w->new_title = true;
    atomic_store(&w->changed, true);
}

void sdl_redraw(SdlWindow *w)
{
    mark(w, 0, 0, DISPLAY_MAX_SIDE, DISPLAY_MAX_SIDE);
}

/* ---- consoles come and go */

void sdl_show_console(SdlWindow *w, unsigned index)
{
    Console *c = console_by_index(w->m, index);

    if (!c || c == w->console) {
        return;
    }
    if (w->console) {
        console_unlisten(w->console, &w->listener);
    }
    w->console = c;
    w->index = index;
    w->new_title = true;
    console_listen(c, &w->listener);
}

static void check_console(SdlWindow *w)
{
    if (w->console && !ui_console_exists(w->m, w->console)) {
        w->console = NULL; /* it is gone, and its listeners with it */
        on_surface(&w->listener, NULL);
        on_cursor(&w->listener, NULL);
    }
    if (!w->console) {
        sdl_show_console(w, 0);
    }
}

static const Surface *current(SdlWindow *w)
{
    const Surface *s = w->console ? console_surface(w->console) : NULL;

    if (s) {
        return s;
    }
    if (!w->message.pixels || w->message_console != (w->console != NULL)) {
        message_free(&w->message);
        w->message_console = w->console != NULL;
        w->message = message_surface(w->message_console);
    }
    return &w->message;
}

/* ---- drawing */

SDL_Rect sdl_picture(const SdlWindow *w)
{
    int width = 1, height = 1;

    SDL_GetWindowSize(w->window, &width, &height);
    if (!w->texture_w || !w->texture_h) {
        return (SDL_Rect){0, 0, width, height};
    }
    double scale = MIN((double)width / w->texture_w, (double)height / w->texture_h);
    int pw = MAX((int)(w->texture_w * scale + 0.5), 1),
        ph = MAX((int)(w->texture_h * scale + 0.5), 1);

    return (SDL_Rect){(width - pw) / 2, (height - ph) / 2, pw, ph};
}

/* The window to the surface's size, or as near to it as the screen lets, and all of it visible. */
static void fit_window(SdlWindow *w, const Surface *s)
{
    SDL_Rect screen;
    int x = 0, y = 0, width = (int)s->width, height = (int)s->height;

    if (SDL_GetDisplayUsableBounds(MAX(SDL_GetWindowDisplayIndex(w->window), 0), &screen)) {
        screen = (SDL_Rect){0, 0, width, height};
    }
    if (width > screen.w || height > screen.h) {
        double scale = MIN((double)screen.w / width, (double)screen.h / height);
        width = MAX((int)(width * scale), 1);
        height = MAX((int)(height * scale), 1);
    }
    SDL_SetWindowSize(w->window, width, height);
    SDL_GetWindowPosition(w->window, &x, &y);
    if (x + width > screen.x + screen.w || y + height > screen.y + screen.h) {
        SDL_SetWindowPosition(w->window, screen.x + (screen.w - width) / 2,
                              screen.y + (screen.h - height) / 2);
    }
}

/* The texture and, unless a person chose it, the window as large as the surface. */
static void resize(SdlWindow *w, const Surface *s)
{
    bool full = SDL_GetWindowFlags(w->window) & (SDL_WINDOW_FULLSCREEN | SDL_WINDOW_MAXIMIZED);

    if (!w->texture || w->texture_w != s->width || w->texture_h != s->height) {
        if (w->texture) {
            SDL_DestroyTexture(w->texture);
        }
        w->texture = SDL_CreateTexture(w->renderer, SDL_PIXELFORMAT_ARGB8888,
                                       SDL_TEXTUREACCESS_STREAMING, (int)s->width, (int)s->height);
        w->texture_w = s->width;
        w->texture_h = s->height;
    }
    if (!w->user_sized && !full) {
        fit_window(w, s);
    }
}

static void upload(SdlWindow *w, const Surface *s)
{
    SDL_Rect r = {(int)w->dirty_x0, (int)w->dirty_y0, 0, 0};
    void *pixels;
    int pitch;

    w->dirty_x1 = MIN(w->dirty_x1, s->width);
    w->dirty_y1 = MIN(w->dirty_y1, s->height);
    if (!w->texture || w->dirty_x0 >= w->dirty_x1 || w->dirty_y0 >= w->dirty_y1) {
        return;
    }
    r.w = (int)(w->dirty_x1 - w->dirty_x0);
    r.h = (int)(w->dirty_y1 - w->dirty_y0);
    if (SDL_LockTexture(w->texture, &r, &pixels, &pitch)) {
        return;
    }
    for (int y = 0; y < r.h; y++) {
        surface_row((uint32_t *)(void *)((uint8_t *)pixels + (size_t)y * (size_t)pitch), s,
                    w->dirty_x0, w->dirty_y0 + (uint32_t)y, (uint32_t)r.w);
    }
    SDL_UnlockTexture(w->texture);
}

static void free_cursor(SdlWindow *w)
{
    if (w->pointer) {
        SDL_DestroyTexture(w->pointer);
    }
    if (w->cursor) {
        SDL_FreeCursor(w->cursor);
    }
    w->pointer = NULL;
    w->cursor = NULL;
}

/* The guest's cursor as the host's, which follows the hand without delay; while the pointer is
 * grabbed, or the guest draws its own, the host's is hidden. */
static void set_cursor(SdlWindow *w)
{
    free_cursor(w);
    if (w->argb) {
        SDL_Surface *image = SDL_CreateRGBSurfaceWithFormatFrom(
            w->argb, (int)w->image.width, (int)w->image.height, 32, (int)w->image.width * 4,
            SDL_PIXELFORMAT_ARGB8888);
        if (image) {
            w->cursor = SDL_CreateColorCursor(image, (int)w->image.hot_x, (int)w->image.hot_y);
            w->pointer = SDL_CreateTextureFromSurface(w->renderer, image);
            SDL_FreeSurface(image);
        }
    }
    bool absolute = input_is_absolute(w->m);
    if (w->cursor) {
        SDL_SetCursor(w->cursor);
    }
    SDL_ShowCursor(w->show_cursor || (!w->grabbed && !absolute) ||
                   (absolute && w->cursor && w->cursor_visible));
}

static void draw_pointer(SdlWindow *w, const SDL_Rect *picture)
{
    double sx = (double)picture->w / w->texture_w, sy = (double)picture->h / w->texture_h;
    SDL_Rect r = {picture->x + (int)(w->cursor_x * sx), picture->y + (int)(w->cursor_y * sy),
                  (int)(w->image.width * sx), (int)(w->image.height * sy)};

    if (w->pointer && w->cursor_visible && !input_is_absolute(w->m)) {
        SDL_SetTextureBlendMode(w->pointer, SDL_BLENDMODE_BLEND);
        SDL_RenderCopy(w->renderer, w->pointer, NULL, &r);
    }
}

static void draw(SdlWindow *w)
{
    SDL_Rect r = sdl_picture(w);

    SDL_SetRenderDrawColor(w->renderer, 0, 0, 0, 255);
    SDL_RenderClear(w->renderer);
    if (w->texture) {
        SDL_RenderCopy(w->renderer, w->texture, NULL, &r);
    }
    draw_pointer(w, &r);
}

static void set_title(SdlWindow *w)
{
    const char *name = w->config->name ? w->config->name : w->m->name;
    const char *state = w->m->state == RUN_RUNNING ? "" : " [Paused]";
    char *console = w->index ? g_strdup_printf(" (%s)", console_name(w->console)) : g_strdup("");
    char *title = g_strdup_printf("%s%s%s%s", name, console, state,
                                  w->grabbed ? " - Ctrl-Alt-G releases the pointer" : "");

    SDL_SetWindowTitle(w->window, title);
    g_free(title);
    g_free(console);
}

void sdl_grab(SdlWindow *w, bool on)
{
    if (w->grabbed == on) {
        return;
    }
    w->grabbed = on;
    SDL_SetWindowKeyboardGrab(w->window, on);
    if (!input_is_absolute(w->m)) {
        SDL_SetRelativeMouseMode(on);
    } else if (!on) {
        SDL_SetRelativeMouseMode(SDL_FALSE);
    }
    w->new_cursor = w->new_title = true;
    atomic_store(&w->changed, true);
}

/* ---- the tick */

static void take_events(SdlWindow *w)
{
    SDL_Event e;

    while (SDL_PollEvent(&e)) {
        sdl_event(w, &e);
    }
    if (w->resized_at && SDL_GetTicks() - w->resized_at > RESIZE_SETTLED_MS) {
        int width, height;
        SDL_GetWindowSize(w->window, &width, &height);
        w->resized_at = 0;
        if (w->console) {
            console_request_size(w->console, (uint32_t)width, (uint32_t)height);
        }
    }
}

static void show(SdlWindow *w)
{
    const Surface *s = current(w);

    if (w->new_surface) {
        resize(w, s);
    }
    if (w->new_cursor) {
        set_cursor(w);
    }
    if (w->new_title) {
        set_title(w);
    }
    if (w->dirty_x1) {
        upload(w, s);
    }
    w->new_surface = w->new_cursor = w->new_title = false;
    w->dirty_x0 = w->dirty_y0 = w->dirty_x1 = w->dirty_y1 = 0;
    draw(w);
}

static gboolean tick(gpointer opaque)
{
    SdlWindow *w = opaque;

    check_console(w);
    take_events(w);
    if (atomic_exchange(&w->changed, false)) {
        show(w);
        if (!w->hidden) {
            machine_unlock(w->m); /* presenting may wait for the screen */
            SDL_RenderPresent(w->renderer);
            machine_lock(w->m);
        }
    }
    return G_SOURCE_CONTINUE;
}

/* ---- life */

static void stop(UiPart *p)
{
    SdlWindow *w = (SdlWindow *)p;

    if (w->tick) {
        g_source_destroy(w->tick);
        g_source_unref(w->tick);
        machine_notify_remove(w->m, &w->notify);
    }
    if (ui_console_exists(w->m, w->console)) {
        console_unlisten(w->console, &w->listener);
    }
    free_cursor(w);
    message_free(&w->message);
    g_free(w->argb);
    if (w->texture) {
        SDL_DestroyTexture(w->texture);
    }
    if (w->renderer) {
        SDL_DestroyRenderer(w->renderer);
    }
    if (w->window) {
        SDL_DestroyWindow(w->window);
    }
    SDL_QuitSubSystem(SDL_INIT_VIDEO);
    g_free(w);
}

static bool options(SdlWindow *w, KeyVals *kv, bool *full_screen, Error *err)
{
    /* Of other windows' menus and zoom: this one has no menu, and the picture always fits. */
    static const char *const hints[] = {"zoom-to-fit", "show-menubar", "show-tabs",
                                        "grab-on-hover"};
    bool gl = false, hint;

    for (size_t i = 0; i < G_N_ELEMENTS(hints); i++) {
        if (!keyvals_bool(kv, hints[i], &hint, err)) {
            return false;
        }
    }
    w->window_close = true;
    if (!keyvals_bool(kv, "gl", &gl, err) || !keyvals_bool(kv, "full-screen", full_screen, err) ||
        !keyvals_bool(kv, "window-close", &w->window_close, err) ||
        !keyvals_bool(kv, "window_close", &w->window_close, err) ||
        !keyvals_bool(kv, "show-cursor", &w->show_cursor, err)) {
        return false;
    }
    return keyvals_finish(kv, err) &&
           (!gl || error_set(err, "gl=on: graphics are 2D here; leave gl out"));
}

static bool open_window(SdlWindow *w, bool full_screen, Error *err)
{
    uint32_t flags = SDL_WINDOW_RESIZABLE | (full_screen ? SDL_WINDOW_FULLSCREEN_DESKTOP : 0);

    SDL_SetHint(SDL_HINT_RENDER_SCALE_QUALITY, "linear");
    w->window = SDL_CreateWindow(w->config->name ? w->config->name : w->m->name,
                                 SDL_WINDOWPOS_UNDEFINED, SDL_WINDOWPOS_UNDEFINED, 640, 480, flags);
    w->renderer = w->window ? SDL_CreateRenderer(w->window, -1, 0) : NULL;
    return w->renderer || error_set(err, "SDL cannot make a window: %s", SDL_GetError());
}

static bool init_sdl(Error *err)
{
    if (SDL_WasInit(SDL_INIT_VIDEO)) {
        return error_set(err, "there is a window already; a process can have one");
    }
    SDL_SetMainReady();
    SDL_SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1"); /* they are the composer's */
    SDL_SetHint(SDL_HINT_VIDEO_ALLOW_SCREENSAVER, "1");
    /* Where SDL draws in software it would still present by OpenGL, and show nothing after a
     * resize. */
    SDL_SetHint(SDL_HINT_FRAMEBUFFER_ACCELERATION, "0");
    SDL_SetHint(SDL_HINT_MOUSE_FOCUS_CLICKTHROUGH, "1");
    SDL_SetHint(SDL_HINT_VIDEO_X11_NET_WM_BYPASS_COMPOSITOR, "0");
    if (SDL_InitSubSystem(SDL_INIT_VIDEO)) {
        return error_set(err, "SDL finds no screen: %s; use -display vnc=:0, or none",
                         SDL_GetError());
    }
    return true;
}

const bool sdl_built = true;

bool sdl_start(Machine *m, KeyVals *kv, const UiConfig *config, Error *err)
{
    SdlWindow *w = g_new0(SdlWindow, 1);
    bool full_screen = config->full_screen;

    w->m = m;
    w->config = config;
    w->part.stop = stop;
    if (!options(w, kv, &full_screen, err) || !init_sdl(err)) {
        g_free(w);
        return false;
    }
    if (!open_window(w, full_screen, err)) {
        stop(&w->part);
        return false;
    }
    w->listener = (DisplayListener){.surface = on_surface,
                                    .update = on_update,
                                    .cursor = on_cursor,
                                    .cursor_move = on_cursor_move,
                                    .refresh_ms = REFRESH_MS,
                                    .opaque = w};
    w->notify = (MachineNotify){.run_state = on_run_state, .opaque = w};
    machine_notify_add(m, &w->notify);
    w->new_title = w->new_cursor = true;
    on_surface(&w->listener, NULL);
    w->tick = g_timeout_source_new(TICK_MS);
    g_source_set_callback(w->tick, tick, w, NULL);
    g_source_attach(w->tick, m->loop);
    ui_part_add(m, &w->part);
    return true;
}
