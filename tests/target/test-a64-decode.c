/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The A64 decoder: golden words (made with GNU as), random words of every row, words that are not
 * instructions, speed.
 */
#include <glib.h>

#include "target/arm/decode/a64_decode.h"

typedef struct Golden {
    uint32_t word, row;
} Golden;

static const Golden golden[] = {
    {0x100091a3, A64_R_ADR},           /* adr x3, .+0x1234 */
    {0x90000007, A64_R_ADR},           /* adrp x7, . */
    {0x913fffff, A64_R_ADDS_i},        /* add sp, sp, #4095 */
    {0x71004041, A64_R_ADDS_i},        /* subs w1, w2, #16 */
    {0xf140053f, A64_R_ADDS_i},        /* cmp x9, #1, lsl #12 */
    {0x92089c20, A64_R_AND_i},         /* and x0, x1, #0xff00ff00ff00ff00 */
    {0x7200007f, A64_R_AND_i},         /* tst w3, #1 */
    {0xd2a24685, A64_R_MOVZ},          /* mov x5, #0x12340000 */
    {0x12800025, A64_R_MOVN},          /* mov w5, #-2 */
    {0xf2f579a5, A64_R_MOVK},          /* movk x5, #0xabcd, lsl #48 */
    {0x93407c41, A64_R_SBFM},          /* sxtw x1, w2 */
    {0xb37d1841, A64_R_BFM},           /* bfi x1, x2, #3, #7 */
    {0x53097c83, A64_R_UBFM},          /* lsr w3, w4, #9 */
    {0x93c23441, A64_R_EXTR},          /* ror x1, x2, #13 */
    {0x54000208, A64_R_B_cond},        /* b.hi .+0x40 */
    {0x17fffc00, A64_R_B},             /* b .-0x1000 */
    {0x94004000, A64_R_BL},            /* bl .+0x10000 */
    {0xb5000049, A64_R_CBZ},           /* cbnz x9, .+8 */
    {0xb6680049, A64_R_TBZ},           /* tbz x9, #45, .+8 */
    {0xd61f0200, A64_R_BR},            /* br x16 */
    {0xd63f0100, A64_R_BLR},           /* blr x8 */
    {0xd65f03c0, A64_R_RET},           /* ret */
    {0xd65f0bff, A64_R_RETA},          /* retaa */
    {0xd61f087f, A64_R_BRAZ},          /* braaz x3 */
    {0xd71f0c64, A64_R_BRA},           /* brab x3, x4 */
    {0xd73f087f, A64_R_BLRA},          /* blraa x3, sp */
    {0xd4000001, A64_R_SVC},           /* svc #0 */
    {0xd4207d00, A64_R_BRK},           /* brk #0x3e8 */
    {0xd503201f, A64_R_HINT},          /* nop */
    {0xd503233f, A64_R_HINT},          /* paciasp */
    {0xd503245f, A64_R_HINT},          /* bti c */
    {0xd5033f5f, A64_R_CLREX},         /* clrex */
    {0xd5033f9f, A64_R_DSB},           /* dsb sy */
    {0xd5033bbf, A64_R_DMB},           /* dmb ish */
    {0xd5033fdf, A64_R_ISB},           /* isb */
    {0xd50330ff, A64_R_SB},            /* sb */
    {0xd500401f, A64_R_CFINV},         /* cfinv */
    {0xd500405f, A64_R_AXFLAG},        /* axflag */
    {0xd500403f, A64_R_XAFLAG},        /* xaflag */
    {0xd503413f, A64_R_MSR_ssbs},      /* msr ssbs, #1 */
    {0xd50b7423, A64_R_SYS},           /* dc zva, x3 */
    {0xd50b7523, A64_R_SYS},           /* ic ivau, x3 */
    {0xd53bd041, A64_R_MRS},           /* mrs x1, tpidr_el0 */
    {0xd5380601, A64_R_MRS},           /* mrs x1, id_aa64isar0_el1 */
    {0xd51b4401, A64_R_MSR},           /* msr fpcr, x1 */
    {0x8a231041, A64_R_AND_r},         /* bic x1, x2, x3, lsl #4 */
    {0x2a0203e1, A64_R_AND_r},         /* mov w1, w2 */
    {0xcb83f041, A64_R_ADDS_r},        /* sub x1, x2, x3, asr #60 */
    {0x8b23cbe1, A64_R_ADDS_x},        /* add x1, sp, w3, sxtw #2 */
    {0x7a030041, A64_R_ADCS},          /* sbcs w1, w2, w3 */
    {0xba088465, A64_R_RMIF},          /* rmif x3, #17, #5 */
    {0x3a00486d, A64_R_SETF},          /* setf16 w3 */
    {0xfa421024, A64_R_CCMP},          /* ccmp x1, x2, #4, ne */
    {0x3a5fa82f, A64_R_CCMP},          /* ccmn w1, #31, #15, ge */
    {0x1a9f17e0, A64_R_CSEL},          /* cset w0, eq */
    {0xda83b441, A64_R_CSEL},          /* csneg x1, x2, x3, lt */
    {0x9ac30841, A64_R_UDIV},          /* udiv x1, x2, x3 */
    {0x1ac30c41, A64_R_SDIV},          /* sdiv w1, w2, w3 */
    {0x9ac32441, A64_R_SHIFTV},        /* lsr x1, x2, x3 */
    {0x9adf3041, A64_R_PACGA},         /* pacga x1, x2, sp */
    {0x9ac35c41, A64_R_CRC32},         /* crc32cx w1, w2, x3 */
    {0x1ac34041, A64_R_CRC32},         /* crc32b w1, w2, w3 */
    {0x5ac00041, A64_R_RBIT},          /* rbit w1, w2 */
    {0xdac00c41, A64_R_REV},           /* rev x1, x2 */
    {0xdac00841, A64_R_REV},           /* rev32 x1, x2 */
    {0x5ac00441, A64_R_REV16},         /* rev16 w1, w2 */
    {0xdac01041, A64_R_CLZ},           /* clz x1, x2 */
    {0x5ac01441, A64_R_CLS},           /* cls w1, w2 */
    {0xdac11c41, A64_R_PAC},           /* autdb x1, x2 */
    {0xdac123e1, A64_R_PACZ},          /* paciza x1 */
    {0xdac147e7, A64_R_XPAC},          /* xpacd x7 */
    {0x9b037c41, A64_R_MADD},          /* mul x1, x2, x3 */
    {0x9ba39041, A64_R_MADDL},         /* umsubl x1, w2, w3, x4 */
    {0x9b437c41, A64_R_MULH},          /* smulh x1, x2, x3 */
    {0x58000801, A64_R_LDR_lit},       /* ldr x1, .+0x100 */
    {0x98fff801, A64_R_LDR_lit},       /* ldrsw x1, .-0x100 */
    {0x0801fc62, A64_R_STXR},          /* stlxrb w1, w2, [x3] */
    {0xc85fffe2, A64_R_LDXR},          /* ldaxr x2, [sp] */
    {0xc8210c82, A64_R_STXP},          /* stxp w1, x2, x3, [x4] */
    {0x887f8c82, A64_R_LDXP},          /* ldaxp w2, w3, [x4] */
    {0x4862fcc4, A64_R_CASP},          /* caspal x2, x3, x4, x5, [x6] */
    {0x889ffc41, A64_R_STLR},          /* stlr w1, [x2] */
    {0x889f7c41, A64_R_STLLR},         /* stllr w1, [x2] */
    {0x08dffc41, A64_R_LDAR},          /* ldarb w1, [x2] */
    {0xc8df7c41, A64_R_LDLAR},         /* ldlar x1, [x2] */
    {0x48e1fc62, A64_R_CAS},           /* casalh w1, w2, [x3] */
    {0x999f9041, A64_R_LDAPUR},        /* ldapursw x1, [x2, #-7] */
    {0xd9008041, A64_R_LDAPUR},        /* stlur x1, [x2, #8] */
    {0xa8410861, A64_R_LDP_np},        /* ldnp x1, x2, [x3, #16] */
    {0xa8c27bfd, A64_R_LDP_post},      /* ldp x29, x30, [sp], #32 */
    {0x69400861, A64_R_LDP_off},       /* ldpsw x1, x2, [x3] */
    {0x29b80be1, A64_R_LDP_pre},       /* stp w1, w2, [sp, #-64]! */
    {0x389ff041, A64_R_LDST_unscaled}, /* ldursb x1, [x2, #-1] */
    {0x78002441, A64_R_LDST_post},     /* strh w1, [x2], #2 */
    {0xf8400841, A64_R_LDST_unpriv},   /* ldtr x1, [x2] */
    {0xf85f8c41, A64_R_LDST_pre},      /* ldr x1, [x2, #-8]! */
    {0x78e35841, A64_R_LDST_reg},      /* ldrsh w1, [x2, w3, uxtw #1] */
    {0x397ffc41, A64_R_LDST_imm},      /* ldrb w1, [x2, #4095] */
    {0xf9802000, A64_R_LDST_imm},      /* prfm pldl1keep, [x0, #64] */
    {0x38e16062, A64_R_LDOP},          /* ldumaxalb w1, w2, [x3] */
    {0xf821007f, A64_R_LDOP},          /* stadd x1, [x3] */
    {0xf8e18062, A64_R_SWP},           /* swpal x1, x2, [x3] */
    {0x38bfc041, A64_R_LDAPR},         /* ldaprb w1, [x2] */
    {0xf8600c41, A64_R_LDRA},          /* ldraa x1, [x2, #-4096]! */
};

static void test_golden(void)
{
    for (unsigned n = 0; n < G_N_ELEMENTS(golden); n++) {
        A64Insn i;
        g_assert_true(a64_decode(golden[n].word, &i));
        g_assert_cmpstr(a64_rows[i.row].name, ==, a64_rows[golden[n].row].name);
        g_assert_cmphex(i.word, ==, golden[n].word);
    }
}

static void test_fields(void)
{
    A64Insn i;
    g_assert_true(a64_decode(0xf8200441, &i)); /* ldraa x1, [x2, #0]: row LDRA, S 0 */
    g_assert_cmpuint(i.row, ==, A64_R_LDRA);
    g_assert_true(a64_decode(0xf8600c41, &i)); /* ldraa x1, [x2, #-4096]! */
    g_assert_cmphex(i.imm, ==, 0x200);         /* S:imm9 */
    g_assert_cmpuint(i.w, ==, 1);
    g_assert_true(a64_decode(0x9b037c41, &i)); /* mul x1, x2, x3 */
    g_assert_cmpuint(i.rd, ==, 1);
    g_assert_cmpuint(i.rn, ==, 2);
    g_assert_cmpuint(i.rm, ==, 3);
    g_assert_cmpuint(i.ra, ==, 31);
    g_assert_cmpuint(i.imm, ==, 0);
}

static void test_not_an_instruction(void)
{
    static const uint32_t words[] = {
        0x00000000,
        /* udf #0 */ 0xffffffff,
        0xd4a00001 /* dcps1 */,
        0xd6bf03e0 /* drps */,
        0xd5280000 /* sysl */,
        0x0000ffff,
    };
    for (unsigned n = 0; n < G_N_ELEMENTS(words); n++) {
        A64Insn i;
        g_assert_false(a64_decode(words[n], &i));
    }
}

/* A word made from a row decodes to it, or to a row that stands before it in its group. */
static void test_random_words(void)
{
    unsigned seed = g_test_rand_int() & 0x7fffffff;
    g_test_message("seed %u", seed);
    GRand *r = g_rand_new_with_seed(seed);
    for (unsigned row = 0; row < A64_N_ROWS; row++) {
        for (unsigned n = 0; n < 64; n++) {
            uint32_t w = (g_rand_int(r) & ~a64_rows[row].mask) | a64_rows[row].value;
            A64Insn i;
            g_assert_true(a64_decode(w, &i));
            g_assert_cmpuint(i.row, <=, row);
            g_assert_cmphex(w & a64_rows[i.row].mask, ==, a64_rows[i.row].value);
        }
    }
    g_rand_free(r);
}

static void test_speed(void)
{
    GRand *r = g_rand_new_with_seed(1);
    uint32_t words[1024];
    uint64_t sum = 0;
    for (unsigned n = 0; n < G_N_ELEMENTS(words); n++) {
        unsigned row = g_rand_int(r) % A64_N_ROWS;
        words[n] = (g_rand_int(r) & ~a64_rows[row].mask) | a64_rows[row].value;
    }
    gint64 start = g_get_monotonic_time();
    for (unsigned k = 0; k < 1000; k++) {
        for (unsigned n = 0; n < G_N_ELEMENTS(words); n++) {
            A64Insn i;
            sum += a64_decode(words[n], &i) ? i.row + i.rd : 0;
        }
    }
    double ns = (double)(g_get_monotonic_time() - start) / 1024;
    g_test_message("%.1f ns a word (sum %" G_GUINT64_FORMAT ")", ns, sum);
    g_assert_cmpfloat(ns, <, 2000); /* only a gross failure: test machines are busy */
    g_rand_free(r);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/a64/decode/golden", test_golden);
    g_test_add_func("/a64/decode/fields", test_fields);
    g_test_add_func("/a64/decode/not-an-instruction", test_not_an_instruction);
    g_test_add_func("/a64/decode/random-words", test_random_words);
    g_test_add_func("/a64/decode/speed", test_speed);
    return g_test_run();
}
