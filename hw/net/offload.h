/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a NIC does to frames on the way out and in: Internet checksums (RFC 1071) and cutting large TCP
 * frames into segments. Machine lock held.
 */
#ifndef GEMEL_HW_NET_OFFLOAD_H
#define GEMEL_HW_NET_OFFLOAD_H

#include "core/net.h"

/* What the driver asked for with a frame. Zeroed: send it as it is. */
typedef struct NetOffload {
    bool     checksum;        /* sum from checksum_start on, stored at checksum_start + checksum_offset */
    uint16_t checksum_start, checksum_offset;
    uint16_t segment_bytes;   /* TCP payload of a segment; 0: do not cut */
} NetOffload;

/* Sends the frame, or its segments, to p's peer. What makes no sense is dropped: false. */
bool net_offload_send(NetPort *p, const struct iovec *iov, unsigned n, const NetOffload *o);

/* Internet checksum of bytes, not complemented, continuing from sum. */
uint32_t net_sum(const uint8_t *p, size_t bytes, uint32_t sum);
/* Folded and complemented, in the order it is stored (store_be16). */
uint16_t net_sum_finish(uint32_t sum);

/* What a look at a frame tells. */
typedef struct NetFrameInfo {
    unsigned l3, l4;        /* offsets; 0: not there */
    bool     ipv4, ipv6, fragment, tcp, udp;
    bool     ip_ok, l4_ok;  /* checksums are right */
} NetFrameInfo;
/* frame: at least the whole headers; checksums are looked at when check. */
void net_frame_look(const uint8_t *frame, size_t bytes, bool check, NetFrameInfo *info);

#endif
