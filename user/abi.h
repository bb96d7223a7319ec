/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where arm64's kernel ABI differs from x86-64's: conversions used by several families. */
#ifndef GEMEL_USER_ABI_H
#define GEMEL_USER_ABI_H

#include <stdint.h>

#include "user/user.h"

/* A system call of syscalls.def. */
#define SYS_DEF(name) \
    int64_t sys_##name(UserThread *t, const uint64_t a[6]); \
    int64_t sys_##name(UserThread *t, const uint64_t a[6])

/* Open flags (arm64 asm/fcntl.h and x86's asm-generic values): four bits differ. */
uint64_t user_open_flags_to_host(uint64_t guest);
uint64_t user_open_flags_to_guest(uint64_t host);

#endif
