/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mseal, which the emulator does by itself: also where the host's kernel has none. */
#include "calls.h"

enum { PAGE = 4096 };

int main(void)
{
    char *p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    VAL(mseal, 0, p + PAGE, PAGE, 0);
    VAL(mseal, 0, p, 0, 0);
    ERR(mseal, EINVAL, p, PAGE, 1);
    ERR(mseal, EINVAL, p + 1, PAGE, 0);
    ERR(mseal, ENOMEM, 4096, PAGE, 0);
    ERR(munmap, EPERM, p, 4 * PAGE);
    ERR(mprotect, EPERM, p + PAGE, PAGE, PROT_READ);
    ERR(mmap, EPERM, p, 4 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    ERR(mremap, EPERM, p + PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE, 0);
    ERR(mremap, EPERM, p, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p + PAGE);
    VAL(madvise, 0, p + PAGE, PAGE, MADV_DONTNEED);
    VAL(mprotect, 0, p + 2 * PAGE, PAGE, PROT_READ);
    VAL(mseal, 0, p + 2 * PAGE, PAGE, 0);
    ERR(madvise, EPERM, p + 2 * PAGE, PAGE, MADV_DONTNEED);
    VAL(munmap, 0, p + 3 * PAGE, PAGE);
    DID(mseal, p[PAGE] == 0 && !(p[PAGE] = 1, p[PAGE] - 1));
    return 0;
}
