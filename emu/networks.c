/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Networks: -netdev, -nic (network and card in one), -net (its older form), and the default card.
 */
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "emu/session.h"
#include "net/net.h"

#ifdef HAVE_SLIRP
static const bool have_user_network = true;
#else
static const bool have_user_network = false;
#endif

/* key=value appended to a list, commas doubled. */
static const char *with_key(Session *s, const char *list, const char *key, const char *value)
{
    char *quoted = malloc(2 * strlen(value) + 1), *q = quoted;
    if (!quoted) {
        abort();
    }
    for (const char *v = value; *v; v++) {
        *q++ = *v;
        if (*v == ',') {
            *q++ = ',';
        }
    }
    *q = '\0';
    const char *r = session_text(s, "%s,%s=%s", list, key, quoted);
    free(quoted);
    return r;
}

static bool open_network(Session *s, const char *spec, Error *err)
{
    machine_lock(s->machine);
    bool ok = net_backend_new(s->machine, spec, err);
    machine_unlock(s->machine);
    return ok;
}

bool session_open_networks(Session *s, Error *err)
{
    const OptValues *v = &s->options.of[OPT_NETDEV];
    for (unsigned i = 0; i < v->n; i++) {
        if (!open_network(s, v->v[i], err)) {
            return session_prefix(err, "-netdev %s", v->v[i]);
        }
    }
    return true;
}

/* Machine lock held. */
static bool add_card(Session *s, const char *model, const char *netdev, const char *mac, Error *err)
{
    const char *spec =
        session_text(s, "%s,netdev=%s", model ? model : s->desc->default_nic, netdev);
    if (mac) {
        spec = session_text(s, "%s,mac=%s", spec, mac);
    }
    return session_add_device(s, spec, err) != NULL;
}

/* -nic BACKEND,model=M,mac=A,id=ID and the backend's own keys. */
static bool read_nic(Session *s, KeyVals *kv, Error *err)
{
    const char *type = keyvals_get(kv, "type");
    if (type && !strcmp(type, "none")) {
        s->no_net = true;
        return keyvals_finish(kv, err);
    }
    const char *model = keyvals_get(kv, "model"), *mac = keyvals_get(kv, "mac");
    const char *netdev = keyvals_get(kv, "netdev"), *id = keyvals_get(kv, "id");
    s->n_nics++;
    if (!netdev) {
        if (!type) {
            return error_set(err, "no network: use user, tap, socket, ... or none");
        }
        netdev = id ? id : session_text(s, "net%u", s->n_nics - 1);
        const char *spec = session_text(s, "%s,id=%s", type, netdev);
        for (const KeyVal *k; (k = keyvals_next(kv));) {
            spec = with_key(s, spec, k->key, k->value);
        }
        if (!net_backend_new(s->machine, spec, err)) {
            return false;
        }
    }
    return keyvals_finish(kv, err) && add_card(s, model, netdev, mac, err);
}

/* -net nic and -net BACKEND are joined in the order they come. */
static bool read_old_form(Session *s, Error *err)
{
    const OptValues *v = &s->options.of[OPT_NET];
    const char *card = NULL, *network = NULL;
    for (unsigned i = 0; i < v->n; i++) {
        if (!strcmp(v->v[i], "none")) {
            s->no_net = true;
        } else if (!strcmp(v->v[i], "nic") || !strncmp(v->v[i], "nic,", 4)) {
            card = v->v[i] + 3;
        } else {
            network = v->v[i];
        }
        if (card && network) {
            KeyVals kv;
            const char *spec = session_text(s, "%s%s", network, card);
            bool ok = keyvals_parse(&kv, spec, "type", err) && read_nic(s, &kv, err);
            keyvals_free(&kv);
            if (!ok) {
                return session_prefix(err, "-net %s", network);
            }
            card = network = NULL;
        }
    }
    return true;
}

bool session_add_nics(Session *s, Error *err)
{
    const OptValues *v = &s->options.of[OPT_NIC];
    for (unsigned i = 0; i < v->n; i++) {
        KeyVals kv;
        bool ok = keyvals_parse(&kv, v->v[i], "type", err) && read_nic(s, &kv, err);
        keyvals_free(&kv);
        if (!ok) {
            return session_prefix(err, "-nic %s", v->v[i]);
        }
    }
    if (!read_old_form(s, err)) {
        return false;
    }
    bool asked = v->n || s->options.of[OPT_NET].n || s->options.of[OPT_NETDEV].n;
    if (asked || options_flag(&s->options, OPT_NODEFAULTS) || !s->desc->default_nic ||
        !have_user_network) {
        return true;
    }
    return net_backend_new(s->machine, "user,id=net0", err) && add_card(s, NULL, "net0", NULL, err);
}
