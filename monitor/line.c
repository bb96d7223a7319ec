/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One command line: splitting, finding the command, running it; completion. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/private.h"
#include "util/keyval.h"
#include "util/str_nearest.h"

void call_printf(Call *k, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    k->print(k->to, text);
}

void call_error(Call *k, const Error *err)
{
    call_printf(k, "Error: %s", err->text);
}

bool call_number(Call *k, int arg, uint64_t *v)
{
    if (arg < k->argc && parse_u64(k->argv[arg], v)) {
        return true;
    }
    call_printf(k, "Error: '%s' is not a number", arg < k->argc ? k->argv[arg] : "");
    return false;
}

/* Words in `store`; quotes keep blanks. The last may be the rest of the line. */
static int split(const char *line, char *store, const char **argv, int max)
{
    int n = 0;
    for (;;) {
        line += strspn(line, " \t");
        if (!*line || n == max) {
            return n;
        }
        argv[n++] = store;
        char quote = 0;
        for (; *line && (quote || !strchr(" \t", *line)); line++) {
            if (*line == quote) {
                quote = 0;
            } else if (!quote && *line == '"') {
                quote = *line;
            } else {
                *store++ = *line;
            }
        }
        *store++ = '\0';
    }
}

static const char *name_in(size_t i, const void *opaque)
{
    return ((const Command *)opaque)[i].name;
}

static const Command *find(const Command *table, const char *word)
{
    for (const Command *c = table; c->name; c++) {
        if (!strcmp(c->name, word) || (c->alias && !strcmp(c->alias, word))) {
            return c;
        }
    }
    return NULL;
}

/* How many words the args text needs at least and takes at most. */
static void count_args(const char *args, int *least, int *most)
{
    *least = *most = 0;
    for (const char *p = args; *p;) {
        p += strspn(p, " ");
        size_t n = strcspn(p, " ");
        *least += *p != '[';
        *most = n >= 3 && strstr(p, "...") && strstr(p, "...") < p + n + 1 ? MONITOR_MAX_ARGS
                                                                           : *most + 1;
        p += n;
        p += strspn(p, " ");
    }
}

static void run(Call *k, const Command *table, const char *what)
{
    const Command *c = find(table, k->argv[0]);
    int least, most;
    if (!c) {
        const char *near = str_nearest(k->argv[0], name_in, table);
        call_printf(k, "unknown %s: '%s'%s%s%s", what, k->argv[0], near ? "; did you mean '" : "",
                    near ? near : "", near ? "'?" : "");
        return;
    }
    count_args(c->args, &least, &most);
    if (k->argc - 1 < least || k->argc - 1 > most) {
        call_printf(k, "usage: %s%s%s", c->name, *c->args ? " " : "", c->args);
        return;
    }
    if (!c->run) { /* info */
        if (k->argc == 1) {
            k->argv[1] = "help";
            k->argc = 2;
        }
        memmove(k->argv, k->argv + 1, (size_t)(--k->argc) * sizeof *k->argv);
        run(k, monitor_infos, "info");
        return;
    }
    c->run(k);
}

void monitor_run_words(Call *k)
{
    run(k, monitor_commands, "command");
}

void monitor_run_line(const MonitorContext *c, unsigned *default_cpu, const char *line,
                      MonitorPrint *print, void *to)
{
    char *store = malloc(strlen(line) + MONITOR_MAX_ARGS + 1);
    if (!store) {
        return;
    }
    Call k = {.c = c, .print = print, .to = to, .cpu = *default_cpu, .default_cpu = default_cpu};
    k.argc = split(line, store, k.argv, MONITOR_MAX_ARGS);
    if (k.argc > 0 && k.argv[0][0] != '#') {
        monitor_run_words(&k);
    }
    free(store);
}

void monitor_execute(const MonitorContext *context, const char *line, MonitorPrint *print, void *to)
{
    unsigned cpu = 0;
    monitor_run_line(context, &cpu, line, print, to);
}

/* ---- completion ---- */

typedef struct Completer {
    const char *word;
    size_t n;
    void (*each)(void *opaque, const char *word);
    void *opaque;
} Completer;

static void offer(Completer *c, const char *name)
{
    if (name && !strncmp(name, c->word, c->n)) {
        c->each(c->opaque, name);
    }
}

static void offer_block(const char *id, struct BlockDev *dev, Device *user, void *opaque)
{
    (void)dev;
    (void)user;
    offer(opaque, id);
}

void monitor_complete(const MonitorContext *c, const char *line,
                      void (*each)(void *opaque, const char *word), void *opaque)
{
    const char *word = strrchr(line, ' ');
    word = word ? word + 1 : line;
    Completer k = {word, strlen(word), each, opaque};
    const Command *table = word == line ? monitor_commands : NULL;
    if (!strncmp(line, "info ", 5) && !strchr(line + 5, ' ')) {
        table = monitor_infos;
    } else if ((!strncmp(line, "help ", 5) || !strncmp(line, "? ", 2)) && !table) {
        table = monitor_commands;
    }
    for (const Command *t = table; t && t->name; t++) {
        offer(&k, t->name);
    }
    if (!strncmp(line, "device_del ", 11)) {
        for (Device *d = c->machine->devices; d; d = d->next) {
            offer(&k, d->id);
        }
    } else if (!strncmp(line, "eject ", 6) || !strncmp(line, "change ", 7) ||
               !strncmp(line, "commit ", 7)) {
        machine_block_each(c->machine, offer_block, &k);
    }
}
