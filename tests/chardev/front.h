/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A front end that writes down what happens to it, and a machine to run its loop. */
#ifndef GEMEL_TESTS_CHARDEV_FRONT_H
#define GEMEL_TESTS_CHARDEV_FRONT_H

#include <glib.h>
#include <string.h>

#include "chardev/chardev.h"
#include "core/machine.h"

typedef struct Front {
    Chardev *c;
    GString *in;
    size_t room; /* what can_receive says, less what came */
    unsigned opened, closed, breaks, focused, writable;
    bool asks;    /* asks for more input while it is given some, as a command that waits does */
    bool free_it; /* frees its chardev out of the next callback */
    Chardev *owner; /* what is freed; NULL: c */
} Front;

static inline size_t front_room(void *opaque)
{
    return ((Front *)opaque)->room;
}

static inline void front_free_now(Front *f)
{
    if (f->free_it) {
        f->free_it = false;
        chardev_free(f->owner ? f->owner : f->c);
        f->c = NULL;
    }
}

static inline void front_receive(void *opaque, const uint8_t *buf, size_t bytes)
{
    Front *f = opaque;
    g_assert_cmpuint(bytes, <=, f->room);
    f->room -= bytes;
    g_string_append_len(f->in, (const char *)buf, (gssize)bytes);
    if (f->asks) {
        chardev_accept_input(f->c);
    }
    front_free_now(f);
}

static inline void front_event(void *opaque, ChardevEvent e)
{
    Front *f = opaque;
    f->opened += e == CHARDEV_OPENED;
    f->closed += e == CHARDEV_CLOSED;
    f->breaks += e == CHARDEV_BREAK;
    f->focused += e == CHARDEV_FOCUS;
    front_free_now(f);
}

static inline void front_writable(void *opaque)
{
    ((Front *)opaque)->writable++;
}

static inline void front_attach(Front *f, Chardev *c)
{
    *f = (Front){.c = c, .in = g_string_new(NULL), .room = 1 << 20};
    ChardevFront front = {front_room, front_receive, front_event, front_writable, f};
    g_assert_true(chardev_attach(c, &front, NULL));
}

static inline void front_end(Front *f)
{
    g_string_free(f->in, TRUE);
}

static inline Machine *loop_begin(void)
{
    Machine *m = machine_new("chardev", NULL);
    g_assert_nonnull(m);
    machine_lock(m);
    return m;
}

static inline void loop_end(Machine *m)
{
    chardev_free_all(m);
    machine_unlock(m);
    machine_free(m);
}

static inline void loop_turn(Machine *m)
{
    machine_unlock(m);
    machine_iterate(m, false);
    g_usleep(500);
    machine_lock(m);
}

/* Turns the loop until `what` is true; a test that waits in vain fails after some seconds. */
#define LOOP_UNTIL(m, what) \
    do { \
        for (int turns_ = 0; !(what); turns_++) { \
            g_assert_cmpint(turns_, <, 8000); \
            loop_turn(m); \
        } \
    } while (0)

static inline Chardev *open_spec(Machine *m, const char *spec)
{
    Error err = {0};
    Chardev *c = chardev_new(m, spec, &err);
    if (!c) {
        g_error("%s", err.text);
    }
    return c;
}

static inline void put(Chardev *c, const char *text)
{
    g_assert_cmpuint(chardev_write(c, text, strlen(text)), ==, strlen(text));
}

#endif
