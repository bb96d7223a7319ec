/* SPDX-License-Identifier: GPL-2.0-or-later */
/* NUMBER NAME ...: each of these system calls answers ENOSYS. */
#include "calls.h"

int main(int argc, char **argv)
{
    for (int i = 1; i + 1 < argc; i += 2) {
        long r = call_kernel(atol(argv[i]), (CallArgs){0});
        call_line(r == -ENOSYS, argv[i + 1], "error", call_error(r));
    }
    return 0;
}
