/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine's disks by id, and which device has which. */
#include <string.h>

#include "core/private.h"
#include "util/str_nearest.h"

static MachineDisk *find(Machine *m, const char *id)
{
    for (MachineDisk *d = m->p->disks; d; d = d->next) {
        if (!strcmp(d->id, id)) {
            return d;
        }
    }
    return NULL;
}

bool machine_block_add(Machine *m, const char *id, struct BlockDev *dev, Error *err)
{
    MachineDisk **tail = &m->p->disks;

    if (find(m, id)) {
        return error_set(err, "-drive id=%s: another drive has that id", id);
    }
    while (*tail) {
        tail = &(*tail)->next;
    }
    *tail = g_new0(MachineDisk, 1);
    (*tail)->id = g_strdup(id);
    (*tail)->dev = dev;
    return true;
}

void machine_block_remove(Machine *m, const char *id)
{
    for (MachineDisk **at = &m->p->disks; *at; at = &(*at)->next) {
        MachineDisk *d = *at;

        if (!strcmp(d->id, id)) {
            *at = d->next;
            g_free(d->id);
            g_free(d);
            return;
        }
    }
}

struct BlockDev *machine_block(Machine *m, const char *id)
{
    MachineDisk *d = find(m, id);

    return d ? d->dev : NULL;
}

static const char *disk_id(size_t i, const void *opaque)
{
    const MachineDisk *d = opaque;

    while (d && i--) {
        d = d->next;
    }
    return d ? d->id : NULL;
}

struct BlockDev *machine_block_claim(Machine *m, const char *id, Device *user, Error *err)
{
    MachineDisk *d = find(m, id);
    const char *nearest;

    if (!d) {
        nearest = str_nearest(id, disk_id, m->p->disks);
        error_set(err, "no -drive or -blockdev has id '%s'%s%s%s", id,
                  nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
        return NULL;
    }
    if (d->user && d->user != user) {
        error_set(err, "drive '%s' is used by device '%s'", id, d->user->id);
        return NULL;
    }
    d->user = user;
    return d->dev;
}

void machine_block_release(Machine *m, Device *user)
{
    for (MachineDisk *d = m->p->disks; d; d = d->next) {
        if (d->user == user) {
            d->user = NULL;
        }
    }
}

void machine_block_each(Machine *m,
                        void (*fn)(const char *id, struct BlockDev *dev, Device *user,
                                   void *opaque),
                        void *opaque)
{
    for (MachineDisk *d = m->p->disks, *next; d; d = next) {
        next = d->next;
        fn(d->id, d->dev, d->user, opaque);
    }
}
