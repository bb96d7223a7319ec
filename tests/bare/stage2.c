/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stage 2 torture, at EL2 (-M virt,virtualization=on): random stage 1 and stage 2 tables; AT S12E*
 * from EL2, and accesses made at EL1 with what EL2 sees of their faults. One line for each.
 */
#include "torture.h"

enum { PAGES = 64, N_VAS = 24, N_ACCESSES = 100 };

static uint64_t s2_top[1024] __attribute__((aligned(8192))); /* two concatenated level 1 tables */
static uint64_t s2_ram[512] __attribute__((aligned(4096)));
static uint64_t s2_pages[512] __attribute__((aligned(4096)));
static uint64_t s1_top[512] __attribute__((aligned(4096)));
/* 2 MiB under page-wise control of stage 2: stage 1 tables, then data */
static uint64_t window[262144] __attribute__((aligned(2097152)));
extern char vectors_el1[];

typedef uint64_t Op(uint64_t va, uint64_t value);
Op op_ldr, op_ldrb, op_str, op_strb, op_ldp, op_ldadd, op_cas, op_exec;
Op op_at_s1e1r, op_at_s1e1w, op_at_s12e1r, op_at_s12e1w, op_at_s12e0r, op_at_s12e0w;
uint64_t op_el1(uint64_t va, uint64_t value, Op *op);

static uint64_t phys(const void *p)
{
    return (uint64_t)p;
}

static uint64_t s2_attrs(void)
{
    uint64_t r = random_bits(), d = 0;
    d |= (r & 15) ? 1 << 10 : 0;                          /* AF */
    d |= (r >> 4 & 3) ? 3ull << 6 : (r >> 6 & 3) << 6;    /* S2AP */
    d |= (r >> 8 & 7) ? 15ull << 2 : (r >> 11 & 15) << 2; /* MemAttr */
    d |= (r >> 15 & 3) ? 0 : (r >> 17 & 3) << 53;         /* XN */
    d |= (r >> 19 & 3) ? 0 : 1ull << 51;                  /* DBM */
    return d;
}

static void make_stage2(bool ha, bool hd)
{
    const uint64_t all = 1 << 10 | 3 << 8 | 3 << 6 | 15 << 2;
    for (unsigned n = 0; n < 1024; n++) {
        s2_top[n] = 0;
    }
    s2_top[0] = 0 | 1 << 10 | 3 << 6 | 1 << 2 | 1;
    s2_top[1] = phys(s2_ram) | 3;
    for (unsigned n = 0; n < 512; n++) {
        s2_ram[n] = (0x40000000ull + ((uint64_t)n << 21)) | all | 1;
    }
    s2_ram[(phys(window) - 0x40000000) >> 21] = phys(s2_pages) | 3;
    for (unsigned n = 0; n < 512; n++) {
        uint64_t to = n < PAGES ? n : PAGES + below(512 - PAGES);
        uint64_t attrs = n < PAGES && below(8) ? all : s2_attrs();
        s2_pages[n] = (phys(window) + to * 4096) | attrs | (below(24) ? 3 : 0);
    }
    MSR("vttbr_el2", phys(s2_top) | 1ull << 48);
    /* 40 bits from level 1, 4K, 48-bit output */
    MSR("vtcr_el2", 24 | 1 << 6 | 3 << 8 | 3 << 12 | 5 << 16 | 1u << 31 | (uint64_t)ha << 21 |
                        (uint64_t)hd << 22);
}

static uint64_t s1_attrs(void)
{
    uint64_t r = random_bits(), d = 0;
    d |= (r & 15) ? 1 << 10 : 0;
    d |= (r >> 4 & 1) << 6 | ((r >> 5 & 3) ? 0 : 1ull << 7);
    d |= (r >> 7 & 7) ? 0 : (r >> 10 & 3) << 2;
    d |= (r >> 12 & 1) << 54 | ((r >> 13 & 3) ? 0 : 1ull << 53);
    d |= (r >> 15 & 3) ? 0 : 1ull << 51;
    return d | 3 << 8;
}

static unsigned next_table;

static uint64_t *new_table(void)
{
    uint64_t *t = window + next_table * 512;
    if (next_table == PAGES) {
        return 0;
    }
    next_table++;
    for (unsigned n = 0; n < 512; n++) {
        t[n] = 0;
    }
    return t;
}

static void make_path(uint64_t va)
{
    uint64_t *t = s1_top;
    for (unsigned level = 1; t; level++) {
        uint64_t *d = &t[va >> (12 + 9 * (3 - level)) & 511];
        if (level == 3) {
            uint64_t page = below(16) ? PAGES + below(512 - PAGES) : 3 + below(PAGES - 3);
            *d = (phys(window) + page * 4096) | s1_attrs() | 3;
            if (below(32) == 0) {
                *d = (0x8000000000ull + page * 4096) | s1_attrs() | 3; /* beyond stage 2 */
            }
            return;
        }
        if (!(*d & 1)) {
            uint64_t *n = new_table();
            if (!n) {
                return;
            }
            *d = phys(n) | 3;
        }
        t = (uint64_t *)(*d & 0xfffffffff000);
    }
}

static void report(const char *name, uint64_t va, uint64_t result)
{
    put_text(name);
    put_char(' ');
    put_hex(va);
    put_hex(seen.esr);
    unsigned ec = seen.esr >> 26 & 63;
    if (ec == 0x20 || ec == 0x24) {
        put_hex(seen.far);
        put_hex(seen.hpfar);
    }
    if (ec == 0x16 && (seen.esr & 1)) {
        put_hex(MRS("esr_el1"));
        put_hex(MRS("far_el1"));
    }
    put_hex(result);
    put_char('\n');
}

static void at(const char *name, Op *op, uint64_t va)
{
    seen.esr = 0;
    op(va, 0);
    uint64_t par = MRS("par_el1");
    report(name, va, par & 1 ? par & 0xffff : par & ~0xf80ull);
}

static void el1(const char *name, Op *op, uint64_t va)
{
    seen.esr = 0;
    uint64_t r = op_el1(va, 0xd65f03c0d65f03c0ull, op);
    bool load = op == op_ldr || op == op_ldrb;
    report(name, va, load && seen.esr == 0x5a000000 ? r : 0);
}

static void one(uint64_t va)
{
    switch (below(14)) {
    case 0: at("12e1r", op_at_s12e1r, va); break;
    case 1: at("12e1w", op_at_s12e1w, va); break;
    case 2: at("12e0r", op_at_s12e0r, va); break;
    case 3: at("12e0w", op_at_s12e0w, va); break;
    case 4: at("1e1r", op_at_s1e1r, va); break;
    case 5: at("1e1w", op_at_s1e1w, va); break;
    case 6: el1("ldr", op_ldr, va & ~7ull); break;
    case 7: el1("ldrb", op_ldrb, va); break;
    case 8: el1("str", op_str, va & ~7ull); break;
    case 9: el1("strb", op_strb, va); break;
    case 10: el1("ldp", op_ldp, va & ~15ull); break;
    case 11: el1("at1r", op_at_s1e1r, va); break;
    case 12: el1("at1w", op_at_s1e1w, va); break;
    default: el1("cas", op_cas, va & ~7ull); break;
    }
}

static void round_of(unsigned n)
{
    uint64_t vas[N_VAS];
    bool has_ha = MRS("id_aa64mmfr1_el1") & 15;
    bool ha = below(2) && has_ha, hd = below(2) && has_ha, s1ha = below(2) && has_ha;
    put_text("round ");
    put_hex(n);
    put_hex(ha | hd << 1 | s1ha << 2);
    put_char('\n');
    next_table = 0;
    for (unsigned k = 0; k < 262144; k++) {
        window[k] = k & 4 ? 0xd65f03c0d65f03c0ull : phys(&window[k]);
    }
    for (unsigned k = 0; k < 512; k++) {
        s1_top[k] = 0;
    }
    /* the program: identity, for EL1 */
    s1_top[1] = 0x40000000ull | 1 << 10 | 3 << 8 | 1;
    for (unsigned k = 0; k < N_VAS; k++) {
        vas[k] = (k & 3 ? vas[k - 1] ^ (random_bits() & 0xfffff000) : random_bits()) & 0x7ffffff000;
        vas[k] |= 1ull << 36;
        make_path(vas[k]);
    }
    make_stage2(ha, hd);
    MSR("tcr_el1", 25 | 1ull << 23 | 2ull << 32 | (uint64_t)s1ha << 39);
    MSR("ttbr0_el1", phys(s1_top));
    MSR("mair_el1", 0x4404ffull);
    MSR("sctlr_el1", 0x30d00801);
    MSR("vbar_el1", phys(vectors_el1));
    MSR("hcr_el2", 1ull << 31 | 1 | (below(4) ? 0 : 4)); /* RW, VM, PTW */
    __asm__ volatile("dsb sy; tlbi alle1; dsb sy; isb" ::: "memory");
    for (unsigned k = 0; k < N_ACCESSES; k++) {
        one(vas[below(N_VAS)] + (random_bits() & 0xfff));
    }
    MSR("hcr_el2", 1ull << 31);
    ISB();
}

int main(void)
{
    MSR("vbar_el2", (uint64_t)vectors);
    ISB();
    for (unsigned n = 0; n < ROUNDS; n++) {
        random_state = 88172645463325252ull + n * 7919;
        round_of(n);
    }
    put_text("end\n");
    return 0;
}
