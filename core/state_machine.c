/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The whole machine as a stream: 8 bytes of magic, then sections. A section is a run of frames
 * (u32 length, u32 CRC-32C, bytes), closed by an empty frame; so a reader gets no byte that was not
 * checked, and can step over a section without knowing it. A section begins with its kind, name,
 * instance and version; the first one describes the machine, the last one is empty.
 */
#include <nmmintrin.h>
#include <string.h>

#include "core/private.h"
#include "util/bits.h"

enum { FRAME_BYTES = 256 << 10, MAX_NAME = 255, SECTION_VERSION_MACHINE = 1 };
typedef enum SectionKind {
    SECTION_MACHINE = 1,
    SECTION_DEVICE,
    SECTION_OTHER,
    SECTION_END
} SectionKind;

static const char magic[8] = {'G', 'E', 'M', 'E', 'L', 'V', 'M', '1'};

/* ---- checksums ---- */

__attribute__((target("sse4.2"))) static uint32_t crc32c_sse42(const uint8_t *p, size_t bytes)
{
    uint64_t crc = UINT32_MAX;

    for (; bytes >= 8; p += 8, bytes -= 8) {
        crc = _mm_crc32_u64(crc, load_le64(p));
    }
    for (; bytes; p++, bytes--) {
        crc = _mm_crc32_u8((uint32_t)crc, *p);
    }
    return ~(uint32_t)crc;
}

static uint32_t crc32c(const uint8_t *p, size_t bytes)
{
    uint32_t crc = UINT32_MAX;

    if (__builtin_cpu_supports("sse4.2")) {
        return crc32c_sse42(p, bytes);
    }
    for (; bytes; p++, bytes--) {
        crc ^= *p;
        for (unsigned bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
        }
    }
    return ~crc;
}

/* ---- frames ---- */

typedef struct Frames {
    StateStream *raw;
    StateStream payload; /* what sections read and write */
    uint32_t n, at;      /* bytes in buf; reading: taken of them */
    bool ended;          /* reading: the empty frame was met */
    bool damaged;
    uint8_t buf[FRAME_BYTES];
} Frames;

static bool frame_flush(Frames *f)
{
    bool ok = state_put_u32(f->raw, f->n) && state_put_u32(f->raw, crc32c(f->buf, f->n)) &&
              state_put_bytes(f->raw, f->buf, f->n);

    f->n = 0;
    return ok;
}

static bool frames_write(void *opaque, const void *buf, size_t bytes)
{
    Frames *f = opaque;
    const uint8_t *p = buf;

    while (bytes) {
        size_t part = MIN(bytes, FRAME_BYTES - f->n);

        memcpy(f->buf + f->n, p, part);
        f->n += (uint32_t)part;
        p += part;
        bytes -= part;
        if (f->n == FRAME_BYTES && !frame_flush(f)) {
            return false;
        }
    }
    return true;
}

static bool frame_fetch(Frames *f)
{
    uint32_t crc;

    f->at = 0;
    if (f->ended || !state_get_u32(f->raw, &f->n) || !state_get_u32(f->raw, &crc) ||
        f->n > FRAME_BYTES || !state_get_bytes(f->raw, f->buf, f->n)) {
        f->damaged |= !f->ended;
        f->n = 0;
        return false;
    }
    if (crc != crc32c(f->buf, f->n)) {
        f->damaged = true;
        f->n = 0;
        return false;
    }
    f->ended = f->n == 0;
    return !f->ended;
}

static bool frames_read(void *opaque, void *buf, size_t bytes)
{
    Frames *f = opaque;
    uint8_t *p = buf;

    while (bytes) {
        size_t part;

        if (f->at == f->n && !frame_fetch(f)) {
            return false;
        }
        part = MIN(bytes, f->n - f->at);
        memcpy(p, f->buf + f->at, part);
        f->at += (uint32_t)part;
        p += part;
        bytes -= part;
    }
    return true;
}

static void frames_restart(Frames *f)
{
    f->payload.failed = false;
    f->n = f->at = 0;
    f->ended = false;
}

static Frames *frames_new(StateStream *raw)
{
    Frames *f = g_new(Frames, 1);

    f->raw = raw;
    f->payload = (StateStream){.write = frames_write, .read = frames_read, .opaque = f};
    f->damaged = false;
    frames_restart(f);
    return f;
}

/* Reads to the end of the section; *rest: how many bytes nobody wanted. */
static bool frames_finish(Frames *f, uint64_t *rest)
{
    *rest = 0;
    while (!f->damaged && !f->ended) {
        *rest += f->n - f->at;
        frame_fetch(f);
    }
    return !f->damaged;
}

/* ---- sections ---- */

typedef struct SectionHead {
    uint32_t kind, instance, version;
    char name[MAX_NAME + 1];
} SectionHead;

static bool put_text(StateStream *s, const char *text)
{
    uint32_t n = (uint32_t)MIN(strlen(text), MAX_NAME);

    return state_put_u32(s, n) && state_put_bytes(s, text, n);
}

static bool get_text(StateStream *s, char text[MAX_NAME + 1])
{
    uint32_t n;

    if (!state_get_u32(s, &n) || n > MAX_NAME || !state_get_bytes(s, text, n)) {
        text[0] = '\0';
        return false;
    }
    text[n] = '\0';
    return true;
}

static bool section_begin(Frames *f, SectionKind kind, const char *name, uint32_t instance,
                          uint32_t version)
{
    frames_restart(f);
    return state_put_u32(&f->payload, kind) && put_text(&f->payload, name) &&
           state_put_u32(&f->payload, instance) && state_put_u32(&f->payload, version);
}

static bool section_end(Frames *f)
{
    return !f->payload.failed && (!f->n || frame_flush(f)) && frame_flush(f);
}

static bool section_head(Frames *f, SectionHead *h)
{
    frames_restart(f);
    return state_get_u32(&f->payload, &h->kind) && get_text(&f->payload, h->name) &&
           state_get_u32(&f->payload, &h->instance) && state_get_u32(&f->payload, &h->version);
}

void state_section_add(Machine *m, StateSection *s)
{
    StateSection **tail = &m->p->sections;

    while (*tail) {
        tail = &(*tail)->next;
    }
    s->next = NULL;
    *tail = s;
}

void state_section_remove(Machine *m, StateSection *s)
{
    for (StateSection **at = &m->p->sections; *at; at = &(*at)->next) {
        if (*at == s) {
            *at = s->next;
            return;
        }
    }
}

static StateSection *section_find(Machine *m, const SectionHead *h)
{
    for (StateSection *s = m->p->sections; s; s = s->next) {
        if (!strcmp(s->name, h->name) && s->instance == h->instance) {
            return s;
        }
    }
    return NULL;
}

/* ---- saving ---- */

static bool save_machine(Machine *m, Frames *f)
{
    return section_begin(f, SECTION_MACHINE, m->type ? m->type : "", 0, SECTION_VERSION_MACHINE) &&
           state_put_u64(&f->payload, (uint64_t)clock_ns(m, CLOCK_VM)) &&
           state_put_u32(&f->payload, m->n_cpus) && section_end(f);
}

bool state_save_machine(Machine *m, StateStream *s, Error *err)
{
    Frames *f = frames_new(s);
    const char *what = "machine";
    bool ok = state_put_bytes(s, magic, sizeof magic) && save_machine(m, f);

    for (Device *d = m->devices; ok && d; d = d->next) {
        if (d->cls->quiesce) {
            d->cls->quiesce(d); /* all, before the first one's state is taken */
        }
    }
    for (StateSection *x = m->p->sections; ok && x; x = x->next) {
        what = x->name;
        ok = section_begin(f, SECTION_OTHER, x->name, x->instance, x->version) &&
             x->save(x->opaque, &f->payload) && section_end(f);
    }
    for (Device *d = m->devices; ok && d; d = d->next) {
        what = d->id;
        ok = section_begin(f, SECTION_DEVICE, d->id, 0, d->cls->version) &&
             put_text(&f->payload, d->cls->name) && state_save_device(d, &f->payload) &&
             section_end(f);
    }
    ok = ok && section_begin(f, SECTION_END, "", 0, 0) && section_end(f);
    g_free(f);
    return ok || error_set(err, "saving the state of '%s' failed%s", what,
                           s->failed ? ": cannot write" : "");
}

/* ---- loading ---- */

static bool damaged(Error *err)
{
    return error_set(err, "the saved state is damaged or ends too early");
}

static bool check_magic(StateStream *s, Error *err)
{
    char found[sizeof magic];

    if (!state_get_bytes(s, found, sizeof found) || memcmp(found, magic, sizeof magic)) {
        return error_set(err, "this is no saved state of a Gemel machine");
    }
    return true;
}

static bool load_machine(Machine *m, Frames *f, const SectionHead *h, bool apply, Error *err)
{
    uint64_t clock;
    uint32_t n_cpus;

    if (h->version != SECTION_VERSION_MACHINE) {
        return error_set(err, "the saved state has format %u, this Gemel reads %u", h->version,
                         SECTION_VERSION_MACHINE);
    }
    if (strcmp(h->name, m->type ? m->type : "")) {
        return error_set(err, "the state was saved on machine '%s', this is '%s' (-M)", h->name,
                         m->type ? m->type : "");
    }
    if (!state_get_u64(&f->payload, &clock) || !state_get_u32(&f->payload, &n_cpus) ||
        clock > INT64_MAX / 2) {
        return damaged(err);
    }
    if (n_cpus != m->n_cpus) {
        return error_set(err, "the state was saved with %u CPUs, here are %u (-smp)", n_cpus,
                         m->n_cpus);
    }
    if (apply) {
        clock_set_vm(m, (int64_t)clock);
    }
    return true;
}

static bool load_device(Machine *m, Frames *f, const SectionHead *h, bool apply, Error *err)
{
    Device *d = machine_device(m, h->name);
    char cls[MAX_NAME + 1];

    if (!get_text(&f->payload, cls)) {
        return damaged(err);
    }
    if (!d || strcmp(d->cls->name, cls)) {
        return error_set(err, "the saved state has a device '%s' (%s), this machine does not%s",
                         h->name, cls, d ? " (another class has that id)" : "");
    }
    return !apply || state_load_device(d, &f->payload, err);
}

static bool load_other(Machine *m, Frames *f, const SectionHead *h, bool apply, Error *err)
{
    StateSection *x = section_find(m, h);

    if (!x) {
        return error_set(err, "the saved state has a section '%s' (%u), this machine does not",
                         h->name, h->instance);
    }
    if (h->version > x->version) {
        return error_set(err, "section '%s' is of version %u, this Gemel knows up to %u", h->name,
                         h->version, x->version);
    }
    if (apply ? !x->load(x->opaque, &f->payload, h->version, err)
              : x->check && !x->check(x->opaque, &f->payload, h->version, err)) {
        return error_prepend(err, "section '%s'", h->name);
    }
    return true;
}

static bool load_section(Machine *m, Frames *f, const SectionHead *h, bool apply, Error *err)
{
    switch (h->kind) {
    case SECTION_MACHINE: return load_machine(m, f, h, apply, err);
    case SECTION_DEVICE: return load_device(m, f, h, apply, err);
    case SECTION_OTHER: return load_other(m, f, h, apply, err);
    default: return error_set(err, "the saved state has a section of unknown kind %u", h->kind);
    }
}

/* What this machine has and the stream did not. */
static bool check_complete(Machine *m, GHashTable *seen, Error *err)
{
    for (Device *d = m->devices; d; d = d->next) {
        if (!g_hash_table_contains(seen, d->id)) {
            return error_set(err, "the saved state knows no device '%s' (%s)", d->id, d->cls->name);
        }
    }
    return true;
}

/* One pass over the stream; apply false: only checks. */
static bool pass(Machine *m, Frames *f, bool apply, Error *err)
{
    GHashTable *seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    SectionHead h;
    bool ok = true, first = true;
    uint64_t rest;

    while (ok) {
        if (!section_head(f, &h) || (first && h.kind != SECTION_MACHINE) ||
            (!first && h.kind == SECTION_MACHINE)) {
            ok = damaged(err);
            break;
        }
        first = false;
        if (h.kind == SECTION_END) {
            ok = (frames_finish(f, &rest) && !rest) || damaged(err);
            break;
        }
        if (h.kind == SECTION_DEVICE && !g_hash_table_add(seen, g_strdup(h.name))) {
            ok = error_set(err, "the saved state has device '%s' twice", h.name);
            break;
        }
        ok = load_section(m, f, &h, apply, err);
        if (f->damaged || !frames_finish(f, &rest)) {
            ok = damaged(err); /* says more than whatever a reader made of the half */
        } else if (ok && apply && rest) {
            ok = error_set(err, "the state of '%s' is longer than what this Gemel reads", h.name);
        }
    }
    ok = ok && check_complete(m, seen, err);
    g_hash_table_destroy(seen);
    return ok;
}

bool state_verify_machine(Machine *m, StateStream *s, Error *err)
{
    Frames *f;
    bool ok;

    if (!check_magic(s, err)) {
        return false;
    }
    f = frames_new(s);
    ok = pass(m, f, false, err);
    g_free(f);
    return ok;
}

bool state_load_machine(Machine *m, StateStream *s, Error *err)
{
    Frames *f;
    bool ok;

    if (!check_magic(s, err)) {
        return false;
    }
    f = frames_new(s);
    ok = pass(m, f, true, err);
    g_free(f);
    if (!ok) {
        machine_reset(m, CAUSE_HOST_RESET);
        machine_set_state(m, RUN_ERROR);
        return error_prepend(err, "the state was not loaded and the machine reset (system_reset, "
                                  "then cont)");
    }
    return true;
}
