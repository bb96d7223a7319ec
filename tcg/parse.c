/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads what tcg/print.c writes. For tests: names of values and blocks stay as they are in the
 * text, so gaps in the numbering stay gaps (NOPs).
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tcg/guest.h"
#include "tcg/region.h"

typedef struct IrParse {
    IrRegion *r;
    const char *at; /* next character */
    unsigned line;
    char *why;
    size_t why_bytes;
    bool failed;
    IrBlk blk; /* block being filled */
} IrParse;

__attribute__((format(printf, 2, 3))) static bool parse_bad(IrParse *p, const char *fmt, ...)
{
    if (!p->failed) {
        int n = snprintf(p->why, p->why_bytes, "line %u: ", p->line);
        va_list ap;

        va_start(ap, fmt);
        if (n > 0 && (size_t)n < p->why_bytes) {
            vsnprintf(p->why + n, p->why_bytes - (size_t)n, fmt, ap);
        }
        va_end(ap);
    }
    p->failed = true;
    return false;
}

static void skip_blanks(IrParse *p)
{
    while (*p->at == ' ') {
        p->at++;
    }
}

/* Takes the text if it comes next. */
static bool take(IrParse *p, const char *text)
{
    size_t n = strlen(text);

    skip_blanks(p);
    if (strncmp(p->at, text, n) != 0) {
        return false;
    }
    p->at += n;
    return true;
}

static uint64_t number(IrParse *p)
{
    char *end;
    uint64_t v = strtoull(p->at, &end, 0);

    if (end == p->at) {
        parse_bad(p, "a number should stand at '%.12s'", p->at);
    }
    p->at = end;
    return v;
}

/* A word of letters, digits and '.', '_'. Returns its length. */
static size_t word(IrParse *p, char *out, size_t bytes)
{
    size_t n = strspn(p->at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._");
    size_t keep = n < bytes ? n : bytes - 1;

    memcpy(out, p->at, keep);
    out[keep] = 0;
    p->at += n;
    return n;
}

/* v12, or - for none. */
static IrRef value(IrParse *p)
{
    IrRef v;

    if (take(p, "-")) {
        return IR_NONE;
    }
    if (!take(p, "v")) {
        parse_bad(p, "a value should stand at '%.12s'", p->at);
        return IR_NONE;
    }
    v = (IrRef)number(p);
    if (v >= p->r->n_ops) {
        parse_bad(p, "v%u is out of range", v);
    }
    return v;
}

static IrBlk block(IrParse *p)
{
    IrBlk b = (IrBlk)number(p);

    while (!p->failed && b < 0x8000 && p->r->n_blocks <= b) {
        ir_region_new_block(p->r, 0);
    }
    return b;
}

static unsigned slot(IrParse *p)
{
    char name[32];

    word(p, name, sizeof name);
    for (unsigned i = 0; i < p->r->guest->n_slots; i++) {
        if (strcmp(name, p->r->guest->slots[i].name) == 0) {
            return i;
        }
    }
    parse_bad(p, "no slot '%s'", name);
    return 0;
}

static uint32_t snapshot(IrParse *p)
{
    IrSnap s = {0};

    skip_blanks(p);
    s.pc = number(p);
    s.full = take(p, "full");
    if (!take(p, "b")) {
        parse_bad(p, "the snapshot's block is missing");
        return 0;
    }
    s.blk = block(p);
    s.first = p->r->n_snap_entries;
    if (!take(p, "{")) {
        parse_bad(p, "'{' is missing");
    }
    while (!p->failed && !take(p, "}")) {
        IrSnapEntry e = {.slot = (uint16_t)slot(p)};
        uint32_t i;

        if (!take(p, "=")) {
            parse_bad(p, "'=' is missing");
            break;
        }
        e.val = value(p);
        i = ir_region_snap_entries(p->r, 1);
        p->r->snap_entries[i] = e;
        s.n++;
    }
    return ir_region_new_snap(p->r, &s);
}

/* "name.type"; a name may hold dots, a type does not. */
static bool parse_opcode(IrParse *p, IrOp *o)
{
    char name[48], *dot;
    unsigned t = 0, i = 0;

    word(p, name, sizeof name);
    dot = strrchr(name, '.');
    while (dot && t < IR_N_TYPES && strcmp(dot + 1, ir_type_names[t]) != 0) {
        t++;
    }
    if (!dot || t == IR_N_TYPES) {
        return parse_bad(p, "no type in '%s'", name);
    }
    *dot = 0;
    while (i < IR_N_OPS && strcmp(name, ir_op_info[i].name) != 0) {
        i++;
    }
    o->op = (uint8_t)i;
    o->type = (uint8_t)t;
    return i < IR_N_OPS || parse_bad(p, "no op '%s'", name);
}

static void parse_flags(IrParse *p, IrOp *o)
{
    for (unsigned i = 0; i < IR_N_FLAG_NAMES; i++) {
        size_t n = strlen(ir_flag_names[i]);

        skip_blanks(p);
        if (strncmp(p->at, ir_flag_names[i], n) == 0 && strchr(" \n", p->at[n])) {
            p->at += n;
            o->flags |= (uint16_t)(1u << i);
        }
    }
}

static void parse_args(IrParse *p, IrOp *o)
{
    unsigned n = ir_op_info[o->op].nargs;

    if (o->op != IR_PHI) {
        for (unsigned i = 0; i < n && !p->failed; i++) {
            o->arg[i] = value(p);
        }
        return;
    }
    o->imm = p->r->n_phi_args;
    for (skip_blanks(p); *p->at == 'v' && !p->failed; skip_blanks(p)) {
        IrRef v = value(p);
        uint32_t i = ir_region_phi_args(p->r, 1); /* may move the array */

        p->r->phi_args[i] = v;
        o->nargs++;
    }
}

static void parse_op(IrParse *p)
{
    IrOp o = {0};
    IrRef v = IR_NONE;

    skip_blanks(p);
    if (*p->at == 'v' && strspn(p->at + 1, "0123456789") &&
        p->at[1 + strspn(p->at + 1, "0123456789")] == ' ') {
        v = value(p);
        if (!take(p, "= ")) {
            parse_bad(p, "'=' is missing");
            return;
        }
    }
    if (!parse_opcode(p, &o)) {
        return;
    }
    o.esz = *p->at == '/' ? (p->at++, (uint8_t)number(p)) : 0;
    o.sub = *p->at == '%' ? (p->at++, (uint8_t)number(p)) : 0;
    parse_args(p, &o);
    if (take(p, "#")) {
        o.imm = number(p);
    }
    parse_flags(p, &o);
    if (take(p, "@")) {
        o.slot = (uint16_t)slot(p);
    } else if (take(p, "~")) {
        o.slot = (uint16_t)(slot(p) + 1);
    }
    for (unsigned i = 0; i < 2 && (ir_op_info[o.op].attrs & IRA_TERM) && take(p, "b"); i++) {
        IrBlk to = block(p); /* may move r->blocks */

        p->r->blocks[p->blk].succ[i] = to;
    }
    if (take(p, "snap")) {
        o.snap = snapshot(p);
    }
    if (p->failed) {
        return;
    }
    if (v == IR_NONE) {
        v = ir_region_new_op(p->r, &o);
    } else if (v >= p->r->n_ops || p->r->ops[v].op != IR_NOP) {
        parse_bad(p, "v%u is defined twice", v);
        return;
    }
    p->r->ops[v] = o;
    ir_region_append(p->r, p->blk, v);
}

static void parse_block(IrParse *p)
{
    IrBlock *b;
    IrBlk blk = block(p);

    if (p->failed || blk >= p->r->n_blocks) {
        parse_bad(p, "bad block");
        return;
    }
    p->blk = blk;
    if (!take(p, ": pc ")) {
        parse_bad(p, "': pc' is missing");
        return;
    }
    b = &p->r->blocks[p->blk];
    b->pc = number(p);
    if (take(p, ";")) {
        while (take(p, "<b")) {
            number(p);
        }
        if (take(p, "depth")) {
            number(p);
        }
        if (take(p, "weight")) {
            b->weight = (uint32_t)number(p);
        }
        b->cold = take(p, "cold");
        take(p, "head");
    }
}

/* Numbers of the text stay free: ops without one are numbered above them. */
static void reserve_values(IrParse *p)
{
    for (const char *c = strstr(p->at, " v"); c; c = strstr(c + 2, " v")) {
        unsigned long v = strtoul(c + 2, NULL, 10);

        while (v < 1u << 24 && p->r->n_ops <= v) {
            ir_region_new_op(p->r, &(IrOp){.op = IR_NOP});
        }
    }
}

static void parse_head(IrParse *p)
{
    char name[32];

    if (!take(p, "region ")) {
        parse_bad(p, "'region' is missing");
        return;
    }
    word(p, name, sizeof name);
    p->r->pc = take(p, "pc ") ? number(p) : 0;
    p->r->mode = take(p, "mode ") ? number(p) : 0;
    p->r->tier = take(p, "tier ") ? (unsigned)number(p) : 0;
    if (strcmp(name, p->r->guest->name) != 0 || p->r->tier == 0) {
        parse_bad(p, "a region of %s with pc, mode and tier is wanted", p->r->guest->name);
    }
}

IrRegion *ir_parse(Arena *arena, const struct TcgGuest *guest, const char *text, char *why,
                   size_t why_bytes)
{
    IrRegion *r = arena_alloc(arena, sizeof *r);
    IrParse p = {.r = r, .at = text, .line = 1, .why = why, .why_bytes = why_bytes};

    *r = (IrRegion){.arena = arena, .guest = guest};
    ir_region_new_op(r, &(IrOp){.op = IR_NOP});
    ir_region_new_snap(r, &(IrSnap){0});
    reserve_values(&p);
    parse_head(&p);
    for (; !p.failed && *p.at; p.line++) {
        skip_blanks(&p);
        if (*p.at == '\n') {
            p.at++;
            continue;
        }
        if (p.line > 1 && *p.at == 'b' && p.at[1] >= '0' && p.at[1] <= '9') {
            p.at++;
            parse_block(&p);
        } else if (p.line > 1) {
            parse_op(&p);
        }
        skip_blanks(&p);
        if (!p.failed && *p.at && *p.at != '\n') {
            parse_bad(&p, "not understood: '%.20s'", p.at);
        }
        p.at += *p.at == '\n';
    }
    if (p.failed || r->n_blocks == 0) {
        return NULL;
    }
    ir_region_analyze(r);
    return r;
}
