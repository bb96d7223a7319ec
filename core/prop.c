/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Properties of devices: text to fields by the class's table. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "core/device_private.h"
#include "util/keyval.h"
#include "util/str_nearest.h"

static void *prop_at(Device *d, const PropDesc *p)
{
    return (uint8_t *)d + p->offset;
}

static const char *prop_name(size_t i, const void *opaque)
{
    const PropDesc *props = opaque;

    return props[i].name;
}

static bool bad_value(const PropDesc *p, const char *value, const char *wanted, Error *err)
{
    return error_set(err, "property %s: '%s' is not %s", p->name, value, wanted);
}

/* ---- one function a kind of text ---- */

static bool set_enum(Device *d, const PropDesc *p, const char *value, Error *err)
{
    char list[256] = "";
    const char *nearest;

    for (int i = 0; p->names[i]; i++) {
        if (!strcmp(p->names[i], value)) {
            *(int *)prop_at(d, p) = i;
            return true;
        }
        g_strlcat(list, i ? ", " : "", sizeof list);
        g_strlcat(list, p->names[i], sizeof list);
    }
    nearest = str_nearest_in(value, p->names);
    return error_set(err, "property %s: no '%s'%s%s%s; it is one of: %s", p->name, value,
                     nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "",
                     list);
}

static bool set_mac(Device *d, const PropDesc *p, const char *value, Error *err)
{
    uint8_t mac[6];
    char rest;

    if (sscanf(value, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%c", &mac[0], &mac[1], &mac[2], &mac[3],
               &mac[4], &mac[5], &rest) != 6) {
        return bad_value(p, value, "a MAC address like 52:54:00:12:34:56", err);
    }
    if (mac[0] & 1) {
        return bad_value(p, value, "a unicast MAC address (bit 0 of the first byte must be 0)",
                         err);
    }
    memcpy(prop_at(d, p), mac, sizeof mac);
    return true;
}

static bool set_chardev(Device *d, const PropDesc *p, const char *value, Error *err)
{
    Chardev *c = chardev_by_id(d->machine, value);

    if (!c) {
        return error_set(err, "property %s: no -chardev has id '%s'", p->name, value);
    }
    *(Chardev **)prop_at(d, p) = c;
    return true;
}

static bool set_netdev(Device *d, const PropDesc *p, const char *value, Error *err)
{
    NetPort *port = net_by_id(d->machine, value);

    if (!port) {
        return error_set(err, "property %s: no -netdev has id '%s'", p->name, value);
    }
    if (port->peer) {
        return error_set(err, "property %s: netdev '%s' is connected to '%s' already", p->name,
                         value, port->peer->id);
    }
    *(NetPort **)prop_at(d, p) = port;
    return true;
}

static bool set_block(Device *d, const PropDesc *p, const char *value, Error *err)
{
    struct BlockDev *dev = machine_block_claim(d->machine, value, d, err);

    if (!dev) {
        return error_prepend(err, "property %s", p->name);
    }
    *(struct BlockDev **)prop_at(d, p) = dev;
    return true;
}

static bool set_link(Device *d, const PropDesc *p, const char *value, Error *err)
{
    Device *other = machine_device(d->machine, value);

    if (!other) {
        return error_set(err, "property %s: no device has id '%s'", p->name, value);
    }
    *(Device **)prop_at(d, p) = other;
    return true;
}

static bool set_number(Device *d, const PropDesc *p, const char *value, Error *err)
{
    uint64_t v;

    if (p->kind == PROP_SIZE) {
        if (!parse_size(value, 1, &v)) {
            return bad_value(p, value, "a size like 4096, 64k, 1G", err);
        }
    } else if (!parse_u64(value, &v)) {
        return bad_value(p, value, "a number (decimal or 0x...)", err);
    } else if (p->kind == PROP_U32 && v > UINT32_MAX) {
        return bad_value(p, value, "a number below 2^32", err);
    }
    if (p->kind == PROP_U32) {
        *(uint32_t *)prop_at(d, p) = (uint32_t)v;
    } else {
        *(uint64_t *)prop_at(d, p) = v;
    }
    return true;
}

static bool set_value(Device *d, const PropDesc *p, const char *value, Error *err)
{
    switch ((PropKind)p->kind) {
    case PROP_BOOL:
        return parse_bool(value, prop_at(d, p)) || bad_value(p, value, "on or off", err);
    case PROP_U32:
    case PROP_U64:
    case PROP_SIZE: return set_number(d, p, value, err);
    case PROP_STRING:
        g_free(*(char **)prop_at(d, p));
        *(char **)prop_at(d, p) = g_strdup(value);
        return true;
    case PROP_ENUM: return set_enum(d, p, value, err);
    case PROP_BLOCK: return set_block(d, p, value, err);
    case PROP_CHARDEV: return set_chardev(d, p, value, err);
    case PROP_NETDEV: return set_netdev(d, p, value, err);
    case PROP_AUDIODEV:
        return error_set(err, "property %s: there is no audio back end yet; leave it out", p->name);
    case PROP_MAC: return set_mac(d, p, value, err);
    case PROP_LINK: return set_link(d, p, value, err);
    }
    return false;
}

/* ---- the table ---- */

static const PropDesc *find_prop(const Device *d, const char *key)
{
    for (const PropDesc *p = d->cls->props; p && p->name; p++) {
        if (!strcmp(p->name, key)) {
            return p;
        }
    }
    return NULL;
}

static bool no_property(const Device *d, const char *key, Error *err)
{
    const char *nearest = d->cls->props ? str_nearest(key, prop_name, d->cls->props) : NULL;

    if (nearest) {
        return error_set(err, "-device %s: no property '%s'; did you mean '%s'?", d->cls->name, key,
                         nearest);
    }
    return error_set(err, "-device %s: no property '%s' (-device %s,help lists them)", d->cls->name,
                     key, d->cls->name);
}

bool device_set(Device *d, const char *key, const char *value, Error *err)
{
    const PropDesc *p = find_prop(d, key);

    assert(!d->realized);
    if (!p) {
        return no_property(d, key, err);
    }
    if (!set_value(d, p, value, err)) {
        return error_prepend(err, "-device %s", d->cls->name);
    }
    return true;
}

void device_props_init(Device *d)
{
    for (const PropDesc *p = d->cls->props; p && p->name; p++) {
        Error err = {""};

        if (p->initial && !set_value(d, p, p->initial, &err)) {
            assert(!"a default that its own property does not take");
        }
    }
}

void device_props_free(Device *d)
{
    for (const PropDesc *p = d->cls->props; p && p->name; p++) {
        if (p->kind == PROP_STRING) {
            g_free(*(char **)prop_at(d, p));
        }
    }
}

static bool prop_is_unset(Device *d, const PropDesc *p)
{
    static const uint8_t zero[sizeof(void *)];
    size_t bytes = p->kind == PROP_MAC ? 6 : p->kind == PROP_U32 ? 4 : sizeof(void *);

    if (p->kind == PROP_BOOL || p->kind == PROP_ENUM) {
        return false; /* zero is a value */
    }
    return memcmp(prop_at(d, p), zero, bytes) == 0;
}

bool device_props_check(Device *d, Error *err)
{
    for (const PropDesc *p = d->cls->props; p && p->name; p++) {
        if (!prop_is_unset(d, p)) {
            continue;
        }
        if (p->required) {
            return error_set(err, "property %s is needed: %s", p->name, p->help ? p->help : "");
        }
        if (p->kind == PROP_MAC) {
            net_new_mac(d->machine, prop_at(d, p));
        }
    }
    return true;
}

char *device_prop_text(Device *d, const PropDesc *p)
{
    void *at = prop_at(d, p);
    const uint8_t *mac = at;

    switch ((PropKind)p->kind) {
    case PROP_BOOL: return g_strdup(*(bool *)at ? "on" : "off");
    case PROP_U32: return g_strdup_printf("%" PRIu32, *(uint32_t *)at);
    case PROP_U64:
    case PROP_SIZE: return g_strdup_printf("%" PRIu64, *(uint64_t *)at);
    case PROP_STRING: return g_strdup(*(char **)at ? *(char **)at : "");
    case PROP_ENUM: return g_strdup(p->names[*(int *)at]);
    case PROP_BLOCK:
        return g_strdup(*(struct BlockDev **)at ? (*(struct BlockDev **)at)->name : "");
    case PROP_CHARDEV: return g_strdup(*(Chardev **)at ? (*(Chardev **)at)->id : "");
    case PROP_NETDEV: return g_strdup(*(NetPort **)at ? (*(NetPort **)at)->id : "");
    case PROP_AUDIODEV: return g_strdup("");
    case PROP_MAC:
        return g_strdup_printf("%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
                               mac[4], mac[5]);
    case PROP_LINK: return g_strdup(*(Device **)at ? (*(Device **)at)->id : "");
    }
    return g_strdup("");
}
