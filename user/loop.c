/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The loop of a guest thread: run, then do what the guest's kernel would at the exception.
 * Sources: DDI 0487 (ESR_EL1 encoding), Linux Documentation/arch/arm64 (which signal for what).
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "user/mm.h"
#include "user/guest_abi.h"

enum {
    EC_INSN_ABORT = 0x20,
    EC_DATA_ABORT = 0x24,
    EC_PC_ALIGN = 0x22,
    DFSC_TRANSLATION = 0x07,
    DFSC_PERMISSION = 0x0f,
    DFSC_ALIGN = 0x21,
    DFSC_EXTERNAL = 0x10,
    ESR_WNR = 1 << 6,
    ESR_IL = 1 << 25,
    CODE_ILLOPC = 1,
    CODE_ILLOPN = 2,
    CODE_MAPERR = 1,
    CODE_ACCERR = 2,
    CODE_ADRALN = 1,
    CODE_TRAP_BRKPT = 1,
    CODE_KERNEL = 0x80,
    CODE_FPE_INTDIV = 1,
};

static uint64_t esr(unsigned ec, uint64_t iss)
{
    return (uint64_t)ec << 26 | ESR_IL | iss;
}

/*
 * The host's #GP: an address that is not canonical here. It may carry a tag in its top byte, which
 * the guest's hardware ignores: from now on this thread's code masks addresses. true: try again.
 */
static bool tagged_access(UserThread *t)
{
    TcgCpu *c = &t->cpu.tcg;
    uint32_t insn;
    if (t->fault_sig != SIGSEGV || c->fault_code != CODE_KERNEL) {
        return false;
    }
    if (!(t->cpu.mode_bits & A64_MODE_TAGGED)) {
        t->cpu.mode_bits |= A64_MODE_TAGGED;
        return true;
    }
    if (!user_get(&insn, t->cpu.pc, sizeof insn)) {
        uint64_t a = user_a64_fault_address(&t->cpu, insn);
        c->fault_addr = (uint64_t)((int64_t)(a << 8) >> 8);
        bool load = (insn >> 27 & 7) == 5 || !(insn >> 29 & 1) ? insn >> 22 & 1 : insn >> 22 & 3;
        c->fault_write = !load;
    }
    return false;
}

static void memory_fault(UserThread *t)
{
    TcgCpu *c = &t->cpu.tcg;
    if (tagged_access(t)) {
        return;
    }
    UserRegion r;
    uint64_t wnr = c->fault_write ? ESR_WNR : 0;
    UserFault f = {.sig = t->fault_sig, .code = (int)c->fault_code, .addr = c->fault_addr};
    if (f.sig == SIGSEGV) {
        bool mapped = user_map_find(&t->proc->map, f.addr, &r);
        f.code = mapped ? CODE_ACCERR : CODE_MAPERR;
        f.esr = esr(EC_DATA_ABORT, wnr | (mapped ? DFSC_PERMISSION : DFSC_TRANSLATION));
    } else {
        f.esr = esr(EC_DATA_ABORT, wnr | (f.code == CODE_ADRALN ? DFSC_ALIGN : DFSC_TRANSLATION));
    }
    user_signal_fault(t, &f);
}

static void fetch_fault(UserThread *t)
{
    UserRegion r;
    uint64_t pc = t->cpu.pc;
    bool mapped = user_map_find(&t->proc->map, pc, &r);
    if (mapped && (r.prot & PROT_EXEC)) {
        uint32_t word;
        if (!user_get(&word, pc, sizeof word)) {
            return; /* mapped by now: again */
        }
        UserFault bus = {SIGBUS, 2, pc, esr(EC_INSN_ABORT, DFSC_TRANSLATION)};
        user_signal_fault(t, &bus);
        return;
    }
    UserFault f = {SIGSEGV, mapped ? CODE_ACCERR : CODE_MAPERR, pc,
                   esr(EC_INSN_ABORT, mapped ? DFSC_PERMISSION : DFSC_TRANSLATION)};
    user_signal_fault(t, &f);
}

static void simple_fault(UserThread *t, int sig, int code, uint64_t addr, uint64_t e)
{
    UserFault f = {sig, code, addr, e};
    user_signal_fault(t, &f);
}

/* The vdso's clock functions: an SVC of their own, without a turn through the kernel. */
static void fast_clock(UserThread *t, uint64_t imm)
{
    uint64_t *x = t->cpu.x;
    struct timespec ts;
    if (imm == USER_SVC_GETTIMEOFDAY) {
        clock_gettime(CLOCK_REALTIME, &ts);
        int64_t tv[2] = {ts.tv_sec, ts.tv_nsec / 1000}, tz[1] = {0};
        int e = x[0] ? user_put(x[0], tv, sizeof tv) : 0;
        x[0] = (uint64_t)(int64_t)(x[1] && !e ? user_put(x[1], tz, sizeof tz) : e);
        return;
    }
    int r = imm == USER_SVC_CLOCK_GETTIME ? clock_gettime((clockid_t)x[0], &ts)
                                          : clock_getres((clockid_t)x[0], &ts);
    if (r) {
        x[0] = (uint64_t)-22;
    } else if (!x[1] && imm == USER_SVC_CLOCK_GETRES) {
        x[0] = 0;
    } else {
        x[0] = (uint64_t)(int64_t)user_put(x[1], &ts, sizeof ts);
    }
}

static void svc(UserThread *t, uint64_t imm)
{
    UserProcess *p = t->proc;
    uint64_t pc = t->cpu.pc;
    if (imm >= USER_SVC_CLOCK_GETTIME && imm <= USER_SVC_CLOCK_GETRES && p->vdso &&
        pc - p->vdso < p->vdso_bytes) {
        fast_clock(t, imm);
        return;
    }
    user_syscall(t);
}

void user_a64_handle(UserThread *t, TcgExit why)
{
    uint64_t info = t->cpu.tcg.exit_info, pc = t->cpu.pc;
    t->cpu.excl_addr = UINT64_MAX; /* an exception return clears the monitor (B2.9.3) */
    switch (why) {
    case TCG_EXIT_SYSCALL: svc(t, info); break;
    case TCG_EXIT_REQUEST: break;
    case TCG_EXIT_FAULT: memory_fault(t); break;
    case TCG_EXIT_FETCH: fetch_fault(t); break;
    case TCG_EXIT_UNDEF:
    case TCG_EXIT_BTI: simple_fault(t, SIGILL, CODE_ILLOPC, pc, 0); break;
    case TCG_EXIT_PAC: simple_fault(t, SIGILL, CODE_ILLOPN, pc, 0); break;
    case TCG_EXIT_BREAK: simple_fault(t, SIGTRAP, CODE_TRAP_BRKPT, pc, 0); break;
    case TCG_EXIT_ALIGN:
        simple_fault(t, SIGBUS, CODE_ADRALN, info, esr(EC_DATA_ABORT, DFSC_ALIGN));
        break;
    case TCG_EXIT_PC_ALIGN: simple_fault(t, SIGBUS, CODE_ADRALN, pc, esr(EC_PC_ALIGN, 0)); break;
    case TCG_EXIT_DIVIDE: simple_fault(t, SIGFPE, CODE_FPE_INTDIV, pc, 0); break;
    default:
        fprintf(stderr, "gemel: the translator left with reason %d, which no one handles\n", why);
        abort();
    }
}

/* Guarded pages (AArch64 only): PSTATE.BTYPE is kept from the process's first one on. */
static void track_btype(UserThread *t)
{
    if (!(t->cpu.mode_bits & A64_MODE_BTI)) {
        t->cpu.mode_bits |= A64_MODE_BTI;
        t->cpu.btype = 0;
    }
}

void user_cpu_loop(UserThread *t)
{
    for (;;) {
        uint32_t request = __atomic_load_n(&t->cpu.tcg.request, __ATOMIC_ACQUIRE);
        if (request & TCG_REQ_EXIT) {
            __atomic_fetch_and(&t->cpu.tcg.request, ~(uint32_t)TCG_REQ_EXIT, __ATOMIC_ACQ_REL);
        }
        if (atomic_load_explicit(&t->proc->map.guarded, memory_order_relaxed)) {
            track_btype(t);
        }
        if (request & TCG_REQ_SIGNAL) {
            user_signals_deliver(t);
        }
        t->proc->abi->handle(t, tcg_run(&t->cpu.tcg));
    }
}

/* ---- threads' memory: large (jump cache, spill area) and aligned, so from mmap ---- */

UserThread *user_thread_new(UserProcess *p)
{
    UserThread *t =
        mmap(NULL, sizeof *t, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (t == MAP_FAILED) {
        return NULL;
    }
    t->proc = p;
    t->cpu.tcg.owner = t;
    return t;
}

void user_thread_free(UserThread *t)
{
    munmap(t, sizeof *t);
}
