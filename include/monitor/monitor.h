/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The monitor: commands for people (HMP) on a byte stream, with line editing, history and completion.
 * Every command is a row of one table (monitor/commands.c), from which help, completion and the errors
 * about unknown words are made.
 *
 * Threads: machine lock held for all; commands run on the main loop thread with it held.
 */
#ifndef GEMEL_MONITOR_MONITOR_H
#define GEMEL_MONITOR_MONITOR_H

#include "accel/accel.h"
#include "core/chardev.h"
#include "core/machine.h"

typedef struct Monitor Monitor;
typedef void MonitorPrint(void *opaque, const char *line); /* line without its end */

/* A drive, for programs. */
typedef struct MonitorDrive {
    const char *id, *device; /* device that uses it; NULL: none */
    const char *file;        /* NULL: no medium */
    uint64_t    bytes;
    bool        read_only, removable;
} MonitorDrive;

/*
 * What commands need of other rooms, given by the composer. A NULL function makes its commands say that
 * this build or machine has no such thing. All with the machine lock held; those marked * may let go of
 * it meanwhile.
 */
typedef struct MonitorContext {
    Machine *machine;
    Accel   *accel;
    const char *isa;       /* "aarch64" */
    const char *uuid;      /* as text; NULL: none */
    uint64_t    ram_bytes;
    void    *opaque; /* first argument of all below */
    bool (*savevm)(void *opaque, const char *name, Error *err);   /* * */
    bool (*loadvm)(void *opaque, const char *name, Error *err);   /* * */
    bool (*delvm)(void *opaque, const char *name, Error *err);
    void (*list_snapshots)(void *opaque, MonitorPrint *print, void *to);
    bool (*screendump)(void *opaque, const char *console, const char *file, Error *err);
    bool (*device_add)(void *opaque, const char *spec, Error *err);
    bool (*device_del)(void *opaque, const char *id, Error *err);
    bool (*eject)(void *opaque, const char *drive, Error *err);
    bool (*change)(void *opaque, const char *drive, const char *file, Error *err);
    void (*list_blocks)(void *opaque, MonitorPrint *print, void *to);
    bool (*commit)(void *opaque, const char *drive, Error *err);  /* "all": every one */
    bool (*hostfwd)(void *opaque, const char *id, const char *rule, bool add, Error *err);
    void (*list_usernet)(void *opaque, MonitorPrint *print, void *to);
    bool (*set_vnc_password)(void *opaque, const char *password, Error *err);
    void (*list_vnc)(void *opaque, MonitorPrint *print, void *to);
    void (*list_pci)(void *opaque, MonitorPrint *print, void *to);
    bool (*balloon)(void *opaque, uint64_t bytes, Error *err);
    bool (*get_balloon)(void *opaque, uint64_t *bytes);
    bool (*block_resize)(void *opaque, const char *drive, uint64_t bytes, Error *err);
    void (*each_drive)(void *opaque, void (*fn)(void *to, const MonitorDrive *d), void *to);
    void (*each_board)(void *opaque, void (*fn)(void *to, const char *name, const char *alias,
                                                unsigned max_cpus), void *to);
    /* What was written to a -chardev ringbuf, at most `bytes` of it; *n: how much. */
    bool (*ringbuf_read)(void *opaque, const char *id, char *buf, size_t bytes, size_t *n, Error *err);
    bool (*ringbuf_write)(void *opaque, const char *id, const char *buf, size_t bytes, Error *err);
} MonitorContext;

/* A monitor on c. shared: c is a port of a mux, so nothing is printed before it has the focus. The context
 * must outlive it. NULL: c is in use. */
Monitor *monitor_new(const MonitorContext *context, Chardev *c, bool shared, Error *err);
void     monitor_free(Monitor *m);
/* One command line, as if typed; its output goes to print. For tests and `human-monitor-command`. */
void     monitor_execute(const MonitorContext *context, const char *line, MonitorPrint *print, void *to);

#endif
