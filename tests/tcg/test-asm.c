/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The x86-64 encoder against capstone's disassembler: every form with random operands, expected
 * text in Intel syntax.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <glib.h>
#include <stdarg.h>
#include <stdio.h>

#include "tcg/x86_64/asm.h"

#ifdef HAVE_CAPSTONE
#include <capstone/capstone.h>
#endif

enum { ROUNDS = 300 };

static uint8_t buf[4096];
static GString *expected; /* lines */

static const char *const r64[] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                  "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
static const char *const r32[] = {"eax", "ecx", "edx",  "ebx",  "esp",  "ebp",  "esi",  "edi",
                                  "r8d", "r9d", "r10d", "r11d", "r12d", "r13d", "r14d", "r15d"};
static const char *const r16[] = {"ax",  "cx",  "dx",   "bx",   "sp",   "bp",   "si",   "di",
                                  "r8w", "r9w", "r10w", "r11w", "r12w", "r13w", "r14w", "r15w"};
static const char *const r8[] = {"al",  "cl",  "dl",   "bl",   "spl",  "bpl",  "sil",  "dil",
                                 "r8b", "r9b", "r10b", "r11b", "r12b", "r13b", "r14b", "r15b"};
static const char *const *const regs[4] = {r8, r16, r32, r64};

static unsigned rnd(unsigned n)
{
    return (unsigned)g_test_rand_int_range(0, (gint32)n);
}
static int32_t rnd_disp(void)
{
    static const int32_t t[] = {0, 8, -8, 127, -128, 128, 16, 0x1000, -0x12340, 0x7ffffff0};

    return t[rnd(G_N_ELEMENTS(t))];
}

static X64Mem rnd_mem(void)
{
    unsigned index = rnd(16);
    X64Mem m = rnd(2) ? x64_mem(rnd(16), rnd_disp())
                      : x64_mem_idx(rnd(16), index == 4 ? 5 : index, rnd(4), rnd_disp());

    if (rnd(8) == 0) {
        m.base = X64_MEM_NONE;
        m.disp = (int32_t)(0x1000 + rnd(1000)); /* capstone writes small numbers in decimal */
    }
    return m;
}

/* Texts live until the next eight calls. */
static char *text_slot(void)
{
    static char slots[8][96];
    static unsigned next;

    return slots[next++ & 7];
}

static const char *mem_body(X64Mem m)
{
    char *s = text_slot(), *p = s;
    const char *sep = "";

    *p++ = '[';
    if (m.base < 16) {
        p += sprintf(p, "%s", r64[m.base]);
        sep = " + ";
    }
    if (m.index < 16) {
        p += sprintf(p, "%s%s", sep, r64[m.index]);
        if (m.scale) {
            p += sprintf(p, "*%d", 1 << m.scale);
        }
        sep = " + ";
    }
    if (m.disp || !*sep) {
        uint32_t v = m.disp < 0 ? 0u - (uint32_t)m.disp : (uint32_t)m.disp;

        sep = m.disp < 0 ? " - " : sep;
        p += sprintf(p, v < 10 ? "%s%u" : "%s0x%x", sep, v);
    }
    sprintf(p, "]");
    return s;
}

static const char *mem_text(unsigned sz, X64Mem m)
{
    static const char *const names[] = {"byte", "word", "dword", "qword", "xmmword"};
    char *s = text_slot();

    sprintf(s, "%s ptr %s", names[sz], mem_body(m));
    return s;
}

static const char *xmm(unsigned n)
{
    char *s = text_slot();

    sprintf(s, "xmm%u", n);
    return s;
}

static void G_GNUC_PRINTF(1, 2) expect(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    g_string_append_vprintf(expected, fmt, ap);
    va_end(ap);
    g_string_append_c(expected, '\n');
}

static X64Asm start(void)
{
    X64Asm a;

    x64_asm_init(&a, buf, sizeof(buf), buf, true);
    g_string_truncate(expected, 0);
    return a;
}

#ifdef HAVE_CAPSTONE
static void finish(const X64Asm *a)
{
    GString *got = g_string_new(NULL);
    cs_insn *insn;
    csh cs;
    size_t n, used = 0;

    g_assert_cmpint(cs_open(CS_ARCH_X86, CS_MODE_64, &cs), ==, CS_ERR_OK);
    n = cs_disasm(cs, buf, x64_offset(a), 0x1000, 0, &insn);
    for (size_t i = 0; i < n; i++) {
        g_string_append(got, insn[i].mnemonic);
        if (insn[i].op_str[0]) {
            g_string_append_printf(got, " %s", insn[i].op_str);
        }
        g_string_append_c(got, '\n');
        used += insn[i].size;
    }
    g_string_replace(got, " , ", ", ", 0); /* capstone 4 writes "xmm31 , xmm1" */
    g_assert_cmpstr(got->str, ==, expected->str);
    g_assert_cmpuint(used, ==, x64_offset(a));
    cs_free(insn, n);
    cs_close(&cs);
    g_string_free(got, TRUE);
}
#else
static void finish(const X64Asm *a)
{
    (void)a;
    g_test_skip("built without capstone");
}
#endif

static void test_alu(void)
{
    static const char *const ops[] = {"add", "or", "adc", "sbb", "and", "sub", "xor", "cmp"};

    for (unsigned i = 0; i < ROUNDS; i++) {
        unsigned sz = rnd(4), op = rnd(8), d = rnd(16), s = rnd(16);
        X64Mem m = rnd_mem();
        X64Asm a = start();
        int32_t imm = sz == 0 ? 0x65 : sz == 1 ? 0x1234 : 0x12345678;

        x64_alu_rr(&a, sz, op, d, s);
        expect("%s %s, %s", ops[op], regs[sz][d], regs[sz][s]);
        x64_alu_rm(&a, sz, op, d, m);
        expect("%s %s, %s", ops[op], regs[sz][d], mem_text(sz, m));
        x64_alu_mr(&a, sz, op, m, s);
        expect("%s %s, %s", ops[op], mem_text(sz, m), regs[sz][s]);
        x64_alu_ri(&a, sz, op, d, imm);
        expect("%s %s, 0x%x", ops[op], regs[sz][d], (unsigned)imm);
        x64_alu_ri(&a, sz, op, d, 0x11);
        expect("%s %s, 0x11", ops[op], regs[sz][d]);
        x64_alu_mi(&a, sz, op, m, imm);
        expect("%s %s, 0x%x", ops[op], mem_text(sz, m), (unsigned)imm);
        if (op < 7) {
            x64_lock_alu_mr(&a, sz, op, m, s);
            expect("lock %s %s, %s", ops[op], mem_text(sz, m), regs[sz][s]);
            x64_lock_alu_mi(&a, sz, op, m, 0x22);
            expect("lock %s %s, 0x22", ops[op], mem_text(sz, m));
        }
        x64_test_rr(&a, sz, d, s);
        expect("test %s, %s", regs[sz][d], regs[sz][s]);
        x64_test_ri(&a, sz, d, imm);
        expect("test %s, 0x%x", regs[sz][d], (unsigned)imm);
        x64_test_mi(&a, sz, m, imm);
        expect("test %s, 0x%x", mem_text(sz, m), (unsigned)imm);
        finish(&a);
    }
}

static void test_moves(void)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        unsigned sz = rnd(4), d = rnd(16), s = rnd(16), cc = rnd(16);
        X64Mem m = rnd_mem();
        X64Asm a = start();
        static const char *const ccs[] = {"o", "no", "b", "ae", "e", "ne", "be", "a",
                                          "s", "ns", "p", "np", "l", "ge", "le", "g"};

        x64_mov_rr(&a, sz, d, s);
        expect("mov %s, %s", regs[sz][d], regs[sz][s]);
        x64_mov_rm(&a, sz, d, m);
        expect("mov %s, %s", regs[sz][d], mem_text(sz, m));
        x64_mov_mr(&a, sz, m, s);
        expect("mov %s, %s", mem_text(sz, m), regs[sz][s]);
        x64_mov_mi(&a, sz, m, 0x33);
        expect("mov %s, 0x33", mem_text(sz, m));
        x64_mov_ri(&a, d, 0x12345678);
        expect("mov %s, 0x12345678", r32[d]);
        x64_mov_ri(&a, d, 0x1122334455667788);
        expect("movabs %s, 0x1122334455667788", r64[d]);
        x64_mov_ri(&a, d, (uint64_t)-64);
        expect("mov %s, -0x40", r64[d]);
        x64_movzx_rr(&a, rnd(1), d, s);
        expect("movzx %s, %s", r32[d], r8[s]);
        x64_movzx_rm(&a, 1, d, m);
        expect("movzx %s, %s", r32[d], mem_text(1, m));
        x64_movsx_rr(&a, 3, 0, d, s);
        expect("movsx %s, %s", r64[d], r8[s]);
        x64_movsx_rr(&a, 2, 1, d, s);
        expect("movsx %s, %s", r32[d], r16[s]);
        x64_movsx_rm(&a, 3, 2, d, m);
        expect("movsxd %s, %s", r64[d], mem_text(2, m));
        x64_lea(&a, 3, d, m);
        expect("lea %s, %s", r64[d], mem_body(m));
        x64_push(&a, d);
        expect("push %s", r64[d]);
        x64_pop(&a, s);
        expect("pop %s", r64[s]);
        x64_cmov_rr(&a, 3, cc, d, s);
        expect("cmov%s %s, %s", ccs[cc], r64[d], r64[s]);
        x64_cmov_rm(&a, 2, cc, d, m);
        expect("cmov%s %s, %s", ccs[cc], r32[d], mem_text(2, m));
        x64_setcc(&a, cc, d);
        expect("set%s %s", ccs[cc], r8[d]);
        if (sz != 1) {
            x64_xchg_mr(&a, sz, m, s);
            expect("xchg %s, %s", mem_text(sz, m), regs[sz][s]);
        }
        x64_lock_xadd_mr(&a, sz, m, s);
        expect("lock xadd %s, %s", mem_text(sz, m), regs[sz][s]);
        x64_lock_cmpxchg_mr(&a, sz, m, s);
        expect("lock cmpxchg %s, %s", mem_text(sz, m), regs[sz][s]);
        x64_lock_cmpxchg_pair(&a, 3, m);
        expect("lock cmpxchg16b %s", mem_text(4, m));
        finish(&a);
    }
}

static void test_bits(void)
{
    static const char *const shifts[] = {"rol", "ror", "rcl", "rcr", "shl", "shr", "", "sar"};
    static const char *const uns[] = {"", "", "not", "neg", "mul", "imul", "div", "idiv"};
    static const char *const bts[] = {"", "", "", "", "bt", "bts", "btr", "btc"};

    for (unsigned i = 0; i < ROUNDS; i++) {
        unsigned sz = rnd(4), w = 2 + rnd(2), d = rnd(16), s = rnd(16), v = rnd(16);
        unsigned sh = rnd(2) ? rnd(6) : 7, un = 2 + rnd(6), bt = 4 + rnd(4);
        X64Mem m = rnd_mem();
        X64Asm a = start();

        x64_shift_ri(&a, sz, sh, d, 5);
        expect("%s %s, 5", shifts[sh], regs[sz][d]);
        x64_shift_ri(&a, sz, sh, d, 1);
        expect("%s %s, 1", shifts[sh], regs[sz][d]);
        x64_shift_rcl(&a, sz, sh, d);
        expect("%s %s, cl", shifts[sh], regs[sz][d]);
        x64_shld_ri(&a, w, d, s, 7);
        expect("shld %s, %s, 7", regs[w][d], regs[w][s]);
        x64_shrd_rcl(&a, w, d, s);
        expect("shrd %s, %s, cl", regs[w][d], regs[w][s]);
        x64_imul_rr(&a, w, d, s);
        expect("imul %s, %s", regs[w][d], regs[w][s]);
        x64_imul_rri(&a, w, d, s, 0x55);
        expect("imul %s, %s, 0x55", regs[w][d], regs[w][s]);
        x64_imul_rmi(&a, w, d, m, 0x5555);
        expect("imul %s, %s, 0x5555", regs[w][d], mem_text(w, m));
        x64_un_r(&a, sz, un, d);
        expect("%s %s", uns[un], regs[sz][d]);
        x64_un_m(&a, sz, un, m);
        expect("%s %s", uns[un], mem_text(sz, m));
        x64_inc_r(&a, sz, d);
        expect("inc %s", regs[sz][d]);
        x64_dec_m(&a, sz, m);
        expect("dec %s", mem_text(sz, m));
        x64_lzcnt_rr(&a, w, d, s);
        expect("lzcnt %s, %s", regs[w][d], regs[w][s]);
        x64_tzcnt_rr(&a, w, d, s);
        expect("tzcnt %s, %s", regs[w][d], regs[w][s]);
        x64_popcnt_rr(&a, 1, d, s);
        expect("popcnt %s, %s", r16[d], r16[s]);
        x64_bsr_rr(&a, w, d, s);
        expect("bsr %s, %s", regs[w][d], regs[w][s]);
        x64_bt_ri(&a, w, bt, d, 17);
        expect("%s %s, 0x11", bts[bt], regs[w][d]);
        x64_bt_rr(&a, w, bt, d, s);
        expect("%s %s, %s", bts[bt], regs[w][d], regs[w][s]);
        x64_bswap(&a, w, d);
        expect("bswap %s", regs[w][d]);
        x64_movbe_rm(&a, w, d, m);
        expect("movbe %s, %s", regs[w][d], mem_text(w, m));
        x64_movbe_mr(&a, 1, m, d);
        expect("movbe %s, %s", mem_text(1, m), r16[d]);
        x64_crc32_rr(&a, sz, d, s);
        expect("crc32 %s, %s", sz == 3 ? r64[d] : r32[d], regs[sz][s]);
        x64_shlx(&a, w, d, s, v);
        expect("shlx %s, %s, %s", regs[w][d], regs[w][s], regs[w][v]);
        x64_sarx(&a, w, d, s, v);
        expect("sarx %s, %s, %s", regs[w][d], regs[w][s], regs[w][v]);
        x64_shrx(&a, w, d, s, v);
        expect("shrx %s, %s, %s", regs[w][d], regs[w][s], regs[w][v]);
        x64_bextr(&a, w, d, s, v);
        expect("bextr %s, %s, %s", regs[w][d], regs[w][s], regs[w][v]);
        x64_bzhi(&a, w, d, s, v);
        expect("bzhi %s, %s, %s", regs[w][d], regs[w][s], regs[w][v]);
        x64_rorx(&a, w, d, s, 13);
        expect("rorx %s, %s, 0xd", regs[w][d], regs[w][s]);
        x64_andn(&a, w, d, v, s);
        expect("andn %s, %s, %s", regs[w][d], regs[w][v], regs[w][s]);
        x64_mulx(&a, w, d, v, s);
        expect("mulx %s, %s, %s", regs[w][d], regs[w][v], regs[w][s]);
        finish(&a);
    }
}

static void test_misc(void)
{
    X64Asm a = start();
    X64Label l = {0}, back = {0};
    uint8_t *rel;

    x64_bind(&a, &back);
    x64_jmp(&a, &l); /* 5 bytes */
    expect("jmp 0x1012");
    x64_jcc(&a, 4, &l); /* 6 */
    expect("je 0x1012");
    rel = x64_jcc8(&a, 5); /* 2 */
    expect("jne 0x100e");
    x64_cmc(&a);
    expect("cmc");
    x64_here8(&a, rel);
    x64_jmp(&a, &back); /* 2 */
    expect("jmp 0x1000");
    x64_jcc(&a, 15, &back);
    expect("jg 0x1000");
    x64_bind(&a, &l);
    x64_lahf(&a);
    x64_sahf(&a);
    x64_stc(&a);
    x64_clc(&a);
    x64_mfence(&a);
    x64_lfence(&a);
    x64_sfence(&a);
    x64_pause(&a);
    x64_ret(&a);
    x64_cdq(&a, 2);
    x64_cdq(&a, 3);
    expect("lahf\nsahf\nstc\nclc\nmfence\nlfence\nsfence\npause\nret\ncdq\ncqo");
    x64_ldmxcsr(&a, x64_mem(5, 8));
    x64_stmxcsr(&a, x64_mem(13, 0));
    x64_prefetcht0(&a, x64_mem(12, 0));
    x64_jmp_r(&a, 9);
    x64_call_m(&a, x64_mem(0, 16));
    x64_ud2(&a);
    expect("ldmxcsr dword ptr [rbp + 8]\nstmxcsr dword ptr [r13]\nprefetcht0 byte ptr [r12]\n"
           "jmp r9\ncall qword ptr [rax + 0x10]\nud2");
    finish(&a);

    a = start();
    x64_alu_mi(&a, 2, X64_ALU_SUB, x64_mem_rip(buf + 0x100), 0x1000); /* 10 bytes */
    expect("sub dword ptr [rip + 0xf6], 0x1000");
    x64_vex_rm(&a, XD(1, 3, 0x0f), 1, 2, x64_mem_rip(buf + 0x100), 3); /* 10 bytes */
    expect("vpalignr xmm1, xmm2, xmmword ptr [rip + 0xec], 3");
    finish(&a);
}

static void test_vectors(void)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        unsigned d = rnd(16), s = rnd(16), v = rnd(16), h = 16 + rnd(16);
        X64Mem m = rnd_mem();
        X64Asm a = start();

        x64_v3(&a, XD(1, 1, 0xfe) | XD_N(4), d, v, s);
        expect("vpaddd %s, %s, %s", xmm(d), xmm(v), xmm(s));
        x64_v3(&a, XD(1, 1, 0xfe) | XD_N(4), h, v, s);
        expect("vpaddd %s, %s, %s", xmm(h), xmm(v), xmm(s));
        x64_v3(&a, XD(3, 1, 0x58) | XD_EW | XD_N(3), d, h, s);
        expect("vaddsd %s, %s, %s", xmm(d), xmm(h), xmm(s));
        x64_v3m(&a, XD(3, 1, 0x58) | XD_EW | XD_N(3), d, v, m);
        expect("vaddsd %s, %s, %s", xmm(d), xmm(v), mem_text(3, m));
        x64_v2m(&a, XV_MOVUPS_L, d, m);
        expect("vmovups %s, %s", xmm(d), mem_text(4, m));
        x64_v2m(&a, XV_MOVSD_S, s, m);
        expect("vmovsd %s, %s", mem_text(3, m), xmm(s));
        x64_v2(&a, XV_MOVQ_L, d, s);
        expect("vmovq %s, %s", xmm(d), r64[s]);
        x64_v2(&a, XV_MOVD_S, d, s);
        expect("vmovd %s, %s", r32[s], xmm(d));
        x64_v2i(&a, XD(1, 1, 0x70) | XD_N(4), d, s, 0x1b);
        expect("vpshufd %s, %s, 0x1b", xmm(d), xmm(s));
        x64_vshift(&a, XD(1, 1, 0x72), 6, d, s, 3);
        expect("vpslld %s, %s, 3", xmm(d), xmm(s));
        a.avx = false;
        x64_v3(&a, XD(1, 1, 0xfa), d, d, s);
        expect("psubd %s, %s", xmm(d), xmm(s));
        x64_v2mi(&a, XD(1, 1, 0x70), d, m, 0x1b);
        expect("pshufd %s, %s, 0x1b", xmm(d), mem_text(4, m));
        finish(&a);
    }
}

/* Without AVX: the right moves around a two-operand instruction, whatever the registers are. */
static void test_sse_moves(void)
{
    X64Asm a = start();

    a.avx = false;
    x64_v3(&a, XD(1, 1, 0xfa), 1, 2, 1);
    expect("movaps xmm15, xmm1\nmovaps xmm1, xmm2\npsubd xmm1, xmm15");
    x64_v3(&a, XD(1, 1, 0xfe) | XD_COMM, 1, 2, 1);
    expect("paddd xmm1, xmm2");
    x64_v3(&a, XD(1, 1, 0xfa), 1, 15, 1);
    expect("psubd xmm15, xmm1\nmovaps xmm1, xmm15");
    x64_v3(&a, XD(1, 1, 0xfa), 1, 2, 3);
    expect("movaps xmm1, xmm2\npsubd xmm1, xmm3");
    x64_vshift(&a, XD(1, 1, 0x71), 2, 3, 4, 9);
    expect("movaps xmm3, xmm4\npsrlw xmm3, 9");
    finish(&a);
}

/* EVEX forms that old capstones cannot read, against bytes made by GNU as 2.40. */
static void test_evex_bytes(void)
{
    static const uint8_t bytes[] = {
        0x62, 0xf1, 0x85, 0x00, 0x73, 0xd2, 0x03, /* vpsrlq xmm31, xmm2, 3 */
        0x62, 0x81, 0x15, 0x08, 0xfe, 0xb4, 0x50, 0, 0x10, 0, 0,
        /* vpaddd xmm22, xmm13, [r8 + r10*2 + 0x1000] */
        0x62, 0x61, 0x97, 0x08, 0x58, 0x78, 0x02, /* vaddsd xmm31, xmm13, [rax+16] */
        0x62, 0xf1, 0xf5, 0x8b, 0x58, 0xc2,       /* vaddpd xmm0{k3}{z}, xmm1, xmm2 */
        0x62, 0xf1, 0xf7, 0x78, 0x58, 0xc2,       /* vaddsd xmm0, xmm1, xmm2, {rz-sae} */
        0x62, 0xf1, 0xf5, 0x18, 0x58, 0x40, 0x01, /* vaddpd xmm0, xmm1, [rax+8]{1to2} */
        0x62, 0x13, 0x5d, 0x08, 0x25, 0xd8, 0x44, /* vpternlogd xmm11, xmm4, xmm24, 0x44 */
    };
    X64Asm a = start();

    x64_vshift(&a, XD(1, 1, 0x73) | XD_EW, 2, 31, 2, 3);
    x64_v3m(&a, XD(1, 1, 0xfe) | XD_N(4), 22, 13, x64_mem_idx(8, 10, 1, 0x1000));
    x64_v3m(&a, XD(3, 1, 0x58) | XD_EW | XD_N(3), 31, 13, x64_mem(0, 16));
    x64_evex_rr(&a, XD(1, 1, 0x58) | XD_EW | XD_N(4), 3 | XE_Z, 0, 1, 2, -1);
    x64_evex_rr(&a, XD(3, 1, 0x58) | XD_EW | XD_N(3), XE_RZ, 0, 1, 2, -1);
    x64_evex_rm(&a, XD(1, 1, 0x58) | XD_EW | XD_N(4), XE_B, 0, 1, x64_mem(0, 8), -1);
    x64_evex_rr(&a, XD(1, 3, 0x25), 0, 11, 4, 24, 0x44);
    g_assert_cmpmem(buf, x64_offset(&a), bytes, sizeof(bytes));
}

static void test_overflow(void)
{
    X64Asm a;
    X64Label l = {0};

    x64_asm_init(&a, buf, 64, buf, true);
    memset(buf + 64, 0x5a, 64);
    for (unsigned i = 0; i < 40; i++) {
        x64_mov_ri(&a, 9, 0x1122334455667788);
        x64_jmp(&a, &l);
    }
    x64_bind(&a, &l);
    g_assert_true(a.overflow);
    for (unsigned i = 64; i < 128; i++) {
        g_assert_cmpuint(buf[i], ==, 0x5a);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    expected = g_string_new(NULL);
    g_test_add_func("/tcg/asm/alu", test_alu);
    g_test_add_func("/tcg/asm/moves", test_moves);
    g_test_add_func("/tcg/asm/bits", test_bits);
    g_test_add_func("/tcg/asm/misc", test_misc);
    g_test_add_func("/tcg/asm/vectors", test_vectors);
    g_test_add_func("/tcg/asm/sse-moves", test_sse_moves);
    g_test_add_func("/tcg/asm/evex-bytes", test_evex_bytes);
    g_test_add_func("/tcg/asm/overflow", test_overflow);
    return g_test_run();
}
