/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -netdev socket, stream and dgram: frames over sockets, to other emulators, passt, or a switch.
 * A listening stream serves one peer at a time; `reconnect` (seconds) calls a lost server again.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/kinds.h"
#include "net/wire.h"

typedef struct Address {
    struct sockaddr_storage sa;
    socklen_t bytes;
    char text[128]; /* "tcp:127.0.0.1:1234", "unix:/run/x" */
} Address;

typedef struct SocketNet {
    NetPort port; /* must be first */
    Wire wire;
    Address address; /* to connect to */
    int listen_fd;   /* -1: none */
    unsigned listen_watch;
    char *unlink_path;
    int64_t reconnect_ns;
    Timer again;
    int connecting; /* fd, -1: no */
    unsigned connect_watch;
} SocketNet;

/* ---- addresses ---- */

static bool unix_address(const char *path, Address *a, Error *err)
{
    struct sockaddr_un *un = (struct sockaddr_un *)&a->sa;

    if (strlen(path) >= sizeof un->sun_path) {
        return error_set(err, "'%s': at most %zu letters", path, sizeof un->sun_path - 1);
    }
    memset(a, 0, sizeof *a);
    un->sun_family = AF_UNIX;
    strcpy(un->sun_path, path);
    a->bytes = sizeof *un;
    snprintf(a->text, sizeof a->text, "unix:%.100s", path);
    return true;
}

/* host empty: any address when listening, the loopback when connecting. */
static bool inet_address(const char *host, const char *port, bool passive, Address *a, Error *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = (passive ? AI_PASSIVE : 0) | AI_NUMERICSERV};
    struct addrinfo *list;
    int error = getaddrinfo(host && *host ? host : NULL, port, &hints, &list);

    if (error) {
        return error_set(err, "%s:%s: %s", host ? host : "", port, gai_strerror(error));
    }
    memset(a, 0, sizeof *a);
    memcpy(&a->sa, list->ai_addr, list->ai_addrlen);
    a->bytes = list->ai_addrlen;
    freeaddrinfo(list);
    snprintf(a->text, sizeof a->text, "%.80s:%.8s", host && *host ? host : "", port);
    return true;
}

/* "HOST:PORT" or ":PORT". */
static bool host_port(const char *text, bool passive, Address *a, Error *err)
{
    const char *colon = strrchr(text, ':');
    char host[80];

    if (!colon || !colon[1] || (size_t)(colon - text) >= sizeof host) {
        return error_set(err, "'%s': use HOST:PORT", text);
    }
    memcpy(host, text, (size_t)(colon - text));
    host[colon - text] = '\0';
    return inet_address(host, colon + 1, passive, a, err);
}

/* <prefix>.type=inet|unix, .host, .port, .path; *given false: no such keys. */
static bool keyed_address(KeyVals *kv, const char *prefix, bool passive, Address *a, bool *given,
                          Error *err)
{
    static const char *const names[2][4] = {
        {"local.type", "local.host", "local.port", "local.path"},
        {"remote.type", "remote.host", "remote.port", "remote.path"}};
    static const char *const addr[4] = {"addr.type", "addr.host", "addr.port", "addr.path"};
    const char *const *key = !strcmp(prefix, "addr") ? addr : names[!strcmp(prefix, "remote")];
    const char *type = keyvals_get(kv, key[0]), *host = keyvals_get(kv, key[1]);
    const char *port = keyvals_get(kv, key[2]), *path = keyvals_get(kv, key[3]);

    *given = type != NULL;
    if (!type) {
        return !(host || port || path) ||
               error_set(err, "%s.type= is needed: inet or unix", prefix);
    }
    if (!strcmp(type, "unix")) {
        return path ? unix_address(path, a, err) : error_set(err, "%s.path= is needed", prefix);
    }
    if (strcmp(type, "inet")) {
        return error_set(err, "%s.type=%s: use inet or unix", prefix, type);
    }
    return port ? inet_address(host, port, passive, a, err)
                : error_set(err, "%s.port= is needed", prefix);
}

/* What a program that crashed left behind; never a file that is no socket. */
static void remove_stale(const char *path)
{
    struct stat st;

    if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode)) {
        unlink(path);
    }
}

static int open_socket(const Address *a, int type)
{
    return socket(a->sa.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

static void no_delay(int fd)
{
    int one = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one); /* fails on unix sockets: fine */
}

/* ---- the port ---- */

static bool socket_receive(NetPort *p, const struct iovec *iov, int n)
{
    return wire_send(&((SocketNet *)p)->wire, iov, n);
}

static void socket_close(NetPort *p)
{
    SocketNet *s = (SocketNet *)p;

    timer_cancel(&s->again);
    wire_close(&s->wire);
    if (s->connecting >= 0) {
        machine_fd_remove(p->machine, s->connect_watch);
        close(s->connecting);
    }
    if (s->listen_fd >= 0) {
        machine_fd_remove(p->machine, s->listen_watch);
        close(s->listen_fd);
    }
    if (s->unlink_path) {
        unlink(s->unlink_path);
    }
    net_port_destroy(p);
    g_free(s->unlink_path);
    g_free(s);
}

static const NetPortOps socket_ops = {.receive = socket_receive, .close = socket_close};

static void set_info(SocketNet *s, const char *what)
{
    snprintf(s->port.info, sizeof s->port.info, "%.30s,%.90s", what, s->address.text);
}

/* ---- streams: server ---- */

static bool accept_peer(int fd, GIOCondition condition, void *opaque)
{
    SocketNet *s = opaque;
    int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    (void)condition;
    if (peer < 0) {
        return true;
    }
    if (s->wire.fd >= 0) {
        close(peer); /* one at a time */
        return true;
    }
    no_delay(peer);
    wire_open(&s->wire, peer);
    set_info(s, "socket,connected at");
    return true;
}

static void server_lost(Wire *w)
{
    set_info((SocketNet *)w->port, "socket,listening at");
}

static bool start_server(SocketNet *s, Error *err)
{
    int one = 1, fd = open_socket(&s->address, SOCK_STREAM);
    const struct sockaddr_un *un = (const struct sockaddr_un *)&s->address.sa;

    if (s->address.sa.ss_family == AF_UNIX) {
        remove_stale(un->sun_path);
    } else {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    }
    if (fd < 0 || bind(fd, (struct sockaddr *)&s->address.sa, s->address.bytes) || listen(fd, 1)) {
        error_set_errno(err, "cannot listen at %s", s->address.text);
        if (fd >= 0) {
            close(fd);
        }
        return false;
    }
    if (s->address.sa.ss_family == AF_UNIX) {
        s->unlink_path = g_strdup(un->sun_path);
    }
    s->listen_fd = fd;
    s->listen_watch = machine_fd_add(s->port.machine, fd, G_IO_IN, accept_peer, s);
    s->wire.gone = server_lost;
    set_info(s, "socket,listening at");
    return true;
}

/* ---- streams: client ---- */

static void try_later(SocketNet *s)
{
    set_info(s, "socket,not connected to");
    if (s->reconnect_ns) {
        timer_set(&s->again, clock_ns(s->port.machine, CLOCK_HOST) + s->reconnect_ns);
    }
}

static void client_lost(Wire *w)
{
    try_later((SocketNet *)w->port);
}

static void connected(SocketNet *s, int fd)
{
    no_delay(fd);
    wire_open(&s->wire, fd);
    set_info(s, "socket,connected to");
}

static bool connect_done(int fd, GIOCondition condition, void *opaque)
{
    SocketNet *s = opaque;
    int error = 0;
    socklen_t n = sizeof error;

    (void)condition;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n);
    machine_fd_remove(s->port.machine, s->connect_watch);
    s->connecting = -1;
    if (error) {
        close(fd);
        try_later(s);
    } else {
        connected(s, fd);
    }
    return true;
}

static bool start_client(SocketNet *s, Error *err)
{
    int fd = open_socket(&s->address, SOCK_STREAM);

    s->wire.gone = client_lost;
    if (fd >= 0 && connect(fd, (struct sockaddr *)&s->address.sa, s->address.bytes) == 0) {
        connected(s, fd);
        return true;
    }
    if (fd >= 0 && errno == EINPROGRESS) {
        s->connecting = fd;
        s->connect_watch =
            machine_fd_add(s->port.machine, fd, G_IO_OUT | G_IO_ERR | G_IO_HUP, connect_done, s);
        set_info(s, "socket,connecting to");
        return true;
    }
    error_set_errno(err, "cannot connect to %s", s->address.text);
    if (fd >= 0) {
        close(fd);
    }
    if (s->reconnect_ns) {
        try_later(s);
        return true;
    }
    return false;
}

static void call_again(void *opaque)
{
    (void)start_client(opaque, NULL);
}

/* ---- making ---- */

static SocketNet *socket_new(Machine *m, const char *id, bool stream)
{
    SocketNet *s = g_new0(SocketNet, 1);

    net_port_init(&s->port, m, id, &socket_ops, s);
    wire_init(&s->wire, &s->port, stream);
    timer_init(&s->again, m, CLOCK_HOST, call_again, s);
    s->listen_fd = -1;
    s->connecting = -1;
    return s;
}

static NetPort *finish(SocketNet *s, bool ok)
{
    if (!ok) {
        socket_close(&s->port);
        return NULL;
    }
    return &s->port;
}

static bool take_fd(KeyVals *kv, int *fd, Error *err)
{
    const char *text = keyvals_get(kv, "fd");
    uint64_t v;

    *fd = -1;
    if (text && (!parse_u64(text, &v) || v > INT32_MAX || fcntl((int)v, F_GETFD) < 0)) {
        return error_set(err, "fd=%s: no open file descriptor", text);
    }
    if (text) {
        *fd = (int)v;
    }
    return true;
}

static bool open_datagram(SocketNet *s, const Address *local, const Address *remote, Error *err)
{
    const Address *a = local ? local : remote;
    int one = 1, fd = open_socket(a, SOCK_DGRAM);
    const struct sockaddr_un *un = local ? (const struct sockaddr_un *)&local->sa : NULL;

    if (local && local->sa.ss_family == AF_UNIX) {
        remove_stale(un->sun_path);
    } else {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    }
    if (fd < 0 || (local && bind(fd, (const struct sockaddr *)&local->sa, local->bytes))) {
        error_set_errno(err, "cannot open a datagram socket at %s", a->text);
        if (fd >= 0) {
            close(fd);
        }
        return false;
    }
    if (local && local->sa.ss_family == AF_UNIX) {
        s->unlink_path = g_strdup(un->sun_path);
    }
    if (remote) {
        s->wire.to = remote->sa;
        s->wire.to_bytes = remote->bytes;
    }
    wire_open(&s->wire, fd);
    s->address = remote ? *remote : *local;
    set_info(s, "dgram");
    return true;
}

static bool join_group(SocketNet *s, const Address *group, const char *local, Error *err)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)&group->sa;
    struct ip_mreq r = {.imr_multiaddr = in->sin_addr};
    int one = 1, fd;
    unsigned char loop = 1;

    if (in->sin_family != AF_INET || !IN_MULTICAST(ntohl(in->sin_addr.s_addr))) {
        return error_set(err, "mcast=%s: no IPv4 multicast address (224.0.0.0 to 239.255.255.255)",
                         group->text);
    }
    if (local && !inet_aton(local, &r.imr_interface)) {
        return error_set(err, "localaddr=%s: not an IPv4 address", local);
    }
    fd = open_socket(group, SOCK_DGRAM);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    setsockopt(fd, IPPROTO_IP, IP_MULTICAST_LOOP, &loop, sizeof loop);
    if (bind(fd, (const struct sockaddr *)&group->sa, group->bytes) ||
        setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &r, sizeof r) ||
        (local &&
         setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &r.imr_interface, sizeof r.imr_interface))) {
        error_set_errno(err, "cannot join %s", group->text);
        close(fd);
        return false;
    }
    s->wire.to = group->sa;
    s->wire.to_bytes = group->bytes;
    wire_open(&s->wire, fd);
    s->address = *group;
    set_info(s, "socket,mcast=");
    return true;
}

/* -netdev socket: the oldest form, one of listen=, connect=, mcast=, udp=, fd=. */
static NetPort *socket_make(Machine *m, const char *id, KeyVals *kv, Error *err)
{
    const char *at = keyvals_get(kv, "listen"), *to = keyvals_get(kv, "connect");
    const char *group = keyvals_get(kv, "mcast"), *udp = keyvals_get(kv, "udp");
    const char *local = keyvals_get(kv, "localaddr");
    Address a, b;
    SocketNet *s;
    int fd;
    bool ok;

    if (!take_fd(kv, &fd, err) || !keyvals_finish(kv, err)) {
        return NULL;
    }
    if (!!at + !!to + !!group + !!udp + (fd >= 0) != 1) {
        error_set(err, "give one of listen=, connect=, mcast=, udp=, fd=");
        return NULL;
    }
    s = socket_new(m, id, at || to || fd >= 0);
    if (fd >= 0) {
        wire_open(&s->wire, fd);
        snprintf(s->port.info, sizeof s->port.info, "socket,fd=%d", fd);
        ok = true;
    } else if (at || to) {
        ok = host_port(at ? at : to, at != NULL, &s->address, err) &&
             (at ? start_server(s, err) : start_client(s, err));
    } else if (group) {
        ok = host_port(group, false, &a, err) && join_group(s, &a, local, err);
    } else {
        ok = local ? host_port(udp, false, &a, err) && host_port(local, true, &b, err) &&
                         open_datagram(s, &b, &a, err)
                   : error_set(err, "udp= needs localaddr=HOST:PORT");
    }
    return finish(s, ok);
}

static NetPort *stream_make(Machine *m, const char *id, KeyVals *kv, Error *err)
{
    SocketNet *s;
    Address a;
    bool server = false, given, ok;
    uint64_t reconnect_s = 0;

    if (!keyvals_bool(kv, "server", &server, err) ||
        !keyvals_u64(kv, "reconnect", &reconnect_s, err) ||
        !keyed_address(kv, "addr", server, &a, &given, err) || !keyvals_finish(kv, err)) {
        return NULL;
    }
    if (!given || (server && reconnect_s) || reconnect_s > 86400) {
        error_set(err, given ? "reconnect= is for clients, at most 86400 seconds"
                             : "addr.type= is needed: inet or unix");
        return NULL;
    }
    s = socket_new(m, id, true);
    s->address = a;
    s->reconnect_ns = (int64_t)reconnect_s * 1000000000;
    ok = server ? start_server(s, err) : start_client(s, err);
    return finish(s, ok);
}

static NetPort *dgram_make(Machine *m, const char *id, KeyVals *kv, Error *err)
{
    Address local, remote;
    bool have_local, have_remote;
    SocketNet *s;

    if (!keyed_address(kv, "local", true, &local, &have_local, err) ||
        !keyed_address(kv, "remote", false, &remote, &have_remote, err) ||
        !keyvals_finish(kv, err)) {
        return NULL;
    }
    if (!have_remote) {
        error_set(err, "remote.type= is needed: inet or unix");
        return NULL;
    }
    s = socket_new(m, id, false);
    return finish(s, open_datagram(s, have_local ? &local : NULL, &remote, err));
}

static const NetOption socket_options[] = {
    {"listen", "[HOST]:PORT", "wait for one peer"},
    {"connect", "HOST:PORT", "call one that waits"},
    {"mcast", "GROUP:PORT", "a network of all who use this group"},
    {"udp", "HOST:PORT", "datagrams to there"},
    {"localaddr", "HOST[:PORT]", "with udp: where they come back to; with mcast: interface"},
    {"fd", "N", "a connected stream"},
    {NULL, NULL, NULL}};
static const NetOption stream_options[] = {
    {"server", "on|off", "wait for a peer instead of calling one (off)"},
    {"addr.type", "inet|unix", "kind of address"},
    {"addr.host", "host", "inet"},
    {"addr.port", "port", "inet"},
    {"addr.path", "file", "unix"},
    {"reconnect", "seconds", "call again when the server is gone (0: never)"},
    {NULL, NULL, NULL}};
static const NetOption dgram_options[] = {{"local.type", "inet|unix", "where datagrams come to"},
                                          {"local.host", "host", "inet"},
                                          {"local.port", "port", "inet"},
                                          {"local.path", "file", "unix"},
                                          {"remote.type", "inet|unix", "where they go"},
                                          {"remote.host", "host", "inet"},
                                          {"remote.port", "port", "inet"},
                                          {"remote.path", "file", "unix"},
                                          {NULL, NULL, NULL}};

const NetKind net_kind_socket = {.name = "socket",
                                 .help = "another emulator, by a socket",
                                 .options = socket_options,
                                 .make = socket_make};
const NetKind net_kind_stream = {.name = "stream",
                                 .help = "frames over a stream socket",
                                 .options = stream_options,
                                 .make = stream_make};
const NetKind net_kind_dgram = {
    .name = "dgram", .help = "frames as datagrams", .options = dgram_options, .make = dgram_make};
