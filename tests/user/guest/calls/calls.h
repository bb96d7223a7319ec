/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For the programs of tests/suites/syscalls.sh: raw system calls, and one line for each answer,
 * "ok - ROW: result ..." or "ok - ROW: error ...", where ROW is a name of user/syscalls.def.
 *
 * A program is built for the host and for the guest; the suite compares the lines, so they carry
 * what the kernel answered and nothing that changes from run to run. What is expected here is
 * what a Linux kernel of today answers root.
 */
#ifndef CALLS_H
#define CALLS_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef SYS_cachestat
#define SYS_cachestat 451
#define SYS_fchmodat2 452
#define SYS_map_shadow_stack 453
#define SYS_futex_wake 454
#define SYS_futex_wait 455
#define SYS_futex_requeue 456
#define SYS_statmount 457
#define SYS_listmount 458
#define SYS_lsm_get_self_attr 459
#define SYS_lsm_set_self_attr 460
#define SYS_lsm_list_modules 461
#define SYS_mseal 462
#endif
#ifndef SYS_set_mempolicy_home_node
#define SYS_set_mempolicy_home_node 450
#endif
#ifndef SYS_setxattrat
#define SYS_setxattrat 463
#define SYS_getxattrat 464
#define SYS_listxattrat 465
#define SYS_removexattrat 466
#define SYS_open_tree_attr 467
#define SYS_file_getattr 468
#define SYS_file_setattr 469
#endif

/* A pointer no program has, and a descriptor no program has. */
#define BAD ((void *)0x7ffffffff000)
#define NOFD 777

typedef struct CallArgs { long a, b, c, d, e, f, none; } CallArgs;

/* The call's result, or its error below zero. */
static inline long call_kernel(long nr, CallArgs x)
{
    long r = syscall(nr, x.a, x.b, x.c, x.d, x.e, x.f);
    return r == -1 ? -errno : r;
}

static inline const char *call_error(long r)
{
    const char *name = r < 0 && r > -4096 ? strerrorname_np((int)-r) : "no error";
    return name ? name : "unknown error";
}

static inline void call_line(bool ok, const char *row, const char *kind, const char *more)
{
    char line[400];
    int n = snprintf(line, sizeof line, "%s - %s: %s %s\n", ok ? "ok" : "not ok", row, kind, more);
    (void)!write(1, line, (size_t)n);
}

static inline long call_result(const char *row, long r)
{
    call_line(r >= 0, row, "result", r < 0 ? call_error(r) : "");
    return r;
}

static inline void call_value(const char *row, long r, long want)
{
    char text[64];
    snprintf(text, sizeof text, "is not %ld", want);
    call_line(r == want, row, "result", r == want ? "" : r < 0 ? call_error(r) : text);
}

static inline void call_fails(const char *row, long r, int want)
{
    call_line(r == -want, row, "error", call_error(r));
}

/* The call itself. */
#define S(row, ...) call_kernel(SYS_##row, (CallArgs){__VA_ARGS__})
/* Answers zero or more; the answer. */
#define RES(row, ...) call_result(#row, S(row, __VA_ARGS__))
/* Answers `want`. */
#define VAL(row, want, ...) call_value(#row, S(row, __VA_ARGS__), want)
/* What the call did is right. */
#define DID(row, x) call_line((x) != 0, #row, "result", #x)
/* Fails with errno `want`. */
#define ERR(row, want, ...) call_fails(#row, S(row, __VA_ARGS__), want)
/* A call that cannot fail. */
#define NOERR(row) call_line(true, #row, "error", "none is defined")
/* A call whose success would change the machine: its refusals are all that is looked at. */
#define REFUSED(row) call_line(true, #row, "result", "not asked for")

/* f() in a child process, whose changes of itself are gone with it. */
static inline void in_child(void (*f)(void))
{
    int status;
    pid_t pid = fork();
    if (!pid) {
        f();
        _exit(0);
    }
    if (pid < 0 || waitpid(pid, &status, 0) < 0 || status) {
        char text[64];
        snprintf(text, sizeof text, "not ok - a child ended with status %#x\n", (unsigned)status);
        (void)!write(1, text, strlen(text));
    }
}

/* As in_child(), without any capability. */
static inline void drop_all(void)
{
    struct { uint32_t version; int pid; } head = {0x20080522, 0};
    uint32_t sets[6] = {0};
    syscall(SYS_capset, &head, sets);
}

#endif
