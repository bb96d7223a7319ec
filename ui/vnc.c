/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VNC server: sockets, clients, what changed on the screen. Source: RFC 6143 (RFB 3.8).
 *
 * The guest's drawing marks tiles; the tick compares those with the picture clients were told of
 * (shadow), so that encoders work on pixels that stand still and nothing is sent twice. A client
 * gets an update when it asked for one and has taken the last. Listens on 127.0.0.1 unless a host
 * is named. Not modelled: TLS, SASL, audio, lossy encodings.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ui/message.h"
#include "ui/pixels.h"
#include "ui/starts.h"
#include "ui/vnc_private.h"

enum {
    TICK_MS = 20,
    REFRESH_MS = 30,
    PORT_BASE = 5900,
    WEB_PORT_BASE = 5700,
    MAX_CLIENTS = 32,
    READ_BYTES = 65536,
    MAX_MESSAGE_BYTES = 4 + 4 * 65535 + READ_BYTES,
    MAX_DISPLAY = 59635,
    MAX_WAITING_BYTES = 1 << 20
};

/* ---- what the guest shows; any thread */

static void on_update(DisplayListener *l, uint32_t x, uint32_t y, uint32_t w, uint32_t h)
{
    VncServer *s = l->opaque;
    uint32_t x1 = MIN((x + w + VNC_TILE - 1) / VNC_TILE, s->tiles_x);
    uint32_t y1 = MIN((y + h + VNC_TILE - 1) / VNC_TILE, s->tiles_y);

    for (uint32_t ty = y / VNC_TILE; ty < y1 && x / VNC_TILE < x1; ty++) {
        memset(s->changed + ty * s->tiles_x + x / VNC_TILE, 1, x1 - x / VNC_TILE);
        s->any_changed = true;
    }
}

static const Surface *current(VncServer *s)
{
    const Surface *now = s->console ? console_surface(s->console) : NULL;

    if (now) {
        return now;
    }
    message_free(&s->message);
    s->message = message_surface(s->console != NULL);
    return &s->message;
}

static void new_size(VncServer *s, uint32_t width, uint32_t height)
{
    s->width = width;
    s->height = height;
    s->tiles_x = (width + VNC_TILE - 1) / VNC_TILE;
    s->tiles_y = (height + VNC_TILE - 1) / VNC_TILE;
    g_free(s->shadow);
    g_free(s->changed);
    s->shadow = g_new0(uint32_t, (size_t)width * height);
    s->changed = g_malloc0((size_t)s->tiles_x * s->tiles_y);
    for (VncClient *c = s->clients; c; c = c->next) {
        c->dirty = g_realloc(c->dirty, (size_t)s->tiles_x * s->tiles_y);
        memset(c->dirty, 1, (size_t)s->tiles_x * s->tiles_y);
        c->any_dirty = true;
        c->send_size = c->takes_size || c->takes_ext_size;
    }
}

static void on_surface(DisplayListener *l, const Surface *surface)
{
    VncServer *s = l->opaque;
    const Surface *now = surface ? surface : current(s);

    if (now->width != s->width || now->height != s->height) {
        new_size(s, now->width, now->height);
    }
    on_update(l, 0, 0, s->width, s->height);
}

static void on_cursor(DisplayListener *l, const CursorImage *image)
{
    VncServer *s = l->opaque;

    g_free(s->argb);
    s->argb = NULL;
    if (image) {
        s->cursor = *image;
        s->argb = g_memdup2(image->argb, (size_t)image->width * image->height * 4);
    }
    for (VncClient *c = s->clients; c; c = c->next) {
        c->send_cursor = c->takes_cursor || c->takes_alpha_cursor;
    }
}

/* One tile from the surface to the shadow; was it another before? */
static bool take_tile(VncServer *s, const Surface *now, uint32_t tx, uint32_t ty)
{
    uint32_t row[VNC_TILE], x = tx * VNC_TILE, w = MIN(s->width - x, VNC_TILE);
    uint32_t y1 = MIN((ty + 1) * VNC_TILE, s->height);
    bool differs = false;

    for (uint32_t y = ty * VNC_TILE; y < y1; y++) {
        uint32_t *shadow = s->shadow + (size_t)y * s->width + x;
        surface_row(row, now, x, y, w);
        if (memcmp(shadow, row, w * 4)) {
            memcpy(shadow, row, w * 4);
            differs = true;
        }
    }
    return differs;
}

void vnc_take_changes(VncServer *s)
{
    const Surface *guest = s->console ? console_surface(s->console) : NULL;
    const Surface *now = guest ? guest : &s->message;

    if (!s->any_changed) {
        return;
    }
    for (uint32_t i = 0; i < s->tiles_x * s->tiles_y; i++) {
        if (!s->changed[i] || !take_tile(s, now, i % s->tiles_x, i / s->tiles_x)) {
            continue;
        }
        for (VncClient *c = s->clients; c; c = c->next) {
            c->dirty[i] = 1;
            c->any_dirty = true;
        }
    }
    memset(s->changed, 0, (size_t)s->tiles_x * s->tiles_y);
    s->any_changed = false;
}

/* The console it was told to show, or the first, while somebody looks; consoles may go. */
static void look(VncServer *s, bool wanted)
{
    Machine *m = s->m;
    Console *first = s->display ? console_by_name(m, s->display) : console_by_index(m, 0);
    Console *c = wanted ? first : NULL;

    if (c == s->console) {
        return;
    }
    if (ui_console_exists(m, s->console)) {
        console_unlisten(s->console, &s->listener);
    }
    s->console = c;
    if (c) {
        console_listen(c, &s->listener);
    } else {
        on_surface(&s->listener, NULL);
        on_cursor(&s->listener, NULL);
    }
}

/* ---- clients */

static void free_client(VncClient *c)
{
    Machine *m = c->server->m;

    vnc_release_all(c);
    if (c->read_watch) {
        machine_fd_remove(m, c->read_watch);
    }
    if (c->write_watch) {
        machine_fd_remove(m, c->write_watch);
    }
    close(c->fd);
    for (unsigned i = 0; i < VNC_N_STREAMS; i++) {
        if (c->stream_on[i]) {
            deflateEnd(&c->streams[i]);
        }
    }
    g_byte_array_unref(c->in);
    g_byte_array_unref(c->out);
    g_byte_array_unref(c->wire);
    g_byte_array_unref(c->web_in);
    g_byte_array_unref(c->scratch);
    g_byte_array_unref(c->packed);
    g_free(c->dirty);
    g_free(c);
}

/* Clients that are gone; never while one of their callbacks runs. */
static void sweep(VncServer *s)
{
    for (VncClient **at = &s->clients; *at;) {
        VncClient *c = *at;
        if (c->gone) {
            *at = c->next;
            s->n_clients--;
            free_client(c);
        } else {
            at = &c->next;
        }
    }
}

void vnc_close(VncClient *c)
{
    c->gone = true;
    shutdown(c->fd, SHUT_RDWR);
}

void vnc_disconnect_others(VncClient *c)
{
    for (VncClient *o = c->server->clients; o; o = o->next) {
        if (o != c) {
            vnc_close(o);
        }
    }
}

static bool on_writable(int fd, GIOCondition condition, void *opaque);

static void write_some(VncClient *c)
{
    while (c->wire_at < c->wire->len) {
        ssize_t n =
            send(c->fd, c->wire->data + c->wire_at, c->wire->len - c->wire_at, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && errno == EAGAIN) {
            if (!c->write_watch) {
                c->write_watch = machine_fd_add(c->server->m, c->fd, G_IO_OUT, on_writable, c);
            }
            return;
        }
        if (n <= 0) {
            c->gone = true;
            return;
        }
        c->wire_at += (size_t)n;
    }
    g_byte_array_set_size(c->wire, 0);
    c->wire_at = 0;
}

static bool on_writable(int fd, GIOCondition condition, void *opaque)
{
    VncClient *c = opaque;

    (void)fd, (void)condition;
    write_some(c);
    if (c->wire_at < c->wire->len && !c->gone) {
        return true;
    }
    c->write_watch = 0;
    return false;
}

void vnc_send(VncClient *c)
{
    if (c->gone || !c->out->len) {
        return;
    }
    if (c->web) {
        vnc_web_output(c);
    } else {
        g_byte_array_append(c->wire, c->out->data, c->out->len);
        g_byte_array_set_size(c->out, 0);
    }
    write_some(c);
}

static bool on_readable(int fd, GIOCondition condition, void *opaque)
{
    VncClient *c = opaque;
    GByteArray *to = c->web ? c->web_in : c->in;
    guint at = to->len;

    (void)condition;
    if (c->gone) {
        return true; /* the tick frees it */
    }
    g_byte_array_set_size(to, at + READ_BYTES);
    ssize_t n = recv(fd, to->data + at, READ_BYTES, 0);
    g_byte_array_set_size(to, at + (guint)MAX(n, 0));
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        vnc_close(c);
    }
    if (c->web && !c->gone && !vnc_web_input(c)) {
        vnc_close(c);
    }
    if (c->web && !c->gone) {
        write_some(c); /* answers to handshake and pings */
    }
    if (c->handler && !c->gone) {
        vnc_client_input(c);
    }
    /* Answers to a client that does not read them pile up beside its last update. */
    size_t waiting = c->wire->len - c->wire_at;
    if (c->in->len > MAX_MESSAGE_BYTES || waiting > c->update_bytes + MAX_WAITING_BYTES) {
        vnc_close(c);
    }
    return true;
}

static void name_peer(VncClient *c, const struct sockaddr_storage *a)
{
    char host[INET6_ADDRSTRLEN] = "local";
    unsigned port = 0;

    if (a->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const void *)a;
        inet_ntop(AF_INET, &in->sin_addr, host, sizeof host);
        port = ntohs(in->sin_port);
    } else if (a->ss_family == AF_INET6) {
        const struct sockaddr_in6 *in = (const void *)a;
        inet_ntop(AF_INET6, &in->sin6_addr, host, sizeof host);
        port = ntohs(in->sin6_port);
    }
    g_snprintf(c->peer, sizeof c->peer, port ? "%s:%u" : "%s", host, port);
}

static void add_client(VncServer *s, int fd, bool web, const struct sockaddr_storage *a)
{
    VncClient *c = g_new0(VncClient, 1);
    int on = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    c->server = s;
    c->fd = fd;
    c->web = web;
    c->in = g_byte_array_new();
    c->out = g_byte_array_new();
    c->wire = g_byte_array_new();
    c->web_in = g_byte_array_new();
    c->scratch = g_byte_array_new();
    c->packed = g_byte_array_new();
    c->dirty = g_malloc((size_t)s->tiles_x * s->tiles_y);
    memset(c->dirty, 1, (size_t)s->tiles_x * s->tiles_y);
    c->any_dirty = true;
    name_peer(c, a);
    c->next = s->clients;
    s->clients = c;
    s->n_clients++;
    c->read_watch = machine_fd_add(s->m, fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable, c);
    if (!web) {
        vnc_client_begin(c);
    }
}

static bool on_connect(int fd, GIOCondition condition, void *opaque)
{
    VncServer *s = opaque;
    struct sockaddr_storage a = {0};
    socklen_t n = sizeof a;

    (void)condition;
    int peer = accept4(fd, (struct sockaddr *)&a, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (peer < 0) {
        return true;
    }
    sweep(s);
    if (s->n_clients >= s->max_clients) {
        close(peer);
        return true;
    }
    look(s, true);
    add_client(s, peer, fd == s->web_fd, &a);
    return true;
}

static gboolean tick(gpointer opaque)
{
    VncServer *s = opaque;

    sweep(s);
    look(s, s->clients != NULL);
    for (VncClient *c = s->clients; c; c = c->next) {
        vnc_update(c);
    }
    return G_SOURCE_CONTINUE;
}

/* ---- sockets */

static bool listen_unix(VncServer *s, const char *path, Error *err)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof a.sun_path) {
        return error_set(err, "unix:%s: longer than %zu bytes", path, sizeof a.sun_path - 1);
    }
    g_strlcpy(a.sun_path, path, sizeof a.sun_path);
    s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    unlink(path);
    if (s->fd < 0 || bind(s->fd, (struct sockaddr *)&a, sizeof a) || listen(s->fd, 8)) {
        return error_set_errno(err, "unix:%s", path);
    }
    s->unix_path = g_strdup(path);
    s->address = g_strdup_printf("unix:%s", path);
    return true;
}

static int bind_one(const struct addrinfo *a)
{
    int on = 1, fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, a->ai_addr, a->ai_addrlen) || listen(fd, 8)) {
        int why = errno;
        close(fd);
        errno = why;
        return -1;
    }
    return fd;
}

static int listen_tcp(const char *host, unsigned port, Error *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found;
    char service[8];
    int fd = -1;

    g_snprintf(service, sizeof service, "%u", port);
    int why = getaddrinfo(host, service, &hints, &found);
    if (why) {
        error_set(err, "%s: %s", host, gai_strerror(why));
        errno = 0;
        return -1;
    }
    for (const struct addrinfo *a = found; a && fd < 0; a = a->ai_next) {
        fd = bind_one(a);
    }
    freeaddrinfo(found);
    if (fd < 0) {
        error_set_errno(err, "cannot listen on %s port %u", host, port); /* keeps errno */
    }
    return fd;
}

/* "HOST:DISPLAY" into its parts; a host in brackets may have colons. */
static bool split_address(const char *address, char **host, uint64_t *display, Error *err)
{
    const char *colon = strrchr(address, ':');

    if (!colon || !parse_u64(colon + 1, display) || *display > MAX_DISPLAY) {
        return error_set(err, "'%s' is not HOST:DISPLAY, unix:PATH or none (e.g. :0)", address);
    }
    size_t n = (size_t)(colon - address);
    bool bracketed = n > 2 && address[0] == '[' && address[n - 1] == ']';
    *host = !n          ? g_strdup("127.0.0.1")
            : bracketed ? g_strndup(address + 1, n - 2)
                        : g_strndup(address, n);
    return true;
}

typedef struct Where {
    char *host;
    uint64_t display, last; /* displays to try */
    uint64_t web_port;      /* 0: WEB_PORT_BASE and the display */
    bool web;
} Where;

static bool listen_at(VncServer *s, const Where *w, Error *err)
{
    uint64_t display = w->display;

    while ((s->fd = listen_tcp(w->host, (unsigned)(PORT_BASE + display), err)) < 0) {
        if (errno != EADDRINUSE || ++display > w->last) {
            return false;
        }
    }
    error_clear(err);
    s->address = g_strdup_printf("%s:%u", w->host, (unsigned)(PORT_BASE + display));
    if (w->web) {
        unsigned port = (unsigned)(w->web_port ? w->web_port : WEB_PORT_BASE + display);
        s->web_fd = listen_tcp(w->host, port, err);
        s->web_address = g_strdup_printf("%s:%u", w->host, port);
    }
    return !w->web || s->web_fd >= 0;
}

/* ---- options, life */

static void stop(UiPart *p)
{
    VncServer *s = (VncServer *)p;
    VncServer **at = &s->m->ui->vnc;

    look(s, false);
    while (*at && *at != s) {
        at = &(*at)->next_server;
    }
    *at = *at ? s->next_server : NULL;
    for (VncClient *c = s->clients; c; c = c->next) {
        c->gone = true;
    }
    sweep(s);
    if (s->tick) {
        g_source_destroy(s->tick);
        g_source_unref(s->tick);
        machine_fd_remove(s->m, s->watch);
        machine_fd_remove(s->m, s->web_watch);
    }
    if (s->unix_path) {
        unlink(s->unix_path);
    }
    close(s->fd);
    close(s->web_fd);
    message_free(&s->message);
    g_free(s->id), g_free(s->address), g_free(s->web_address);
    g_free(s->unix_path), g_free(s->display);
    g_free(s->shadow), g_free(s->changed), g_free(s->argb);
    g_free(s);
}

static bool web_option(KeyVals *kv, Where *w, Error *err)
{
    const char *text = keyvals_get(kv, "websocket");

    if (text && !parse_bool(text, &w->web)) {
        w->web = true;
        if (!parse_u64(text, &w->web_port) || !w->web_port || w->web_port > UINT16_MAX) {
            return error_set(err, "websocket=%s: not on, off or a port", text);
        }
    }
    return true;
}

static bool options(VncServer *s, KeyVals *kv, Where *w, Error *err)
{
    static const char *const shares[] = {"allow-exclusive", "force-shared", "ignore", NULL};
    bool hint;
    uint64_t number;

    s->max_clients = MAX_CLIENTS;
    if (!keyvals_bool(kv, "password", &s->password, err) ||
        !keyvals_enum(kv, "share", shares, &s->share, err) ||
        !keyvals_u64(kv, "connections", &s->max_clients, err) ||
        !keyvals_u64(kv, "to", &w->last, err) || !web_option(kv, w, err) ||
        /* Hints about what is not done here anyway. */
        !keyvals_bool(kv, "lossy", &hint, err) || !keyvals_bool(kv, "non-adaptive", &hint, err) ||
        !keyvals_bool(kv, "lock-key-sync", &hint, err) ||
        !keyvals_u64(kv, "key-delay-ms", &number, err)) {
        return false;
    }
    s->id = g_strdup(keyvals_get(kv, "id"));
    s->display = g_strdup(keyvals_get(kv, "display"));
    if (s->password && !vnc_auth_possible()) {
        return error_set(err, "password=on: built without nettle (Debian: nettle-dev)");
    }
    return keyvals_finish(kv, err);
}

static void run(VncServer *s)
{
    Machine *m = s->m;

    s->listener = (DisplayListener){.surface = on_surface,
                                    .update = on_update,
                                    .cursor = on_cursor,
                                    .refresh_ms = REFRESH_MS,
                                    .opaque = s};
    on_surface(&s->listener, NULL);
    s->watch = machine_fd_add(m, s->fd, G_IO_IN, on_connect, s);
    s->web_watch = s->web_fd < 0 ? 0 : machine_fd_add(m, s->web_fd, G_IO_IN, on_connect, s);
    s->tick = g_timeout_source_new(TICK_MS);
    g_source_set_callback(s->tick, tick, s, NULL);
    g_source_attach(s->tick, m->loop);
}

static bool start(VncServer *s, KeyVals *kv, const char *address, Error *err)
{
    Where w = {0};

    if (!options(s, kv, &w, err)) {
        return false;
    }
    if (!address) {
        return error_set(err, "an address is missing: HOST:DISPLAY, e.g. :0");
    }
    if (g_str_has_prefix(address, "unix:")) {
        return (!w.web || error_set(err, "websocket needs HOST:DISPLAY")) &&
               listen_unix(s, address + 5, err);
    }
    if (!split_address(address, &w.host, &w.display, err)) {
        return false;
    }
    bool ok = listen_at(s, &w, err);
    g_free(w.host);
    return ok;
}

bool vnc_start(Machine *m, KeyVals *kv, const char *address, Error *err)
{
    VncServer *s = g_new0(VncServer, 1);

    s->m = m;
    s->fd = s->web_fd = -1;
    s->part.stop = stop;
    ui_part_add(m, &s->part);
    if (!start(s, kv, address, err)) {
        ui_part_remove(m, &s->part);
        stop(&s->part);
        return false;
    }
    s->next_server = m->ui->vnc;
    m->ui->vnc = s;
    run(s);
    return true;
}

bool ui_vnc_start(Machine *m, const char *spec, Error *err)
{
    KeyVals kv;
    bool ok = keyvals_parse(&kv, spec, "address", err);
    const char *address = ok ? keyvals_get(&kv, "address") : NULL;

    ok = ok && ((address && !strcmp(address, "none")) || vnc_start(m, &kv, address, err));
    keyvals_free(&kv);
    return ok;
}

/* ---- for the monitor */

void ui_vnc_print(Machine *m, void (*print)(void *opaque, const char *line), void *opaque)
{
    char line[256];

    if (!m->ui || !m->ui->vnc) {
        print(opaque, "no VNC server runs");
        return;
    }
    for (VncServer *s = m->ui->vnc; s; s = s->next_server) {
        g_snprintf(line, sizeof line, "%s: listens on %s%s%s, authentication %s",
                   s->id ? s->id : "default", s->address, s->web_address ? ", WebSocket " : "",
                   s->web_address ? s->web_address : "",
                   !s->password      ? "none"
                   : s->has_password ? "by password"
                                     : "by password, which is not set: nobody is let in");
        print(opaque, line);
        for (VncClient *c = s->clients; c; c = c->next) {
            g_snprintf(line, sizeof line, "  client %s%s%s", c->peer, c->web ? " by WebSocket" : "",
                       c->running ? "" : ", not authenticated yet");
            print(opaque, line);
        }
    }
}

bool ui_vnc_set_password(Machine *m, const char *id, const char *password, Error *err)
{
    VncServer *s = m->ui ? m->ui->vnc : NULL;

    while (s && id && (!s->id || strcmp(s->id, id))) {
        s = s->next_server;
    }
    if (!s) {
        return error_set(err, id ? "no VNC server '%s' runs" : "no VNC server runs", id);
    }
    if (!s->password) {
        return error_set(err, "the VNC server runs without password; start it with password=on");
    }
    memset(s->password_text, 0, sizeof s->password_text);
    s->has_password = password && *password;
    if (s->has_password) {
        strncpy(s->password_text, password, VNC_PASSWORD_BYTES);
    }
    return true;
}
