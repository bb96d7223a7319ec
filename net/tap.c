/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -netdev tap and -netdev bridge: a network interface of the host. Source: Linux
 * Documentation/networking/tuntap.rst. Not offered: vhost, several queues, checksum offload.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/kinds.h"
#include "net/wire.h"

#define TUN_NODE "/dev/net/tun"

extern char **environ;

typedef struct Tap {
    NetPort port; /* must be first */
    Wire wire;
    char ifname[IFNAMSIZ];
    char *downscript; /* NULL: none */
} Tap;

static bool tap_receive(NetPort *p, const struct iovec *iov, int n)
{
    return wire_send(&((Tap *)p)->wire, iov, n);
}

/* Runs `script ifname`; false: it could not or did not succeed. */
static bool run_script(const char *script, const char *ifname, Error *err)
{
    char *argv[] = {(char *)script, (char *)ifname, NULL};
    pid_t pid;
    int status = 0, error = posix_spawn(&pid, script, NULL, NULL, argv, environ);

    if (error) {
        errno = error;
        return error_set_errno(err, "script %s", script);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return (WIFEXITED(status) && WEXITSTATUS(status) == 0) ||
           error_set(err, "script %s %s did not succeed (status %d)", script, ifname, status);
}

static void tap_close(NetPort *p)
{
    Tap *t = (Tap *)p;

    if (t->downscript) {
        (void)run_script(t->downscript, t->ifname, NULL);
    }
    wire_close(&t->wire);
    net_port_destroy(p);
    g_free(t->downscript);
    g_free(t);
}

static const NetPortOps tap_ops = {.receive = tap_receive, .close = tap_close};

/* ---- opening ---- */

static bool explain(const char *ifname, Error *err)
{
    int saved = errno;

    if (saved == ENOENT || saved == ENODEV || saved == ENXIO) {
        return error_set(err, TUN_NODE " is not there (as root: modprobe tun)");
    }
    if (saved == EPERM || saved == EACCES) {
        return error_set(err,
                         "no permission to make interface '%s' from " TUN_NODE
                         "; as root: ip tuntap add dev %s mode tap user $USER, or run with "
                         "CAP_NET_ADMIN, or use -netdev user",
                         ifname[0] ? ifname : "tap0", ifname[0] ? ifname : "tap0");
    }
    if (saved == EBUSY) {
        return error_set(err, "interface '%s' is in use by another program", ifname);
    }
    return error_set_errno(err, "interface '%s' from " TUN_NODE, ifname);
}

static int open_tun(const char *want, char ifname[IFNAMSIZ], Error *err)
{
    struct ifreq r = {.ifr_flags = IFF_TAP | IFF_NO_PI};
    int fd;

    if (want && strlen(want) >= IFNAMSIZ) {
        error_set(err, "ifname=%s: at most %d letters", want, IFNAMSIZ - 1);
        return -1;
    }
    g_strlcpy(r.ifr_name, want ? want : "tap%d", sizeof r.ifr_name);
    fd = open(TUN_NODE, O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || ioctl(fd, TUNSETIFF, &r)) {
        explain(want ? want : "", err);
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    memcpy(ifname, r.ifr_name, IFNAMSIZ);
    return fd;
}

/* fd=N: opened and set up by whoever started us. */
static int given_fd(const char *text, Error *err)
{
    uint64_t v;
    struct ifreq r = {0};

    if (!parse_u64(text, &v) || v > INT32_MAX || fcntl((int)v, F_GETFD) < 0) {
        error_set(err, "fd=%s: no open file descriptor", text);
        return -1;
    }
    if (ioctl((int)v, TUNGETIFF, &r) == 0 && r.ifr_flags & IFF_VNET_HDR) {
        error_set(err, "fd=%s: opened with IFF_VNET_HDR, which is not supported", text);
        return -1;
    }
    return (int)v;
}

static bool attach_to_bridge(const char *bridge, const char *ifname, Error *err)
{
    struct ifreq r = {0};
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool ok = false;

    if (strlen(bridge) >= IFNAMSIZ || !if_nametoindex(bridge)) {
        error_set(err, "br=%s: no such interface (as root: ip link add %s type bridge)", bridge,
                  bridge);
    } else {
        g_strlcpy(r.ifr_name, bridge, sizeof r.ifr_name);
        r.ifr_ifindex = (int)if_nametoindex(ifname);
        ok = ioctl(s, SIOCBRADDIF, &r) == 0 ||
             error_set_errno(err, "br=%s: cannot add %s (as root: ip link set %s master %s)",
                             bridge, ifname, ifname, bridge);
    }
    if (ok) {
        memset(&r, 0, sizeof r);
        g_strlcpy(r.ifr_name, ifname, sizeof r.ifr_name);
        ok = ioctl(s, SIOCGIFFLAGS, &r) == 0 &&
             (r.ifr_flags |= IFF_UP, ioctl(s, SIOCSIFFLAGS, &r) == 0);
        ok = ok || error_set_errno(err, "cannot bring %s up", ifname);
    }
    close(s);
    return ok;
}

static bool refuse(KeyVals *kv, Error *err)
{
    bool vhost = false;

    if (!keyvals_bool(kv, "vhost", &vhost, err)) {
        return false;
    }
    if (vhost || keyvals_get(kv, "vhostfd") || keyvals_get(kv, "fds") ||
        keyvals_get(kv, "vhostfds")) {
        return error_set(err, "vhost and several queues are not supported; leave them out");
    }
    if (keyvals_get(kv, "helper")) {
        return error_set(err,
                         "helper= is not supported; give an interface that exists (ifname=) or "
                         "fd=");
    }
    return true;
}

/* "no" and nothing: none. */
static const char *script_of(KeyVals *kv, const char *key)
{
    const char *v = keyvals_get(kv, key);

    return v && strcmp(v, "no") && strcmp(v, "off") && *v ? v : NULL;
}

typedef struct TapOptions {
    const char *fd, *ifname, *bridge, *up, *down;
} TapOptions;

static NetPort *tap_new(Machine *m, const char *id, const TapOptions *o, Error *err)
{
    char ifname[IFNAMSIZ] = "";
    int fd = o->fd ? given_fd(o->fd, err) : open_tun(o->ifname, ifname, err);
    Tap *t;

    if (fd < 0) {
        return NULL;
    }
    if ((o->up && !run_script(o->up, ifname, err)) ||
        (o->bridge && !attach_to_bridge(o->bridge, ifname, err))) {
        close(fd);
        return NULL;
    }
    t = g_new0(Tap, 1);
    net_port_init(&t->port, m, id, &tap_ops, t);
    memcpy(t->ifname, ifname, sizeof ifname);
    t->downscript = g_strdup(o->down);
    wire_init(&t->wire, &t->port, false);
    wire_open(&t->wire, fd);
    if (o->fd) {
        snprintf(t->port.info, sizeof t->port.info, "tap,fd=%s", o->fd);
    } else {
        snprintf(t->port.info, sizeof t->port.info, "%s,ifname=%s", o->bridge ? "bridge" : "tap",
                 ifname);
    }
    return &t->port;
}

static NetPort *tap_make(Machine *m, const char *id, KeyVals *kv, Error *err)
{
    TapOptions o = {.fd = keyvals_get(kv, "fd"),
                    .ifname = keyvals_get(kv, "ifname"),
                    .bridge = keyvals_get(kv, "br"),
                    .up = script_of(kv, "script"),
                    .down = script_of(kv, "downscript")};

    if (!refuse(kv, err) || !keyvals_finish(kv, err)) {
        return NULL;
    }
    if (o.fd && (o.ifname || o.up || o.bridge)) {
        error_set(err, "fd= is an interface that is set up already: no ifname=, script=, br=");
        return NULL;
    }
    return tap_new(m, id, &o, err);
}

static NetPort *bridge_make(Machine *m, const char *id, KeyVals *kv, Error *err)
{
    const char *bridge = keyvals_get(kv, "br");
    TapOptions o = {.bridge = bridge ? bridge : "br0"};

    if (!refuse(kv, err) || !keyvals_finish(kv, err)) {
        return NULL;
    }
    return tap_new(m, id, &o, err);
}

static const NetOption tap_options[] = {
    {"ifname", "name", "the interface; made when it is not there (tap%d)"},
    {"br", "bridge", "a bridge of the host to join"},
    {"script", "file|no", "program that sets the interface up, given its name (no)"},
    {"downscript", "file|no", "program for the end (no)"},
    {"fd", "N", "an open tap instead"},
    {NULL, NULL, NULL}};
static const NetOption bridge_options[] = {{"br", "bridge", "the bridge of the host (br0)"},
                                           {NULL, NULL, NULL}};

const NetKind net_kind_tap = {
    .name = "tap", .help = "an interface of the host", .options = tap_options, .make = tap_make};
const NetKind net_kind_bridge = {.name = "bridge",
                                 .help = "a new interface on a bridge of the host",
                                 .options = bridge_options,
                                 .make = bridge_make};
