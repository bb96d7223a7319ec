/* SPDX-License-Identifier: GPL-2.0-or-later */
/* AArch64 Linux as a UserAbi; its system calls: syscalls.def, its frames: sigframe.c. */
#include <elf.h>
#include <errno.h>
#include <linux/prctl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "user/guest_abi.h"

enum { MINSIGSTKSZ_A64 = 4720 }; /* frame without SVE, as the kernel announces */
enum { ALL_KEYS = 0x1f, ADDRESS_KEYS = 0x0f };

/* New keys for pointer authentication; bit n of `which` as PR_PAC_AP*KEY: IA, IB, DA, DB, GA. */
static void new_keys(UserThread *t, uint64_t which)
{
    for (unsigned i = 0; i < 5; i++) {
        if (which >> i & 1 && getrandom(t->cpu.pac_key[i], sizeof t->cpu.pac_key[i], 0) < 0) {
            abort();
        }
    }
}

static bool reset(UserThread *t, const char *model)
{
    if (!a64_cpu_reset(&t->cpu, model, __builtin_cpu_supports("avx"))) {
        return false;
    }
    new_keys(t, a64_has(&t->cpu, A64_FEAT_PAuth) ? ALL_KEYS : 0);
    t->proc->map.prot_arch = a64_has(&t->cpu, A64_FEAT_BTI) ? USER_PROT_BTI : 0;
    return true;
}

/* Linux Documentation/arch/arm64/pointer-authentication.rst; keys cannot be switched off here. */
static int64_t a64_prctl(UserThread *t, const uint64_t a[6])
{
    bool pauth = a64_has(&t->cpu, A64_FEAT_PAuth);
    switch ((int)a[0]) {
    case PR_PAC_RESET_KEYS:
        if (!pauth || (a[1] & ~(uint64_t)ALL_KEYS) || a[2] || a[3] || a[4]) {
            return -EINVAL;
        }
        new_keys(t, a[1] ? a[1] : ALL_KEYS);
        return 0;
    case PR_PAC_SET_ENABLED_KEYS:
        return !pauth || (a[1] & ~(uint64_t)ADDRESS_KEYS) || a[2] != a[1] || a[3] || a[4] ? -EINVAL
                                                                                          : 0;
    case PR_PAC_GET_ENABLED_KEYS:
        return !pauth || a[1] || a[2] || a[3] || a[4] ? -EINVAL : ADDRESS_KEYS;
    case PR_GET_TAGGED_ADDR_CTRL:
    case PR_SET_TAGGED_ADDR_CTRL: /* system calls take no tagged pointers */
        return a[1] || a[2] || a[3] || a[4] ? -EINVAL : 0;
    default: return -USER_ENOTYET;
    }
}

static void start(UserThread *t, uint64_t pc, uint64_t sp)
{
    t->cpu.pc = pc;
    t->cpu.sp = sp;
}

static uint64_t get_pc(const UserThread *t)
{
    return t->cpu.pc;
}

static uint64_t get_sp(const UserThread *t)
{
    return t->cpu.sp;
}

static uint64_t hwcap(const UserThread *t, unsigned word)
{
    return word ? a64_hwcap2(&t->cpu) : a64_hwcap(&t->cpu);
}

static void child(UserThread *c, const UserThread *t, const UserCloneArgs *k)
{
    if (c != t) {
        memcpy(&c->cpu.x, &t->cpu.x, sizeof c->cpu - offsetof(A64Cpu, x));
        c->cpu.tcg.fp_mode = t->cpu.tcg.fp_mode;
        c->cpu.tcg.fp_flags = t->cpu.tcg.fp_flags;
    }
    c->cpu.x[0] = 0;
    c->cpu.excl_addr = ~(uint64_t)0;
    if (k->stack) {
        c->cpu.sp = k->stack;
    }
    if (k->flags & CLONE_SETTLS) {
        c->cpu.tpidr_el0 = k->tls;
    }
}

static unsigned call(const UserThread *t, uint64_t a[6])
{
    memcpy(a, t->cpu.x, 6 * sizeof *a);
    return (unsigned)t->cpu.x[8];
}

static void result(UserThread *t, int64_t r)
{
    t->cpu.x[0] = (uint64_t)r;
}

static void again(UserThread *t)
{
    t->cpu.pc -= 4; /* x0 was left alone */
}

const UserAbi user_abi_aarch64 = {
    .name = "aarch64",
    .machine = EM_AARCH64,
    .vdso = true,
    .min_sigstack = MINSIGSTKSZ_A64,
    .guest = &a64_guest,
    .cpu_models = a64_cpu_models,
    .syscalls = user_syscalls,
    .reset = reset,
    .start = start,
    .pc = get_pc,
    .sp = get_sp,
    .hwcap = hwcap,
    .child = child,
    .call = call,
    .result = result,
    .again = again,
    .handle = user_a64_handle,
    .frame_push = user_frame_push,
    .frame_pop = user_frame_pop,
    .prctl = a64_prctl,
};

const UserAbi *user_abi_find(unsigned machine)
{
    static const UserAbi *const all[] = {&user_abi_aarch64, &user_abi_x86_64};
    for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
        if (all[i]->machine == machine) {
            return all[i];
        }
    }
    return NULL;
}
