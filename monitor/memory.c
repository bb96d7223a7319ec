/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looking at memory: x, xp, gva2gpa, memsave, pmemsave. All reads are debug reads: no side effects.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/private.h"
#include "util/bits.h"
#include "util/keyval.h"

enum { MAX_COUNT = 4096 };

typedef struct Format {
    unsigned count, bytes;
    char kind; /* x d u o c */
} Format;

/* "/16xw": count, kind and size in any order; sizes b h w g. */
static bool read_format(Call *k, int *arg, Format *f)
{
    *f = (Format){1, 4, 'x'};
    if (k->argc < 2 || k->argv[1][0] != '/') {
        *arg = 1;
        return true;
    }
    *arg = 2;
    char *p;
    unsigned long n = strtoul(k->argv[1] + 1, &p, 10);
    f->count = p == k->argv[1] + 1 ? 1 : n > MAX_COUNT ? MAX_COUNT : (unsigned)n;
    for (; *p; p++) {
        static const char sizes[] = "bhw g";
        const char *s = strchr(sizes, *p);
        if (s && *p != ' ') {
            f->bytes = *p == 'g' ? 8 : 1u << (s - sizes);
        } else if (strchr("xduoc", *p)) {
            f->kind = *p;
            f->bytes = *p == 'c' ? 1 : f->bytes;
        } else {
            call_printf(k, "Error: '%s': count, then one of x d u o c and one of b h w g",
                        k->argv[1]);
            return false;
        }
    }
    return true;
}

typedef struct Reader {
    Call *k;
    bool is_virtual;
    uint64_t page, gpa; /* last translation, page-aligned */
    bool valid;
} Reader;

typedef struct Translation {
    Call *k;
    uint64_t va, gpa;
    bool ok;
} Translation;

static void translate_there(CpuPort *p, void *arg)
{
    Translation *t = arg;
    const Accel *a = t->k->c->accel;
    t->ok = a->ops->translate(accel_vcpu(t->k->c->accel, p->index), t->va, &t->gpa);
}

static bool translate(Call *k, uint64_t va, uint64_t *gpa)
{
    Machine *m = k->c->machine;
    Translation t = {.k = k, .va = va};
    if (!k->c->accel || k->cpu >= m->n_cpus) {
        return false;
    }
    machine_unlock(m);
    m->cpus[k->cpu]->run_on(m->cpus[k->cpu], translate_there, &t);
    machine_lock(m);
    *gpa = t.gpa;
    return t.ok;
}

static bool read_byte(Reader *r, uint64_t address, uint8_t *byte)
{
    uint64_t page = address & ~(uint64_t)(MEM_PAGE_BYTES - 1);
    uint64_t gpa = address;
    if (r->is_virtual) {
        if (!r->valid || r->page != page) {
            r->page = page;
            r->valid = translate(r->k, page, &r->gpa);
        }
        if (!r->valid) {
            return false;
        }
        gpa = r->gpa + (address - page);
    }
    return mem_read(r->k->c->machine->as, gpa, byte, 1, MEM_ATTRS_DEBUG) == MEM_OK;
}

static void format_value(char *out, size_t bytes, const Format *f, uint64_t v)
{
    switch (f->kind) {
    case 'x': snprintf(out, bytes, " 0x%0*" PRIx64, (int)f->bytes * 2, v); break;
    case 'o': snprintf(out, bytes, " 0%" PRIo64, v); break;
    case 'u': snprintf(out, bytes, " %" PRIu64, v); break;
    case 'c': snprintf(out, bytes, v >= 32 && v < 127 ? " '%c'" : " '\\x%02x'", (int)v); break;
    default: {
        unsigned shift = 64 - 8 * f->bytes;
        snprintf(out, bytes, " %" PRId64, (int64_t)(v << shift) >> shift);
    }
    }
}

static void dump(Call *k, bool is_virtual)
{
    Format f;
    int arg;
    uint64_t at;
    if (!read_format(k, &arg, &f) || !call_number(k, arg, &at)) {
        return;
    }
    Reader r = {.k = k, .is_virtual = is_virtual};
    unsigned per_line = f.bytes == 8 ? 2 : f.bytes == 1 ? 8 : 4;
    char line[512];
    for (unsigned i = 0; i < f.count;) {
        size_t n = (size_t)snprintf(line, sizeof line, "%016" PRIx64 ":", at);
        for (unsigned c = 0; c < per_line && i < f.count; c++, i++, at += f.bytes) {
            uint8_t b[8] = {0};
            for (unsigned j = 0; j < f.bytes; j++) {
                if (!read_byte(&r, at + j, &b[j])) {
                    call_printf(k, "%s", line);
                    call_printf(k, "Cannot access memory at 0x%" PRIx64, at + j);
                    return;
                }
            }
            char value[64];
            format_value(value, sizeof value, &f, load_le64(b));
            n += (size_t)snprintf(line + n, sizeof line - n, "%s", value);
        }
        call_printf(k, "%s", line);
    }
}

void command_print(Call *k)
{
    Format f;
    int arg;
    uint64_t v;
    char text[80];
    if (!read_format(k, &arg, &f) || !call_number(k, arg, &v)) {
        return;
    }
    f.bytes = 8;
    if (f.kind == 'x') {
        call_printf(k, "%#" PRIx64, v);
    } else {
        format_value(text, sizeof text, &f, v);
        call_printf(k, "%s", text + 1);
    }
}

void command_x(Call *k)
{
    dump(k, true);
}

void command_xp(Call *k)
{
    dump(k, false);
}

void command_gva2gpa(Call *k)
{
    uint64_t va, gpa;
    if (!call_number(k, 1, &va)) {
        return;
    }
    if (translate(k, va, &gpa)) {
        call_printf(k, "gpa: 0x%" PRIx64, gpa);
    } else {
        call_printf(k, "Unmapped");
    }
}

static void save(Call *k, bool is_virtual)
{
    uint64_t at, bytes;
    if (!call_number(k, 1, &at) || !call_number(k, 2, &bytes)) {
        return;
    }
    FILE *out = fopen(k->argv[3], "wb");
    if (!out) {
        call_printf(k, "Error: %s: %s", k->argv[3], strerror(errno));
        return;
    }
    Reader r = {.k = k, .is_virtual = is_virtual};
    bool ok = true;
    for (uint64_t i = 0; ok && i < bytes; i++) {
        uint8_t b;
        ok = read_byte(&r, at + i, &b);
        if (!ok) {
            call_printf(k, "Error: cannot access memory at 0x%" PRIx64, at + i);
        } else if (putc(b, out) == EOF) {
            ok = false;
        }
    }
    if (fclose(out) && ok) {
        call_printf(k, "Error: %s: %s", k->argv[3], strerror(errno));
    }
}

void command_memsave(Call *k)
{
    save(k, true);
}

void command_pmemsave(Call *k)
{
    save(k, false);
}
