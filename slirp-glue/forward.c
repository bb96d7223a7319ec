/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules of hostfwd= and guestfwd= as text. */
#include <arpa/inet.h>
#include <string.h>

#include "slirp-glue/forward.h"
#include "util/keyval.h"

/* Up to `end` from *p; *p then stands behind it. */
static bool take(const char **p, char end, char *out, size_t bytes)
{
    const char *e = strchr(*p, end);
    if (!e || (size_t)(e - *p) >= bytes) {
        return false;
    }
    memcpy(out, *p, (size_t)(e - *p));
    out[e - *p] = '\0';
    *p = e + 1;
    return true;
}

static bool read_protocol(const char **p, bool *udp)
{
    char word[8];
    if (!take(p, ':', word, sizeof word)) {
        return false;
    }
    *udp = !strcmp(word, "udp");
    return *udp || !*word || !strcmp(word, "tcp");
}

static bool read_port(const char *text, unsigned *port)
{
    uint64_t v;
    if (!parse_u64(text, &v) || v > 65535) {
        return false;
    }
    *port = (unsigned)v;
    return true;
}

bool forward_parse(const char *text, bool remove, HostForward *f, Error *err)
{
    static const char form[] = "use [tcp|udp]:[HOST]:PORT-[GUEST]:PORT";
    const char *p = text;
    char word[64];
    memset(f, 0, sizeof *f);
    f->host.s_addr = htonl(INADDR_LOOPBACK);
    if (!read_protocol(&p, &f->udp) || !take(&p, ':', word, sizeof word)) {
        return error_set(err, "%s: %s", text, form);
    }
    if (*word && !inet_aton(word, &f->host)) {
        return error_set(err, "%s: '%s' is no IPv4 address of this host; %s", text, word, form);
    }
    if (remove && !strchr(p, '-')) {
        return read_port(p, &f->host_port) || error_set(err, "%s: '%s' is no port", text, p);
    }
    if (!take(&p, '-', word, sizeof word) || !read_port(word, &f->host_port) ||
        !take(&p, ':', word, sizeof word) || !read_port(p, &f->guest_port) || !f->guest_port) {
        return error_set(err, "%s: %s", text, form);
    }
    return !*word || inet_aton(word, &f->guest) ||
           error_set(err, "%s: '%s' is no IPv4 address of the guest", text, word);
}

bool guest_forward_parse(const char *text, GuestForward *f, Error *err)
{
    const char *p = text;
    char word[64];
    bool udp;
    memset(f, 0, sizeof *f);
    if (!read_protocol(&p, &udp) || udp || !take(&p, ':', word, sizeof word) ||
        !inet_aton(word, &f->server) || !take(&p, '-', word, sizeof word) ||
        !read_port(word, &f->port) || !f->port ||
        (strncmp(p, "cmd:", 4) && strncmp(p, "unix:", 5)) || strlen(p) >= sizeof f->target) {
        return error_set(err, "%s: use [tcp]:SERVER:PORT-cmd:COMMAND or -unix:PATH", text);
    }
    memcpy(f->target, p, strlen(p) + 1);
    return true;
}
