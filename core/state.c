/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Device state as named fields.
 *
 * A device is: u32 version, then fields, then an empty name. A field is a name (u8 length, bytes),
 * u8 element size, u32 element count, and the elements, little-endian; element size 0 stands for
 * nested fields (count of them, each closed by an empty name), and 255 for `count` bytes that a
 * function of the class reads. Readers go by the names: a field that is missing takes its initial
 * value when it is younger than the stream, one that is unknown is skipped when the stream is from
 * an older version (the field was dropped since), anything else is refused by name. Integers may
 * change their size as long as the value fits.
 *
 * Everything read is hostile: counts are compared with the tables before a byte is stored.
 */
#include <assert.h>
#include <string.h>

#include "core/device_private.h"
#include "util/bits.h"

enum {
    ELEM_NESTED = 0,
    ELEM_CUSTOM = 255,
    MAX_NAME = 127,
    MAX_CUSTOM_BYTES = 64 << 20,
    MAX_NESTING = 8
};

/* ---- values ---- */

bool state_put_bytes(StateStream *s, const void *buf, size_t bytes)
{
    if (s->failed || !s->write || (bytes && !s->write(s->opaque, buf, bytes))) {
        s->failed = true;
        return false;
    }
    s->bytes += bytes;
    return true;
}

bool state_get_bytes(StateStream *s, void *buf, size_t bytes)
{
    if (s->failed || !s->read || (bytes && !s->read(s->opaque, buf, bytes))) {
        s->failed = true;
        memset(buf, 0, bytes);
        return false;
    }
    s->bytes += bytes;
    return true;
}

bool state_put_u32(StateStream *s, uint32_t v)
{
    uint8_t buf[4];

    store_le32(buf, v);
    return state_put_bytes(s, buf, sizeof buf);
}

bool state_put_u64(StateStream *s, uint64_t v)
{
    uint8_t buf[8];

    store_le64(buf, v);
    return state_put_bytes(s, buf, sizeof buf);
}

bool state_get_u32(StateStream *s, uint32_t *v)
{
    uint8_t buf[4];
    bool ok = state_get_bytes(s, buf, sizeof buf);

    *v = load_le32(buf);
    return ok;
}

bool state_get_u64(StateStream *s, uint64_t *v)
{
    uint8_t buf[8];
    bool ok = state_get_bytes(s, buf, sizeof buf);

    *v = load_le64(buf);
    return ok;
}

/* ---- streams over memory ---- */

static bool memory_write(void *opaque, const void *buf, size_t bytes)
{
    g_byte_array_append(opaque, buf, (guint)bytes);
    return true;
}

StateStream state_to_memory(GByteArray *to)
{
    return (StateStream){.write = memory_write, .opaque = to};
}

static bool memory_read(void *opaque, void *buf, size_t bytes)
{
    StateMemory *from = opaque;

    if (bytes > from->bytes - from->at) {
        return false;
    }
    memcpy(buf, from->data + from->at, bytes);
    from->at += bytes;
    return true;
}

StateStream state_from_memory(StateMemory *from)
{
    return (StateStream){.read = memory_read, .opaque = from};
}

/* ---- what the tables say of one field ---- */

typedef enum FieldType {
    FIELD_INT,
    FIELD_BOOL,
    FIELD_RAW,
    FIELD_TIMER,
    FIELD_NESTED,
    FIELD_CUSTOM
} FieldType;

typedef struct Field {
    FieldType type;
    uint8_t elem; /* bytes of an element in memory */
    uint32_t count;
    uint32_t pitch; /* bytes between elements in memory */
    uint8_t *at;
    const StateDesc *desc; /* NULL: a register */
} Field;

static Field field_of_state(void *base, const StateDesc *s)
{
    Field f = {
        .count = MAX(s->count, 1), .pitch = s->size, .at = (uint8_t *)base + s->offset, .desc = s};

    switch ((StateKind)s->kind) {
    case STATE_U8:
    case STATE_U16:
    case STATE_U32:
    case STATE_U64: f.elem = (uint8_t)(1u << (s->kind - STATE_U8)); break;
    case STATE_BOOL:
        f.type = FIELD_BOOL;
        f.elem = 1;
        break;
    case STATE_BYTES:
        f.type = FIELD_RAW;
        f.elem = 1;
        f.count = s->size * f.count;
        f.pitch = 1;
        break;
    case STATE_TIMER:
        f.type = FIELD_TIMER;
        f.elem = 8;
        break;
    case STATE_STRUCT: f.type = FIELD_NESTED; break;
    case STATE_CUSTOM: f.type = FIELD_CUSTOM; break;
    }
    return f;
}

static Field field_of_reg(Device *d, const RegDesc *r)
{
    return (Field){.type = FIELD_INT,
                   .elem = r->field_bytes,
                   .count = reg_count(r),
                   .pitch = r->field_bytes,
                   .at = reg_field(d, r, 0)};
}

/* Timers travel as the deadline in CLOCK_VM, and for clocks that go on meanwhile as what is left.
 */
static int64_t timer_base_ns(const Timer *t)
{
    return t->clock == CLOCK_VM ? 0 : clock_ns(t->machine, t->clock);
}

/* ---- saving ---- */

static bool put_name(StateStream *s, const char *name)
{
    size_t len = strlen(name);
    uint8_t byte = (uint8_t)len;

    assert(len <= MAX_NAME);
    return state_put_bytes(s, &byte, 1) && state_put_bytes(s, name, len);
}

static bool put_header(StateStream *s, const char *name, uint8_t elem, uint32_t count)
{
    return put_name(s, name) && state_put_bytes(s, &elem, 1) && state_put_u32(s, count);
}

static bool put_elements(StateStream *s, const Field *f)
{
    for (uint32_t i = 0; i < f->count; i++) {
        uint8_t buf[8];
        const uint8_t *p = f->at + (size_t)i * f->pitch;

        if (f->type == FIELD_TIMER) {
            const Timer *t = (const Timer *)(const void *)p;

            store_le64(buf,
                       t->pending ? (uint64_t)(t->deadline_ns - timer_base_ns(t)) : UINT64_MAX);
        } else {
            store_le64(buf, field_get(p, f->elem));
        }
        if (!state_put_bytes(s, buf, f->elem)) {
            return false;
        }
    }
    return true;
}

static bool put_custom(Device *d, StateStream *s, const StateDesc *desc)
{
    GByteArray *bytes = g_byte_array_new();
    StateStream sub = state_to_memory(bytes);
    bool ok = desc->save(d, &sub) && !sub.failed && bytes->len <= MAX_CUSTOM_BYTES &&
              put_header(s, desc->name, ELEM_CUSTOM, bytes->len) &&
              state_put_bytes(s, bytes->data, bytes->len);

    g_byte_array_free(bytes, TRUE);
    return ok;
}

static bool put_table(Device *d, StateStream *s, void *base, const StateDesc *table)
{
    for (const StateDesc *row = table; row && row->name; row++) {
        Field f = field_of_state(base, row);
        bool ok;

        if (f.type == FIELD_CUSTOM) {
            ok = put_custom(d, s, row);
        } else if (f.type == FIELD_NESTED) {
            ok = put_header(s, row->name, ELEM_NESTED, f.count);
            for (uint32_t i = 0; ok && i < f.count; i++) {
                ok = put_table(d, s, f.at + (size_t)i * f.pitch, row->sub) && put_name(s, "");
            }
        } else {
            ok = put_header(s, row->name, f.elem, f.count) && put_elements(s, &f);
        }
        if (!ok) {
            return false;
        }
    }
    return true;
}

static bool put_regs(Device *d, StateStream *s, const MmioDesc *bank)
{
    for (const RegDesc *r = bank->regs; r && r->name; r++) {
        if (r->field && reg_is_canonical(bank, r)) {
            Field f = field_of_reg(d, r);

            if (!put_header(s, r->name, f.elem, f.count) || !put_elements(s, &f)) {
                return false;
            }
        }
    }
    return true;
}

bool state_save_device(Device *d, StateStream *s)
{
    if (d->cls->quiesce) {
        d->cls->quiesce(d);
    }
    if (!state_put_u32(s, d->cls->version) || !put_table(d, s, d, d->cls->state)) {
        return false;
    }
    for (const MmioDesc *bank = d->cls->mmio; bank && bank->name; bank++) {
        if (!put_regs(d, s, bank)) {
            return false;
        }
    }
    return put_name(s, "");
}

/* ---- loading ---- */

/* One table's worth of fields on its way in. */
typedef struct Loader {
    Device *d;
    StateStream *s;
    uint32_t version; /* of the stream */
    Error *err;
    void *base;
    const StateDesc *table;
    bool regs; /* registers of the banks belong here, too */
    unsigned depth;
} Loader;

static bool ends_early(const Loader *l)
{
    return error_set(l->err, "its state ends too early");
}

static bool get_name(StateStream *s, char name[MAX_NAME + 1])
{
    uint8_t len;

    if (!state_get_bytes(s, &len, 1) || len > MAX_NAME || !state_get_bytes(s, name, len)) {
        return false;
    }
    name[len] = '\0';
    return true;
}

static bool find_reg(Device *d, const char *name, Field *f)
{
    for (const MmioDesc *bank = d->cls->mmio; bank && bank->name; bank++) {
        for (const RegDesc *r = bank->regs; r && r->name; r++) {
            if (r->field && !strcmp(r->name, name)) {
                *f = field_of_reg(d, r);
                return true;
            }
        }
    }
    return false;
}

static bool find_field(const Loader *l, const char *name, Field *f)
{
    for (const StateDesc *row = l->table; row && row->name; row++) {
        if (!strcmp(row->name, name)) {
            *f = field_of_state(l->base, row);
            return true;
        }
    }
    return l->regs && find_reg(l->d, name, f);
}

static bool load_timer(const Loader *l, Timer *t, int64_t v)
{
    if (!t->machine) {
        return v == -1 || error_set(l->err, "a timer that this device does not have is set");
    }
    if (v == -1) {
        timer_cancel(t);
        return true;
    }
    if (v > INT64_MAX / 2 || v < -INT64_MAX / 2) {
        return error_set(l->err, "a timer's deadline is beyond all time");
    }
    timer_set(t, v + timer_base_ns(t));
    return true;
}

static bool load_element(const Loader *l, const Field *f, uint32_t i, uint64_t v)
{
    uint8_t *p = f->at + (size_t)i * f->pitch;

    if (f->type == FIELD_TIMER) {
        return load_timer(l, (Timer *)(void *)p, (int64_t)v);
    }
    if (v & ~mask64(8u * f->elem)) {
        return error_set(l->err, "0x%" PRIx64 " does not fit %u bytes", v, f->elem);
    }
    if (f->type == FIELD_BOOL && v > 1) {
        return error_set(l->err, "0x%" PRIx64 " is no truth value", v);
    }
    field_set(p, f->elem, v);
    return true;
}

static bool load_elements(const Loader *l, const Field *f, uint8_t elem, uint32_t count)
{
    if (count != f->count) {
        return error_set(l->err, "%u elements instead of %u", count, f->count);
    }
    if (elem != 1 && elem != 2 && elem != 4 && elem != 8) {
        return error_set(l->err, "elements of %u bytes", elem);
    }
    for (uint32_t i = 0; i < count; i++) {
        uint8_t buf[8] = {0};

        if (!state_get_bytes(l->s, buf, elem)) {
            return ends_early(l);
        }
        if (!load_element(l, f, i, load_le64(buf))) {
            return false;
        }
    }
    return true;
}

static bool load_fields(const Loader *l);

static bool load_nested(const Loader *l, const Field *f, uint32_t count)
{
    if (count != f->count || l->depth == MAX_NESTING) {
        return error_set(l->err, "%u elements instead of %u", count, f->count);
    }
    for (uint32_t i = 0; i < count; i++) {
        Loader sub = *l;

        sub.base = f->at + (size_t)i * f->pitch;
        sub.table = f->desc->sub;
        sub.regs = false;
        sub.depth++;
        if (!load_fields(&sub)) {
            return false;
        }
    }
    return true;
}

static bool load_custom(const Loader *l, const Field *f, uint32_t bytes)
{
    uint8_t *data;
    bool ok;

    if (bytes > MAX_CUSTOM_BYTES) {
        return error_set(l->err, "%u bytes are too many", bytes);
    }
    data = g_malloc(bytes + 1);
    ok = state_get_bytes(l->s, data, bytes);
    if (!ok) {
        ends_early(l);
    } else {
        StateMemory from = {data, bytes, 0};
        StateStream sub = state_from_memory(&from);

        ok = f->desc->load(l->d, &sub, l->err);
        if (ok && (sub.failed || from.at != bytes)) {
            ok = error_set(l->err, "%u bytes were read of %u", (unsigned)from.at, bytes);
        }
    }
    g_free(data);
    return ok;
}

/* Past a field that nobody knows; nested ones close themselves. */
static bool skip_field(const Loader *l, uint8_t elem, uint32_t count, unsigned depth)
{
    char name[MAX_NAME + 1];
    uint8_t sub, byte;
    uint32_t n;

    if (elem != ELEM_NESTED) {
        uint64_t bytes = elem == ELEM_CUSTOM ? count : (uint64_t)elem * count;

        while (bytes--) {
            if (!state_get_bytes(l->s, &byte, 1)) {
                return ends_early(l);
            }
        }
        return true;
    }
    while (count--) {
        for (;;) {
            if (depth == MAX_NESTING || !get_name(l->s, name)) {
                return ends_early(l);
            }
            if (!name[0]) {
                break;
            }
            if (!state_get_bytes(l->s, &sub, 1) || !state_get_u32(l->s, &n) ||
                !skip_field(l, sub, n, depth + 1)) {
                return ends_early(l);
            }
        }
    }
    return true;
}

static bool load_field(const Loader *l, const char *name)
{
    Field f;
    uint8_t elem;
    uint32_t count;
    bool ok;

    if (!state_get_bytes(l->s, &elem, 1) || !state_get_u32(l->s, &count)) {
        return ends_early(l);
    }
    if (!find_field(l, name, &f)) {
        if (l->version < l->d->cls->version) {
            return skip_field(l, elem, count, 0);
        }
        return error_set(l->err, "field '%s' is unknown: made by a newer Gemel?", name);
    }
    if ((elem == ELEM_NESTED) != (f.type == FIELD_NESTED) ||
        (elem == ELEM_CUSTOM) != (f.type == FIELD_CUSTOM)) {
        return error_set(l->err, "field '%s' is of another kind", name);
    }
    if (f.type == FIELD_NESTED) {
        ok = load_nested(l, &f, count);
    } else if (f.type == FIELD_CUSTOM) {
        ok = load_custom(l, &f, count);
    } else {
        ok = load_elements(l, &f, elem, count);
    }
    return ok || error_prepend(l->err, "field '%s'", name);
}

/* Rows seen are remembered, so that a missing one is noticed. */
static bool check_missing(const Loader *l, const GHashTable *seen)
{
    for (const StateDesc *row = l->table; row && row->name; row++) {
        if (!g_hash_table_contains((GHashTable *)seen, row->name) && row->since <= l->version &&
            row->kind != STATE_CUSTOM) {
            return error_set(l->err, "field '%s' is missing", row->name);
        }
    }
    return true;
}

static bool load_fields(const Loader *l)
{
    GHashTable *seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    char name[MAX_NAME + 1];
    bool ok = true;

    for (;;) {
        if (!get_name(l->s, name)) {
            ok = ends_early(l);
            break;
        }
        if (!name[0]) {
            ok = check_missing(l, seen);
            break;
        }
        if (!g_hash_table_add(seen, g_strdup(name))) {
            ok = error_set(l->err, "field '%s' comes twice", name);
            break;
        }
        if (!load_field(l, name)) {
            ok = false;
            break;
        }
    }
    g_hash_table_destroy(seen);
    return ok;
}

bool state_load_device(Device *d, StateStream *s, Error *err)
{
    Loader l = {.d = d, .s = s, .err = err, .base = d, .table = d->cls->state, .regs = true};

    if (!state_get_u32(s, &l.version)) {
        ends_early(&l);
        return error_prepend(err, "device '%s'", d->id);
    }
    if (l.version > d->cls->version) {
        error_set(err, "its state is of version %u, this Gemel knows up to %u", l.version,
                  d->cls->version);
        return error_prepend(err, "device '%s'", d->id);
    }
    device_reset(d, RESET_ENTER); /* what the stream does not have is as after a reset */
    if (!load_fields(&l) || (d->cls->validate && !d->cls->validate(d, err))) {
        device_reset(d, RESET_ENTER);
        device_reset(d, RESET_EXIT);
        return error_prepend(err, "device '%s'", d->id);
    }
    if (d->cls->sync) {
        d->cls->sync(d);
    }
    return true;
}
