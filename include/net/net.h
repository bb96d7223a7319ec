/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Networks of the host behind a NetPort: -netdev TYPE,id=ID,key=value. What a NIC does with one is in
 * core/net.h.
 *
 * user (libslirp), tap, bridge, socket, stream, dgram, hubport. Servers listen on loopback unless a
 * host is given. Threads: machine lock held for all; callbacks come on the main loop thread.
 */
#ifndef GEMEL_NET_NET_H
#define GEMEL_NET_NET_H

#include <stdbool.h>
#include <stdio.h>

#include "core/net.h"
#include "util/error.h"

/* spec: "user,id=net0,hostfwd=tcp::2222-:22". The port is found by net_by_id() from then on. false: err
 * names the type or key that is wrong, with the nearest, or what the host lacks and how to put that
 * right. */
bool net_backend_new(Machine *m, const char *spec, Error *err);
/* Is that type built in? */
bool net_backend_available(const char *type);
void net_backend_free(Machine *m, const char *id);
void net_backend_free_all(Machine *m);
/* Copies every frame of network `netdev` to a pcap file: -object filter-dump. */
bool net_dump_start(Machine *m, const char *netdev, const char *file, uint32_t max_bytes, Error *err);
/* Monitor: hostfwd_add, hostfwd_remove; rule "tcp:127.0.0.1:2222-:22". id NULL: the first user network. */
bool net_user_forward(Machine *m, const char *id, const char *rule, bool add, Error *err);
/* One type's keys; false: no such type. type NULL: the list of types. */
bool net_print_help(const char *type, FILE *f);

#endif
