/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What bench/io runs inside the guest. Every command prints its seconds.
 *
 *   io_guest random DISK THREADS COUNT   reads of 4 KiB at random places, past the page cache
 *   io_guest recv|send HOST PORT MIB     one TCP connection, 64 KiB a call
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 4096, PIECE = 65536, MAX_THREADS = 64 };

typedef struct Reader {
    pthread_t thread;
    uint64_t seed, blocks;
    unsigned count;
    int fd;
} Reader;

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void *read_blocks(void *opaque)
{
    Reader *r = opaque;
    void *buf;

    if (posix_memalign(&buf, BLOCK, BLOCK)) {
        fail("memory");
    }
    for (unsigned i = 0; i < r->count; i++) {
        r->seed = r->seed * 6364136223846793005u + 1442695040888963407u;
        if (pread(r->fd, buf, BLOCK, (off_t)((r->seed >> 20) % r->blocks * BLOCK)) != BLOCK) {
            fail("read");
        }
    }
    free(buf);
    return NULL;
}

static void random_reads(const char *disk, unsigned threads, unsigned count)
{
    static Reader readers[MAX_THREADS];
    int fd = open(disk, O_RDONLY | O_DIRECT);
    off_t end = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);

    if (end < BLOCK || !threads || threads > MAX_THREADS) {
        fail(disk);
    }
    for (unsigned i = 0; i < threads; i++) {
        readers[i] = (Reader){
            .seed = i + 1, .blocks = (uint64_t)end / BLOCK, .count = count / threads, .fd = fd};
        if (pthread_create(&readers[i].thread, NULL, read_blocks, &readers[i])) {
            fail("thread");
        }
    }
    for (unsigned i = 0; i < threads; i++) {
        pthread_join(readers[i].thread, NULL);
    }
}

static void tcp(const char *host, unsigned port, size_t bytes, int sending)
{
    static char buf[PIECE];
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int s = socket(AF_INET, SOCK_STREAM, 0);
    size_t done = 0;

    if (s < 0 || inet_pton(AF_INET, host, &a.sin_addr) != 1 ||
        connect(s, (struct sockaddr *)&a, sizeof a)) {
        fail(host);
    }
    while (done < bytes) {
        size_t left = bytes - done < PIECE ? bytes - done : PIECE;
        ssize_t n = sending ? write(s, buf, left) : read(s, buf, left);
        if (n <= 0) {
            fail("connection");
        }
        done += (size_t)n;
    }
    if (sending) {
        shutdown(s, SHUT_WR);
        if (read(s, buf, 1) != 1) { /* the other side has it all */
            fail("answer");
        }
    }
    close(s);
}

int main(int argc, char **argv)
{
    double start = now();

    if (argc == 5 && !strcmp(argv[1], "random")) {
        random_reads(argv[2], (unsigned)atoi(argv[3]), (unsigned)atoi(argv[4]));
    } else if (argc == 5 && (!strcmp(argv[1], "recv") || !strcmp(argv[1], "send"))) {
        tcp(argv[2], (unsigned)atoi(argv[3]), (size_t)atoi(argv[4]) << 20, argv[1][0] == 's');
    } else {
        fputs("io_guest random DISK THREADS COUNT | recv|send HOST PORT MIB\n", stderr);
        return 2;
    }
    printf("%.4f s\n", now() - start);
    return 0;
}
