/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads and processes of user mode, between thread.c and sys_process.c. */
#ifndef GEMEL_USER_THREAD_H
#define GEMEL_USER_THREAD_H

#include "user/user.h"

/* clone and clone3, in one form; stack is its top (0: the parent's). */
typedef struct UserCloneArgs {
    uint64_t flags, exit_signal, stack, tls, ptid, ctid, pidfd;
} UserCloneArgs;

/* The child's id in the parent, 0 in a forked child, or -errno. */
int64_t  user_clone(UserThread *t, const UserCloneArgs *k);
unsigned user_thread_unlist(UserThread *t);
void     user_thread_unmap_altstack(UserThread *t);
/* CLONE_CLEAR_SIGHAND: every handler becomes the default. */
void     user_actions_clear(UserThread *t);

#endif
