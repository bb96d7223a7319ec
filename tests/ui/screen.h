/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine with one display that shows a test picture, and an input device that remembers. */
#ifndef GEMEL_TESTS_UI_SCREEN_H
#define GEMEL_TESTS_UI_SCREEN_H

#include <glib.h>
#include <string.h>

#include "core/input.h"
#include "core/machine.h"
#include "ui/ui.h"

enum { SCREEN_EVENTS = 256 };

typedef struct Screen {
    Machine *m;
    Console *console;
    Surface s;
    uint32_t *pixels; /* X8R8G8B8 */
    uint32_t want_width, want_height; /* of the last wish */
    InputSink sink;
    InputEvent events[SCREEN_EVENTS];
    unsigned n_events;
} Screen;

static inline void screen_wish(void *opaque, uint32_t width, uint32_t height)
{
    Screen *s = opaque;

    s->want_width = width;
    s->want_height = height;
}

static inline void screen_event(void *opaque, const InputEvent *e)
{
    Screen *s = opaque;

    if (s->n_events < SCREEN_EVENTS) {
        s->events[s->n_events++] = *e;
    }
}

/* Areas of one colour, few colours, many colours, noise: each encoder has its part. */
static inline uint32_t screen_pixel(uint32_t x, uint32_t y)
{
    uint32_t part = (x / 48 + y / 40 * 3) % 6;

    switch (part) {
    case 0: return 0x204080;
    case 1: return (x ^ y) & 4 ? 0xffffff : 0x000000;
    case 2: return x * 2 << 16 | y * 3 << 8 | (x + y);
    case 3: return ((x / 5 + y / 7) % 11) * 0x123456 & 0xffffff;
    case 4: return (x * 2654435761u ^ y * 40503u * 65537u) >> 8;
    default: return x % 16 == 0 || y % 16 == 0 ? 0xff0000 : 0x00ff00;
    }
}

static inline void screen_set(Screen *s, uint32_t width, uint32_t height)
{
    uint32_t *old = s->pixels;

    s->pixels = g_new(uint32_t, width * height);
    for (uint32_t i = 0; i < width * height; i++) {
        s->pixels[i] = screen_pixel(i % width, i / width) & 0xffffff;
    }
    s->s = (Surface){width, height, width * 4, PIXEL_X8R8G8B8, (uint8_t *)s->pixels};
    console_set_surface(s->console, &s->s);
    g_free(old);
}

static inline void screen_fill(Screen *s, uint32_t x, uint32_t y, uint32_t w, uint32_t h)
{
    for (uint32_t i = 0; i < w * h; i++) {
        s->pixels[(y + i / w) * s->s.width + x + i % w] = 0xabcdef + i % 7;
    }
    console_update(s->console, x, y, w, h);
}

/* kinds: of the input device, 1 << InputKind. The machine lock is held from here on. */
static inline Screen *screen_new(uint32_t kinds)
{
    static const ConsoleOps ops = {.set_size = screen_wish};
    Screen *s = g_new0(Screen, 1);
    Error err = {""};

    s->m = machine_new("picture", &err);
    g_assert_nonnull(s->m);
    machine_lock(s->m);
    s->console = console_new(s->m, "screen", &ops, s);
    s->sink = (InputSink){.name = "hand", .kinds = kinds, .event = screen_event, .opaque = s};
    input_sink_add(s->m, &s->sink);
    return s;
}

static inline void screen_free(Screen *s)
{
    ui_stop_all(s->m);
    input_sink_remove(s->m, &s->sink);
    console_free(s->console);
    machine_unlock(s->m);
    machine_free(s->m);
    g_free(s->pixels);
    g_free(s);
}

/* Turns the machine's loop for some time. */
static inline void screen_run(Screen *s, unsigned ms)
{
    gint64 end = g_get_monotonic_time() + ms * 1000;

    machine_unlock(s->m);
    while (g_get_monotonic_time() < end) {
        machine_iterate(s->m, false);
        g_usleep(1000);
    }
    machine_lock(s->m);
}

/* Was there such an event? */
static inline bool screen_saw(const Screen *s, InputKind kind, uint16_t code, int32_t value)
{
    for (unsigned i = 0; i < s->n_events; i++) {
        if (s->events[i].kind == kind && s->events[i].code == code && s->events[i].value == value) {
            return true;
        }
    }
    return false;
}

#endif
