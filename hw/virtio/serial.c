/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio console device with its ports. Source: VIRTIO 1.2, section 5.3.
 *
 * virtio-serial is the device; virtconsole and virtserialport are the ports on it, each with a
 * chardev. Port n has a receive and a transmit queue (port 0: queues 0 and 1, port n: 2n + 2 and
 * 2n + 3); queues 2 and 3 carry control messages. Port 0 is kept for the first virtconsole, because
 * a driver without MULTIPORT sees no other. Flow: a short write to the chardev parks the driver's
 * buffer in the port until the chardev is writable again; bytes from the chardev are asked for only
 * while the driver has a buffer posted. Not modelled: console size (SIZE), emergency write.
 */
#include <linux/virtio_console.h>
#include <stdio.h>
#include <string.h>

#include "core/chardev.h"
#include "core/machine.h"
#include "hw/classes.h"
#include "hw/virtio.h"
#include "util/bits.h"

enum {
    MAX_PORTS = 31,
    QUEUE_SIZE = 128,
    QUEUE_CONTROL_RX = 2,
    QUEUE_CONTROL_TX = 3,
    MESSAGE_BYTES = 8,
    MAX_MESSAGES = 8 * MAX_PORTS,
    NAME_MAX_BYTES = 128
};

typedef struct SerialPort SerialPort;

typedef struct VirtioSerial {
    VirtioDevice v;               /* must be first */
    SerialPort *ports[MAX_PORTS]; /* wiring: by number */
    uint32_t max_ports;           /* property */
    /* state: control messages on their way to the driver */
    uint8_t messages[MAX_MESSAGES][MESSAGE_BYTES];
    uint32_t first_message, n_messages;
    bool driver_ready; /* DEVICE_READY was received */
} VirtioSerial;

struct SerialPort {
    Device dev;        /* must be first */
    VirtioSerial *bus; /* wiring */
    Chardev *chr;      /* properties */
    char *bus_name, *name;
    uint32_t nr;
    bool is_console;
    VirtElement *tx, *rx; /* parked: partly sent, to be filled */
    size_t tx_sent;
    bool guest_open; /* state */
};

static VirtQueue *rx_queue(const SerialPort *p)
{
    return &p->bus->v.queues[p->nr ? 2 * p->nr + 2 : 0];
}

static VirtQueue *tx_queue(const SerialPort *p)
{
    return &p->bus->v.queues[p->nr ? 2 * p->nr + 3 : 1];
}

static bool multiport(const VirtioSerial *s)
{
    return virtio_has(&s->v, VIRTIO_CONSOLE_F_MULTIPORT);
}

/* ---- control messages to the driver */

static size_t put_message(VirtioSerial *s, const uint8_t *m, VirtElement *e)
{
    uint32_t port = load_le32(m);
    size_t n = iov_from_buf(e->in, e->n_in, 0, m, MESSAGE_BYTES);

    if (load_le16(m + 4) == VIRTIO_CONSOLE_PORT_NAME && port < MAX_PORTS && s->ports[port] &&
        s->ports[port]->name) {
        const char *name = s->ports[port]->name;
        n += iov_from_buf(e->in, e->n_in, n, name, strnlen(name, NAME_MAX_BYTES));
    }
    return n;
}

static void flush_messages(VirtioSerial *s)
{
    VirtQueue *q = &s->v.queues[QUEUE_CONTROL_RX];
    VirtElement *e;

    while (s->n_messages && (e = virtq_pop(q, sizeof *e))) {
        virtq_push(q, e, put_message(s, s->messages[s->first_message], e));
        s->first_message = (s->first_message + 1) % MAX_MESSAGES;
        s->n_messages--;
    }
    virtq_notify(q);
}

static void send_message(VirtioSerial *s, uint32_t port, uint16_t event, uint16_t value)
{
    if (!multiport(s) || !s->driver_ready) {
        return;
    }
    if (s->n_messages == MAX_MESSAGES) {
        device_guest_error(&s->v.pci.dev, "control message dropped: the driver posts no buffers");
        return;
    }
    uint8_t *m = s->messages[(s->first_message + s->n_messages++) % MAX_MESSAGES];
    store_le32(m, port);
    store_le16(m + 4, event);
    store_le16(m + 6, value);
    flush_messages(s);
}

/* ---- data */

static void port_send(SerialPort *p)
{
    VirtQueue *q = tx_queue(p);

    while (p->tx || (p->tx = virtq_pop(q, sizeof *p->tx))) {
        VirtElement *e = p->tx;
        while (p->tx_sent < e->out_bytes) {
            struct iovec part;
            iov_slice(&part, 1, e->out, e->n_out, p->tx_sent, e->out_bytes);
            size_t n = chardev_write(p->chr, part.iov_base, part.iov_len);
            p->tx_sent += n;
            if (n < part.iov_len) {
                virtq_notify(q);
                return; /* port_writable() goes on */
            }
        }
        p->tx = NULL;
        p->tx_sent = 0;
        virtq_push(q, e, 0);
    }
    virtq_notify(q);
}

static void port_writable(void *opaque)
{
    port_send(opaque);
}

static size_t port_can_receive(void *opaque)
{
    SerialPort *p = opaque;

    if (!virtio_is_running(&p->bus->v) || (multiport(p->bus) && !p->guest_open)) {
        return 0;
    }
    while (!p->rx) {
        p->rx = virtq_pop(rx_queue(p), sizeof *p->rx);
        if (!p->rx) {
            return 0;
        }
        if (!p->rx->in_bytes) {
            virtq_push(rx_queue(p), p->rx, 0);
            p->rx = NULL;
        }
    }
    return p->rx->in_bytes;
}

static void port_receive(void *opaque, const uint8_t *buf, size_t bytes)
{
    SerialPort *p = opaque;
    VirtQueue *q = rx_queue(p);

    while (bytes && port_can_receive(p)) {
        VirtElement *e = p->rx;
        size_t n = iov_from_buf(e->in, e->n_in, 0, buf, bytes);
        p->rx = NULL;
        virtq_push(q, e, n);
        buf += n;
        bytes -= n;
    }
    virtq_notify(q);
}

static bool host_is_open(const SerialPort *p)
{
    return p->is_console || (p->chr && p->chr->open);
}

static void port_event(void *opaque, ChardevEvent e)
{
    SerialPort *p = opaque;

    if (!p->is_console && e != CHARDEV_BREAK) {
        send_message(p->bus, p->nr, VIRTIO_CONSOLE_PORT_OPEN, e == CHARDEV_OPENED);
    }
}

/* ---- control messages from the driver */

static void announce_port(SerialPort *p)
{
    VirtioSerial *s = p->bus;

    if (p->is_console) {
        send_message(s, p->nr, VIRTIO_CONSOLE_CONSOLE_PORT, 1);
    }
    if (p->name && *p->name) {
        send_message(s, p->nr, VIRTIO_CONSOLE_PORT_NAME, 1);
    }
    if (host_is_open(p)) {
        send_message(s, p->nr, VIRTIO_CONSOLE_PORT_OPEN, 1);
    }
}

static void handle_message(VirtioSerial *s, const uint8_t *m)
{
    uint32_t port = load_le32(m);
    uint16_t event = load_le16(m + 4), value = load_le16(m + 6);

    if (event == VIRTIO_CONSOLE_DEVICE_READY) {
        s->driver_ready = value == 1;
        for (unsigned i = 0; i < MAX_PORTS; i++) {
            if (s->ports[i]) {
                send_message(s, i, VIRTIO_CONSOLE_PORT_ADD, 1);
            }
        }
        return;
    }
    SerialPort *p = port < MAX_PORTS ? s->ports[port] : NULL;
    if (!p) {
        device_guest_error(&s->v.pci.dev, "control message %u for port %u, which is not there",
                           event, port);
    } else if (event == VIRTIO_CONSOLE_PORT_READY && value == 1) {
        announce_port(p);
    } else if (event == VIRTIO_CONSOLE_PORT_OPEN) {
        p->guest_open = value & 1;
        if (p->guest_open && p->chr) {
            chardev_accept_input(p->chr);
        }
    }
}

static void serial_kick(VirtioDevice *v, VirtQueue *q)
{
    VirtioSerial *s = (VirtioSerial *)v;
    uint8_t m[MESSAGE_BYTES];
    VirtElement *e;

    if (q->index == QUEUE_CONTROL_RX) {
        flush_messages(s);
        return;
    }
    if (q->index == QUEUE_CONTROL_TX) {
        while ((e = virtq_pop(q, sizeof *e))) {
            size_t n = iov_to_buf(e->out, e->n_out, 0, m, sizeof m);
            virtq_push(q, e, 0);
            if (n == sizeof m) {
                handle_message(s, m);
            }
        }
        virtq_notify(q);
        return;
    }
    unsigned nr = q->index < 2 ? 0 : q->index / 2u - 1;
    SerialPort *p = nr < MAX_PORTS ? s->ports[nr] : NULL;
    if (!p) {
        return;
    }
    if (q->index & 1) {
        port_send(p);
    } else if (p->chr) {
        chardev_accept_input(p->chr);
    }
}

/* ---- device */

static void serial_config(VirtioDevice *v, uint8_t *buf)
{
    store_le32(buf + offsetof(struct virtio_console_config, max_nr_ports),
               ((VirtioSerial *)v)->max_ports);
}

static void park_nothing(SerialPort *p)
{
    if (p->tx) {
        virtq_drop(tx_queue(p), p->tx);
    }
    if (p->rx) {
        virtq_drop(rx_queue(p), p->rx);
    }
    p->tx = p->rx = NULL;
    p->tx_sent = 0;
}

static void serial_reset(VirtioDevice *v)
{
    VirtioSerial *s = (VirtioSerial *)v;

    for (unsigned i = 0; i < MAX_PORTS; i++) {
        if (s->ports[i]) {
            park_nothing(s->ports[i]);
            s->ports[i]->guest_open = false;
        }
    }
    s->driver_ready = false;
    s->first_message = s->n_messages = 0;
}

/* Parked buffers go back into the ring, to be taken again; what was sent of one is sent twice
 * rather than lost. */
static void serial_quiesce(VirtioDevice *v)
{
    VirtioSerial *s = (VirtioSerial *)v;

    for (unsigned i = 0; i < MAX_PORTS; i++) {
        SerialPort *p = s->ports[i];
        if (p && p->tx) {
            virtq_unpop(tx_queue(p), p->tx);
            p->tx = NULL;
            p->tx_sent = 0;
        }
        if (p && p->rx) {
            virtq_unpop(rx_queue(p), p->rx);
            p->rx = NULL;
        }
    }
}

static bool serial_realize(VirtioDevice *v, Error *err)
{
    VirtioSerial *s = (VirtioSerial *)v;

    if (!s->max_ports || s->max_ports > MAX_PORTS) {
        return error_set(err, "max_ports=%u: 1 to %u", s->max_ports, MAX_PORTS);
    }
    virtio_set_queues(v, 2 * (s->max_ports + 1), QUEUE_SIZE);
    return v->n_queues || error_set(err, "no memory");
}

static void serial_unrealize(VirtioDevice *v)
{
    VirtioSerial *s = (VirtioSerial *)v;

    for (unsigned i = 0; i < MAX_PORTS; i++) {
        if (s->ports[i]) {
            device_unrealize(&s->ports[i]->dev);
        }
    }
}

static bool serial_validate(Device *d, Error *err)
{
    VirtioSerial *s = (VirtioSerial *)d;

    if (s->n_messages > MAX_MESSAGES || s->first_message >= MAX_MESSAGES) {
        s->first_message = s->n_messages = 0;
        return error_set(err, "%s: saved control messages are not valid", d->id);
    }
    return true;
}

static bool serial_pci_validate(PciDevice *p, Error *err)
{
    return serial_validate(&p->dev, err);
}

static const VirtioClass serial_virtio = {
    .id = VIRTIO_ID_CONSOLE,
    .config_bytes = sizeof(struct virtio_console_config),
    .n_queues = 4,
    .queue_size = QUEUE_SIZE,
    .features = VIRTIO_BIT(VIRTIO_CONSOLE_F_MULTIPORT),
    .realize = serial_realize,
    .unrealize = serial_unrealize,
    .reset = serial_reset,
    .kick = serial_kick,
    .config_read = serial_config,
    .quiesce = serial_quiesce,
};

#define SERIAL_PROPS                                                                               \
    {                                                                                              \
        .name = "max_ports", .kind = PROP_U32, PROP(VirtioSerial, max_ports), .initial = "31",     \
        .help = "ports it can have"                                                                \
    }
#define SERIAL_STATE                                                                               \
    VIRTIO_STATE, {STATE_FIELD(STATE_BYTES, VirtioSerial, messages)},                              \
        {STATE_FIELD(STATE_U32, VirtioSerial, first_message)},                                     \
        {STATE_FIELD(STATE_U32, VirtioSerial, n_messages)},                                        \
    {                                                                                              \
        STATE_FIELD(STATE_BOOL, VirtioSerial, driver_ready)                                        \
    }

static const PropDesc serial_pci_props[] = {VIRTIO_PCI_PROPS, SERIAL_PROPS, {0}};
static const PropDesc serial_mmio_props[] = {VIRTIO_MMIO_PROPS, SERIAL_PROPS, {0}};
static const StateDesc serial_pci_state[] = {PCI_STATE, SERIAL_STATE, {0}};
static const StateDesc serial_mmio_state[] = {SERIAL_STATE, {0}};
static const VirtioPciClass serial_pci = {
    .pci = VIRTIO_PCI_PART(VIRTIO_ID_CONSOLE, 0x078000, .validate = serial_pci_validate),
    .virtio = &serial_virtio,
};

const DeviceClass virtio_serial_pci_class = {
    .name = "virtio-serial-pci",
    .alias = "virtio-serial",
    .title = "virtio console: a bus for virtconsole and virtserialport",
    .category = "input",
    .bytes = sizeof(VirtioSerial),
    VIRTIO_PCI_HOOKS,
    .bus_class = &serial_pci,
    .props = serial_pci_props,
    .state = serial_pci_state,
};

const DeviceClass virtio_serial_device_class = {
    .name = "virtio-serial-device",
    .title = "virtio console on a virtio-mmio slot",
    .category = "input",
    .bytes = sizeof(VirtioSerial),
    VIRTIO_MMIO_HOOKS,
    .validate = serial_validate,
    .bus_class = &serial_virtio,
    .props = serial_mmio_props,
    .state = serial_mmio_state,
};

/* ---- ports */

static VirtioSerial *find_bus(const SerialPort *p)
{
    for (Device *d = p->dev.machine->devices; d; d = d->next) {
        if (d->cls != &virtio_serial_pci_class && d->cls != &virtio_serial_device_class) {
            continue;
        }
        size_t n = strlen(d->id);
        const char *want = p->bus_name;
        /* "ID" or, as the bus of that device is also called, "ID.0" */
        if (!want || !*want ||
            (!strncmp(want, d->id, n) && (!want[n] || !strcmp(want + n, ".0")))) {
            return (VirtioSerial *)d;
        }
    }
    return NULL;
}

static bool choose_number(SerialPort *p, Error *err)
{
    VirtioSerial *s = p->bus;

    if (p->nr == UINT32_MAX) {
        p->nr = p->is_console ? 0 : 1;
        while (p->nr < s->max_ports && s->ports[p->nr]) {
            p->nr++;
        }
        if (p->nr >= s->max_ports) {
            return error_set(err, "all %u ports of '%s' are taken", s->max_ports, s->v.pci.dev.id);
        }
    }
    if (p->nr >= s->max_ports || (p->nr == 0 && !p->is_console) || s->ports[p->nr]) {
        return error_set(err, "nr=%u: %s", p->nr,
                         p->nr >= s->max_ports ? "more than max_ports"
                         : s->ports[p->nr]     ? "taken"
                                               : "port 0 is for a virtconsole");
    }
    return true;
}

static bool port_realize(Device *d, Error *err)
{
    SerialPort *p = (SerialPort *)d;
    ChardevFront front = {.can_receive = port_can_receive,
                          .receive = port_receive,
                          .event = port_event,
                          .writable = port_writable,
                          .opaque = p};

    p->is_console = d->cls == &virtconsole_class;
    p->bus = find_bus(p);
    if (!p->bus) {
        return error_set(err,
                         "no virtio-serial device for it; put -device virtio-serial-pci before it");
    }
    if (!choose_number(p, err) || (p->chr && !chardev_attach(p->chr, &front, err))) {
        return false;
    }
    p->bus->ports[p->nr] = p;
    d->bus_owner = &p->bus->v.pci.dev;
    send_message(p->bus, p->nr, VIRTIO_CONSOLE_PORT_ADD, 1);
    return true;
}

static void port_unrealize(Device *d)
{
    SerialPort *p = (SerialPort *)d;

    if (p->chr) {
        chardev_detach(p->chr);
    }
    park_nothing(p);
    p->bus->ports[p->nr] = NULL;
    send_message(p->bus, p->nr, VIRTIO_CONSOLE_PORT_REMOVE, 1);
}

static const PropDesc port_props[] = {
    {.name = "bus",
     .kind = PROP_STRING,
     PROP(SerialPort, bus_name),
     .help = "id of the virtio-serial device; the first one"},
    {.name = "chardev", .kind = PROP_CHARDEV, PROP(SerialPort, chr), .help = "id of a -chardev"},
    {.name = "name", .kind = PROP_STRING, PROP(SerialPort, name), .help = "name the guest sees"},
    {.name = "nr",
     .kind = PROP_U32,
     PROP(SerialPort, nr),
     .initial = "0xffffffff",
     .help = "port number; the first free one"},
    {0},
};
static const StateDesc port_state[] = {{STATE_FIELD(STATE_BOOL, SerialPort, guest_open)}, {0}};

const DeviceClass virtconsole_class = {
    .name = "virtconsole",
    .title = "console port of virtio-serial (/dev/hvc0)",
    .category = "input",
    .bytes = sizeof(SerialPort),
    .props = port_props,
    .state = port_state,
    .realize = port_realize,
    .unrealize = port_unrealize,
};

const DeviceClass virtserialport_class = {
    .name = "virtserialport",
    .title = "data port of virtio-serial (/dev/virtio-ports/NAME)",
    .category = "input",
    .bytes = sizeof(SerialPort),
    .props = port_props,
    .state = port_state,
    .realize = port_realize,
    .unrealize = port_unrealize,
};
