/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Chardevs without a network: options, short forms, files, FIFOs, ring buffers, pseudo terminals,
 * the mux, the guard of terminals. Sockets: test-socket.c.
 */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "chardev/backends.h"
#include "tests/chardev/front.h"

static char *tmp_path(const char *name)
{
    return g_build_filename(g_get_tmp_dir(), name, NULL);
}

static char *contents(const char *path)
{
    char *text = NULL;
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    return text;
}

/* ---- options */

static void test_bad_options(void)
{
    static const struct {
        const char *spec, *says;
    } rows[] = {
        {"sockat,id=a", "did you mean 'socket'?"},
        {"file,id=a,paht=/x", "did you mean 'path'?"},
        {"file,id=a", "path= is missing"},
        {"file,id=a,path=/nonexistent/x", "No such file"},
        {"file,path=/dev/null", "id= is missing"},
        {"null,id=a,mux=maybe", "maybe"},
        {"ringbuf,id=a,size=1000", "power of two"},
        {"ringbuf,id=a,size=lots", "lots"},
        {"socket,id=a", "path= or port= is missing"},
        {"socket,id=a,path=/tmp/s,port=1", "exclude each other"},
        {"socket,id=a,path=/nonexistent/s", "cannot connect"},
        {"udp,id=a", "port= is missing"},
        {"pipe,id=a,path=/nonexistent/p", "mkfifo"},
        {"serial,id=a,path=/dev/null", "no terminal"},
        {"null,id=a,logfile=/nonexistent/l", "logfile"},
        {"", "which backend"},
    };
    Machine *m = loop_begin();
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        Error err = {0};
        g_assert_null(chardev_new(m, rows[i].spec, &err));
        if (!strstr(err.text, rows[i].says)) {
            g_error("%s: '%s' does not say '%s'", rows[i].spec, err.text, rows[i].says);
        }
    }
    Error err = {0};
    open_spec(m, "null,id=twice");
    g_assert_null(chardev_new(m, "null,id=twice", &err));
    g_assert_nonnull(strstr(err.text, "already"));
    loop_end(m);
}

static void test_short_forms(void)
{
    g_autofree char *file = tmp_path("gemel-form,a"); /* a comma is part of the name */
    g_autofree char *form = g_strconcat("file:", file, NULL);
    const struct {
        const char *form, *label, *says;
    } rows[] = {
        {"null", "null", NULL},
        {"none", NULL, ""},
        {"ringbuf", "ringbuf:65536", NULL},
        {"mon:ringbuf", "mux:ringbuf:65536", NULL},
        {form, "file:", NULL},
        {"tcp::0,server=on,wait=off", "disconnected:tcp:127.0.0.1:", NULL},
        {"telnet::0,server,nowait", "disconnected:telnet:127.0.0.1:", NULL},
        {"udp:127.0.0.1:9@:0", "udp:127.0.0.1:9", NULL},
        {"null:x", NULL, "null:x"},
        {"file:", NULL, "path is missing"},
        {"tcp:1234", NULL, "HOST:PORT"},
        {"unix:", NULL, "path is missing"},
        {"chardev:nobody", NULL, "no -chardev"},
        {"vc", NULL, "not there yet"},
        {"telephone", NULL, "unknown"},
    };
    Machine *m = loop_begin();
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        Error err = {0};
        g_autofree char *id = g_strdup_printf("c%zu", i);
        Chardev *c = chardev_new_short(m, rows[i].form, id, &err);
        g_test_message("%s: %s%s", rows[i].form, c ? c->label : "", err.text);
        g_assert_true((c != NULL) == (rows[i].label != NULL));
        if (c) {
            g_assert_true(g_str_has_prefix(c->label, rows[i].label));
        } else {
            g_assert_true(*rows[i].says ? strstr(err.text, rows[i].says) != NULL
                                        : !error_is_set(&err));
        }
    }
    loop_end(m);
    g_assert_cmpint(g_unlink(file), ==, 0);
}

static void test_help(void)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *f = open_memstream(&text, &bytes);
    g_assert_true(chardev_print_help(NULL, f));
    g_assert_true(chardev_print_help("socket", f));
    g_assert_false(chardev_print_help("sockat", f));
    fclose(f);
    g_assert_nonnull(strstr(text, "ringbuf"));
    g_assert_nonnull(strstr(text, "reconnect-ms=<number>"));
    g_assert_nonnull(strstr(text, "id=<text>"));
    free(text);
}

/* ---- files, FIFOs, ring buffers */

static void test_file(void)
{
    g_autofree char *path = tmp_path("gemel-char-file"), *log = tmp_path("gemel-char-log");
    g_autofree char *spec = g_strdup_printf("file,id=f,path=%s,logfile=%s", path, log);
    g_autofree char *more = g_strdup_printf("file,id=f,path=%s,append=on,input-path=%s", path, log);
    Machine *m = loop_begin();
    put(open_spec(m, spec), "one\n");
    chardev_free_all(m);
    Front f;
    front_attach(&f, open_spec(m, more));
    put(f.c, "two\n");
    LOOP_UNTIL(m, f.in->len == 4); /* what the first one logged */
    g_assert_cmpstr(f.in->str, ==, "one\n");
    front_end(&f);
    loop_end(m);
    g_autofree char *text = contents(path);
    g_assert_cmpstr(text, ==, "one\ntwo\n");
    g_unlink(path);
    g_unlink(log);
}

static void test_pipe(void)
{
    g_autofree char *path = tmp_path("gemel-char-fifo"), *in = g_strconcat(path, ".in", NULL),
                    *out = g_strconcat(path, ".out", NULL);
    g_unlink(in);
    g_unlink(out);
    g_assert_cmpint(mkfifo(in, 0600) | mkfifo(out, 0600), ==, 0);
    g_autofree char *form = g_strconcat("pipe:", path, NULL);
    Machine *m = loop_begin();
    Front f;
    front_attach(&f, chardev_new_short(m, form, "p", NULL));
    int to = open(in, O_WRONLY), from = open(out, O_RDONLY);
    char buf[8] = "";
    put(f.c, "hello");
    g_assert_cmpint(read(from, buf, sizeof buf), ==, 5);
    g_assert_cmpint(write(to, "world", 5), ==, 5);
    LOOP_UNTIL(m, f.in->len == 5);
    g_assert_cmpstr(f.in->str, ==, "world");
    close(to);
    close(from);
    front_end(&f);
    loop_end(m);
    g_unlink(in);
    g_unlink(out);
}

static void test_ringbuf(void)
{
    Machine *m = loop_begin();
    Front f;
    uint8_t buf[64];
    front_attach(&f, open_spec(m, "ringbuf,id=r,size=16"));
    put(f.c, "0123456789abcdefXYZ");
    g_assert_cmpuint(chardev_ringbuf_read(f.c, buf, 4), ==, 4);
    g_assert_cmpmem(buf, 4, "3456", 4);
    g_assert_cmpuint(chardev_ringbuf_read(f.c, buf, sizeof buf), ==, 12);
    g_assert_cmpmem(buf, 12, "789abcdefXYZ", 12);
    f.room = 3;
    g_assert_cmpuint(chardev_ringbuf_inject(f.c, (const uint8_t *)"input", 5), ==, 3);
    g_assert_cmpstr(f.in->str, ==, "inp");
    f.room = 9;
    f.free_it = true; /* out of its own callback */
    g_assert_cmpuint(chardev_ringbuf_inject(f.c, (const uint8_t *)"x", 1), ==, 1);
    g_assert_null(f.c);
    g_assert_null(chardev_by_id(m, "r"));
    front_end(&f);
    loop_end(m);
}

/* ---- terminals */

static void test_pty(void)
{
    g_autofree char *link = tmp_path("gemel-char-pty");
    g_autofree char *spec = g_strdup_printf("pty,id=p,path=%s", link);
    g_unlink(link);
    Machine *m = loop_begin();
    Front f;
    char buf[16];
    front_attach(&f, open_spec(m, spec));
    g_assert_true(g_str_has_prefix(f.c->label, "pty:/dev/pts/"));
    put(f.c, "nobody hears this");
    for (unsigned round = 1; round <= 2; round++) { /* somebody comes, goes, comes again */
        int slave = open(link, O_RDWR | O_NOCTTY);
        g_assert_cmpint(slave, >=, 0);
        LOOP_UNTIL(m, f.opened == round);
        put(f.c, "boot\r\n");
        g_assert_cmpint(read(slave, buf, sizeof buf), ==, 6);
        g_assert_cmpmem(buf, 6, "boot\r\n", 6);
        g_assert_cmpint(write(slave, "\003ls\r", 4), ==, 4);
        LOOP_UNTIL(m, f.in->len == 4);
        g_assert_cmpstr(f.in->str, ==, "\003ls\r");
        g_string_truncate(f.in, 0);
        close(slave);
        LOOP_UNTIL(m, f.closed == round);
    }
    front_end(&f);
    loop_end(m);
    g_assert_cmpint(g_access(link, F_OK), !=, 0);
}

static int new_pty(char *name, size_t bytes)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    g_assert_cmpint(master, >=, 0);
    g_assert_cmpint(grantpt(master) | unlockpt(master) | ptsname_r(master, name, bytes), ==, 0);
    return master;
}

static void test_serial(void)
{
    char name[64], buf[16];
    int master = new_pty(name, sizeof name);
    g_autofree char *spec = g_strdup_printf("serial,id=s,path=%s", name);
    Machine *m = loop_begin();
    Front f;
    front_attach(&f, open_spec(m, spec));
    put(f.c, "AT\n");
    g_assert_cmpint(read(master, buf, sizeof buf), ==, 3); /* raw: no \r was added */
    f.c->ops->set_params(f.c, 9600, 7, 'E', 2);
    struct termios t;
    g_assert_cmpint(tcgetattr(master, &t), ==, 0);
    g_assert_cmpuint(cfgetospeed(&t), ==, B9600);
    g_assert_true(t.c_cflag & CSTOPB);
    g_assert_cmpint(write(master, "OK\r", 3), ==, 3);
    LOOP_UNTIL(m, f.in->len == 3);
    front_end(&f);
    loop_end(m);
    close(master);
}

static bool same_mode(int fd, const struct termios *t)
{
    struct termios now;
    return tcgetattr(fd, &now) == 0 && now.c_lflag == t->c_lflag && now.c_iflag == t->c_iflag;
}

/* A process that puts the terminal into raw mode and is killed without a chance to clean up. */
static void test_tty_guard(void)
{
    char name[64], byte;
    int master = new_pty(name, sizeof name), ready[2];
    int slave = open(name, O_RDWR | O_NOCTTY);
    struct termios before;
    g_assert_cmpint(tcgetattr(slave, &before), ==, 0);
    g_assert_true(before.c_lflag & ICANON);
    g_assert_cmpint(pipe(ready), ==, 0);
    pid_t child = fork();
    if (child == 0) {
        tty_raw(slave, false);
        byte = '!';
        while (write(ready[1], &byte, 1) != 1) {
        }
        for (;;) {
            pause();
        }
    }
    g_assert_cmpint(read(ready[0], &byte, 1), ==, 1);
    g_assert_false(same_mode(slave, &before));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    for (int i = 0; !same_mode(slave, &before); i++) {
        g_assert_cmpint(i, <, 5000);
        g_usleep(1000);
    }
    /* The orderly way. */
    TtyGuard *g = tty_raw(slave, true);
    g_assert_false(same_mode(slave, &before));
    tty_restore(g);
    g_assert_true(same_mode(slave, &before));
    g_assert_null(tty_raw(ready[0], true)); /* no terminal: nothing to do */
    close(ready[0]);
    close(ready[1]);
    close(slave);
    close(master);
}

/* ---- mux: a ring buffer below is what the terminal would be */

typedef struct Terminal {
    Machine *m;
    Chardev *below, *mux;
    Front a, b;
} Terminal;

static Terminal *terminal_new(void)
{
    Terminal *t = g_new0(Terminal, 1);
    ChardevOptions o = {.id = "below", .size_bytes = 4096};
    t->m = loop_begin();
    t->below = char_ringbuf_open(t->m, &o, NULL);
    t->mux = chardev_mux_new(t->m, "mux", t->below, NULL);
    g_assert_true(chardev_add(t->m, t->mux));
    front_attach(&t->a, chardev_by_id(t->m, "mux"));
    front_attach(&t->b, chardev_by_id(t->m, "mux"));
    return t;
}

static void terminal_free(Terminal *t)
{
    front_end(&t->a);
    front_end(&t->b);
    loop_end(t->m);
    g_free(t);
}

static void type(Terminal *t, const char *keys)
{
    chardev_ringbuf_inject(t->below, (const uint8_t *)keys, strlen(keys));
    loop_turn(t->m);
    loop_turn(t->m);
}

static char *screen(Terminal *t)
{
    char *text = g_malloc0(4097);
    chardev_ringbuf_read(t->below, (uint8_t *)text, 4096);
    return text;
}

static void note_commit(void *opaque)
{
    ++*(unsigned *)opaque;
}

static void test_mux_keys(void)
{
    Terminal *t = terminal_new();
    unsigned commits = 0;
    g_assert_cmpuint(t->a.focused, ==, 1);
    g_assert_cmpuint(t->b.focused, ==, 0);
    type(t, "ls\001\001x");
    g_assert_cmpstr(t->a.in->str, ==, "ls\001x");
    type(t, "\001b");
    g_assert_cmpuint(t->a.breaks, ==, 1);
    g_assert_cmpuint(t->b.breaks, ==, 0);
    type(t, "\001c"
            "info");
    g_assert_cmpuint(t->b.focused, ==, 1);
    g_assert_cmpstr(t->b.in->str, ==, "info");
    type(t, "\001s");
    g_autofree char *none = screen(t);
    g_assert_nonnull(strstr(none, "nothing to save"));
    chardev_mux_on_commit(t->mux, note_commit, &commits);
    type(t, "\001s");
    g_assert_cmpuint(commits, ==, 1);
    type(t, "\001h");
    g_autofree char *help = screen(t);
    g_assert_nonnull(strstr(help, "C-a x"));
    type(t, "\001t");
    put(t->a.c, "one\ntwo\n");
    g_autofree char *stamped = screen(t);
    g_assert_true(g_str_has_prefix(stamped, "one\n[00:00:00."));
    type(t, "\001t");
    put(t->b.c, "plain");
    g_autofree char *plain = screen(t);
    g_assert_cmpstr(plain, ==, "plain");
    g_assert_true(chardev_is_mux(t->mux) && chardev_is_mux_port(t->a.c));
    terminal_free(t);
}

static void test_mux_quit(void)
{
    Terminal *t = terminal_new();
    type(t, "\001x");
    machine_unlock(t->m);
    g_assert_cmpint(machine_run(t->m), ==, 0); /* returns at once */
    machine_lock(t->m);
    terminal_free(t);
}

/* A front end without room keeps what was typed, and the escape key still works. */
static void test_mux_flow(void)
{
    Terminal *t = terminal_new();
    t->a.room = 2;
    type(t, "abcd\001c"
            "ef");
    g_assert_cmpstr(t->a.in->str, ==, "ab");
    g_assert_cmpstr(t->b.in->str, ==, "ef");
    t->a.room = 10;
    chardev_accept_input(t->a.c);
    g_assert_cmpstr(t->a.in->str, ==, "ab"); /* not out of this call: on the loop */
    LOOP_UNTIL(t->m, t->a.in->len == 4);
    g_assert_cmpstr(t->a.in->str, ==, "abcd");
    /* The one in focus is stuck, its buffer full: after a while keys are dropped, but Ctrl-A c not.
     */
    t->b.room = 0;
    g_autofree char *flood = g_strnfill(3000, 'z');
    type(t, flood);
    type(t, flood);
    for (int i = 0; i < 1200; i++) {
        loop_turn(t->m);
    }
    type(t, "\001");
    type(t, "c");
    g_assert_cmpuint(t->a.focused, ==, 2);
    terminal_free(t);
}

static void test_mux_limits(void)
{
    Terminal *t = terminal_new();
    for (unsigned i = 2; i < MUX_MAX_PORTS; i++) {
        g_assert_nonnull(chardev_mux_port(t->mux));
    }
    g_assert_null(chardev_mux_port(t->mux));
    Error err = {0};
    ChardevFront front = {front_room, front_receive, NULL, NULL, &t->a};
    g_assert_false(chardev_attach(t->a.c, &front, &err));
    g_assert_nonnull(strstr(err.text, "mux=on"));
    chardev_mux_focus(t->mux, 99);
    g_assert_cmpuint(t->a.focused, ==, 1);
    terminal_free(t);
}

/* Each byte once, in order, whatever the front end does while it is given some. */
static void test_mux_asked_inside(void)
{
    Terminal *t = terminal_new();
    t->a.room = 0;
    t->a.asks = true;
    type(t, "stop\rsavevm\r");
    t->a.room = 1 << 20;
    chardev_accept_input(t->a.c);
    type(t, "info\r");
    g_assert_cmpstr(t->a.in->str, ==, "stop\rsavevm\rinfo\r");
    terminal_free(t);
}

static void test_mux_free_inside(void)
{
    Terminal *t = terminal_new();
    t->a.owner = t->mux;
    t->a.free_it = true;
    type(t, "xyz\001c"
            "more");
    LOOP_UNTIL(t->m, !t->a.c);
    g_assert_null(chardev_by_id(t->m, "mux"));
    terminal_free(t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/chardev/bad-options", test_bad_options);
    g_test_add_func("/chardev/short-forms", test_short_forms);
    g_test_add_func("/chardev/help", test_help);
    g_test_add_func("/chardev/file", test_file);
    g_test_add_func("/chardev/pipe", test_pipe);
    g_test_add_func("/chardev/ringbuf", test_ringbuf);
    g_test_add_func("/chardev/pty", test_pty);
    g_test_add_func("/chardev/serial", test_serial);
    g_test_add_func("/chardev/tty-guard", test_tty_guard);
    g_test_add_func("/chardev/mux/keys", test_mux_keys);
    g_test_add_func("/chardev/mux/quit", test_mux_quit);
    g_test_add_func("/chardev/mux/flow", test_mux_flow);
    g_test_add_func("/chardev/mux/limits", test_mux_limits);
    g_test_add_func("/chardev/mux/asked-inside", test_mux_asked_inside);
    g_test_add_func("/chardev/mux/free-inside", test_mux_free_inside);
    return g_test_run();
}
