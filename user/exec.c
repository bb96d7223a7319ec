/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * execve: AArch64 programs and scripts for them run in this emulator again, with the same options;
 * what is neither goes to the host's kernel. Errors a kernel would report are found before the
 * point of no return.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "user/guest_abi.h"

enum { MAX_ARGS = 1 << 20, SCRIPT_DEPTH = 5 };

/*
 * ---- the descriptor of our own executable
 *
 * None is held while /proc/self/exe can be opened. Before a call that may take /proc away (chroot,
 * mounts), one is opened, out of the guest's way, and handed on to children (-self-fd).
 */

static int open_self(void)
{
    return open("/proc/self/exe", O_PATH | O_CLOEXEC);
}

/* The kernel found us by binfmt_misc (with flag P): AT_EXECFN names the guest's program, not us. */
static bool started_by_binfmt(void)
{
    return getauxval(AT_FLAGS) & 1;
}

/* Holds fd as ours, at a number that programs do not look for. */
static void hold_self(UserProcess *p, int fd)
{
    struct rlimit l;
    p->self_fd = fd;
    if (!getrlimit(RLIMIT_NOFILE, &l)) {
        int want = l.rlim_cur > 4096 ? 4095 : (int)l.rlim_cur - 1;
        int high = fd == want ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, want);
        if (high >= 0) {
            close(fd);
            p->self_fd = high;
        }
    }
}

void user_self_fd_init(UserProcess *p)
{
    int fd = p->opt->self_fd;
    p->self_fd = -1;
    if (fd > 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) >= 0) {
        p->self_fd = fd;
    } else if (!started_by_binfmt() && access("/proc/self/exe", F_OK)) {
        fd = open((const char *)getauxval(AT_EXECFN), O_PATH | O_CLOEXEC);
        if (fd >= 0) {
            hold_self(p, fd);
        }
    }
}

void user_self_fd_keep(UserProcess *p)
{
    int fd = p->self_fd >= 0 ? -1 : open_self();
    if (fd >= 0) {
        hold_self(p, fd);
    }
}

bool user_is_self_fd(const UserProcess *p, int fd)
{
    return fd >= 0 && fd == p->self_fd;
}

/* ---- what is to be run ---- */

typedef struct Exec {
    char path[PATH_MAX];                    /* program for the new emulator */
    char names[SCRIPT_DEPTH * 3][PATH_MAX]; /* what scripts put before the arguments */
    uint64_t before[SCRIPT_DEPTH * 3];      /* pointers, the last first */
    unsigned n_before;
    bool foreign; /* not ours: the kernel's */
    bool linked;  /* path was a link of /proc that we answer */
    UserImage im, interp;
} Exec;

/* Interpreter of a program: must be there, or the exec fails as a whole. */
static int check_interp(UserThread *t, Exec *x)
{
    char buf[PATH_MAX];
    const char *why;
    if (!x->im.interp[0]) {
        return 0;
    }
    int e =
        user_image_open(&x->interp, user_path(t->proc->opt, x->im.interp, buf), t->proc->opt, &why);
    if (x->interp.fd >= 0) {
        close(x->interp.fd);
    }
    return e == -ENOEXEC ? -ELIBBAD : e;
}

/* Follows "#!" lines to a program. Fills x; 0 or -errno. */
static int resolve(UserThread *t, Exec *x)
{
    for (int depth = 0; depth <= SCRIPT_DEPTH; depth++) {
        char buf[PATH_MAX], interp[256], arg[256];
        const char *why;
        const char *link = user_proc_link(t, x->path);
        int e = user_image_open(&x->im, link ? link : user_path(t->proc->opt, x->path, buf),
                                t->proc->opt, &why);
        int is = e == -ENOEXEC && x->im.fd >= 0 ? user_script_parse(x->im.fd, interp, arg) : 0;
        if (x->im.fd >= 0) {
            close(x->im.fd);
        }
        if (link) {
            x->linked = true;
            snprintf(x->path, sizeof x->path, "%s", link);
        }
        if (!e && x->im.abi->native && !t->proc->abi->native) {
            x->foreign = true;
            return 0;
        }
        if (!e) {
            return check_interp(t, x);
        }
        if (is < 0) {
            return is;
        }
        if (is == 0) {
            x->foreign = e == -ENOEXEC;
            return e == -ENOEXEC ? 0 : e;
        }
        if (depth == SCRIPT_DEPTH) {
            break;
        }
        const char *put[3] = {x->path, arg[0] ? arg : NULL, interp};
        for (int i = 0; i < 3; i++) {
            if (put[i]) {
                snprintf(x->names[x->n_before], PATH_MAX, "%s", put[i]);
                x->before[x->n_before] = (uint64_t)x->names[x->n_before];
                x->n_before++;
            }
        }
        snprintf(x->path, sizeof x->path, "%s", interp);
    }
    return -ELOOP;
}

/* How many pointers before the NULL; -EFAULT, -E2BIG. */
static int64_t count_pointers(uint64_t at)
{
    uint64_t v;
    for (int64_t n = 0; at; n++) {
        if (n == MAX_ARGS) {
            return -E2BIG;
        }
        if (user_get(&v, at + (uint64_t)n * 8, 8)) {
            return -EFAULT;
        }
        if (!v) {
            return n;
        }
    }
    return 0;
}

/* argv for the host: emulator, options, -0 NAME, program, arguments. */
static size_t fill_argv(UserThread *t, Exec *x, uint64_t *v, uint64_t guest_argv, size_t argc,
                        char fd_text[16])
{
    const UserOptions *o = t->proc->opt;
    size_t n = 0;
    uint64_t first = (uint64_t) "";
    if (argc) {
        memcpy(&first, (const void *)guest_argv, 8);
    }
    v[n++] = (uint64_t)o->program;
    for (unsigned i = 0; i < o->n_inherit; i++) {
        v[n++] = (uint64_t)o->inherit[i];
    }
    if (fd_text[0]) {
        v[n++] = (uint64_t) "-self-fd";
        v[n++] = (uint64_t)fd_text;
    }
    v[n++] = (uint64_t) "-0";
    v[n++] = x->n_before ? x->before[x->n_before - 1] : first;
    v[n++] = (uint64_t) "--";
    v[n++] = (uint64_t)x->path;
    for (unsigned i = x->n_before; i-- > 0;) {
        if (i + 1 != x->n_before) {
            v[n++] = x->before[i];
        }
    }
    if (argc > 1) {
        memcpy(v + n, (const void *)(guest_argv + 8), (argc - 1) * 8);
        n += argc - 1;
    }
    v[n] = 0;
    return n;
}

static int64_t run_self(UserThread *t, Exec *x, uint64_t argv, size_t argc, uint64_t envp)
{
    UserProcess *p = t->proc;
    char fd_text[16] = "";
    int fd = p->self_fd;
    if (fd >= 0) {
        snprintf(fd_text, sizeof fd_text, "%d", fd);
    } else {
        fd = open_self();
        if (fd < 0) {
            return -errno;
        }
    }
    size_t bytes = (argc + p->opt->n_inherit + x->n_before + 16) * 8;
    uint64_t *v = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    static char *const no_env[] = {NULL};
    if (v == MAP_FAILED) {
        if (!fd_text[0]) {
            close(fd);
        }
        return -ENOMEM;
    }
    fill_argv(t, x, v, argv, argc, fd_text);
    void *mine = t->scratch;
    size_t mine_bytes = t->scratch_bytes;
    if (mine) { /* an earlier attempt of a vfork child */
        munmap(mine, mine_bytes);
    }
    t->scratch = v;
    t->scratch_bytes = bytes;
    if (fd_text[0]) {
        fcntl(fd, F_SETFD, 0);
    }
    int64_t r = USER_CALL(t, SYS_execveat, (uint64_t)fd, (uint64_t) "", (uint64_t)v,
                          envp ? envp : (uint64_t)no_env, AT_EMPTY_PATH, 0);
    if (fd_text[0]) {
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    } else {
        close(fd);
    }
    t->scratch = NULL;
    t->scratch_bytes = 0;
    munmap(v, bytes);
    return r;
}

/* x->path for execveat's (dirfd, path, flags). */
static int64_t get_path(UserThread *t, Exec *x, int dirfd, uint64_t at, uint64_t flags)
{
    int64_t n = user_get_string(x->path, at, sizeof x->path);
    (void)t;
    if (n < 0) {
        return n;
    }
    if (!n && !(flags & AT_EMPTY_PATH)) {
        return -ENOENT;
    }
    if (dirfd == AT_FDCWD || x->path[0] == '/') {
        return 0;
    }
    char rest[PATH_MAX], link[64];
    if (fcntl(dirfd, F_GETFD) < 0) {
        return -errno;
    }
    memcpy(rest, x->path, (size_t)n + 1);
    snprintf(link, sizeof link, "/proc/self/fd/%d", dirfd);
    if (n) {
        return snprintf(x->path, sizeof x->path, "%s/%s", link, rest) >= (int)sizeof x->path
                   ? -ENAMETOOLONG
                   : 0;
    }
    /* The file itself: by its name if it has one still, for the descriptor may close on exec. */
    ssize_t got = readlink(link, x->path, sizeof x->path - 1);
    if (got < 0) {
        return -errno == -ENOENT ? -EBADF : -errno;
    }
    x->path[got] = 0;
    if (access(x->path, F_OK)) {
        snprintf(x->path, sizeof x->path, "%s", link);
    }
    return 0;
}

/*
 * The kernel started us for a program, so it will again: that needs neither /proc nor a descriptor
 * in a chroot, and set-user-ID programs get what is theirs. Not with a -L of ours, nor for links
 * of /proc that show the guest's files.
 */
static bool kernel_starts_us(const UserThread *t, const Exec *x)
{
    return started_by_binfmt() && !t->proc->opt->root && !x->linked;
}

int64_t user_execve(UserThread *t, int dirfd, uint64_t path, const uint64_t args[3])
{
    uint64_t argv = args[0], envp = args[1], flags = args[2];
    int64_t argc = count_pointers(argv), envc = count_pointers(envp);
    if (argc < 0 || envc < 0) {
        return argc < 0 ? argc : envc;
    }
    size_t bytes = sizeof(Exec);
    Exec *x = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (x == MAP_FAILED) {
        return -ENOMEM;
    }
    int64_t r = get_path(t, x, dirfd, path, flags);
    if (!r && (flags & AT_SYMLINK_NOFOLLOW)) {
        char c;
        r = readlink(x->path, &c, 1) >= 0 ? -ELOOP : 0;
    }
    if (!r) {
        r = resolve(t, x);
    }
    if (!r) {
        bool kernel = x->foreign || kernel_starts_us(t, x);
        if (kernel) {
            r = USER_CALL(t, SYS_execveat, (uint64_t)dirfd, path, argv, envp, flags, 0);
        }
        if (!x->foreign && (!kernel || r == -ENOEXEC)) { /* ENOEXEC: no longer registered */
            r = run_self(t, x, argv, (size_t)argc, envp);
        }
    }
    munmap(x, bytes);
    return r;
}
