/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of monitor/ share. */
#ifndef GEMEL_MONITOR_PRIVATE_H
#define GEMEL_MONITOR_PRIVATE_H

#include "monitor/monitor.h"

enum { MONITOR_MAX_ARGS = 16, MONITOR_LINE_BYTES = 4096 };

/* One run of a command: where its words come from and its output goes. */
typedef struct Call {
    const MonitorContext *c;
    MonitorPrint *print;
    void         *to;
    int           argc;                   /* words, the command's name included */
    const char   *argv[MONITOR_MAX_ARGS];
    unsigned      cpu;                    /* `cpu N`: default of the monitor */
    unsigned     *default_cpu;
} Call;

typedef struct Command {
    const char *name, *alias; /* alias NULL: none */
    const char *args;         /* for help; words in [] may be missing, a last word with ... takes the rest */
    const char *help;
    void      (*run)(Call *k);
} Command;

extern const Command monitor_commands[]; /* ended by a NULL name */
extern const Command monitor_infos[];    /* what `info` takes */

void call_printf(Call *k, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "Error: ..." in one line. */
void call_error(Call *k, const Error *err);
/* A number, decimal, 0x hexadecimal or $ in front of a register's name is not taken; false: said so. */
bool call_number(Call *k, int arg, uint64_t *v);

/* monitor/memory.c */
void command_x(Call *k);
void command_xp(Call *k);
void command_gva2gpa(Call *k);
void command_memsave(Call *k);
void command_pmemsave(Call *k);

void command_print(Call *k);

/* Finds and runs argv. */
void monitor_run_words(Call *k);
/* Splits, finds and runs one line. */
void monitor_run_line(const MonitorContext *c, unsigned *default_cpu, const char *line, MonitorPrint *print,
                      void *to);
/* Completions of the last word of `line`: calls each with the whole word. */
void monitor_complete(const MonitorContext *c, const char *line, void (*each)(void *opaque, const char *word),
                      void *opaque);

#endif
