/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A mux: several front ends (a serial port, the monitor) on one stream, with Ctrl-A as escape key.
 *
 * A port's input waits in a small buffer while its front end has no room. When that buffer is full
 * input stops, as it should when somebody pastes text; but a guest that hangs must not take the
 * escape key away, so when a port took nothing for a while typed bytes are dropped instead.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "chardev/backends.h"

enum { MUX_ESCAPE = 0x01, MUX_BUFFER_BYTES = 1024 };
static const int64_t mux_stall_ns = 500 * 1000 * 1000;

typedef struct Mux Mux;
typedef struct MuxPort {
    Chardev dev;
    Mux *mux;
    char id[64];
    uint8_t buf[MUX_BUFFER_BYTES];
    size_t start, bytes; /* of the input that waits */
    bool draining;       /* it is being given to the front end */
} MuxPort;

struct Mux {
    CharBase base;
    Chardev *below;
    MuxPort *ports[MUX_MAX_PORTS];
    unsigned n_ports, focus;
    bool escaped; /* Ctrl-A was the last byte */
    bool stalled; /* the port in focus took nothing for mux_stall_ns */
    bool stamps, line_start;
    int64_t stamps_from_ns;
    Timer stall;
    Timer drain; /* a front end may ask for more out of any thread: given on the main loop's */
    void (*commit)(void *opaque);
    void *commit_opaque;
};

static Mux *mux_of(Chardev *dev)
{
    return (Mux *)dev;
}

static MuxPort *mux_focus_port(Mux *x)
{
    return x->n_ports ? x->ports[x->focus] : NULL;
}

static void mux_print(Mux *x, const char *text)
{
    for (; *text; text++) {
        chardev_write(x->below, *text == '\n' ? "\r\n" : text, *text == '\n' ? 2 : 1);
    }
}

/* ---- ports: output */

static void mux_write_stamped(Mux *x, const uint8_t *buf, size_t bytes)
{
    char stamp[40];

    for (size_t i = 0; i < bytes; i++) {
        if (x->line_start) {
            int64_t ms = (clock_ns(x->base.dev.machine, CLOCK_HOST) - x->stamps_from_ns) / 1000000;
            int n = snprintf(stamp, sizeof stamp, "[%02d:%02d:%02d.%03d] ", (int)(ms / 3600000),
                             (int)(ms / 60000 % 60), (int)(ms / 1000 % 60), (int)(ms % 1000));

            chardev_write(x->below, stamp, (size_t)n);
        }
        chardev_write(x->below, &buf[i], 1);
        x->line_start = buf[i] == '\n';
    }
}

static size_t port_write(Chardev *dev, const uint8_t *buf, size_t bytes)
{
    Mux *x = ((MuxPort *)dev)->mux;

    if (x->stamps) {
        mux_write_stamped(x, buf, bytes);
        return bytes;
    }
    return chardev_write(x->below, buf, bytes);
}

/* ---- input */

/*
 * A front end may turn the loop, or ask for input, while it is being given some (a monitor command
 * that waits): bytes count as given before it sees them, and what comes meanwhile waits until it is
 * done.
 */
static void port_drain(MuxPort *p)
{
    uint8_t piece[256];

    if (p->draining) {
        return;
    }
    p->draining = true;
    while (p->bytes) {
        size_t n = MIN(p->bytes, MIN(sizeof p->buf - p->start, sizeof piece));

        n = MIN(n, chardev_room(&p->dev));
        if (!n) {
            break;
        }
        memcpy(piece, p->buf + p->start, n);
        p->start = (p->start + n) % sizeof p->buf;
        p->bytes -= n;
        chardev_deliver(&p->dev, piece, n);
        p->mux->stalled = false;
    }
    p->draining = false;
}

static void port_put(MuxPort *p, uint8_t byte)
{
    if (p && p->bytes < sizeof p->buf) {
        p->buf[(p->start + p->bytes++) % sizeof p->buf] = byte;
    }
}

static void port_accept_input(Chardev *dev)
{
    Mux *x = ((MuxPort *)dev)->mux;

    timer_set(&x->drain, clock_ns(x->base.dev.machine, CLOCK_HOST));
}

static void mux_drain(void *opaque)
{
    Mux *x = opaque;
    bool room = false;

    char_base_enter(&x->base);
    for (unsigned i = 0; i < x->n_ports && !x->base.closed; i++) {
        port_drain(x->ports[i]);
        room |= i == x->focus && x->ports[i]->bytes < sizeof x->ports[i]->buf;
    }
    if (room && !x->base.closed) {
        chardev_accept_input(x->below);
    }
    char_base_leave(&x->base);
}

static void port_set_front(Chardev *dev, const ChardevFront *f)
{
    MuxPort *p = (MuxPort *)dev;

    if (f) {
        port_accept_input(dev);
        if (mux_focus_port(p->mux) == p) {
            chardev_event(dev, CHARDEV_FOCUS);
        }
    }
}

static void port_set_params(Chardev *dev, unsigned baud, unsigned bits, char parity, unsigned stop)
{
    Chardev *below = ((MuxPort *)dev)->mux->below;

    if (below->ops->set_params) {
        below->ops->set_params(below, baud, bits, parity, stop);
    }
}

/* Ports live as long as their mux. */
static void port_close(Chardev *dev)
{
    (void)dev;
}

static const ChardevOps port_ops = {
    .write = port_write,
    .set_front = port_set_front,
    .accept_input = port_accept_input,
    .set_params = port_set_params,
    .close = port_close,
};

static const char mux_help[] = "\n"
                               "C-a h    print this help\n"
                               "C-a x    exit emulator\n"
                               "C-a s    save disk data back to file (if -snapshot)\n"
                               "C-a t    toggle console timestamps\n"
                               "C-a b    send break (magic sysrq)\n"
                               "C-a c    switch between console and monitor\n"
                               "C-a C-a  sends C-a\n";

static void mux_command(Mux *x, uint8_t key)
{
    MuxPort *p = mux_focus_port(x);

    switch (key) {
    case MUX_ESCAPE: port_put(p, MUX_ESCAPE); break;
    case 'x':
        mux_print(x, "\nGemel: terminated\n");
        machine_request_shutdown(x->base.dev.machine, CAUSE_HOST_QUIT);
        break;
    case 's':
        if (x->commit) {
            x->commit(x->commit_opaque);
        } else {
            mux_print(x, "\nno disk was opened with -snapshot: nothing to save\n");
        }
        break;
    case 'b':
        if (p) {
            chardev_event(&p->dev, CHARDEV_BREAK);
        }
        break;
    case 'c':
        if (x->n_ports) {
            chardev_mux_focus(&x->base.dev, (x->focus + 1) % x->n_ports);
        }
        break;
    case 't':
        x->stamps = !x->stamps;
        x->line_start = false;
        x->stamps_from_ns = clock_ns(x->base.dev.machine, CLOCK_HOST);
        break;
    default: mux_print(x, mux_help); break;
    }
}

static size_t mux_can_receive(void *opaque)
{
    Mux *x = opaque;
    MuxPort *p = mux_focus_port(x);
    size_t room = p ? sizeof p->buf - p->bytes : 1;

    if (room) {
        return room;
    }
    if (!x->stalled && timer_deadline_ns(&x->stall) < 0) {
        timer_set(&x->stall, clock_ns(x->base.dev.machine, CLOCK_HOST) + mux_stall_ns);
    }
    return x->stalled ? 1 : 0;
}

static void mux_stall(void *opaque)
{
    Mux *x = opaque;

    x->stalled = true; /* until the port takes something */
    chardev_accept_input(x->below);
}

static void mux_receive(void *opaque, const uint8_t *buf, size_t bytes)
{
    Mux *x = opaque;

    char_base_enter(&x->base);
    for (size_t i = 0; i < bytes && !x->base.closed; i++) {
        if (x->escaped) {
            x->escaped = false;
            mux_command(x, buf[i]);
        } else if (buf[i] == MUX_ESCAPE) {
            x->escaped = true;
        } else {
            port_put(mux_focus_port(x), buf[i]);
        }
    }
    if (mux_focus_port(x) && !x->base.closed) {
        port_drain(mux_focus_port(x));
    }
    char_base_leave(&x->base);
}

static void mux_event(void *opaque, ChardevEvent e)
{
    Mux *x = opaque;

    char_base_enter(&x->base);
    for (unsigned i = 0; i < x->n_ports && !x->base.closed; i++) {
        if (e == CHARDEV_BREAK && i != x->focus) {
            continue;
        }
        x->ports[i]->dev.open = x->below->open;
        chardev_event(&x->ports[i]->dev, e);
    }
    char_base_leave(&x->base);
}

static void mux_writable(void *opaque)
{
    Mux *x = opaque;

    char_base_enter(&x->base);
    for (unsigned i = 0; i < x->n_ports && !x->base.closed; i++) {
        if (x->ports[i]->dev.front.writable) {
            x->ports[i]->dev.front.writable(x->ports[i]->dev.front.opaque);
        }
    }
    char_base_leave(&x->base);
}

/* ---- the mux itself */

static size_t mux_write(Chardev *dev, const uint8_t *buf, size_t bytes)
{
    return chardev_write(mux_of(dev)->below, buf, bytes);
}

static void mux_close(Chardev *dev)
{
    Mux *x = mux_of(dev);

    timer_cancel(&x->stall);
    timer_cancel(&x->drain);
    for (unsigned i = 0; i < x->n_ports; i++) {
        chardev_detach(&x->ports[i]->dev);
    }
    chardev_detach(x->below);
    x->below->ops->close(x->below);
    char_base_fini(&x->base);
}

static void mux_destroy(CharBase *b)
{
    Mux *x = (Mux *)b;

    for (unsigned i = 0; i < x->n_ports; i++) {
        g_free(x->ports[i]);
    }
}

static const ChardevOps mux_ops = {
    .write = mux_write,
    .close = mux_close,
    .port = chardev_mux_port,
};

bool chardev_is_mux(const Chardev *c)
{
    return c && c->ops == &mux_ops;
}

bool chardev_is_mux_port(const Chardev *c)
{
    return c && c->ops == &port_ops;
}

Chardev *chardev_mux_new(Machine *m, const char *id, Chardev *below, Error *err)
{
    Mux *x = g_new0(Mux, 1);
    ChardevOptions o = {.id = id};
    ChardevFront front = {mux_can_receive, mux_receive, mux_event, mux_writable, x};

    if (!char_base_init(&x->base, m, &o, &mux_ops, err)) {
        g_free(x);
        return NULL;
    }
    x->below = below;
    x->base.dev.open = below->open;
    snprintf(x->base.label, sizeof x->base.label, "mux:%s", below->label);
    x->base.destroy = mux_destroy;
    timer_init(&x->stall, m, CLOCK_HOST, mux_stall, x);
    timer_init(&x->drain, m, CLOCK_HOST, mux_drain, x);
    if (!chardev_attach(below, &front, err)) {
        char_base_fini(&x->base);
        return NULL;
    }
    return &x->base.dev;
}

Chardev *chardev_mux_port(Chardev *mux)
{
    Mux *x = mux_of(mux);

    if (x->n_ports == MUX_MAX_PORTS) {
        return NULL;
    }
    MuxPort *p = g_new0(MuxPort, 1);
    snprintf(p->id, sizeof p->id, "%s.%u", mux->id, x->n_ports);
    p->dev.ops = &port_ops;
    p->dev.machine = mux->machine;
    p->dev.id = p->id;
    p->dev.label = mux->label;
    p->dev.open = x->below->open;
    p->mux = x;
    x->ports[x->n_ports++] = p;
    if (x->n_ports == 1) {
        chardev_accept_input(x->below);
    }
    return &p->dev;
}

void chardev_mux_focus(Chardev *mux, unsigned port)
{
    Mux *x = mux_of(mux);

    if (port >= x->n_ports) {
        return;
    }
    x->focus = port;
    x->stalled = false;
    port_accept_input(&x->ports[port]->dev);
    chardev_event(&x->ports[port]->dev, CHARDEV_FOCUS);
}

void chardev_mux_on_commit(Chardev *mux, void (*fn)(void *opaque), void *opaque)
{
    mux_of(mux)->commit = fn;
    mux_of(mux)->commit_opaque = opaque;
}
