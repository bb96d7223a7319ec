/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checksum and TCP segmentation for NICs.
 *
 * Sources: RFC 791, 793, 768, 8200 (headers), RFC 1071 (checksum). Ethernet II frames with up to
 * two VLAN tags. IPv6 extension headers are not followed: such a frame counts as neither TCP nor
 * UDP.
 */
#include "offload.h"

#include <string.h>

#include "util/bits.h"

enum {
    ETH_BYTES = 14,
    TYPE_IPV4 = 0x0800,
    TYPE_IPV6 = 0x86dd,
    TYPE_VLAN = 0x8100,
    TYPE_QINQ = 0x88a8,
    PROTO_TCP = 6,
    PROTO_UDP = 17,
    IPV6_BYTES = 40,
    TCP_BYTES = 20,
    TCP_FIN_PSH = 0x09,
    TCP_CWR = 0x80,
    SEGMENT_MAX_BYTES = 16384, /* of a frame that leaves */
    SEGMENT_MIN_BYTES = 88     /* of payload: below, a driver only wastes time */
};

uint32_t net_sum(const uint8_t *p, size_t bytes, uint32_t sum)
{
    uint64_t s = sum;

    for (; bytes >= 4; p += 4, bytes -= 4) {
        s += load_be32(p);
    }
    if (bytes >= 2) {
        s += load_be16(p);
        p += 2;
        bytes -= 2;
    }
    if (bytes) {
        s += (uint64_t)p[0] << 8;
    }
    /* 2^16 = 1 modulo 2^16 - 1: halves may be folded at will, but not the position of a byte. */
    s = (s >> 32) + (s & UINT32_MAX);
    s = (s >> 32) + (s & UINT32_MAX);
    return (uint32_t)((s >> 16) + (s & 0xffff));
}

uint16_t net_sum_finish(uint32_t sum)
{
    while (sum >> 16) {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    return (uint16_t)~sum;
}

/* ---- a look at a frame */

static uint32_t pseudo_sum(const uint8_t *frame, const NetFrameInfo *i, size_t l4_bytes)
{
    const uint8_t *ip = frame + i->l3;
    uint32_t sum = (i->tcp ? PROTO_TCP : PROTO_UDP) + (uint32_t)l4_bytes;

    return i->ipv4 ? net_sum(ip + 12, 8, sum) : net_sum(ip + 8, 32, sum);
}

/* The length the IP header gives; at most what is there. */
static size_t l4_length(const uint8_t *frame, size_t bytes, const NetFrameInfo *i)
{
    const uint8_t *ip = frame + i->l3;
    size_t end = i->ipv4 ? i->l3 + load_be16(ip + 2) : i->l3 + IPV6_BYTES + load_be16(ip + 4);

    end = end < bytes ? end : bytes;
    return end > i->l4 ? end - i->l4 : 0;
}

static void look_l4(const uint8_t *frame, size_t bytes, uint8_t proto, bool check, NetFrameInfo *i)
{
    size_t need = proto == PROTO_TCP ? TCP_BYTES : 8;

    if ((proto != PROTO_TCP && proto != PROTO_UDP) || i->fragment || bytes < i->l4 + need) {
        return;
    }
    i->tcp = proto == PROTO_TCP;
    i->udp = proto == PROTO_UDP;
    if (check) {
        size_t len = l4_length(frame, bytes, i);
        bool none = i->udp && i->ipv4 && !load_be16(frame + i->l4 + 6);
        i->l4_ok = none || (len >= need && net_sum_finish(net_sum(frame + i->l4, len,
                                                                  pseudo_sum(frame, i, len))) == 0);
    }
}

void net_frame_look(const uint8_t *frame, size_t bytes, bool check, NetFrameInfo *i)
{
    unsigned at = ETH_BYTES;

    *i = (NetFrameInfo){0};
    for (unsigned tags = 0; tags < 2 && bytes >= at + 4; tags++) {
        uint16_t type = load_be16(frame + at - 2);
        at += type == TYPE_VLAN || type == TYPE_QINQ ? 4 : 0;
    }
    if (bytes < at + 20u) {
        return;
    }
    uint16_t type = load_be16(frame + at - 2);
    const uint8_t *ip = frame + at;
    if (type == TYPE_IPV4 && ip[0] >> 4 == 4 && (ip[0] & 15) >= 5 &&
        bytes >= at + 4u * (ip[0] & 15)) {
        i->l3 = at;
        i->ipv4 = true;
        i->l4 = at + 4u * (ip[0] & 15);
        i->fragment = load_be16(ip + 6) & 0x3fff;
        i->ip_ok = check && net_sum_finish(net_sum(ip, i->l4 - at, 0)) == 0;
        look_l4(frame, bytes, ip[9], check, i);
    } else if (type == TYPE_IPV6 && ip[0] >> 4 == 6 && bytes >= at + IPV6_BYTES) {
        i->l3 = at;
        i->ipv6 = true;
        i->l4 = at + IPV6_BYTES;
        look_l4(frame, bytes, ip[6], check, i);
    }
}

/* ---- sending */

/* The driver left the pseudo header's sum in the field: summing over it includes that. */
static bool fill_checksum(uint8_t *frame, size_t bytes, const NetOffload *o)
{
    size_t field = (size_t)o->checksum_start + o->checksum_offset;

    if (o->checksum_start >= bytes || field + 2 > bytes) {
        return false;
    }
    uint16_t sum = net_sum_finish(net_sum(frame + o->checksum_start, bytes - o->checksum_start, 0));
    store_be16(frame + field, sum ? sum : 0xffff);
    return true;
}

/* Headers of the segment at payload offset `at`, `len` bytes of payload, in place of head's. */
static void segment_headers(uint8_t *seg, const NetFrameInfo *i, size_t head, size_t at, size_t len,
                            bool first, bool last)
{
    uint8_t *ip = seg + i->l3, *tcp = seg + i->l4;
    size_t l4_bytes = head - i->l4 + len;

    if (i->ipv4) {
        store_be16(ip + 2, (uint16_t)(i->l4 - i->l3 + l4_bytes));
        store_be16(ip + 10, 0);
        store_be16(ip + 10, net_sum_finish(net_sum(ip, i->l4 - i->l3, 0)));
    } else {
        store_be16(ip + 4, (uint16_t)l4_bytes);
    }
    store_be32(tcp + 4, load_be32(tcp + 4) + (uint32_t)at);
    if (!first) {
        tcp[13] &= (uint8_t)~TCP_CWR;
    }
    if (!last) {
        tcp[13] &= (uint8_t)~TCP_FIN_PSH;
    }
    store_be16(tcp + 16, 0);
    store_be16(tcp + 16, net_sum_finish(net_sum(tcp, l4_bytes, pseudo_sum(seg, i, l4_bytes))));
}

/* Cut, or whole to a peer that ends TCP itself: one acknowledgement and one host call for many. */
static bool send_segments(NetPort *p, uint8_t *frame, size_t bytes, unsigned segment_bytes)
{
    uint8_t seg[SEGMENT_MAX_BYTES];
    NetFrameInfo i;

    net_frame_look(frame, bytes, false, &i);
    if (!i.tcp) {
        return false;
    }
    size_t head = i.l4 + 4u * (frame[i.l4 + 12] >> 4);
    if (head < i.l4 + TCP_BYTES || head > bytes || segment_bytes < SEGMENT_MIN_BYTES ||
        head + segment_bytes > sizeof seg) {
        return false;
    }
    if (p->peer && p->peer->takes_big_tcp && bytes - i.l3 <= UINT16_MAX) {
        segment_headers(frame, &i, head, 0, bytes - head, true, true);
        net_send_buf(p, frame, bytes);
        return true;
    }
    uint16_t id = i.ipv4 ? load_be16(frame + i.l3 + 4) : 0;
    for (size_t at = 0; at < bytes - head || at == 0; at += segment_bytes) {
        size_t left = bytes - head - at, len = left < segment_bytes ? left : segment_bytes;
        memcpy(seg, frame, head);
        memcpy(seg + head, frame + head + at, len);
        if (i.ipv4) {
            store_be16(seg + i.l3 + 4, id++);
        }
        segment_headers(seg, &i, head, at, len, at == 0, len == left);
        net_send_buf(p, seg, head + len);
    }
    return true;
}

bool net_offload_send(NetPort *p, const struct iovec *iov, unsigned n, const NetOffload *o)
{
    uint8_t frame[NET_MAX_BYTES];
    size_t bytes = 0;

    for (unsigned i = 0; i < n; i++) {
        bytes += iov[i].iov_len;
    }
    if (bytes < ETH_BYTES || bytes > sizeof frame) {
        return false;
    }
    if (!o->checksum && !o->segment_bytes) {
        net_send(p, iov, (int)n);
        return true;
    }
    bytes = 0;
    for (unsigned i = 0; i < n; i++) {
        memcpy(frame + bytes, iov[i].iov_base, iov[i].iov_len);
        bytes += iov[i].iov_len;
    }
    if (o->segment_bytes) {
        return send_segments(p, frame, bytes, o->segment_bytes);
    }
    if (!fill_checksum(frame, bytes, o)) {
        return false;
    }
    net_send_buf(p, frame, bytes);
    return true;
}
