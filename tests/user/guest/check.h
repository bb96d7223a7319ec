/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For guest programs: each check() is counted; done() prints them and gives the exit status. */
#ifndef CHECK_H
#define CHECK_H

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int checks, failures;

#define check(x) check_at((x) != 0, #x, __LINE__)
#define check_errno(x, e) check_at((x) == -1 && errno == (e), #x " fails with " #e, __LINE__)

static inline void check_at(int ok, const char *what, int line)
{
    checks++;
    if (!ok) {
        failures++;
        printf("line %d: %s (errno %d %s)\n", line, what, errno, strerror(errno));
    }
}

static inline int done(const char *name)
{
    printf("%s: %d checks, %d failures\n", name, checks, failures);
    return failures != 0;
}

#endif
