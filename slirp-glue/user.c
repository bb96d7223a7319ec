/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -netdev user: a network behind a translating router, by libslirp. Needs no rights on the host.
 *
 * libslirp has one thread: all its calls happen on the machine's event loop or a vCPU with the
 * machine lock held (the loop holds it for every phase of a GSource but the poll itself). Its file
 * descriptors are polled by a GSource of that loop (one round: fill, poll, handle), its clock is CLOCK_HOST, so that connections live on while the machine is stopped.
 *
 * Source: libslirp.h of libslirp 4.7. Not offered: smb=, NAT of ICMP beyond what the host allows.
 */
#include <arpa/inet.h>
#include <libslirp.h>
#include <stdlib.h>
#include <string.h>

#include "net/kinds.h"
#include "slirp-glue/forward.h"
#include "util/log.h"

enum { MAX_FORWARDS = 64, MAX_SEARCH = 16 };

typedef struct UserNet {
    NetPort port; /* must be first */
    Slirp *slirp;
    GSource *source;
    struct in_addr dhcp_start;
    uint8_t frame[NET_MAX_BYTES];
} UserNet;

/* ---- the event loop ---- */

typedef struct PollSource {
    GSource source;
    UserNet *net;
    GArray *fds; /* GPollFD */
} PollSource;

static int add_poll(int fd, int events, void *opaque)
{
    PollSource *s = opaque;
    GPollFD p = {.fd = fd};
    p.events = (gushort)((events & SLIRP_POLL_IN ? G_IO_IN : 0) |
                         (events & SLIRP_POLL_OUT ? G_IO_OUT : 0) |
                         (events & SLIRP_POLL_PRI ? G_IO_PRI : 0) | G_IO_ERR | G_IO_HUP);
    g_array_append_val(s->fds, p);
    return (int)s->fds->len - 1;
}

static int get_revents(int index, void *opaque)
{
    const PollSource *s = opaque;
    unsigned e = g_array_index(s->fds, GPollFD, index).revents;
    return (e & G_IO_IN ? SLIRP_POLL_IN : 0) | (e & G_IO_OUT ? SLIRP_POLL_OUT : 0) |
           (e & G_IO_PRI ? SLIRP_POLL_PRI : 0) | (e & G_IO_ERR ? SLIRP_POLL_ERR : 0) |
           (e & G_IO_HUP ? SLIRP_POLL_HUP : 0);
}

static void forget_fds(PollSource *s)
{
    for (guint i = 0; i < s->fds->len; i++) {
        g_source_remove_poll(&s->source, &g_array_index(s->fds, GPollFD, i));
    }
    g_array_set_size(s->fds, 0);
}

static gboolean prepare(GSource *source, gint *timeout)
{
    PollSource *s = (PollSource *)source;
    uint32_t ms = UINT32_MAX;
    forget_fds(s);
    slirp_pollfds_fill(s->net->slirp, &ms, add_poll, s);
    /* Only now, because the array moves while it grows. */
    for (guint i = 0; i < s->fds->len; i++) {
        g_source_add_poll(source, &g_array_index(s->fds, GPollFD, i));
    }
    *timeout = ms > INT32_MAX ? -1 : (gint)ms;
    return FALSE;
}

static gboolean check(GSource *source)
{
    (void)source;
    return TRUE; /* every round: libslirp's own timeouts count on it */
}

static gboolean dispatch(GSource *source, GSourceFunc fn, gpointer data)
{
    PollSource *s = (PollSource *)source;
    (void)fn;
    (void)data;
    slirp_pollfds_poll(s->net->slirp, 0, get_revents, s);
    return G_SOURCE_CONTINUE;
}

static void finalize(GSource *source)
{
    PollSource *s = (PollSource *)source;
    g_array_free(s->fds, TRUE);
}

static const GSourceFuncs poll_funcs = {prepare, check, dispatch, finalize, NULL, NULL};

/* ---- what libslirp asks of us ---- */

static ssize_t send_packet(const void *buf, size_t bytes, void *opaque)
{
    UserNet *u = opaque;
    net_send_buf(&u->port, buf, bytes);
    return (ssize_t)bytes;
}

static void guest_error(const char *msg, void *opaque)
{
    UserNet *u = opaque;
    log_printf(machine_log(u->port.machine), MLOG_GUEST_ERROR, "%s: %s\n", u->port.id, msg);
}

static int64_t clock_get_ns(void *opaque)
{
    return clock_ns(((UserNet *)opaque)->port.machine, CLOCK_HOST);
}

typedef struct SlirpTimer {
    Timer timer;
    SlirpTimerCb fn;
    void *opaque;
} SlirpTimer;

static void timer_fired(void *opaque)
{
    SlirpTimer *t = opaque;
    t->fn(t->opaque);
}

static void *timer_new(SlirpTimerCb fn, void *cb_opaque, void *opaque)
{
    SlirpTimer *t = calloc(1, sizeof *t);
    if (!t) {
        abort();
    }
    t->fn = fn;
    t->opaque = cb_opaque;
    timer_init(&t->timer, ((UserNet *)opaque)->port.machine, CLOCK_HOST, timer_fired, t);
    return t;
}

static void timer_free(void *timer, void *opaque)
{
    SlirpTimer *t = timer;
    (void)opaque;
    timer_cancel(&t->timer);
    free(t);
}

static void timer_mod(void *timer, int64_t expire_ms, void *opaque)
{
    SlirpTimer *t = timer;
    (void)opaque;
    timer_set(&t->timer, expire_ms * 1000000);
}

static void poll_fd(int fd, void *opaque)
{
    (void)fd;
    (void)opaque; /* every round asks for all of them */
}

/* Descriptors may have to be polled anew; the loop itself asks before it polls next anyway. */
static void wake_loop(const UserNet *u)
{
    GMainContext *loop = u->port.machine->loop;

    if (!g_main_context_is_owner(loop)) {
        g_main_context_wakeup(loop);
    }
}

static void notify(void *opaque)
{
    wake_loop(opaque);
}

static const SlirpCb callbacks = {
    .send_packet = send_packet,
    .guest_error = guest_error,
    .clock_get_ns = clock_get_ns,
    .timer_new = timer_new,
    .timer_free = timer_free,
    .timer_mod = timer_mod,
    .register_poll_fd = poll_fd,
    .unregister_poll_fd = poll_fd,
    .notify = notify,
};

/* ---- the port ---- */

static bool receive(NetPort *p, const struct iovec *iov, int n)
{
    UserNet *u = (UserNet *)p;
    size_t bytes = 0;
    for (int i = 0; i < n; i++) {
        if (iov[i].iov_len > sizeof u->frame - bytes) {
            return true; /* too long for any network: dropped */
        }
        memcpy(u->frame + bytes, iov[i].iov_base, iov[i].iov_len);
        bytes += iov[i].iov_len;
    }
    slirp_input(u->slirp, u->frame, (int)bytes);
    wake_loop(u);
    return true;
}

static void close_port(NetPort *p)
{
    UserNet *u = (UserNet *)p;
    if (u->source) {
        g_source_destroy(u->source);
        g_source_unref(u->source);
    }
    slirp_cleanup(u->slirp);
    net_port_destroy(p);
    free(u);
}

static const NetPortOps ops = {.receive = receive, .close = close_port};

/* ---- options ---- */

static bool read_address(KeyVals *kv, const char *key, struct in_addr *a, Error *err)
{
    const char *v = keyvals_get(kv, key);
    return !v || inet_aton(v, a) || error_set(err, "%s=%s: not an IPv4 address", key, v);
}

/* net=A.B.C.D[/BITS]: the other addresses follow it unless they are given. */
static bool read_network(KeyVals *kv, SlirpConfig *c, Error *err)
{
    const char *v = keyvals_get(kv, "net");
    char text[64];
    uint64_t bits = 24;
    if (v) {
        const char *slash = strchr(v, '/');
        snprintf(text, sizeof text, "%.*s", slash ? (int)(slash - v) : (int)strlen(v), v);
        if (!inet_aton(text, &c->vnetwork) ||
            (slash && (!parse_u64(slash + 1, &bits) || bits < 1 || bits > 30))) {
            return error_set(err, "net=%s: use A.B.C.D/BITS", v);
        }
    }
    c->vnetmask.s_addr = htonl(~0u << (32 - bits));
    c->vnetwork.s_addr &= c->vnetmask.s_addr;
    c->vhost.s_addr = c->vnetwork.s_addr | htonl(2);
    c->vnameserver.s_addr = c->vnetwork.s_addr | htonl(3);
    c->vdhcp_start.s_addr = c->vnetwork.s_addr | htonl(15);
    return read_address(kv, "host", &c->vhost, err) &&
           read_address(kv, "dns", &c->vnameserver, err) &&
           read_address(kv, "dhcpstart", &c->vdhcp_start, err);
}

static bool read_config(KeyVals *kv, SlirpConfig *c, const char **search, Error *err)
{
    bool restricted = false;
    uint64_t prefix_len = 64;
    if (!keyvals_bool(kv, "restrict", &restricted, err) ||
        !keyvals_bool(kv, "ipv4", &c->in_enabled, err) ||
        !keyvals_bool(kv, "ipv6", &c->in6_enabled, err) || !read_network(kv, c, err) ||
        !keyvals_u64(kv, "ipv6-prefixlen", &prefix_len, err)) {
        return false;
    }
    const char *prefix = keyvals_get(kv, "ipv6-prefix");
    if (prefix && inet_pton(AF_INET6, prefix, &c->vprefix_addr6) != 1) {
        return error_set(err, "ipv6-prefix=%s: not an IPv6 address", prefix);
    }
    if (prefix_len < 1 || prefix_len > 126) {
        return error_set(err, "ipv6-prefixlen: 1 to 126");
    }
    c->vprefix_len = (uint8_t)prefix_len;
    c->vhost6 = c->vnameserver6 = c->vprefix_addr6;
    c->vhost6.s6_addr[15] |= 2;
    c->vnameserver6.s6_addr[15] |= 3;
    c->restricted = restricted;
    c->vhostname = keyvals_get(kv, "hostname");
    c->tftp_path = keyvals_get(kv, "tftp");
    c->tftp_server_name = keyvals_get(kv, "tftp-server-name");
    c->bootfile = keyvals_get(kv, "bootfile");
    c->vdomainname = keyvals_get(kv, "domainname");
    search[0] = keyvals_get(kv, "dnssearch");
    c->vdnssearch = search[0] ? search : NULL;
    if (keyvals_get(kv, "smb") || keyvals_get(kv, "smbserver")) {
        return error_set(err, "smb=: not there; -virtfs shares a folder");
    }
    return true;
}

static bool set_forward(NetPort *p, const char *rule, bool add, Error *err)
{
    UserNet *u = (UserNet *)p;
    HostForward f;
    if (!forward_parse(rule, !add, &f, err)) {
        return error_prepend(err, "hostfwd");
    }
    if (!add) {
        return slirp_remove_hostfwd(u->slirp, f.udp, f.host, (int)f.host_port) == 0 ||
               error_set(err, "%s: no such forwarding", rule);
    }
    if (!f.guest.s_addr) {
        f.guest = u->dhcp_start;
    }
    if (slirp_add_hostfwd(u->slirp, f.udp, f.host, (int)f.host_port, f.guest, (int)f.guest_port)) {
        return error_set_errno(err, "hostfwd=%s: cannot listen on %s:%u", rule, inet_ntoa(f.host),
                               f.host_port);
    }
    wake_loop(u);
    return true;
}

static bool set_guest_forward(UserNet *u, const char *rule, Error *err)
{
    GuestForward f;
    if (!guest_forward_parse(rule, &f, err)) {
        return error_prepend(err, "guestfwd");
    }
    int failed = !strncmp(f.target, "cmd:", 4)
                     ? slirp_add_exec(u->slirp, f.target + 4, &f.server, (int)f.port)
                     : slirp_add_unix(u->slirp, f.target + 5, &f.server, (int)f.port);
    return !failed || error_set(err, "guestfwd=%s: the address is not one of the network's", rule);
}

/* hostfwd= and guestfwd= may come several times. */
static bool read_forwards(UserNet *u, KeyVals *kv, Error *err)
{
    (void)keyvals_get(kv, "hostfwd");
    (void)keyvals_get(kv, "guestfwd");
    for (unsigned i = 0; i < kv->n; i++) {
        const KeyVal *k = &kv->items[i];
        if (!k->value) {
            continue;
        }
        if ((!strcmp(k->key, "hostfwd") && !set_forward(&u->port, k->value, true, err)) ||
            (!strcmp(k->key, "guestfwd") && !set_guest_forward(u, k->value, err))) {
            return false;
        }
    }
    return true;
}

static NetPort *make(Machine *m, const char *id, KeyVals *kv, Error *err)
{
    const char *search[2] = {NULL, NULL};
    SlirpConfig c = {.version = 1, .in_enabled = true, .in6_enabled = true};
    inet_aton("10.0.2.0", &c.vnetwork);
    inet_pton(AF_INET6, "fec0::", &c.vprefix_addr6);
    if (!read_config(kv, &c, search, err)) {
        return NULL;
    }
    UserNet *u = calloc(1, sizeof *u);
    if (!u) {
        abort();
    }
    u->dhcp_start = c.vdhcp_start;
    net_port_init(&u->port, m, id, &ops, NULL);
    u->port.takes_big_tcp = true; /* libslirp ends the guest's TCP, whatever the size of a segment */
    u->slirp = slirp_new(&c, &callbacks, u);
    if (!u->slirp) {
        net_port_destroy(&u->port);
        free(u);
        error_set(err, "libslirp refuses this network");
        return NULL;
    }
    snprintf(u->port.info, sizeof u->port.info, "user,net=%s%s", inet_ntoa(c.vnetwork),
             c.restricted ? ",restrict=on" : "");
    if (!read_forwards(u, kv, err) || !keyvals_finish(kv, err)) {
        close_port(&u->port);
        return NULL;
    }
    u->source = g_source_new((GSourceFuncs *)&poll_funcs, sizeof(PollSource));
    PollSource *s = (PollSource *)u->source;
    s->net = u;
    s->fds = g_array_new(FALSE, TRUE, sizeof(GPollFD));
    g_source_attach(u->source, m->loop);
    return &u->port;
}

static char *connections(NetPort *p)
{
    return slirp_connection_info(((UserNet *)p)->slirp);
}

static const NetOption options[] = {
    {"net", "A.B.C.D/BITS", "the guest's network (10.0.2.0/24)"},
    {"host", "addr", "this host as the guest sees it (.2)"},
    {"dhcpstart", "addr", "first of the addresses that are handed out (.15)"},
    {"dns", "addr", "the name server (.3)"},
    {"hostfwd", "[tcp|udp]:[HOST]:PORT-[GUEST]:PORT", "a port of this host leads to the guest"},
    {"guestfwd", "[tcp]:SERVER:PORT-cmd:COMMAND|unix:PATH",
     "an address of the guest's network leads to a program"},
    {"restrict", "on|off", "the guest reaches nothing but what is forwarded"},
    {"ipv4", "on|off", "IPv4"},
    {"ipv6", "on|off", "IPv6"},
    {"ipv6-prefix", "addr", "its network (fec0::)"},
    {"ipv6-prefixlen", "bits", "its length (64)"},
    {"hostname", "name", "the guest's name, by DHCP"},
    {"domainname", "name", "its domain"},
    {"dnssearch", "domain", "search list, by DHCP"},
    {"tftp", "DIR", "a folder that a TFTP server offers to the guest"},
    {"tftp-server-name", "name", "DHCP option 66"},
    {"bootfile", "file", "DHCP's boot file"},
    {NULL, NULL, NULL},
};

const NetKind net_kind_user = {
    .name = "user",
    .help = "behind a translating router; needs no rights",
    .options = options,
    .make = make,
    .forward = set_forward,
    .connections = connections,
};
