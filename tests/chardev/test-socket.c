/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Chardevs on real sockets: servers, clients, telnet, datagrams, slow and vanishing peers. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "chardev/backends.h"
#include "tests/chardev/front.h"

static char *tmp_path(const char *name)
{
    char *path = g_build_filename(g_get_tmp_dir(), name, NULL);
    g_unlink(path);
    return path;
}

static int unix_socket(const char *path, bool listening)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    g_strlcpy(a.sun_path, path, sizeof a.sun_path);
    int s = socket(AF_UNIX, SOCK_STREAM, 0);
    int r = listening ? bind(s, (struct sockaddr *)&a, sizeof a) | listen(s, 1)
                      : connect(s, (struct sockaddr *)&a, sizeof a);
    g_assert_cmpint(r, ==, 0);
    return s;
}

static int tcp_client(const char *label)
{
    const char *port = strrchr(strstr(label, "127.0.0.1:"), ':') + 1;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int s = socket(AF_INET, SOCK_STREAM, 0);
    g_assert_cmpint(connect(s, (struct sockaddr *)&a, sizeof a), ==, 0);
    return s;
}

static void expect(int s, const void *bytes, size_t n)
{
    uint8_t got[64];
    g_assert_cmpint(recv(s, got, n, MSG_WAITALL), ==, (int)n);
    g_assert_cmpmem(got, n, bytes, n);
}

static void test_unix_server(void)
{
    g_autofree char *path = tmp_path("gemel-char-unix");
    g_autofree char *form = g_strdup_printf("unix:%s,server=on,wait=off", path);
    Machine *m = loop_begin();
    Front f;
    front_attach(&f, chardev_new_short(m, form, "u", NULL));
    put(f.c, "nobody hears this");
    g_assert_true(g_str_has_prefix(f.c->label, "disconnected:unix:"));
    for (unsigned round = 1; round <= 3; round++) {
        int s = unix_socket(path, false);
        LOOP_UNTIL(m, f.opened == round);
        g_assert_true(g_str_has_prefix(f.c->label, "unix:"));
        put(f.c, "hello");
        expect(s, "hello", 5);
        g_assert_cmpint(send(s, "abc", 3, 0), ==, 3);
        LOOP_UNTIL(m, f.in->len == 3 * round);
        close(s);
        put(f.c, "into the void"); /* must not be the end of us (SIGPIPE) */
        LOOP_UNTIL(m, f.closed == round);
    }
    g_assert_cmpint(g_access(path, F_OK), ==, 0);
    front_end(&f);
    loop_end(m);
    g_assert_cmpint(g_access(path, F_OK), !=, 0);
}

/* A file by mistake stays; a socket of an earlier run is replaced. */
static void test_unix_path(void)
{
    g_autofree char *path = tmp_path("gemel-char-precious");
    g_autofree char *spec = g_strdup_printf("socket,id=u,path=%s,server=on,wait=off", path);
    Machine *m = loop_begin();
    Error err = {0};
    g_assert_true(g_file_set_contents(path, "precious", -1, NULL));
    g_assert_null(chardev_new(m, spec, &err));
    g_assert_nonnull(strstr(err.text, "cannot listen"));
    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "precious");
    g_unlink(path);
    close(unix_socket(path, true));
    open_spec(m, spec);
    close(unix_socket(path, false));
    loop_end(m);
}

static void test_tcp_server(void)
{
    Machine *m = loop_begin();
    Front f;
    front_attach(&f, open_spec(m, "socket,id=t,port=0,server=on,wait=off,nodelay=on"));
    int s = tcp_client(f.c->label);
    LOOP_UNTIL(m, f.opened == 1);
    g_assert_cmpint(send(s, "0123456789", 10, 0), ==, 10);
    f.room = 4; /* the rest waits in the kernel */
    LOOP_UNTIL(m, f.in->len == 4);
    loop_turn(m);
    g_assert_cmpuint(f.in->len, ==, 4);
    f.room = 100;
    chardev_accept_input(f.c);
    LOOP_UNTIL(m, f.in->len == 10);
    close(s);
    LOOP_UNTIL(m, f.closed == 1);
    front_end(&f);
    loop_end(m);
}

static void test_telnet(void)
{
    static const uint8_t typed[] = {'a', 255, 255, /* 0xff as data */
                                    255, 253, 1,   /* DO ECHO */
                                    255, 250, 24,  0,   255,
                                    255, 'x', 255, 240,  /* a subnegotiation */
                                    'b', 255, 243, 'c'}; /* BRK */
    Machine *m = loop_begin();
    Front f;
    front_attach(&f, chardev_new_short(m, "telnet:127.0.0.1:0,server=on,wait=off", "t", NULL));
    int s = tcp_client(f.c->label);
    LOOP_UNTIL(m, f.opened == 1);
    expect(s, "\377\373\001\377\373\003\377\373\000\377\375\000", 12);
    for (size_t i = 0; i < sizeof typed; i++) { /* byte by byte: the state must survive */
        g_assert_cmpint(send(s, &typed[i], 1, 0), ==, 1);
        loop_turn(m);
    }
    LOOP_UNTIL(m, f.in->len == 4);
    g_assert_cmpmem(f.in->str, 4, "a\377bc", 4);
    g_assert_cmpuint(f.breaks, ==, 1);
    put(f.c, "x\377y");
    expect(s, "x\377\377y", 4);
    close(s);
    front_end(&f);
    loop_end(m);
}

static void test_reconnect(void)
{
    g_autofree char *path = tmp_path("gemel-char-late");
    g_autofree char *spec = g_strdup_printf("socket,id=u,path=%s,reconnect-ms=10", path);
    Machine *m = loop_begin();
    Front f;
    front_attach(&f, open_spec(m, spec)); /* nobody listens yet */
    g_assert_false(f.c->open);
    int server = unix_socket(path, true);
    for (unsigned round = 1; round <= 2; round++) {
        LOOP_UNTIL(m, f.opened == round);
        int s = accept(server, NULL, NULL);
        put(f.c, "hi");
        expect(s, "hi", 2);
        close(s);
        LOOP_UNTIL(m, f.closed == round);
    }
    close(server);
    g_unlink(path);
    front_end(&f);
    loop_end(m);
}

/* Somebody who does not read: bounded memory, a short write, and word when there is room again. */
static void test_slow_peer(void)
{
    Machine *m = loop_begin();
    int pair[2];
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), ==, 0);
    g_autofree char *spec = g_strdup_printf("socket,id=s,fd=%d", pair[0]);
    Front f;
    front_attach(&f, open_spec(m, spec));
    g_autofree uint8_t *block = g_malloc(1 << 16), *got = g_malloc(1 << 16);
    size_t sent = 0, received = 0, n;
    memset(block, 'w', 1 << 16);
    do {
        n = chardev_write(f.c, block, 1 << 16);
        sent += n;
        g_assert_cmpuint(sent, <, 8 << 20);
    } while (n == 1 << 16);
    g_assert_cmpuint(f.writable, ==, 0);
    while (received < sent) {
        ssize_t r = recv(pair[1], got, 1 << 16, MSG_DONTWAIT);
        received += r > 0 ? (size_t)r : 0;
        loop_turn(m);
    }
    g_assert_cmpuint(received, ==, sent);
    g_assert_cmpuint(f.writable, ==, 1);
    close(pair[1]);
    LOOP_UNTIL(m, f.closed == 1);
    front_end(&f);
    loop_end(m);
}

static void test_udp(void)
{
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in a = {.sin_family = AF_INET}, from;
    socklen_t bytes = sizeof a, from_bytes = sizeof from;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    g_assert_cmpint(bind(s, (struct sockaddr *)&a, sizeof a), ==, 0);
    g_assert_cmpint(getsockname(s, (struct sockaddr *)&a, &bytes), ==, 0);
    g_autofree char *form = g_strdup_printf("udp:127.0.0.1:%u@127.0.0.1:0", ntohs(a.sin_port));
    Machine *m = loop_begin();
    Front f;
    char buf[16];
    front_attach(&f, chardev_new_short(m, form, "d", NULL));
    put(f.c, "ping");
    g_assert_cmpint(recvfrom(s, buf, sizeof buf, 0, (struct sockaddr *)&from, &from_bytes), ==, 4);
    g_assert_cmpint(sendto(s, "pong", 4, 0, (struct sockaddr *)&from, from_bytes), ==, 4);
    LOOP_UNTIL(m, f.in->len == 4);
    close(s);
    put(f.c, "anybody?"); /* refused by ICMP: goes on */
    loop_turn(m);
    put(f.c, "anybody?");
    loop_turn(m);
    g_assert_true(f.c->open);
    front_end(&f);
    loop_end(m);
}

/* Freed out of receive, out of OPENED, out of CLOSED. */
static void test_free_inside(void)
{
    g_autofree char *path = tmp_path("gemel-char-free");
    g_autofree char *spec = g_strdup_printf("socket,id=u,path=%s,server=on,wait=off", path);
    for (int when = 0; when < 3; when++) {
        Machine *m = loop_begin();
        Front f;
        front_attach(&f, open_spec(m, spec));
        f.free_it = when == 0;
        int s = unix_socket(path, false);
        if (when > 0) {
            LOOP_UNTIL(m, f.opened == 1);
            f.free_it = true;
        }
        if (when == 1) {
            g_assert_cmpint(send(s, "abc", 3, 0), ==, 3);
        } else if (when == 2) {
            close(s);
        }
        LOOP_UNTIL(m, !f.c);
        g_assert_null(chardev_by_id(m, "u"));
        g_assert_cmpint(g_access(path, F_OK), !=, 0);
        if (when != 2) {
            close(s);
        }
        loop_turn(m);
        front_end(&f);
        loop_end(m);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/chardev/unix/server", test_unix_server);
    g_test_add_func("/chardev/unix/path", test_unix_path);
    g_test_add_func("/chardev/tcp/server", test_tcp_server);
    g_test_add_func("/chardev/telnet", test_telnet);
    g_test_add_func("/chardev/reconnect", test_reconnect);
    g_test_add_func("/chardev/slow-peer", test_slow_peer);
    g_test_add_func("/chardev/udp", test_udp);
    g_test_add_func("/chardev/free-inside", test_free_inside);
    return g_test_run();
}
