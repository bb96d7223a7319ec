/* SPDX-License-Identifier: GPL-2.0-or-later */
/* util/bits: each function against a plain loop over bits. */
#include <glib.h>

#include "util/bits.h"

static void test_memory(void)
{
    static const uint8_t b[9] = {0xff, 1, 2, 3, 4, 5, 6, 7, 0x88};
    uint8_t out[9] = {0};

    g_assert_cmphex(load_le16(b + 1), ==, 0x0201);
    g_assert_cmphex(load_be16(b + 1), ==, 0x0102);
    g_assert_cmphex(load_le32(b + 1), ==, 0x04030201);
    g_assert_cmphex(load_be32(b + 1), ==, 0x01020304);
    g_assert_cmphex(load_le64(b + 1), ==, 0x8807060504030201);
    g_assert_cmphex(load_be64(b + 1), ==, 0x0102030405060788);
    store_le64(out + 1, load_le64(b + 1));
    g_assert_cmpmem(out + 1, 8, b + 1, 8);
    store_be64(out + 1, load_be64(b + 1));
    g_assert_cmpmem(out + 1, 8, b + 1, 8);
    store_be32(out + 1, load_be32(b + 1));
    store_le32(out + 5, load_le32(b + 5));
    g_assert_cmpmem(out + 1, 8, b + 1, 8);
    store_be16(out + 1, load_be16(b + 1));
    store_le16(out + 3, load_le16(b + 3));
    g_assert_cmpmem(out + 1, 8, b + 1, 8);
    g_assert_cmpint(out[0], ==, 0);
}

static uint64_t plain_extract(uint64_t v, unsigned start, unsigned len)
{
    uint64_t r = 0;
    for (unsigned i = 0; i < len; i++) {
        r |= (v >> (start + i) & 1) << i;
    }
    return r;
}

static void check_field(uint64_t v, uint64_t f, unsigned start, unsigned len)
{
    uint64_t got = plain_extract(v, start, len);
    uint64_t sign = got >> (len - 1) & 1;
    int64_t sgot = (int64_t)(got | (sign && len < 64 ? ~(((uint64_t)1 << len) - 1) : 0));
    uint64_t put = deposit64(v, start, len, f);

    g_assert_cmphex(extract64(v, start, len), ==, got);
    g_assert_cmpint(sextract64(v, start, len), ==, sgot);
    g_assert_cmphex(plain_extract(put, start, len), ==, f & mask64(len));
    g_assert_cmphex(put & ~(mask64(len) << start), ==, v & ~(mask64(len) << start));
    if (start + len <= 32) {
        g_assert_cmphex(extract32((uint32_t)v, start, len), ==, got);
        g_assert_cmpint(sextract32((uint32_t)v, start, len), ==, sgot);
        g_assert_cmphex(deposit32((uint32_t)v, start, len, (uint32_t)f), ==, (uint32_t)put);
    }
}

static void test_fields(void)
{
    GRand *rand = g_rand_new_with_seed(2);

    for (unsigned start = 0; start < 64; start++) {
        for (unsigned len = 1; start + len <= 64; len++) {
            uint64_t v = (uint64_t)g_rand_int(rand) << 32 | g_rand_int(rand);
            check_field(v, ~v * 3, start, len);
            check_field(0, UINT64_MAX, start, len);
            check_field(UINT64_MAX, 0, start, len);
        }
    }
    g_assert_cmphex(mask64(0), ==, 0);
    g_assert_cmphex(mask64(64), ==, UINT64_MAX);
    g_assert_cmpint(sign_extend64(0x80, 8), ==, -128);
    g_rand_free(rand);
}

static void test_counts(void)
{
    g_assert_cmpuint(clz32(0), ==, 32);
    g_assert_cmpuint(clz64(0), ==, 64);
    g_assert_cmpuint(ctz32(0), ==, 32);
    g_assert_cmpuint(ctz64(0), ==, 64);
    for (unsigned i = 0; i < 64; i++) {
        uint64_t v = (uint64_t)1 << i;
        g_assert_cmpuint(clz64(v | v >> 1), ==, 63 - i);
        g_assert_cmpuint(ctz64(v | v << 1), ==, i);
        g_assert_cmpuint(popcount64(v - 1), ==, i);
        g_assert_cmphex(bit_reverse64(v), ==, (uint64_t)1 << (63 - i));
        g_assert_true(is_pow2(v));
        g_assert_cmphex(ror64(v, i + 64), ==, 1);
        if (i < 32) {
            g_assert_cmpuint(clz32((uint32_t)v), ==, 31 - i);
            g_assert_cmpuint(ctz32((uint32_t)v), ==, i);
            g_assert_cmphex(bit_reverse32((uint32_t)v), ==, (uint32_t)1 << (31 - i));
            g_assert_cmphex(ror32((uint32_t)v, i), ==, 1);
        }
    }
    g_assert_cmphex(ror_bits(0x9, 4, 1), ==, 0xc);
    g_assert_cmphex(ror_bits(0x9, 4, 0), ==, 0x9);
    g_assert_false(is_pow2(0));
    g_assert_false(is_pow2(6));
}

static void test_sizes(void)
{
    g_assert_cmphex(align_up(0x1001, 0x1000), ==, 0x2000);
    g_assert_cmphex(align_up(0x1000, 0x1000), ==, 0x1000);
    g_assert_cmphex(align_up(UINT64_MAX, 0x1000), ==, 0);
    g_assert_cmphex(align_down(0x1fff, 0x1000), ==, 0x1000);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/util/bits/memory", test_memory);
    g_test_add_func("/util/bits/fields", test_fields);
    g_test_add_func("/util/bits/counts", test_counts);
    g_test_add_func("/util/bits/sizes", test_sizes);
    return g_test_run();
}
