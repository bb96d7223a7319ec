/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guest: files, folders, descriptors, polling, sockets, clocks, System V and POSIX queues. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static char dir[] = "/tmp/gemel-files-XXXXXX";

static void basics(void)
{
    struct stat st, st2;
    char buf[64];
    check(mkdtemp(dir) != NULL && chdir(dir) == 0);
    int fd = open("a", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    check(fd >= 0);
    check_errno(open("a", O_RDWR | O_CREAT | O_EXCL, 0640), EEXIST);
    check(write(fd, "hello world", 11) == 11 && pread(fd, buf, 5, 6) == 5 &&
          !memcmp(buf, "world", 5));
    check(fstat(fd, &st) == 0 && st.st_size == 11 && S_ISREG(st.st_mode) &&
          (st.st_mode & 0777) == 0640 && st.st_nlink == 1);
    check(stat("a", &st2) == 0 && st2.st_ino == st.st_ino && st2.st_dev == st.st_dev &&
          st2.st_mtim.tv_nsec == st.st_mtim.tv_nsec && st2.st_blksize == st.st_blksize);
    struct statx sx;
    check(statx(AT_FDCWD, "a", 0, STATX_ALL, &sx) == 0 && sx.stx_ino == st.st_ino);
    check(fcntl(fd, F_GETFD) == FD_CLOEXEC);
    check(fcntl(fd, F_SETFL, O_APPEND) == 0 && (fcntl(fd, F_GETFL) & O_APPEND));
    check_errno(open("a/b", O_RDONLY), ENOTDIR);
    check_errno(open("a", O_RDONLY | O_DIRECTORY), ENOTDIR);
    check(symlink("a", "l") == 0);
    check_errno(open("l", O_RDONLY | O_NOFOLLOW), ELOOP);
    check(readlink("l", buf, sizeof buf) == 1 && buf[0] == 'a');
    int d = open(".", O_RDONLY | O_DIRECTORY);
    check(d >= 0 && (fcntl(d, F_GETFL) & O_DIRECTORY));
    check(faccessat(d, "a", R_OK, 0) == 0);
    check_errno(faccessat(d, "zz", R_OK, 0), ENOENT);
    check(renameat2(d, "a", d, "b", RENAME_NOREPLACE) == 0);
    check_errno(stat("a", &st), ENOENT);
    check_errno(stat((char *)8, &st), EFAULT);
    check_errno(syscall(SYS_fstat, fd, 8), EFAULT);
    check_errno(pread(fd, (void *)8, 4, 0), EFAULT);
    check_errno(read(99, buf, 1), EBADF);
    struct statfs sf;
    check(fstatfs(fd, &sf) == 0 && sf.f_bsize > 0 && sf.f_blocks > 0);
    struct iovec v[2] = {{buf, 3}, {buf + 3, 2}};
    check(preadv(fd, v, 2, 0) == 5 && !memcmp(buf, "hello", 5));
    check(ftruncate(fd, 4) == 0 && lseek(fd, 0, SEEK_END) == 4);
    check(flock(fd, LOCK_EX | LOCK_NB) == 0);
    struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 1, .l_len = 2};
    check(fcntl(fd, F_SETLK, &fl) == 0);
    if (!fork()) {
        struct flock q = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        _exit(fcntl(fd, F_GETLK, &q) == 0 && q.l_type == F_WRLCK && q.l_start == 1 &&
              q.l_len == 2 ? 0 : 1);
    }
    int status;
    wait(&status);
    check(status == 0);
    int n = 0;
    DIR *dp = opendir(".");
    for (struct dirent *e; (e = readdir(dp));) {
        n += !strcmp(e->d_name, "b") || !strcmp(e->d_name, "l");
    }
    closedir(dp);
    check(n == 2);
    int tmp = open(dir, O_TMPFILE | O_RDWR, 0600);
    check(tmp >= 0 || errno == EOPNOTSUPP);
    struct timespec ts[2] = {{100, 5}, {200, 6}};
    check(futimens(fd, ts) == 0 && fstat(fd, &st) == 0 && st.st_mtim.tv_sec == 200 &&
          st.st_mtim.tv_nsec == 6 && st.st_atim.tv_sec == 100);
    check(setxattr("b", "user.x", "v", 1, 0) == 0 || errno == EOPNOTSUPP);
    check(unlink("b") == 0 && unlink("l") == 0 && fstat(fd, &st) == 0 && st.st_nlink == 0);
    close(fd);
    close(d);
}

static void polling(void)
{
    int p[2];
    char c;
    check(pipe2(p, O_CLOEXEC | O_NONBLOCK) == 0);
    check_errno(read(p[0], &c, 1), EAGAIN);
    struct pollfd pf = {.fd = p[0], .events = POLLIN};
    check(poll(&pf, 1, 0) == 0);
    check(write(p[1], "x", 1) == 1 && poll(&pf, 1, 1000) == 1 && pf.revents == POLLIN);
    fd_set r;
    FD_ZERO(&r);
    FD_SET(p[0], &r);
    struct timeval tv = {1, 0};
    check(select(p[0] + 1, &r, NULL, NULL, &tv) == 1 && FD_ISSET(p[0], &r));
    int ep = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event ev = {.events = EPOLLIN, .data.u64 = 0x1122334455667788}, out[4];
    check(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev) == 0);
    check_errno(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev), EEXIST);
    int e = eventfd(3, EFD_NONBLOCK);
    ev.data.u64 = 42;
    check(epoll_ctl(ep, EPOLL_CTL_ADD, e, &ev) == 0);
    check(epoll_wait(ep, out, 4, 1000) == 2);
    uint64_t sum = out[0].data.u64 + out[1].data.u64;
    check(sum == 0x1122334455667788 + 42);
    check_errno(epoll_wait(ep, out, 0, 0), EINVAL);
    uint64_t v;
    check(read(e, &v, 8) == 8 && v == 3);
    check_errno(read(e, &v, 8), EAGAIN);
    int t = timerfd_create(CLOCK_MONOTONIC, 0);
    struct itimerspec its = {.it_value = {0, 1000000}};
    check(timerfd_settime(t, 0, &its, NULL) == 0 && read(t, &v, 8) == 8 && v == 1);
    sigset_t s;
    sigemptyset(&s);
    sigaddset(&s, SIGUSR2);
    sigprocmask(SIG_BLOCK, &s, NULL);
    int sf = signalfd(-1, &s, SFD_NONBLOCK);
    struct signalfd_siginfo si;
    check_errno(read(sf, &si, sizeof si), EAGAIN);
    kill(getpid(), SIGUSR2);
    check(read(sf, &si, sizeof si) == sizeof si && si.ssi_signo == SIGUSR2 &&
          si.ssi_pid == (uint32_t)getpid());
    int in = inotify_init1(IN_NONBLOCK);
    check(inotify_add_watch(in, ".", IN_CREATE) >= 0);
    close(open("new", O_CREAT | O_WRONLY, 0600));
    char buf[256];
    check(read(in, buf, sizeof buf) > 0);
    unlink("new");
    int n;
    check(ioctl(p[0], FIONREAD, &n) == 0 && n == 1);
    struct termios tio;
    check_errno(tcgetattr(p[0], &tio), ENOTTY);
    int m = posix_openpt(O_RDWR | O_NOCTTY);
    struct winsize ws = {24, 80, 0, 0}, ws2;
    if (m >= 0) {
        check(ioctl(m, TIOCSWINSZ, &ws) == 0 && ioctl(m, TIOCGWINSZ, &ws2) == 0 &&
              ws2.ws_col == 80 && tcgetattr(m, &tio) == 0);
    }
}

static void sockets(void)
{
    int s[2], one = 1, v;
    socklen_t len = sizeof v;
    char buf[32];
    check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s) == 0);
    /* a descriptor through a socket, and credentials */
    check(setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &one, sizeof one) == 0);
    union { struct cmsghdr h; char b[256]; } u, r;
    struct iovec io = {"z", 1}, in = {buf, sizeof buf};
    struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1, .msg_control = &u,
                       .msg_controllen = CMSG_SPACE(sizeof(int))};
    struct cmsghdr *h = CMSG_FIRSTHDR(&m);
    h->cmsg_level = SOL_SOCKET;
    h->cmsg_type = SCM_RIGHTS;
    h->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(h), &s[0], sizeof(int));
    check(sendmsg(s[0], &m, 0) == 1);
    struct msghdr rm = {.msg_iov = &in, .msg_iovlen = 1, .msg_control = &r,
                        .msg_controllen = sizeof r};
    check(recvmsg(s[1], &rm, 0) == 1 && buf[0] == 'z');
    int rights = 0, creds = 0;
    for (h = CMSG_FIRSTHDR(&rm); h; h = CMSG_NXTHDR(&rm, h)) {
        rights += h->cmsg_type == SCM_RIGHTS;
        creds += h->cmsg_type == SCM_CREDENTIALS &&
                 ((struct ucred *)CMSG_DATA(h))->pid == getpid();
    }
    check(rights == 1 && creds == 1);
    check(getsockopt(s[0], SOL_SOCKET, SO_TYPE, &v, &len) == 0 && v == SOCK_STREAM);
    check_errno(setsockopt(s[0], SOL_SOCKET, 9999, &one, sizeof one), ENOPROTOOPT);
    int l = socket(AF_INET, SOCK_STREAM, 0), c = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    len = sizeof a;
    if (bind(l, (struct sockaddr *)&a, sizeof a) == 0) {
        check(listen(l, 5) == 0 && getsockname(l, (struct sockaddr *)&a, &len) == 0 && a.sin_port);
        int e = connect(c, (struct sockaddr *)&a, sizeof a);
        check(e == 0 || errno == EINPROGRESS);
        int srv = accept4(l, NULL, NULL, SOCK_CLOEXEC);
        check(srv >= 0 && send(srv, "abc", 3, 0) == 3);
        struct pollfd pf = {.fd = c, .events = POLLIN};
        check(poll(&pf, 1, 1000) == 1 && recv(c, buf, sizeof buf, 0) == 3);
        check_errno(recv(c, buf, sizeof buf, MSG_DONTWAIT), EAGAIN);
        a.sin_port = htons(1);
        int c2 = socket(AF_INET, SOCK_STREAM, 0);
        check_errno(connect(c2, (struct sockaddr *)&a, sizeof a), ECONNREFUSED);
    }
    check_errno(socket(AF_INET, 77, 0), EINVAL);
    struct mmsghdr mm = {.msg_hdr = {.msg_iov = &io, .msg_iovlen = 1}};
    check(sendmmsg(s[0], &mm, 1, 0) == 1 && mm.msg_len == 1);
    signal(SIGPIPE, SIG_IGN);
    close(s[1]);
    check_errno(write(s[0], "q", 1), EPIPE);
}

static void ipc(void)
{
    int q = msgget(IPC_PRIVATE, 0600), s = semget(IPC_PRIVATE, 2, 0600);
    struct { long type; char text[16]; } m = {3, "message"}, r;
    check(q >= 0 && msgsnd(q, &m, 8, 0) == 0 && msgrcv(q, &r, 16, 3, 0) == 8 &&
          !strcmp(r.text, "message"));
    check_errno(msgrcv(q, &r, 16, 0, IPC_NOWAIT), ENOMSG);
    struct msqid_ds mds;
    check(msgctl(q, IPC_STAT, &mds) == 0 && mds.msg_qnum == 0 && mds.msg_perm.mode == 0600);
    msgctl(q, IPC_RMID, NULL);
    union { int val; struct semid_ds *buf; unsigned short *array; } arg;
    struct semid_ds sds;
    struct sembuf op = {0, -1, IPC_NOWAIT}, up = {0, 2, 0};
    check(s >= 0);
    check_errno(semop(s, &op, 1), EAGAIN);
    check(semop(s, &up, 1) == 0 && semctl(s, 0, GETVAL) == 2);
    arg.buf = &sds;
    memset(&sds, 0xff, sizeof sds);
    check(semctl(s, 0, IPC_STAT, arg) == 0 && sds.sem_nsems == 2 && sds.sem_otime > 1000 &&
          sds.sem_ctime > 1000 && sds.sem_perm.mode == 0600);
    semctl(s, 0, IPC_RMID);
    check_errno(semctl(s, 0, GETVAL), EINVAL);
    struct mq_attr at = {.mq_maxmsg = 4, .mq_msgsize = 32};
    mqd_t mq = mq_open("/gemel-test", O_RDWR | O_CREAT | O_NONBLOCK, 0600, &at);
    if (mq != (mqd_t)-1) {
        char buf[32];
        unsigned prio;
        check(mq_send(mq, "hi", 3, 5) == 0 && mq_receive(mq, buf, 32, &prio) == 3 && prio == 5);
        check_errno(mq_receive(mq, buf, 32, &prio), EAGAIN);
        mq_unlink("/gemel-test");
    }
}

static void misc(void)
{
    struct utsname u;
    struct timespec a, b;
    struct rusage ru;
    struct rlimit rl;
    struct sysinfo si;
    check(uname(&u) == 0 && !strcmp(u.machine, "aarch64"));
    check(clock_gettime(CLOCK_MONOTONIC, &a) == 0);
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &b);
    check(b.tv_sec >= a.tv_sec && b.tv_sec - a.tv_sec < 3);
    check_errno(clock_gettime(999, &a), EINVAL);
    struct timeval tv;
    check(gettimeofday(&tv, NULL) == 0 && tv.tv_sec > 1600000000);
    check(clock_getres(CLOCK_REALTIME, &a) == 0 && a.tv_sec == 0);
    check(getrusage(RUSAGE_SELF, &ru) == 0 && ru.ru_maxrss > 0);
    check(getrlimit(RLIMIT_NOFILE, &rl) == 0 && rl.rlim_cur > 0);
    check(sysinfo(&si) == 0 && si.totalram > 0);
    check(getrandom(&a, sizeof a, 0) == sizeof a);
    check(prctl(PR_SET_NAME, "abc") == 0);
    char name[16];
    check(prctl(PR_GET_NAME, name) == 0 && !strcmp(name, "abc"));
    check_errno(prctl(9999, 0, 0, 0, 0), EINVAL);
    check_errno(syscall(SYS_rseq, 0, 0, 0, 0), ENOSYS);
    check_errno(syscall(425, 0, 0), ENOSYS);
    check_errno(syscall(999, 0, 0), ENOSYS);
    check(syscall(SYS_gettid) == getpid());
    timer_t t;
    struct sigevent se = {.sigev_notify = SIGEV_NONE};
    struct itimerspec its = {.it_value = {10, 0}}, now;
    check(timer_create(CLOCK_MONOTONIC, &se, &t) == 0 && timer_settime(t, 0, &its, NULL) == 0 &&
          timer_gettime(t, &now) == 0 && now.it_value.tv_sec >= 9 && timer_delete(t) == 0);
    int fd = memfd_create("m", MFD_CLOEXEC), fd2 = memfd_create("n", 0);
    off_t off = 0;
    check(write(fd, "0123456789", 10) == 10 && sendfile(fd2, fd, &off, 4) == 4 && off == 4);
    loff_t o1 = 0, o2 = 4;
    check(copy_file_range(fd, &o1, fd2, &o2, 3, 0) == 3 && lseek(fd2, 0, SEEK_END) == 7);
    close(fd2);
    check(syscall(SYS_close_range, fd, ~0u, 0) == 0);
    check_errno(fcntl(fd, F_GETFD), EBADF);
    siginfo_t wi;
    pid_t pid = fork();
    if (!pid) {
        _exit(5);
    }
    check(waitid(P_PID, (id_t)pid, &wi, WEXITED) == 0 && wi.si_status == 5 &&
          wi.si_code == CLD_EXITED && wi.si_pid == pid);
}

int main(void)
{
    basics();
    polling();
    sockets();
    ipc();
    misc();
    chdir("/");
    rmdir(dir);
    return done("files");
}
