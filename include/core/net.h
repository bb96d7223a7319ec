/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets: a NIC and a host network (slirp, tap, socket) are two NetPorts joined by a cable; hubs and
 * captures sit between. Ethernet frames without FCS, at most NET_MAX_BYTES.
 * Threads: machine lock held for all.
 */
#ifndef GEMEL_CORE_NET_H
#define GEMEL_CORE_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

typedef struct Machine Machine;
typedef struct NetPort NetPort;

enum { NET_MAX_BYTES = 65536 + 64 };

typedef struct NetPortOps {
    bool (*can_receive)(NetPort *p);                 /* NULL: always */
    /* A frame from the peer; false: not now (the sender queues it and is told by net_ready()). */
    bool (*receive)(NetPort *p, const struct iovec *iov, int n);
    void (*link_changed)(NetPort *p);                /* may be NULL */
    void (*close)(NetPort *p);                       /* may be NULL */
} NetPortOps;

struct NetPort {
    const NetPortOps *ops;
    Machine    *machine;
    const char *id;       /* of -netdev, or the NIC's */
    char        info[128]; /* one line for `info network` */
    NetPort    *peer;
    bool        link_down;
    bool        takes_big_tcp; /* TCP frames up to 64 KiB, checksums filled, need not be cut for it */
    void       *opaque;
    struct NetQueue *queue; /* frames that the peer could not take yet; bounded, oldest kept */
    struct NetTap *taps;    /* captures */
};

void net_port_init(NetPort *p, Machine *m, const char *id, const NetPortOps *ops, void *opaque);
void net_port_destroy(NetPort *p);
bool net_connect(NetPort *a, NetPort *b);  /* false: one is connected already */
void net_disconnect(NetPort *p);
/* To the peer. Dropped when there is none or the link is down; queued when it is not ready. */
void net_send(NetPort *p, const struct iovec *iov, int n);
void net_send_buf(NetPort *p, const void *buf, size_t bytes);
/* p can receive again: its peer's queue goes on. */
void net_ready(NetPort *p);
/* Is the peer able to take a frame now? NICs may stop fetching descriptors when not. */
bool net_can_send(NetPort *p);
void net_set_link(NetPort *p, bool up);

/* A capture sees frames in both directions. */
typedef struct NetTap {
    void (*frame)(struct NetTap *t, bool sent, const struct iovec *iov, int n);
    void  *opaque;
    struct NetTap *next;
} NetTap;
void net_tap_add(NetPort *p, NetTap *t);
void net_tap_remove(NetPort *p, NetTap *t);

/* Finds a -netdev by id; all ports for `info network`. */
NetPort *net_by_id(Machine *m, const char *id);
void     net_each(Machine *m, void (*fn)(NetPort *p, void *opaque), void *opaque);
/* A locally administered address nobody of this machine has yet: 52:54:00:12:34:56 first. */
void     net_new_mac(Machine *m, uint8_t mac[6]);

#endif
