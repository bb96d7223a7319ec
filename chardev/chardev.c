/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -chardev and the short forms of -serial and -monitor: the table of backends and its readers. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "chardev/backends.h"
#include "util/keyval.h"
#include "util/str_nearest.h"

static const ChardevBackend backends[] = {
    {"null", NULL, "drops output, has no input", char_null_options, char_null_open},
    {"stdio", NULL, "standard input and output", char_stdio_options, char_stdio_open},
    {"pty", NULL, "a new pseudo terminal", char_pty_options, char_pty_open},
    {"file", NULL, "output to a file", char_file_options, char_file_open},
    {"pipe", NULL, "FIFOs", char_pipe_options, char_pipe_open},
    {"socket", NULL, "a Unix or TCP socket, plain or telnet", char_socket_options,
     char_socket_open},
    {"udp", "dgram", "UDP datagrams", char_udp_options, char_udp_open},
    {"serial", "tty", "a serial port of the host", char_tty_options, char_tty_open},
    {"ringbuf", "memory", "a ring buffer that the monitor reads", char_ringbuf_options,
     char_ringbuf_open},
    {0},
};

static const ChardevOption common_options[] = {
    COPT(COPT_STRING, "id", id, NULL, "its name for chardev=ID (required)"),
    COPT(COPT_BOOL, "mux", mux, "off", "several front ends share it; Ctrl-A switches"),
    COPT(COPT_STRING, "logfile", logfile, NULL, "file that gets a copy of the output"),
    COPT(COPT_BOOL, "logappend", logappend, "off", "keep what the log file has"),
    {0},
};

static const char *backend_name(size_t i, const void *opaque)
{
    (void)opaque;
    return backends[i].name;
}

static const ChardevBackend *backend_by_name(const char *name)
{
    for (const ChardevBackend *b = backends; b->name; b++) {
        if (!strcmp(name, b->name) || (b->alias && !strcmp(name, b->alias))) {
            return b;
        }
    }
    return NULL;
}

static bool read_option(KeyVals *kv, const ChardevOption *row, ChardevOptions *o, Error *err)
{
    char *at = (char *)o + row->offset;
    const char *text;

    switch ((ChardevOptKind)row->kind) {
    case COPT_STRING:
        text = keyvals_get(kv, row->name);
        *(const char **)at = text ? text : row->initial;
        return true;
    case COPT_BOOL:
        *(bool *)at = row->initial && !strcmp(row->initial, "on");
        return keyvals_bool(kv, row->name, (bool *)at, err);
    case COPT_U64:
        if (row->initial) {
            parse_u64(row->initial, (uint64_t *)at);
        }
        if (!strcmp(row->name, "fd")) {
            o->has_fd = keyvals_get(kv, "fd") != NULL;
        }
        return keyvals_u64(kv, row->name, (uint64_t *)at, err);
    case COPT_SIZE:
        if (row->initial) {
            parse_size(row->initial, 1, (uint64_t *)at);
        }
        return keyvals_size(kv, row->name, 1, (uint64_t *)at, err);
    }
    return true;
}

static bool read_options(KeyVals *kv, const ChardevOption *rows, ChardevOptions *o, Error *err)
{
    for (const ChardevOption *row = rows; row->name; row++) {
        if (!read_option(kv, row, o, err)) {
            return false;
        }
    }
    return true;
}

typedef struct Lookup {
    const char *id;
    bool found;
} Lookup;

static void compare_id(Chardev *c, void *opaque)
{
    Lookup *look = opaque;

    look->found |= !strcmp(c->id, look->id);
}

/* Opens, puts a mux above if wanted, and lists it. */
static Chardev *open_listed(Machine *m, const ChardevBackend *b, const ChardevOptions *o,
                            Error *err)
{
    Lookup look = {.id = o->id};
    chardev_each(m, compare_id, &look);
    if (look.found) {
        error_set(err, "there is a chardev '%s' already; give it another id", o->id);
        return NULL;
    }
    Chardev *c = b->open(m, o, err);
    if (c && o->mux) {
        Chardev *mux = chardev_mux_new(m, o->id, c, err);

        if (!mux) {
            c->ops->close(c);
        }
        c = mux;
    }
    if (c) {
        chardev_add(m, c);
    }
    return c;
}

static Chardev *new_from_keyvals(Machine *m, KeyVals *kv, Error *err)
{
    ChardevOptions o = {0};
    const char *name = keyvals_get(kv, "backend");

    if (!name) {
        error_set(err, "which backend? (-chardev help lists them)");
        return NULL;
    }
    const ChardevBackend *b = backend_by_name(name);
    if (!b) {
        const char *nearest = str_nearest(name, backend_name, NULL);

        error_set(err, "unknown backend '%s'%s%s%s (-chardev help lists them)", name,
                  nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
        return NULL;
    }
    if (!read_options(kv, common_options, &o, err) || !read_options(kv, b->options, &o, err) ||
        !keyvals_finish(kv, err)) {
        return NULL;
    }
    if (!o.id) {
        error_set(err, "id= is missing");
        return NULL;
    }
    Chardev *c = open_listed(m, b, &o, err);
    if (!c) {
        error_prepend(err, "%s", b->name);
    }
    return c;
}

Chardev *chardev_new(Machine *m, const char *spec, Error *err)
{
    KeyVals kv;
    Chardev *c = NULL;

    if (keyvals_parse(&kv, spec, "backend", err)) {
        c = new_from_keyvals(m, &kv, err);
    }
    keyvals_free(&kv);
    if (!c) {
        error_prepend(err, "-chardev %s", spec);
    }
    return c;
}

/* ---- short forms */

/* Commas are separators in a -chardev list. */
static void append_escaped(GString *s, const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        g_string_append_c(s, text[i]);
        if (text[i] == ',') {
            g_string_append_c(s, ',');
        }
    }
}

/* HOST:PORT (host may be empty or in brackets) up to `end`, to key prefixes. */
static bool append_host_port(GString *s, const char *text, const char *end, const char *host_key,
                             const char *port_key)
{
    const char *colon = NULL;

    for (const char *p = text; p < end; p++) {
        colon = *p == ':' ? p : colon;
    }
    if (!colon || colon + 1 == end) {
        return false;
    }
    const char *host = text, *host_end = colon;
    if (host_end - host >= 2 && *host == '[' && host_end[-1] == ']') {
        host++;
        host_end--;
    }
    if (host_end > host) {
        g_string_append_printf(s, ",%s=", host_key);
        append_escaped(s, host, (size_t)(host_end - host));
    }
    g_string_append_printf(s, ",%s=", port_key);
    append_escaped(s, colon + 1, (size_t)(end - colon - 1));
    return true;
}

typedef enum ShortKind {
    SHORT_BARE, /* NAME */
    SHORT_PATH, /* NAME:PATH, all of the rest */
    SHORT_UNIX, /* NAME:PATH,options */
    SHORT_INET, /* NAME:HOST:PORT,options */
    SHORT_UDP,  /* NAME:HOST:PORT@LOCALHOST:PORT */
} ShortKind;

static const struct {
    const char *prefix; /* as typed, with its colon */
    ShortKind kind;
    const char *backend;
} short_forms[] = {
    {"stdio", SHORT_BARE, "stdio"},    {"pty", SHORT_BARE, "pty"},
    {"null", SHORT_BARE, "null"},      {"ringbuf", SHORT_BARE, "ringbuf"},
    {"memory", SHORT_BARE, "ringbuf"}, {"file:", SHORT_PATH, "file"},
    {"pipe:", SHORT_PATH, "pipe"},     {"unix:", SHORT_UNIX, "socket"},
    {"tcp:", SHORT_INET, "socket"},    {"telnet:", SHORT_INET, "socket,telnet=on"},
    {"udp:", SHORT_UDP, "udp"},        {"/dev/", SHORT_PATH, "serial"},
};

static bool append_form(GString *s, ShortKind kind, const char *rest, Error *err)
{
    const char *comma = strchr(rest, ',');
    const char *end = comma ? comma : rest + strlen(rest);
    const char *at = strchr(rest, '@');
    bool ok = true;

    switch (kind) {
    case SHORT_BARE: ok = !*rest || *rest == ','; break;
    case SHORT_PATH:
        g_string_append(s, ",path=");
        append_escaped(s, rest, strlen(rest));
        ok = *rest;
        comma = NULL; /* part of the path */
        break;
    case SHORT_UNIX:
        g_string_append(s, ",path=");
        append_escaped(s, rest, (size_t)(end - rest));
        ok = end > rest;
        break;
    case SHORT_INET: ok = append_host_port(s, rest, end, "host", "port"); break;
    case SHORT_UDP:
        ok = append_host_port(s, rest, at ? at : end, "host", "port") &&
             (!at || append_host_port(s, at + 1, end, "localaddr", "localport"));
        break;
    }
    if (comma) {
        g_string_append(s, comma);
    }
    static const char *const wrong[] = {
        [SHORT_BARE] = "it takes no argument", [SHORT_PATH] = "the path is missing",
        [SHORT_UNIX] = "the path is missing",  [SHORT_INET] = "HOST:PORT is missing",
        [SHORT_UDP] = "HOST:PORT is missing",
    };
    return ok || error_set(err, "%s", wrong[kind]);
}

static Chardev *new_from_form(Machine *m, const char *form, const char *id, Error *err)
{
    for (size_t i = 0; i < G_N_ELEMENTS(short_forms); i++) {
        const char *prefix = short_forms[i].prefix;
        size_t length = strlen(prefix);
        bool device = *prefix == '/'; /* part of the path */

        if (strncmp(form, prefix, length)) {
            continue;
        }
        g_autoptr(GString) spec = g_string_new(short_forms[i].backend);
        g_string_append(spec, ",id=");
        append_escaped(spec, id, strlen(id));
        if (!append_form(spec, short_forms[i].kind, device ? form : form + length, err)) {
            return NULL;
        }
        return chardev_new(m, spec->str, err);
    }
    error_set(err, "unknown; there are: none, null, stdio, mon:FORM, pty, file:PATH, pipe:PATH, "
                   "unix:PATH, tcp:HOST:PORT, telnet:HOST:PORT, udp:HOST:PORT, ringbuf, "
                   "chardev:ID, /dev/TTY");
    return NULL;
}

Chardev *chardev_new_short(Machine *m, const char *form, const char *id, Error *err)
{
    bool mux = g_str_has_prefix(form, "mon:");
    const char *plain = mux ? form + 4 : form;
    Chardev *c;

    if (!strcmp(plain, "none")) {
        return NULL;
    }
    if (g_str_has_prefix(plain, "chardev:")) {
        c = chardev_by_id(m, plain + 8);
        if (!c) {
            error_set(err, "%s: there is no -chardev with this id", form);
        }
        return c;
    }
    if (!strcmp(plain, "vc") || g_str_has_prefix(plain, "vc:")) {
        error_set(err, "%s: text consoles in a window are not there yet; use stdio, pty or null",
                  form);
        return NULL;
    }
    if (!mux) {
        c = new_from_form(m, plain, id, err);
    } else {
        /* Ctrl-C goes to the guest when there is an escape key to quit with. */
        g_autofree char *spec =
            g_strconcat(plain, !strcmp(plain, "stdio") ? ",signal=off,mux=on" : ",mux=on", NULL);

        c = new_from_form(m, spec, id, err);
    }
    if (!c) {
        error_prepend(err, "%s", form);
    }
    return c;
}

/* ---- the rest */

void chardev_free(Chardev *c)
{
    if (!c) {
        return;
    }
    if (c->in_use) {
        chardev_detach(c);
    }
    chardev_remove(c->machine, c);
    c->ops->close(c);
}

static void take_first(Chardev *c, void *opaque)
{
    Chardev **first = opaque;

    *first = *first ? *first : c;
}

void chardev_free_all(Machine *m)
{
    for (;;) {
        Chardev *c = NULL;

        chardev_each(m, take_first, &c);
        if (!c) {
            return;
        }
        chardev_free(c);
    }
}

static void print_options(const ChardevOption *rows, FILE *f)
{
    static const char *const kinds[] = {"text", "on|off", "number", "size"};

    for (const ChardevOption *row = rows; row->name; row++) {
        fprintf(f, "  %s=<%s>%*s%s%s%s%s\n", row->name, kinds[row->kind],
                (int)MAX(1, 24 - (int)strlen(row->name) - (int)strlen(kinds[row->kind])), "",
                row->help, row->initial ? " (default " : "", row->initial ? row->initial : "",
                row->initial ? ")" : "");
    }
}

bool chardev_print_help(const char *backend, FILE *f)
{
    if (backend) {
        const ChardevBackend *b = backend_by_name(backend);

        if (!b) {
            return false;
        }
        fprintf(f, "%s: %s; options:\n", b->name, b->title);
        print_options(common_options, f);
        print_options(b->options, f);
        return true;
    }
    fprintf(f, "Available chardev backend types:\n");
    for (const ChardevBackend *b = backends; b->name; b++) {
        fprintf(f, "  %-10s %s\n", b->name, b->title);
    }
    return true;
}
