/* SPDX-License-Identifier: GPL-2.0-or-later */
/* util/arena: alignment, zeroing, growth, reuse after reset. */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "util/arena.h"

static void test_alloc(void)
{
    Arena a;
    GRand *rand = g_rand_new_with_seed(1);

    arena_init(&a);
    for (int i = 0; i < 2000; i++) {
        size_t bytes = g_rand_int_range(rand, 0, i % 100 ? 500 : 200000);
        unsigned char *p = arena_alloc(&a, bytes);
        g_assert_cmpuint((uintptr_t)p % 16, ==, 0);
        for (size_t k = 0; k < bytes; k++) {
            g_assert_cmpuint(p[k], ==, 0);
        }
        memset(p, 0xa5, bytes);
    }
    arena_free(&a);
    g_assert_null(a.chunk);
    arena_free(&a);
    g_rand_free(rand);
}

static void test_apart(void)
{
    enum { N = 300 };
    unsigned char *p[N];
    Arena a;

    arena_init(&a);
    for (unsigned i = 0; i < N; i++) {
        p[i] = arena_alloc(&a, i + 1);
        memset(p[i], (int)i, i + 1);
    }
    for (unsigned i = 0; i < N; i++) {
        for (unsigned k = 0; k <= i; k++) {
            g_assert_cmpuint(p[i][k], ==, i & 0xff);
        }
    }
    arena_free(&a);
}

static void test_reset(void)
{
    Arena a;
    char *first;

    arena_init(&a);
    arena_reset(&a);
    arena_alloc(&a, 10);
    memset(arena_alloc(&a, 5 << 20), 1, 5 << 20);
    arena_reset(&a);
    first = arena_alloc(&a, 5 << 20);
    g_assert_cmpint(first[0], ==, 0);
    g_assert_cmpint(first[(5 << 20) - 1], ==, 0);
    for (int i = 0; i < 10; i++) {
        arena_reset(&a);
        g_assert_true(arena_alloc(&a, 5 << 20) == first); /* one chunk, used again */
    }
    arena_free(&a);
}

static void test_grow(void)
{
    Arena a;
    uint32_t *v = NULL;
    unsigned cap = 0;

    arena_init(&a);
    for (unsigned i = 0; i < 10000; i++) {
        v = arena_grow(&a, v, &cap, i + 1, sizeof *v);
        g_assert_cmpuint(cap, >, i);
        g_assert_cmpuint(v[i], ==, 0);
        v[i] = i * 3;
    }
    for (unsigned i = 0; i < 10000; i++) {
        g_assert_cmpuint(v[i], ==, i * 3);
    }
    g_assert_true(arena_grow(&a, v, &cap, 5, sizeof *v) == v);
    arena_free(&a);
}

static void test_too_much(void)
{
    if (g_test_subprocess()) {
        Arena a;
        arena_init(&a);
        arena_alloc(&a, SIZE_MAX - 3);
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_failed();
    g_test_trap_assert_stderr("*out of memory*");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/util/arena/alloc", test_alloc);
    g_test_add_func("/util/arena/apart", test_apart);
    g_test_add_func("/util/arena/reset", test_reset);
    g_test_add_func("/util/arena/grow", test_grow);
    g_test_add_func("/util/arena/too-much", test_too_much);
    return g_test_run();
}
