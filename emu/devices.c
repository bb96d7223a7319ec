/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -device, -global, -usb, -usbdevice, -virtfs: devices beside those of the board. */
#include <string.h>

#include "emu/session.h"
#include "hw/devices.h"
#include "util/str_nearest.h"

static const char *class_name(size_t i, const void *opaque)
{
    (void)opaque;
    return hw_devices[i] ? hw_devices[i]->name : NULL;
}

static const DeviceClass *find_class(const char *name, Error *err)
{
    const DeviceClass *cls = hw_device_find(name);
    if (cls && !cls->internal) {
        return cls;
    }
    if (cls) {
        error_set(err, "device '%s' is part of a board; it cannot be added", name);
        return NULL;
    }
    const char *near = str_nearest(name, class_name, NULL);
    error_set(err, "unknown device '%s'%s%s%s (-device help lists them)", name,
              near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    return NULL;
}

/* -global NAME.KEY=VALUE for the class of d. */
static bool set_globals(Session *s, Device *d, Error *err)
{
    const OptValues *v = &s->options.of[OPT_GLOBAL];
    size_t n = strlen(d->cls->name);
    for (unsigned i = 0; i < v->n; i++) {
        const char *text = v->v[i], *eq = strchr(text, '=');
        if (!eq || strncmp(text, d->cls->name, n) || text[n] != '.') {
            continue;
        }
        const char *key =
            session_text(s, "%.*s", (int)(eq - text - (ptrdiff_t)n - 1), text + n + 1);
        if (!device_set(d, key, eq + 1, err)) {
            return session_prefix(err, "-global %s", text);
        }
    }
    return true;
}

static Device *add_device(Session *s, KeyVals *kv, Error *err)
{
    const char *name = keyvals_get(kv, "driver"), *id = keyvals_get(kv, "id");
    const DeviceClass *cls = name ? find_class(name, err) : NULL;
    if (!cls) {
        if (!name) {
            error_set(err, "no device name");
        }
        return NULL;
    }
    if (id && machine_device(s->machine, id)) {
        error_set(err, "id '%s' is taken by another device", id);
        return NULL;
    }
    Device *d = device_new(s->machine, cls, id ? session_text(s, "%s", id) : NULL);
    if (!set_globals(s, d, err)) {
        device_unrealize(d);
        return NULL;
    }
    for (const KeyVal *k; (k = keyvals_next(kv));) {
        if (!device_set(d, k->key, k->value, err)) {
            device_unrealize(d);
            return NULL;
        }
    }
    if (!device_realize(d, err)) {
        device_unrealize(d);
        return NULL;
    }
    return d;
}

/* -device virtio-9p-pci,fsdev=ID,...: the keys of that -fsdev stand in for fsdev=. */
static const char *with_fsdev(Session *s, const char *spec)
{
    const char *at = strstr(spec, ",fsdev=");
    const OptValues *v = &s->options.of[OPT_FSDEV];
    size_t n = at ? strcspn(at + 7, ",") : 0;
    for (unsigned i = 0; at && i < v->n; i++) {
        const char *id = strstr(v->v[i], "id=");
        if (id && strcspn(id + 3, ",") == n && !strncmp(id + 3, at + 7, n)) {
            const char *rest =
                id[3 + n] ? id + 3 + n + 1 : id + 3 + n; /* behind the id and its comma */
            return session_text(s, "%.*s,%.*s%s%s", (int)(at - spec), spec, (int)(id - v->v[i]),
                                v->v[i], rest, at + 7 + n);
        }
    }
    return spec;
}

Device *session_add_device(Session *s, const char *spec, Error *err)
{
    KeyVals kv;
    spec = with_fsdev(s, spec);
    Device *d = keyvals_parse(&kv, spec, "driver", err) ? add_device(s, &kv, err) : NULL;
    keyvals_free(&kv);
    return d;
}

bool session_add_devices(Session *s, Error *err)
{
    const OptValues *v = &s->options.of[OPT_DEVICE];
    if (options_flag(&s->options, OPT_USB) && !session_add_device(s, "qemu-xhci,id=usb", err)) {
        return session_prefix(err, "-usb");
    }
    for (unsigned i = 0; i < v->n; i++) {
        if (!session_add_device(s, v->v[i], err)) {
            return session_prefix(err, "-device %s", v->v[i]);
        }
    }
    const char *vga = options_last(&s->options, OPT_VGA);
    if (vga && strcmp(vga, "none") && strcmp(vga, "std")) {
        const char *spec = !strcmp(vga, "virtio") ? "virtio-gpu-pci" : vga;
        if (!session_add_device(s, spec, err)) {
            return session_prefix(err, "-vga %s", vga);
        }
    }
    const OptValues *fs = &s->options.of[OPT_VIRTFS];
    for (unsigned i = 0; i < fs->n; i++) {
        if (!session_add_device(s, session_text(s, "virtio-9p-pci,%s", fs->v[i]), err)) {
            return session_prefix(err, "-virtfs %s", fs->v[i]);
        }
    }
    return true;
}
