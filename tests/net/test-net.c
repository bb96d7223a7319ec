/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Host networks with two ends in one process: hubs, stream and datagram sockets, captures, and the
 * user network, where a guest of a hundred lines (ARP, UDP, TCP enough to be called) answers real
 * connections to forwarded ports of the loopback interface. Negative cases by their messages.
 */
#include <arpa/inet.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config.h"
#include "core/machine.h"
#include "core/net.h"
#include "net/net.h"
#include "util/bits.h"

#ifdef HAVE_SLIRP
static const bool have_user = true;
#else
static const bool have_user = false;
#endif

enum { PATIENCE = 5000 }; /* turns of the loop, up to 1 ms each */

typedef struct Guest {
    NetPort port;
    GString *last; /* the newest frame */
    unsigned frames;
    bool stack; /* answers as 10.0.2.15 */
    uint8_t mac[6];
    uint32_t seq; /* TCP: next byte we send */
    bool said_bye;
} Guest;

static void guest_stack(Guest *g, const uint8_t *f, size_t bytes);

static bool guest_receive(NetPort *p, const struct iovec *iov, int n)
{
    Guest *g = p->opaque;

    g_string_truncate(g->last, 0);
    for (int i = 0; i < n; i++) {
        g_string_append_len(g->last, iov[i].iov_base, (gssize)iov[i].iov_len);
    }
    g->frames++;
    if (g->stack) {
        guest_stack(g, (const uint8_t *)g->last->str, g->last->len);
    }
    return true;
}

static const NetPortOps guest_ops = {.receive = guest_receive};

static Machine *begin(void)
{
    Machine *m = machine_new("net", NULL);

    g_assert_nonnull(m);
    machine_lock(m);
    return m;
}

static Guest *guest_new(Machine *m, const char *netdev)
{
    Guest *g = g_new0(Guest, 1);

    g->last = g_string_new("");
    net_port_init(&g->port, m, NULL, &guest_ops, g);
    net_new_mac(m, g->mac);
    g_assert_true(net_connect(&g->port, net_by_id(m, netdev)));
    return g;
}

static void guest_free(Guest *g)
{
    net_port_destroy(&g->port);
    g_string_free(g->last, TRUE);
    g_free(g);
}

static void end(Machine *m)
{
    net_backends_free(m);
    machine_unlock(m);
    machine_free(m);
}

static void add(Machine *m, const char *spec)
{
    Error err = {""};

    if (!net_backend_new(m, spec, &err)) {
        g_error("%s: %s", spec, err.text);
    }
}

static void refused(Machine *m, const char *spec, const char *part)
{
    Error err = {""};

    g_assert_false(net_backend_new(m, spec, &err));
    if (!strstr(err.text, part)) {
        g_error("%s: \"%s\" does not say \"%s\"", spec, err.text, part);
    }
}

static void turn(Machine *m)
{
    machine_unlock(m);
    machine_iterate(m, false);
    g_usleep(200);
    machine_lock(m);
}

/* Until g has seen n frames. */
static void wait_frames(Machine *m, Guest *g, unsigned n)
{
    for (unsigned i = 0; g->frames < n; i++) {
        g_assert_cmpuint(i, <, PATIENCE);
        turn(m);
    }
}

/* ---- hubs, captures, lists ---- */

static void test_hub(void)
{
    Machine *m = begin();
    Guest *a, *b, *c, *far;
    char *path = g_strdup_printf("%s/gemel-%d.pcap", g_get_tmp_dir(), (int)getpid());
    char *spec = g_strdup_printf("filter-dump,id=f,netdev=h0,file=%s,maxlen=4", path);
    char *file;
    gsize bytes;
    Error err = {""};

    add(m, "hubport,id=h0,hubid=1");
    add(m, "hubport,id=h1,hubid=1");
    add(m, "hubport,id=h2,hubid=1");
    add(m, "hubport,id=x0,hubid=2");
    a = guest_new(m, "h0");
    b = guest_new(m, "h1");
    c = guest_new(m, "h2");
    far = guest_new(m, "x0");
    g_assert_true(net_dump_new(m, spec, &err));
    net_send_buf(&a->port, "hello", 5);
    g_assert_cmpstr(b->last->str, ==, "hello");
    g_assert_cmpstr(c->last->str, ==, "hello");
    g_assert_cmpuint(a->frames + far->frames, ==, 0);
    net_send_buf(&b->port, "back", 4);
    g_assert_cmpstr(a->last->str, ==, "back");
    g_assert_true(g_file_get_contents(path, &file, &bytes, NULL));
    g_assert_cmpuint(bytes, ==, 24 + 2 * (16 + 4));
    g_assert_cmphex(load_le32(file), ==, 0xa1b2c3d4);
    g_assert_cmpuint(load_le32(file + 24 + 12), ==, 5); /* was 5 long, 4 are kept */
    g_assert_cmpmem(file + 24 + 16, 4, "hell", 4);
    g_assert_false(net_dump_new(m, "filter-dump,id=g,netdev=no,file=/tmp/x", &err));
    g_assert_nonnull(strstr(err.text, "netdev=no"));
    g_assert_true(net_backend_delete(m, "h0", &err));
    g_assert_false(net_backend_delete(m, "h0", &err));
    net_send_buf(&a->port, "gone", 4);
    guest_free(a);
    guest_free(b);
    guest_free(c);
    guest_free(far);
    g_unlink(path);
    g_free(file);
    g_free(path);
    g_free(spec);
    end(m);
}

static void test_refusals(void)
{
    Machine *m = begin();

    refused(m, "hubport,id=a,hubidd=1", "hubid");
    refused(m, "usr,id=a", "did you mean 'user'");
    refused(m, "hubport", "id=");
    add(m, "hubport,id=a");
    refused(m, "hubport,id=a", "taken");
    refused(m, "hubport,id=b,netdev=zz", "zz");
    refused(m, "socket,id=b", "give one of");
    refused(m, "socket,id=b,listen=:1,connect=h:1", "give one of");
    refused(m, "socket,id=b,connect=nowhere", "HOST:PORT");
    refused(m, "socket,id=b,fd=999", "fd=999");
    refused(m, "socket,id=b,mcast=10.0.0.1:99", "multicast");
    refused(m, "socket,id=b,udp=127.0.0.1:99", "localaddr");
    refused(m, "stream,id=b", "addr.type");
    refused(m, "stream,id=b,addr.type=unix", "addr.path");
    refused(m, "stream,id=b,addr.type=unix,addr.path=/nonexistent/s", "/nonexistent/s");
    refused(m, "stream,id=b,addr.type=ipx", "inet or unix");
    refused(m, "stream,id=b,server=on,addr.type=unix,addr.path=/tmp/x,reconnect=1", "clients");
    refused(m, "dgram,id=b,local.type=unix,local.path=/tmp/x", "remote.type");
    refused(m, "tap,id=b,vhost=on", "vhost");
    refused(m, "tap,id=b,fd=3,ifname=tap0", "fd=");
    refused(m, "tap,id=b,ifname=a-name-that-is-too-long", "letters");
    refused(m, "bridge,id=b,helper=/usr/lib/x", "helper");
    end(m);
}

/* ---- sockets: the same exchange over each ---- */

static void exchange(Machine *m, const char *first, const char *second)
{
    Guest *a, *b;
    char big[9000];

    add(m, first);
    add(m, second);
    a = guest_new(m, "a");
    b = guest_new(m, "b");
    memset(big, 'x', sizeof big);
    for (unsigned i = 0; i < 50; i++) {
        turn(m); /* connects */
    }
    net_send_buf(&a->port, "ping", 4);
    wait_frames(m, b, 1);
    g_assert_cmpstr(b->last->str, ==, "ping");
    net_send_buf(&b->port, big, sizeof big);
    wait_frames(m, a, 1);
    g_assert_cmpuint(a->last->len, ==, sizeof big);
    for (unsigned i = 0; i < 20; i++) {
        net_send_buf(&a->port, big, 100 + i);
    }
    wait_frames(m, b, 21);
    g_assert_cmpuint(b->last->len, ==, 119);
    guest_free(a);
    guest_free(b);
}

static void test_sockets(void)
{
    Machine *m;
    unsigned port = 20000 + (unsigned)getpid() % 20000;
    char *dir = g_dir_make_tmp("gemel-net-XXXXXX", NULL);
    char *forms[][2] = {
        {g_strdup_printf("socket,id=a,listen=127.0.0.1:%u", port),
         g_strdup_printf("socket,id=b,connect=127.0.0.1:%u", port)},
        {g_strdup_printf("socket,id=a,udp=127.0.0.1:%u,localaddr=127.0.0.1:%u", port + 1, port + 2),
         g_strdup_printf("socket,id=b,udp=127.0.0.1:%u,localaddr=127.0.0.1:%u", port + 2,
                         port + 1)},
        {g_strdup_printf("stream,id=a,server=on,addr.type=unix,addr.path=%s/s", dir),
         g_strdup_printf("stream,id=b,addr.type=unix,addr.path=%s/s,reconnect=1", dir)},
        {g_strdup_printf("dgram,id=a,local.type=unix,local.path=%s/1,remote.type=unix,"
                         "remote.path=%s/2",
                         dir, dir),
         g_strdup_printf("dgram,id=b,local.type=unix,local.path=%s/2,remote.type=unix,"
                         "remote.path=%s/1",
                         dir, dir)}};

    for (unsigned i = 0; i < G_N_ELEMENTS(forms); i++) {
        m = begin();
        exchange(m, forms[i][0], forms[i][1]);
        end(m);
        g_free(forms[i][0]);
        g_free(forms[i][1]);
    }
    g_assert_cmpint(g_rmdir(dir), ==, 0); /* sockets were taken away */
    g_free(dir);
}

static void test_stream_hostile(void)
{
    Machine *m = begin();
    int fds[2];
    char *spec;
    Guest *g;

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), ==, 0);
    spec = g_strdup_printf("socket,id=a,fd=%d", fds[0]);
    add(m, spec);
    g = guest_new(m, "a");
    g_assert_cmpint(write(fds[1], "\0\0\0\2hi\0\0", 8), ==, 8); /* one frame, half a length */
    wait_frames(m, g, 1);
    g_assert_cmpstr(g->last->str, ==, "hi");
    g_assert_cmpint(write(fds[1], "\xff\xff", 2), ==, 2); /* 65535: fine, and it never comes */
    g_assert_cmpint(write(fds[1], "abc", 3), ==, 3);
    turn(m);
    net_send_buf(&g->port, "out", 3);
    close(fds[1]);
    turn(m);
    net_send_buf(&g->port, "to nobody", 9);
    guest_free(g);
    end(m);
    m = begin();
    g_free(spec);
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), ==, 0);
    spec = g_strdup_printf("socket,id=a,fd=%d", fds[0]);
    add(m, spec);
    g_assert_cmpint(write(fds[1], "\x7f\xff\xff\xff", 4), ==, 4); /* a frame of 2 GiB */
    turn(m);
    g_assert_cmpint(recv(fds[1], (char[1]){0}, 1, MSG_DONTWAIT), ==, 0); /* hung up */
    close(fds[1]);
    g_free(spec);
    end(m);
}

/* ---- the user network, with a guest ---- */

static uint16_t checksum(const uint8_t *p, size_t bytes, uint32_t sum)
{
    for (size_t i = 0; i < bytes; i += 2) {
        sum += (uint32_t)p[i] << 8 | (i + 1 < bytes ? p[i + 1] : 0);
    }
    while (sum >> 16) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (uint16_t)~sum;
}

/* Back to where `f` came from: Ethernet and IPv4 around a TCP or UDP packet. */
static void reply_ip(Guest *g, const uint8_t *f, uint8_t *packet, size_t bytes)
{
    uint8_t out[2048] = {0}, *ip = out + 14;
    uint8_t protocol = f[23];
    unsigned at = protocol == IPPROTO_TCP ? 16 : 6;
    uint32_t pseudo = protocol + (uint32_t)bytes;

    memcpy(out, f + 6, 6);
    memcpy(out + 6, g->mac, 6);
    store_be16(out + 12, 0x0800);
    ip[0] = 0x45;
    store_be16(ip + 2, (uint16_t)(20 + bytes));
    ip[8] = 64;
    ip[9] = protocol;
    memcpy(ip + 12, f + 30, 4);
    memcpy(ip + 16, f + 26, 4);
    store_be16(ip + 10, checksum(ip, 20, 0));
    for (unsigned i = 12; i < 20; i += 2) {
        pseudo += load_be16(ip + i);
    }
    store_be16(packet + at, checksum(packet, bytes, pseudo));
    memcpy(ip + 20, packet, bytes);
    net_send_buf(&g->port, out, 34 + bytes);
}

static void answer_arp(Guest *g, const uint8_t *f)
{
    uint8_t out[60] = {0};

    memcpy(out, f, 42);
    memcpy(out, f + 6, 6);
    memcpy(out + 6, g->mac, 6);
    store_be16(out + 20, 2);
    memcpy(out + 22, g->mac, 6);
    memcpy(out + 28, f + 38, 4);
    memcpy(out + 32, f + 22, 10);
    net_send_buf(&g->port, out, sizeof out);
}

/* "hi" becomes "HI". */
static void answer_udp(Guest *g, const uint8_t *f)
{
    const uint8_t *udp = f + 34;
    size_t bytes = load_be16(udp + 4);
    uint8_t out[1024] = {0};

    g_assert_cmpuint(bytes, <=, sizeof out);
    store_be16(out, load_be16(udp + 2));
    store_be16(out + 2, load_be16(udp));
    store_be16(out + 4, (uint16_t)bytes);
    for (size_t i = 8; i < bytes; i++) {
        out[i] = (uint8_t)g_ascii_toupper((char)udp[i]);
    }
    reply_ip(g, f, out, bytes);
}

static void send_tcp(Guest *g, const uint8_t *f, uint8_t flags, uint32_t ack, const char *data)
{
    const uint8_t *tcp = f + 34;
    uint8_t out[256] = {0};
    size_t n = strlen(data);

    store_be16(out, load_be16(tcp + 2));
    store_be16(out + 2, load_be16(tcp));
    store_be32(out + 4, g->seq);
    store_be32(out + 8, ack);
    out[12] = 0x50;
    out[13] = flags;
    store_be16(out + 14, 0x2000);
    memcpy(out + 20, data, n);
    reply_ip(g, f, out, 20 + n);
    g->seq += (uint32_t)n + ((flags & 3) != 0);
}

/* Accepts, answers what it is told once, and closes. */
static void answer_tcp(Guest *g, const uint8_t *f)
{
    enum { FIN = 1, SYN = 2, ACK = 16 };
    const uint8_t *tcp = f + 34;
    uint32_t seq = load_be32(tcp + 4);
    size_t head = (size_t)(tcp[12] >> 4) * 4, data = load_be16(f + 16) - 20 - head;

    if (tcp[13] & SYN) {
        g->seq = 1000;
        g->said_bye = false;
        send_tcp(g, f, SYN | ACK, seq + 1, "");
    } else if (data && !g->said_bye) {
        send_tcp(g, f, ACK, seq + (uint32_t)data, "welcome");
        send_tcp(g, f, FIN | ACK, seq + (uint32_t)data, "");
        g->said_bye = true;
    } else if (tcp[13] & FIN) {
        send_tcp(g, f, ACK, seq + (uint32_t)data + 1, "");
    }
}

static void guest_stack(Guest *g, const uint8_t *f, size_t bytes)
{
    static const uint8_t me[4] = {10, 0, 2, 15};

    if (bytes >= 42 && load_be16(f + 12) == 0x0806 && !memcmp(f + 38, me, 4)) {
        answer_arp(g, f);
    } else if (bytes >= 42 && load_be16(f + 12) == 0x0800 && !memcmp(f + 30, me, 4)) {
        if (f[23] == IPPROTO_UDP) {
            answer_udp(g, f);
        } else if (f[23] == IPPROTO_TCP) {
            answer_tcp(g, f);
        }
    }
}

static int loopback(int type, unsigned port)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

    g_assert_cmpint(connect(fd, (struct sockaddr *)&a, sizeof a), ==, 0);
    return fd;
}

/* What comes back, in turns of the machine's loop. */
static void expect(Machine *m, int fd, const char *want)
{
    GString *got = g_string_new("");

    for (unsigned i = 0; got->len < strlen(want); i++) {
        char buf[64];
        ssize_t n = recv(fd, buf, sizeof buf, MSG_DONTWAIT);

        if (n > 0) {
            g_string_append_len(got, buf, n);
        }
        g_assert_cmpuint(i, <, PATIENCE);
        turn(m);
    }
    g_assert_cmpstr(got->str, ==, want);
    g_string_free(got, TRUE);
}

static void user_lines(void *opaque, const char *line)
{
    (void)line;
    ++*(unsigned *)opaque;
}

static void test_user(void)
{
    Machine *m = begin();
    unsigned port = 40000 + (unsigned)getpid() % 20000, lines = 0;
    char *spec =
        g_strdup_printf("user,id=n0,hostfwd=tcp:127.0.0.1:%u-:22,hostfwd=udp::%u-:53", port, port);
    char *rule = g_strdup_printf("tcp::%u-:80", port + 1);
    char *bare = g_strdup_printf("tcp::%u", port + 1);
    Error err = {""};
    Guest *g;
    int fd;

    refused(m, "user,id=n0,net=300.1.1.1", "net=");
    refused(m, "user,id=n0,hostfwd=tcp:1-2", "hostfwd");
    refused(m, "user,id=n0,smb=/tmp", "smb");
    refused(m, "user,id=n0,guestfwd=x", "guestfwd");
    add(m, spec);
    g = guest_new(m, "n0");
    g->stack = true;
    fd = loopback(SOCK_DGRAM, port);
    g_assert_cmpint(send(fd, "hi", 2, 0), ==, 2);
    expect(m, fd, "HI");
    close(fd);
    for (unsigned i = 0; i < 3; i++) {
        fd = loopback(SOCK_STREAM, port);
        g_assert_cmpint(send(fd, "who is there", 12, 0), ==, 12);
        expect(m, fd, "welcome");
        close(fd);
    }
    net_print_user(m, user_lines, &lines);
    g_assert_cmpuint(lines, >=, 3);
    g_assert_true(net_hostfwd_add(m, NULL, rule, &err));
    fd = loopback(SOCK_STREAM, port + 1);
    close(fd);
    g_assert_true(net_hostfwd_remove(m, "n0", bare, &err));
    g_assert_false(net_hostfwd_remove(m, "n0", bare, &err));
    g_assert_false(net_hostfwd_add(m, "n9", rule, &err));
    guest_free(g);
    g_free(spec);
    g_free(rule);
    g_free(bare);
    end(m);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/net/hub", test_hub);
    g_test_add_func("/net/refusals", test_refusals);
    g_test_add_func("/net/sockets", test_sockets);
    g_test_add_func("/net/stream-hostile", test_stream_hostile);
    if (have_user) {
        g_test_add_func("/net/user", test_user);
    }
    return g_test_run();
}
