/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pieces of guest memory that every reset writes again: see hw/loader.h.
 */
#include "hw/loader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct Piece {
    const char *name;
    uint64_t gpa;
    size_t bytes;
    struct Piece *next;
    uint8_t data[];
} Piece;

struct Loader {
    Machine *machine;
    Piece *pieces;
};

Loader *loader_new(Machine *m)
{
    Loader *l = g_new0(Loader, 1);

    l->machine = m;
    return l;
}

void loader_free(Loader *l)
{
    if (!l) {
        return;
    }
    for (Piece *p = l->pieces, *next; p; p = next) {
        next = p->next;
        free(p);
    }
    g_free(l);
}

Machine *loader_machine(const Loader *l)
{
    return l->machine;
}

bool loader_add(Loader *l, const char *name, uint64_t gpa, const void *data, size_t bytes,
                Error *err)
{
    for (const Piece *p = l->pieces; p; p = p->next) {
        if (gpa < p->gpa + p->bytes && p->gpa < gpa + bytes) {
            return error_set(err, "%s at 0x%llx (%zu bytes) overlaps %s at 0x%llx", name,
                             (unsigned long long)gpa, bytes, p->name, (unsigned long long)p->gpa);
        }
    }
    Piece *p = malloc(sizeof *p + bytes);
    if (!p) {
        return error_set_errno(err, "%s: %zu bytes", name, bytes);
    }
    *p = (Piece){.name = name, .gpa = gpa, .bytes = bytes, .next = l->pieces};
    memcpy(p->data, data, bytes);
    l->pieces = p;
    return true;
}

void loader_reset(Loader *l)
{
    for (const Piece *p = l->pieces; p; p = p->next) {
        mem_write(l->machine->as, p->gpa, p->data, p->bytes, MEM_ATTRS_DEBUG);
    }
}

static bool read_all(int fd, uint8_t *data, size_t bytes)
{
    for (size_t at = 0; at < bytes;) {
        ssize_t n = read(fd, data + at, bytes - at);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            errno = n == 0 ? EIO : errno;
            return false;
        }
        at += (size_t)n;
    }
    return true;
}

bool loader_read_file(const char *option, const char *path, size_t max_bytes, uint8_t **data,
                      size_t *bytes, Error *err)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool ok = false;

    *data = NULL;
    if (fd < 0) {
        return error_set_errno(err, "%s %s", option, path);
    }
    if (fstat(fd, &st) < 0) {
        error_set_errno(err, "%s %s", option, path);
    } else if (!S_ISREG(st.st_mode)) {
        error_set(err, "%s %s: not a file", option, path);
    } else if (st.st_size == 0 || (uint64_t)st.st_size > max_bytes) {
        error_set(err, "%s %s: %lld bytes; takes 1 to %zu", option, path, (long long)st.st_size,
                  max_bytes);
    } else {
        *bytes = (size_t)st.st_size;
        *data = malloc(*bytes);
        ok = *data && read_all(fd, *data, *bytes);
        if (!ok) {
            error_set_errno(err, "%s %s", option, path);
            free(*data);
            *data = NULL;
        }
    }
    close(fd);
    return ok;
}
