/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The log sink; the stream's own lock keeps records whole. */
#include "util/log.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "util/str_nearest.h"

static const char *log_kind_name(size_t i, const void *opaque)
{
    const LogKind *kinds = opaque;
    return kinds[i].name;
}

static bool log_find_kind(const char *name, const LogKind *kinds, uint32_t *on)
{
    bool all = !strcmp(name, "all"), found = all;

    for (const LogKind *k = kinds; k->name; k++) {
        if (all || !strcmp(name, k->name)) {
            *on |= k->bit;
            found = true;
        }
    }
    return found;
}

bool log_parse_kinds(const char *list, const LogKind *kinds, uint32_t *on, Error *err)
{
    char name[32];
    uint32_t bits = 0;

    for (const char *p = list, *end;; p = end + 1) {
        end = strchrnul(p, ',');
        snprintf(name, sizeof name, "%.*s", (int)(end - p > 31 ? 31 : end - p), p);
        if (!log_find_kind(name, kinds, &bits)) {
            const char *near = str_nearest(name, log_kind_name, kinds);
            return error_set(err, "-d %s: no log kind '%s'%s%s%s (-d help lists them)", list, name,
                             near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
        }
        if (!*end) {
            break;
        }
    }
    *on = bits;
    return true;
}

void log_print_kinds(const LogKind *kinds, FILE *f)
{
    for (const LogKind *k = kinds; k->name; k++) {
        fprintf(f, "%-12s %s\n", k->name, k->help);
    }
}

bool log_open(Log *log, const char *path, uint32_t on, Error *err)
{
    char name[4096];
    const char *pid;
    int n;

    *log = (Log){.file = stderr, .on = on};
    if (!path) {
        return true;
    }
    pid = strstr(path, "%d");
    if (pid) {
        n = snprintf(name, sizeof name, "%.*s%ld%s", (int)(pid - path), path, (long)getpid(),
                     pid + 2);
    } else {
        n = snprintf(name, sizeof name, "%s", path);
    }
    if (n < 0 || (size_t)n >= sizeof name) {
        return error_set(err, "-D: the name of the log file is longer than 4095 bytes");
    }
    log->file = fopen(name, "we");
    if (!log->file) {
        log->file = stderr;
        return error_set_errno(err, "-D %s: cannot write the log", name);
    }
    log->owned = true;
    setvbuf(log->file, NULL, _IOLBF, 0);
    return true;
}

void log_close(Log *log)
{
    if (log->owned) {
        fclose(log->file);
    }
    *log = (Log){.file = stderr};
}

FILE *log_begin(Log *log, uint32_t bit)
{
    if (!log_is_on(log, bit)) {
        return NULL;
    }
    flockfile(log->file);
    return log->file;
}

void log_end(Log *log)
{
    fflush(log->file);
    funlockfile(log->file);
}

void log_printf(Log *log, uint32_t bit, const char *fmt, ...)
{
    FILE *f = log_begin(log, bit);
    va_list ap;

    if (f) {
        va_start(ap, fmt);
        vfprintf(f, fmt, ap);
        va_end(ap);
        log_end(log);
    }
}
