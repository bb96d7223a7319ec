/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gemel-user: runs a Linux program of another ISA. */
#include <stdio.h>

int main(void)
{
    fputs("gemel-user: this build has no user mode yet\n", stderr);
    return 1;
}
