/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames over a file descriptor: each as a datagram (tap devices, UDP, datagram sockets), or in a
 * stream behind its length as 32 bits big-endian (the form QEMU, passt and others speak).
 * Threads: machine lock held; callbacks on the main loop.
 */
#ifndef GEMEL_NET_WIRE_H
#define GEMEL_NET_WIRE_H

#include <sys/socket.h>

#include "core/machine.h"
#include "core/net.h"

enum { WIRE_QUEUE_BYTES = 4 << 20, WIRE_FRAME_BYTES = 65536 + 64 };

typedef struct Wire {
    NetPort  *port;
    int       fd;         /* -1: nobody there */
    bool      stream;
    unsigned  watch;      /* handle of the loop, 0: none */
    GByteArray *out;      /* stream: what could not be written yet */
    uint8_t   in[4 + WIRE_FRAME_BYTES];
    size_t    in_bytes;   /* stream: of a frame so far */
    /* Datagrams go to this address when it is there, else to the connected one. */
    struct sockaddr_storage to;
    socklen_t to_bytes;
    Timer     retry;      /* datagrams: the other side's queue was full */
    /* The other side went away (streams); fd is closed already. May be NULL. */
    void    (*gone)(struct Wire *w);
} Wire;

void wire_init(Wire *w, NetPort *port, bool stream);
/* Takes fd, makes it non-blocking, starts to listen to it. */
void wire_open(Wire *w, int fd);
void wire_close(Wire *w);
/* For NetPortOps.receive: a frame to the other side. false: not now, net_ready() comes. A frame to
 * nobody is dropped. */
bool wire_send(Wire *w, const struct iovec *iov, int n);

#endif
