/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Consoles: what a display device shows, and who looks at it. One timer a console asks the device
 * to refresh as often as its most eager listener wants.
 */
#include <assert.h>
#include <string.h>

#include "core/private.h"

enum { NS_PER_MS = 1000000 };

struct Console {
    Machine *machine;
    char *name;
    const ConsoleOps *ops;
    void *opaque;
    Surface surface;
    DisplayListener *listeners;
    uint32_t cursor_width, cursor_height, cursor_hot_x, cursor_hot_y;
    uint32_t *cursor; /* NULL: none */
    int32_t cursor_x, cursor_y;
    bool cursor_visible;
    Timer refresh;
};

static uint32_t refresh_ms(const Console *c)
{
    uint32_t ms = 0;

    for (const DisplayListener *l = c->listeners; l; l = l->next) {
        if (l->refresh_ms && (!ms || l->refresh_ms < ms)) {
            ms = l->refresh_ms;
        }
    }
    return ms;
}

static void schedule(Console *c)
{
    uint32_t ms = refresh_ms(c);

    if (ms) {
        timer_set(&c->refresh, clock_ns(c->machine, CLOCK_HOST) + (int64_t)ms * NS_PER_MS);
    } else {
        timer_cancel(&c->refresh);
    }
}

static void refresh_due(void *opaque)
{
    Console *c = opaque;

    console_refresh(c);
    schedule(c);
}

Console *console_new(Machine *m, const char *name, const ConsoleOps *ops, void *opaque)
{
    Console *c = g_new0(Console, 1);

    c->machine = m;
    c->name = g_strdup(name);
    c->ops = ops;
    c->opaque = opaque;
    timer_init(&c->refresh, m, CLOCK_HOST, refresh_due, c);
    g_ptr_array_add(m->p->consoles, c);
    return c;
}

void console_free(Console *c)
{
    if (!c) {
        return;
    }
    console_set_surface(c, NULL);
    while (c->listeners) {
        console_unlisten(c, c->listeners);
    }
    timer_cancel(&c->refresh);
    g_ptr_array_remove(c->machine->p->consoles, c);
    g_free(c->cursor);
    g_free(c->name);
    g_free(c);
}

const Surface *console_surface(const Console *c)
{
    return c->surface.pixels ? &c->surface : NULL;
}

void console_set_surface(Console *c, const Surface *s)
{
    if (s && s->pixels) {
        assert(s->width && s->width <= DISPLAY_MAX_SIDE && s->height &&
               s->height <= DISPLAY_MAX_SIDE && s->format < PIXEL_N &&
               s->stride_bytes >= s->width * pixel_bytes(s->format));
        c->surface = *s;
    } else {
        memset(&c->surface, 0, sizeof c->surface);
    }
    for (DisplayListener *l = c->listeners, *next; l; l = next) {
        next = l->next;
        if (l->surface) {
            l->surface(l, console_surface(c));
        }
    }
}

void console_update(Console *c, uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
    if (x >= c->surface.width || y >= c->surface.height) {
        return;
    }
    width = MIN(width, c->surface.width - x);
    height = MIN(height, c->surface.height - y);
    for (DisplayListener *l = c->listeners, *next; l && width && height; l = next) {
        next = l->next;
        if (l->update) {
            l->update(l, x, y, width, height);
        }
    }
}

static CursorImage cursor_image(const Console *c)
{
    return (CursorImage){c->cursor_width, c->cursor_height, c->cursor_hot_x, c->cursor_hot_y,
                         c->cursor};
}

static void tell_cursor(const Console *c, DisplayListener *l)
{
    CursorImage image = cursor_image(c);

    if (l->cursor) {
        l->cursor(l, c->cursor ? &image : NULL);
    }
}

void console_set_cursor(Console *c, const CursorImage *image)
{
    g_free(c->cursor);
    c->cursor = NULL;
    if (image) {
        assert(image->width && image->width <= DISPLAY_MAX_SIDE && image->height &&
               image->height <= DISPLAY_MAX_SIDE);
        c->cursor_width = image->width;
        c->cursor_height = image->height;
        c->cursor_hot_x = image->hot_x;
        c->cursor_hot_y = image->hot_y;
        c->cursor = g_memdup2(image->argb, (size_t)image->width * image->height * 4);
    }
    for (DisplayListener *l = c->listeners, *next; l; l = next) {
        next = l->next;
        tell_cursor(c, l);
    }
}

void console_move_cursor(Console *c, int32_t x, int32_t y, bool visible)
{
    c->cursor_x = x;
    c->cursor_y = y;
    c->cursor_visible = visible;
    for (DisplayListener *l = c->listeners, *next; l; l = next) {
        next = l->next;
        if (l->cursor_move) {
            l->cursor_move(l, x, y, visible);
        }
    }
}

Console *console_by_index(Machine *m, unsigned n)
{
    return n < m->p->consoles->len ? g_ptr_array_index(m->p->consoles, n) : NULL;
}

Console *console_by_name(Machine *m, const char *name)
{
    for (guint i = 0; i < m->p->consoles->len; i++) {
        Console *c = g_ptr_array_index(m->p->consoles, i);

        if (!strcmp(c->name, name)) {
            return c;
        }
    }
    return NULL;
}

const char *console_name(const Console *c)
{
    return c->name;
}

void console_refresh(Console *c)
{
    if (c->ops->refresh) {
        c->ops->refresh(c->opaque);
    }
}

void console_listen(Console *c, DisplayListener *l)
{
    l->next = c->listeners;
    c->listeners = l;
    if (l->surface) {
        l->surface(l, console_surface(c));
    }
    tell_cursor(c, l);
    if (l->cursor_move) {
        l->cursor_move(l, c->cursor_x, c->cursor_y, c->cursor_visible);
    }
    schedule(c);
}

void console_unlisten(Console *c, DisplayListener *l)
{
    for (DisplayListener **at = &c->listeners; *at; at = &(*at)->next) {
        if (*at == l) {
            *at = l->next;
            schedule(c);
            return;
        }
    }
}

void console_request_size(Console *c, uint32_t width, uint32_t height)
{
    if (c->ops->set_size) {
        c->ops->set_size(c->opaque, CLAMP(width, 1, DISPLAY_MAX_SIDE),
                         CLAMP(height, 1, DISPLAY_MAX_SIDE));
    }
}
