/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio network device. Source: VIRTIO 1.2, section 5.1. Queues: 0 receive, 1 transmit, 2 control.
 *
 * Transmit: a frame may ask for its checksum and for TCP segmentation; both are done here in
 * software, because host code does it many times faster than translated guest code. Receive: a
 * frame whose checksums were found right is marked DATA_VALID, so that the guest need not sum it
 * again. Frames go out on the main loop, not on the vCPU that kicked. Not modelled: several queue
 * pairs, UDP segmentation, large receive, RSS, guest announce.
 */
#include <linux/virtio_net.h>
#include <string.h>

#include "core/machine.h"
#include "core/net.h"
#include "hw/classes.h"
#include "hw/virtio.h"
#include "offload.h"
#include "util/bits.h"

enum {
    QUEUE_RX,
    QUEUE_TX,
    QUEUE_CONTROL,
    QUEUE_SIZE = 256,
    HEADER_BYTES = sizeof(struct virtio_net_hdr_mrg_rxbuf),
    MAX_MACS = 64,
    N_VLANS = 4096,
    MAX_FRAME_BUFFERS = 64
};

typedef struct VirtioNet {
    VirtioDevice v; /* must be first */
    NetPort port;
    NetPort *netdev; /* properties */
    uint8_t mac_prop[6];
    uint32_t host_mtu;
    bool csum, host_tso4, host_tso6, guest_csum, mrg_rxbuf;
    /* state: the receive filter */
    uint8_t mac[6];
    bool promisc, allmulti, alluni, nomulti, nouni, nobcast;
    bool uni_overflow, multi_overflow;
    uint32_t n_uni, n_multi;
    uint8_t uni[MAX_MACS][6], multi[MAX_MACS][6];
    uint8_t vlans[N_VLANS / 8];
} VirtioNet;

/* ---- transmit */

/* The offload a header asks for; false: nonsense, or not negotiated. */
static bool parse_header(const VirtioNet *s, const uint8_t *h, NetOffload *o)
{
    unsigned flags = h[offsetof(struct virtio_net_hdr, flags)];
    unsigned gso = h[offsetof(struct virtio_net_hdr, gso_type)] & ~(unsigned)VIRTIO_NET_HDR_GSO_ECN;

    *o = (NetOffload){0};
    if (flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
        o->checksum = true;
        o->checksum_start = load_le16(h + offsetof(struct virtio_net_hdr, csum_start));
        o->checksum_offset = load_le16(h + offsetof(struct virtio_net_hdr, csum_offset));
    }
    if (gso == VIRTIO_NET_HDR_GSO_NONE) {
        return !o->checksum || virtio_has(&s->v, VIRTIO_NET_F_CSUM);
    }
    o->segment_bytes = load_le16(h + offsetof(struct virtio_net_hdr, gso_size));
    return o->segment_bytes && o->checksum &&
           ((gso == VIRTIO_NET_HDR_GSO_TCPV4 && virtio_has(&s->v, VIRTIO_NET_F_HOST_TSO4)) ||
            (gso == VIRTIO_NET_HDR_GSO_TCPV6 && virtio_has(&s->v, VIRTIO_NET_F_HOST_TSO6)));
}

static void send_frame(VirtioNet *s, const VirtElement *e)
{
    uint8_t header[HEADER_BYTES];
    struct iovec iov[VIRTIO_MAX_IOV];
    NetOffload o;

    if (iov_to_buf(e->out, e->n_out, 0, header, sizeof header) != sizeof header ||
        !parse_header(s, header, &o)) {
        device_guest_error(&s->v.pci.dev, "frame with a header that makes no sense dropped");
        return;
    }
    unsigned n = iov_slice(iov, VIRTIO_MAX_IOV, e->out, e->n_out, HEADER_BYTES, e->out_bytes);
    if (!net_offload_send(&s->port, iov, n, &o)) {
        device_guest_error(&s->v.pci.dev, "frame of %zu bytes dropped", e->out_bytes);
    }
}

static void net_transmit(VirtioNet *s, VirtQueue *q)
{
    VirtElement *e;

    while ((e = virtq_pop(q, sizeof *e))) {
        send_frame(s, e);
        virtq_push(q, e, 0);
    }
    virtq_notify(q);
}

/* ---- receive */

static bool mac_in(const uint8_t (*list)[6], uint32_t n, const uint8_t *mac)
{
    for (uint32_t i = 0; i < n; i++) {
        if (!memcmp(list[i], mac, 6)) {
            return true;
        }
    }
    return false;
}

static bool wanted(const VirtioNet *s, const uint8_t *frame, size_t bytes)
{
    static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

    if (s->promisc) {
        return true;
    }
    if (bytes >= 18 && load_be16(frame + 12) == 0x8100 &&
        virtio_has(&s->v, VIRTIO_NET_F_CTRL_VLAN)) {
        unsigned vid = load_be16(frame + 14) & 0xfff;
        if (!(s->vlans[vid / 8] >> vid % 8 & 1)) {
            return false;
        }
    }
    if (!memcmp(frame, broadcast, 6)) {
        return !s->nobcast;
    }
    if (frame[0] & 1) {
        return !s->nomulti &&
               (s->allmulti || s->multi_overflow || mac_in(s->multi, s->n_multi, frame));
    }
    return !s->nouni && (s->alluni || s->uni_overflow || !memcmp(frame, s->mac, 6) ||
                         mac_in(s->uni, s->n_uni, frame));
}

static bool net_can_receive(NetPort *p)
{
    VirtioNet *s = p->opaque;

    return virtio_is_running(&s->v) && !virtq_empty(&s->v.queues[QUEUE_RX]);
}

/* Takes buffers for `bytes`: one, or several when they may be merged. Returns how many; 0: not
 * enough there (none taken) or the frame does not fit (*dropped). */
static unsigned take_buffers(VirtioNet *s, VirtElement **e, size_t bytes, bool *dropped)
{
    VirtQueue *q = &s->v.queues[QUEUE_RX];
    bool merge = virtio_has(&s->v, VIRTIO_NET_F_MRG_RXBUF);
    unsigned n = 0, max = merge ? MAX_FRAME_BUFFERS : 1;
    size_t room = 0;

    *dropped = false;
    while (n < max && room < bytes && (e[n] = virtq_pop(q, sizeof **e))) {
        room += e[n++]->in_bytes;
    }
    if (room >= bytes) {
        return n;
    }
    *dropped = n == max;
    if (*dropped && !merge) {
        virtq_push(q, e[0], 0); /* too small for any frame like this: use it up */
        virtq_notify(q);
        return 0;
    }
    while (n) {
        virtq_unpop(q, e[--n]);
    }
    return 0;
}

static void fill_header(const VirtioNet *s, uint8_t *h, const uint8_t *frame, size_t bytes,
                        unsigned n)
{
    NetFrameInfo info;

    memset(h, 0, HEADER_BYTES);
    if (virtio_has(&s->v, VIRTIO_NET_F_GUEST_CSUM)) {
        net_frame_look(frame, bytes, true, &info);
        if (info.l4_ok) {
            h[offsetof(struct virtio_net_hdr, flags)] = VIRTIO_NET_HDR_F_DATA_VALID;
        }
    }
    store_le16(h + offsetof(struct virtio_net_hdr_mrg_rxbuf, num_buffers), (uint16_t)n);
}

static void deliver(VirtioNet *s, uint8_t *buf, size_t bytes, VirtElement *const *e, unsigned n)
{
    VirtQueue *q = &s->v.queues[QUEUE_RX];
    size_t written[MAX_FRAME_BUFFERS], at = 0;

    fill_header(s, buf, buf + HEADER_BYTES, bytes - HEADER_BYTES, n);
    for (unsigned i = 0; i < n; i++) {
        size_t left = bytes - at;
        written[i] = iov_from_buf(e[i]->in, e[i]->n_in, 0, buf + at, left);
        at += written[i];
    }
    virtq_push_many(q, e, written, n);
    virtq_notify(q);
}

static bool net_receive(NetPort *p, const struct iovec *iov, int n_iov)
{
    VirtioNet *s = p->opaque;
    uint8_t buf[HEADER_BYTES + NET_MAX_BYTES];
    size_t bytes = HEADER_BYTES;
    VirtElement *e[MAX_FRAME_BUFFERS];
    bool dropped;

    if (!net_can_receive(p)) {
        return false;
    }
    bytes += iov_to_buf(iov, (unsigned)n_iov, 0, buf + HEADER_BYTES, NET_MAX_BYTES);
    if (bytes < HEADER_BYTES + 14 || !wanted(s, buf + HEADER_BYTES, bytes - HEADER_BYTES)) {
        return true;
    }
    unsigned n = take_buffers(s, e, bytes, &dropped);
    if (!n) {
        return dropped || (s->v.status & VIRTIO_STATUS_NEEDS_RESET);
    }
    deliver(s, buf, bytes, e, n);
    return true;
}

/* ---- control queue */

static bool control_rx(VirtioNet *s, uint8_t cmd, const uint8_t *data, size_t bytes)
{
    bool *const flags[] = {&s->promisc, &s->allmulti, &s->alluni,
                           &s->nomulti, &s->nouni,    &s->nobcast};

    if (cmd >= sizeof flags / sizeof flags[0] || bytes != 1) {
        return false;
    }
    *flags[cmd] = data[0] & 1;
    return true;
}

/* One table: 32-bit count, then addresses; too many: everything of that kind is let in. */
static bool load_table(const uint8_t **data, size_t *bytes, uint8_t (*list)[6], uint32_t *n,
                       bool *overflow)
{
    if (*bytes < 4) {
        return false;
    }
    uint32_t count = load_le32(*data);
    if (count > (*bytes - 4) / 6) {
        return false;
    }
    *overflow = count > MAX_MACS;
    *n = *overflow ? 0 : count;
    memcpy(list, *data + 4, 6ul * *n);
    *data += 4 + 6ul * count;
    *bytes -= 4 + 6ul * count;
    return true;
}

static bool control_mac(VirtioNet *s, uint8_t cmd, const uint8_t *data, size_t bytes)
{
    if (cmd == VIRTIO_NET_CTRL_MAC_ADDR_SET && bytes == 6) {
        memcpy(s->mac, data, 6);
        return true;
    }
    return cmd == VIRTIO_NET_CTRL_MAC_TABLE_SET &&
           load_table(&data, &bytes, s->uni, &s->n_uni, &s->uni_overflow) &&
           load_table(&data, &bytes, s->multi, &s->n_multi, &s->multi_overflow);
}

static bool control_vlan(VirtioNet *s, uint8_t cmd, const uint8_t *data, size_t bytes)
{
    if (bytes != 2 || load_le16(data) >= N_VLANS || cmd > VIRTIO_NET_CTRL_VLAN_DEL) {
        return false;
    }
    unsigned vid = load_le16(data), bit = 1u << vid % 8;
    s->vlans[vid / 8] = (uint8_t)(cmd == VIRTIO_NET_CTRL_VLAN_ADD ? s->vlans[vid / 8] | bit
                                                                  : s->vlans[vid / 8] & ~bit);
    return true;
}

static void net_control(VirtioNet *s, VirtQueue *q)
{
    uint8_t buf[2 + 2 * 4 + 6 * 4 * MAX_MACS];
    VirtElement *e;

    while ((e = virtq_pop(q, sizeof *e))) {
        size_t n = iov_to_buf(e->out, e->n_out, 0, buf, sizeof buf);
        bool ok = false;
        if (n > 2) {
            ok = buf[0] == VIRTIO_NET_CTRL_RX     ? control_rx(s, buf[1], buf + 2, n - 2)
                 : buf[0] == VIRTIO_NET_CTRL_MAC  ? control_mac(s, buf[1], buf + 2, n - 2)
                 : buf[0] == VIRTIO_NET_CTRL_VLAN ? control_vlan(s, buf[1], buf + 2, n - 2)
                                                  : false;
        }
        uint8_t ack = ok ? VIRTIO_NET_OK : VIRTIO_NET_ERR;
        virtq_push(q, e, iov_from_buf(e->in, e->n_in, 0, &ack, 1));
    }
    virtq_notify(q);
}

static void net_kick(VirtioDevice *v, VirtQueue *q)
{
    VirtioNet *s = (VirtioNet *)v;

    switch (q->index) {
    case QUEUE_RX: net_ready(&s->port); break;
    case QUEUE_TX: net_transmit(s, q); break;
    default: net_control(s, q); break;
    }
}

/* ---- device */

static void net_config(VirtioDevice *v, uint8_t *buf)
{
    VirtioNet *s = (VirtioNet *)v;

    memcpy(buf, s->mac, 6);
    store_le16(buf + offsetof(struct virtio_net_config, status),
               s->port.link_down ? 0 : VIRTIO_NET_S_LINK_UP);
    store_le16(buf + offsetof(struct virtio_net_config, max_virtqueue_pairs), 1);
    store_le16(buf + offsetof(struct virtio_net_config, mtu), (uint16_t)s->host_mtu);
}

static void net_link_changed(NetPort *p)
{
    virtio_config_changed(&((VirtioNet *)p->opaque)->v);
}

static const NetPortOps net_port_ops = {
    .can_receive = net_can_receive, .receive = net_receive, .link_changed = net_link_changed};

static bool net_realize(VirtioDevice *v, Error *err)
{
    VirtioNet *s = (VirtioNet *)v;
    uint64_t f = 0;

    if (s->host_mtu && (s->host_mtu < 68 || s->host_mtu > 65535)) {
        return error_set(err, "host_mtu=%u: 68 to 65535", s->host_mtu);
    }
    f |= s->csum ? VIRTIO_BIT(VIRTIO_NET_F_CSUM) : 0;
    f |= s->csum && s->host_tso4 ? VIRTIO_BIT(VIRTIO_NET_F_HOST_TSO4) : 0;
    f |= s->csum && s->host_tso6 ? VIRTIO_BIT(VIRTIO_NET_F_HOST_TSO6) : 0;
    f |= s->guest_csum ? VIRTIO_BIT(VIRTIO_NET_F_GUEST_CSUM) : 0;
    f |= s->mrg_rxbuf ? VIRTIO_BIT(VIRTIO_NET_F_MRG_RXBUF) : 0;
    f |= s->host_mtu ? VIRTIO_BIT(VIRTIO_NET_F_MTU) : 0;
    v->host_features |= f;
    net_port_init(&s->port, v->pci.dev.machine, v->pci.dev.id, &net_port_ops, s);
    if (s->netdev && !net_connect(&s->port, s->netdev)) {
        net_port_destroy(&s->port);
        return error_set(err, "netdev=%s: another device uses it", s->netdev->id);
    }
    return true;
}

static void net_unrealize(VirtioDevice *v)
{
    net_port_destroy(&((VirtioNet *)v)->port);
}

static void net_reset(VirtioDevice *v)
{
    VirtioNet *s = (VirtioNet *)v;

    memcpy(s->mac, s->mac_prop, 6);
    s->promisc = true;
    s->allmulti = s->alluni = s->nomulti = s->nouni = s->nobcast = false;
    s->uni_overflow = s->multi_overflow = false;
    s->n_uni = s->n_multi = 0;
    memset(s->vlans, 0, sizeof s->vlans);
}

/* A driver that does not set filters gets everything; one that does starts from its own address. */
static void net_started(VirtioDevice *v)
{
    VirtioNet *s = (VirtioNet *)v;

    if (virtio_is_running(v)) {
        net_ready(&s->port);
    }
}

static bool net_validate(Device *d, Error *err)
{
    VirtioNet *s = (VirtioNet *)d;

    if (s->n_uni > MAX_MACS || s->n_multi > MAX_MACS) {
        s->n_uni = s->n_multi = 0;
        return error_set(err, "%s: saved filter is not valid", d->id);
    }
    return true;
}

static bool net_pci_validate(PciDevice *p, Error *err)
{
    return net_validate(&p->dev, err);
}

static const VirtioClass net_virtio = {
    .id = VIRTIO_ID_NET,
    .config_bytes = offsetof(struct virtio_net_config, mtu) + 2,
    .n_queues = 3,
    .queue_size = QUEUE_SIZE,
    .features = VIRTIO_BIT(VIRTIO_NET_F_MAC) | VIRTIO_BIT(VIRTIO_NET_F_STATUS) |
                VIRTIO_BIT(VIRTIO_NET_F_CTRL_VQ) | VIRTIO_BIT(VIRTIO_NET_F_CTRL_RX) |
                VIRTIO_BIT(VIRTIO_NET_F_CTRL_RX_EXTRA) | VIRTIO_BIT(VIRTIO_NET_F_CTRL_VLAN) |
                VIRTIO_BIT(VIRTIO_NET_F_CTRL_MAC_ADDR),
    .defer_kicks = true,
    .realize = net_realize,
    .unrealize = net_unrealize,
    .reset = net_reset,
    .kick = net_kick,
    .config_read = net_config,
    .started = net_started,
};

#define ON_OFF(text, member, what)                                                                 \
    {                                                                                              \
        .name = text, .kind = PROP_BOOL, PROP(VirtioNet, member), .initial = "on", .help = what    \
    }
#define NET_PROPS                                                                                  \
    {.name = "netdev", .kind = PROP_NETDEV, PROP(VirtioNet, netdev), .help = "id of a -netdev"},   \
        {.name = "mac", .kind = PROP_MAC, PROP(VirtioNet, mac_prop), .help = "hardware address"},  \
        {.name = "host_mtu",                                                                       \
         .kind = PROP_U32,                                                                         \
         PROP(VirtioNet, host_mtu),                                                                \
         .help = "MTU told to the guest"},                                                         \
        ON_OFF("csum", csum, "offer checksums on transmit"),                                       \
        ON_OFF("host_tso4", host_tso4, "offer TCP segmentation, IPv4"),                            \
        ON_OFF("host_tso6", host_tso6, "offer TCP segmentation, IPv6"),                            \
        ON_OFF("guest_csum", guest_csum, "tell of checksums found right"),                         \
        ON_OFF("mrg_rxbuf", mrg_rxbuf, "offer mergeable receive buffers")
#define NET_STATE                                                                                  \
    VIRTIO_STATE, {STATE_FIELD(STATE_BYTES, VirtioNet, mac)},                                      \
        {STATE_FIELD(STATE_BOOL, VirtioNet, promisc)},                                             \
        {STATE_FIELD(STATE_BOOL, VirtioNet, allmulti)},                                            \
        {STATE_FIELD(STATE_BOOL, VirtioNet, alluni)},                                              \
        {STATE_FIELD(STATE_BOOL, VirtioNet, nomulti)},                                             \
        {STATE_FIELD(STATE_BOOL, VirtioNet, nouni)},                                               \
        {STATE_FIELD(STATE_BOOL, VirtioNet, nobcast)},                                             \
        {STATE_FIELD(STATE_BOOL, VirtioNet, uni_overflow)},                                        \
        {STATE_FIELD(STATE_BOOL, VirtioNet, multi_overflow)},                                      \
        {STATE_FIELD(STATE_U32, VirtioNet, n_uni)}, {STATE_FIELD(STATE_U32, VirtioNet, n_multi)},  \
        {STATE_FIELD(STATE_BYTES, VirtioNet, uni)}, {STATE_FIELD(STATE_BYTES, VirtioNet, multi)},  \
    {                                                                                              \
        STATE_FIELD(STATE_BYTES, VirtioNet, vlans)                                                 \
    }

static const PropDesc net_pci_props[] = {VIRTIO_PCI_PROPS, NET_PROPS, {0}};
static const PropDesc net_mmio_props[] = {VIRTIO_MMIO_PROPS, NET_PROPS, {0}};
static const StateDesc net_pci_state[] = {PCI_STATE, NET_STATE, {0}};
static const StateDesc net_mmio_state[] = {NET_STATE, {0}};
static const VirtioPciClass net_pci = {
    .pci = VIRTIO_PCI_PART(VIRTIO_ID_NET, 0x020000, .validate = net_pci_validate),
    .virtio = &net_virtio,
};

const DeviceClass virtio_net_pci_class = {
    .name = "virtio-net-pci",
    .alias = "virtio-net",
    .title = "virtio network card",
    .category = "network",
    .bytes = sizeof(VirtioNet),
    VIRTIO_PCI_HOOKS,
    .bus_class = &net_pci,
    .props = net_pci_props,
    .state = net_pci_state,
};

const DeviceClass virtio_net_device_class = {
    .name = "virtio-net-device",
    .title = "virtio network card on a virtio-mmio slot",
    .category = "network",
    .bytes = sizeof(VirtioNet),
    VIRTIO_MMIO_HOOKS,
    .validate = net_validate,
    .bus_class = &net_virtio,
    .props = net_mmio_props,
    .state = net_mmio_state,
};
