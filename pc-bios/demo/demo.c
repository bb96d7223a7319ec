/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest of our own for the `virt` board: draws on the screen (ramfb) and answers on the serial
 * line. It needs nothing but the board, so it shows a machine at work where no other guest can be
 * had.
 *
 * Runs as it is loaded, at EL1 or EL2, MMU and caches off: all accesses are aligned
 * (-mstrict-align). Sources: PL011 TRM (DDI 0183) 3.3; the firmware configuration device's
 * registers, big-endian; PSCI (DEN 0022) 5.
 */
#include <stdbool.h>
#include <stdint.h>

#include "font.h"

enum { WIDTH = 640, HEIGHT = 480 };

#define UART 0x09000000ull
#define FW_CFG 0x09020000ull
enum { UART_DR = 0, UART_FR = 0x18, FR_TXFF = 1 << 5, FR_RXFE = 1 << 4 };
enum { UART_LCR_H = 0x2c, LCR_8_BITS_FIFO = 0x70, UART_CR = 0x30, CR_ON = 0x301 };
enum {
    FW_DIR = 0x19,
    FW_SELECT = 8,
    FW_DMA = 16,
    DMA_READ = 2,
    DMA_SKIP = 4,
    DMA_SELECT = 8,
    DMA_WRITE = 16
};

static uint32_t screen[WIDTH * HEIGHT];

uint64_t psci(uint64_t function, bool by_smc);

static uint32_t be32(uint32_t v)
{
    return __builtin_bswap32(v);
}

static volatile uint32_t *reg32(uint64_t address)
{
    return (volatile uint32_t *)address;
}

/* ---- serial line ---- */

static void serial_on(void)
{
    *reg32(UART + UART_LCR_H) = LCR_8_BITS_FIFO;
    *reg32(UART + UART_CR) = CR_ON; /* transmit, receive, enable */
}

static void put_char(char c)
{
    while (*reg32(UART + UART_FR) & FR_TXFF) {
    }
    *reg32(UART + UART_DR) = (uint8_t)c;
}

static void put(const char *s)
{
    for (; *s; s++) {
        if (*s == '\n') {
            put_char('\r');
        }
        put_char(*s);
    }
}

static void put_number(uint64_t v)
{
    char digits[21];
    int n = 20;
    digits[n] = '\0';
    do {
        digits[--n] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    put(digits + n);
}

static char get_char(void)
{
    while (*reg32(UART + UART_FR) & FR_RXFE) {
        __asm__ volatile("yield");
    }
    return (char)*reg32(UART + UART_DR);
}

/* ---- the firmware configuration device ---- */

struct dma { /* big-endian */
    uint32_t control, bytes;
    uint64_t address;
};

static bool fw_dma(uint32_t control, void *buffer, uint32_t bytes)
{
    static volatile struct dma d __attribute__((aligned(16)));
    d.control = be32(control);
    d.bytes = be32(bytes);
    d.address = __builtin_bswap64((uint64_t)buffer);
    __asm__ volatile("dsb sy" ::: "memory");
    uint64_t at = (uint64_t)&d;
    *reg32(FW_CFG + FW_DMA) = be32((uint32_t)(at >> 32));
    *reg32(FW_CFG + FW_DMA + 4) = be32((uint32_t)at);
    __asm__ volatile("dsb sy" ::: "memory");
    return d.control == 0;
}

static bool same(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

struct file { /* of the directory; big-endian */
    uint32_t bytes;
    uint16_t select, reserved;
    char name[56];
};

/* The selector of a file, or 0. */
static uint32_t fw_find(const char *name)
{
    static uint32_t count __attribute__((aligned(8)));
    static struct file f __attribute__((aligned(8)));
    if (!fw_dma(FW_DIR << 16 | DMA_SELECT | DMA_READ, &count, sizeof count)) {
        return 0;
    }
    for (uint32_t n = be32(count); n && n < 1000; n--) {
        if (!fw_dma(DMA_READ, &f, sizeof f)) {
            return 0;
        }
        if (same(f.name, name)) {
            return __builtin_bswap16(f.select);
        }
    }
    return 0;
}

/* ---- the screen ---- */

static bool screen_on(void)
{
    static struct {
        uint64_t address;
        uint32_t fourcc, flags, width, height, stride;
    } __attribute__((packed, aligned(8))) config;
    uint32_t select = fw_find("etc/ramfb");
    if (!select) {
        return false;
    }
    config.address = __builtin_bswap64((uint64_t)screen);
    config.fourcc = be32(0x34325258); /* XR24: x8r8g8b8 */
    config.width = be32(WIDTH);
    config.height = be32(HEIGHT);
    config.stride = be32(WIDTH * 4);
    return fw_dma(select << 16 | DMA_SELECT | DMA_WRITE, &config, 28);
}

static void letter(char c, int x, int y, int size, uint32_t colour)
{
    for (unsigned i = 0; i < sizeof font / sizeof *font; i++) {
        if (font[i][0] != (unsigned char)c) {
            continue;
        }
        for (int row = 0; row < 7 * size; row++) {
            for (int column = 0; column < 5 * size; column++) {
                if (font[i][1 + row / size] >> (4 - column / size) & 1) {
                    screen[(y + row) * WIDTH + x + column] = colour;
                }
            }
        }
    }
}

static void text(const char *s, int x, int y, int size, uint32_t colour)
{
    for (; *s; s++, x += 6 * size) {
        letter(*s, x, y, size, colour);
    }
}

/* Two rings, each over the other once: a gemel. */
static void ring(int cx, int cy, uint32_t colour, bool upper_half_only)
{
    for (int y = -90; y <= (upper_half_only ? 0 : 90); y++) {
        for (int x = -90; x <= 90; x++) {
            int r = x * x + y * y;
            if (r <= 90 * 90 && r >= 70 * 70) {
                screen[(cy + y) * WIDTH + cx + x] = colour;
            }
        }
    }
}

static void draw(unsigned n)
{
    for (int y = 0; y < HEIGHT; y++) {
        for (int x = 0; x < WIDTH; x++) {
            screen[y * WIDTH + x] =
                (uint32_t)(0x101828 + (y * 48 / HEIGHT) * 0x010101 + (n * 0x100000));
        }
    }
    ring(270, 170, 0xe0b040, false);
    ring(370, 170, 0x60a0e0, false);
    ring(270, 170, 0xe0b040, true);
    text("GEMEL", 200, 300, 8, 0xffffff);
    text("THIS MACHINE WORKS.", 146, 390, 3, 0xc0c8d0);
}

/* ---- the conversation ---- */

static void read_line(char *line, unsigned bytes)
{
    unsigned n = 0;
    for (;;) {
        char c = get_char();
        if (c == '\r' || c == '\n') {
            break;
        }
        if ((c == '\b' || c == 127) && n) {
            n--;
            put("\b \b");
        } else if (c >= ' ' && n + 1 < bytes) {
            line[n++] = c;
            put_char(c);
        }
    }
    line[n] = '\0';
    put("\n");
}

static void info(unsigned level)
{
    uint64_t midr, hz, ticks;
    __asm__ volatile("mrs %0, midr_el1" : "=r"(midr));
    __asm__ volatile("mrs %0, cntfrq_el0" : "=r"(hz));
    __asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(ticks));
    put("exception level ");
    put_number(level);
    put(", CPU part ");
    put_number(midr >> 4 & 0xfff);
    put(", counter at ");
    put_number(hz);
    put(" Hz, up ");
    put_number(hz ? ticks * 1000 / hz : 0);
    put(" ms\n");
}

/* A little work: primes below 200000. */
static void primes(void)
{
    unsigned count = 0;
    for (unsigned n = 2; n < 200000; n++) {
        bool prime = true;
        for (unsigned d = 2; d * d <= n && prime; d++) {
            prime = n % d != 0;
        }
        count += prime;
    }
    put_number(count);
    put(" primes below 200000\n");
}

int main(uint64_t tree, uint64_t current_el)
{
    unsigned level = current_el >> 2 & 3, drawn = 0;
    char line[80];
    serial_on();
    bool shown = screen_on();
    (void)tree;
    draw(drawn);
    put("\nThis is Gemel's demo guest. Commands: help, info, primes, draw, off, reset.\n");
    put(shown ? "There is a screen.\n" : "There is no screen (-device ramfb adds one).\n");
    for (;;) {
        put("gemel> ");
        read_line(line, sizeof line);
        if (same(line, "info")) {
            info(level);
        } else if (same(line, "primes")) {
            primes();
        } else if (same(line, "draw")) {
            draw(++drawn & 3);
        } else if (same(line, "off")) {
            psci(0x84000008, level == 2);
        } else if (same(line, "reset")) {
            psci(0x84000009, level == 2);
        } else if (line[0]) {
            put("help: this text; info: the CPU; primes: some work; draw: another colour; "
                "off, reset: by PSCI\n");
        }
    }
}
