/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Machine state as a stream: sections of named fields, made from the StateDesc and RegDesc tables.
 * The stream carries names, so that fields may come and go; what is loaded is checked like network
 * input: lengths bounded, unknown sections skipped when optional, refused by name when not.
 */
#ifndef GEMEL_CORE_STATE_H
#define GEMEL_CORE_STATE_H

#include <glib.h>

#include "core/device.h"

/* Writes into or reads from memory or a callback. */
struct StateStream {
    bool (*write)(void *opaque, const void *buf, size_t bytes);
    bool (*read)(void *opaque, void *buf, size_t bytes); /* false: end or error */
    void  *opaque;
    bool   failed;
    uint64_t bytes; /* so far */
};

bool state_put_u32(StateStream *s, uint32_t v);
bool state_put_u64(StateStream *s, uint64_t v);
bool state_put_bytes(StateStream *s, const void *buf, size_t bytes);
bool state_get_u32(StateStream *s, uint32_t *v);
bool state_get_u64(StateStream *s, uint64_t *v);
bool state_get_bytes(StateStream *s, void *buf, size_t bytes);

/* Streams over memory. */
typedef struct StateMemory {
    const uint8_t *data;
    size_t         bytes, at; /* at: read so far */
} StateMemory;
StateStream state_to_memory(GByteArray *to);
StateStream state_from_memory(StateMemory *from);

/* One device: all fields of its tables. Saving quiesces it first. Loading resets its state (ENTER),
 * reads, validates, syncs; on a failure the device is left reset and err says which field is wrong. */
bool state_save_device(Device *d, StateStream *s);
bool state_load_device(Device *d, StateStream *s, Error *err);

/* What is not a device adds a section: RAM (migration/), CPUs (target/ through accel). */
typedef struct StateSection {
    const char *name;
    unsigned    instance;
    uint32_t    version;
    bool      (*save)(void *opaque, StateStream *s);
    bool      (*load)(void *opaque, StateStream *s, uint32_t version, Error *err);
    void       *opaque;
    struct StateSection *next;
    /* Would load() take it? Called by state_verify_machine(); may stop reading early; NULL: yes. */
    bool      (*check)(void *opaque, StateStream *s, uint32_t version, Error *err);
} StateSection;
void state_section_add(Machine *m, StateSection *s);
void state_section_remove(Machine *m, StateSection *s);

/* The whole machine; vCPUs stopped, machine lock held. Quiesces the devices. */
bool state_save_machine(Machine *m, StateStream *s, Error *err);
/* Is the stream whole, and of a machine like this one (type, CPUs, devices, sections)? Changes
 * nothing; the caller rewinds the stream before it loads. */
bool state_verify_machine(Machine *m, StateStream *s, Error *err);
/* false: a field was refused; the machine was reset and is in RUN_ERROR, which err says. */
bool state_load_machine(Machine *m, StateStream *s, Error *err);

#endif
