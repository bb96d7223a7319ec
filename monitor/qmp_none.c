/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The monitor for programs in a build without json-c. */
#include "monitor/qmp.h"

Qmp *qmp_new(const MonitorContext *context, Chardev *c, bool pretty, Error *err)
{
    (void)context;
    (void)c;
    (void)pretty;
    error_set(err, "built without json-c: no monitor for programs (Debian: libjson-c-dev)");
    return NULL;
}

void qmp_free(Qmp *q)
{
    (void)q;
}
