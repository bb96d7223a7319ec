/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Displays: a device owns a console and shows a surface on it; windows, VNC and screendump listen.
 *
 * A surface is pixels in host memory: the device's guest frame buffer itself (when its format is one
 * of ours), or a copy that the device renders into when it is asked to refresh.
 * Threads: everything under the machine lock; listeners are called on the main loop thread or the
 * thread that changed the surface.
 */
#ifndef GEMEL_CORE_DISPLAY_H
#define GEMEL_CORE_DISPLAY_H

#include <stdbool.h>
#include <stdint.h>

typedef struct Machine Machine;
typedef struct Console Console;

/* Pixels, little-endian words as pixman names them. */
typedef enum PixelFormat {
    PIXEL_X8R8G8B8, PIXEL_A8R8G8B8, PIXEL_X8B8G8R8, PIXEL_A8B8G8R8, PIXEL_B8G8R8X8, PIXEL_B8G8R8A8,
    PIXEL_R8G8B8X8, PIXEL_R8G8B8A8, PIXEL_R5G6B5, PIXEL_R8G8B8, PIXEL_N
} PixelFormat;
static inline unsigned pixel_bytes(PixelFormat f)
{
    return f == PIXEL_R5G6B5 ? 2 : f == PIXEL_R8G8B8 ? 3 : 4;
}

enum { DISPLAY_MAX_SIDE = 16384 };

typedef struct Surface {
    uint32_t    width, height; /* pixels, 1 .. DISPLAY_MAX_SIDE */
    uint32_t    stride_bytes;
    PixelFormat format;
    uint8_t    *pixels;        /* stays valid until the device replaces the surface */
} Surface;

typedef struct CursorImage {
    uint32_t width, height, hot_x, hot_y;
    const uint32_t *argb;      /* A8R8G8B8, not premultiplied; width * height */
} CursorImage;

/* What a device offers. */
typedef struct ConsoleOps {
    void (*refresh)(void *opaque);  /* bring the surface up to date and report with console_update() */
    void (*set_size)(void *opaque, uint32_t width, uint32_t height); /* the window's size: a wish */
} ConsoleOps;

/* name: "virtio-gpu.0". The console exists until console_free(). */
Console *console_new(Machine *m, const char *name, const ConsoleOps *ops, void *opaque);
void     console_free(Console *c);
/* Replaces the surface; NULL pixels: nothing to show (listeners show a message). */
void     console_set_surface(Console *c, const Surface *s);
void     console_update(Console *c, uint32_t x, uint32_t y, uint32_t width, uint32_t height);
void     console_set_cursor(Console *c, const CursorImage *image); /* NULL: none */
void     console_move_cursor(Console *c, int32_t x, int32_t y, bool visible);

/* ---- for windows, VNC, screendump ---- */

typedef struct DisplayListener {
    void (*surface)(struct DisplayListener *l, const Surface *s); /* new surface (or size) */
    void (*update)(struct DisplayListener *l, uint32_t x, uint32_t y, uint32_t w, uint32_t h);
    void (*cursor)(struct DisplayListener *l, const CursorImage *image);
    void (*cursor_move)(struct DisplayListener *l, int32_t x, int32_t y, bool visible);
    uint32_t refresh_ms;    /* how often it wants ConsoleOps.refresh; 0: by hand */
    void    *opaque;
    struct DisplayListener *next;
} DisplayListener;

Console       *console_by_index(Machine *m, unsigned n);
Console       *console_by_name(Machine *m, const char *name);
const char    *console_name(const Console *c);
const Surface *console_surface(const Console *c); /* NULL: none */
void           console_refresh(Console *c);       /* now */
void           console_listen(Console *c, DisplayListener *l); /* told of the present surface at once */
void           console_unlisten(Console *c, DisplayListener *l);
void           console_request_size(Console *c, uint32_t width, uint32_t height);

#endif
