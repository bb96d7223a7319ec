/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The system call table, made from syscalls.def, and the way in. */
#include <errno.h>
#include <string.h>

#include "user/guest_abi.h"

#define SYS_IMPL(nr, name, args) int64_t sys_##name(UserThread *t, const uint64_t a[6]);
#define SYS_PASS(nr, name, args, host)
#define SYS_NONE(nr, name, args)
#include "user/syscalls.def"
#undef SYS_IMPL
#undef SYS_PASS
#undef SYS_NONE

const UserSyscall user_syscalls[USER_N_SYSCALLS] = {
#define SYS_IMPL(nr, name, args) [nr] = {#name, sys_##name, -1, USER_SYS_IMPL, args},
#define SYS_PASS(nr, name, args, host) [nr] = {#name, NULL, host, USER_SYS_PASS, args},
#define SYS_NONE(nr, name, args) [nr] = {#name, NULL, -1, USER_SYS_ENOSYS, args},
#include "user/syscalls.def"
#undef SYS_IMPL
#undef SYS_PASS
#undef SYS_NONE
};

void user_syscall(UserThread *t)
{
    const UserAbi *abi = t->proc->abi;
    uint64_t a[6];
    unsigned nr = abi->call(t, a);
    t->syscall_nr = nr;
    const UserSyscall *row = &abi->syscalls[nr < USER_N_SYSCALLS ? nr : USER_N_SYSCALLS - 1];
    if (t->proc->opt->strace) {
        user_strace_enter(t, nr, a);
    }
    int64_t r = row->kind == USER_SYS_PASS ? user_host_call(t, row->host, a)
                : row->fn                  ? row->fn(t, a)
                                           : -ENOSYS;
    if (!row->fn && r == -ENOSYS && t->proc->opt->log_unimp) {
        fprintf(t->proc->log, "system call %u (%s) is not implemented\n", nr,
                row->name ? row->name : "unknown");
    }
    if (t->proc->opt->strace) {
        user_strace_leave(t, nr, r);
    }
    if (r == -USER_ENORET) {
        return;
    }
    if (r == -USER_ENOTYET || r == -USER_ERESTARTSYS || r == -USER_ERESTARTNOHAND) {
        t->restart = (int)-r;
        tcg_request(&t->cpu.tcg, TCG_REQ_SIGNAL); /* settled there, whatever came of the signal */
        return;
    }
    abi->result(t, r);
}

void user_syscalls_list(FILE *out)
{
    static const char *const kinds[] = {"", "implemented", "passed through", "ENOSYS"};
    unsigned count[4] = {0};
    for (unsigned i = 0; i < USER_N_SYSCALLS; i++) {
        const UserSyscall *s = &user_syscalls[i];
        if (s->kind) {
            count[s->kind]++;
            fprintf(out, "%3u  %-24s %s\n", i, s->name, kinds[s->kind]);
        }
    }
    fprintf(out, "%u implemented, %u passed through, %u ENOSYS\n", count[USER_SYS_IMPL],
            count[USER_SYS_PASS], count[USER_SYS_ENOSYS]);
}
