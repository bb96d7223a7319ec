/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A64 cryptographic extensions: AES, SHA3 and message schedules in IR ops, the others through pure
 * helpers.
 *
 * Source: Arm ARM (DDI 0487), C4.1 "Cryptographic AES" .. "Cryptographic two-register SHA 512".
 */
#include "target/arm/tcg/a64_simd.h"

bool gen_aes(A64Ctx *c, const A64Insn *i)
{
    IrOpcode op = a64_simd_ops[i->row].op;
    IrRef n = a64_v(c, i->rn);
    bool two = op == IR_AESE || op == IR_AESD;
    a64_put_v(c, i->rd, ir_vbin(c->b, op, 0, false, two ? a64_v(c, i->rd) : n, two ? n : IR_NONE));
    return true;
}

/* Helper of (d, n, m). */
bool gen_crypto3(A64Ctx *c, const A64Insn *i)
{
    const A64SimdOp *op = &a64_simd_ops[i->row];
    a64_put_v(c, i->rd,
              ir_emit(c->b, IR_VCALLP, IR_V128, 2, op->sub, 0, a64_v(c, i->rd), a64_v(c, i->rn),
                      a64_v(c, i->rm), 0, op->helper));
    return true;
}

/* Helper of (d, n). */
bool gen_crypto2(A64Ctx *c, const A64Insn *i)
{
    const A64SimdOp *op = &a64_simd_ops[i->row];
    a64_put_v(c, i->rd,
              ir_emit(c->b, IR_VCALLP, IR_V128, 2, op->sub, 0, a64_v(c, i->rd), a64_v(c, i->rn), 0,
                      0, op->helper));
    return true;
}

/* SM3TT1A .. SM3TT2B: sub is the index of Vm's element and, above, which of the four. */
bool gen_sm3tt(A64Ctx *c, const A64Insn *i)
{
    const A64SimdOp *op = &a64_simd_ops[i->row];
    a64_put_v(c, i->rd,
              ir_emit(c->b, IR_VCALLP, IR_V128, 2, op->sub << 2 | i->imm, 0, a64_v(c, i->rd),
                      a64_v(c, i->rn), a64_v(c, i->rm), 0, op->helper));
    return true;
}

bool gen_sm3ss1(A64Ctx *c, const A64Insn *i)
{
    a64_put_v(c, i->rd,
              ir_emit(c->b, IR_VCALLP, IR_V128, 2, 0, 0, a64_v(c, i->rn), a64_v(c, i->rm),
                      a64_v(c, i->ra), 0, A64_H_sm3ss1));
    return true;
}

/* EOR3 n ^ m ^ a, BCAX n ^ (m & ~a). */
bool gen_eor3(A64Ctx *c, const A64Insn *i)
{
    IrOpcode op = a64_simd_ops[i->row].op;
    IrRef v = ir_vbin(c->b, op, 3, false, a64_v(c, i->rm), a64_v(c, i->ra));
    a64_put_v(c, i->rd, ir_vbin(c->b, IR_VXOR, 3, false, a64_v(c, i->rn), v));
    return true;
}

static IrRef xor2(A64Ctx *c, IrRef a, IrRef b)
{
    return ir_vbin(c->b, IR_VXOR, 3, false, a, b);
}

static IrRef add(A64Ctx *c, unsigned esz, IrRef a, IrRef b)
{
    return ir_vbin(c->b, IR_VADD, esz, false, a, b);
}

/* Each element rotated right. */
static IrRef ror(A64Ctx *c, unsigned esz, IrRef v, unsigned n)
{
    if (n == 0) {
        return v;
    }
    return ir_vbin(c->b, IR_VOR, 3, false, ir_vun(c->b, IR_VSHRI, esz, false, v, n),
                   ir_vun(c->b, IR_VSHLI, esz, false, v, simd_bits(esz) - n));
}

/* The small sigma functions of SHA-2: two rotations and a shift. */
static IrRef sigma(A64Ctx *c, unsigned esz, IrRef v, const uint8_t by[3])
{
    IrRef x = xor2(c, ror(c, esz, v, by[0]), ror(c, esz, v, by[1]));
    return xor2(c, x, ir_vun(c->b, IR_VSHRI, esz, false, v, by[2]));
}

/* Bytes from `at` of b:a. */
static IrRef ext(A64Ctx *c, IrRef a, IrRef b, unsigned at)
{
    return ir_emit(c->b, IR_VEXT, IR_V128, 0, 0, 0, a, b, 0, 0, at);
}

bool gen_sha1h(A64Ctx *c, const A64Insn *i)
{
    IrRef v = ror(c, 2, a64_v(c, i->rn), 2);
    a64_put_v(c, i->rd, simd_zext(c, 2, simd_lane(c, 2, v, 0)));
    return true;
}

bool gen_sha1su0(A64Ctx *c, const A64Insn *i)
{
    IrRef d = a64_v(c, i->rd), v = xor2(c, d, ext(c, d, a64_v(c, i->rn), 8));
    a64_put_v(c, i->rd, xor2(c, v, a64_v(c, i->rm)));
    return true;
}

/* The top word depends on the new bottom one: rotated by one more. */
bool gen_sha1su1(A64Ctx *c, const A64Insn *i)
{
    IrRef zero = ir_vconst(c->b, 0, false);
    IrRef t = xor2(c, a64_v(c, i->rd), ext(c, a64_v(c, i->rn), zero, 4));
    IrRef bottom = ext(c, zero, t, 4);
    a64_put_v(c, i->rd, xor2(c, ror(c, 2, t, 31), ror(c, 2, bottom, 30)));
    return true;
}

bool gen_sha256su0(A64Ctx *c, const A64Insn *i)
{
    static const uint8_t by[3] = {7, 18, 3};
    IrRef d = a64_v(c, i->rd);
    a64_put_v(c, i->rd, add(c, 2, d, sigma(c, 2, ext(c, d, a64_v(c, i->rn), 4), by)));
    return true;
}

/* The upper two words need the lower two. */
bool gen_sha256su1(A64Ctx *c, const A64Insn *i)
{
    static const uint8_t by[3] = {17, 19, 10};
    IrRef m = a64_v(c, i->rm);
    IrRef sum = add(c, 2, a64_v(c, i->rd), ext(c, a64_v(c, i->rn), m, 4));
    IrRef low = add(c, 2, sum, sigma(c, 2, ir_vun(c->b, IR_VDUPL, 3, false, m, 1), by));
    IrRef high = add(c, 2, sum, sigma(c, 2, ir_vun(c->b, IR_VDUPL, 3, false, low, 0), by));
    a64_put_v(c, i->rd, ir_emit(c->b, IR_VINSL, IR_V128, 3, 0, 0, low, high, 0, 0, 1 | 1 << 8));
    return true;
}

bool gen_sha512su0(A64Ctx *c, const A64Insn *i)
{
    static const uint8_t by[3] = {1, 8, 7};
    IrRef d = a64_v(c, i->rd);
    a64_put_v(c, i->rd, add(c, 3, d, sigma(c, 3, ext(c, d, a64_v(c, i->rn), 8), by)));
    return true;
}

bool gen_sha512su1(A64Ctx *c, const A64Insn *i)
{
    static const uint8_t by[3] = {19, 61, 6};
    IrRef v = add(c, 3, a64_v(c, i->rd), sigma(c, 3, a64_v(c, i->rn), by));
    a64_put_v(c, i->rd, add(c, 3, v, a64_v(c, i->rm)));
    return true;
}

bool gen_rax1(A64Ctx *c, const A64Insn *i)
{
    IrRef m = ror(c, 3, a64_v(c, i->rm), 63);
    a64_put_v(c, i->rd, ir_vbin(c->b, IR_VXOR, 3, false, a64_v(c, i->rn), m));
    return true;
}

bool gen_xar(A64Ctx *c, const A64Insn *i)
{
    IrRef x = ir_vbin(c->b, IR_VXOR, 3, false, a64_v(c, i->rn), a64_v(c, i->rm));
    a64_put_v(c, i->rd, ror(c, 3, x, i->imm));
    return true;
}
