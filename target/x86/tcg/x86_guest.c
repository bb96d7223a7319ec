/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The x86-64 guest as the translator sees it: slots, helpers, operands, and the loop that turns a
 * block of instructions into IR.
 *
 * Source: SDM volumes 1 and 2; the interface: include/tcg/guest.h.
 * Not modelled: the trap flag, debug registers, non-canonical addresses (they fault as unmapped).
 */
#include <stdio.h>
#include <string.h>

#include "target/x86/tcg/x86_ctx.h"

/* ---- slots ---- */

#define SLOT(label, field, slot_type, hot)                                                         \
    {                                                                                              \
        .name = label, .offset = offsetof(X86Cpu, field), .type = slot_type, .prefer = hot         \
    }
#define R(n, label) [X86_S_RAX + n] = SLOT(label, r[n], IR_I64, 1)
#define V(n) [X86_S_XMM0 + n] = SLOT("xmm" #n, xmm[n], IR_V128, n < 8)

static const TcgSlot slots[X86_N_SLOTS] = {
    R(0, "rax"),
    R(1, "rcx"),
    R(2, "rdx"),
    R(3, "rbx"),
    R(4, "rsp"),
    R(5, "rbp"),
    R(6, "rsi"),
    R(7, "rdi"),
    R(8, "r8"),
    R(9, "r9"),
    R(10, "r10"),
    R(11, "r11"),
    R(12, "r12"),
    R(13, "r13"),
    R(14, "r14"),
    R(15, "r15"),
    [X86_S_FLAGS] = SLOT("flags", flags, IR_FLAGS, 0),
    [X86_S_FLAGS_OTHER] = SLOT("flags_other", flags_other, IR_I32, 0),
    [X86_S_DF] = SLOT("df", df, IR_I64, 0),
    [X86_S_RIP] = SLOT("rip", rip, IR_I64, 0),
    [X86_S_FS_BASE] = SLOT("fs_base", fs_base, IR_I64, 0),
    [X86_S_GS_BASE] = SLOT("gs_base", gs_base, IR_I64, 0),
    [X86_S_FCW] = SLOT("fcw", fcw, IR_I32, 0),
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
};
_Static_assert(X86_N_SLOTS <= IR_MAX_SLOTS, "slots");

/* ---- helpers ---- */

static const uint16_t clobber_abcd[] = {X86_S_RAX + X86_RAX, X86_S_RAX + X86_RBX,
                                        X86_S_RAX + X86_RCX, X86_S_RAX + X86_RDX, 0xffff};

#define HELPER_INT(label)                                                                          \
    {.name = #label, .kind = TCG_H_INT, .fp = TCG_FP_NONE, .i = x86_h_##label},
#define HELPER_S(label, list)                                                                      \
    {.name = #label, .kind = TCG_H_INT, .fp = TCG_FP_NONE, .i = x86_h_##label, .clobbers = list},
#define HELPER_VEC(label)                                                                          \
    {.name = #label, .kind = TCG_H_VEC, .fp = TCG_FP_NONE, .v = x86_h_##label},
static const TcgHelper helpers[X86_N_HELPERS] = {
#include "target/x86/tcg/x86_helpers.def"
};
#undef HELPER_INT
#undef HELPER_S
#undef HELPER_VEC

/* ---- rows ---- */

typedef struct X86Gen {
    X86GenFn fn;
    unsigned arg;
} X86Gen;

static const X86Gen gens[X86_N_ROWS] = {
#define X86_INSN(opc, pfx, modrm, name, o1, o2, o3, gen, arg, attrs, undef) {x86_gen_##gen, arg},
#include "target/x86/decode/x86_insns.def"
#undef X86_INSN
};

/* ---- operands ---- */

X86Addr x86_addr(X86Ctx *c, const X86Insn *i)
{
    IrBuilder *b = c->b;
    X86Addr a = {.disp = i->disp};
    if (i->base == X86_BASE_RIP) {
        a.base = ir_const(b, IR_I64, c->next + (uint64_t)i->disp);
        a.disp = 0;
    } else if (i->base != X86_NO_REG) {
        a.base = x86_reg(c, i->base);
    }
    if (i->index != X86_NO_REG) {
        a.index = x86_reg(c, i->index);
        a.scale = i->scale;
    }
    if (i->aesz == 2) { /* computed in 32 bits, zero-extended */
        IrRef v = a.base ? a.base : ir_const(b, IR_I32, 0);
        if (a.index) {
            v = ir_bin(b, IR_ADD, IR_I32, v, ir_bini(b, IR_SHL, IR_I32, a.index, a.scale));
        }
        v = ir_bini(b, IR_ADD, IR_I32, v, (uint32_t)a.disp);
        a = (X86Addr){.base = ir_ext(b, IR_I32, 2, false, v)};
    }
    if (i->seg) {
        IrRef seg = ir_get(b, i->seg == 4 ? X86_S_FS_BASE : X86_S_GS_BASE);
        a.base = a.base ? ir_bin(b, IR_ADD, IR_I64, seg, a.base) : seg;
    }
    if (!a.base) {
        a.base = ir_const(b, IR_I64, (uint64_t)a.disp);
        a.disp = 0;
    }
    return a;
}

IrRef x86_addr_value(X86Ctx *c, X86Addr a)
{
    IrRef v = a.base;
    if (a.index) {
        v = ir_bin(c->b, IR_ADD, IR_I64, v, ir_bini(c->b, IR_SHL, IR_I64, a.index, a.scale));
    }
    return ir_bini(c->b, IR_ADD, IR_I64, v, (uint64_t)a.disp);
}

IrRef x86_read(X86Ctx *c, const X86Insn *i, unsigned n)
{
    const X86Opnd *o = &i->op[n];
    switch (o->kind) {
    case X86_K_REG: return x86_reg(c, o->reg);
    case X86_K_HIGH:
        return ir_emit(c->b, IR_UBFX, IR_I32, 0, 0, 0, x86_reg(c, o->reg), 0, 0, 0, 8 | 8 << 8);
    case X86_K_MEM: return x86_ld(c, x86_type(o->esz), o->esz, 0, x86_addr(c, i));
    default: {
        unsigned esz = o->esz;
        uint64_t v = i->imm;
        return x86_const(c, esz, esz < 2 ? v & ((1u << x86_bits(esz)) - 1) : v);
    }
    }
}

void x86_put_reg(X86Ctx *c, unsigned esz, unsigned n, IrRef v)
{
    if (esz == 2) {
        v = ir_ext(c->b, IR_I32, 2, false, v);
    } else if (esz < 2) {
        v = ir_emit(c->b, IR_BFI, IR_I64, 0, 0, 0, x86_reg(c, n), v, 0, 0,
                    (uint64_t)x86_bits(esz) << 8);
    }
    ir_put(c->b, X86_S_RAX + n, v);
}

void x86_write(X86Ctx *c, const X86Insn *i, unsigned n, IrRef v)
{
    const X86Opnd *o = &i->op[n];
    if (o->kind == X86_K_MEM) {
        x86_st(c, o->esz, 0, x86_addr(c, i), v);
    } else if (o->kind == X86_K_HIGH) {
        ir_put(c->b, X86_S_RAX + o->reg,
               ir_emit(c->b, IR_BFI, IR_I64, 0, 0, 0, x86_reg(c, o->reg), v, 0, 0, 8 | 8 << 8));
    } else {
        x86_put_reg(c, o->esz, o->reg, v);
    }
}

IrRef x86_cond(X86Ctx *c, unsigned cc)
{
    static const uint8_t conds[16] = {
        IR_C_VS, IR_C_VC, IR_C_CS, IR_C_CC, IR_C_EQ, IR_C_NE, IR_C_BE, IR_C_A,
        IR_C_MI, IR_C_PL, IR_C_PE, IR_C_PO, IR_C_LT, IR_C_GE, IR_C_LE, IR_C_GT,
    };
    return x86_cond_now(c, conds[cc & 15]);
}

IrRef x86_carry_bit(X86Ctx *c, IrRef bit)
{
    return ir_bini(c->b, IR_SHL, IR_I32, bit, 8);
}

/* ---- mode ---- */

static uint64_t x86_mode(const struct TcgCpu *cpu)
{
    (void)cpu;
    return 0;
}

/* Nothing runs on the host's SSE for the guest: x86_fp.c. */
static uint32_t x86_mxcsr(const struct TcgCpu *cpu)
{
    (void)cpu;
    return 0x1f80;
}

/* No row builds an FP op of the IR: those have Arm's NaNs. */
static void x86_fp_eval(struct TcgCpu *cpu, IrVec *r, const IrVec a[4], uint64_t imm, uint64_t info)
{
    (void)a, (void)imm, (void)info;
    memset(r, 0, sizeof(*r));
    tcg_raise(cpu, TCG_EXIT_UNDEF, 0);
}

static bool x86_fp_native(uint64_t mode)
{
    (void)mode;
    return false;
}

/* ---- translation ---- */

static void translate_insn(X86Ctx *c, X86DecodeResult res, const X86Insn *i)
{
    if (res == X86_DEC_SHORT) { /* goes on where nothing is executable */
        ir_raise(c->b, TCG_EXIT_FETCH, c->pc + c->blk->code_bytes - c->blk->n_bytes, c->pc);
        c->done = true;
        return;
    }
    c->next = c->pc + i->len;
    if (res == X86_DEC_OK) {
        c->arg = gens[i->row].arg;
        if (gens[i->row].fn(c, i)) {
            return;
        }
    }
    ir_raise(c->b, TCG_EXIT_UNDEF, i->opcode, c->pc);
    c->done = true;
}

/* The block ends before c->pc: on to there. */
static void end_block(X86Ctx *c)
{
    c->blk->target[0] = c->pc;
    c->blk->n_targets = 1;
    ir_goto(c->b, c->pc);
}

static void x86_translate(TcgBlockCtx *blk)
{
    X86Ctx c = {.b = blk->b, .blk = blk, .pc = blk->pc};
    X86Insn i;
    blk->n_insns = blk->n_bytes = blk->n_targets = 0;
    blk->target[0] = blk->target[1] = 0;
    blk->ends_in_call = false;
    do {
        X86DecodeResult res = X86_DEC_SHORT;
        if (blk->n_bytes < blk->code_bytes) {
            res = x86_decode(blk->code + blk->n_bytes, blk->code_bytes - blk->n_bytes, &i);
        }
        if (blk->n_insns && (res == X86_DEC_SHORT || blk->n_insns == blk->max_insns)) {
            end_block(&c);
            return;
        }
        ir_insn(c.b, c.pc);
        translate_insn(&c, res, &i);
        c.pc += i.len;
        blk->n_bytes += i.len;
        blk->n_insns++;
    } while (!c.done);
}

static unsigned x86_disas(const uint8_t *code, uint32_t bytes, uint64_t pc, char *out,
                          size_t out_bytes)
{
    X86Insn i;
    X86DecodeResult res = x86_decode(code, bytes, &i);
    (void)pc;
    snprintf(out, out_bytes, "%s", res == X86_DEC_OK ? x86_rows[i.row].name : "(bad)");
    return i.len ? i.len : 1;
}

const TcgGuest x86_guest = {
    .name = "x86_64",
    .cpu_bytes = sizeof(X86Cpu),
    .slots = slots,
    .n_slots = X86_N_SLOTS,
    .pc_slot = X86_S_RIP,
    .flags_slot = X86_S_FLAGS,
    .helpers = helpers,
    .n_helpers = X86_N_HELPERS,
    .fp = x86_fp_eval,
    .fp_native = x86_fp_native,
    .mode = x86_mode,
    .mxcsr = x86_mxcsr,
    .translate = x86_translate,
    .disas = x86_disas,
};
