/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Saved machines: savevm, loadvm, -loadvm, and states in plain files.
 *
 * The state is a stream of core/state.h (sections from the device tables, CPUs, and RAM, which
 * migration_init() adds). It goes into the VM-state area of an internal snapshot (the caller gives a
 * SnapshotStore over block/snapshot.h, which this room must not know) or into a file.
 *
 * Loading first reads the whole stream and checks it: a truncated, damaged or foreign one (board, RAM
 * size, devices) is refused and the machine goes on as it was. A state whose checksums are right but
 * whose contents a device refuses resets the machine; err says so.
 *
 * Threads: main loop thread, machine lock not held. vCPUs are stopped meanwhile and started again
 * when the machine was running.
 */
#ifndef GEMEL_MIGRATION_MIGRATION_H
#define GEMEL_MIGRATION_MIGRATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

typedef struct Machine Machine;
typedef struct Migration Migration;

/* Adds the RAM section to m. Once, after the RAM is there; free it before the machine. */
Migration *migration_init(Machine *m);
void       migration_free(Migration *g);

/* Where bytes of a state go or come from, in order. false: err is set. */
typedef struct StateSink {
    bool (*write)(void *opaque, const void *buf, size_t bytes, Error *err);
    void  *opaque;
} StateSink;
typedef struct StateSource {
    /* Exactly `bytes` at `offset`; false beyond the end. */
    bool   (*read)(void *opaque, uint64_t offset, void *buf, size_t bytes, Error *err);
    void    *opaque;
    uint64_t bytes;  /* of the whole state */
} StateSource;

/* The machine's state as it is now. between: runs after the last byte and before the guest goes on
 * (to snapshot the disks); NULL: nothing. false: nothing was kept, the machine goes on. */
bool migration_save(Migration *g, const StateSink *to, bool (*between)(void *opaque, Error *err),
                    void *opaque, Error *err);
/* before: runs after the state was checked and before it is loaded, vCPUs stopped (to put the disks
 * back); NULL: nothing. The machine then goes on if it was running before, else stays stopped. */
bool migration_load(Migration *g, const StateSource *from,
                    bool (*before)(void *opaque, Error *err), void *opaque, Error *err);

/* The same with a plain file; written to a temporary name first and renamed when it is whole. */
bool migration_save_file(Migration *g, const char *path, Error *err);
bool migration_load_file(Migration *g, const char *path, Error *err);

#endif
