/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The A64 guest as the translator sees it: slots, helpers, mode word, and the loop that turns a
 * block of instructions into IR.
 *
 * Source: Arm ARM (DDI 0487), B2 and C1; the interface: include/tcg/guest.h.
 * Not modelled: big-endian data. System level: a64_sysinsn.c, a64_sysguest.c.
 */
#include <stdio.h>
#include <string.h>

#include "target/arm/tcg/a64_ctx.h"
#include "target/arm/tcg/a64_disas.h"
#include "target/arm/tcg/a64_guest.h"

/* ---- slots ---- */

#define SLOT(label, field, slot_type, hot)                                                         \
    {                                                                                              \
        .name = label, .offset = offsetof(A64Cpu, field), .type = slot_type, .prefer = hot         \
    }
#define X(n) [A64_S_X0 + n] = SLOT("x" #n, x[n], IR_I64, 1)
#define V(n) [A64_S_V0 + n] = SLOT("v" #n, v[n], IR_V128, n < 8 || n >= 16)

const TcgSlot a64_slots[A64_N_SLOTS] = {
    X(0),
    X(1),
    X(2),
    X(3),
    X(4),
    X(5),
    X(6),
    X(7),
    X(8),
    X(9),
    X(10),
    X(11),
    X(12),
    X(13),
    X(14),
    X(15),
    X(16),
    X(17),
    X(18),
    X(19),
    X(20),
    X(21),
    X(22),
    X(23),
    X(24),
    X(25),
    X(26),
    X(27),
    X(28),
    X(29),
    X(30),
    [A64_S_SP] = SLOT("sp", sp, IR_I64, 1),
    [A64_S_NZCV] = SLOT("nzcv", nzcv, IR_FLAGS, 0),
    [A64_S_PC] = SLOT("pc", pc, IR_I64, 0),
    [A64_S_BTYPE] = SLOT("btype", btype, IR_I32, 0),
    [A64_S_EXCL_ADDR] = SLOT("excl_addr", excl_addr, IR_I64, 0),
    [A64_S_EXCL_VAL0] = SLOT("excl_val0", excl_val[0], IR_I64, 0),
    [A64_S_EXCL_VAL1] = SLOT("excl_val1", excl_val[1], IR_I64, 0),
    [A64_S_TPIDR_EL0] = SLOT("tpidr_el0", tpidr_el0, IR_I64, 0),
    [A64_S_FPCR] = SLOT("fpcr", fpcr, IR_I32, 0),
    [A64_S_QC] = SLOT("qc", qc, IR_V128, 0),
    V(0),
    V(1),
    V(2),
    V(3),
    V(4),
    V(5),
    V(6),
    V(7),
    V(8),
    V(9),
    V(10),
    V(11),
    V(12),
    V(13),
    V(14),
    V(15),
    V(16),
    V(17),
    V(18),
    V(19),
    V(20),
    V(21),
    V(22),
    V(23),
    V(24),
    V(25),
    V(26),
    V(27),
    V(28),
    V(29),
    V(30),
    V(31),
    [A64_S_DAIF] = SLOT("daif", daif, IR_I32, 0),
    [A64_S_IRQ_HELD] = SLOT("irq_held", irq_held, IR_I32, 0),
    [A64_S_TPIDRRO_EL0] = SLOT("tpidrro_el0", tpidrro_el0, IR_I64, 0),
    [A64_S_TPIDR_EL1] = SLOT("tpidr_el1", sys.tpidr[1], IR_I64, 0),
    [A64_S_TPIDR_EL2] = SLOT("tpidr_el2", sys.tpidr[2], IR_I64, 0),
    [A64_S_SP_EL0] = SLOT("sp_el0", sys.sp_el[0], IR_I64, 0),
    [A64_S_SP_EL1] = SLOT("sp_el1", sys.sp_el[1], IR_I64, 0),
    [A64_S_ELR_EL1] = SLOT("elr_el1", sys.elr[1], IR_I64, 0),
    [A64_S_SPSR_EL1] = SLOT("spsr_el1", sys.spsr[1], IR_I64, 0),
    [A64_S_ESR_EL1] = SLOT("esr_el1", sys.esr[1], IR_I64, 0),
    [A64_S_FAR_EL1] = SLOT("far_el1", sys.far[1], IR_I64, 0),
    [A64_S_ELR_EL2] = SLOT("elr_el2", sys.elr[2], IR_I64, 0),
    [A64_S_SPSR_EL2] = SLOT("spsr_el2", sys.spsr[2], IR_I64, 0),
    [A64_S_ESR_EL2] = SLOT("esr_el2", sys.esr[2], IR_I64, 0),
    [A64_S_FAR_EL2] = SLOT("far_el2", sys.far[2], IR_I64, 0),
    [A64_S_TTBR0_EL1] = SLOT("ttbr0_el1", sys.ttbr0[1], IR_I64, 0),
    [A64_S_TTBR1_EL1] = SLOT("ttbr1_el1", sys.ttbr1[1], IR_I64, 0),
    [A64_S_PAR_EL1] = SLOT("par_el1", sys.par, IR_I64, 0),
    [A64_S_VBAR_EL1] = SLOT("vbar_el1", sys.vbar[1], IR_I64, 0),
    [A64_S_CONTEXTIDR_EL1] = SLOT("contextidr_el1", sys.contextidr[1], IR_I64, 0),
};
_Static_assert(A64_N_SLOTS <= IR_MAX_SLOTS, "slots");

/* ---- helpers ---- */

static const uint16_t clobber_none[] = {0xffff};
static const uint16_t clobber_fpcr[] = {A64_S_FPCR, 0xffff};
/* What a write to a system register may change of the slots. */
static const uint16_t clobber_sys[] = {
    A64_S_SP,        A64_S_NZCV,           A64_S_BTYPE,
    A64_S_EXCL_ADDR, A64_S_FPCR,           A64_S_QC,
    A64_S_TPIDR_EL0, A64_S_DAIF,           A64_S_TPIDRRO_EL0,
    A64_S_TPIDR_EL1, A64_S_TPIDR_EL2,      A64_S_SP_EL0,
    A64_S_SP_EL1,    A64_S_ELR_EL1,        A64_S_SPSR_EL1,
    A64_S_ESR_EL1,   A64_S_FAR_EL1,        A64_S_ELR_EL2,
    A64_S_SPSR_EL2,  A64_S_ESR_EL2,        A64_S_FAR_EL2,
    A64_S_TTBR0_EL1, A64_S_TTBR1_EL1,      A64_S_PAR_EL1,
    A64_S_VBAR_EL1,  A64_S_CONTEXTIDR_EL1, A64_S_IRQ_HELD,
    0xffff,
};

#define HELPER_INT(label, mode)                                                                    \
    {.name = #label, .kind = TCG_H_INT, .fp = TCG_FP_##mode, .i = a64_h_##label},
#define HELPER_S(label, mode, list)                                                                \
    {.name = #label, .kind = TCG_H_INT, .fp = TCG_FP_##mode, .i = a64_h_##label, .clobbers = list},
#define HELPER_VEC(label, mode)                                                                    \
    {.name = #label, .kind = TCG_H_VEC, .fp = TCG_FP_##mode, .v = a64_h_##label},
const TcgHelper a64_helper_table[A64_N_HELPERS] = {
#include "target/arm/tcg/helpers.def"
};
#undef HELPER_INT
#undef HELPER_S
#undef HELPER_VEC

/* ---- mode ---- */

/* FPCR bits that host FP cannot follow: AHP, DN, FZ, FZ16, NEP, AH, FIZ. */
enum { FPCR_FZ = 1 << 24, FPSR_IXC = 1 << 4 };
enum { FPCR_SLOW = 1 << 26 | 1 << 25 | 1 << 24 | 1 << 19 | 1 << 2 | 1 << 1 | 1 << 0 };

uint64_t a64_fp_mode(const A64Cpu *cpu)
{
    uint32_t slow = cpu->fpcr & FPCR_SLOW;
    if (slow == FPCR_FZ && cpu->tcg.fp_flags & FPSR_IXC) {
        return A64_MODE_FPFLUSH;
    }
    return slow ? A64_MODE_FPSLOW : 0;
}

static uint64_t a64_mode(const struct TcgCpu *tc)
{
    const A64Cpu *cpu = (const A64Cpu *)(const void *)tc;
    return cpu->mode_bits | a64_fp_mode(cpu);
}

bool a64_fp_flush(uint64_t mode)
{
    return (mode & A64_MODE_FPFLUSH) != 0;
}

/* ---- translation ---- */

static uint32_t load_word(const uint8_t *p)
{
    uint32_t w;
    memcpy(&w, p, sizeof(w));
    return w;
}

static void translate_insn(A64Ctx *c, uint32_t word)
{
    A64Insn insn;
    if (a64_decode(word, &insn) && a64_feat(c, (A64Feature)a64_rows[insn.row].feature)) {
        if ((c->mode & (A64_MODE_FPTRAP | A64_MODE_SPBAD | A64_MODE_PACTRAP)) &&
            a64_insn_trapped(c, (A64Feature)a64_rows[insn.row].feature, word)) {
            return;
        }
        if (a64_gen_fns[insn.row](c, &insn)) {
            return;
        }
    }
    ir_raise(c->b, TCG_EXIT_UNDEF, word, c->pc);
    c->done = true;
}

/* The block ends before c->pc: on to there. */
static void end_block(A64Ctx *c)
{
    c->blk->target[0] = c->pc;
    c->blk->n_targets = 1;
    a64_goto(c, c->pc);
}

void a64_translate(TcgBlockCtx *blk)
{
    A64Ctx c = {
        .b = blk->b,
        .blk = blk,
        .cpu = (const A64Cpu *)(const void *)blk->cpu,
        .pc = blk->pc,
        .mode = blk->mode,
    };
    blk->n_insns = blk->n_bytes = blk->n_targets = 0;
    blk->target[0] = blk->target[1] = 0;
    blk->ends_in_call = false;
    if (c.pc & 3 || blk->code_bytes < 4) {
        unsigned why = c.pc & 3 ? TCG_EXIT_PC_ALIGN : TCG_EXIT_FETCH;
        blk->n_bytes = blk->code_bytes < 4 ? blk->code_bytes : 4;
        ir_insn(c.b, c.pc);
        ir_raise(c.b, why, c.pc, c.pc);
        return;
    }
    if ((c.mode & A64_MODE_SYSTEM) && a64_block_refused(&c)) {
        return;
    }
    do {
        if (blk->n_bytes + 4 > blk->code_bytes || blk->n_insns == blk->max_insns) {
            end_block(&c);
            return;
        }
        uint32_t word = load_word(blk->code + blk->n_bytes);
        ir_insn(c.b, c.pc);
        if (blk->n_insns == 0 && (c.mode & A64_MODE_BTI)) {
            a64_check_btype(&c, word);
        }
        if (c.mode & A64_MODE_BREAK) {
            a64_check_breakpoint(&c);
        }
        translate_insn(&c, word);
        if (c.sp_put != IR_NONE) {
            a64_check_sp(&c);
        }
        c.pc += 4;
        blk->n_bytes += 4;
        blk->n_insns++;
        if ((c.mode & A64_MODE_STEP) && !c.done) {
            end_block(&c);
            return;
        }
    } while (!c.done);
}

const TcgGuest a64_guest = {
    .name = "aarch64",
    .cpu_bytes = sizeof(A64Cpu),
    .slots = a64_slots,
    .n_slots = A64_N_USER_SLOTS,
    .pc_slot = A64_S_PC,
    .flags_slot = A64_S_NZCV,
    .helpers = a64_helper_table,
    .n_helpers = A64_N_HELPERS,
    .fp = a64_fp_eval,
    .fp_native = a64_fp_native,
    .fp_flush = a64_fp_flush,
    .mode = a64_mode,
    .mxcsr = a64_mxcsr,
    .translate = a64_translate,
    .disas = a64_disas,
};
