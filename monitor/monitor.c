/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A monitor on a byte stream: prompt, editor, output that waits for a slow reader. */
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "monitor/edit.h"
#include "monitor/private.h"

enum { MAX_PENDING = 8 << 20 }; /* output nobody reads: dropped beyond this */

struct Monitor {
    const MonitorContext *context;
    Chardev *chardev;
    Editor editor;
    bool busy; /* a command runs */
    GString *pending; /* what the stream did not take yet */
    unsigned cpu;     /* default CPU of commands */
    bool greeted, shared;
};

static void flush(Monitor *m)
{
    size_t n = chardev_write(m->chardev, m->pending->str, m->pending->len);
    g_string_erase(m->pending, 0, (gssize)n);
}

static void out(void *opaque, const char *text, size_t bytes)
{
    Monitor *m = opaque;
    if (m->pending->len + bytes <= MAX_PENDING) {
        g_string_append_len(m->pending, text, (gssize)bytes);
    }
    flush(m);
}

static void print_line(void *opaque, const char *line)
{
    out(opaque, line, strlen(line));
    out(opaque, "\r\n", 2);
}

static void enter(void *opaque, const char *line)
{
    Monitor *m = opaque;
    monitor_run_line(m->context, &m->cpu, line, print_line, m);
}

/* ---- completion: the common part of all candidates, or their list ---- */

typedef struct Candidates {
    GPtrArray *words;
} Candidates;

static void add_candidate(void *opaque, const char *word)
{
    Candidates *c = opaque;
    g_ptr_array_add(c->words, (gpointer)word);
}

static void complete(void *opaque, const char *line)
{
    Monitor *m = opaque;
    Candidates c = {g_ptr_array_new()};
    monitor_complete(m->context, line, add_candidate, &c);
    const char *word = strrchr(line, ' ');
    size_t typed = strlen(word ? word + 1 : line);
    if (c.words->len) {
        const char *first = c.words->pdata[0];
        size_t common = strlen(first);
        for (guint i = 1; i < c.words->len; i++) {
            const char *w = c.words->pdata[i];
            size_t n = 0;
            while (n < common && w[n] == first[n]) {
                n++;
            }
            common = n;
        }
        char *more = g_strndup(first + typed, common - typed);
        edit_insert(&m->editor, more);
        if (c.words->len == 1) {
            edit_insert(&m->editor, " ");
        } else if (!*more) {
            out(m, "\r\n", 2);
            for (guint i = 0; i < c.words->len; i++) {
                print_line(m, c.words->pdata[i]);
            }
            edit_show_prompt(&m->editor);
        }
        g_free(more);
    }
    g_ptr_array_free(c.words, TRUE);
}

/* ---- the stream ---- */

/* A command that waits may turn the loop: what is typed meanwhile waits until it is done. */
static size_t can_receive(void *opaque)
{
    return ((Monitor *)opaque)->busy ? 0 : MONITOR_LINE_BYTES;
}

static void receive(void *opaque, const uint8_t *buf, size_t bytes)
{
    Monitor *m = opaque;
    m->busy = true;
    for (size_t i = 0; i < bytes; i++) {
        edit_byte(&m->editor, buf[i]);
    }
    m->busy = false;
    chardev_accept_input(m->chardev);
}

static void greet(Monitor *m)
{
    if (!m->greeted) {
        print_line(m, "gemel " GEMEL_VERSION " monitor - type 'help' for more information");
        m->greeted = true;
    }
    edit_show_prompt(&m->editor);
}

static void event(void *opaque, ChardevEvent e)
{
    Monitor *m = opaque;
    if (e == CHARDEV_OPENED && !m->shared) {
        m->greeted = false;
        greet(m);
    } else if (e == CHARDEV_FOCUS) {
        greet(m);
    }
}

static void writable(void *opaque)
{
    flush(opaque);
}

Monitor *monitor_new(const MonitorContext *context, Chardev *c, bool shared, Error *err)
{
    Monitor *m = g_new0(Monitor, 1);
    m->context = context;
    m->chardev = c;
    m->shared = shared;
    m->pending = g_string_new(NULL);
    edit_init(&m->editor, "(gemel) ");
    m->editor.out = out;
    m->editor.enter = enter;
    m->editor.complete = complete;
    m->editor.opaque = m;
    ChardevFront front = {can_receive, receive, event, writable, m};
    if (!chardev_attach(c, &front, err)) {
        m->chardev = NULL;
        monitor_free(m);
        return NULL;
    }
    if (!shared && c->open) {
        greet(m);
    }
    return m;
}

void monitor_free(Monitor *m)
{
    if (m->chardev) {
        chardev_detach(m->chardev);
    }
    edit_free(&m->editor);
    g_string_free(m->pending, TRUE);
    g_free(m);
}
