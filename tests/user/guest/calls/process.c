/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System calls on processes, threads, users and scheduling. */
#include "calls.h"

#include <linux/sched.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/times.h>
#include <sys/utsname.h>

static void names(void)
{
    unsigned cpu = 9999;
    struct utsname u;
    struct rusage use;
    struct tms t;
    struct { long uptime; unsigned long loads[3], total; char rest[256]; } info = {0};
    VAL(getpid, getpid());
    NOERR(getpid);
    VAL(gettid, getpid());
    NOERR(gettid);
    VAL(getppid, getppid());
    NOERR(getppid);
    VAL(getuid, getuid());
    NOERR(getuid);
    VAL(geteuid, geteuid());
    NOERR(geteuid);
    VAL(getgid, getgid());
    NOERR(getgid);
    VAL(getegid, getegid());
    NOERR(getegid);
    VAL(getcpu, 0, &cpu, 0, 0);
    DID(getcpu, cpu < 9999);
    ERR(getcpu, EFAULT, BAD, 0, 0);
    VAL(uname, 0, &u);
    DID(uname, !strcmp(u.sysname, "Linux"));
    ERR(uname, EFAULT, BAD);
    VAL(getrusage, 0, RUSAGE_SELF, &use);
    DID(getrusage, use.ru_maxrss > 0);
    ERR(getrusage, EINVAL, 99, &use);
    DID(times, S(times, &t) > 0);
    ERR(times, EFAULT, BAD);
    VAL(sysinfo, 0, &info);
    DID(sysinfo, info.uptime > 0 && info.total > 0);
    ERR(sysinfo, EFAULT, BAD);
    VAL(personality, 0, 0xffffffff);
    NOERR(personality);
    VAL(umask, 022, 077);
    VAL(umask, 077, 022);
    NOERR(umask);
}

static void users(void)
{
    unsigned r, e, s, groups[2] = {5, 6}, got[64];
    VAL(setgroups, 0, 2, groups);
    ERR(setgroups, EINVAL, -1, groups);
    VAL(getgroups, 2, 64, got);
    DID(getgroups, got[0] == 5 && got[1] == 6);
    ERR(getgroups, EINVAL, 1, got);
    VAL(setregid, 0, -1, 7);
    VAL(setresgid, 0, 7, 7, 7);
    VAL(getresgid, 0, &r, &e, &s);
    DID(getresgid, r == 7 && e == 7 && s == 7);
    ERR(getresgid, EFAULT, BAD, &e, &s);
    VAL(setgid, 0, 8);
    ERR(setgid, EINVAL, -1);
    VAL(setfsgid, 8, 9);
    NOERR(setfsgid);
    VAL(setfsuid, 0, 9);
    NOERR(setfsuid);
    VAL(setreuid, 0, -1, 0);
    VAL(setresuid, 0, 7, 0, 7);
    VAL(getresuid, 0, &r, &e, &s);
    DID(getresuid, r == 7 && e == 0 && s == 7);
    ERR(getresuid, EFAULT, &r, BAD, &s);
    VAL(setuid, 0, 7);
    ERR(setuid, EPERM, 0);
    ERR(setreuid, EPERM, 0, 0);
    ERR(setresuid, EPERM, 1, 2, 3);
    ERR(setregid, EPERM, 0, 0);
    ERR(setresgid, EPERM, 1, 2, 3);
    ERR(setgroups, EPERM, 2, groups);
}

static void capabilities(void)
{
    struct { uint32_t version; int pid; } head = {0x20080522, 0};
    struct { uint32_t effective, permitted, inheritable; } c[2] = {0};
    VAL(capget, 0, &head, c);
    DID(capget, c[0].permitted);
    VAL(capset, 0, &head, c);
    c[0].inheritable = ~0u;
    c[1].permitted = ~0u;
    ERR(capset, EPERM, &head, c);
    head.version = 1;
    ERR(capget, EINVAL, &head, c);
    DID(capget, head.version == 0x20080522);
}

static void groups(void)
{
    VAL(setpgid, 0, 0, 0);
    VAL(getpgid, getpid(), 0);
    ERR(getpgid, ESRCH, 99999999);
    ERR(setpgid, EINVAL, 0, -1);
    ERR(setsid, EPERM, 0);
    DID(getsid, S(getsid, 0) > 0 || S(getsid, 0) == 0);
    ERR(getsid, ESRCH, 99999999);
}

static void session(void)
{
    VAL(setsid, getpid());
    VAL(getsid, getpid(), 0);
    VAL(vhangup, 0);
    drop_all();
    ERR(vhangup, EPERM, 0);
}

static void limits(void)
{
    struct rlimit l = {0}, n;
    VAL(getrlimit, 0, RLIMIT_NOFILE, &l);
    DID(getrlimit, l.rlim_max >= l.rlim_cur && l.rlim_cur > 3);
    ERR(getrlimit, EINVAL, 99, &l);
    n = (struct rlimit){50, l.rlim_max};
    VAL(setrlimit, 0, RLIMIT_NOFILE, &n);
    n.rlim_cur = n.rlim_max + 1;
    ERR(setrlimit, l.rlim_max == RLIM_INFINITY ? 0 : EINVAL, RLIMIT_NOFILE, &n);
    VAL(prlimit64, 0, 0, RLIMIT_NOFILE, &l, &n);
    DID(prlimit64, n.rlim_cur == 50);
    ERR(prlimit64, EINVAL, 0, 99, 0, &n);
    ERR(prlimit64, ESRCH, 99999999, RLIMIT_NOFILE, 0, &n);
    VAL(setpriority, 0, PRIO_PROCESS, 0, 5);
    ERR(setpriority, EINVAL, 99, 0, 5);
    VAL(getpriority, 15, PRIO_PROCESS, 0); /* 20 - nice */
    ERR(getpriority, ESRCH, PRIO_PROCESS, 99999999);
    VAL(ioprio_set, 0, 1, 0, 2 << 13 | 3);
    ERR(ioprio_set, EINVAL, 99, 0, 0);
    VAL(ioprio_get, 2 << 13 | 3, 1, 0);
    ERR(ioprio_get, EINVAL, 99, 0);
}

static void scheduling(void)
{
    struct sched_param p = {0};
    struct timespec t;
    struct { uint32_t size, policy; uint64_t flags; int nice; uint32_t priority; uint64_t d[3];
             uint32_t util[2]; } a = {0};
    unsigned long cpus[64] = {0};
    VAL(sched_yield, 0);
    NOERR(sched_yield);
    VAL(sched_get_priority_max, 99, SCHED_FIFO);
    ERR(sched_get_priority_max, EINVAL, 99);
    VAL(sched_get_priority_min, 1, SCHED_RR);
    ERR(sched_get_priority_min, EINVAL, 99);
    DID(sched_getaffinity, S(sched_getaffinity, 0, sizeof cpus, cpus) >= 8 && cpus[0]);
    ERR(sched_getaffinity, EINVAL, 0, 1, cpus);
    VAL(sched_setaffinity, 0, 0, sizeof cpus, cpus);
    memset(cpus, 0, sizeof cpus);
    ERR(sched_setaffinity, EINVAL, 0, sizeof cpus, cpus);
    VAL(sched_setscheduler, 0, 0, SCHED_BATCH, &p);
    ERR(sched_setscheduler, EINVAL, 0, 99, &p);
    VAL(sched_getscheduler, SCHED_BATCH, 0);
    ERR(sched_getscheduler, ESRCH, 99999999);
    VAL(sched_setparam, 0, 0, &p);
    p.sched_priority = 5;
    ERR(sched_setparam, EINVAL, 0, &p);
    VAL(sched_getparam, 0, 0, &p);
    DID(sched_getparam, p.sched_priority == 0);
    ERR(sched_getparam, ESRCH, 99999999, &p);
    VAL(sched_rr_get_interval, 0, 0, &t);
    ERR(sched_rr_get_interval, ESRCH, 99999999, &t);
    VAL(sched_getattr, 0, 0, &a, sizeof a, 0);
    DID(sched_getattr, a.size >= 48 && a.policy == SCHED_BATCH);
    ERR(sched_getattr, EINVAL, 0, &a, 1, 0);
    a.nice = 6;
    VAL(sched_setattr, 0, 0, &a, 0);
    ERR(sched_setattr, EINVAL, 0, &a, 99);
}

static int stack_child(void *x)
{
    _exit(*(int *)x);
}

static void children(void)
{
    struct rusage use;
    siginfo_t si = {0};
    int status, seven = 7;
    long pid = S(clone, SIGCHLD, 0, 0, 0, 0);
    if (!pid) {
        S(exit, 5);
    }
    DID(clone, pid > 0);
    VAL(waitid, 0, P_PID, pid, &si, WEXITED | WNOWAIT, &use);
    DID(waitid, si.si_status == 5 && si.si_code == CLD_EXITED && si.si_pid == pid);
    ERR(waitid, EINVAL, P_PID, pid, &si, 0, 0);
    VAL(wait4, pid, pid, &status, 0, &use);
    DID(wait4, WEXITSTATUS(status) == 5 && WIFEXITED(status));
    DID(exit, WEXITSTATUS(status) == 5);
    NOERR(exit);
    ERR(wait4, ECHILD, pid, &status, 0, 0);
    ERR(waitid, ECHILD, P_PID, pid, &si, WEXITED, 0);
    ERR(clone, EINVAL, CLONE_THREAD, 0, 0, 0, 0);
    ERR(clone, EINVAL, CLONE_SIGHAND, 0, 0, 0, 0);
    char *stack = malloc(65536);
    pid = clone(stack_child, stack + 65536, CLONE_VM | CLONE_VFORK | SIGCHLD, &seven);
    DID(clone, waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 7);
    struct clone_args ca = {.exit_signal = SIGCHLD};
    pid = S(clone3, &ca, sizeof ca);
    if (!pid) {
        S(exit_group, 6);
    }
    DID(clone3, waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 6);
    DID(exit_group, WEXITSTATUS(status) == 6);
    NOERR(exit_group);
    ERR(clone3, EINVAL, &ca, 8);
    ERR(clone3, EFAULT, BAD, sizeof ca);
    ca.flags = 0xff;
    ERR(clone3, EINVAL, &ca, sizeof ca);
    free(stack);
}

static void programs(void)
{
    char *args[] = {"self", "again", NULL}, *empty[] = {NULL};
    int status, self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    pid_t pid = fork();
    if (!pid) {
        S(execve, "/proc/self/exe", args, empty);
        _exit(1);
    }
    DID(execve, waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 42);
    ERR(execve, ENOENT, "/none", args, empty);
    ERR(execve, EACCES, "/proc/self/stat", args, empty);
    ERR(execve, EFAULT, BAD, args, empty);
    pid = fork();
    if (!pid) {
        S(execveat, self, "", args, empty, AT_EMPTY_PATH);
        _exit(1);
    }
    DID(execveat, waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 42);
    ERR(execveat, EINVAL, self, "x", args, empty, 1);
    ERR(execveat, EBADF, NOFD, "x", args, empty, 0);
}

static void pidfds(void)
{
    siginfo_t si = {0};
    pid_t pid = fork();
    if (!pid) {
        pause();
    }
    long fd = RES(pidfd_open, pid, 0);
    ERR(pidfd_open, EINVAL, -1, 0);
    ERR(pidfd_open, EINVAL, pid, 1);
    long got = RES(pidfd_getfd, fd, 1, 0);
    ERR(pidfd_getfd, EBADF, fd, NOFD, 0);
    ERR(pidfd_getfd, EINVAL, fd, 1, 1);
    close(got);
    DID(kcmp, S(kcmp, getpid(), getpid(), 0, 1, 1) == 0);
    ERR(kcmp, EINVAL, getpid(), getpid(), 99, 0, 0);
    ERR(kcmp, ESRCH, 99999999, getpid(), 0, 0, 0);
    ERR(pidfd_send_signal, EINVAL, fd, 99, 0, 0);
    VAL(pidfd_send_signal, 0, fd, SIGKILL, 0, 0);
    DID(pidfd_send_signal, !waitid(P_PID, pid, &si, WEXITED) && si.si_status == SIGKILL);
    ERR(pidfd_send_signal, EBADF, NOFD, SIGKILL, 0, 0);
}

static void own(void)
{
    char name[16] = "";
    struct { void *next; long offset; void *pending; } list = {&list, 0, NULL};
    void *head = NULL;
    size_t len = 0;
    VAL(set_tid_address, getpid(), &head);
    NOERR(set_tid_address);
    VAL(set_robust_list, 0, &list, 24);
    ERR(set_robust_list, EINVAL, &list, 23);
    VAL(get_robust_list, 0, 0, &head, &len);
    DID(get_robust_list, head == &list && len == 24);
    ERR(get_robust_list, ESRCH, 99999999, &head, &len);
    VAL(prctl, 0, PR_SET_NAME, "other", 0, 0, 0);
    VAL(prctl, 0, PR_GET_NAME, name, 0, 0, 0);
    DID(prctl, !strcmp(name, "other"));
    VAL(prctl, 0, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    VAL(prctl, 1, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
    ERR(prctl, EINVAL, 9999, 0, 0, 0, 0);
    ERR(prctl, EINVAL, PR_SET_PDEATHSIG, 99, 0, 0, 0);
}

int main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "again")) {
        return 42;
    }
    umask(022);
    names();
    in_child(users);
    in_child(capabilities);
    in_child(groups);
    in_child(session);
    in_child(limits);
    in_child(scheduling);
    children();
    programs();
    pidfds();
    in_child(own);
    return 0;
}
