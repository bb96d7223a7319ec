/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules of hostfwd= and guestfwd= as text. */
#ifndef GEMEL_SLIRP_GLUE_FORWARD_H
#define GEMEL_SLIRP_GLUE_FORWARD_H

#include <netinet/in.h>
#include <stdbool.h>

#include "util/error.h"

typedef struct HostForward {
    bool           udp;
    struct in_addr host, guest; /* guest 0.0.0.0: the first DHCP address */
    unsigned       host_port, guest_port;
} HostForward;

/* "[tcp|udp]:[HOST]:PORT-[GUEST]:PORT". No host address: 127.0.0.1. `remove`: only the part in front
 * of '-' is needed. */
bool forward_parse(const char *text, bool remove, HostForward *f, Error *err);

typedef struct GuestForward {
    struct in_addr server;
    unsigned       port;
    char           target[512]; /* "cmd:PROGRAM ARGS" or "unix:PATH" */
} GuestForward;

/* "[tcp]:SERVER:PORT-cmd:COMMAND" or "...-unix:PATH". */
bool guest_forward_parse(const char *text, GuestForward *f, Error *err);

#endif
