/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the monitor's commands need of the other rooms, and the monitors themselves. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "block/snapshot.h"
#include "chardev/chardev.h"
#include "emu/session.h"
#include "hw/balloon.h"
#include "hw/devices.h"
#include "hw/pci.h"
#include "migration/migration.h"
#include "monitor/monitor.h"
#include "monitor/qmp.h"
#include "net/net.h"
#include "ui/ui.h"

/* ---- devices and disks ---- */

static bool device_add(void *opaque, const char *spec, Error *err)
{
    return session_add_device(opaque, spec, err) != NULL;
}

static bool device_del(void *opaque, const char *id, Error *err)
{
    Session *s = opaque;
    Device *d = machine_device(s->machine, id);
    if (!d) {
        return error_set(err, "no device '%s' (info qtree lists them)", id);
    }
    return hw_device_unplug(d, err);
}

static bool balloon(void *opaque, uint64_t bytes, Error *err)
{
    return balloon_set_target(((Session *)opaque)->machine, bytes, err);
}

static bool get_balloon(void *opaque, uint64_t *bytes)
{
    BalloonInfo info;
    Error err = {0};
    bool there = balloon_info(((Session *)opaque)->machine, &info, &err);
    *bytes = there ? info.actual_bytes : 0;
    return there;
}

static Drive *find_drive(Session *s, const char *id, Error *err)
{
    for (unsigned i = 0; i < s->n_drives; i++) {
        if (!strcmp(s->drives[i].id, id)) {
            return &s->drives[i];
        }
    }
    error_set(err, "no drive '%s' (info block lists them)", id);
    return NULL;
}

static bool eject(void *opaque, const char *id, Error *err)
{
    Drive *d = find_drive(opaque, id, err);
    return d && block_change_medium(d->dev, NULL, err);
}

static bool change(void *opaque, const char *id, const char *file, Error *err)
{
    Session *s = opaque;
    Drive *d = find_drive(s, id, err);
    BlockOpenOptions o = {
        .id = id, .file = file, .read_only = d && d->cdrom, .context = s->machine->loop};
    if (!d || !block_change_medium(d->dev, &o, err)) {
        return false;
    }
    d->file = session_text(s, "%s", file);
    return true;
}

static void list_blocks(void *opaque, MonitorPrint *print, void *to)
{
    Session *s = opaque;
    for (unsigned i = 0; i < s->n_drives; i++) {
        const Drive *d = &s->drives[i];
        const BlockLimits *l = block_limits(d->dev);
        char line[1024];
        if (!l->present) {
            snprintf(line, sizeof line, "%s: [not inserted]", d->id);
        } else {
            snprintf(line, sizeof line, "%s: %s, %llu bytes%s, by %s", d->id, d->file,
                     (unsigned long long)l->size_bytes, l->read_only ? ", read-only" : "",
                     block_dev_aio(d->dev));
        }
        print(to, line);
    }
}

/* ---- saved states ---- */

/* The disk that holds the machine's state: the first writable one that can. */
static Drive *state_drive(Session *s, Error *err)
{
    Error why = {0};
    for (unsigned i = 0; i < s->n_drives; i++) {
        BlockNode *node = block_dev_node(s->drives[i].dev);
        if (node && !block_limits(s->drives[i].dev)->read_only && s->drives[i].iface != IF_PFLASH &&
            block_snapshot_supported(node, &why)) {
            return &s->drives[i];
        }
    }
    error_set(err, "no writable qcow2 disk that could hold the state%s%s",
              error_is_set(&why) ? ": " : "", why.text);
    return NULL;
}

/* All writable disks must be able to go back together. */
static bool all_can(Session *s, Error *err)
{
    for (unsigned i = 0; i < s->n_drives; i++) {
        const Drive *d = &s->drives[i];
        const BlockLimits *l = block_limits(d->dev);
        if (l->present && !l->read_only && d->iface != IF_PFLASH &&
            !block_snapshot_supported(block_dev_node(d->dev), err)) {
            return error_prepend(err, "disk '%s' cannot keep a state", d->id);
        }
    }
    return true;
}

/* fn on every disk that keeps states, but for `except`. */
static bool each_disk(Session *s, const Drive *except,
                      bool (*fn)(BlockNode *node, const char *name, Error *err), const char *name,
                      Error *err)
{
    for (unsigned i = 0; i < s->n_drives; i++) {
        const Drive *d = &s->drives[i];
        const BlockLimits *l = block_limits(d->dev);
        if (d != except && l->present && !l->read_only && d->iface != IF_PFLASH &&
            !fn(block_dev_node(d->dev), name, err)) {
            return error_prepend(err, "disk '%s'", d->id);
        }
    }
    return true;
}

static bool snapshot_one(BlockNode *node, const char *name, Error *err)
{
    BlockSnapshot info = {0};
    snprintf(info.name, sizeof info.name, "%s", name);
    return block_snapshot_create(node, &info, err);
}

static bool apply_one(BlockNode *node, const char *name, Error *err)
{
    return block_snapshot_apply(node, name, err);
}

static bool delete_one(BlockNode *node, const char *name, Error *err)
{
    BlockSnapshot info;
    return !block_snapshot_find(node, name, &info) || block_snapshot_delete(node, name, err);
}

static void drain_all(Session *s)
{
    for (unsigned i = 0; i < s->n_drives; i++) {
        if (block_limits(s->drives[i].dev)->present) {
            block_drain(s->drives[i].dev);
        }
    }
}

typedef struct Saving {
    Session *s;
    Drive *drive;
    BlockState *state;
    const char *name;
} Saving;

static bool write_state(void *opaque, const void *buf, size_t bytes, Error *err)
{
    return block_state_write(((Saving *)opaque)->state, buf, bytes, err);
}

static bool snapshot_disks(void *opaque, Error *err)
{
    Saving *v = opaque;
    BlockSnapshot info = {.vm_clock_ns = (uint64_t)clock_ns(v->s->machine, CLOCK_VM),
                          .icount = UINT64_MAX};
    snprintf(info.name, sizeof info.name, "%s", v->name);
    drain_all(v->s);
    bool ok = block_state_commit(v->state, &info, err);
    v->state = NULL;
    return ok && each_disk(v->s, v->drive, snapshot_one, v->name, err);
}

static bool save(Session *s, const char *name, Error *err)
{
    Saving v = {.s = s, .name = name, .drive = state_drive(s, err)};
    if (!v.drive || !all_can(s, err) || !each_disk(s, NULL, delete_one, name, err)) {
        return false;
    }
    v.state = block_state_create(block_dev_node(v.drive->dev), err);
    if (!v.state) {
        return false;
    }
    StateSink to = {write_state, &v};
    bool ok = migration_save(s->migration, &to, snapshot_disks, &v, err);
    if (v.state) {
        block_state_cancel(v.state);
    }
    return ok;
}

typedef struct Loading {
    Session *s;
    BlockState *state;
    const char *name;
} Loading;

static bool read_state(void *opaque, uint64_t offset, void *buf, size_t bytes, Error *err)
{
    return block_state_read(((Loading *)opaque)->state, offset, buf, bytes, err);
}

static bool apply_disks(void *opaque, Error *err)
{
    Loading *v = opaque;
    drain_all(v->s);
    return each_disk(v->s, NULL, apply_one, v->name, err);
}

bool session_load_state(Session *s, const char *name, Error *err)
{
    Drive *d = state_drive(s, err);
    BlockSnapshot info;
    if (!d) {
        return false;
    }
    if (!block_snapshot_find(block_dev_node(d->dev), name, &info) || !info.state_bytes) {
        return error_set(err, "disk '%s' has no state '%s' (info snapshots lists them)", d->id,
                         name);
    }
    Loading v = {
        .s = s, .name = name, .state = block_state_open(block_dev_node(d->dev), name, err)};
    if (!v.state) {
        return false;
    }
    StateSource from = {read_state, &v, block_state_bytes(v.state)};
    bool ok = migration_load(s->migration, &from, apply_disks, &v, err);
    block_state_close(v.state);
    return ok;
}

/* Commands come with the machine lock held; saving and loading take it themselves. */
static bool savevm(void *opaque, const char *name, Error *err)
{
    Session *s = opaque;
    char made[64];
    if (!name) {
        time_t now = time(NULL);
        struct tm tm;
        strftime(made, sizeof made, "vm-%Y%m%d%H%M%S", localtime_r(&now, &tm));
        name = made;
    }
    machine_unlock(s->machine);
    bool ok = save(s, name, err);
    machine_lock(s->machine);
    return ok;
}

static bool loadvm(void *opaque, const char *name, Error *err)
{
    Session *s = opaque;
    machine_unlock(s->machine);
    bool ok = session_load_state(s, name, err);
    machine_lock(s->machine);
    return ok;
}

static bool delvm(void *opaque, const char *name, Error *err)
{
    Session *s = opaque;
    drain_all(s);
    return each_disk(s, NULL, delete_one, name, err);
}

static void list_snapshots(void *opaque, MonitorPrint *print, void *to)
{
    Session *s = opaque;
    bool any = false;
    for (unsigned i = 0; i < s->n_drives; i++) {
        BlockNode *node = block_dev_node(s->drives[i].dev);
        unsigned n = 0;
        BlockSnapshot *list =
            node && block_snapshot_supported(node, NULL) ? block_snapshot_list(node, &n) : NULL;
        for (unsigned k = 0; k < n; k++) {
            char line[512], date[32];
            time_t t = list[k].date_s;
            struct tm tm;
            strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S", localtime_r(&t, &tm));
            snprintf(line, sizeof line, "%-10s %-4s %-24s %9.1f MiB  %s", s->drives[i].id,
                     list[k].id, list[k].name, (double)list[k].state_bytes / 1048576, date);
            print(to, line);
            any = true;
        }
        g_free(list);
    }
    if (!any) {
        print(to, "There is no snapshot available.");
    }
}

/* ---- the rest ---- */

static bool hostfwd(void *opaque, const char *id, const char *rule, bool add, Error *err)
{
    Machine *m = ((Session *)opaque)->machine;
    return add ? net_hostfwd_add(m, id, rule, err) : net_hostfwd_remove(m, id, rule, err);
}

static void list_usernet(void *opaque, MonitorPrint *print, void *to)
{
    net_print_user(((Session *)opaque)->machine, print, to);
}

static void list_pci(void *opaque, MonitorPrint *print, void *to)
{
    pci_print(((Session *)opaque)->machine, print, to);
}

static bool screendump(void *opaque, const char *name, const char *file, Error *err)
{
    Session *s = opaque;
    Console *c = name ? console_by_name(s->machine, name) : console_by_index(s->machine, 0);
    if (!c) {
        return name ? error_set(err, "no screen '%s' (info displays lists them)", name)
                    : error_set(err, "this machine has no screen");
    }
    console_refresh(c);
    return ui_screendump(console_surface(c), file, err);
}

static bool set_vnc_password(void *opaque, const char *password, Error *err)
{
    return ui_vnc_set_password(((Session *)opaque)->machine, NULL, password, err);
}

static void list_vnc(void *opaque, MonitorPrint *print, void *to)
{
    ui_vnc_print(((Session *)opaque)->machine, print, to);
}

/* ---- ring buffers, what programs ask for ---- */

static bool resize(void *opaque, const char *id, uint64_t bytes, Error *err)
{
    Drive *d = find_drive(opaque, id, err);
    return d && block_resize(d->dev, bytes, err);
}

typedef struct RingbufLookup {
    const char *id;
    Chardev *c;
} RingbufLookup;

static void compare_ringbuf(Chardev *c, void *opaque)
{
    RingbufLookup *look = opaque;
    if (!strcmp(c->id, look->id)) {
        look->c = c;
    }
}

static Chardev *find_ringbuf(Session *s, const char *id, Error *err)
{
    RingbufLookup look = {.id = id};
    chardev_each(s->machine, compare_ringbuf, &look);
    if (!look.c || !chardev_is_ringbuf(look.c)) {
        error_set(err, look.c ? "chardev '%s' is no ringbuf" : "no chardev '%s'", id);
        return NULL;
    }
    return look.c;
}

static bool ringbuf_read(void *opaque, const char *id, char *buf, size_t bytes, size_t *n,
                         Error *err)
{
    Chardev *c = find_ringbuf(opaque, id, err);
    *n = c ? chardev_ringbuf_read(c, (uint8_t *)buf, bytes) : 0;
    return c != NULL;
}

static bool ringbuf_write(void *opaque, const char *id, const char *buf, size_t bytes, Error *err)
{
    Chardev *c = find_ringbuf(opaque, id, err);
    return c && (chardev_ringbuf_inject(c, (const uint8_t *)buf, bytes) == bytes ||
                 error_set(err, "chardev '%s': its user did not take all of it", id));
}

typedef struct DriveUser {
    const char *id;
    const Device *device;
} DriveUser;

static void compare_block(const char *id, struct BlockDev *dev, Device *user, void *opaque)
{
    DriveUser *u = opaque;
    (void)dev;
    if (!strcmp(id, u->id)) {
        u->device = user;
    }
}

static void each_drive(void *opaque, void (*fn)(void *to, const MonitorDrive *d), void *to)
{
    Session *s = opaque;
    for (unsigned i = 0; i < s->n_drives; i++) {
        const Drive *d = &s->drives[i];
        const BlockLimits *l = block_limits(d->dev);
        DriveUser user = {.id = d->id};
        machine_block_each(s->machine, compare_block, &user);
        MonitorDrive out = {.id = d->id,
                            .device = user.device ? user.device->id : NULL,
                            .file = l->present ? d->file : NULL,
                            .bytes = l->size_bytes,
                            .read_only = l->read_only,
                            .removable = d->cdrom};
        fn(to, &out);
    }
}

static void each_board(void *opaque,
                       void (*fn)(void *to, const char *name, const char *alias, unsigned max_cpus),
                       void *to)
{
    Session *s = opaque;
    for (size_t i = 0; hw_machines[i]; i++) {
        const MachineDesc *d = hw_machines[i];
        if (!d->isa || !strcmp(d->isa, s->isa)) {
            fn(to, d->name, d->aliases && *d->aliases ? d->aliases : NULL, d->max_cpus);
        }
    }
}

/* ---- the monitors ---- */

static bool add_monitor(Session *s, struct SessionMonitor *m, Error *err)
{
    Chardev *c = m->chardev;
    Chardev *port = chardev_is_mux(c) ? chardev_mux_port(c) : c;
    if (!port) {
        return error_set(err, "chardev '%s': no free port", c->id);
    }
    if (m->control) {
        m->qmp = qmp_new(s->monitor, port, m->pretty, err);
    } else {
        m->hmp = monitor_new(s->monitor, port, chardev_is_mux_port(port), err);
    }
    return m->qmp || m->hmp;
}

bool session_add_monitors(Session *s, Error *err)
{
    MonitorContext *c = calloc(1, sizeof *c);
    if (!c) {
        return error_set(err, "no memory");
    }
    *c = (MonitorContext){
        .machine = s->machine,
        .accel = s->accel,
        .isa = s->isa,
        .uuid = options_last(&s->options, OPT_UUID),
        .ram_bytes = s->config.ram_bytes,
        .opaque = s,
        .savevm = savevm,
        .loadvm = loadvm,
        .delvm = delvm,
        .list_snapshots = list_snapshots,
        .device_add = device_add,
        .device_del = device_del,
        .eject = eject,
        .change = change,
        .list_blocks = list_blocks,
        .hostfwd = hostfwd,
        .list_usernet = list_usernet,
        .list_pci = list_pci,
        .balloon = balloon,
        .get_balloon = get_balloon,
        .screendump = screendump,
        .set_vnc_password = set_vnc_password,
        .list_vnc = list_vnc,
        .block_resize = resize,
        .each_drive = each_drive,
        .each_board = each_board,
        .ringbuf_read = ringbuf_read,
        .ringbuf_write = ringbuf_write,
    };
    s->monitor = c;
    s->migration = migration_init(s->machine);
    machine_lock(s->machine);
    bool ok = true;
    for (unsigned i = 0; ok && i < s->n_monitors; i++) {
        ok = add_monitor(s, &s->monitors[i], err);
    }
    machine_unlock(s->machine);
    return ok;
}

void session_free_monitors(Session *s)
{
    for (unsigned i = 0; i < s->n_monitors; i++) {
        qmp_free(s->monitors[i].qmp);
        if (s->monitors[i].hmp) {
            monitor_free(s->monitors[i].hmp);
        }
    }
}
