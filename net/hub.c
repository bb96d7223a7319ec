/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -netdev hubport: a port of a hub, which sends what comes in out of all its other ports. */
#include <stdlib.h>
#include <string.h>

#include "net/kinds.h"

typedef struct HubPort {
    NetPort port; /* must be first */
    uint32_t hub;
} HubPort;

typedef struct Copy {
    const HubPort *from;
    const struct iovec *iov;
    int n;
} Copy;

static bool hub_receive(NetPort *p, const struct iovec *iov, int n);
static void hub_close(NetPort *p)
{
    net_port_destroy(p);
    g_free(p);
}

static const NetPortOps hub_ops = {.receive = hub_receive, .close = hub_close};

static void copy_to(NetPort *p, void *opaque)
{
    const Copy *c = opaque;

    if (p->ops == &hub_ops && p != &c->from->port && ((HubPort *)p)->hub == c->from->hub) {
        net_send(p, c->iov, c->n);
    }
}

static bool hub_receive(NetPort *p, const struct iovec *iov, int n)
{
    Copy c = {(HubPort *)p, iov, n};

    net_each(p->machine, copy_to, &c);
    return true;
}

static NetPort *hub_make(Machine *m, const char *id, KeyVals *kv, Error *err)
{
    const char *other = keyvals_get(kv, "netdev");
    uint64_t hub = 0;
    NetPort *peer = NULL;
    HubPort *p;

    if (!keyvals_u64(kv, "hubid", &hub, err) || !keyvals_finish(kv, err)) {
        return NULL;
    }
    if (hub > UINT32_MAX) {
        error_set(err, "hubid: at most 4294967295");
        return NULL;
    }
    if (other && (!(peer = net_by_id(m, other)) || peer->peer)) {
        error_set(err, peer ? "netdev=%s: connected already" : "netdev=%s: no such -netdev", other);
        return NULL;
    }
    p = g_new0(HubPort, 1);
    net_port_init(&p->port, m, id, &hub_ops, p);
    p->hub = (uint32_t)hub;
    snprintf(p->port.info, sizeof p->port.info, "hubport,hubid=%u", p->hub);
    if (peer) {
        net_connect(&p->port, peer);
    }
    return &p->port;
}

static const NetOption options[] = {{"hubid", "N", "the hub's number (0)"},
                                    {"netdev", "id", "a network to plug into this port"},
                                    {NULL, NULL, NULL}};

const NetKind net_kind_hubport = {
    .name = "hubport", .help = "a port of a hub", .options = options, .make = hub_make};
