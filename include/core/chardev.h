/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Byte streams: what a serial port, a console or a monitor talks to. chardev/ implements the far
 * sides (stdio, pty, file, socket, pipe, null, ringbuf, mux); a front end (one at a time, unless the
 * chardev is a mux) attaches with its callbacks.
 * Threads: machine lock held for all; callbacks come on the main loop thread with it held.
 */
#ifndef GEMEL_CORE_CHARDEV_H
#define GEMEL_CORE_CHARDEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

typedef struct Machine Machine;
typedef struct Chardev Chardev;

typedef enum ChardevEvent {
    CHARDEV_OPENED, CHARDEV_CLOSED, CHARDEV_BREAK,
    CHARDEV_FOCUS /* a mux: input goes to this front end from now on */
} ChardevEvent;

/* What a front end gives. */
typedef struct ChardevFront {
    size_t (*can_receive)(void *opaque);                             /* bytes it takes now */
    void   (*receive)(void *opaque, const uint8_t *buf, size_t bytes); /* at most what can_receive said */
    void   (*event)(void *opaque, ChardevEvent e);                   /* may be NULL */
    void   (*writable)(void *opaque);                                /* after a short write; may be NULL */
    void    *opaque;
} ChardevFront;

/* Implemented by chardev/. */
typedef struct ChardevOps {
    size_t (*write)(Chardev *c, const uint8_t *buf, size_t bytes); /* bytes taken; the rest later */
    void   (*set_front)(Chardev *c, const ChardevFront *f);        /* NULL: detached */
    void   (*accept_input)(Chardev *c);                            /* can_receive may have grown */
    void   (*set_params)(Chardev *c, unsigned baud, unsigned bits, char parity, unsigned stop);
    void   (*close)(Chardev *c);
    Chardev *(*port)(Chardev *c); /* a mux: a port for one more front end; NULL: c itself is it */
} ChardevOps;
struct Chardev {
    const ChardevOps *ops;
    Machine    *machine;
    const char *id;
    const char *label;   /* for `info chardev`: "pty:/dev/pts/3" */
    bool        open;    /* a peer is there */
    bool        in_use;
    ChardevFront front;
    Chardev    *next;    /* in the machine's list */
};

/* The list of a machine, by id: chardev/ adds and removes; id and the Chardev must stay until then.
 * chardev_add() is false when the id is taken. */
bool     chardev_add(Machine *m, Chardev *c);
void     chardev_remove(Machine *m, Chardev *c);
/* What a front end (property chardev=ID, monitor) attaches to: the chardev of that id, or a new port
 * of it when it is a mux; NULL: no such id. */
Chardev *chardev_by_id(Machine *m, const char *id);
void     chardev_each(Machine *m, void (*fn)(Chardev *c, void *opaque), void *opaque);

/* Takes all bytes or drops what cannot go out now when `wait` is false; with front.writable the
 * caller gets told. c may be NULL: everything is dropped. Returns the bytes taken. */
size_t chardev_write(Chardev *c, const void *buf, size_t bytes);
bool   chardev_attach(Chardev *c, const ChardevFront *f, Error *err); /* false: in use */
void   chardev_detach(Chardev *c);
void   chardev_accept_input(Chardev *c);
/* For ops: bytes from the peer to the front; returns how many it took. */
size_t chardev_deliver(Chardev *c, const uint8_t *buf, size_t bytes);
size_t chardev_room(Chardev *c);
void   chardev_event(Chardev *c, ChardevEvent e);

#endif
