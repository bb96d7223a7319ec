/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Message queues and semaphores. */
#include "calls.h"

#include <mqueue.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>

static void posix_queue(void)
{
    struct mq_attr set = {.mq_maxmsg = 4, .mq_msgsize = 32}, old = {0};
    struct timespec soon = {1, 0};
    struct sigevent ev = {.sigev_notify = SIGEV_NONE};
    char text[32];
    unsigned priority = 0;
    char name[32];
    snprintf(name, sizeof name, "gemel-%d", getpid());
    long q = RES(mq_open, name, O_RDWR | O_CREAT | O_EXCL | O_NONBLOCK, 0600, &set);
    ERR(mq_open, EEXIST, name, O_RDWR | O_CREAT | O_EXCL, 0600, &set);
    ERR(mq_open, ENOENT, "gemel-none", O_RDWR, 0, 0);
    VAL(mq_getsetattr, 0, q, 0, &old);
    DID(mq_getsetattr, old.mq_maxmsg == 4 && old.mq_msgsize == 32 && old.mq_flags == O_NONBLOCK);
    ERR(mq_getsetattr, EBADF, NOFD, 0, &old);
    VAL(mq_timedsend, 0, q, "message", 7, 5, 0);
    ERR(mq_timedsend, EMSGSIZE, q, text, 33, 5, &soon);
    VAL(mq_timedreceive, 7, q, text, 32, &priority, 0);
    DID(mq_timedreceive, priority == 5 && !memcmp(text, "message", 7));
    ERR(mq_timedreceive, EAGAIN, q, text, 32, 0, 0);
    ERR(mq_timedreceive, EMSGSIZE, q, text, 3, 0, 0);
    VAL(mq_notify, 0, q, &ev);
    ERR(mq_notify, EBUSY, q, &ev);
    VAL(mq_unlink, 0, name);
    ERR(mq_unlink, ENOENT, name);
}

static void v_queue(void)
{
    struct { long type; char text[16]; } m = {3, "hello"}, got = {0};
    struct msqid_ds ds = {0};
    long q = RES(msgget, IPC_PRIVATE, 0600);
    ERR(msgget, ENOENT, 0x7ab1e, 0);
    VAL(msgsnd, 0, q, &m, 6, 0);
    ERR(msgsnd, EINVAL, q, &m, -1, 0);
    VAL(msgctl, 0, q, IPC_STAT, &ds);
    DID(msgctl, ds.msg_qnum == 1 && ds.msg_cbytes == 6 && ds.msg_lspid == getpid() &&
                    (ds.msg_perm.mode & 0777) == 0600);
    VAL(msgrcv, 6, q, &got, 16, 0, 0);
    DID(msgrcv, got.type == 3 && !strcmp(got.text, "hello"));
    ERR(msgrcv, ENOMSG, q, &got, 16, 0, IPC_NOWAIT);
    ds.msg_perm.mode = 0640;
    VAL(msgctl, 0, q, IPC_SET, &ds);
    VAL(msgctl, 0, q, IPC_RMID, 0);
    ERR(msgctl, EINVAL, q, IPC_STAT, &ds);
}

static void semaphores(void)
{
    struct semid_ds ds = {0};
    struct sembuf up = {0, 2, 0}, down = {0, -5, IPC_NOWAIT}, wait = {0, -5, 0};
    struct timespec soon = {0, 1000000};
    unsigned short all[2] = {7, 8};
    long s = RES(semget, IPC_PRIVATE, 2, 0600);
    ERR(semget, EINVAL, IPC_PRIVATE, -1, 0600);
    VAL(semop, 0, s, &up, 1);
    ERR(semop, EAGAIN, s, &down, 1);
    ERR(semtimedop, EAGAIN, s, &wait, 1, &soon);
    VAL(semtimedop, 0, s, &up, 1, 0);
    VAL(semctl, 4, s, 0, GETVAL, 0);
    VAL(semctl, 0, s, 0, IPC_STAT, &ds);
    DID(semctl, ds.sem_nsems == 2 && ds.sem_otime > 1600000000 && ds.sem_ctime > 1600000000 &&
                    (ds.sem_perm.mode & 0777) == 0600);
    VAL(semctl, 0, s, 0, SETALL, all);
    VAL(semctl, 8, s, 1, GETVAL, 0);
    VAL(semctl, 0, s, 1, SETVAL, 3);
    VAL(semctl, 0, s, 0, GETALL, all);
    DID(semctl, all[0] == 7 && all[1] == 3);
    ds.sem_perm.mode = 0640;
    VAL(semctl, 0, s, 0, IPC_SET, &ds);
    ERR(semctl, EINVAL, s, 0, 99, 0);
    ERR(semctl, EINVAL, s, 9, GETVAL, 0);
    ERR(semctl, EFAULT, s, 0, IPC_STAT, BAD);
    VAL(semctl, 0, s, 0, IPC_RMID, 0);
    ERR(semctl, EINVAL, s, 0, IPC_STAT, &ds);
}

int main(void)
{
    posix_queue();
    v_queue();
    semaphores();
    return 0;
}
