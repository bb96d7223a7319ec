/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Byte streams: the list of a machine, and the seam between a front end and a far side. */
#include <string.h>

#include "core/private.h"

bool chardev_add(Machine *m, Chardev *c)
{
    Chardev **tail = &m->p->chardevs;

    for (; *tail; tail = &(*tail)->next) {
        if (!strcmp((*tail)->id, c->id)) {
            return false;
        }
    }
    c->machine = m;
    c->next = NULL;
    *tail = c;
    return true;
}

void chardev_remove(Machine *m, Chardev *c)
{
    for (Chardev **at = &m->p->chardevs; *at; at = &(*at)->next) {
        if (*at == c) {
            *at = c->next;
            c->next = NULL;
            return;
        }
    }
}

Chardev *chardev_by_id(Machine *m, const char *id)
{
    for (Chardev *c = m->p->chardevs; c; c = c->next) {
        if (!strcmp(c->id, id)) {
            return c->ops->port ? c->ops->port(c) : c;
        }
    }
    return NULL;
}

void chardev_each(Machine *m, void (*fn)(Chardev *c, void *opaque), void *opaque)
{
    for (Chardev *c = m->p->chardevs, *next; c; c = next) {
        next = c->next;
        fn(c, opaque);
    }
}

size_t chardev_write(Chardev *c, const void *buf, size_t bytes)
{
    return c && c->ops->write ? c->ops->write(c, buf, bytes) : bytes;
}

bool chardev_attach(Chardev *c, const ChardevFront *f, Error *err)
{
    if (c->in_use) {
        return error_set(err, "chardev '%s' has a user already (a mux takes several: mux=on)",
                         c->id);
    }
    c->in_use = true;
    c->front = *f;
    if (c->ops->set_front) {
        c->ops->set_front(c, f);
    }
    return true;
}

void chardev_detach(Chardev *c)
{
    if (!c || !c->in_use) {
        return;
    }
    c->in_use = false;
    c->front = (ChardevFront){0};
    if (c->ops->set_front) {
        c->ops->set_front(c, NULL);
    }
}

void chardev_accept_input(Chardev *c)
{
    if (c && c->ops->accept_input) {
        c->ops->accept_input(c);
    }
}

size_t chardev_room(Chardev *c)
{
    if (!c->in_use || !c->front.receive) {
        return 0;
    }
    return c->front.can_receive ? c->front.can_receive(c->front.opaque) : SIZE_MAX;
}

size_t chardev_deliver(Chardev *c, const uint8_t *buf, size_t bytes)
{
    size_t done = 0, room;

    while (done < bytes && (room = chardev_room(c)) > 0) {
        size_t n = MIN(room, bytes - done);

        c->front.receive(c->front.opaque, buf + done, n);
        done += n;
    }
    return done;
}

void chardev_event(Chardev *c, ChardevEvent e)
{
    if (e == CHARDEV_OPENED) {
        c->open = true;
    } else if (e == CHARDEV_CLOSED) {
        c->open = false;
    }
    if (c->in_use && c->front.event) {
        c->front.event(c->front.opaque, e);
    }
}
