/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest accesses that generated code leaves to C: the first on a page, MMIO, pages with code,
 * accesses that cross pages or are misaligned. Also the interpreter's accesses, and helpers'.
 *
 * Not modelled: atomics on MMIO are a read and a write (the Arm manual leaves it to the
 * implementation whether they work at all).
 */
#include <immintrin.h>
#include <string.h>

#include "accel/tcg/sys.h"

static TcgExit failed(SysVcpu *s, SysWhy why, uint64_t va, const IrOp *o)
{
    s->why = why;
    s->fault_va = va;
    s->fault_access = o->op == IR_LD ? TCG_READ : TCG_WRITE;
    s->fault_mmu = o->flags & IRF_USER ? TCG_MMU_USER : TCG_MMU_CURRENT;
    return TCG_EXIT_FAULT;
}

/* ---- MMIO ---- */

static AddressSpace *space_of(const SysVcpu *s, const SysPage *p)
{
    return p->secure && s->port->as_secure ? s->port->as_secure : s->port->as;
}

/* Up to 8 bytes; the device's code runs under the host's rounding and flags. */
static bool io_access(SysVcpu *s, const SysPage *p, uint64_t gpa, unsigned bytes, bool write,
                      uint64_t *value)
{
    MemRange r;
    MemAttrs attrs = {.cpu = (uint8_t)(s->port->index + 1), .secure = p->secure};
    AddressSpace *as = space_of(s, p);
    if (!mem_find(as, gpa, &r)) {
        return false;
    }
    bool io = r.region->io && (write || !r.host);
    uint64_t offset = r.region_offset + (gpa - r.start);
    uint32_t mxcsr = _mm_getcsr();
    MemResult res;
    _mm_setcsr(s->v->cpu->mxcsr_host);
    sys_quiet_begin(s);
    s->n_mmio++;
    if (io && write) {
        res = mem_io_write(s->port->machine, r.region, offset, bytes, *value, attrs);
    } else if (io) {
        res = mem_io_read(s->port->machine, r.region, offset, bytes, value, attrs);
    } else if (write) {
        res = mem_write(as, gpa, value, bytes, attrs);
    } else {
        *value = 0;
        res = mem_read(as, gpa, value, bytes, attrs);
    }
    sys_quiet_end(s);
    _mm_setcsr(mxcsr);
    return res == MEM_OK;
}

static bool io_bytes(SysVcpu *s, const SysPage *p, uint64_t gpa, unsigned bytes, bool write,
                     void *data)
{
    for (unsigned i = 0; i < bytes; i += 8) {
        unsigned n = bytes - i < 8 ? bytes - i : 8;
        uint64_t v = 0;
        memcpy(&v, (char *)data + i, n);
        if (!io_access(s, p, gpa + i, n, write, &v)) {
            return false;
        }
        memcpy((char *)data + i, &v, n);
    }
    return true;
}

/* The op's arithmetic on a copy of the bytes. */
static bool io_op(SysVcpu *s, const SysPage *p, uint64_t gpa, const IrOp *o, const IrVec *b,
                  const IrVec *c, IrVec *res)
{
    IrVec data = {0};
    unsigned bytes = 1u << o->esz;
    if (o->op != IR_ST && !io_bytes(s, p, gpa, bytes, false, &data)) {
        return false;
    }
    ir_host_access(o, &data, b, c, res);
    return o->op == IR_LD || io_bytes(s, p, gpa, bytes, true, &data);
}

/* ---- stores that must be seen ---- */

/* Bytes of p's page from `offset` on were written: display, migration and translations know. */
static void written(SysVcpu *s, SysPage *p, unsigned offset, unsigned bytes)
{
    RamBlock *ram = p->ram;
    uint64_t at = (uint64_t)(p->host - ram->host) + offset, page = at >> TCG_PAGE_BITS;
    TcgEngine *e = s->v->engine;
    ram_written(s->port->machine, ram, at, bytes);
    if (!ram->code ||
        !(__atomic_load_n(&ram->code[page / 64], __ATOMIC_ACQUIRE) >> page % 64 & 1)) {
        sys_unprotect(s, p);
        return;
    }
    uint64_t host = (uint64_t)p->host;
    pthread_mutex_lock(&e->lock); /* nobody translates */
    if (!engine_has_code(e, host, host + SYS_PAGE_BYTES)) {
        __atomic_fetch_and(&ram->code[page / 64], ~((uint64_t)1 << page % 64), __ATOMIC_ACQ_REL);
        sys_unprotect(s, p);
    }
    pthread_mutex_unlock(&e->lock);
}

/* ---- one access ---- */

static TcgAccess access_of(const IrOp *o)
{
    return o->op == IR_LD ? TCG_READ : TCG_WRITE;
}

/* Crosses into another page; loads and stores only. Both pages are there before a byte moves. */
static TcgExit cross(SysVcpu *s, const IrOp *o, uint64_t va, const IrVec *c, IrVec *res)
{
    TcgMmuIndex mmu = o->flags & IRF_USER ? TCG_MMU_USER : TCG_MMU_CURRENT;
    unsigned bytes = 1u << o->esz, first = SYS_PAGE_BYTES - (unsigned)(va % SYS_PAGE_BYTES);
    SysPage *p[2];
    IrVec data = {0};
    if (o->op == IR_AT_RMW || o->op == IR_AT_CAS) {
        return failed(s, SYS_ALIGN, va, o);
    }
    for (unsigned i = 0; i < 2; i++) {
        uint64_t at = i ? va + first : va;
        p[i] = sys_find_page(s, at, access_of(o), mmu);
        if (!p[i]) {
            return TCG_EXIT_FAULT;
        }
        if (p[i]->device) {
            return failed(s, SYS_ALIGN, va, o);
        }
        if (p[i]->watch && sys_target(s)->watch(s->v->cpu, va, bytes, access_of(o), mmu)) {
            return failed(s, SYS_FAULT, va, o);
        }
    }
    if (o->op == IR_ST) {
        memcpy(&data, c, bytes);
    }
    for (unsigned i = 0; i < 2; i++) {
        unsigned from = i ? first : 0, n = i ? bytes - first : first;
        unsigned offset = i ? 0 : SYS_PAGE_BYTES - first;
        bool write = o->op == IR_ST;
        if (p[i]->host && !(write && p[i]->rom)) {
            uint8_t *h = p[i]->host + offset;
            memcpy(write ? h : &data.u8[from], write ? &data.u8[from] : h, n);
            if (write) {
                written(s, p[i], offset, n);
            }
        } else {
            for (unsigned k = 0; k < n; k++) {
                if (!io_bytes(s, p[i], p[i]->gpa + offset + k, 1, write, &data.u8[from + k])) {
                    return failed(s, SYS_BUS, i ? va + first : va, o);
                }
            }
        }
    }
    if (o->op == IR_LD) {
        ir_host_access(o, &data, NULL, NULL, res);
    }
    return TCG_EXIT_NONE;
}

static TcgExit access_page(SysVcpu *s, const IrOp *o, uint64_t va, const IrVec *b, const IrVec *c,
                           IrVec *res)
{
    TcgMmuIndex mmu = o->flags & IRF_USER ? TCG_MMU_USER : TCG_MMU_CURRENT;
    unsigned bytes = 1u << o->esz, offset = (unsigned)(va % SYS_PAGE_BYTES);
    SysPage *p = sys_find_page(s, va, access_of(o), mmu);
    if (!p) {
        return TCG_EXIT_FAULT;
    }
    if ((o->op == IR_AT_RMW || o->op == IR_AT_CAS) && !p->read) {
        s->why = SYS_FAULT;
        p = sys_find_page(s, va, TCG_READ, mmu);
        if (!p) {
            return TCG_EXIT_FAULT;
        }
    }
    if (p->device && va & (bytes - 1)) {
        return failed(s, SYS_ALIGN, va, o);
    }
    if (p->watch && sys_target(s)->watch(s->v->cpu, va, bytes, access_of(o), mmu)) {
        return failed(s, SYS_FAULT, va, o);
    }
    if (p->host && (o->op == IR_LD || !p->rom)) {
        ir_host_access(o, p->host + offset, b, c, res);
        if (o->op != IR_LD) {
            written(s, p, offset, bytes);
        }
        return TCG_EXIT_NONE;
    }
    return io_op(s, p, p->gpa + offset, o, b, c, res) ? TCG_EXIT_NONE : failed(s, SYS_BUS, va, o);
}

/* TCG_EXIT_NONE, or TCG_EXIT_FAULT and s->why. Alignment comes before translation (Arm ARM D8.15).
 */
static TcgExit do_access(SysVcpu *s, const IrOp *o, uint64_t va, const IrVec *b, const IrVec *c,
                         IrVec *res)
{
    unsigned bytes = 1u << o->esz;
    if (((o->flags & IRF_ALIGN) && va & (bytes - 1)) ||
        ((o->flags & IRF_ALIGN16) && (va & 15) + bytes > 16)) {
        return failed(s, SYS_ALIGN, va, o);
    }
    if (va % SYS_PAGE_BYTES + bytes > SYS_PAGE_BYTES) {
        return cross(s, o, va, c, res);
    }
    return access_page(s, o, va, b, c, res);
}

bool sys_deliver(SysVcpu *s)
{
    const TcgSystem *t = sys_target(s);
    TcgCpu *cpu = s->v->cpu;
    cpu->fault_addr = s->fault_va;
    cpu->fault_write = s->fault_access == TCG_WRITE;
    switch (s->why) {
    case SYS_FAULT: t->fault(cpu, s->fault_va, s->fault_access, s->fault_mmu); return true;
    case SYS_ALIGN: t->exception(cpu, TCG_EXIT_ALIGN, s->fault_va); return true;
    default: return t->bus_error(cpu, s->fault_va, s->fault_access, s->fault_mmu);
    }
}

/* ---- generated code ---- */

static void restore_state(SysVcpu *s, const void *ret)
{
    TcgCpu *cpu = s->v->cpu;
    TcgRegion *r = engine_region_at(s->v, ret);
    const TcgFaultPoint *fp = tcg_compiled_fault(&r->c, ret);
    s->v->engine->backend->restore(&r->c, fp, (const TcgHostRegs *)(const void *)cpu->save_area,
                                   cpu);
}

bool sys_mem_slow(TcgCpu *cpu, uint64_t va, const void *ret)
{
    SysVcpu *s = cpu->vcpu->sys;
    IrOp o = tcg_slow_op(cpu->slow_info);
    s->n_slow++;
    if (do_access(s, &o, va, &cpu->call_arg[0], &cpu->call_arg[1], &cpu->call_ret) ==
        TCG_EXIT_NONE) {
        return false;
    }
    restore_state(s, ret);
    if (!sys_deliver(s)) {
        memset(&cpu->call_ret, 0xff, sizeof cpu->call_ret);
        ir_host_access(&(IrOp){.op = IR_LD, .type = o.type, .esz = o.esz, .flags = o.flags},
                       &cpu->call_ret, NULL, NULL, &cpu->call_ret);
        return false;
    }
    cpu->exit_reason = TCG_EXIT_ISB; /* mode and context are new */
    cpu->exit_info = 0;
    return true;
}

/* ---- the interpreter, helpers ---- */

TcgExit sys_interp_access(void *opaque, const IrOp *o, uint64_t va, const IrVec *b, const IrVec *c,
                          IrVec *res)
{
    return do_access(opaque, o, va, b, c, res);
}

/* The largest power of two that fits. */
static unsigned chunk(unsigned bytes)
{
    return 31u - (unsigned)__builtin_clz(bytes);
}

static void helper_access(TcgCpu *cpu, IrOp o, uint64_t va, uint8_t *data, unsigned bytes)
{
    SysVcpu *s = cpu->vcpu->sys;
    while (bytes) {
        IrVec v = {0};
        o.esz = (uint8_t)chunk(bytes);
        o.type = o.esz == 4 ? IR_V128 : IR_I64;
        unsigned n = 1u << o.esz;
        if (o.op == IR_ST) {
            memcpy(&v, data, n);
        }
        if (do_access(s, &o, va, NULL, &v, &v) != TCG_EXIT_NONE) {
            if (sys_deliver(s)) {
                tcg_raise(cpu, TCG_EXIT_ISB, 0);
            }
            memset(&v, 0xff, sizeof v);
        }
        if (o.op == IR_LD) {
            memcpy(data, &v, n);
        }
        data += n;
        va += n;
        bytes -= n;
    }
}

void sys_load(TcgCpu *cpu, uint64_t va, void *dst, unsigned bytes, TcgMmuIndex mmu)
{
    IrOp o = {.op = IR_LD, .flags = mmu == TCG_MMU_USER ? IRF_USER : 0};
    helper_access(cpu, o, va, dst, bytes);
}

void sys_store(TcgCpu *cpu, uint64_t va, const void *src, unsigned bytes, TcgMmuIndex mmu)
{
    IrOp o = {.op = IR_ST, .flags = mmu == TCG_MMU_USER ? IRF_USER : 0};
    uint8_t data[16];
    memcpy(data, src, bytes);
    helper_access(cpu, o, va, data, bytes);
}
