/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -chardev socket and udp: Unix and TCP sockets, as server or client, plain or with the telnet
 * protocol (RFC 854, 856, 857, 858: binary, echo and suppress-go-ahead offered; BRK is a break).
 *
 * A server has one peer at a time; others wait in the backlog. A client with reconnect tries again
 * until it succeeds. Without a host name 127.0.0.1 is meant. Not modelled: TLS, WebSocket.
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "chardev/backends.h"

enum { TELNET_IAC = 255, TELNET_DONT = 254, TELNET_DO = 253, TELNET_WONT = 252, TELNET_WILL = 251 };
enum { TELNET_SB = 250, TELNET_BRK = 243, TELNET_SE = 240 };
enum { TELNET_OPT_BINARY = 0, TELNET_OPT_ECHO = 1, TELNET_OPT_SGA = 3 };

typedef enum TelnetState {
    TELNET_DATA,
    TELNET_COMMAND,
    TELNET_OPTION,
    TELNET_SUB,
    TELNET_SUB_IAC
} TelnetState;

typedef struct CharSocket {
    CharFd fd;
    int listen_fd; /* server; -1 */
    unsigned listen_watch;
    int sock; /* the peer; -1 */
    bool telnet, nodelay, connecting;
    uint8_t telnet_state; /* TelnetState */
    char *path, *host, *port;
    bool abstract, ipv4, ipv6;
    int64_t reconnect_ns; /* 0: once */
    Timer retry;
    unsigned connect_watch;
} CharSocket;

const ChardevOption char_socket_options[] = {
    COPT(COPT_STRING, "path", path, NULL, "Unix socket; or give host and port"),
    COPT(COPT_BOOL, "abstract", abstract, "off", "path is in the abstract name space"),
    COPT(COPT_STRING, "host", host, NULL, "address; 127.0.0.1 when not given"),
    COPT(COPT_STRING, "port", port, NULL, "TCP port"),
    COPT(COPT_U64, "fd", fd, NULL, "an open socket, by number"),
    COPT(COPT_BOOL, "server", server, "off", "listen, do not connect"),
    COPT(COPT_BOOL, "wait", wait, "on", "server: start when a peer has connected"),
    COPT(COPT_BOOL, "telnet", telnet, "off", "speak the telnet protocol"),
    COPT(COPT_BOOL, "nodelay", nodelay, "off", "send small packets at once (TCP_NODELAY)"),
    COPT(COPT_U64, "reconnect", reconnect_s, "0", "client: seconds until the next try; 0: none"),
    COPT(COPT_U64, "reconnect-ms", reconnect_ms, "0", "the same in milliseconds"),
    COPT(COPT_BOOL, "ipv4", ipv4, "off", "IPv4 only"),
    COPT(COPT_BOOL, "ipv6", ipv6, "off", "IPv6 only"),
    {0},
};

static Machine *machine_of(CharSocket *s)
{
    return s->fd.base.dev.machine;
}

/* ---- telnet */

static size_t telnet_encode(CharFd *c, const uint8_t *in, size_t bytes, uint8_t *out)
{
    size_t n = 0;

    (void)c;
    for (size_t i = 0; i < bytes; i++) {
        out[n++] = in[i];
        if (in[i] == TELNET_IAC) {
            out[n++] = TELNET_IAC;
        }
    }
    return n;
}

static uint8_t telnet_command(CharSocket *s, uint8_t byte)
{
    switch (byte) {
    case TELNET_WILL:
    case TELNET_WONT:
    case TELNET_DO:
    case TELNET_DONT: return TELNET_OPTION; /* we offered what we want; nothing to negotiate */
    case TELNET_SB: return TELNET_SUB;
    case TELNET_BRK: chardev_event(&s->fd.base.dev, CHARDEV_BREAK); return TELNET_DATA;
    default: return TELNET_DATA;
    }
}

static size_t telnet_decode(CharFd *c, uint8_t *buf, size_t bytes)
{
    CharSocket *s = (CharSocket *)c;
    size_t n = 0;

    for (size_t i = 0; i < bytes; i++) {
        uint8_t byte = buf[i];

        switch ((TelnetState)s->telnet_state) {
        case TELNET_DATA:
            if (byte == TELNET_IAC) {
                s->telnet_state = TELNET_COMMAND;
            } else {
                buf[n++] = byte;
            }
            break;
        case TELNET_COMMAND:
            if (byte == TELNET_IAC) {
                buf[n++] = TELNET_IAC;
                s->telnet_state = TELNET_DATA;
            } else {
                s->telnet_state = telnet_command(s, byte);
            }
            break;
        case TELNET_OPTION: s->telnet_state = TELNET_DATA; break;
        case TELNET_SUB: s->telnet_state = byte == TELNET_IAC ? TELNET_SUB_IAC : TELNET_SUB; break;
        case TELNET_SUB_IAC: s->telnet_state = byte == TELNET_SE ? TELNET_DATA : TELNET_SUB; break;
        }
    }
    return n;
}

static const uint8_t telnet_hello[] = {
    TELNET_IAC, TELNET_WILL, TELNET_OPT_ECHO,   TELNET_IAC, TELNET_WILL, TELNET_OPT_SGA,
    TELNET_IAC, TELNET_WILL, TELNET_OPT_BINARY, TELNET_IAC, TELNET_DO,   TELNET_OPT_BINARY,
};

/* ---- addresses */

static socklen_t unix_address(const CharSocket *s, struct sockaddr_un *a)
{
    size_t length = strlen(s->path);

    memset(a, 0, sizeof *a);
    a->sun_family = AF_UNIX;
    memcpy(a->sun_path + s->abstract, s->path, length); /* length was checked at open */
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
}

static struct addrinfo *inet_addresses(const char *host, const char *port, int type, int family,
                                       bool passive, Error *err)
{
    struct addrinfo hints = {
        .ai_socktype = type,
        .ai_family = family,
        .ai_flags = passive ? AI_PASSIVE : 0,
    };
    struct addrinfo *list = NULL;
    int r = getaddrinfo(host && *host ? host : "127.0.0.1", port, &hints, &list);

    if (r) {
        error_set(err, "%s:%s: %s", host ? host : "", port, gai_strerror(r));
        return NULL;
    }
    return list;
}

static int family_of(const CharSocket *s)
{
    return s->ipv4 == s->ipv6 ? AF_UNSPEC : s->ipv4 ? AF_INET : AF_INET6;
}

/* ---- peers */

static void describe(CharSocket *s)
{
    static const char *const schemes[2][2] = {{"tcp", "unix"}, {"telnet", "unix"}};
    const char *scheme = schemes[s->telnet][s->path != NULL];
    CharBase *b = &s->fd.base;
    char port[16];
    struct sockaddr_storage a;
    socklen_t bytes = sizeof a;

    g_strlcpy(port, s->port ? s->port : "", sizeof port);
    if (s->listen_fd >= 0 && getsockname(s->listen_fd, (struct sockaddr *)&a, &bytes) == 0 &&
        a.ss_family != AF_UNIX) {
        /* port=0 lets the kernel choose */
        getnameinfo((struct sockaddr *)&a, bytes, NULL, 0, port, sizeof port,
                    NI_NUMERICSERV | NI_NUMERICHOST);
    }
    snprintf(b->label, sizeof b->label, "%s%s:%s%s%s%s",
             s->sock >= 0 ? "" : "disconnected:", scheme,
             s->path   ? s->path
             : s->host ? s->host
                       : "127.0.0.1",
             s->path ? "" : ":", s->path ? "" : port, s->listen_fd >= 0 ? ",server=on" : "");
}

static void socket_peer(CharSocket *s, int sock)
{
    int one = 1;

    s->sock = sock;
    s->telnet_state = TELNET_DATA;
    char_set_nonblock(sock);
    if (s->nodelay) {
        setsockopt(sock, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    }
    describe(s);
    if (s->telnet) {
        s->fd.out_fd = sock;
        char_fd_send_raw(&s->fd, telnet_hello, sizeof telnet_hello);
    }
    char_fd_open(&s->fd, sock, sock);
}

static bool socket_incoming(int fd, GIOCondition condition, void *opaque)
{
    CharSocket *s = opaque;
    int sock = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

    (void)condition;
    if (sock < 0) {
        return true;
    }
    s->listen_watch = 0;
    socket_peer(s, sock);
    return false;
}

static void watch_listen(CharSocket *s)
{
    s->listen_watch = machine_fd_add(machine_of(s), s->listen_fd, G_IO_IN, socket_incoming, s);
}

static void schedule_retry(CharSocket *s)
{
    if (s->reconnect_ns) {
        timer_set(&s->retry, clock_ns(machine_of(s), CLOCK_HOST) + s->reconnect_ns);
    }
}

static void socket_hangup(CharFd *c)
{
    CharSocket *s = (CharSocket *)c;

    close(s->sock);
    s->sock = c->in_fd = c->out_fd = -1;
    describe(s);
    if (s->listen_fd >= 0) {
        watch_listen(s);
    } else {
        schedule_retry(s);
    }
}

/* ---- client */

static int start_connect(int family, const struct sockaddr *a, socklen_t bytes, bool wait)
{
    int sock = socket(family, SOCK_STREAM | SOCK_CLOEXEC | (wait ? 0 : SOCK_NONBLOCK), 0);

    if (sock >= 0 && connect(sock, a, bytes) < 0 && errno != EINPROGRESS) {
        int saved = errno;

        close(sock);
        errno = saved;
        return -1;
    }
    return sock;
}

static int socket_connect(CharSocket *s, bool wait, Error *err)
{
    int sock = -1;

    if (s->path) {
        struct sockaddr_un a;
        socklen_t bytes = unix_address(s, &a);

        sock = start_connect(AF_UNIX, (struct sockaddr *)&a, bytes, wait);
        if (sock < 0) {
            error_set_errno(err, "cannot connect to %s", s->path);
        }
        return sock;
    }
    struct addrinfo *list = inet_addresses(s->host, s->port, SOCK_STREAM, family_of(s), false, err);
    for (struct addrinfo *a = list; a && sock < 0; a = a->ai_next) {
        sock = start_connect(a->ai_family, a->ai_addr, a->ai_addrlen, wait);
    }
    if (list && sock < 0) {
        error_set_errno(err, "cannot connect to %s:%s", s->host ? s->host : "127.0.0.1", s->port);
    }
    if (list) {
        freeaddrinfo(list);
    }
    return sock;
}

static bool socket_connected(int fd, GIOCondition condition, void *opaque)
{
    CharSocket *s = opaque;
    int error = 0;
    socklen_t bytes = sizeof error;

    (void)condition;
    s->connect_watch = 0;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &bytes);
    if (error) {
        close(fd);
        s->sock = -1;
        schedule_retry(s);
    } else {
        socket_peer(s, fd);
    }
    return false;
}

static void socket_retry(void *opaque)
{
    CharSocket *s = opaque;

    s->sock = socket_connect(s, false, NULL);
    if (s->sock < 0) {
        schedule_retry(s);
        return;
    }
    s->connect_watch =
        machine_fd_add(machine_of(s), s->sock, G_IO_OUT | G_IO_ERR | G_IO_HUP, socket_connected, s);
}

/* ---- server */

static int bind_listen(int family, const struct sockaddr *a, socklen_t bytes)
{
    int sock = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

    if (sock < 0) {
        return -1;
    }
    if (family != AF_UNIX) {
        setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    }
    if (bind(sock, a, bytes) < 0 || listen(sock, 1) < 0) {
        int saved = errno;

        close(sock);
        errno = saved;
        return -1;
    }
    return sock;
}

/* A path given by mistake must not cost a file. */
static void unlink_socket(const char *path)
{
    struct stat st;

    if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode)) {
        unlink(path);
    }
}

static bool socket_listen(CharSocket *s, Error *err)
{
    if (s->path) {
        struct sockaddr_un a;
        socklen_t bytes = unix_address(s, &a);

        if (!s->abstract) {
            unlink_socket(s->path); /* of an earlier run */
        }
        s->listen_fd = bind_listen(AF_UNIX, (struct sockaddr *)&a, bytes);
        return s->listen_fd >= 0 || error_set_errno(err, "cannot listen on %s", s->path);
    }
    struct addrinfo *list = inet_addresses(s->host, s->port, SOCK_STREAM, family_of(s), true, err);
    if (!list) {
        return false;
    }
    for (struct addrinfo *a = list; a && s->listen_fd < 0; a = a->ai_next) {
        s->listen_fd = bind_listen(a->ai_family, a->ai_addr, a->ai_addrlen);
    }
    freeaddrinfo(list);
    return s->listen_fd >= 0 ||
           error_set_errno(err, "cannot listen on %s:%s", s->host ? s->host : "127.0.0.1", s->port);
}

static bool wait_for_peer(CharSocket *s, Error *err)
{
    describe(s);
    fprintf(stderr, "waiting for a connection on %s\n", s->fd.base.label);
    int sock = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC);
    if (sock < 0) {
        return error_set_errno(err, "no connection");
    }
    socket_peer(s, sock);
    return true;
}

/* ---- life */

static void socket_close(Chardev *dev)
{
    CharSocket *s = (CharSocket *)dev;

    timer_cancel(&s->retry);
    char_fd_shut(&s->fd);
    if (s->connect_watch) {
        machine_fd_remove(dev->machine, s->connect_watch);
    }
    if (s->listen_watch) {
        machine_fd_remove(dev->machine, s->listen_watch);
    }
    if (s->sock >= 0) {
        close(s->sock);
    }
    if (s->listen_fd >= 0) {
        close(s->listen_fd);
        if (s->path && !s->abstract) {
            unlink_socket(s->path);
        }
    }
    char_base_fini(&s->fd.base);
}

static void socket_destroy(CharBase *b)
{
    CharSocket *s = (CharSocket *)b;

    g_free(s->path);
    g_free(s->host);
    g_free(s->port);
    char_fd_destroy(b);
}

static const ChardevOps socket_ops = {
    .write = char_fd_write,
    .set_front = char_fd_set_front,
    .accept_input = char_fd_accept_input,
    .close = socket_close,
};

static bool check_options(const ChardevOptions *o, Error *err)
{
    if (o->has_fd) {
        return true;
    }
    if (!o->path == !o->port) {
        return error_set(err, o->path ? "path= and port= exclude each other"
                                      : "path= or port= is missing");
    }
    if (o->path && strlen(o->path) + o->abstract + 1 > sizeof((struct sockaddr_un *)0)->sun_path) {
        return error_set(err, "path=%s is too long for a Unix socket (107 bytes)", o->path);
    }
    return true;
}

static bool socket_start(CharSocket *s, const ChardevOptions *o, Error *err)
{
    if (o->has_fd) {
        socket_peer(s, (int)o->fd);
        return true;
    }
    if (o->server) {
        if (!socket_listen(s, err)) {
            return false;
        }
        if (o->wait) {
            return wait_for_peer(s, err);
        }
        watch_listen(s);
        return true;
    }
    if (s->reconnect_ns) {
        socket_retry(s);
        return true;
    }
    int sock = socket_connect(s, true, err);
    if (sock < 0) {
        return false;
    }
    socket_peer(s, sock);
    return true;
}

Chardev *char_socket_open(Machine *m, const ChardevOptions *o, Error *err)
{
    if (!check_options(o, err)) {
        return NULL;
    }
    CharSocket *s = g_new0(CharSocket, 1);
    if (!char_base_init(&s->fd.base, m, o, &socket_ops, err)) {
        g_free(s);
        return NULL;
    }
    char_fd_init(&s->fd);
    s->fd.base.destroy = socket_destroy;
    s->fd.hangup = socket_hangup;
    s->sock = s->listen_fd = -1;
    s->path = g_strdup(o->path);
    s->host = g_strdup(o->host && *o->host ? o->host : NULL);
    s->port = g_strdup(o->port);
    s->abstract = o->abstract;
    s->ipv4 = o->ipv4;
    s->ipv6 = o->ipv6;
    s->nodelay = o->nodelay;
    s->reconnect_ns =
        (int64_t)MIN(o->reconnect_ms + MIN(o->reconnect_s, 86400) * 1000, 86400000) * 1000000;
    if (o->telnet) {
        s->telnet = true;
        s->fd.decode = telnet_decode;
        s->fd.encode = telnet_encode;
    }
    timer_init(&s->retry, m, CLOCK_HOST, socket_retry, s);
    if (!socket_start(s, o, err)) {
        socket_close(&s->fd.base.dev);
        return NULL;
    }
    describe(s);
    return &s->fd.base.dev;
}

/* ---- udp: datagrams to one peer */

const ChardevOption char_udp_options[] = {
    COPT(COPT_STRING, "host", host, NULL, "peer; 127.0.0.1 when not given"),
    COPT(COPT_STRING, "port", port, NULL, "its port (required)"),
    COPT(COPT_STRING, "localaddr", localaddr, NULL, "our address; 127.0.0.1 when not given"),
    COPT(COPT_STRING, "localport", localport, "0", "our port; 0: any"),
    COPT(COPT_BOOL, "ipv4", ipv4, "off", "IPv4 only"),
    COPT(COPT_BOOL, "ipv6", ipv6, "off", "IPv6 only"),
    {0},
};

static int udp_socket(const ChardevOptions *o, Error *err)
{
    int family = o->ipv4 == o->ipv6 ? AF_UNSPEC : o->ipv4 ? AF_INET : AF_INET6;
    struct addrinfo *peer = inet_addresses(o->host, o->port, SOCK_DGRAM, family, false, err);
    struct addrinfo *own =
        peer ? inet_addresses(o->localaddr, o->localport, SOCK_DGRAM, peer->ai_family, true, err)
             : NULL;
    int sock = -1;

    if (own) {
        sock = socket(peer->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (sock < 0 || bind(sock, own->ai_addr, own->ai_addrlen) < 0 ||
            connect(sock, peer->ai_addr, peer->ai_addrlen) < 0) {
            error_set_errno(err, "udp socket to %s:%s", o->host ? o->host : "127.0.0.1", o->port);
            if (sock >= 0) {
                close(sock);
            }
            sock = -1;
        }
        freeaddrinfo(own);
    }
    if (peer) {
        freeaddrinfo(peer);
    }
    return sock;
}

/* The peer is not there now (ICMP): it may be later. */
static void udp_error(CharFd *c)
{
    int sock = c->out_fd;

    char_fd_open(c, sock, sock);
}

Chardev *char_udp_open(Machine *m, const ChardevOptions *o, Error *err)
{
    if (!o->port) {
        error_set(err, "port= is missing");
        return NULL;
    }
    int sock = udp_socket(o, err);
    if (sock < 0) {
        return NULL;
    }
    CharSocket *s = g_new0(CharSocket, 1);
    if (!char_base_init(&s->fd.base, m, o, &socket_ops, err)) {
        close(sock);
        g_free(s);
        return NULL;
    }
    char_fd_init(&s->fd);
    s->fd.base.destroy = socket_destroy;
    s->fd.message = true;
    s->fd.hangup = udp_error;
    s->listen_fd = -1;
    s->sock = sock;
    snprintf(s->fd.base.label, sizeof s->fd.base.label, "udp:%s:%s",
             o->host ? o->host : "127.0.0.1", o->port);
    timer_init(&s->retry, m, CLOCK_HOST, socket_retry, s);
    char_fd_open(&s->fd, sock, sock);
    return &s->fd.base.dev;
}
