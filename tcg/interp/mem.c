/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest loads, stores and atomics in the interpreter.
 *
 * Host memory is accessed with as few instructions as the guest asks for: an access of 1 to 8
 * bytes is one host access (x86 makes it atomic when aligned), a 16-byte one that must be
 * single-copy atomic is a cmpxchg16b.
 */
#include <string.h>

#include "tcg/interp/mem.h"

/* *p compared with *expected (16 bytes, aligned); stores `want` on match, else fills *expected. */
static bool cas16(void *p, uint64_t expected[2], const uint64_t want[2])
{
    bool ok;

    __asm__ volatile("lock cmpxchg16b %1"
                     : "=@ccz"(ok), "+m"(*(unsigned __int128 *)p), "+a"(expected[0]),
                       "+d"(expected[1])
                     : "b"(want[0]), "c"(want[1])
                     : "memory");
    return ok;
}

/* Single-copy atomic on every host with AVX (Intel SDM, volume 3, Guaranteed Atomic Operations). */
static void load16(uint64_t addr, IrVec *res)
{
    typedef uint64_t Vec __attribute__((vector_size(16)));
    Vec v;

    __asm__ volatile("movdqa %1, %0" : "=x"(v) : "m"(*(const Vec *)(uintptr_t)addr) : "memory");
    memcpy(res, &v, sizeof v);
}

static bool aligned(uint64_t addr, unsigned bytes)
{
    return (addr & (bytes - 1)) == 0;
}

/* ---- host memory ---- */

/* Guest addresses are aligned as the guest likes. */
typedef volatile uint16_t __attribute__((aligned(1), may_alias)) Any16;
typedef volatile uint32_t __attribute__((aligned(1), may_alias)) Any32;
typedef volatile uint64_t __attribute__((aligned(1), may_alias)) Any64;

static void host_load(const IrOp *o, uint64_t addr, IrVec *res)
{
    const void *p = (const void *)(uintptr_t)addr;

    switch (o->esz) {
    case 0: res->u8[0] = *(const volatile uint8_t *)p; break;
    case 1: res->u16[0] = *(const Any16 *)p; break;
    case 2: res->u32[0] = *(const Any32 *)p; break;
    case 3: res->u64[0] = *(const Any64 *)p; break;
    default: memcpy(res, p, (size_t)1 << o->esz); break;
    }
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static void host_store(const IrOp *o, uint64_t addr, const IrVec *v)
{
    void *p = (void *)(uintptr_t)addr;

    switch (o->esz) {
    case 0: *(volatile uint8_t *)p = v->u8[0]; break;
    case 1: *(Any16 *)p = v->u16[0]; break;
    case 2: *(Any32 *)p = v->u32[0]; break;
    case 3: *(Any64 *)p = v->u64[0]; break;
    default:
        if ((o->flags & IRF_ATOMIC) && o->esz == 4 && aligned(addr, 16)) {
            uint64_t old[2] = {0};

            while (!cas16(p, old, v->u64)) {
            }
        } else {
            memcpy(p, v, (size_t)1 << o->esz);
        }
        break;
    }
    if (o->flags & IRF_REL) {
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
    }
}

static uint64_t sext(uint64_t v, unsigned esz)
{
    unsigned up = 64 - (8u << esz);

    return (uint64_t)((int64_t)(v << up) >> up);
}

static uint64_t rmw_result(const IrOp *o, uint64_t old, uint64_t v)
{
    int64_t so = (int64_t)sext(old, o->esz), sv = (int64_t)sext(v, o->esz);

    v &= o->esz == 3 ? ~UINT64_C(0) : (UINT64_C(1) << (8u << o->esz)) - 1;
    switch (o->sub) {
    case IR_RMW_ADD: return old + v;
    case IR_RMW_CLR: return old & ~v;
    case IR_RMW_XOR: return old ^ v;
    case IR_RMW_OR: return old | v;
    case IR_RMW_SMAX: return so > sv ? old : v;
    case IR_RMW_SMIN: return so < sv ? old : v;
    case IR_RMW_UMAX: return old > v ? old : v;
    case IR_RMW_UMIN: return old < v ? old : v;
    case IR_RMW_AND: return old & v;
    default: return v; /* IR_RMW_SWAP */
    }
}

/* If memory holds `old`, stores `new`; returns what it held. */
static uint64_t host_cas(unsigned esz, uint64_t addr, uint64_t old, uint64_t new)
{
    void *p = (void *)(uintptr_t)addr;
    uint8_t b = (uint8_t)old;
    uint16_t h = (uint16_t)old;
    uint32_t w = (uint32_t)old;

    switch (esz) {
    case 0: __atomic_compare_exchange_n((uint8_t *)p, &b, (uint8_t) new, false, 5, 5); return b;
    case 1: __atomic_compare_exchange_n((uint16_t *)p, &h, (uint16_t) new, false, 5, 5); return h;
    case 2: __atomic_compare_exchange_n((uint32_t *)p, &w, (uint32_t) new, false, 5, 5); return w;
    default: __atomic_compare_exchange_n((uint64_t *)p, &old, new, false, 5, 5); return old;
    }
}

static void host_rmw(const IrOp *o, uint64_t addr, uint64_t v, IrVec *res)
{
    uint64_t old, seen;

    host_load(o, addr, res);
    do {
        old = res->u64[0];
        seen = host_cas(o->esz, addr, old, rmw_result(o, old, v));
        res->u64[0] = seen;
    } while (seen != old);
}

/* ---- through callbacks: not atomic ---- */

static bool user_rmw(const TcgInterpMem *m, const IrOp *o, uint64_t addr, uint64_t v, IrVec *res)
{
    uint64_t new;

    if (!m->load(m->opaque, addr, res, 1u << o->esz)) {
        return false;
    }
    new = rmw_result(o, res->u64[0], v);
    return m->store(m->opaque, addr, &new, 1u << o->esz);
}

static bool user_cas(const TcgInterpMem *m, const IrOp *o, uint64_t addr, const IrVec *old,
                     const IrVec *new, IrVec *res)
{
    unsigned bytes = 1u << o->esz;

    if (!m->load(m->opaque, addr, res, bytes)) {
        return false;
    }
    return memcmp(res, old, bytes) != 0 ? m->store(m->opaque, addr, res, bytes)
                                        : m->store(m->opaque, addr, new, bytes);
}

static bool access_user(const TcgInterpMem *m, const IrOp *o, uint64_t addr, const IrVec *b,
                        const IrVec *c, IrVec *res)
{
    switch (o->op) {
    case IR_LD: return m->load(m->opaque, addr, res, 1u << o->esz);
    case IR_ST: return m->store(m->opaque, addr, c, 1u << o->esz);
    case IR_AT_RMW: return user_rmw(m, o, addr, b->u64[0], res);
    default: return user_cas(m, o, addr, b, c, res);
    }
}

/* What the op's type makes of the bytes read. */
static void extend(const IrOp *o, IrVec *res)
{
    if (ir_type_is_int(o->type)) {
        if (o->op == IR_LD && (o->flags & IRF_SEXT)) {
            res->u64[0] = sext(res->u64[0], o->esz);
        }
        res->u64[0] &= ir_type_mask(o->type);
    }
}

void ir_host_access(const IrOp *o, void *host, const IrVec *b, const IrVec *c, IrVec *res)
{
    uint64_t addr = (uint64_t)(uintptr_t)host;
    IrVec out = {0};

    switch (o->op) {
    case IR_LD:
        if ((o->flags & IRF_ATOMIC) && o->esz == 4 && aligned(addr, 16)) {
            load16(addr, &out);
        } else {
            host_load(o, addr, &out);
        }
        break;
    case IR_ST: host_store(o, addr, c); break;
    case IR_AT_RMW: host_rmw(o, addr, b->u64[0], &out); break;
    default: /* IR_AT_CAS */
        if (o->esz == 4) {
            memcpy(&out, b, 16);
            cas16(host, out.u64, c->u64);
        } else {
            out.u64[0] = host_cas(o->esz, addr, b->u64[0], c->u64[0]);
        }
        break;
    }
    extend(o, &out);
    *res = out;
}

TcgExit ir_mem_access(const IrMem *mem, const IrOp *o, uint64_t addr, const IrVec *val, IrVec *res)
{
    const IrVec *b = &val[o->arg[1]], *c = &val[o->arg[2]];
    unsigned bytes = 1u << o->esz;
    IrVec out = {0};

    if (mem->user && mem->user->access) {
        return mem->user->access(mem->user->opaque, o, addr, b, c, res);
    }
    if ((o->flags & IRF_ALIGN) && !aligned(addr, bytes)) {
        return TCG_EXIT_ALIGN;
    }
    if ((o->flags & IRF_ALIGN16) && (addr & 15) + bytes > 16) {
        return TCG_EXIT_ALIGN;
    }
    if (!mem->user) {
        ir_host_access(o, (void *)(uintptr_t)addr, b, c, res);
        return TCG_EXIT_NONE;
    }
    if (!access_user(mem->user, o, addr, b, c, &out)) {
        return TCG_EXIT_FAULT;
    }
    extend(o, &out);
    *res = out;
    return TCG_EXIT_NONE;
}
