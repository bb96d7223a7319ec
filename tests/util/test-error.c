/* SPDX-License-Identifier: GPL-2.0-or-later */
/* util/error, util/str_nearest and util/log. */
#include <errno.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "util/error.h"
#include "util/log.h"
#include "util/str_nearest.h"

static void test_error(void)
{
    Error e = {""};

    g_assert_false(error_is_set(&e));
    errno = ENOENT;
    g_assert_false(error_set_errno(&e, "-D %s", "x"));
    g_assert_cmpstr(e.text, ==, "-D x: No such file or directory");
    g_assert_cmpint(errno, ==, ENOENT);
    g_assert_false(error_prepend(&e, "line %d", 3));
    g_assert_cmpstr(e.text, ==, "line 3: -D x: No such file or directory");
    g_assert_false(error_set(&e, "%s", "short"));
    g_assert_cmpstr(e.text, ==, "short");
    error_clear(&e);
    g_assert_false(error_is_set(&e));
    g_assert_false(error_set(NULL, "nobody listens"));
    g_assert_false(error_prepend(NULL, "nobody listens"));
}

static void test_error_long(void)
{
    Error e;
    char *s = g_strnfill(2000, 'x');

    errno = EPERM;
    error_set(&e, "%s", s);
    g_assert_cmpuint(strlen(e.text), ==, sizeof e.text - 1);
    g_assert_true(g_str_has_suffix(e.text, "x..."));
    error_prepend(&e, "%s", s);
    g_assert_true(g_str_has_suffix(e.text, "..."));
    error_set_errno(&e, "%s", s);
    g_assert_cmpuint(strlen(e.text), ==, sizeof e.text - 1);
    for (size_t n = sizeof e.text - 6; n < sizeof e.text + 2; n++) {
        s[n] = '\0';
        error_set_errno(&e, "%s", s);
        g_assert_cmpuint(strlen(e.text), <, sizeof e.text);
        s[n] = 'x';
    }
    g_free(s);
}

static void test_distance(void)
{
    g_assert_cmpuint(str_distance("", ""), ==, 0);
    g_assert_cmpuint(str_distance("", "abc"), ==, 3);
    g_assert_cmpuint(str_distance("kitten", "sitting"), ==, 3);
    g_assert_cmpuint(str_distance("cortex-a67", "cortex-a76"), ==, 1);
    g_assert_cmpuint(str_distance("Cortex_A76", "cortex-a76"), ==, 0);
    char *s = g_strnfill(1000, 'x');
    g_assert_cmpuint(str_distance(s, "xx"), ==, 61);
    g_free(s);
}

static void test_nearest(void)
{
    static const char *const names[] = {"in_asm", "out_asm", "op", "op_opt", "exec", NULL};

    g_assert_cmpstr(str_nearest_in("in-asm", names), ==, "in_asm");
    g_assert_cmpstr(str_nearest_in("outasm", names), ==, "out_asm");
    g_assert_cmpstr(str_nearest_in("exce", names), ==, "exec");
    g_assert_null(str_nearest_in("wholly-different", names));
    g_assert_null(str_nearest_in("", names));
}

static const LogKind kinds[] = {
    {"in_asm", 1, "guest code"},
    {"op", 2, "IR"},
    {NULL, 0, NULL},
};

static void test_log_kinds(void)
{
    uint32_t on = 0;
    Error e;

    g_assert_true(log_parse_kinds("op,in_asm", kinds, &on, &e));
    g_assert_cmpuint(on, ==, 3);
    g_assert_true(log_parse_kinds("op", kinds, &on, &e));
    g_assert_cmpuint(on, ==, 2);
    g_assert_true(log_parse_kinds("all", kinds, &on, &e));
    g_assert_cmpuint(on, ==, 3);
    g_assert_false(log_parse_kinds("op,inasm", kinds, &on, &e));
    g_assert_cmpuint(on, ==, 3);
    g_assert_cmpstr(e.text, ==,
                    "-d op,inasm: no log kind 'inasm'; did you mean 'in_asm'? "
                    "(-d help lists them)");
    g_assert_false(log_parse_kinds("op,", kinds, &on, &e));
    g_assert_false(log_parse_kinds("", kinds, &on, &e));
}

static void test_log_file(void)
{
    char *dir = g_dir_make_tmp("gemel-log-XXXXXX", NULL);
    char *path = g_strdup_printf("%s/log.%%d", dir);
    char *real = g_strdup_printf("%s/log.%d", dir, getpid());
    char *text = NULL;
    Error e = {""};
    Log log;

    g_assert_true(log_open(&log, path, 2, &e));
    log_printf(&log, 1, "not this\n");
    log_printf(&log, 2, "this %d\n", 1);
    FILE *f = log_begin(&log, 2);
    fputs("and this\n", f);
    log_end(&log);
    g_assert_null(log_begin(&log, 1));
    log_close(&log);
    g_assert_true(g_file_get_contents(real, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "this 1\nand this\n");
    g_assert_cmpint(unlink(real), ==, 0);
    g_assert_cmpint(rmdir(dir), ==, 0);
    g_assert_false(log_open(&log, path, 2, &e));
    g_assert_nonnull(strstr(e.text, "No such file"));
    g_assert_true(log.file == stderr);
    g_free(dir);
    g_free(path);
    g_free(real);
    g_free(text);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/util/error/messages", test_error);
    g_test_add_func("/util/error/long", test_error_long);
    g_test_add_func("/util/str-nearest/distance", test_distance);
    g_test_add_func("/util/str-nearest/nearest", test_nearest);
    g_test_add_func("/util/log/kinds", test_log_kinds);
    g_test_add_func("/util/log/file", test_log_file);
    return g_test_run();
}
