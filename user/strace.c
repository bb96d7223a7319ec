/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -strace: one line a system call, from the argument letters of syscalls.def. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "user/guest_abi.h"

enum { LINE = 1024, SHOWN = 64 };

typedef struct Line {
    char s[LINE];
    size_t n;
} Line;

__attribute__((format(printf, 2, 3))) static void add(Line *l, const char *format, ...)
{
    va_list v;
    va_start(v, format);
    int n = vsnprintf(l->s + l->n, LINE - l->n, format, v);
    va_end(v);
    l->n += n > 0 ? (size_t)n : 0;
    l->n = l->n < LINE - 1 ? l->n : LINE - 1;
}

static void add_quoted(Line *l, const char *s, size_t n)
{
    add(l, "\"");
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c == '\n') {
            add(l, "\\n");
        } else if (c < 32 || c > 126 || c == '"' || c == '\\') {
            add(l, "\\x%02x", c);
        } else {
            add(l, "%c", c);
        }
    }
    add(l, "\"");
}

static void add_string(Line *l, uint64_t at)
{
    char s[512];
    if (!at) {
        add(l, "NULL");
    } else if (user_get_string(s, at, sizeof s) < 0) {
        add(l, "%#" PRIx64, at);
    } else {
        add_quoted(l, s, strlen(s));
    }
}

static void add_text(Line *l, uint64_t at, uint64_t bytes)
{
    char s[SHOWN];
    size_t n = bytes < SHOWN ? bytes : SHOWN;
    if (user_get(s, at, n)) {
        add(l, "%#" PRIx64, at);
        return;
    }
    add_quoted(l, s, n);
    add(l, bytes > SHOWN ? "..." : "");
}

static void add_open_flags(Line *l, uint64_t f)
{
    static const struct {
        uint32_t bit;
        const char *name;
    } names[] = {
        {0100, "O_CREAT"},       {0200, "O_EXCL"},         {0400, "O_NOCTTY"},
        {01000, "O_TRUNC"},      {02000, "O_APPEND"},      {04000, "O_NONBLOCK"},
        {010000, "O_DSYNC"},     {040000, "O_DIRECTORY"},  {0100000, "O_NOFOLLOW"},
        {0200000, "O_DIRECT"},   {0400000, "O_LARGEFILE"}, {01000000, "O_NOATIME"},
        {02000000, "O_CLOEXEC"}, {010000000, "O_PATH"},
    };
    static const char *const modes[] = {"O_RDONLY", "O_WRONLY", "O_RDWR", "3"};
    add(l, "%s", modes[f & 3]);
    f &= ~(uint64_t)3;
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if (f & names[i].bit) {
            add(l, "|%s", names[i].name);
            f &= ~(uint64_t)names[i].bit;
        }
    }
    if (f) {
        add(l, "|%#" PRIx64, f);
    }
}

static void add_arg(Line *l, char kind, uint64_t v, uint64_t next)
{
    switch (kind) {
    case 'd':
    case 'S':
        add(l, "%" PRId64,
            (int64_t)(int32_t)v == (int64_t)v || v >> 32 == 0 ? (int64_t)(int32_t)v : (int64_t)v);
        break;
    case 'f':
        if ((int32_t)v == AT_FDCWD) {
            add(l, "AT_FDCWD");
        } else {
            add(l, "%d", (int32_t)v);
        }
        break;
    case 'u': add(l, "%" PRIu64, v); break;
    case 'o': add(l, "0%" PRIo64, v); break;
    case 's': add_string(l, v); break;
    case 't': add_text(l, v, next); break;
    case 'O': add_open_flags(l, v); break;
    default: add(l, v ? "%#" PRIx64 : "NULL", v); break;
    }
}

static void out(UserThread *t, const Line *l)
{
    fwrite(l->s, 1, l->n, t->proc->log);
    fflush(t->proc->log);
}

void user_strace_enter(UserThread *t, unsigned nr, const uint64_t a[6])
{
    Line l = {.n = 0};
    const UserSyscall *s = nr < USER_N_SYSCALLS ? &t->proc->abi->syscalls[nr] : NULL;
    add(&l, "%d ", t->tid);
    if (!s || !s->kind) {
        add(&l, "syscall_%u(%#" PRIx64 ", %#" PRIx64 ", %#" PRIx64 ")", nr, a[0], a[1], a[2]);
    } else {
        add(&l, "%s(", s->name);
        for (unsigned i = 0; s->args[i]; i++) {
            add(&l, i ? ", " : "");
            add_arg(&l, s->args[i], a[i], i < 5 ? a[i + 1] : 0);
        }
        add(&l, ")");
    }
    if (nr == 93 || nr == 94) {
        add(&l, " = ?\n");
    }
    out(t, &l);
}

const char *user_errno_name(int e)
{
    const char *n = strerrorname_np(e);
    return n ? n : "E?";
}

void user_strace_leave(UserThread *t, unsigned nr, int64_t r)
{
    (void)nr;
    Line l = {.n = 0};
    if (r == -USER_ENOTYET || r == -USER_ERESTARTSYS || r == -USER_ERESTARTNOHAND) {
        add(&l, " = ? (restart)\n");
    } else if (r == -USER_ENORET) {
        add(&l, " = ?\n");
    } else if (r < 0 && r > -4096) {
        add(&l, " = -1 %s (%s)\n", user_errno_name((int)-r), strerror((int)-r));
    } else {
        add(&l, r >= -1 && r < 100000 ? " = %" PRId64 "\n" : " = %#" PRIx64 "\n", r);
    }
    out(t, &l);
}

void user_strace_signal(UserThread *t, int sig, const siginfo_t *si)
{
    Line l = {.n = 0};
    add(&l, "--- SIG%s si_code=%d si_addr=%p pc=%#" PRIx64 " ---\n",
        sigabbrev_np(sig) ? sigabbrev_np(sig) : "RT", si->si_code, si->si_addr,
        t->proc->abi->pc(t));
    out(t, &l);
}
