/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The monitor for programs: a stream of JSON objects in, replies and events out, one a line.
 * Source: QEMU Machine Protocol Specification 1.0 (documentation). A session begins with our
 * greeting; until the peer has said qmp_capabilities only that command is taken and no event is
 * sent. No capability is offered: out-of-band execution is not there.
 */
#include <string.h>

#include "config.h"
#include "monitor/qmp.h"
#include "monitor/qmp_private.h"

enum {
    QMP_MAX_BYTES = 1 << 20, /* of one command */
    QMP_MAX_DEPTH = 32,
    QMP_MAX_PENDING = 8 << 20 /* output nobody reads: a peer that far behind gets no more */
};

struct Qmp {
    const MonitorContext *context;
    Chardev *chardev;
    MachineNotify notify;
    json_tokener *tokener;
    size_t bytes; /* of the command that is being read */
    GString *pending;
    bool pretty, negotiated;
    bool busy;     /* a command runs */
    bool skipping; /* to the end of the line, after what was no JSON */
};

/* ---- output ---- */

static void flush(Qmp *q)
{
    size_t n = chardev_write(q->chardev, q->pending->str, q->pending->len);
    g_string_erase(q->pending, 0, (gssize)n);
}

/* Takes the object over. */
static void send_object(Qmp *q, json_object *o)
{
    int flags = JSON_C_TO_STRING_NOSLASHESCAPE |
                (q->pretty ? JSON_C_TO_STRING_PRETTY : JSON_C_TO_STRING_SPACED);
    const char *text = json_object_to_json_string_ext(o, flags);
    if (q->pending->len + strlen(text) < QMP_MAX_PENDING) {
        g_string_append(q->pending, text);
        g_string_append(q->pending, "\r\n");
    }
    json_object_put(o);
    flush(q);
}

static void add_text(json_object *o, const char *key, const char *text)
{
    json_object_object_add(o, key, json_object_new_string(text));
}

static void send_error(Qmp *q, const char *class, const char *text, json_object *id)
{
    json_object *o = json_object_new_object(), *e = json_object_new_object();
    add_text(e, "class", class);
    add_text(e, "desc", text);
    json_object_object_add(o, "error", e);
    if (id) {
        json_object_object_add(o, "id", json_object_get(id));
    }
    send_object(q, o);
}

static void send_return(Qmp *q, json_object *result, json_object *id)
{
    json_object *o = json_object_new_object();
    json_object_object_add(o, "return", result ? result : json_object_new_object());
    if (id) {
        json_object_object_add(o, "id", json_object_get(id));
    }
    send_object(q, o);
}

static void greet(Qmp *q)
{
    QmpCall k = {.c = q->context};
    json_object *o = json_object_new_object(), *g = json_object_new_object();
    q->negotiated = false;
    q->skipping = false;
    q->bytes = 0;
    json_tokener_reset(q->tokener);
    g_string_truncate(q->pending, 0);
    qmp_run(&k, "query-version");
    json_object_object_add(g, "version", k.result);
    json_object_object_add(g, "capabilities", json_object_new_array());
    json_object_object_add(o, "QMP", g);
    send_object(q, o);
}

/* ---- events ---- */

/* Takes data over; NULL: none. */
static void send_event(Qmp *q, const char *name, json_object *data)
{
    if (!q->negotiated || !q->chardev->open) {
        json_object_put(data);
        return;
    }
    int64_t now_us = g_get_real_time();
    json_object *o = json_object_new_object(), *t = json_object_new_object();
    json_object_object_add(t, "seconds", json_object_new_int64(now_us / 1000000));
    json_object_object_add(t, "microseconds", json_object_new_int64(now_us % 1000000));
    json_object_object_add(o, "timestamp", t);
    add_text(o, "event", name);
    if (data) {
        json_object_object_add(o, "data", data);
    }
    send_object(q, o);
}

static json_object *cause_data(ShutdownCause cause)
{
    static const char *const reasons[] = {
        [CAUSE_NONE] = "none",
        [CAUSE_GUEST_SHUTDOWN] = "guest-shutdown",
        [CAUSE_GUEST_RESET] = "guest-reset",
        [CAUSE_GUEST_PANIC] = "guest-panic",
        [CAUSE_HOST_QUIT] = "host-qmp-quit",
        [CAUSE_HOST_SIGNAL] = "host-signal",
        [CAUSE_HOST_RESET] = "host-qmp-system-reset",
    };
    json_object *data = json_object_new_object();
    bool guest =
        cause == CAUSE_GUEST_SHUTDOWN || cause == CAUSE_GUEST_RESET || cause == CAUSE_GUEST_PANIC;
    json_object_object_add(data, "guest", json_object_new_boolean(guest));
    add_text(data, "reason", reasons[cause]);
    return data;
}

static void on_run_state(MachineNotify *n, RunState old, RunState now)
{
    if ((old == RUN_RUNNING) != (now == RUN_RUNNING)) {
        send_event(n->opaque, now == RUN_RUNNING ? "RESUME" : "STOP", NULL);
    }
}

static void on_reset(MachineNotify *n, ShutdownCause cause)
{
    if (cause != CAUSE_NONE) { /* the one that begins the machine's life, or a loaded state */
        send_event(n->opaque, "RESET", cause_data(cause));
    }
}

static void on_powerdown(MachineNotify *n)
{
    send_event(n->opaque, "POWERDOWN", NULL);
}

static void on_shutdown(MachineNotify *n, ShutdownCause cause)
{
    send_event(n->opaque, "SHUTDOWN", cause_data(cause));
}

/* ---- input ---- */

static void negotiate(Qmp *q, json_object *id)
{
    if (q->negotiated) {
        send_error(q, "CommandNotFound",
                   "Capabilities negotiation is already complete, command ignored", id);
        return;
    }
    q->negotiated = true;
    send_return(q, NULL, id);
}

/* The members of a command object; false: an error was sent. */
static bool check_members(Qmp *q, json_object *o, json_object *id)
{
    json_object_object_foreach(o, key, value)
    {
        if (strcmp(key, "execute") && strcmp(key, "arguments") && strcmp(key, "id")) {
            Error err = {0};
            error_set(&err, "QMP input member '%s' is unexpected", key);
            send_error(q, "GenericError", err.text, id);
            return false;
        }
        if (!strcmp(key, "execute") && !json_object_is_type(value, json_type_string)) {
            send_error(q, "GenericError", "QMP input member 'execute' must be a string", id);
            return false;
        }
        if (!strcmp(key, "arguments") && !json_object_is_type(value, json_type_object)) {
            send_error(q, "GenericError", "QMP input member 'arguments' must be an object", id);
            return false;
        }
    }
    return true;
}

static void execute(Qmp *q, json_object *o)
{
    if (!json_object_is_type(o, json_type_object)) {
        send_error(q, "GenericError", "QMP input must be a JSON object", NULL);
        return;
    }
    json_object *id = json_object_object_get(o, "id"), *name;
    if (!check_members(q, o, id)) {
        return;
    }
    if (!json_object_object_get_ex(o, "execute", &name)) {
        send_error(q, "GenericError", "QMP input lacks member 'execute'", id);
        return;
    }
    const char *word = json_object_get_string(name);
    if (!strcmp(word, "qmp_capabilities")) {
        negotiate(q, id);
        return;
    }
    if (!q->negotiated) {
        send_error(q, "CommandNotFound",
                   "Expecting capabilities negotiation with 'qmp_capabilities'", id);
        return;
    }
    QmpCall k = {.c = q->context, .args = json_object_object_get(o, "arguments")};
    if (qmp_run(&k, word)) {
        send_return(q, k.result, id);
    } else {
        json_object_put(k.result);
        send_error(q, k.err_class, k.err.text, id);
    }
}

static void give_up(Qmp *q, const char *why)
{
    json_tokener_reset(q->tokener);
    q->bytes = 0;
    q->skipping = true;
    send_error(q, "GenericError", why, NULL);
}

/* Takes a piece of input; returns how much of it. */
static size_t parse(Qmp *q, const char *text, size_t bytes)
{
    if (q->skipping) {
        const char *end = memchr(text, '\n', bytes);
        q->skipping = !end;
        return end ? (size_t)(end - text) + 1 : bytes;
    }
    if (!q->bytes && strchr(" \t\r\n", *text)) { /* between commands */
        return 1;
    }
    json_object *o = json_tokener_parse_ex(q->tokener, text, (int)bytes);
    enum json_tokener_error error = json_tokener_get_error(q->tokener);
    size_t n = json_tokener_get_parse_end(q->tokener);
    if (error == json_tokener_success) {
        q->bytes = 0;
        json_tokener_reset(q->tokener);
        execute(q, o);
        json_object_put(o);
        return n ? n : 1;
    }
    q->bytes += bytes;
    if (error != json_tokener_continue) {
        give_up(q, json_tokener_error_desc(error));
        return n;
    }
    if (q->bytes > QMP_MAX_BYTES) {
        give_up(q, "the command is too long");
    }
    return bytes;
}

/* A command that waits may turn the loop: what comes meanwhile waits until it is done. */
static size_t can_receive(void *opaque)
{
    return ((Qmp *)opaque)->busy ? 0 : 4096;
}

static void receive(void *opaque, const uint8_t *buf, size_t bytes)
{
    Qmp *q = opaque;
    q->busy = true;
    for (size_t n = 0; n < bytes;) {
        if (!buf[n]) { /* ends a text for the parser; no JSON has one */
            n++;
            continue;
        }
        size_t piece = strnlen((const char *)buf + n, bytes - n);
        n += parse(q, (const char *)buf + n, piece);
    }
    q->busy = false;
    chardev_accept_input(q->chardev);
}

static void event(void *opaque, ChardevEvent e)
{
    if (e == CHARDEV_OPENED) {
        greet(opaque);
    }
}

static void writable(void *opaque)
{
    flush(opaque);
}

/* ---- life ---- */

Qmp *qmp_new(const MonitorContext *context, Chardev *c, bool pretty, Error *err)
{
    Qmp *q = g_new0(Qmp, 1);
    q->context = context;
    q->chardev = c;
    q->pretty = pretty;
    q->pending = g_string_new(NULL);
    q->tokener = json_tokener_new_ex(QMP_MAX_DEPTH);
    json_tokener_set_flags(q->tokener, JSON_TOKENER_VALIDATE_UTF8);
    q->notify = (MachineNotify){.run_state = on_run_state,
                                .reset = on_reset,
                                .powerdown = on_powerdown,
                                .shutdown = on_shutdown,
                                .opaque = q};
    machine_notify_add(context->machine, &q->notify);
    ChardevFront front = {can_receive, receive, event, writable, q};
    if (!chardev_attach(c, &front, err)) {
        q->chardev = NULL;
        qmp_free(q);
        return NULL;
    }
    if (c->open) {
        greet(q);
    }
    return q;
}

void qmp_free(Qmp *q)
{
    if (!q) {
        return;
    }
    machine_notify_remove(q->context->machine, &q->notify);
    if (q->chardev) {
        chardev_detach(q->chardev);
    }
    json_tokener_free(q->tokener);
    g_string_free(q->pending, TRUE);
    g_free(q);
}
