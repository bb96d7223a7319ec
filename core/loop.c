/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The event loop: a GLib main context whose sources all run under the machine lock. The loop is
 * stepped by hand (prepare, query, poll, check, dispatch), so that the lock is held for everything
 * but the poll itself; any GSource attached to Machine.loop gets the same.
 */
#include <assert.h>
#include <glib-unix.h>
#include <stdarg.h>
#include <stdio.h>

#include "core/private.h"

enum { LOOP_FDS_ON_STACK = 64 };

void machine_iterate(Machine *m, bool may_block)
{
    GPollFD on_stack[LOOP_FDS_ON_STACK];
    GPollFD *fds = on_stack;
    int n, cap = LOOP_FDS_ON_STACK, priority, timeout_ms;

    machine_lock(m);
    if (!g_main_context_acquire(m->loop)) {
        assert(!"the loop runs on two threads");
    }
    g_main_context_prepare(m->loop, &priority);
    while ((n = g_main_context_query(m->loop, priority, &timeout_ms, fds, cap)) > cap) {
        cap = n;
        if (fds != on_stack) {
            g_free(fds);
        }
        fds = g_new(GPollFD, (gsize)cap);
    }
    machine_unlock(m);
    g_poll(fds, (guint)n, may_block ? timeout_ms : 0);
    machine_lock(m);
    g_main_context_check(m->loop, priority, fds, n);
    g_main_context_dispatch(m->loop);
    g_main_context_release(m->loop);
    machine_unlock(m);
    if (fds != on_stack) {
        g_free(fds);
    }
}

/* ---- deferred calls ---- */

typedef struct Deferred {
    void (*fn)(void *opaque);
    void *opaque;
} Deferred;

static gboolean run_deferred(gpointer data)
{
    Deferred *d = data;

    d->fn(d->opaque);
    return G_SOURCE_REMOVE;
}

void machine_defer(Machine *m, void (*fn)(void *opaque), void *opaque)
{
    GSource *s = g_idle_source_new();
    Deferred *d = g_new(Deferred, 1);

    *d = (Deferred){fn, opaque};
    g_source_set_priority(s, G_PRIORITY_DEFAULT);
    g_source_set_callback(s, run_deferred, d, g_free);
    g_source_attach(s, m->loop);
    g_source_unref(s);
}

/* ---- file descriptors ---- */

typedef struct FdSource {
    unsigned handle; /* must be first: machine_free() reads it */
    int fd;
    bool (*fn)(int fd, GIOCondition condition, void *opaque);
    void *opaque;
    Machine *machine;
    GSource *source;
} FdSource;

static gboolean fd_ready(gint fd, GIOCondition condition, gpointer data)
{
    FdSource *s = data;
    unsigned handle = s->handle;
    Machine *m = s->machine;

    if (!s->fn(fd, condition, s->opaque)) {
        machine_fd_remove(m, handle); /* finds nothing when the callback removed it itself */
    }
    return G_SOURCE_CONTINUE;
}

unsigned machine_fd_add(Machine *m, int fd, GIOCondition condition,
                        bool (*fn)(int fd, GIOCondition condition, void *opaque), void *opaque)
{
    FdSource *s = g_new0(FdSource, 1);

    *s = (FdSource){
        .handle = ++m->p->next_handle, .fd = fd, .fn = fn, .opaque = opaque, .machine = m};
    s->source = g_unix_fd_source_new(fd, condition);
    g_source_set_callback(s->source, G_SOURCE_FUNC(fd_ready), s, g_free);
    m->p->sources = g_slist_prepend(m->p->sources, s);
    g_source_attach(s->source, m->loop);
    return s->handle;
}

void machine_fd_remove(Machine *m, unsigned handle)
{
    for (GSList *l = m->p->sources; l; l = l->next) {
        FdSource *s = l->data;

        if (s->handle == handle) {
            GSource *source = s->source;

            m->p->sources = g_slist_delete_link(m->p->sources, l);
            g_source_destroy(source); /* frees s, now or after its callback */
            g_source_unref(source);
            return;
        }
    }
}

/* ---- lines for the monitor ---- */

void printer_line(const Printer *p, const char *fmt, ...)
{
    char line[256];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    p->print(p->opaque, line);
}
