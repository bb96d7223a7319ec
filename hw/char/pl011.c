/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arm PrimeCell UART (PL011).
 *
 * Source: PrimeCell UART (PL011) Technical Reference Manual, r1p5, DDI 0183, "Programmers model"
 * and "Interrupts". The FIFOs hold 16 characters in each direction, with error bits on the receive
 * side.
 *
 * Characters leave at once, as fast as the chardev takes them; what it does not take stays in the
 * transmit FIFO. Input is taken only while the receiver is enabled and has room, so nothing is
 * ever overrun. The receive timeout (32 bit times without a character) runs on the VM's clock.
 *
 * DEVIATION: the transmitter works even when UARTCR has it disabled: a kernel that is booted
 * without firmware prints before any driver sets UARTCR. A transmit interrupt becomes pending with
 * each character that left, not only when the FIFO drains through its trigger level: drivers that
 * wait for it after filling the FIFO cannot tell. Not modelled: DMA (UARTDMACR keeps its value),
 * IrDA, parity and framing errors, line speed.
 */
#include "core/chardev.h"
#include "core/fdt.h"
#include "hw/arm.h"
#include "hw/aml.h"

enum { FIFO_DEPTH = 16, CLOCK_HZ = 24000000 };

/* UARTDR, UARTRSR: a character's errors */
enum { DR_BE = 1 << 10, DR_FE = 1 << 8, DR_OE = 1 << 11 };
enum {
    FR_CTS = 1 << 0,
    FR_DSR = 1 << 1,
    FR_DCD = 1 << 2,
    FR_BUSY = 1 << 3,
    FR_RXFE = 1 << 4,
    FR_TXFF = 1 << 5,
    FR_RXFF = 1 << 6,
    FR_TXFE = 1 << 7,
    FR_RI = 1 << 8
};
enum { LCR_BRK = 1 << 0, LCR_FEN = 1 << 4 };
enum {
    CR_UARTEN = 1 << 0,
    CR_LBE = 1 << 7,
    CR_TXE = 1 << 8,
    CR_RXE = 1 << 9,
    CR_DTR = 1 << 10,
    CR_RTS = 1 << 11,
    CR_OUT1 = 1 << 12,
    CR_OUT2 = 1 << 13
};
/* UARTRIS, UARTIMSC, UARTMIS, UARTICR */
enum {
    INT_RI = 1 << 0,
    INT_CTS = 1 << 1,
    INT_DCD = 1 << 2,
    INT_DSR = 1 << 3,
    INT_RX = 1 << 4,
    INT_TX = 1 << 5,
    INT_RT = 1 << 6,
    INT_FE = 1 << 7,
    INT_PE = 1 << 8,
    INT_BE = 1 << 9,
    INT_OE = 1 << 10,
    INT_ALL = 0x7ff
};

typedef struct Pl011 {
    Device dev;
    /* wiring */
    PinOut irq; /* UARTINTR, level */
    Chardev *chardev;
    Timer timeout; /* state, too: fires INT_RT */
    /* state */
    uint16_t rx[FIFO_DEPTH];
    uint8_t tx[FIFO_DEPTH];
    uint8_t rx_first, rx_count, tx_first, tx_count;
    uint32_t rsr, ilpr, ibrd, fbrd, lcr, cr, ifls, imsc, ris, dmacr;
    uint32_t modem; /* FR_CTS, FR_DSR, FR_DCD, FR_RI as last seen, for INT_* of changes */
} Pl011;

static unsigned fifo_depth(const Pl011 *s)
{
    return s->lcr & LCR_FEN ? FIFO_DEPTH : 1;
}

/* Characters at which a FIFO asks for service: 1/8, 1/4, 1/2, 3/4, 7/8 of it. */
static unsigned trigger(const Pl011 *s, unsigned field)
{
    static const uint8_t levels[8] = {2, 4, 8, 12, 14, 14, 14, 14};

    return s->lcr & LCR_FEN ? levels[field & 7] : 1;
}

static unsigned rx_trigger(const Pl011 *s)
{
    return trigger(s, s->ifls >> 3);
}

/* The modem lines as UARTFR has them: those of the far end, or our own outputs in loopback. */
static uint32_t modem_lines(const Pl011 *s)
{
    if (s->cr & CR_LBE) {
        return (s->cr & CR_RTS ? FR_CTS : 0) | (s->cr & CR_DTR ? FR_DSR : 0) |
               (s->cr & CR_OUT1 ? FR_DCD : 0) | (s->cr & CR_OUT2 ? FR_RI : 0);
    }
    return s->chardev && s->chardev->open ? FR_CTS | FR_DSR | FR_DCD : 0;
}

static void update_modem(Pl011 *s)
{
    uint32_t now = modem_lines(s), changed = now ^ s->modem;

    s->modem = now;
    s->ris |= (changed & FR_RI ? INT_RI : 0) | (changed & FR_CTS ? INT_CTS : 0) |
              (changed & FR_DCD ? INT_DCD : 0) | (changed & FR_DSR ? INT_DSR : 0);
}

static void pl011_sync(Device *d)
{
    Pl011 *s = (Pl011 *)d;

    pin_set(&s->irq, (s->ris & s->imsc) != 0);
}

/* ---- receiving */

/* 32 bit times at the programmed speed; 115200 baud while there is none. */
static int64_t timeout_ns(const Pl011 *s)
{
    uint64_t divisor = (uint64_t)(s->ibrd & 0xffff) * 64 + (s->fbrd & 0x3f);

    if (divisor == 0) {
        divisor = (uint64_t)CLOCK_HZ * 4 / 115200;
    }
    return (int64_t)(32 * divisor * 1000000000u / ((uint64_t)CLOCK_HZ * 4));
}

static void rx_timeout(void *opaque)
{
    Pl011 *s = opaque;

    if (s->rx_count) {
        s->ris |= INT_RT;
        pl011_sync(&s->dev);
    }
}

static void rx_push(Pl011 *s, uint16_t c)
{
    if (s->rx_count >= fifo_depth(s)) {
        s->rsr |= DR_OE >> 8;
        s->ris |= INT_OE;
        return;
    }
    s->rx[(s->rx_first + s->rx_count) % FIFO_DEPTH] = c;
    s->rx_count++;
    if (s->rx_count >= rx_trigger(s)) {
        s->ris |= INT_RX;
    }
    timer_set(&s->timeout, clock_ns(s->dev.machine, CLOCK_VM) + timeout_ns(s));
}

static size_t pl011_can_receive(void *opaque)
{
    Pl011 *s = opaque;

    if ((s->cr & (CR_UARTEN | CR_RXE)) != (CR_UARTEN | CR_RXE) || (s->cr & CR_LBE)) {
        return 0;
    }
    return s->rx_count < fifo_depth(s) ? fifo_depth(s) - s->rx_count : 0;
}

static void pl011_receive(void *opaque, const uint8_t *buf, size_t bytes)
{
    Pl011 *s = opaque;

    for (size_t i = 0; i < bytes; i++) {
        rx_push(s, buf[i]);
    }
    pl011_sync(&s->dev);
}

static uint64_t dr_read(Device *d, unsigned index)
{
    Pl011 *s = (Pl011 *)d;
    uint16_t c = s->rx[s->rx_first % FIFO_DEPTH];

    (void)index;
    if (s->rx_count == 0) {
        return c; /* what was read last: the FIFO does not move */
    }
    s->rx_first = (s->rx_first + 1) % FIFO_DEPTH;
    s->rx_count--;
    s->rsr = c >> 8;
    if (s->rx_count < rx_trigger(s)) {
        s->ris &= ~(uint32_t)INT_RX;
    }
    if (s->rx_count == 0) {
        s->ris &= ~(uint32_t)INT_RT;
        timer_cancel(&s->timeout);
    }
    pl011_sync(d);
    if (s->chardev) {
        chardev_accept_input(s->chardev);
    }
    return c;
}

/* ---- sending */

static void tx_drain(Pl011 *s)
{
    while (s->tx_count) {
        unsigned run = FIFO_DEPTH - s->tx_first;
        if (run > s->tx_count) {
            run = s->tx_count;
        }
        size_t n = chardev_write(s->chardev, &s->tx[s->tx_first], run);
        s->tx_first = (s->tx_first + n) % FIFO_DEPTH;
        s->tx_count -= n;
        if (n < run) {
            break;
        }
    }
    if (s->tx_count <= (s->lcr & LCR_FEN ? trigger(s, s->ifls) : 0)) {
        s->ris |= INT_TX;
    }
}

static void pl011_writable(void *opaque)
{
    Pl011 *s = opaque;

    tx_drain(s);
    pl011_sync(&s->dev);
}

static void dr_write(Device *d, unsigned index, uint64_t value)
{
    Pl011 *s = (Pl011 *)d;

    (void)index;
    if (s->cr & CR_LBE) {
        rx_push(s, value & 0xff);
        s->ris |= INT_TX;
        return;
    }
    if (s->tx_count >= fifo_depth(s)) {
        return; /* as the hardware: lost */
    }
    s->tx[(s->tx_first + s->tx_count) % FIFO_DEPTH] = (uint8_t)value;
    s->tx_count++;
    s->ris &= ~(uint32_t)INT_TX;
    tx_drain(s);
}

/* ---- the other registers */

static void rsr_write(Device *d, unsigned index, uint64_t value)
{
    (void)index;
    (void)value;
    ((Pl011 *)d)->rsr = 0;
}

static uint64_t fr_read(Device *d, unsigned index)
{
    const Pl011 *s = (Pl011 *)d;

    (void)index;
    return s->modem | (s->tx_count ? FR_BUSY : FR_TXFE) | (s->rx_count ? 0 : FR_RXFE) |
           (s->tx_count >= fifo_depth(s) ? FR_TXFF : 0) |
           (s->rx_count >= fifo_depth(s) ? FR_RXFF : 0);
}

static void report_params(Pl011 *s)
{
    uint64_t divisor = (uint64_t)s->ibrd * 64 + s->fbrd;

    if (!s->chardev || !s->chardev->ops->set_params || divisor == 0) {
        return;
    }
    s->chardev->ops->set_params(s->chardev, (unsigned)(CLOCK_HZ * 4u / divisor),
                                5 + (s->lcr >> 5 & 3),
                                !(s->lcr & 2) ? 'N'
                                : s->lcr & 4  ? 'E'
                                              : 'O',
                                s->lcr & 8 ? 2 : 1);
}

/* Turning the FIFOs off or on empties them. */
static void lcr_wrote(Device *d, unsigned index, uint64_t old)
{
    Pl011 *s = (Pl011 *)d;

    (void)index;
    if ((old ^ s->lcr) & LCR_FEN) {
        s->rx_count = s->tx_count = 0;
        s->ris &= ~(uint32_t)(INT_RX | INT_RT);
        timer_cancel(&s->timeout);
    }
    report_params(s);
    if (s->chardev) {
        chardev_accept_input(s->chardev);
    }
}

static void cr_wrote(Device *d, unsigned index, uint64_t old)
{
    Pl011 *s = (Pl011 *)d;

    (void)index;
    (void)old;
    update_modem(s);
    if (s->chardev) {
        chardev_accept_input(s->chardev);
    }
}

static uint64_t mis_read(Device *d, unsigned index)
{
    const Pl011 *s = (Pl011 *)d;

    (void)index;
    return s->ris & s->imsc;
}

static void icr_write(Device *d, unsigned index, uint64_t value)
{
    (void)index;
    ((Pl011 *)d)->ris &= ~(uint32_t)value;
}

static uint64_t id_read(Device *d, unsigned index)
{
    (void)d;
    return primecell_id(0x011, 3, index);
}

static const RegDesc pl011_regs[] = {
    {0x000, "UARTDR", REG_RW, .read = dr_read, .write = dr_write},
    {0x004, "UARTRSR", REG_RW, FIELD(Pl011, rsr), .write = rsr_write},
    {0x018, "UARTFR", REG_RO, .read = fr_read},
    {0x020, "UARTILPR", REG_RW, FIELD(Pl011, ilpr), .wmask = 0xff},
    {0x024, "UARTIBRD", REG_RW, FIELD(Pl011, ibrd), .wmask = 0xffff},
    {0x028, "UARTFBRD", REG_RW, FIELD(Pl011, fbrd), .wmask = 0x3f},
    {0x02c, "UARTLCR_H", REG_RW, FIELD(Pl011, lcr), .wmask = 0xff, .wrote = lcr_wrote},
    {0x030, "UARTCR", REG_RW, FIELD(Pl011, cr), .reset = 0x300, .wmask = 0xff87, .wrote = cr_wrote},
    {0x034, "UARTIFLS", REG_RW, FIELD(Pl011, ifls), .reset = 0x12, .wmask = 0x3f},
    {0x038, "UARTIMSC", REG_RW, FIELD(Pl011, imsc), .wmask = INT_ALL},
    {0x03c, "UARTRIS", REG_RO, FIELD(Pl011, ris)},
    {0x040, "UARTMIS", REG_RO, .read = mis_read},
    {0x044, "UARTICR", REG_WO, .write = icr_write},
    {0x048, "UARTDMACR", REG_RW, FIELD(Pl011, dmacr), .wmask = 7},
    {0xfe0, "UARTPeriphID", REG_RO, .count = 8, .read = id_read},
    {0}};

static const MmioDesc pl011_mmio[] = {
    {.name = "pl011", .bytes = 0x1000, .regs = pl011_regs, .reg_bytes = 4}, {0}};

static const StateDesc pl011_state[] = {{STATE_ARRAY(STATE_U16, Pl011, rx)},
                                        {STATE_ARRAY(STATE_U8, Pl011, tx)},
                                        {STATE_FIELD(STATE_U8, Pl011, rx_first)},
                                        {STATE_FIELD(STATE_U8, Pl011, rx_count)},
                                        {STATE_FIELD(STATE_U8, Pl011, tx_first)},
                                        {STATE_FIELD(STATE_U8, Pl011, tx_count)},
                                        {STATE_FIELD(STATE_U32, Pl011, modem)},
                                        {STATE_FIELD(STATE_TIMER, Pl011, timeout)},
                                        {0}};

static const PropDesc pl011_props[] = {
    {"chardev", PROP_CHARDEV, PROP(Pl011, chardev), .help = "what the UART talks to"}, {0}};

static const PinDesc pl011_pins[] = {{"irq", .out = true, .offset = offsetof(Pl011, irq)}, {0}};

static void pl011_event(void *opaque, ChardevEvent e)
{
    Pl011 *s = opaque;

    if (e == CHARDEV_BREAK && pl011_can_receive(s)) {
        rx_push(s, DR_BE | DR_FE);
        s->ris |= INT_BE | INT_FE;
    }
    update_modem(s);
    pl011_sync(&s->dev);
}

static bool pl011_realize(Device *d, Error *err)
{
    Pl011 *s = (Pl011 *)d;
    ChardevFront front = {pl011_can_receive, pl011_receive, pl011_event, pl011_writable, s};

    timer_init(&s->timeout, d->machine, CLOCK_VM, rx_timeout, s);
    return !s->chardev || chardev_attach(s->chardev, &front, err);
}

static void pl011_unrealize(Device *d)
{
    Pl011 *s = (Pl011 *)d;

    timer_cancel(&s->timeout);
    if (s->chardev) {
        chardev_detach(s->chardev);
    }
}

static void pl011_reset(Device *d, ResetPhase phase)
{
    Pl011 *s = (Pl011 *)d;

    if (phase == RESET_EXIT) {
        s->modem = modem_lines(s);
    }
}

static bool pl011_validate(Device *d, Error *err)
{
    const Pl011 *s = (Pl011 *)d;

    if (s->rx_first >= FIFO_DEPTH || s->tx_first >= FIFO_DEPTH || s->rx_count > FIFO_DEPTH ||
        s->tx_count > FIFO_DEPTH) {
        return error_set(err, "%s: saved FIFO out of range", d->id);
    }
    return true;
}

static void pl011_fdt(Device *d, Fdt *fdt)
{
    primecell_fdt(d, fdt,
                  &(PrimecellFdt){"pl011", "arm,pl011\0arm,primecell\0", "uartclk\0apb_pclk\0"});
}

static void pl011_acpi(Device *d, Aml *aml)
{
    aml_device_mmio_irq(aml, d, &(AmlMmioDevice){.name = "COM%u", .hid = "ARMH0011"});
}

const DeviceClass pl011_class = {
    .name = "pl011",
    .title = "Arm PL011 UART",
    .category = "misc",
    .bytes = sizeof(Pl011),
    .bus = BUS_SYSTEM,
    .internal = true,
    .mmio = pl011_mmio,
    .state = pl011_state,
    .props = pl011_props,
    .pins = pl011_pins,
    .realize = pl011_realize,
    .unrealize = pl011_unrealize,
    .reset = pl011_reset,
    .sync = pl011_sync,
    .validate = pl011_validate,
    .fdt = pl011_fdt,
    .acpi = pl011_acpi,
};
