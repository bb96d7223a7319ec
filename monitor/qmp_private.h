/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the monitor for programs share. */
#ifndef GEMEL_MONITOR_QMP_PRIVATE_H
#define GEMEL_MONITOR_QMP_PRIVATE_H

#include <json-c/json.h>

#include "monitor/private.h"

/* One run of a command. */
typedef struct QmpCall {
    const MonitorContext *c;
    json_object *args;     /* checked against the row; NULL: none */
    json_object *result;   /* NULL: {} */
    const char  *err_class; /* of err */
    Error        err;
} QmpCall;

typedef struct QmpCommand {
    const char *name;
    /* Arguments, separated by blanks: NAME:TYPE, ! behind those that must be there. Types: s text,
     * i integer, b boolean, a array. "*": anything. */
    const char *args;
    const char *hmp;     /* does the same as this line of the other monitor, the arguments behind it */
    bool      (*run)(QmpCall *k); /* NULL: hmp says it all; false: k->err */
} QmpCommand;

extern const QmpCommand qmp_commands[]; /* ended by a NULL name */

/* Finds, checks and runs; false: k->err and k->err_class. args may be NULL. */
bool qmp_run(QmpCall *k, const char *name);

#endif
