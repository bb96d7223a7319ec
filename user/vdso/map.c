/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Puts the vdso into the guest's memory. */
#include <string.h>
#include <sys/mman.h>

#include "user/mm.h"
#include "user/user.h"
#include "user/vdso/vdso.h"

void user_vdso_map(UserProcess *p)
{
    size_t bytes = user_page_up(user_vdso_image_bytes);
    uint8_t *a = user_map_reserve(&p->map, bytes, PROT_READ | PROT_WRITE);
    if (!a) {
        return;
    }
    memcpy(a, user_vdso_image, user_vdso_image_bytes);
    mprotect(a, bytes, PROT_READ);
    p->vdso = (uint64_t)a;
    p->vdso_bytes = bytes;
    p->sigreturn = p->vdso + user_vdso_sigreturn;
    UserRegion r = {.start = p->vdso,
                    .end = p->vdso + bytes,
                    .prot = PROT_READ | PROT_EXEC,
                    .kind = USER_R_VDSO};
    user_map_note(&p->map, &r);
}
