/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Saving and loading a machine: stopping it, the streams, and plain files. */
#include "migration/migration.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/machine.h"
#include "core/state.h"
#include "migration/ram.h"

enum { BUFFER_BYTES = 1 << 20 };

struct Migration {
    Machine *m;
    RamSection *ram;
    uint8_t buf[BUFFER_BYTES];
};

Migration *migration_init(Machine *m)
{
    Migration *g = g_new0(Migration, 1);

    g->m = m;
    g->ram = ram_section_new(m);
    return g;
}

void migration_free(Migration *g)
{
    ram_section_free(g->ram);
    g_free(g);
}

/* ---- stopping and going on ---- */

static RunState pause_machine(Migration *g, RunState during)
{
    RunState old;

    machine_stop_cpus(g->m);
    machine_lock(g->m);
    old = g->m->state;
    machine_set_state(g->m, during);
    return old;
}

static void resume_machine(Migration *g, RunState state)
{
    machine_set_state(g->m, state);
    machine_unlock(g->m);
    machine_start_cpus(g->m);
}

/* ---- saving ---- */

typedef struct Writer {
    Migration *g;
    const StateSink *to;
    Error *err;
    size_t n;
    bool failed; /* err says why */
} Writer;

static bool writer_flush(Writer *w)
{
    if (!w->failed && w->n && !w->to->write(w->to->opaque, w->g->buf, w->n, w->err)) {
        w->failed = true;
    }
    w->n = 0;
    return !w->failed;
}

static bool writer_write(void *opaque, const void *buf, size_t bytes)
{
    Writer *w = opaque;
    const uint8_t *p = buf;

    while (bytes) {
        size_t part = MIN(bytes, BUFFER_BYTES - w->n);

        memcpy(w->g->buf + w->n, p, part);
        w->n += part;
        p += part;
        bytes -= part;
        if (w->n == BUFFER_BYTES && !writer_flush(w)) {
            return false;
        }
    }
    return !w->failed;
}

bool migration_save(Migration *g, const StateSink *to, bool (*between)(void *opaque, Error *err),
                    void *opaque, Error *err)
{
    Error sink_err = {""};
    Writer w = {.g = g, .to = to, .err = &sink_err};
    StateStream s = {.write = writer_write, .opaque = &w};
    RunState state = pause_machine(g, RUN_SAVING);
    bool ok = state_save_machine(g->m, &s, err) && writer_flush(&w);

    if (w.failed && err) {
        *err = sink_err; /* the reason, not what came of it */
    }
    ok = ok && (!between || between(opaque, err));
    resume_machine(g, state);
    return ok;
}

/* ---- loading ---- */

typedef struct Reader {
    Migration *g;
    const StateSource *from;
    Error *err;
    uint64_t offset; /* of what comes after the buffer */
    size_t at, n;
    bool failed;
} Reader;

static bool reader_fill(Reader *r)
{
    uint64_t left = r->from->bytes - r->offset;

    r->at = 0;
    r->n = (size_t)MIN(left, BUFFER_BYTES);
    if (!r->n) {
        return false; /* the end: whoever reads on says that it is too short */
    }
    if (!r->from->read(r->from->opaque, r->offset, r->g->buf, r->n, r->err)) {
        r->failed = true;
        r->n = 0;
        return false;
    }
    r->offset += r->n;
    return true;
}

static bool reader_read(void *opaque, void *buf, size_t bytes)
{
    Reader *r = opaque;
    uint8_t *p = buf;

    while (bytes) {
        size_t part;

        if (r->at == r->n && !reader_fill(r)) {
            return false;
        }
        part = MIN(bytes, r->n - r->at);
        memcpy(p, r->g->buf + r->at, part);
        r->at += part;
        p += part;
        bytes -= part;
    }
    return true;
}

static bool read_pass(Migration *g, const StateSource *from,
                      bool (*fn)(Machine *m, StateStream *s, Error *err), Error *err)
{
    Error source_err = {""};
    Reader r = {.g = g, .from = from, .err = &source_err};
    StateStream s = {.read = reader_read, .opaque = &r};
    bool ok = fn(g->m, &s, err);

    if (r.failed && err) {
        *err = source_err;
    }
    return ok;
}

bool migration_load(Migration *g, const StateSource *from, bool (*before)(void *opaque, Error *err),
                    void *opaque, Error *err)
{
    RunState state = pause_machine(g, RUN_RESTORING);
    bool ok = read_pass(g, from, state_verify_machine, err) && (!before || before(opaque, err));

    if (ok && !read_pass(g, from, state_load_machine, err)) {
        ok = false;
        state = RUN_ERROR; /* it was reset, and has to be once more */
    }
    resume_machine(g, ok && (state == RUN_SHUTDOWN || state == RUN_ERROR) ? RUN_PAUSED : state);
    return ok;
}

/* ---- plain files ---- */

static bool file_write(void *opaque, const void *buf, size_t bytes, Error *err)
{
    const uint8_t *p = buf;

    while (bytes) {
        ssize_t n = write(*(int *)opaque, p, bytes);

        if (n < 0 && errno != EINTR) {
            return error_set_errno(err, "cannot write the state");
        }
        p += MAX(n, 0);
        bytes -= (size_t)MAX(n, 0);
    }
    return true;
}

static bool file_read(void *opaque, uint64_t offset, void *buf, size_t bytes, Error *err)
{
    uint8_t *p = buf;

    while (bytes) {
        ssize_t n = pread(*(int *)opaque, p, bytes, (off_t)offset);

        if (n == 0) {
            return error_set(err, "the state became shorter while it was read");
        }
        if (n < 0 && errno != EINTR) {
            return error_set_errno(err, "cannot read the state");
        }
        p += MAX(n, 0);
        offset += (uint64_t)MAX(n, 0);
        bytes -= (size_t)MAX(n, 0);
    }
    return true;
}

bool migration_save_file(Migration *g, const char *path, Error *err)
{
    char *part = g_strconcat(path, ".part", NULL);
    int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    StateSink to = {file_write, &fd};
    bool ok;

    if (fd < 0) {
        error_set_errno(err, "%s", part);
        g_free(part);
        return false;
    }
    ok = migration_save(g, &to, NULL, NULL, err) || error_prepend(err, "%s", path);
    if (ok && fsync(fd)) {
        ok = error_set_errno(err, "%s", part);
    }
    close(fd);
    if (ok && rename(part, path)) {
        ok = error_set_errno(err, "%s", path);
    }
    if (!ok) {
        unlink(part);
    }
    g_free(part);
    return ok;
}

bool migration_load_file(Migration *g, const char *path, Error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    StateSource from = {file_read, &fd, 0};
    struct stat st;
    bool ok;

    if (fd < 0 || fstat(fd, &st)) {
        return error_set_errno(err, "%s", path);
    }
    from.bytes = (uint64_t)st.st_size;
    ok = migration_load(g, &from, NULL, NULL, err) || error_prepend(err, "%s", path);
    close(fd);
    return ok;
}
