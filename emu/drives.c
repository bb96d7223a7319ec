/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Disks: -drive, -blockdev and the image without an option become BlockDevs known by id. */
#include <stdlib.h>
#include <string.h>

#include "emu/session.h"

static const char *const if_names[] = {
    [IF_NONE] = "none", [IF_VIRTIO] = "virtio", [IF_PFLASH] = "pflash", [IF_SD] = "sd",
    [IF_IDE] = "ide",   [IF_SCSI] = "scsi",     [IF_FLOPPY] = "floppy", NULL,
};

/* Keys of an image that -drive and -blockdev share. */
static bool read_image_keys(KeyVals *kv, BlockOpenOptions *o, Error *err)
{
    static const char *const discard[] = {"unmap", "on", "ignore", "off", NULL};
    static const char *const aio[] = {"io_uring", "threads", "native", NULL};
    int d = 0, a = 0;
    bool direct = false, no_flush = false;
    if (!keyvals_enum(kv, "discard", discard, &d, err) || !keyvals_enum(kv, "aio", aio, &a, err) ||
        !keyvals_bool(kv, "readonly", &o->read_only, err) ||
        !keyvals_bool(kv, "read-only", &o->read_only, err) ||
        !keyvals_bool(kv, "force-share", &o->force_share, err) ||
        !keyvals_bool(kv, "cache.direct", &direct, err) ||
        !keyvals_bool(kv, "cache.no-flush", &no_flush, err) ||
        !keyvals_size(kv, "cache-size", 1, &o->cache_bytes, err)) {
        return false;
    }
    /* Accepted and without effect: what they ask for always or never happens here. */
    (void)keyvals_get(kv, "detect-zeroes");
    (void)keyvals_get(kv, "auto-read-only");
    (void)keyvals_get(kv, "copy-on-read");
    (void)keyvals_get(kv, "werror");
    (void)keyvals_get(kv, "rerror");
    o->no_discard = d >= 2;
    o->no_uring = a == 1;
    o->cache = no_flush ? BLOCK_CACHE_UNSAFE : direct ? BLOCK_CACHE_NONE : BLOCK_CACHE_WRITEBACK;
    const char *cache = keyvals_get(kv, "cache");
    return !cache || block_parse_cache(cache, &o->cache, err);
}

static bool open_image(Session *s, Drive *d, BlockOpenOptions *o, Error *err)
{
    o->id = d->id;
    o->file = d->file;
    o->snapshot = o->snapshot || options_flag(&s->options, OPT_SNAPSHOT);
    o->context = s->machine->loop; /* whose sources run with the machine lock held */
    d->dev = block_open(o, err);
    return d->dev && machine_block_add(s->machine, d->id, d->dev, err);
}

static Drive *new_drive(Session *s, Error *err)
{
    if (s->n_drives == SESSION_MAX_DRIVES) {
        error_set(err, "more than %d disks", SESSION_MAX_DRIVES);
        return NULL;
    }
    Drive *d = &s->drives[s->n_drives];
    d->index = -1;
    return d;
}

static bool read_drive(Session *s, KeyVals *kv, Error *err)
{
    static const char *const media[] = {"disk", "cdrom", NULL};
    Drive *d = new_drive(s, err);
    BlockOpenOptions o = {0};
    int iface = IF_VIRTIO, medium = 0;
    uint64_t index = UINT64_MAX, unit = UINT64_MAX;
    if (!d || !keyvals_enum(kv, "if", if_names, &iface, err) ||
        !keyvals_enum(kv, "media", media, &medium, err) || !keyvals_u64(kv, "index", &index, err) ||
        !keyvals_u64(kv, "unit", &unit, err) || !keyvals_bool(kv, "snapshot", &o.snapshot, err) ||
        !read_image_keys(kv, &o, err)) {
        return false;
    }
    const char *id = keyvals_get(kv, "id"), *file = keyvals_get(kv, "file");
    const char *format = keyvals_get(kv, "format"), *serial = keyvals_get(kv, "serial");
    (void)keyvals_get(kv, "bus");
    if (!keyvals_finish(kv, err)) {
        return false;
    }
    if (!file || !*file) {
        return error_set(err, "no file= (an empty drive is not there yet)");
    }
    d->iface = (DriveIf)iface;
    d->cdrom = medium == 1;
    d->index = index != UINT64_MAX ? (int)index : unit != UINT64_MAX ? (int)unit : -1;
    d->id = id ? session_text(s, "%s", id) : session_text(s, "%s%u", if_names[iface], s->n_drives);
    d->file = session_text(s, "%s", file);
    d->serial = serial ? session_text(s, "%s", serial) : NULL;
    o.format = format;
    o.read_only = o.read_only || d->cdrom;
    s->n_drives++;
    return open_image(s, d, &o, err);
}

static bool read_drive_text(Session *s, const char *text, Error *err)
{
    KeyVals kv;
    bool ok = keyvals_parse(&kv, text, "file", err) && read_drive(s, &kv, err);
    keyvals_free(&kv);
    return ok || session_prefix(err, "-drive %s", text);
}

/* ---- -blockdev: nodes that name each other; the tops are disks ---- */

typedef struct Node {
    KeyVals kv;
    const char *driver, *name, *file; /* file: of the host, or NULL: `below` */
    const char *below;                /* node-name of the file node */
    bool used;                        /* another node stands on it */
} Node;

static bool read_node(const char *text, Node *n, Error *err)
{
    static const char *const drivers[] = {"file", "host_device", "raw", "qcow2", NULL};
    int driver = -1;
    if (text[0] == '{') {
        return error_set(err, "JSON is not there yet: write driver=...,node-name=...");
    }
    if (!keyvals_parse(&n->kv, text, "driver", err) ||
        !keyvals_enum(&n->kv, "driver", drivers, &driver, err)) {
        return false;
    }
    if (driver < 0) {
        return error_set(err, "no driver=");
    }
    n->driver = drivers[driver];
    n->name = keyvals_get(&n->kv, "node-name");
    n->file = keyvals_get(&n->kv, driver <= 1 ? "filename" : "file.filename");
    n->below = driver <= 1 ? NULL : keyvals_get(&n->kv, "file");
    (void)keyvals_get(&n->kv, "file.driver");
    if (!n->name) {
        return error_set(err, "no node-name=");
    }
    return n->file || n->below || error_set(err, "neither a file name nor file=NODE");
}

static Node *find_node(Node *nodes, unsigned n, const char *name)
{
    for (unsigned i = 0; i < n; i++) {
        if (!strcmp(nodes[i].name, name)) {
            return &nodes[i];
        }
    }
    return NULL;
}

static bool open_node(Session *s, Node *n, Node *below, Error *err)
{
    Drive *d = new_drive(s, err);
    BlockOpenOptions o = {0};
    if (!d || !read_image_keys(&n->kv, &o, err) || !keyvals_finish(&n->kv, err)) {
        return false;
    }
    if (below && (!read_image_keys(&below->kv, &o, err) || !keyvals_finish(&below->kv, err))) {
        return false;
    }
    bool is_file = !strcmp(n->driver, "file") || !strcmp(n->driver, "host_device");
    d->id = session_text(s, "%s", n->name);
    d->file = session_text(s, "%s", below ? below->file : n->file);
    d->iface = IF_NONE;
    o.format = is_file ? "raw" : n->driver;
    s->n_drives++;
    return open_image(s, d, &o, err);
}

static bool read_blockdevs(Session *s, Error *err)
{
    const OptValues *v = &s->options.of[OPT_BLOCKDEV];
    Node nodes[OPT_MAX];
    memset(nodes, 0, sizeof nodes);
    bool ok = true;
    unsigned i;
    for (i = 0; ok && i < v->n; i++) {
        ok = read_node(v->v[i], &nodes[i], err) || session_prefix(err, "-blockdev %s", v->v[i]);
    }
    for (i = 0; ok && i < v->n; i++) {
        if (nodes[i].below) {
            Node *b = find_node(nodes, v->n, nodes[i].below);
            ok = b ? b->file != NULL || error_set(err, "-blockdev %s: file=%s is no file node",
                                                  nodes[i].name, nodes[i].below)
                   : error_set(err, "-blockdev %s: no node '%s'", nodes[i].name, nodes[i].below);
            if (b) {
                b->used = true;
            }
        }
    }
    for (i = 0; ok && i < v->n; i++) {
        if (!nodes[i].used) {
            Node *b = nodes[i].below ? find_node(nodes, v->n, nodes[i].below) : NULL;
            ok = open_node(s, &nodes[i], b, err) || session_prefix(err, "-blockdev %s", v->v[i]);
        }
    }
    for (i = 0; i < v->n; i++) {
        keyvals_free(&nodes[i].kv);
    }
    return ok;
}

/* The flash chips: if=pflash in the order of unit or index, else as given. */
static bool place_flash(Session *s, Error *err)
{
    for (unsigned i = 0; i < s->n_drives; i++) {
        Drive *d = &s->drives[i];
        if (d->iface != IF_PFLASH) {
            continue;
        }
        int unit = d->index;
        for (int u = 0; unit < 0 && u < BOARD_MAX_FLASH; u++) {
            unit = s->config.flash[u] ? -1 : u;
        }
        if (unit < 0 || unit >= BOARD_MAX_FLASH || s->config.flash[unit]) {
            return error_set(err,
                             "-drive %s: flash chip %d is taken or does not exist (there are %d)",
                             d->file, unit, BOARD_MAX_FLASH);
        }
        s->config.flash[unit] = d->dev;
    }
    return true;
}

bool session_open_drives(Session *s, Error *err)
{
    const OptValues *v = &s->options.of[OPT_DRIVE];
    if (s->options.disk) {
        Drive *d = new_drive(s, err);
        BlockOpenOptions o = {0};
        if (!d) {
            return false;
        }
        d->id = "disk";
        d->file = s->options.disk;
        d->iface = IF_VIRTIO;
        s->n_drives++;
        if (!open_image(s, d, &o, err)) {
            return false;
        }
    }
    for (unsigned i = 0; i < v->n; i++) {
        if (!read_drive_text(s, v->v[i], err)) {
            return false;
        }
    }
    return read_blockdevs(s, err) && place_flash(s, err);
}

void session_close_drives(Session *s)
{
    while (s->n_drives) {
        Drive *d = &s->drives[--s->n_drives];
        if (d->dev) {
            machine_lock(s->machine);
            machine_block_remove(s->machine, d->id);
            machine_unlock(s->machine);
            block_close(d->dev);
        }
    }
}

bool session_add_drive_devices(Session *s, Error *err)
{
    for (unsigned i = 0; i < s->n_drives; i++) {
        const Drive *d = &s->drives[i];
        if (d->iface == IF_NONE || d->iface == IF_PFLASH) {
            continue;
        }
        if (d->iface != IF_VIRTIO || !s->desc->default_disk) {
            return error_set(err,
                             "-drive file=%s,if=%s: the board '%s' has no such bus; use if=virtio",
                             d->file, if_names[d->iface], s->desc->name);
        }
        const char *spec = session_text(s, "%s,drive=%s%s%s", s->desc->default_disk, d->id,
                                        d->serial ? ",serial=" : "", d->serial ? d->serial : "");
        if (!session_add_device(s, spec, err)) {
            return session_prefix(err, "-drive file=%s", d->file);
        }
    }
    return true;
}
