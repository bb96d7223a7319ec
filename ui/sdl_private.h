/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The window: what its files share. */
#ifndef GEMEL_UI_SDL_PRIVATE_H
#define GEMEL_UI_SDL_PRIVATE_H

#define SDL_MAIN_HANDLED
#include <SDL2/SDL.h>
#include <linux/input-event-codes.h>
#include <stdatomic.h>

#include "ui/private.h"

/*
 * One window shows one console at a time. Listener callbacks come from any thread with the machine
 * lock and only note what changed; the tick, a timeout of the machine's loop, does all that is SDL.
 */
typedef struct SdlWindow {
    UiPart           part; /* must be first */
    Machine         *m;
    const UiConfig  *config;
    bool             window_close, show_cursor; /* options */
    GSource         *tick;
    SDL_Window      *window;
    SDL_Renderer    *renderer;
    SDL_Texture     *texture, *pointer; /* pointer: the guest's cursor, drawn while grabbed */
    SDL_Cursor      *cursor;            /* the same as the host's cursor */
    uint32_t         texture_w, texture_h;
    Surface          message;
    bool             message_console; /* which of the two lines it is */
    MachineNotify    notify;

    /* under the machine lock */
    Console         *console;
    unsigned         index;
    DisplayListener  listener;
    uint32_t        *argb; /* the cursor's image; NULL: none */
    CursorImage      image;
    int32_t          cursor_x, cursor_y;
    bool             cursor_visible;
    uint32_t         dirty_x0, dirty_y0, dirty_x1, dirty_y1; /* of the surface; x1 = 0: clean */
    bool             new_surface, new_cursor, new_title;
    atomic_bool      changed; /* something of the above: the tick looks */

    /* the tick's own */
    bool     grabbed, user_sized, hidden;
    Uint32   resized_at; /* SDL ticks of the last size change by the user; 0: told to the guest */
    uint8_t  keys[KEY_CNT / 8 + 1]; /* held down, by Linux code */
} SdlWindow;

/* 0: a key the guest does not know. */
uint16_t sdl_key(SDL_Scancode code);
/* One event; machine lock held. */
void sdl_event(SdlWindow *w, const SDL_Event *e);
void sdl_release_keys(SdlWindow *w);
void sdl_grab(SdlWindow *w, bool on);
/* Where the picture is in the window, its aspect kept. */
SDL_Rect sdl_picture(const SdlWindow *w);
void sdl_show_console(SdlWindow *w, unsigned index);
/* All of it anew. */
void sdl_redraw(SdlWindow *w);

#endif
