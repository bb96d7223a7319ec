/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Error messages; see the header for how they should read. */
#include "util/error.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

/* Formats at text[at], keeping what is before it; marks a message that did not fit. */
static size_t error_format(Error *e, size_t at, const char *fmt, va_list ap)
{
    size_t room = sizeof e->text - at;
    int n = vsnprintf(e->text + at, room, fmt, ap);

    if (n < 0) {
        n = 0;
        e->text[at] = '\0';
    }
    if ((size_t)n >= room) {
        memcpy(e->text + sizeof e->text - 4, "...", 4);
        return sizeof e->text - 1;
    }
    return at + (size_t)n;
}

static size_t error_append(Error *e, size_t at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static size_t error_append(Error *e, size_t at, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    at = error_format(e, at, fmt, ap);
    va_end(ap);
    return at;
}

bool error_set(Error *e, const char *fmt, ...)
{
    int saved = errno;
    va_list ap;

    if (e) {
        va_start(ap, fmt);
        error_format(e, 0, fmt, ap);
        va_end(ap);
    }
    errno = saved;
    return false;
}

bool error_set_errno(Error *e, const char *fmt, ...)
{
    int saved = errno;
    va_list ap;

    if (e) {
        va_start(ap, fmt);
        size_t at = error_format(e, 0, fmt, ap);
        va_end(ap);
        error_append(e, at, ": %s", strerror(saved));
    }
    errno = saved;
    return false;
}

bool error_prepend(Error *e, const char *fmt, ...)
{
    Error old;
    va_list ap;

    if (!e) {
        return false;
    }
    old = *e;
    va_start(ap, fmt);
    size_t at = error_format(e, 0, fmt, ap);
    va_end(ap);
    error_append(e, at, ": %s", old.text);
    return false;
}

void error_report(const Error *e, const char *program, FILE *f)
{
    fprintf(f, "%s: %s\n", program, e->text);
}
