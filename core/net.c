/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets: ports, cables, and the queue of frames that a receiver could not take.
 *
 * A port's queue holds what was sent to its peer; it is bounded, and a full one drops the newest
 * frame, as a switch would. Order is kept: while anything waits, new frames wait behind it.
 */
#include <string.h>

#include "core/private.h"

enum { QUEUE_MAX_FRAMES = 1024, QUEUE_MAX_BYTES = 4 << 20 };

typedef struct NetFrame {
    struct NetFrame *next;
    size_t bytes;
    uint8_t data[];
} NetFrame;

struct NetQueue {
    NetFrame *first, **tail;
    unsigned frames;
    size_t bytes;
    bool flushing;
};

void net_port_init(NetPort *p, Machine *m, const char *id, const NetPortOps *ops, void *opaque)
{
    memset(p, 0, sizeof *p);
    p->machine = m;
    p->id = id;
    p->ops = ops;
    p->opaque = opaque;
    p->queue = g_new0(struct NetQueue, 1);
    p->queue->tail = &p->queue->first;
    g_ptr_array_add(m->p->ports, p);
}

static void queue_empty(struct NetQueue *q)
{
    while (q->first) {
        NetFrame *f = q->first;

        q->first = f->next;
        g_free(f);
    }
    q->tail = &q->first;
    q->frames = 0;
    q->bytes = 0;
}

void net_port_destroy(NetPort *p)
{
    net_disconnect(p);
    queue_empty(p->queue);
    g_free(p->queue);
    p->queue = NULL;
    g_ptr_array_remove(p->machine->p->ports, p);
}

bool net_connect(NetPort *a, NetPort *b)
{
    if (a->peer || b->peer || a == b) {
        return false;
    }
    a->peer = b;
    b->peer = a;
    return true;
}

void net_disconnect(NetPort *p)
{
    if (p->peer) {
        queue_empty(p->queue);
        queue_empty(p->peer->queue);
        p->peer->peer = NULL;
        p->peer = NULL;
    }
}

/* ---- sending ---- */

static void show_taps(NetPort *p, bool sent, const struct iovec *iov, int n)
{
    for (NetTap *t = p->taps, *next; t; t = next) {
        next = t->next;
        t->frame(t, sent, iov, n);
    }
}

static bool deliver(NetPort *p, const struct iovec *iov, int n)
{
    NetPort *to = p->peer;

    if (to->ops->can_receive && !to->ops->can_receive(to)) {
        return false;
    }
    return to->ops->receive(to, iov, n);
}

static void enqueue(struct NetQueue *q, const struct iovec *iov, int n, size_t bytes)
{
    NetFrame *f;
    size_t at = 0;

    if (q->frames == QUEUE_MAX_FRAMES || q->bytes + bytes > QUEUE_MAX_BYTES) {
        return;
    }
    f = g_malloc(sizeof *f + bytes);
    f->next = NULL;
    f->bytes = bytes;
    for (int i = 0; i < n; i++) {
        memcpy(f->data + at, iov[i].iov_base, iov[i].iov_len);
        at += iov[i].iov_len;
    }
    *q->tail = f;
    q->tail = &f->next;
    q->frames++;
    q->bytes += bytes;
}

void net_send(NetPort *p, const struct iovec *iov, int n)
{
    struct NetQueue *q = p->queue;
    size_t bytes = 0;

    for (int i = 0; i < n; i++) {
        bytes += iov[i].iov_len;
    }
    if (!bytes || bytes > NET_MAX_BYTES || p->link_down) {
        return;
    }
    show_taps(p, true, iov, n);
    if (!p->peer || p->peer->link_down) {
        return;
    }
    show_taps(p->peer, false, iov, n);
    /* A receiver that answers at once (flushing) must not overtake what it is just being given. */
    if (q->first || q->flushing || !deliver(p, iov, n)) {
        enqueue(q, iov, n, bytes);
    }
}

void net_send_buf(NetPort *p, const void *buf, size_t bytes)
{
    struct iovec iov = {(void *)buf, bytes};

    net_send(p, &iov, 1);
}

/* While a frame is being delivered it is off the queue, which the receiver may empty (reset, link
 * down, disconnect). */
static NetFrame *queue_pop(struct NetQueue *q)
{
    NetFrame *f = q->first;

    q->first = f->next;
    if (!q->first) {
        q->tail = &q->first;
    }
    q->frames--;
    q->bytes -= f->bytes;
    return f;
}

static void queue_unpop(struct NetQueue *q, NetFrame *f)
{
    f->next = q->first;
    if (!q->first) {
        q->tail = &f->next;
    }
    q->first = f;
    q->frames++;
    q->bytes += f->bytes;
}

/* The peer of the ready port goes on with its queue. */
static void flush(NetPort *from)
{
    struct NetQueue *q = from->queue;

    if (q->flushing) {
        return;
    }
    q->flushing = true;
    while (q->first && from->peer) {
        NetFrame *f = queue_pop(q);
        struct iovec iov = {f->data, f->bytes};
        bool taken = deliver(from, &iov, 1);

        if (!taken && from->peer) {
            queue_unpop(q, f);
            break;
        }
        g_free(f);
    }
    q->flushing = false;
}

void net_ready(NetPort *p)
{
    if (p->peer) {
        flush(p->peer);
    }
}

bool net_can_send(NetPort *p)
{
    NetPort *to = p->peer;

    if (!to || p->link_down || to->link_down) {
        return true; /* it is dropped: no reason to wait */
    }
    return !p->queue->first && (!to->ops->can_receive || to->ops->can_receive(to));
}

void net_set_link(NetPort *p, bool up)
{
    if (p->link_down != up) {
        return;
    }
    p->link_down = !up;
    if (!up) {
        queue_empty(p->queue);
    }
    if (p->ops->link_changed) {
        p->ops->link_changed(p);
    }
    if (p->peer && p->peer->ops->link_changed) {
        p->peer->ops->link_changed(p->peer);
    }
}

/* ---- captures and lists ---- */

void net_tap_add(NetPort *p, NetTap *t)
{
    t->next = p->taps;
    p->taps = t;
}

void net_tap_remove(NetPort *p, NetTap *t)
{
    for (NetTap **at = &p->taps; *at; at = &(*at)->next) {
        if (*at == t) {
            *at = t->next;
            return;
        }
    }
}

NetPort *net_by_id(Machine *m, const char *id)
{
    for (guint i = 0; i < m->p->ports->len; i++) {
        NetPort *p = g_ptr_array_index(m->p->ports, i);

        if (p->id && !strcmp(p->id, id)) {
            return p;
        }
    }
    return NULL;
}

void net_each(Machine *m, void (*fn)(NetPort *p, void *opaque), void *opaque)
{
    for (guint i = 0; i < m->p->ports->len; i++) {
        fn(g_ptr_array_index(m->p->ports, i), opaque);
    }
}

void net_new_mac(Machine *m, uint8_t mac[6])
{
    unsigned last = 0x56 + m->p->next_mac++; /* counts on from 52:54:00:12:34:56 */

    mac[0] = 0x52;
    mac[1] = 0x54;
    mac[2] = 0x00;
    mac[3] = 0x12;
    mac[4] = (uint8_t)(0x34 + (last >> 8));
    mac[5] = (uint8_t)last;
}
