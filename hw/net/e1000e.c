/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Intel 82574L Gigabit Ethernet controller (e1000e).
 *
 * Source: Intel 82574 GbE Controller Family Datasheet, revision 3.4, chapters 7 (descriptors), 10
 * (registers). What the drivers of Linux, iPXE and UEFI use: receive queue 0 with legacy and
 * extended descriptors, transmit queue 0 with legacy, context and data descriptors, checksum and
 * TCP segmentation, VLAN tags, receive filter, NVM by EERD, PHY by MDIC, INTA#, MSI, MSI-X. Not
 * modelled: second queues, RSS, packet split, wake up, manageability, flow control frames, time
 * stamps, interrupt throttling, flash. Link is 1000 Mb/s full duplex.
 *
 * The register file is an array as the guest sees it; the tables below say which reads and writes
 * do more than load and store.
 */
#include <string.h>

#include "core/machine.h"
#include "core/net.h"
#include "hw/classes.h"
#include "hw/iov.h"
#include "hw/pci.h"
#include "offload.h"
#include "util/bits.h"

enum {
    BAR_BYTES = 0x20000,
    N_REGS = BAR_BYTES / 4,
    NVM_WORDS = 64,
    PHY_REGS = 32,
    MSIX_VECTORS = 5,
    MSIX_BAR = 3,
    DESC_BYTES = 16,
    MAX_FRAME = 16384,
    TX_MAX_BYTES = NET_MAX_BYTES,
    MAX_DESCRIPTORS = 4096 /* of one kick */
};
enum { /* registers */
       CTRL = 0x00000,
       STATUS = 0x00008,
       EECD = 0x00010,
       EERD = 0x00014,
       CTRL_EXT = 0x00018,
       MDIC = 0x00020,
       VET = 0x00038,
       ICR = 0x000c0,
       ICS = 0x000c8,
       IMS = 0x000d0,
       IMC = 0x000d8,
       EIAC = 0x000dc,
       IAM = 0x000e0,
       IVAR = 0x000e4,
       RCTL = 0x00100,
       TCTL = 0x00400,
       EXTCNF_CTRL = 0x00f00,
       PBA = 0x01000,
       EEMNGCTL = 0x01010,
       RDBAL = 0x02800,
       RDBAH = 0x02804,
       RDLEN = 0x02808,
       RDH = 0x02810,
       RDT = 0x02818,
       TDBAL = 0x03800,
       TDBAH = 0x03804,
       TDLEN = 0x03808,
       TDH = 0x03810,
       TDT = 0x03818,
       STATS = 0x04000,
       STATS_END = 0x04128,
       GPRC = 0x04074,
       GPTC = 0x04080,
       GORCL = 0x04088,
       GOTCL = 0x04090,
       TPR = 0x040d0,
       TPT = 0x040d4,
       TORL = 0x040c0,
       TOTL = 0x040c8,
       MPC = 0x04010,
       RXCSUM = 0x05000,
       RFCTL = 0x05008,
       MTA = 0x05200,
       RAL = 0x05400,
       VFTA = 0x05600,
       SWSM = 0x05b50,
       FWSM = 0x05b54
};
enum { CTRL_GIO_DISABLE = 1 << 2, CTRL_SLU = 1 << 6, CTRL_RST = 1 << 26, CTRL_VME = 1 << 30 };
#define CTRL_PHY_RST (1u << 31)
enum {
    STATUS_FD = 1,
    STATUS_LU = 2,
    STATUS_1000 = 2 << 6,
    STATUS_INIT_DONE = 1 << 9,
    STATUS_GIO = 1 << 19
};
enum { CTRL_EXT_EIAME = 1 << 24, CTRL_EXT_IAME = 1 << 27, CTRL_EXT_PBA_CLR = 1u << 31 };
enum {
    ICR_TXDW = 1,
    ICR_TXQE = 2,
    ICR_LSC = 4,
    ICR_RXT0 = 1 << 7,
    ICR_MDAC = 1 << 9,
    ICR_RXQ0 = 1 << 20,
    ICR_TXQ0 = 1 << 22,
    ICR_OTHER = 1 << 24
};
#define ICR_ASSERTED (1u << 31)
enum {
    RCTL_EN = 1 << 1,
    RCTL_UPE = 1 << 3,
    RCTL_MPE = 1 << 4,
    RCTL_BAM = 1 << 15,
    RCTL_VFE = 1 << 18,
    RCTL_BSEX = 1 << 25,
    RCTL_SECRC = 1 << 26
};
enum { TCTL_EN = 1 << 1, RFCTL_EXSTEN = 1 << 15 };
enum { RXD_DD = 1, RXD_EOP = 2, RXD_VP = 8, RXD_UDPCS = 0x10, RXD_TCPCS = 0x20, RXD_IPCS = 0x40 };
enum { RXE_TCPE = 1 << 5, RXE_IPE = 1 << 6 };
enum {
    TXC_EOP = 1,
    TXC_IFCS = 2,
    TXC_IC = 4,
    TXC_TSE = 4,
    TXC_RS = 8,
    TXC_DEXT = 0x20,
    TXC_VLE = 0x40
};
enum { TXP_IXSM = 1, TXP_TXSM = 2 };

/* Offload set up by a context descriptor. */
typedef struct TxContext {
    uint8_t ipcss, ipcso, tucss, tucso;
    uint16_t ipcse, mss;
    uint8_t header_bytes, command;
} TxContext;

typedef struct E1000e {
    PciDevice pci; /* must be first */
    NetPort port;
    NetPort *netdev; /* properties */
    uint8_t mac[6];
    /* state */
    uint32_t reg[N_REGS];
    uint16_t nvm[NVM_WORDS], phy[PHY_REGS];
    uint32_t io_address;
    TxContext context;
    uint8_t frame[TX_MAX_BYTES]; /* transmit: collected so far */
    uint32_t frame_bytes;
    uint8_t first_popts;
    bool frame_tso, frame_vlan;
    uint16_t vlan;
} E1000e;

static uint32_t *reg_of(E1000e *e, unsigned at)
{
    return &e->reg[at / 4];
}

static uint32_t get(const E1000e *e, unsigned at)
{
    return e->reg[at / 4];
}

/* ---- interrupts (7.4, 10.2.4) */

static unsigned msix_vector(const E1000e *e, unsigned field, bool *valid)
{
    unsigned v = get(e, IVAR) >> field;

    *valid = v & 8;
    return v & 7;
}

static void msix_send(E1000e *e, uint32_t cause, unsigned field)
{
    bool valid;
    unsigned vector = msix_vector(e, field, &valid);

    if (get(e, ICR) & get(e, IMS) & cause && valid) {
        pci_msix_notify(&e->pci, vector);
        *reg_of(e, ICR) &= ~(get(e, EIAC) & cause);
        if (get(e, CTRL_EXT) & CTRL_EXT_EIAME) {
            *reg_of(e, IMS) &= ~(get(e, IAM) & cause);
        }
    }
}

static void irq_update(E1000e *e, bool rose)
{
    bool asserted = get(e, ICR) & get(e, IMS) & ~ICR_ASSERTED;

    *reg_of(e, ICR) = (get(e, ICR) & ~ICR_ASSERTED) | (asserted ? ICR_ASSERTED : 0);
    if (pci_msix_enabled(&e->pci)) {
        if (rose) {
            msix_send(e, ICR_RXQ0, 0);
            msix_send(e, ICR_TXQ0, 8);
            msix_send(e, ICR_OTHER, 16);
        }
        return;
    }
    if (asserted && rose) {
        pci_msi_notify(&e->pci, 0);
    }
    pci_intx_set(&e->pci, asserted);
}

static void cause(E1000e *e, uint32_t bits)
{
    if (bits & (ICR_LSC | ICR_MDAC)) {
        bits |= ICR_OTHER;
    }
    *reg_of(e, ICR) |= bits;
    irq_update(e, true);
}

static uint32_t icr_read(E1000e *e)
{
    uint32_t v = get(e, ICR);

    if (v & ICR_ASSERTED && get(e, CTRL_EXT) & CTRL_EXT_IAME) {
        *reg_of(e, IMS) &= ~get(e, IAM);
    }
    if (v & ICR_ASSERTED || !get(e, IMS)) {
        *reg_of(e, ICR) = 0;
    }
    irq_update(e, false);
    return v;
}

/* ---- transmit (7.2) */

static uint64_t ring_base(const E1000e *e, unsigned bal)
{
    return (get(e, bal) & ~15u) | (uint64_t)get(e, bal + 4) << 32;
}

static void count(E1000e *e, unsigned packets, unsigned octets, size_t bytes)
{
    uint64_t sum = (get(e, octets) | (uint64_t)get(e, octets + 4) << 32) + bytes;

    *reg_of(e, packets) += 1;
    *reg_of(e, octets) = (uint32_t)sum;
    *reg_of(e, octets + 4) = (uint32_t)(sum >> 32);
}

static void insert_vlan(E1000e *e)
{
    if (e->frame_bytes >= 14 && e->frame_bytes + 4 <= TX_MAX_BYTES) {
        memmove(e->frame + 16, e->frame + 12, e->frame_bytes - 12);
        store_be16(e->frame + 12, (uint16_t)get(e, VET));
        store_be16(e->frame + 14, e->vlan);
        e->frame_bytes += 4;
    }
}

static void ip_checksum(E1000e *e, unsigned shift)
{
    const TxContext *c = &e->context;
    unsigned start = c->ipcss + shift, field = c->ipcso + shift, end = c->ipcse + 1u + shift;

    if (field + 2 <= e->frame_bytes && start < end && end <= e->frame_bytes) {
        store_be16(e->frame + field, 0);
        store_be16(e->frame + field, net_sum_finish(net_sum(e->frame + start, end - start, 0)));
    }
}

static void frame_send(E1000e *e)
{
    NetOffload o = {0};
    unsigned shift = e->frame_vlan ? 4 : 0;

    if (e->frame_vlan) {
        insert_vlan(e);
    }
    if (e->frame_tso) {
        o.segment_bytes = e->context.mss;
    } else if (e->first_popts & TXP_TXSM) {
        o.checksum = true;
        o.checksum_start = (uint16_t)(e->context.tucss + shift);
        o.checksum_offset = (uint16_t)(e->context.tucso - e->context.tucss);
    }
    if (e->first_popts & TXP_IXSM && !e->frame_tso) {
        ip_checksum(e, shift);
    }
    struct iovec iov = {e->frame, e->frame_bytes};
    if (!net_offload_send(&e->port, &iov, 1, &o)) {
        device_guest_error(&e->pci.dev, "frame of %u bytes dropped", e->frame_bytes);
    }
    count(e, GPTC, GOTCL, e->frame_bytes);
    *reg_of(e, TPT) += 1;
}

static void frame_reset(E1000e *e)
{
    e->frame_bytes = 0;
    e->first_popts = 0;
    e->frame_tso = e->frame_vlan = false;
}

static void tx_context(E1000e *e, const uint8_t *d)
{
    e->context = (TxContext){.ipcss = d[0],
                             .ipcso = d[1],
                             .ipcse = load_le16(d + 2),
                             .tucss = d[4],
                             .tucso = d[5],
                             .mss = load_le16(d + 14),
                             .header_bytes = d[13],
                             .command = d[11]};
}

static void tx_data(E1000e *e, const uint8_t *d)
{
    bool extended = d[11] & TXC_DEXT;
    uint32_t bytes = extended ? load_le32(d + 8) & 0xfffff : load_le16(d + 8);
    uint32_t room = TX_MAX_BYTES - e->frame_bytes;

    if (!e->frame_bytes) {
        e->first_popts = extended ? d[13] : 0;
        e->frame_tso = extended && d[11] & TXC_TSE;
    }
    if (bytes > room || mem_read(e->pci.as, load_le64(d), e->frame + e->frame_bytes, bytes,
                                 pci_attrs(&e->pci)) != MEM_OK) {
        device_guest_error(&e->pci.dev, "transmit buffer too long or outside memory");
        bytes = 0;
    }
    e->frame_bytes += bytes;
    if (!(d[11] & TXC_EOP)) {
        return;
    }
    e->frame_vlan = d[11] & TXC_VLE;
    e->vlan = load_le16(d + 14);
    if (!extended && d[11] & TXC_IC) { /* legacy: insert at cso what is summed from css on */
        e->first_popts = TXP_TXSM;
        e->context.tucss = d[13];
        e->context.tucso = d[10];
    }
    frame_send(e);
    frame_reset(e);
}

static void transmit(E1000e *e)
{
    uint32_t n = get(e, TDLEN) / DESC_BYTES, done = 0;
    uint8_t d[DESC_BYTES];

    if (!(get(e, TCTL) & TCTL_EN) || !n || get(e, TDH) >= n || get(e, TDT) >= n) {
        return;
    }
    for (unsigned i = 0; i < MAX_DESCRIPTORS && get(e, TDH) != get(e, TDT); i++) {
        uint64_t at = ring_base(e, TDBAL) + (uint64_t)get(e, TDH) * DESC_BYTES;
        if (mem_read(e->pci.as, at, d, sizeof d, pci_attrs(&e->pci)) != MEM_OK) {
            device_guest_error(&e->pci.dev, "transmit ring outside memory");
            return;
        }
        if (d[11] & TXC_DEXT && !(d[10] & 0xf0)) {
            tx_context(e, d);
        } else {
            tx_data(e, d);
        }
        if (d[11] & TXC_RS) {
            d[12] |= RXD_DD;
            mem_write(e->pci.as, at + 12, d + 12, 1, pci_attrs(&e->pci));
            done = ICR_TXDW | ICR_TXQ0;
        }
        *reg_of(e, TDH) = get(e, TDH) + 1 == n ? 0 : get(e, TDH) + 1;
    }
    cause(e, ICR_TXQE | done);
}

/* ---- receive (7.1) */

static unsigned rx_buffer_bytes(const E1000e *e)
{
    static const uint16_t small[4] = {2048, 1024, 512, 256};
    static const uint16_t large[4] = {2048, 16384, 8192, 4096};
    unsigned size = get(e, RCTL) >> 16 & 3;

    return get(e, RCTL) & RCTL_BSEX ? large[size] : small[size];
}

static uint32_t rx_free(const E1000e *e)
{
    uint32_t n = get(e, RDLEN) / DESC_BYTES, head = get(e, RDH), tail = get(e, RDT);

    if (!n || head >= n || tail >= n) {
        return 0;
    }
    return (tail + n - head) % n;
}

static bool rx_can(NetPort *p)
{
    const E1000e *e = p->opaque;

    return get(e, RCTL) & RCTL_EN && rx_free(e);
}

static bool mta_hit(const E1000e *e, const uint8_t *mac)
{
    static const uint8_t shifts[4] = {4, 3, 2, 0};
    unsigned hash = (mac[4] | (unsigned)mac[5] << 8) >> shifts[get(e, RCTL) >> 12 & 3] & 0xfff;

    return get(e, MTA + 4 * (hash >> 5)) >> (hash & 31) & 1;
}

static bool address_hit(const E1000e *e, const uint8_t *mac)
{
    for (unsigned i = 0; i < 16; i++) {
        uint8_t entry[8];
        store_le32(entry, get(e, RAL + 8 * i));
        store_le32(entry + 4, get(e, RAL + 8 * i + 4));
        if (entry[7] & 0x80 && !memcmp(entry, mac, 6)) {
            return true;
        }
    }
    return false;
}

static bool wanted(const E1000e *e, const uint8_t *f)
{
    static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    uint32_t rctl = get(e, RCTL);

    if (rctl & RCTL_VFE && load_be16(f + 12) == (get(e, VET) & 0xffff)) {
        unsigned vid = load_be16(f + 14) & 0xfff;
        if (!(get(e, VFTA + 4 * (vid >> 5)) >> (vid & 31) & 1)) {
            return false;
        }
    }
    if (!memcmp(f, broadcast, 6) && rctl & RCTL_BAM) {
        return true;
    }
    return (f[0] & 1 ? rctl & RCTL_MPE || mta_hit(e, f) : rctl & RCTL_UPE) || address_hit(e, f);
}

/* Status and error bits that the checksum unit adds; bits 0..7 and, from bit 24 on, errors. */
static uint32_t rx_checksum(const E1000e *e, const uint8_t *f, size_t bytes)
{
    NetFrameInfo i;
    uint32_t rxcsum = get(e, RXCSUM), status = 0;

    net_frame_look(f, bytes, true, &i);
    if (i.ipv4 && rxcsum & 1 << 8) {
        status |= RXD_IPCS | (i.ip_ok ? 0 : (uint32_t)RXE_IPE << 24);
    }
    if ((i.tcp || i.udp) && rxcsum & 1 << 9) {
        status |= i.tcp ? RXD_TCPCS : RXD_TCPCS | RXD_UDPCS;
        status |= i.l4_ok ? 0 : (uint32_t)RXE_TCPE << 24;
    }
    return status;
}

static void rx_write_back(E1000e *e, uint64_t at, size_t bytes, uint32_t status, uint16_t vlan)
{
    uint8_t d[DESC_BYTES] = {0};

    if (get(e, RFCTL) & RFCTL_EXSTEN) {
        store_le32(d + 8, (status & 0xff) | (status & 0xff000000));
        store_le16(d + 12, (uint16_t)bytes);
        store_le16(d + 14, vlan);
        mem_write(e->pci.as, at, d, 8, pci_attrs(&e->pci));
        mem_write(e->pci.as, at + 12, d + 12, 4, pci_attrs(&e->pci));
        mem_store_le32(e->pci.as, at + 8, load_le32(d + 8), pci_attrs(&e->pci));
    } else {
        store_le16(d + 8, (uint16_t)bytes);
        store_le16(d + 14, vlan);
        d[13] = (uint8_t)(status >> 24);
        mem_write(e->pci.as, at + 13, d + 13, 3, pci_attrs(&e->pci));
        mem_write(e->pci.as, at + 8, d + 8, 4, pci_attrs(&e->pci));
        d[12] = (uint8_t)status;
        mem_write(e->pci.as, at + 12, d + 12, 1, pci_attrs(&e->pci));
    }
}

static void rx_store(E1000e *e, const uint8_t *f, size_t bytes, uint32_t status, uint16_t vlan)
{
    uint32_t n = get(e, RDLEN) / DESC_BYTES;
    unsigned room = rx_buffer_bytes(e);

    for (size_t at = 0; at < bytes;) {
        uint64_t desc = ring_base(e, RDBAL) + (uint64_t)get(e, RDH) * DESC_BYTES;
        size_t part = bytes - at < room ? bytes - at : room;
        uint8_t address[8];
        if (mem_read(e->pci.as, desc, address, 8, pci_attrs(&e->pci)) != MEM_OK ||
            mem_write(e->pci.as, load_le64(address), f + at, part, pci_attrs(&e->pci)) != MEM_OK) {
            device_guest_error(&e->pci.dev, "receive ring or buffer outside memory");
        }
        at += part;
        bool last = at == bytes;
        rx_write_back(e, desc, part, RXD_DD | (last ? RXD_EOP | status : 0), last ? vlan : 0);
        *reg_of(e, RDH) = get(e, RDH) + 1 == n ? 0 : get(e, RDH) + 1;
    }
}

static bool rx_receive(NetPort *p, const struct iovec *iov, int n_iov)
{
    E1000e *e = p->opaque;
    uint8_t f[MAX_FRAME + 4];
    uint16_t vlan = 0;
    uint32_t status = 0;

    if (!rx_can(p)) {
        return false;
    }
    size_t bytes = iov_to_buf(iov, (unsigned)n_iov, 0, f, MAX_FRAME);
    if (bytes < 14 || !wanted(e, f)) {
        return true;
    }
    for (; bytes < 60; bytes++) {
        f[bytes] = 0;
    }
    status = rx_checksum(e, f, bytes);
    if (get(e, CTRL) & CTRL_VME && load_be16(f + 12) == (get(e, VET) & 0xffff)) {
        vlan = load_be16(f + 14);
        status |= RXD_VP;
        memmove(f + 12, f + 16, bytes - 16);
        bytes -= 4;
    }
    if (!(get(e, RCTL) & RCTL_SECRC)) {
        memset(f + bytes, 0, 4); /* room for the FCS, which nobody checks */
        bytes += 4;
    }
    if ((bytes + rx_buffer_bytes(e) - 1) / rx_buffer_bytes(e) > rx_free(e)) {
        *reg_of(e, MPC) += 1;
        return false;
    }
    rx_store(e, f, bytes, status, vlan);
    count(e, GPRC, GORCL, bytes);
    *reg_of(e, TPR) += 1;
    cause(e, ICR_RXT0 | ICR_RXQ0);
    return true;
}

/* ---- PHY: a Marvell 88E1149 as the 82574 has it, page 0 */

enum {
    PHY_CONTROL,
    PHY_STATUS,
    PHY_ID1,
    PHY_ID2,
    PHY_LP_ABILITY = 5,
    PHY_1000_STATUS = 10,
    PHY_EXT_STATUS = 15,
    PHY_SPEC_STATUS = 17,
    PHY_PAGE = 22
};

static void phy_reset(E1000e *e)
{
    memset(e->phy, 0, sizeof e->phy);
    e->phy[PHY_CONTROL] = 0x1140;
    e->phy[PHY_STATUS] = 0x7949;
    e->phy[PHY_ID1] = 0x0141;
    e->phy[PHY_ID2] = 0x0cb1;
    e->phy[4] = 0x0de1;
    e->phy[PHY_LP_ABILITY] = 0xcde1;
    e->phy[6] = 0x0001;
    e->phy[9] = 0x0e00;
    e->phy[PHY_1000_STATUS] = 0x3c00;
    e->phy[PHY_EXT_STATUS] = 0x3000;
}

static uint16_t phy_read(const E1000e *e, unsigned n)
{
    bool up = !e->port.link_down;

    if (e->phy[PHY_PAGE] & 0xff && n < 29 && n != PHY_PAGE) {
        return 0;
    }
    if (n == PHY_STATUS) {
        return (uint16_t)(e->phy[n] | (up ? 0x24 : 0));
    }
    if (n == PHY_SPEC_STATUS) {
        return up ? 0xac08 : 0x8008; /* 1000, full, resolved, link */
    }
    return e->phy[n];
}

static void mdic_write(E1000e *e, uint32_t v)
{
    enum { WRITE = 1, READ = 2, READY = 1 << 28, INTERRUPT = 1 << 29, ERROR = 1 << 30 };
    static const uint32_t read_only = 1u << PHY_STATUS | 1u << PHY_ID1 | 1u << PHY_ID2 |
                                      1u << PHY_LP_ABILITY | 1u << PHY_1000_STATUS |
                                      1u << PHY_EXT_STATUS | 1u << PHY_SPEC_STATUS;
    unsigned op = v >> 26 & 3, address = v >> 21 & 31, n = v >> 16 & 31;

    if (address != 1 || (op != WRITE && op != READ)) {
        v |= ERROR;
    } else if (op == READ) {
        v = (v & ~0xffffu) | phy_read(e, n);
    } else if (!(read_only >> n & 1)) {
        e->phy[n] = (uint16_t)v;
        if (n == PHY_CONTROL) {
            e->phy[n] &= 0x7dff; /* reset and restart are over at once */
        }
    }
    *reg_of(e, MDIC) = v | READY;
    if (v & INTERRUPT) {
        cause(e, ICR_MDAC);
    }
}

/* ---- NVM */

static void nvm_init(E1000e *e)
{
    static const uint16_t fixed[] = {
        [0x03] = 0x0420, [0x0a] = 0x026b, [0x0b] = 0x0000, [0x0d] = 0x10d3,
        [0x0e] = 0x8086, [0x0f] = 0x2580, [0x1b] = 0xb0d0};
    uint16_t sum = 0;

    memset(e->nvm, 0, sizeof e->nvm);
    memcpy(e->nvm, fixed, sizeof fixed);
    for (unsigned i = 0; i < 3; i++) {
        e->nvm[i] = load_le16(e->mac + 2 * i);
    }
    for (unsigned i = 0; i < NVM_WORDS - 1; i++) {
        sum = (uint16_t)(sum + e->nvm[i]);
    }
    e->nvm[NVM_WORDS - 1] = (uint16_t)(0xbaba - sum);
}

static void eerd_write(E1000e *e, uint32_t v)
{
    unsigned at = v >> 2 & 0x3fff;

    if (v & 1) {
        v = (v & 0xfffc) | 2 | (uint32_t)(at < NVM_WORDS ? e->nvm[at] : 0xffff) << 16;
    }
    *reg_of(e, EERD) = v;
}

/* ---- registers */

static uint32_t status_read(const E1000e *e)
{
    return STATUS_FD | STATUS_1000 | STATUS_INIT_DONE | (e->port.link_down ? 0 : STATUS_LU) |
           (get(e, CTRL) & CTRL_GIO_DISABLE ? 0 : STATUS_GIO);
}

static void mac_reset(E1000e *e)
{
    memset(e->reg, 0, sizeof e->reg);
    *reg_of(e, CTRL) = 0x00140200 | CTRL_SLU;
    *reg_of(e, EECD) = 0x00000310; /* present, auto-read done */
    *reg_of(e, VET) = 0x8100;
    *reg_of(e, PBA) = 0x00140014;
    *reg_of(e, EEMNGCTL) = 1u << 18; /* configuration done */
    *reg_of(e, RXCSUM) = 0x300;
    *reg_of(e, RAL) = load_le32(e->mac);
    *reg_of(e, RAL + 4) = load_le16(e->mac + 4) | 1u << 31;
    memset(&e->context, 0, sizeof e->context);
    frame_reset(e);
    irq_update(e, false);
}

static void ctrl_write(E1000e *e, uint32_t v)
{
    if (v & CTRL_RST) {
        mac_reset(e);
        return;
    }
    if (v & CTRL_PHY_RST) {
        phy_reset(e);
    }
    *reg_of(e, CTRL) = v & ~CTRL_PHY_RST;
}

static uint32_t reg_read(E1000e *e, unsigned at)
{
    switch (at) {
    case STATUS: return status_read(e);
    case ICR: return icr_read(e);
    case ICS: return get(e, ICR);
    case IMC: return get(e, IMS);
    default: break;
    }
    uint32_t v = get(e, at);
    if (at >= STATS && at < STATS_END) {
        *reg_of(e, at) = 0; /* statistics clear when read */
    } else if (at == SWSM) {
        *reg_of(e, at) |= 1; /* the semaphore is taken by reading it free */
    }
    return v;
}

static void reg_write(E1000e *e, unsigned at, uint32_t v)
{
    switch (at) {
    case CTRL: ctrl_write(e, v); return;
    case STATUS:
    case FWSM:
    case TDH:
        if (at == TDH && !(get(e, TCTL) & TCTL_EN)) {
            *reg_of(e, at) = v & 0xffff;
        }
        return;
    case EECD:
        *reg_of(e, at) = (v & 0xcf) | 0x310 | (v & 0x40 ? 0x80 : 0); /* request is granted */
        return;
    case EERD: eerd_write(e, v); return;
    case MDIC: mdic_write(e, v); return;
    case ICR:
        *reg_of(e, ICR) &= ~v;
        irq_update(e, false);
        return;
    case ICS: cause(e, v & ~ICR_ASSERTED); return;
    case IMS:
        *reg_of(e, IMS) |= v;
        irq_update(e, true);
        return;
    case IMC:
        *reg_of(e, IMS) &= ~v;
        irq_update(e, false);
        return;
    case CTRL_EXT: *reg_of(e, at) = v & ~(uint32_t)CTRL_EXT_PBA_CLR; return;
    default: break;
    }
    *reg_of(e, at) = v;
    switch (at) {
    case TDT:
        *reg_of(e, at) = v & 0xffff;
        transmit(e);
        break;
    case RDT:
        *reg_of(e, at) = v & 0xffff;
        net_ready(&e->port);
        break;
    case RCTL: net_ready(&e->port); break;
    case TCTL: transmit(e); break;
    case RDLEN:
    case TDLEN: *reg_of(e, at) = v & 0xfff80; break;
    default: break;
    }
}

static MemResult bar_read(Device *d, uint64_t offset, unsigned bytes, uint64_t *value,
                          MemAttrs attrs)
{
    uint32_t v = reg_read((E1000e *)d, (unsigned)offset & ~3u);

    (void)attrs;
    *value = v >> 8 * (offset & 3) & mask64(8 * bytes);
    return MEM_OK;
}

static MemResult bar_write(Device *d, uint64_t offset, unsigned bytes, uint64_t value,
                           MemAttrs attrs)
{
    E1000e *e = (E1000e *)d;
    unsigned at = (unsigned)offset & ~3u;

    (void)attrs;
    if (bytes < 4) {
        value = deposit32(get(e, at), 8 * (offset & 3), 8 * bytes, (uint32_t)value);
    }
    reg_write(e, at, (uint32_t)value);
    return MEM_OK;
}

/* I/O window: register address at 0, its data at 4 (10.2.1.2). */
static MemResult io_read(Device *d, uint64_t offset, unsigned bytes, uint64_t *value,
                         MemAttrs attrs)
{
    E1000e *e = (E1000e *)d;

    (void)bytes, (void)attrs;
    *value = offset == 0                                ? e->io_address
             : offset == 4 && e->io_address < BAR_BYTES ? reg_read(e, e->io_address & ~3u)
                                                        : 0;
    return MEM_OK;
}

static MemResult io_write(Device *d, uint64_t offset, unsigned bytes, uint64_t value,
                          MemAttrs attrs)
{
    E1000e *e = (E1000e *)d;

    (void)bytes, (void)attrs;
    if (offset == 0) {
        e->io_address = (uint32_t)value;
    } else if (offset == 4 && e->io_address < BAR_BYTES) {
        reg_write(e, e->io_address & ~3u, (uint32_t)value);
    }
    return MEM_OK;
}

/* ---- life */

static void link_changed(NetPort *p)
{
    cause(p->opaque, ICR_LSC);
}

static const NetPortOps port_ops = {
    .can_receive = rx_can, .receive = rx_receive, .link_changed = link_changed};

static bool e1000e_realize(PciDevice *p, Error *err)
{
    E1000e *e = (E1000e *)p;

    net_port_init(&e->port, p->dev.machine, p->dev.id, &port_ops, e);
    if (e->netdev && !net_connect(&e->port, e->netdev)) {
        net_port_destroy(&e->port);
        return error_set(err, "netdev=%s: another device uses it", e->netdev->id);
    }
    nvm_init(e);
    return true;
}

static void e1000e_unrealize(PciDevice *p)
{
    net_port_destroy(&((E1000e *)p)->port);
}

static void e1000e_reset(PciDevice *p, ResetPhase phase)
{
    if (phase == RESET_ENTER) {
        phy_reset((E1000e *)p);
        mac_reset((E1000e *)p);
    }
}

static void e1000e_sync(PciDevice *p)
{
    irq_update((E1000e *)p, false);
}

static bool e1000e_validate(PciDevice *p, Error *err)
{
    E1000e *e = (E1000e *)p;

    if (e->frame_bytes > TX_MAX_BYTES) {
        e->frame_bytes = 0;
        return error_set(err, "%s: saved frame is not valid", p->dev.id);
    }
    return true;
}

static const MmioDesc e1000e_mmio[] = {
    {.name = "e1000e",
     .bytes = BAR_BYTES,
     .min_bytes = 1,
     .max_bytes = 4,
     .read = bar_read,
     .write = bar_write},
    {.name = "e1000e-io",
     .bytes = 32,
     .min_bytes = 4,
     .max_bytes = 4,
     .read = io_read,
     .write = io_write},
    {0},
};
static const PciBarDesc e1000e_bars[] = {
    {.bar = 0, .kind = PCI_BAR_MEM32, .mmio = 0}, {.bar = 2, .kind = PCI_BAR_IO, .mmio = 1}, {0}};
static const PropDesc e1000e_props[] = {
    PCI_PROPS,
    {.name = "netdev", .kind = PROP_NETDEV, PROP(E1000e, netdev), .help = "id of a -netdev"},
    {.name = "mac", .kind = PROP_MAC, PROP(E1000e, mac), .help = "hardware address"},
    {0},
};
static const StateDesc e1000e_state[] = {
    PCI_STATE,
    {STATE_ARRAY(STATE_U32, E1000e, reg), .keep = true},
    {STATE_ARRAY(STATE_U16, E1000e, phy), .keep = true},
    {STATE_FIELD(STATE_U32, E1000e, io_address)},
    {STATE_FIELD(STATE_BYTES, E1000e, context)},
    {STATE_FIELD(STATE_BYTES, E1000e, frame), .keep = true},
    {STATE_FIELD(STATE_U32, E1000e, frame_bytes)},
    {STATE_FIELD(STATE_U8, E1000e, first_popts)},
    {STATE_FIELD(STATE_BOOL, E1000e, frame_tso)},
    {STATE_FIELD(STATE_BOOL, E1000e, frame_vlan)},
    {STATE_FIELD(STATE_U16, E1000e, vlan)},
    {0},
};

static const PciClass e1000e_pci = {
    .vendor_id = 0x8086,
    .device_id = 0x10d3,
    .subsystem_vendor_id = 0x8086,
    .subsystem_id = 0x0000,
    .class_code = 0x020000,
    .intx = true,
    .bars = e1000e_bars,
    .msix_vectors = MSIX_VECTORS,
    .msix_bar = MSIX_BAR,
    .msi_vectors = 1,
    .realize = e1000e_realize,
    .unrealize = e1000e_unrealize,
    .reset = e1000e_reset,
    .sync = e1000e_sync,
    .validate = e1000e_validate,
};

const DeviceClass e1000e_class = {
    .name = "e1000e",
    .title = "Intel 82574L network card",
    .category = "network",
    .bytes = sizeof(E1000e),
    PCI_DEVICE_HOOKS,
    .mmio = e1000e_mmio,
    .bus_class = &e1000e_pci,
    .props = e1000e_props,
    .state = e1000e_state,
};
