/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Host networks: what stands behind -netdev. Each kind is a row of a table in net/net.c with its
 * options; a back end is a NetPort (core/net.h) that a NIC's property netdev=ID connects to.
 */
#ifndef GEMEL_NET_NET_H
#define GEMEL_NET_NET_H

#include <stdbool.h>
#include <stdio.h>

#include "util/error.h"

typedef struct Machine Machine;

/*
 * Creates what `spec` says: "user,id=n0,hostfwd=tcp::2222-:22", "tap,id=n0,ifname=tap0",
 * "hubport,id=p0,hubid=0", ... (without "-netdev "). Machine lock held. false: err names the nearest
 * kind or option.
 */
bool net_backend_new(Machine *m, const char *spec, Error *err);
/* One back end, by id; its NIC goes on with nobody there. false: no such id. */
bool net_backend_delete(Machine *m, const char *id, Error *err);
/* All; after the devices are gone, before machine_free(). Machine lock held. */
void net_backends_free(Machine *m);

/* -object filter-dump,id=f0,netdev=n0,file=x.pcap[,maxlen=N]: frames in both directions. */
bool net_dump_new(Machine *m, const char *spec, Error *err);

/* hostfwd_add and hostfwd_remove of the monitor: rule as after hostfwd=, "tcp::2222-:22". id NULL:
 * the first user network. */
bool net_hostfwd_add(Machine *m, const char *id, const char *rule, Error *err);
bool net_hostfwd_remove(Machine *m, const char *id, const char *rule, Error *err);
/* Connections of user networks, for `info usernet`. */
void net_print_user(Machine *m, void (*print)(void *opaque, const char *line), void *opaque);

/* -netdev help: kinds and their options. */
void net_print_help(FILE *f);

#endif
