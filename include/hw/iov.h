/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Vectors of guest memory (from dma_map(), in virtio elements and USB transfers). */
#ifndef GEMEL_HW_IOV_H
#define GEMEL_HW_IOV_H

#include <stddef.h>
#include <sys/uio.h>

/* Copies between a vector, from `offset` on, and a buffer; return the bytes copied. */
size_t iov_to_buf(const struct iovec *iov, unsigned n, size_t offset, void *buf, size_t bytes);
size_t iov_from_buf(const struct iovec *iov, unsigned n, size_t offset, const void *buf, size_t bytes);
/* dst[0..] = the part [offset, offset + bytes) of iov; at most max entries; returns how many. */
unsigned iov_slice(struct iovec *dst, unsigned max, const struct iovec *iov, unsigned n, size_t offset,
                   size_t bytes);

#endif
