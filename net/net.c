/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Host networks: the table of kinds, and what is the same for all. */
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "net/kinds.h"
#include "util/str_nearest.h"

static const NetKind *const kinds[] = {
#ifdef HAVE_SLIRP
    &net_kind_user,
#endif
    &net_kind_tap,
    &net_kind_bridge,
    &net_kind_socket,
    &net_kind_stream,
    &net_kind_dgram,
    &net_kind_hubport,
    NULL,
};

/* A back end's place in the machine: the port says whose it is by its ops. */
typedef struct Backend {
    NetPort *port;
    const NetKind *kind;
    Machine *machine;
    char *id;
    NetDump *dumps;
    struct Backend *next;
} Backend;

static const char *kind_name(size_t i, const void *opaque)
{
    (void)opaque;
    return kinds[i] ? kinds[i]->name : NULL;
}

static const NetKind *find_kind(const char *name, Error *err)
{
    for (size_t i = 0; kinds[i]; i++) {
        if (!strcmp(kinds[i]->name, name)) {
            return kinds[i];
        }
    }
    const char *near = str_nearest(name, kind_name, NULL);
    error_set(err, "unknown network '%s'%s%s%s (-netdev help lists them)", name,
              near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    return NULL;
}

/* Back ends of a machine hang on its key in the machine's own list. */
static Backend **backends(Machine *m)
{
    return (Backend **)&m->net_backends;
}

static bool make(Machine *m, KeyVals *kv, Error *err)
{
    const char *type = keyvals_get(kv, "type"), *id = keyvals_get(kv, "id");
    const NetKind *kind = type ? find_kind(type, err) : NULL;
    if (!kind) {
        return type ? false : error_set(err, "no kind of network (-netdev help lists them)");
    }
    if (!id) {
        return error_set(err, "no id=");
    }
    if (net_by_id(m, id)) {
        return error_set(err, "id=%s: taken by another network", id);
    }
    Backend *b = calloc(1, sizeof *b);
    if (!b || !(b->id = strdup(id))) {
        abort();
    }
    b->kind = kind;
    b->machine = m;
    b->port = kind->make(m, b->id, kv, err);
    if (!b->port) {
        free(b->id);
        free(b);
        return false;
    }
    b->next = *backends(m);
    *backends(m) = b;
    return true;
}

bool net_backend_new(Machine *m, const char *spec, Error *err)
{
    KeyVals kv;
    bool ok = keyvals_parse(&kv, spec, "type", err) && make(m, &kv, err);
    keyvals_free(&kv);
    return ok;
}

static void backend_free(Backend *b)
{
    net_dumps_close(b->dumps);
    net_disconnect(b->port);
    b->port->ops->close(b->port);
    free(b->id);
    free(b);
}

bool net_backend_delete(Machine *m, const char *id, Error *err)
{
    for (Backend **p = backends(m); *p; p = &(*p)->next) {
        Backend *b = *p;
        if (!strcmp(b->id, id)) {
            *p = b->next;
            backend_free(b);
            return true;
        }
    }
    return error_set(err, "no network '%s'", id);
}

void net_backends_free(Machine *m)
{
    while (*backends(m)) {
        Backend *b = *backends(m);
        *backends(m) = b->next;
        backend_free(b);
    }
}

bool net_dump_new(Machine *m, const char *spec, Error *err)
{
    NetDump *d = net_dump_open(m, spec, err);

    if (!d) {
        return false;
    }
    for (Backend *b = *backends(m); b; b = b->next) {
        if (b->port == net_dump_port(d)) {
            b->dumps = net_dump_link(d, b->dumps);
            return true;
        }
    }
    net_dumps_close(d);
    return error_set(err, "netdev=: only networks of -netdev can be captured");
}

/* ---- the monitor's */

static bool forward(Machine *m, const char *id, const char *rule, bool add, Error *err)
{
    for (Backend *b = *backends(m); b; b = b->next) {
        if (b->kind->forward && (!id || !strcmp(id, b->id))) {
            return b->kind->forward(b->port, rule, add, err);
        }
    }
    return error_set(err, id ? "no user network '%s'" : "there is no user network", id);
}

bool net_hostfwd_add(Machine *m, const char *id, const char *rule, Error *err)
{
    return forward(m, id, rule, true, err);
}

bool net_hostfwd_remove(Machine *m, const char *id, const char *rule, Error *err)
{
    return forward(m, id, rule, false, err);
}

void net_print_user(Machine *m, void (*print)(void *opaque, const char *line), void *opaque)
{
    for (Backend *b = *backends(m); b; b = b->next) {
        char *text = b->kind->connections ? b->kind->connections(b->port) : NULL;
        for (char *line = text ? strtok(text, "\n") : NULL; line; line = strtok(NULL, "\n")) {
            print(opaque, line);
        }
        free(text);
    }
}

void net_print_help(FILE *f)
{
    fputs("Available netdev backend types:\n", f);
    for (size_t i = 0; kinds[i]; i++) {
        fprintf(f, "%s\n", kinds[i]->name);
        for (const NetOption *o = kinds[i]->options; o && o->key; o++) {
            fprintf(f, "  %s=<%s> - %s\n", o->key, o->arg, o->help);
        }
    }
}
