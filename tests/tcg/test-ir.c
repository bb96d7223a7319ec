/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Builder, rules and passes on small cases, each looked at in the IR itself. */
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzzgen.h"

typedef struct Fix {
    Arena arena;
    IrBuilder b;
} Fix;

static void setup(Fix *f, gconstpointer data)
{
    (void)data;
    arena_init(&f->arena);
    ir_builder_init(&f->b, &f->arena, &fuzz_guest, 0x1000, 0, 2);
    ir_insn(&f->b, 0x1000);
}

static void teardown(Fix *f, gconstpointer data)
{
    (void)data;
    arena_free(&f->arena);
}

static const IrOp *op(const Fix *f, IrRef v)
{
    return ir_op(f->b.r, v);
}

static unsigned count(const IrRegion *r, IrOpcode opcode)
{
    unsigned n = 0;

    for (uint32_t i = 0; i < r->n_rpo; i++) {
        for (IrRef v = r->blocks[r->rpo[i]].first; v != IR_NONE; v = r->ops[v].next) {
            n += r->ops[v].op == opcode;
        }
    }
    return n;
}

static void assert_valid(const IrRegion *r)
{
    char why[160] = "";

    if (!ir_verify(r, why, sizeof why)) {
        ir_print(r, stderr);
        g_error("%s", why);
    }
}

static void test_algebra(Fix *f, gconstpointer data)
{
    IrBuilder *b = &f->b;
    IrRef x = ir_get(b, 0), w = ir_get(b, FUZZ_S_W), v;
    uint64_t c;

    (void)data;
    g_assert_cmpuint(ir_bini(b, IR_ADD, IR_I64, x, 0), ==, x);
    g_assert_cmpuint(ir_bini(b, IR_AND, IR_I64, x, UINT64_MAX), ==, x);
    g_assert_cmpuint(ir_bini(b, IR_MUL, IR_I64, x, 1), ==, x);
    g_assert_cmpuint(ir_ext(b, IR_I64, 2, false, w), ==, w);
    v = ir_bini(b, IR_ADD, IR_I32, x, 0); /* x is wider: not x itself */
    g_assert_cmpint(op(f, v)->op, ==, IR_ZEXT);
    v = ir_bini(b, IR_ADD, IR_I64, ir_bini(b, IR_ADD, IR_I64, x, 5), (uint64_t)-7);
    g_assert_cmpuint(op(f, v)->arg[0], ==, x);
    g_assert_true(ir_is_const(b, op(f, v)->arg[1], &c));
    g_assert_cmpuint(c, ==, (uint64_t)-2);
    v = ir_bin(b, IR_UDIV, IR_I64, ir_const(b, IR_I64, 100), ir_const(b, IR_I64, 0));
    g_assert_true(ir_is_const(b, v, &c) && c == 0);
    v = ir_select(b, IR_I64, ir_cmp(b, IR_EQ, 3, x, w), ir_const(b, IR_I64, 1),
                  ir_const(b, IR_I64, 0));
    g_assert_cmpint(op(f, v)->op, ==, IR_CMP);
    ir_goto(b, 0x2000);
}

static void test_addresses(Fix *f, gconstpointer data)
{
    IrBuilder *b = &f->b;
    IrRef x = ir_get(b, 0), y = ir_get(b, 1), a, v;

    (void)data;
    a = ir_bin(b, IR_ADD, IR_I64, ir_bini(b, IR_ADD, IR_I64, x, 64),
               ir_bini(b, IR_SHL, IR_I64, y, 3));
    v = ir_ld(b, IR_I64, 3, 0, a, IR_NONE, 0, 8);
    g_assert_cmpuint(op(f, v)->arg[0], ==, x);
    g_assert_cmpuint(op(f, v)->arg[1], ==, y);
    g_assert_cmpuint(op(f, v)->sub, ==, 3);
    g_assert_cmpuint(op(f, v)->imm, ==, 72);
    a = ir_bini(b, IR_ADD, IR_I64, x, UINT64_C(1) << 40); /* no host displacement holds that */
    v = ir_ld(b, IR_I64, 3, 0, a, IR_NONE, 0, 8);
    g_assert_cmpuint(op(f, v)->arg[0], ==, a);
    ir_goto(b, 0x2000);
    assert_valid(ir_builder_finish(b));
}

static IrRef cond(IrBuilder *b, unsigned cc, IrRef flags)
{
    return ir_emit(b, IR_FL_COND, IR_I1, 0, cc, 0, flags, 0, 0, 0, 0);
}

static void test_conditions(Fix *f, gconstpointer data)
{
    IrBuilder *b = &f->b;
    IrRef x = ir_get(b, 0), y = ir_get(b, 1), fl, d, v;

    (void)data;
    fl = ir_emit(b, IR_FL_SUB, IR_FLAGS, 3, 0, 0, x, y, 0, 0, 0);
    v = cond(b, IR_C_LT, fl);
    g_assert_cmpint(op(f, v)->op, ==, IR_CMP);
    g_assert_cmpint(op(f, v)->sub, ==, IR_SLT);
    g_assert_cmpuint(op(f, v)->arg[0], ==, x);
    d = ir_bin(b, IR_SUB, IR_I64, x, y); /* the difference exists: equality is taken from it */
    v = cond(b, IR_C_EQ, fl);
    g_assert_cmpuint(op(f, v)->arg[0], ==, d);
    v = cond(b, IR_C_VS, fl); /* overflow has no compare form */
    g_assert_cmpint(op(f, v)->op, ==, IR_FL_COND);
    fl = ir_emit(b, IR_FL_SEL, IR_FLAGS, 0, 0, 0, ir_cmp(b, IR_EQ, 3, x, y),
                 ir_emit(b, IR_FL_SUB, IR_FLAGS, 3, 0, 0, x, ir_const(b, IR_I64, 5), 0, 0, 0),
                 ir_emit(b, IR_FL_UNPACK, IR_FLAGS, 0, 0, 0, ir_const(b, IR_I32, 0), 0, 0, 0, 0), 0,
                 0);
    v = cond(b, IR_C_EQ, fl); /* ccmp: x == y && x == 5 */
    g_assert_cmpint(op(f, v)->op, ==, IR_AND);
    ir_goto(b, 0x2000);
    assert_valid(ir_builder_finish(b));
}

/* x0 counts down to 0; x1 gets a load that may fault; x2 is never written. */
static void test_loop(Fix *f, gconstpointer data)
{
    IrBuilder *b = &f->b;
    IrRef n, fl;
    IrRegion *r;
    const IrBlock *head;
    const IrSnap *s = NULL;

    (void)data;
    ir_put(b, 1, ir_ld(b, IR_I64, 3, 0, ir_get(b, 2), IR_NONE, 0, 0));
    ir_insn(b, 0x1004);
    n = ir_bini(b, IR_ADD, IR_I64, ir_get(b, 0), UINT64_MAX);
    fl = ir_emit(b, IR_FL_LOGIC, IR_FLAGS, 3, 0, 0, n, 0, 0, 0, 0);
    ir_put(b, 0, n);
    ir_put(b, FUZZ_S_FLAGS, fl);
    ir_insn(b, 0x1008);
    ir_branch(b, cond(b, IR_C_NE, fl), 0x1000, 0x100c);
    r = ir_builder_finish(b);
    assert_valid(r);
    ir_optimize(r, 2, NULL);
    assert_valid(r);
    g_assert_cmpuint(count(r, IR_PHI), ==, 2); /* x0 and x1; not x2, and not the dead flags */
    g_assert_cmpuint(count(r, IR_POLL), ==, 1);
    g_assert_cmpuint(count(r, IR_GET), ==, 3);
    head = &r->blocks[1];
    g_assert_true(head->loop_head && head->loop_depth == 1);
    for (IrRef v = head->first; v != IR_NONE; v = r->ops[v].next) {
        if (r->ops[v].op == IR_LD) {
            s = &r->snaps[r->ops[v].snap];
        }
    }
    g_assert_nonnull(s);
    g_assert_cmpuint(s->pc, ==, 0x1000);
    g_assert_cmpuint(s->n, ==, 2); /* a fault in a later iteration finds x0 and x1 stale */
}

static void test_calls(Fix *f, gconstpointer data)
{
    IrBuilder *b = &f->b;
    IrRegion *r;

    (void)data;
    ir_put(b, 3, ir_const(b, IR_I64, 7));
    ir_insn(b, 0x1004);
    ir_put(b, 4, ir_emit(b, IR_CALLS, IR_I64, 0, 0, 0, ir_get(b, 3), 0, 0, 0, 0));
    ir_goto(b, 0x1000); /* would be the region itself, but the state may have changed */
    r = ir_builder_finish(b);
    assert_valid(r);
    ir_optimize(r, 2, NULL);
    assert_valid(r);
    g_assert_cmpuint(count(r, IR_EXIT_LINK), ==, 1);
    g_assert_cmpuint(r->snaps[r->ops[r->blocks[1].last].snap].n, ==, 1); /* x4: x3 is stored */
}

static void test_verify(Fix *f, gconstpointer data)
{
    IrBuilder *b = &f->b;
    IrRef x = ir_get(b, 0), v = ir_bini(b, IR_ADD, IR_I64, x, 3);
    IrRegion *r;
    char why[160] = "";

    (void)data;
    ir_put(b, 0, v);
    ir_goto(b, 0x2000);
    r = ir_builder_finish(b);
    assert_valid(r);
    r->ops[v].arg[0] = v; /* used before it is defined */
    g_assert_false(ir_verify(r, why, sizeof why));
    g_assert_nonnull(strstr(why, "not defined before"));
}

/* Text out, text in, text out again. */
static void test_parse(void)
{
    Arena arena;

    arena_init(&arena);
    for (uint64_t seed = 1; seed < 60; seed++) {
        FuzzProgram p = fuzz_program(seed);
        IrRegion *r = fuzz_build(&p, &arena, 2), *back;
        char *one = NULL, *two = NULL, why[160] = "";
        size_t n;
        FILE *f;

        ir_optimize(r, 2, NULL);
        f = open_memstream(&one, &n);
        ir_print(r, f);
        fclose(f);
        back = ir_parse(&arena, &fuzz_guest, one, why, sizeof why);
        if (!back) {
            g_error("%s", why);
        }
        assert_valid(back);
        f = open_memstream(&two, &n);
        ir_print(back, f);
        fclose(f);
        g_assert_cmpstr(one, ==, two);
        free(one);
        free(two);
        arena_reset(&arena);
    }
    g_assert_null(ir_parse(&arena, &fuzz_guest, "region fuzz pc 0x0\n", (char[80]){0}, 80));
    arena_free(&arena);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/tcg/ir/algebra", Fix, NULL, setup, test_algebra, teardown);
    g_test_add("/tcg/ir/addresses", Fix, NULL, setup, test_addresses, teardown);
    g_test_add("/tcg/ir/conditions", Fix, NULL, setup, test_conditions, teardown);
    g_test_add("/tcg/ir/loop", Fix, NULL, setup, test_loop, teardown);
    g_test_add("/tcg/ir/calls", Fix, NULL, setup, test_calls, teardown);
    g_test_add("/tcg/ir/verify", Fix, NULL, setup, test_verify, teardown);
    g_test_add_func("/tcg/ir/parse", test_parse);
    return g_test_run();
}
