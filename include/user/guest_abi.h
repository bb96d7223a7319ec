/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What differs between the Linux ABIs that user mode offers: one constant UserAbi per ELF machine.
 * The program's ELF header chooses (loader.c); it holds for the whole process.
 */
#ifndef GEMEL_USER_GUEST_ABI_H
#define GEMEL_USER_GUEST_ABI_H

#include "user/thread.h"
#include "user/user.h"

typedef struct UserAbi {
    const char     *name;          /* AT_PLATFORM and uname(2): "aarch64" */
    uint16_t        machine;       /* EM_ of the ELF header */
    bool            native;        /* the host runs such programs itself */
    bool            vdso;          /* user_vdso_map() has an image for it */
    uint32_t        min_sigstack;  /* AT_MINSIGSTKSZ */
    const TcgGuest *guest;
    const char *const *(*cpu_models)(void);
    const UserSyscall *syscalls;   /* by the ABI's own numbers, USER_N_SYSCALLS of them */
    /* Registers of a process start, CPU model; false: no such model. */
    bool     (*reset)(UserThread *t, const char *model);
    void     (*start)(UserThread *t, uint64_t pc, uint64_t sp);
    uint64_t (*pc)(const UserThread *t);
    uint64_t (*sp)(const UserThread *t);
    /* AT_HWCAP (word 0) and AT_HWCAP2 (1). */
    uint64_t (*hwcap)(const UserThread *t, unsigned word);
    /* c gets t's registers (c may be t), changed as clone() changes them for the child. */
    void     (*child)(UserThread *c, const UserThread *t, const UserCloneArgs *k);
    /* Number and arguments of the system call at hand. */
    unsigned (*call)(const UserThread *t, uint64_t a[6]);
    void     (*result)(UserThread *t, int64_t r);
    /* The interrupted call begins again (its registers were left alone). */
    void     (*again)(UserThread *t);
    /* Does what the guest's kernel would after tcg_run() returned `why`. */
    void     (*handle)(UserThread *t, TcgExit why);
    /* user_frame_push() and user_frame_pop() of user.h for this ABI. */
    bool     (*frame_push)(UserThread *t, const siginfo_t *si, const UserSigaction *act,
                           uint64_t frame_mask, const UserFault *fault);
    bool     (*frame_pop)(UserThread *t, uint64_t *mask);
    /* prctl() options of the architecture: -USER_ENOTYET when a[0] is none of them. NULL: none. */
    int64_t  (*prctl)(UserThread *t, const uint64_t a[6]);
} UserAbi;

extern const UserAbi user_abi_aarch64, user_abi_x86_64;

/* The ABI for an ELF machine, NULL when there is none. */
const UserAbi *user_abi_find(unsigned machine);
/* AArch64's part of the table that lives in loop.c. */
void user_a64_handle(UserThread *t, TcgExit why);

#endif
