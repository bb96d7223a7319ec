/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine with a demo device, a network port and a keyboard, and a context that writes down what
 * it is asked for. */
#ifndef GEMEL_TESTS_MONITOR_RIG_H
#define GEMEL_TESTS_MONITOR_RIG_H

#include <glib.h>
#include <string.h>

#include "chardev/chardev.h"
#include "core/input.h"
#include "core/machine.h"
#include "core/net.h"
#include "monitor/monitor.h"
#include "tests/core/demo.h"

typedef struct Rig {
    Machine *m;
    MonitorContext c;
    GString *asked; /* "savevm(a) ..." */
    GString *keys;  /* "+29 +30 -30 -29 " */
    GString *out;
    bool refuse; /* what is asked for fails */
    InputSink sink;
    NetPort port;
    MemRegion ram;
} Rig;

static inline bool rig_note(Rig *r, Error *err, const char *what, const char *a, const char *b)
{
    g_string_append_printf(r->asked, "%s(%s%s%s)", what, a ? a : "", b ? "," : "", b ? b : "");
    return !r->refuse || error_set(err, "%s: refused", what);
}

#define RIG_ASK1(name)                                                                             \
    static inline bool rig_##name(void *o, const char *a, Error *err)                              \
    {                                                                                              \
        return rig_note(o, err, #name, a, NULL);                                                   \
    }
#define RIG_ASK2(name)                                                                             \
    static inline bool rig_##name(void *o, const char *a, const char *b, Error *err)               \
    {                                                                                              \
        return rig_note(o, err, #name, a, b);                                                      \
    }
RIG_ASK1(savevm)
RIG_ASK1(loadvm)
RIG_ASK1(delvm)
RIG_ASK1(device_add)
RIG_ASK1(device_del)
RIG_ASK1(eject)
RIG_ASK1(set_vnc_password)
RIG_ASK2(screendump)
RIG_ASK2(change)

static inline bool rig_hostfwd(void *o, const char *id, const char *rule, bool add, Error *err)
{
    return rig_note(o, err, add ? "hostfwd_add" : "hostfwd_remove", id, rule);
}

static inline bool rig_balloon(void *o, uint64_t bytes, Error *err)
{
    char text[32];
    g_snprintf(text, sizeof text, "%" G_GUINT64_FORMAT, bytes);
    return rig_note(o, err, "balloon", text, NULL);
}

static inline bool rig_block_resize(void *o, const char *id, uint64_t bytes, Error *err)
{
    char text[32];
    g_snprintf(text, sizeof text, "%" G_GUINT64_FORMAT, bytes);
    return rig_note(o, err, "block_resize", id, text);
}

static inline bool rig_get_balloon(void *o, uint64_t *bytes)
{
    *bytes = 64 << 20;
    return !((Rig *)o)->refuse;
}

static inline bool rig_ringbuf_read(void *o, const char *id, char *buf, size_t bytes, size_t *n,
                                    Error *err)
{
    Rig *r = o;
    Chardev *c = chardev_by_id(r->m, id);
    *n = c ? chardev_ringbuf_read(c, (uint8_t *)buf, bytes) : 0;
    return c || error_set(err, "no chardev '%s'", id);
}

static inline bool rig_ringbuf_write(void *o, const char *id, const char *buf, size_t bytes,
                                     Error *err)
{
    (void)buf;
    (void)bytes;
    return rig_note(o, err, "ringbuf_write", id, NULL);
}

static inline void rig_list(void *o, MonitorPrint *print, void *to)
{
    (void)o;
    print(to, "a list");
}

static inline void rig_each_drive(void *o, void (*fn)(void *to, const MonitorDrive *d), void *to)
{
    (void)o;
    fn(to, &(MonitorDrive){.id = "hd", .device = "disk", .file = "a.img", .bytes = 512});
    fn(to, &(MonitorDrive){.id = "cd", .removable = true});
}

static inline void rig_each_board(
    void *o, void (*fn)(void *to, const char *name, const char *alias, unsigned max_cpus), void *to)
{
    (void)o;
    fn(to, "demo", NULL, 1);
}

static inline void rig_input(void *o, const InputEvent *e)
{
    Rig *r = o;
    if (e->kind != INPUT_SYNC) {
        g_string_append_printf(r->keys, "%c%u:%d ", "kbra"[e->kind], e -> code, e -> value);
    }
}

static inline bool rig_receive(NetPort *p, const struct iovec *iov, int n)
{
    (void)p;
    (void)iov;
    (void)n;
    return true;
}

static inline Rig *rig_new(void)
{
    static const NetPortOps ops = {.receive = rig_receive};
    Rig *r = g_new0(Rig, 1);
    r->m = machine_new("rig", NULL);
    r->asked = g_string_new(NULL);
    r->keys = g_string_new(NULL);
    r->out = g_string_new(NULL);
    machine_lock(r->m);
    g_assert_true(mem_region_init_ram(&r->ram, r->m, "ram", 1 << 20, NULL));
    mem_begin(r->m);
    mem_add(&r->m->system, 0x40000000, &r->ram, 0);
    mem_commit(r->m);
    Device *d = device_new(r->m, &demo_class, "demo0");
    g_assert_true(device_realize(d, NULL));
    net_port_init(&r->port, r->m, "net0", &ops, r);
    r->sink = (InputSink){.name = "keys", .kinds = ~0u, .event = rig_input, .opaque = r};
    input_sink_add(r->m, &r->sink);
    r->c = (MonitorContext){
        .machine = r->m,
        .isa = "aarch64",
        .ram_bytes = 1 << 20,
        .opaque = r,
        .savevm = rig_savevm,
        .loadvm = rig_loadvm,
        .delvm = rig_delvm,
        .list_snapshots = rig_list,
        .screendump = rig_screendump,
        .device_add = rig_device_add,
        .device_del = rig_device_del,
        .eject = rig_eject,
        .change = rig_change,
        .list_blocks = rig_list,
        .hostfwd = rig_hostfwd,
        .list_usernet = rig_list,
        .set_vnc_password = rig_set_vnc_password,
        .list_vnc = rig_list,
        .list_pci = rig_list,
        .balloon = rig_balloon,
        .get_balloon = rig_get_balloon,
        .block_resize = rig_block_resize,
        .each_drive = rig_each_drive,
        .each_board = rig_each_board,
        .ringbuf_read = rig_ringbuf_read,
        .ringbuf_write = rig_ringbuf_write,
    };
    return r;
}

static inline void rig_free(Rig *r)
{
    input_sink_remove(r->m, &r->sink);
    net_port_destroy(&r->port);
    machine_unrealize_devices(r->m);
    mem_begin(r->m);
    mem_remove(&r->ram);
    mem_commit(r->m);
    mem_region_destroy(r->m, &r->ram);
    chardev_free_all(r->m);
    machine_unlock(r->m);
    machine_free(r->m);
    g_string_free(r->asked, TRUE);
    g_string_free(r->keys, TRUE);
    g_string_free(r->out, TRUE);
    g_free(r);
}

/* What came out of a ring buffer since the last time. */
static inline const char *rig_read(Rig *r, Chardev *c)
{
    uint8_t buf[4096];
    g_string_truncate(r->out, 0);
    for (size_t n; (n = chardev_ringbuf_read(c, buf, sizeof buf)) > 0;) {
        g_string_append_len(r->out, (const char *)buf, (gssize)n);
    }
    return r->out->str;
}

static inline void rig_type(Chardev *c, const char *text)
{
    for (size_t n = strlen(text), done; n; n -= done, text += done) {
        done = chardev_ringbuf_inject(c, (const uint8_t *)text, n);
        g_assert_cmpuint(done, >, 0);
    }
}

#endif
