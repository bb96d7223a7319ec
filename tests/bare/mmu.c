/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MMU torture: random translation tables, random accesses through them, one line for each with what
 * happened. The output is compared with another implementation's.
 *
 * The program runs through TTBR1 (4K, 48 bits, a linear map at OFFSET); tables under test hang on
 * TTBR0. At EL2 it also makes stage 2 tables and asks AT S12.
 */
#include "torture.h"

#ifndef CACHE_OPS
#define CACHE_OPS 0
#endif

#define OFFSET 0xffff000000000000ull
enum { POOL_PAGES = 96, PAGE_MAX = 65536 };

static uint64_t upper_table[512] __attribute__((aligned(4096)));
static uint64_t upper_low[512] __attribute__((aligned(4096)));
static uint64_t upper_ram[512] __attribute__((aligned(4096)));
static uint8_t pool[POOL_PAGES * PAGE_MAX / 4] __attribute__((aligned(65536)));
static uint8_t data[4 * PAGE_MAX] __attribute__((aligned(65536)));
static uint64_t pool_used;

typedef struct Config {
    unsigned gran, tsz, levels_from; /* log2 page; T0SZ; first level */
    bool ha, hd, hpd, wxn, pan, epd, tbi;
    unsigned ps, asid_a1;
} Config;
static Config cfg;

static uint64_t phys(const void *p)
{
    return (uint64_t)p & 0xffffffffffffull;
}

static void *virt(uint64_t pa)
{
    return (void *)(pa | ((uint64_t)pool & OFFSET));
}

static void fill_data(void)
{
    uint64_t *p = (uint64_t *)data;
    for (unsigned n = 0; n < sizeof(data) / 8; n++) {
        p[n] = n & 4 ? 0xd65f03c0d65f03c0ull : phys(&p[n]);
    }
}

static uint64_t *new_table(unsigned bytes)
{
    pool_used = (pool_used + bytes - 1) & ~(uint64_t)(bytes - 1);
    if (pool_used + bytes > sizeof(pool)) {
        return 0;
    }
    uint64_t *t = (uint64_t *)(pool + pool_used);
    pool_used += bytes;
    for (unsigned n = 0; n < bytes / 8; n++) {
        t[n] = 0;
    }
    return t;
}

static unsigned level_low(int level)
{
    return cfg.gran + (unsigned)(3 - level) * (cfg.gran - 3);
}

/* Attributes of a leaf: mostly usable. */
static uint64_t leaf_bits(bool s2)
{
    uint64_t r = random_bits(), d = 0;
    d |= (r & 15) < 13 ? 1 << 10 : 0; /* AF */
    if (s2) {
        d |= (r >> 4 & 7) ? 3ull << 6 : (r >> 8 & 3) << 6; /* S2AP */
        d |= (r >> 10 & 7) ? 15 << 2 : (r >> 14 & 15) << 2;
        d |= (r >> 18 & 3) ? 0 : (r >> 20 & 3) << 53;
        d |= (r >> 22 & 3) ? 0 : 1ull << 51;
        return d;
    }
    d |= (r >> 4 & 3) << 6;                         /* AP */
    d |= (r >> 6 & 7) ? 0 : (r >> 9 & 7) << 2;      /* AttrIndx: 0 is normal */
    d |= (r >> 12 & 1) << 11;                       /* nG */
    d |= (r >> 13 & 1) << 53 | (r >> 14 & 1) << 54; /* PXN, UXN */
    d |= (r >> 15 & 3) ? 0 : 1ull << 51;            /* DBM */
    d |= (r >> 17 & 3) << 8;                        /* SH */
    return d;
}

static uint64_t table_bits(bool s2)
{
    uint64_t r = random_bits(), d = 3;
    if (!s2 && (r & 3) == 0) {
        d |= (r >> 2 & 7) ? 0 : (r >> 5 & 3) << 61;
        d |= (r >> 8 & 7) ? 0 : (r >> 11 & 3) << 59;
    }
    return d;
}

/* Output address for a leaf of that size: data, or for big blocks all RAM. */
static uint64_t leaf_address(unsigned low)
{
    uint64_t r = random_bits(), a;
    if (low <= 16) {
        a = phys(data) + ((r & 0xffff) << 12 & (sizeof(data) - 1) & ~((1ull << low) - 1));
    } else if (low <= 26) {
        a = 0x48000000; /* RAM away from the program */
    } else {
        a = (0x60000000 + (1ull << low) - 1) & ~((1ull << low) - 1); /* nothing there */
    }
    if ((r >> 20 & 31) == 0) {
        a |= 1ull << (36 + (r >> 25 & 7)); /* may be beyond the address size */
    }
    return a;
}

static bool blocks_at(int level)
{
    return cfg.gran == 12 ? level == 1 || level == 2 : level == 2;
}

/* Tables down to a leaf for va, which is kept; deeper ones are only made on its path. */
static void make_path(uint64_t *table, int level, uint64_t va, unsigned in_bits, bool s2)
{
    for (; table;) {
        unsigned low = level_low(level);
        unsigned top = level == (int)cfg.levels_from ? in_bits : level_low(level - 1);
        uint64_t index = va >> low & ((1ull << (top - low)) - 1), *d = &table[index];
        unsigned kind = below(16);
        if (*d & 1 && (*d & 2) && level < 3) {
            table = virt(*d & 0xfffffffff000ull & ~((1ull << cfg.gran) - 1));
            level++;
            continue;
        }
        if (kind == 0) {
            *d = random_bits() & ~3ull; /* invalid */
            return;
        }
        if (kind == 1 && level < 3) {
            *d = random_bits() << 12 | 1; /* a block, perhaps where none may be */
            if (blocks_at(level)) {
                *d = leaf_address(low) | leaf_bits(s2) | 1;
            }
            return;
        }
        if (level == 3 || (blocks_at(level) && kind < 6)) {
            *d = leaf_address(low) | leaf_bits(s2) | (level == 3 ? 3 : 1);
            return;
        }
        uint64_t *next = new_table(1u << cfg.gran);
        if (!next) {
            return;
        }
        *d = phys(next) | table_bits(s2);
        table = next;
        level++;
    }
}

static void barrier_tlb(void)
{
    if (MRS("CurrentEL") == 8) {
        __asm__ volatile("dsb sy; tlbi alle1; tlbi alle2; dsb sy; isb" ::: "memory");
    } else {
        __asm__ volatile("dsb sy; tlbi vmalle1; dsb sy; isb" ::: "memory");
    }
}

/* ---- operations ---- */

typedef uint64_t Op(uint64_t va, uint64_t value);
Op op_ldr, op_ldrb, op_str, op_strb, op_ldtr, op_sttr, op_ldp, op_ldar, op_ldxr, op_dc_cvac,
    op_dc_zva;
Op op_ldrq, op_ldadd, op_cas, op_exec, op_exec0, op_at_s1e1r, op_at_s1e1w, op_at_s1e0r, op_at_s1e0w;
Op op_at_s1e1rp, op_at_s1e1wp, op_at_s12e1r, op_at_s12e1w, op_at_s12e0r, op_at_s12e0w;

typedef struct Named {
    char name[6];
    uint8_t at, align, offset; /* PAR result; log2 alignment; must sit at a RET */
} Named;
static const Named names[] = {
    {"ldr", 0, 3, 0},   {"ldrb", 0, 0, 0}, {"str", 0, 3, 0},   {"strb", 0, 0, 0},
    {"ldtr", 0, 3, 0},  {"sttr", 0, 3, 0}, {"ldp", 0, 3, 0},   {"ldar", 0, 3, 0},
    {"ldxr", 0, 3, 0},  {"cvac", 0, 6, 0}, {"zva", 0, 6, 0},   {"ldrq", 0, 4, 0},
    {"ldadd", 0, 3, 0}, {"cas", 0, 3, 0},  {"exec", 0, 6, 32}, {"exec0", 0, 6, 32},
    {"e1r", 1, 0, 0},   {"e1w", 1, 0, 0},  {"e0r", 1, 0, 0},   {"e0w", 1, 0, 0},
    {"e1rp", 1, 0, 0},  {"e1wp", 1, 0, 0},
};
enum { N_OPS = sizeof(names) / sizeof(names[0]) };

static Op *function(unsigned n)
{
    switch (n) {
    case 0: return op_ldr;
    case 1: return op_ldrb;
    case 2: return op_str;
    case 3: return op_strb;
    case 4: return op_ldtr;
    case 5: return op_sttr;
    case 6: return op_ldp;
    case 7: return op_ldar;
    case 8: return op_ldxr;
    case 9: return op_dc_cvac;
    case 10: return op_dc_zva;
    case 11: return op_ldrq;
    case 12: return op_ldadd;
    case 13: return op_cas;
    case 14: return op_exec;
    case 15: return op_exec0;
    case 16: return op_at_s1e1r;
    case 17: return op_at_s1e1w;
    case 18: return op_at_s1e0r;
    case 19: return op_at_s1e0w;
    case 20: return op_at_s1e1rp;
    case 21: return op_at_s1e1wp;
    case 22: return op_at_s12e1r;
    case 23: return op_at_s12e1w;
    case 24: return op_at_s12e0r;
    default: return op_at_s12e0w;
    }
}

static void one_access(unsigned op, uint64_t va)
{
    const Named *n = &names[op < N_OPS ? op : 16];
    va = (va & ~((1ull << n->align) - 1)) + n->offset;
    seen.esr = seen.far = seen.vector = 0;
    uint64_t r = function(op)(va, n->align == 6 || !n->at ? 0xd65f03c0d65f03c0ull : 0);
    if (op < N_OPS) {
        put_text(n->name);
    } else {
        put_text("s12 ");
        put_hex(op);
    }
    put_char(' ');
    put_hex(va);
    put_hex(seen.esr);
    put_hex((seen.esr >> 26 & 0x38) == 0x20 ? seen.far : 0);
    put_hex(seen.vector);
    if (n->at) {
        uint64_t par = MRS("par_el1");
        put_hex(par & 1 ? par & 0xffff : par & ~0xf80ull); /* SH and what is the implementation's */
    } else if (op == 0 || op == 1 || op == 4 || op == 7 || op == 8) {
        put_hex(seen.esr ? 0 : r);
    }
    put_char('\n');
}

/* ---- one configuration ---- */

static void choose(unsigned round)
{
    static const uint8_t grans[4] = {12, 16, 14, 12};
    cfg.gran = grans[below(4)];
    cfg.tsz = 16 + below(24);
    unsigned in_bits = 64 - cfg.tsz, stride = cfg.gran - 3;
    cfg.levels_from = 3 - (in_bits - 1 - cfg.gran) / stride;
    cfg.ha = below(2);
    cfg.hd = below(2);
    cfg.hpd = below(4) == 0 && (MRS("id_aa64mmfr1_el1") >> 12 & 15);
    cfg.wxn = below(4) == 0;
    cfg.pan = below(3) == 0;
    cfg.epd = below(16) == 0;
    cfg.tbi = below(2);
    cfg.ps = below(6);
    if (cfg.ps == 0) {
        cfg.ps = 5;
    }
    put_text("config ");
    put_hex(round);
    put_hex(cfg.gran);
    put_hex(cfg.tsz);
    put_hex(cfg.ha | cfg.hd << 1 | cfg.hpd << 2 | cfg.wxn << 3 | cfg.pan << 4 | cfg.epd << 5 |
            cfg.tbi << 6);
    put_hex(cfg.ps);
    put_char('\n');
}

static uint64_t tcr_of(void)
{
    static const uint8_t tg0[17] = {[12] = 0, [14] = 2, [16] = 1};
    uint64_t tcr = cfg.tsz | (uint64_t)tg0[cfg.gran] << 14 | 16ull << 16 | 2ull << 30;
    tcr |= (uint64_t)cfg.ps << 32 | (uint64_t)cfg.epd << 7 | (uint64_t)cfg.tbi << 37;
    tcr |= (uint64_t)cfg.ha << 39 | (uint64_t)cfg.hd << 40 | (uint64_t)cfg.hpd << 41;
    return tcr | 1ull << 36;
}

static uint64_t some_va(const uint64_t *vas, unsigned n_vas, unsigned in_bits)
{
    uint64_t va = vas[below(n_vas)], r = random_bits();
    va += r & 0xfff;
    if ((r >> 20 & 15) == 0) {
        va ^= 1ull << (r >> 24 & 63); /* another half, beyond the size, a tag */
    } else if ((r >> 20 & 15) == 1) {
        va |= (r >> 30 & 0xff) << 56;
    }
    (void)in_bits;
    return va;
}

enum { N_VAS = 24, N_ACCESSES = 120 };

static void stage1_round(unsigned round)
{
    uint64_t vas[N_VAS];
    choose(round);
    pool_used = 0;
    unsigned in_bits = 64 - cfg.tsz;
    uint64_t *top = new_table(1u << cfg.gran);
    for (unsigned n = 0; n < N_VAS; n++) {
        vas[n] = (n & 3 ? vas[n - 1] ^ (random_bits() & 0xfffff) : random_bits()) &
                 ((1ull << in_bits) - 1) & ~0xfffull;
        make_path(top, (int)cfg.levels_from, vas[n], in_bits, false);
    }
    fill_data();
    MSR("tcr_el1", tcr_of());
    MSR("ttbr0_el1", phys(top) | (uint64_t)(round & 0xff) << 48);
    uint64_t sctlr = MRS("sctlr_el1") & ~(1ull << 19);
    MSR("sctlr_el1", sctlr | (uint64_t)cfg.wxn << 19);
    barrier_tlb();
    for (unsigned n = 0; n < N_ACCESSES; n++) {
        unsigned op = below(N_OPS);
        op = op == 9 && !CACHE_OPS ? 0 : op; /* whether DC CVAC faults and sets AF differs */
        uint64_t va = some_va(vas, N_VAS, in_bits);
        if (cfg.pan) {
            __asm__ volatile(".inst 0xd500419f" ::: "memory"); /* msr pan, #1 */
        }
        one_access(op, va);
        __asm__ volatile(".inst 0xd500409f" ::: "memory");
    }
    /* what hardware wrote into the tables */
    uint64_t sum = 0;
    for (uint64_t n = 0; n < pool_used / 8; n++) {
        sum = sum * 31 + ((uint64_t *)pool)[n];
    }
    put_text("tables ");
    put_hex(sum);
    put_char('\n');
}

static void map_self(void)
{
    upper_table[0] = phys(upper_low) | 3;
    upper_low[0] = 0 | 1 << 10 | 1 << 2 | 1; /* devices */
    upper_low[1] = phys(upper_ram) | 3;      /* RAM */
    for (unsigned n = 0; n < 512; n++) { /* code cannot be written (WXN), the rest not executed */
        uint64_t code = n < 2 ? 1ull << 7 : 1ull << 53;
        upper_ram[n] = (0x40000000ull + (n << 21)) | code | 1 << 10 | 3 << 8 | 1;
    }
    MSR("mair_el1", 0x00000000444400ffull | 0xbbull << 32 | 4ull << 40);
    MSR("tcr_el1", 16ull << 16 | 2ull << 30 | 5ull << 32 | 16 | 1ull << 7);
    MSR("ttbr1_el1", phys(upper_table));
    MSR("ttbr0_el1", 0);
}

int main(void)
{
    unsigned rounds = ROUNDS;
    MSR("vbar_el1", (uint64_t)vectors);
    map_self();
    /* the program itself is at its physical address: TTBR0 maps it until the jump */
    static uint64_t lower_table[512] __attribute__((aligned(4096)));
    lower_table[0] = phys(upper_low) | 3;
    MSR("ttbr0_el1", phys(lower_table));
    MSR("tcr_el1", 16ull << 16 | 2ull << 30 | 5ull << 32 | 16);
    barrier_tlb();
    MSR("sctlr_el1", MRS("sctlr_el1") | 1);
    ISB();
    __asm__ volatile("adr x0, 1f; orr x0, x0, %0; br x0; 1: orr x1, x29, %0; mov x29, x1;"
                     "mov x1, sp; orr x1, x1, %0; mov sp, x1" ::"r"(OFFSET)
                     : "x0", "x1", "memory");
    extern void upper_main(unsigned rounds);
    upper_main(rounds);
    return 0;
}

__attribute__((noinline)) void upper_main(unsigned rounds)
{
    uart |= OFFSET;
    MSR("vbar_el1", (uint64_t)vectors | OFFSET);
    ISB();
    for (unsigned n = 0; n < rounds; n++) {
        random_state = 88172645463325252ull + n * 7919;
        stage1_round(n);
    }
    put_text("end\n");
    __asm__ volatile("movz x0, #0x8400, lsl #16; movk x0, #8; hvc #0" ::: "x0", "memory");
}
