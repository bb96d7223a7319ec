/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The monitor for people: the line editor byte by byte, completion, every command of the table with
 * too few and too many words, what the commands ask of the composer, and some seconds of noise.
 */
#include <glib/gstdio.h>
#include <unistd.h>

#include "monitor/edit.h"
#include "monitor/private.h"
#include "tests/monitor/rig.h"

static void collect(void *opaque, const char *line)
{
    g_string_append_printf(opaque, "%s\n", line);
}

/* One command; its output, until the next one. */
static const char *say(Rig *r, const char *line)
{
    g_string_truncate(r->out, 0);
    g_string_truncate(r->asked, 0);
    g_string_truncate(r->keys, 0);
    monitor_execute(&r->c, line, collect, r->out);
    return r->out->str;
}

/* ---- the editor */

typedef struct Lines {
    Editor e;
    GString *entered, *shown;
} Lines;

static void on_out(void *opaque, const char *text, size_t bytes)
{
    g_string_append_len(((Lines *)opaque)->shown, text, (gssize)bytes);
}

static void on_enter(void *opaque, const char *line)
{
    g_string_append_printf(((Lines *)opaque)->entered, "%s|", line);
}

static void on_complete(void *opaque, const char *line)
{
    edit_insert(&((Lines *)opaque)->e, line[0] ? "+" : "?");
}

static char *edited(const char *keys, size_t bytes)
{
    Lines l = {.entered = g_string_new(NULL), .shown = g_string_new(NULL)};
    edit_init(&l.e, "> ");
    l.e.out = on_out;
    l.e.enter = on_enter;
    l.e.complete = on_complete;
    l.e.opaque = &l;
    for (size_t i = 0; i < bytes; i++) {
        edit_byte(&l.e, (uint8_t)keys[i]);
    }
    edit_free(&l.e);
    g_string_free(l.shown, TRUE);
    return g_string_free(l.entered, FALSE);
}

static void test_editor(void)
{
    static const struct {
        const char *keys, *lines;
    } rows[] = {
        {"abc\r", "abc|"},
        {"abc\r\ndef\n", "abc|def|"}, /* \r\n is one end */
        {"a\n\nb\n", "a||b|"},
        {"abd\bc\r", "abc|"},
        {"abd\177c\r", "abc|"},
        {"bc\001a\r", "abc|"},           /* Ctrl-A */
        {"ac\002b\005d\r", "abcd|"},     /* Ctrl-B, Ctrl-E */
        {"ac\033[Db\033[Cd\r", "abcd|"}, /* left, right */
        {"bc\033[Ha\033[Fd\r", "abcd|"}, /* Home, End */
        {"bc\033[1~a\033[4~d\r", "abcd|"},
        {"xabc\001\004\r", "abc|"},                /* Ctrl-D */
        {"xabc\001\033[3~\r", "abc|"},             /* Delete */
        {"one two three\027\027x\r", "one x|"},    /* Ctrl-W */
        {"junk\025abc\r", "abc|"},                 /* Ctrl-U */
        {"abcjunk\002\002\002\002\013\r", "abc|"}, /* Ctrl-K */
        {"a\rb\r\033[A\033[A\r", "a|b|a|"},        /* history */
        {"a\rb\r\020\020\016\r", "a|b|b|"},        /* Ctrl-P P N */
        {"a\r\033[A\033[Bnew\r", "a|new|"},        /* below the newest: an empty line */
        {"a\r\033[A\033[A\033[A\r", "a|a|"},       /* above the oldest: stays */
        {"i\t\r", "i+|"},
        {"\t\r", "?|"},
        {"a\033[99;5Zb\r", "ab|"}, /* unknown sequences leave nothing behind */
        {"a\033Ob\r", "a|"},
        {"ab\033[11~\033[1;5Dx\r", "axb|"},    /* F1: nothing; Ctrl-left: left */
        {"\004\013\025\027\002\006\177\r", "|"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *got = edited(rows[i].keys, strlen(rows[i].keys));
        g_assert_cmpstr(got, ==, rows[i].lines);
    }
    /* History is a ring; a line has a limit. */
    g_autoptr(GString) keys = g_string_new(NULL);
    for (int i = 0; i < 100; i++) {
        g_string_append_printf(keys, "%d\r", i);
    }
    for (int i = 0; i < 80; i++) {
        g_string_append(keys, "\033[A");
    }
    g_string_append(keys, "\r");
    g_autofree char *got = edited(keys->str, keys->len);
    g_assert_true(g_str_has_suffix(got, "|99|36|"));
    g_autofree char *flood = g_strnfill(10000, 'x'), *line = g_strconcat(flood, "\r", NULL);
    g_autofree char *cut = edited(line, strlen(line));
    g_assert_cmpuint(strlen(cut), <, 5000);
}

/* ---- on a stream */

static void test_stream(void)
{
    Rig *r = rig_new();
    Chardev *c = chardev_new(r->m, "ringbuf,id=mon", NULL);
    Error err = {0};
    Monitor *mon = monitor_new(&r->c, c, false, &err);
    g_assert_nonnull(mon);
    g_assert_nonnull(strstr(rig_read(r, c), "(gemel) "));
    g_assert_null(monitor_new(&r->c, c, false, &err));
    rig_type(c, "info status\r");
    g_assert_nonnull(strstr(rig_read(r, c), "VM status: paused (prelaunch)\r\n(gemel) "));
    rig_type(c, "info sta\t\r"); /* completes to the only word */
    g_assert_nonnull(strstr(rig_read(r, c), "VM status: "));
    rig_type(c, "system_\t"); /* two: shows them */
    const char *seen = rig_read(r, c);
    g_assert_true(strstr(seen, "system_reset") && strstr(seen, "system_powerdown"));
    rig_type(c, "\025device_del d\t\r");
    rig_read(r, c);
    g_assert_cmpstr(r->asked->str, ==, "device_del(demo0)");
    rig_type(c, "zzz\t\t\r");
    g_assert_nonnull(strstr(rig_read(r, c), "unknown command: 'zzz'"));
    monitor_free(mon);
    rig_free(r);
}

static void test_mux(void)
{
    Rig *r = rig_new();
    Chardev *x = chardev_new(r->m, "null,id=mux,mux=on", NULL),
            *serial = chardev_by_id(r->m, "mux");
    g_assert_nonnull(serial);
    Monitor *mon = monitor_new(&r->c, chardev_by_id(r->m, "mux"), true, NULL);
    g_assert_nonnull(mon);
    chardev_mux_focus(x, 1);
    monitor_free(mon);
    rig_free(r);
}

/* ---- commands */

/* How many words a row wants at least; most: SIZE_MAX when a list. */
static unsigned least(const char *args)
{
    unsigned n = 0;
    g_auto(GStrv) words = g_strsplit(args, " ", -1);
    for (char **w = words; *w; w++) {
        n += **w && **w != '[';
    }
    return n;
}

static void check_usage(Rig *r, const Command *table, const char *prefix)
{
    for (const Command *c = table; c->name; c++) {
        g_autofree char *usage = g_strdup_printf("usage: %s", c->name);
        g_assert_nonnull(c->help);
        if (least(c->args)) {
            g_autofree char *bare = g_strconcat(prefix, c->name, NULL);
            g_assert_true(g_str_has_prefix(say(r, bare), usage));
        }
        if (!strstr(c->args, "...") && c->run) {
            g_autofree char *many = g_strconcat(prefix, c->name, " 1 2 3 4 5 6 7 8", NULL);
            g_assert_true(g_str_has_prefix(say(r, many), usage));
        }
        if (!*prefix) {
            g_autofree char *help = g_strconcat("help ", c->name, NULL);
            g_assert_true(g_str_has_prefix(say(r, help), c->name));
            g_assert_nonnull(strstr(say(r, "help"), c->name));
        } else {
            g_assert_nonnull(strstr(say(r, "info"), c->name));
            g_assert_nonnull(strstr(say(r, "help info"), c->name));
        }
    }
}

static void test_usage(void)
{
    Rig *r = rig_new();
    check_usage(r, monitor_commands, "");
    check_usage(r, monitor_infos, "info ");
    g_assert_nonnull(strstr(say(r, "quti"), "did you mean 'quit'?"));
    g_assert_nonnull(strstr(say(r, "info statsu"), "did you mean 'status'?"));
    g_assert_cmpstr(say(r, ""), ==, "");
    g_assert_cmpstr(say(r, "# a remark"), ==, "");
    g_assert_nonnull(strstr(say(r, "help nothing"), "no command"));
    rig_free(r);
}

static void test_commands(void)
{
    static const struct {
        const char *line, *asks;
    } rows[] = {
        {"savevm", "savevm()"},
        {"savevm \"two words\"", "savevm(two words)"},
        {"loadvm a", "loadvm(a)"},
        {"delvm a", "delvm(a)"},
        {"screendump f.png", "screendump(,f.png)"},
        {"screendump f.ppm gpu", "screendump(gpu,f.ppm)"},
        {"device_add virtio-rng-pci,id=r", "device_add(virtio-rng-pci,id=r)"},
        {"device_del r", "device_del(r)"},
        {"eject cd", "eject(cd)"},
        {"eject -f cd", "eject(cd)"},
        {"change cd b.iso", "change(cd,b.iso)"},
        {"change vnc password secret", "set_vnc_password(secret)"},
        {"hostfwd_add tcp::2222-:22", "hostfwd_add(,tcp::2222-:22)"},
        {"hostfwd_add net0 tcp::2222-:22", "hostfwd_add(net0,tcp::2222-:22)"},
        {"hostfwd_remove tcp::2222", "hostfwd_remove(,tcp::2222)"},
        {"balloon 64", "balloon(67108864)"},
        {"block_resize hd 1G", "block_resize(hd,1073741824)"},
        {"ringbuf_write rb hello there", "ringbuf_write(rb)"},
    };
    Rig *r = rig_new();
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        r->refuse = false;
        g_assert_cmpstr(say(r, rows[i].line), ==, "");
        g_assert_cmpstr(r->asked->str, ==, rows[i].asks);
        r->refuse = true;
        const char *out = say(r, rows[i].line);
        g_assert_true(g_str_has_prefix(out, "Error: ") && strstr(out, ": refused\n"));
    }
    /* A machine that has none of it says so. */
    r->c = (MonitorContext){.machine = r->m, .isa = "aarch64"};
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_assert_true(g_str_has_prefix(say(r, rows[i].line), "Error: "));
    }
    rig_free(r);
}

static void test_info(void)
{
    Rig *r = rig_new();
    for (const Command *c = monitor_infos; c->name;
         c++) { /* none of them may fall over, with or without lists */
        g_autofree char *line = g_strconcat("info ", c->name, NULL);
        say(r, line);
        MonitorContext all = r->c;
        r->c = (MonitorContext){.machine = r->m, .isa = "aarch64"};
        say(r, line);
        r->c = all;
    }
    g_assert_nonnull(strstr(say(r, "info qtree"), "demo0"));
    g_assert_nonnull(strstr(say(r, "info mtree"), "ram"));
    g_assert_nonnull(strstr(say(r, "info network"), "net0"));
    g_assert_nonnull(strstr(say(r, "info balloon"), "actual=64"));
    g_assert_cmpstr(say(r, "info name"), ==, "rig\n");
    say(r, "set_link net0 off");
    g_assert_nonnull(strstr(say(r, "info network"), "link down"));
    g_assert_nonnull(strstr(say(r, "set_link net1 off"), "Error"));
    g_assert_nonnull(strstr(say(r, "set_link net0 sideways"), "Error"));
    rig_free(r);
}

static void test_running(void)
{
    Rig *r = rig_new();
    say(r, "cont");
    g_assert_cmpstr(say(r, "info status"), ==, "VM status: running\n");
    say(r, "stop");
    g_assert_cmpstr(say(r, "info status"), ==, "VM status: paused\n");
    say(r, "c");
    g_assert_cmpstr(say(r, "info status"), ==, "VM status: running\n");
    say(r, "system_reset");
    say(r, "quit");
    machine_unlock(r->m);
    g_assert_cmpint(machine_run(r->m), ==, 0);
    machine_lock(r->m);
    rig_free(r);
}

static void test_input(void)
{
    Rig *r = rig_new();
    g_assert_cmpstr(say(r, "sendkey ctrl-a"), ==, "");
    g_assert_cmpstr(r->keys->str, ==, "k29:1 k30:1 k30:0 k29:0 ");
    g_assert_nonnull(strstr(say(r, "sendkey ctrl-nokey"), "unknown key 'nokey'"));
    g_assert_cmpstr(r->keys->str, ==, "");
    say(r, "mouse_move 3 4"); /* somebody takes positions */
    g_assert_cmpstr(r->keys->str, ==, "a0:3 a1:4 ");
    r->sink.kinds &= ~(1u << INPUT_ABS);
    say(r, "mouse_move 3 -4");
    g_assert_true(strstr(r->keys->str, "0:3") && strstr(r->keys->str, "1:-4"));
    say(r, "mouse_button 1");
    g_assert_nonnull(strstr(r->keys->str, "b272:1"));
    g_assert_nonnull(strstr(say(r, "mouse_move 3 up"), "not a number"));
    rig_free(r);
}

static void test_memory(void)
{
    Rig *r = rig_new();
    g_autofree char *path = g_build_filename(g_get_tmp_dir(), "gemel-pmemsave", NULL),
                    *saved = NULL;
    g_autofree char *line = g_strdup_printf("pmemsave 0x40000000 4 %s", path);
    uint8_t bytes[] = {0x78, 0x56, 0x34, 0x12, 0xff, 0xff, 0xff, 0xff};
    gsize n;
    g_assert_cmpint(mem_write(r->m->as, 0x40000000, bytes, sizeof bytes, MEM_ATTRS_DEBUG), ==,
                    MEM_OK);
    g_assert_cmpstr(say(r, "xp /xw 0x40000000"), ==, "0000000040000000: 0x12345678\n");
    g_assert_cmpstr(say(r, "xp 0x40000000"), ==, "0000000040000000: 0x12345678\n");
    g_assert_cmpstr(say(r, "xp /1dw 0x40000004"), ==, "0000000040000004: -1\n");
    g_assert_cmpstr(say(r, "xp /2c 0x40000000"), ==, "0000000040000000: 'x' 'V'\n");
    g_assert_nonnull(strstr(say(r, "xp /2xg 0x400ffff8"), "Cannot access memory at 0x40100000"));
    g_assert_nonnull(strstr(say(r, "xp /xq 0"), "Error"));
    g_assert_nonnull(strstr(say(r, "xp here"), "not a number"));
    g_assert_nonnull(strstr(say(r, "gva2gpa 0"), "Unmapped")); /* no CPU */
    g_assert_cmpstr(say(r, "print /x 255"), ==, "0xff\n");
    g_assert_cmpstr(say(r, "p /d 0xff"), ==, "255\n");
    g_assert_cmpstr(say(r, line), ==, "");
    g_assert_true(g_file_get_contents(path, &saved, &n, NULL));
    g_assert_cmpmem(saved, n, bytes, 4);
    g_unlink(path);
    g_assert_nonnull(strstr(say(r, "pmemsave 0x40000000 4 /nonexistent/f"), "Error"));
    rig_free(r);
}

static void test_ringbuf(void)
{
    Rig *r = rig_new();
    Chardev *c = chardev_new(r->m, "ringbuf,id=rb", NULL);
    chardev_write(c, "one\ntwo\033[2J\n", 12);
    g_assert_cmpstr(say(r, "ringbuf_read rb 4"), ==, "one\n");
    g_assert_cmpstr(say(r, "ringbuf_read rb 100"), ==,
                    "two [2J\n"); /* no escape sequences of a guest */
    g_assert_cmpstr(say(r, "ringbuf_read rb 100"), ==, "");
    g_assert_nonnull(strstr(say(r, "ringbuf_read none 1"), "no chardev"));
    rig_free(r);
}

/* Bytes of all kinds, and words of the table in any order: neither may end the process. */
static void test_fuzz(void)
{
    Rig *r = rig_new();
    Chardev *c = chardev_new(r->m, "ringbuf,id=mon", NULL);
    Monitor *mon = monitor_new(&r->c, c, false, NULL);
    int64_t until = g_get_monotonic_time() + (g_test_quick() ? 1 : 5) * G_TIME_SPAN_SECOND;
    static const char *const words[] = {
        "info", "/4x", "0x40000000",           "demo0", "net0",    "on",
        "-f",   "\"",  "99999999999999999999", "%s%n",  "ctrl-a-b"};
    unsigned n_commands = 0, n_infos = 0, rounds = 0;
    while (monitor_commands[n_commands].name) {
        n_commands++;
    }
    while (monitor_infos[n_infos].name) {
        n_infos++;
    }
    while (g_get_monotonic_time() < until) {
        g_autoptr(GString) line = g_string_new(NULL);
        for (int i = g_test_rand_int_range(0, 6); i >= 0; i--) {
            switch (g_test_rand_int_range(0, 4)) {
            case 0:
                g_string_append(line,
                                monitor_commands[g_test_rand_int_range(0, (int)n_commands)].name);
                break;
            case 1:
                g_string_append(line, monitor_infos[g_test_rand_int_range(0, (int)n_infos)].name);
                break;
            case 2:
                g_string_append(line, words[g_test_rand_int_range(0, G_N_ELEMENTS(words))]);
                break;
            default: g_string_append_c(line, (char)g_test_rand_int_range(1, 256)); break;
            }
            g_string_append_c(line, " \t\r\033"[g_test_rand_int_range(0, 4)]);
        }
        if (!strstr(line->str, "memsave") && !strstr(line->str, "quit") && line->str[0] != 'q') {
            rig_type(c, line->str);
        }
        rig_read(r, c);
        rounds++;
    }
    g_test_message("%u lines", rounds);
    monitor_free(mon);
    rig_free(r);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/monitor/editor", test_editor);
    g_test_add_func("/monitor/stream", test_stream);
    g_test_add_func("/monitor/mux", test_mux);
    g_test_add_func("/monitor/usage", test_usage);
    g_test_add_func("/monitor/commands", test_commands);
    g_test_add_func("/monitor/info", test_info);
    g_test_add_func("/monitor/running", test_running);
    g_test_add_func("/monitor/input", test_input);
    g_test_add_func("/monitor/memory", test_memory);
    g_test_add_func("/monitor/ringbuf", test_ringbuf);
    g_test_add_func("/monitor/fuzz", test_fuzz);
    return g_test_run();
}
