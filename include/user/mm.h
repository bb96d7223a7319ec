/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory calls of user mode: results as the guest sees them (address, 0 or -errno). */
#ifndef GEMEL_USER_MM_H
#define GEMEL_USER_MM_H

#include "user/user.h"

uint64_t user_page_up(uint64_t v);
int64_t  user_mprotect(UserProcess *p, uint64_t addr, uint64_t len, int prot);
int64_t  user_mremap(UserProcess *p, const uint64_t a[6]);
int64_t  user_mseal(UserProcess *p, uint64_t addr, uint64_t bytes);
int64_t  user_brk(UserProcess *p, uint64_t want);
int64_t  user_madvise(UserProcess *p, uint64_t addr, uint64_t len, int advice);
int64_t  user_shmat(UserProcess *p, int id, uint64_t addr, int flags);
int64_t  user_shmdt(UserProcess *p, uint64_t addr);

/* ---- the array itself: UserMap.lock held ---- */

/* Index of the first region that ends above addr. */
size_t user_map_index(const UserMap *m, uint64_t addr);
/* Some of [start, end) is sealed. */
bool   user_map_sealed(const UserMap *m, uint64_t start, uint64_t end);
/* true: executable pages went. */
bool   user_map_remove(UserMap *m, uint64_t start, uint64_t end);
bool   user_map_set(UserMap *m, UserRegion r);

#endif
