/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -object filter-dump: the frames of a network into a file that Wireshark and tcpdump read. Source:
 * the libpcap file format (draft-ietf-opsawg-pcap), microseconds, link type Ethernet.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/kinds.h"

enum { PCAP_MAGIC = 0xa1b2c3d4, LINK_ETHERNET = 1, DEFAULT_MAX = 65536 };

struct NetDump {
    NetTap tap; /* must be first */
    NetPort *port;
    FILE *file;
    uint32_t max;
    struct NetDump *next;
};

static bool put(FILE *f, const uint32_t *words, size_t n)
{
    return fwrite(words, sizeof *words, n, f) == n;
}

static void dump_frame(NetTap *t, bool sent, const struct iovec *iov, int n)
{
    struct NetDump *d = (struct NetDump *)t;
    int64_t ns = clock_ns(d->port->machine, CLOCK_WALL);
    uint32_t bytes = 0, left;

    (void)sent;
    for (int i = 0; i < n; i++) {
        bytes += (uint32_t)iov[i].iov_len;
    }
    left = MIN(bytes, d->max);
    if (!put(d->file,
             (uint32_t[]){(uint32_t)(ns / 1000000000), (uint32_t)(ns % 1000000000 / 1000), left,
                          bytes},
             4)) {
        return; /* the disk is full: a capture is not worth stopping a guest */
    }
    for (int i = 0; i < n && left; i++) {
        size_t part = MIN(iov[i].iov_len, left);

        if (fwrite(iov[i].iov_base, 1, part, d->file) != part) {
            return;
        }
        left -= (uint32_t)part;
    }
    fflush(d->file);
}

static bool dump_open(Machine *m, KeyVals *kv, NetDump **out, Error *err)
{
    const char *type = keyvals_get(kv, "qom-type"), *netdev = keyvals_get(kv, "netdev");
    const char *path = keyvals_get(kv, "file");
    NetPort *port = netdev ? net_by_id(m, netdev) : NULL;
    uint64_t max = DEFAULT_MAX;
    NetDump *d;
    int fd;

    (void)keyvals_get(kv, "id");
    if (!keyvals_u64(kv, "maxlen", &max, err) || !keyvals_finish(kv, err)) {
        return false;
    }
    if (!type || strcmp(type, "filter-dump")) {
        return error_set(err, "'%s' is no capture; use filter-dump", type ? type : "");
    }
    if (!port || !path) {
        return error_set(err,
                         netdev && !port ? "netdev=%s: no such -netdev"
                                         : "filter-dump: netdev= and file= are needed",
                         netdev);
    }
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) {
        return error_set_errno(err, "file=%s", path);
    }
    d = g_new0(NetDump, 1);
    d->tap.frame = dump_frame;
    d->port = port;
    d->file = fdopen(fd, "wb");
    d->max = (uint32_t)MIN(max, NET_MAX_BYTES);
    put(d->file, (uint32_t[]){PCAP_MAGIC, 2 | 4 << 16, 0, 0, d->max, LINK_ETHERNET}, 6);
    net_tap_add(port, &d->tap);
    *out = d;
    return true;
}

NetDump *net_dump_open(Machine *m, const char *spec, Error *err)
{
    KeyVals kv;
    NetDump *d = NULL;

    if (keyvals_parse(&kv, spec, "qom-type", err)) {
        dump_open(m, &kv, &d, err);
    }
    keyvals_free(&kv);
    return d;
}

NetPort *net_dump_port(const NetDump *d)
{
    return d->port;
}

NetDump *net_dump_link(NetDump *d, NetDump *next)
{
    d->next = next;
    return d;
}

void net_dumps_close(NetDump *list)
{
    while (list) {
        NetDump *d = list;

        list = d->next;
        net_tap_remove(d->port, &d->tap);
        fclose(d->file);
        g_free(d);
    }
}
