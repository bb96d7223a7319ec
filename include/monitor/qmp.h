/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The monitor for programs: JSON commands, replies and events on a byte stream, as QEMU's machine
 * protocol has them (docs/interop/qmp-spec). What exists is in monitor/qmp_commands.c.
 *
 * Threads: machine lock held for all; commands run and events go out on the main loop thread.
 */
#ifndef GEMEL_MONITOR_QMP_H
#define GEMEL_MONITOR_QMP_H

#include "monitor/monitor.h"

typedef struct Qmp Qmp;

/* Greets each peer that connects to c. pretty: replies over several lines. The context must outlive it.
 * NULL: c is in use, or this build has no json-c. */
Qmp *qmp_new(const MonitorContext *context, Chardev *c, bool pretty, Error *err);
void qmp_free(Qmp *q); /* may be NULL */

#endif
