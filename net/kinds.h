/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of net/ share: a row a kind of host network. */
#ifndef GEMEL_NET_KINDS_H
#define GEMEL_NET_KINDS_H

#include "core/machine.h"
#include "core/net.h"
#include "net/net.h"
#include "util/keyval.h"

typedef struct NetOption {
    const char *key, *arg, *help; /* key NULL ends the table */
} NetOption;

/*
 * One kind. make() reads its keys from kv (id is taken already), allocates a struct of its own that
 * begins with a NetPort, calls net_port_init() with `id` (which stays) and ops whose close() frees what
 * make() made; NULL: err.
 */
typedef struct NetKind {
    const char *name, *help;
    const NetOption *options;
    NetPort *(*make)(Machine *m, const char *id, KeyVals *kv, Error *err);
    /* user networks only */
    bool (*forward)(NetPort *p, const char *rule, bool add, Error *err);
    char *(*connections)(NetPort *p); /* malloc'd lines */
} NetKind;

extern const NetKind net_kind_user, net_kind_tap, net_kind_bridge, net_kind_socket, net_kind_stream,
    net_kind_dgram, net_kind_hubport;

/* Captures (net/dump.c), a list at each back end. */
typedef struct NetDump NetDump;
NetDump *net_dump_open(Machine *m, const char *spec, Error *err);
NetPort *net_dump_port(const NetDump *d);
NetDump *net_dump_link(NetDump *d, NetDump *next); /* d, in front of next */
void     net_dumps_close(NetDump *list);

#endif
