/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signal calls of user mode, between signals.c and sys_signal.c, thread.c. */
#ifndef GEMEL_USER_SIG_H
#define GEMEL_USER_SIG_H

#include "user/user.h"

/* Tells the host what the guest's action for sig needs; UserProcess.lock held. */
void user_signal_install(const UserThread *t, int sig);
/* The guest's mask becomes the host's, unless a signal waits in the slot: its delivery does that
 * then, and until then nothing may overwrite it. */
void user_signals_sync(UserThread *t);
/* Undoes user_thread_enter(): on the leaving host thread, all signals blocked. */
void user_thread_leave(UserThread *t);

/* sp lies on the alternate stack (sigframe.c). */
bool user_on_altstack(const UserThread *t, uint64_t sp);

#endif
