/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The front command: `gemel run`, `gemel user`, `gemel img`, ..., and the aliases by argv[0]. */
#ifndef GEMEL_EMU_FRONT_H
#define GEMEL_EMU_FRONT_H

/* Exit codes of all commands. */
enum { EXIT_OK = 0, EXIT_USAGE = 1, EXIT_ENVIRONMENT = 2 };

/* name: how we were called, without folder. */
int front_main(const char *name, int argc, char **argv);
/* One machine from a QEMU-style command line for `isa`. */
int system_main(const char *program, const char *isa, int argc, char **argv);
/* gemel run IMAGE...: emu/run.c. argv[0] is "run". */
int run_main(int argc, char **argv);

#endif
