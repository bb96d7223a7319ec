/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Option values: keys, flags, doubled commas, what is refused and how. */
#include <glib.h>
#include <string.h>

#include "util/keyval.h"

static void test_plain(void)
{
    KeyVals kv;
    Error err = {0};
    uint64_t size = 0, n = 0;
    bool on = false, wait = true;
    g_assert_true(keyvals_parse(&kv, "virtio-blk-pci,drive=a,,b,size=2G,n=0x10,readonly,nowait",
                                "driver", &err));
    g_assert_cmpstr(keyvals_get(&kv, "driver"), ==, "virtio-blk-pci");
    g_assert_cmpstr(keyvals_get(&kv, "drive"), ==, "a,b");
    g_assert_true(keyvals_size(&kv, "size", 1, &size, &err) && size == 2ull << 30);
    g_assert_true(keyvals_u64(&kv, "n", &n, &err) && n == 16);
    g_assert_true(keyvals_bool(&kv, "readonly", &on, &err) && on);
    g_assert_true(keyvals_bool(&kv, "wait", &wait, &err) && !wait);
    g_assert_null(keyvals_get(&kv, "absent"));
    g_assert_true(keyvals_finish(&kv, &err));
    keyvals_free(&kv);
}

static void test_refused(void)
{
    static const char *const modes[] = {"writeback", "none", NULL};
    KeyVals kv;
    Error err = {0};
    int mode = -1;
    uint64_t n = 7;
    g_assert_true(keyvals_parse(&kv, "file=x,cahce=none,n=1x,cache=wrteback", NULL, &err));
    g_assert_nonnull(keyvals_get(&kv, "file"));
    g_assert_false(keyvals_u64(&kv, "n", &n, &err));
    g_assert_cmpuint(n, ==, 7);
    g_assert_false(keyvals_enum(&kv, "cache", modes, &mode, &err));
    g_assert_nonnull(strstr(err.text, "did you mean 'writeback'"));
    g_assert_false(keyvals_finish(&kv, &err));
    g_assert_nonnull(strstr(err.text, "unknown key 'cahce' at column 8; did you mean 'cache'?"));
    keyvals_free(&kv);
    g_assert_false(keyvals_parse(&kv, "a=b,=c", NULL, &err));
    keyvals_free(&kv);
}

static void test_sizes(void)
{
    uint64_t v;
    g_assert_true(parse_size("512", 1 << 20, &v) && v == 512ull << 20);
    g_assert_true(parse_size("1.5G", 1, &v) && v == 3ull << 29);
    g_assert_true(parse_size("0x1000", 1, &v) && v == 4096);
    g_assert_true(parse_size("64KiB", 1, &v) && v == 65536);
    g_assert_false(parse_size("16E", 1, &v) && v);
    g_assert_false(parse_size("x", 1, &v));
    g_assert_false(parse_size("1q", 1, &v));
    g_assert_false(parse_size("-1", 1, &v));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/keyval/plain", test_plain);
    g_test_add_func("/keyval/refused", test_refused);
    g_test_add_func("/keyval/sizes", test_sizes);
    return g_test_run();
}
