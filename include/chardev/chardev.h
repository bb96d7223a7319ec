/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The far ends of byte streams: -chardev BACKEND,id=ID,key=value and the short forms of -serial,
 * -monitor and -qmp. What a front end does with one is in core/chardev.h.
 *
 * Sockets listen on 127.0.0.1 unless a host is given. A peer that is not there swallows what is
 * written; a slow one is buffered for (64 KiB), then the writer sees short writes.
 * Threads: machine lock held for all.
 */
#ifndef GEMEL_CHARDEV_CHARDEV_H
#define GEMEL_CHARDEV_CHARDEV_H

#include <stdio.h>

#include "core/chardev.h"

/* spec: "socket,id=ser0,path=/tmp/s,server=on,wait=off". The result is in the machine's list under
 * its id; with mux=on it is the mux. NULL: err names option, key and the nearest valid one. */
Chardev *chardev_new(Machine *m, const char *spec, Error *err);

/*
 * The short forms: stdio, mon:FORM (a mux with escape keys), pty, file:PATH, pipe:PATH,
 * unix:PATH[,server=on|off,wait=on|off], tcp:HOST:PORT[,...], telnet:HOST:PORT[,...],
 * udp:HOST:PORT[@LOCALHOST:PORT], null, ringbuf, chardev:ID, /dev/..., none (NULL without an error).
 * id: for the list, when the form makes a new one. NULL with err set: what is wrong.
 */
Chardev *chardev_new_short(Machine *m, const char *form, const char *id, Error *err);

/* Detaches its front end, closes it, takes it out of the list, frees it (what a callback of its front
 * end still needs, when that returns). A mux goes with its ports and what is below. */
void chardev_free(Chardev *c);
/* All of a machine; restores terminals. */
void chardev_free_all(Machine *m);

/* A mux above `below` (taken over): its ports share one stream. Input goes to the port in focus;
 * Ctrl-A is the escape key: x quits, c gives the focus to the next port, s commits snapshots to
 * their disks, b sends a break, t toggles time stamps, h or ? shows this, Ctrl-A sends itself. */
Chardev *chardev_mux_new(Machine *m, const char *id, Chardev *below, Error *err);
bool     chardev_is_mux(const Chardev *c);
bool     chardev_is_mux_port(const Chardev *c);
/* A port for one more front end. The first one has the focus. NULL: MUX_MAX_PORTS are there. */
Chardev *chardev_mux_port(Chardev *mux);
void     chardev_mux_focus(Chardev *mux, unsigned port);
/* What Ctrl-A s does. */
void     chardev_mux_on_commit(Chardev *mux, void (*fn)(void *opaque), void *opaque);
enum { MUX_MAX_PORTS = 8 };

/* Takes up to `bytes` of what was written to a ringbuf; 0 also for other kinds. */
size_t   chardev_ringbuf_read(Chardev *c, uint8_t *buf, size_t bytes);
bool     chardev_is_ringbuf(const Chardev *c);
/* As if the peer had sent it (monitor: ringbuf_write). */
size_t   chardev_ringbuf_inject(Chardev *c, const uint8_t *buf, size_t bytes);

/* -chardev help, or one backend's options; false: no such backend. */
bool chardev_print_help(const char *backend, FILE *f);

#endif
