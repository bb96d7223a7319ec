/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory balloon, for the monitor (`balloon`, `info balloon`). Machine lock held. */
#ifndef GEMEL_HW_BALLOON_H
#define GEMEL_HW_BALLOON_H

#include "core/device.h"

typedef struct BalloonInfo {
    uint64_t ram_bytes;    /* what the machine has */
    uint64_t actual_bytes; /* what the guest keeps: ram minus balloon */
    uint64_t target_bytes;
    /* The guest's last report; all ones: it said nothing of it. */
    uint64_t free_bytes, total_bytes, available_bytes, disk_cache_bytes;
} BalloonInfo;

/* Asks the guest to keep `bytes` of RAM. false: no balloon device, or more than there is. */
bool balloon_set_target(Machine *m, uint64_t bytes, Error *err);
/* false: no balloon device. Also asks the guest for a new report, for the next call. */
bool balloon_info(Machine *m, BalloonInfo *info, Error *err);

#endif
