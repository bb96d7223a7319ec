/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The front command and its aliases. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "emu/front.h"
#include "emu/session.h"
#include "util/str_nearest.h"

static const char *const isas[] = {"aarch64", NULL};

static void print_version(const char *program)
{
    printf("%s (gemel) version " GEMEL_VERSION "\nLicence: GPL version 2 or later\n", program);
}

int system_main(const char *program, const char *isa, int argc, char **argv)
{
    Session *s = calloc(1, sizeof *s);
    Error err = {0};
    int status = EXIT_USAGE, daemon = -1;
    if (!s) {
        return EXIT_ENVIRONMENT;
    }
    s->program = program;
    s->isa = isa;
    if (!options_parse(&s->options, argc, argv, stderr, &err)) {
        error_report(&err, program, stderr);
    } else if (options_flag(&s->options, OPT_HELP)) {
        options_print_help(program, stdout);
        status = EXIT_OK;
    } else if (options_flag(&s->options, OPT_VERSION)) {
        print_version(program);
        status = EXIT_OK;
    } else if (session_answer_help(s)) {
        status = EXIT_OK;
    } else if (options_flag(&s->options, OPT_DAEMONIZE) && (daemon = session_daemonize()) < 0) {
        perror("-daemonize");
    } else if (!session_build(s, &err) || !session_write_pid(s, &err)) {
        error_report(&err, program, stderr);
    } else {
        if (daemon >= 0) {
            session_daemon_ready(daemon);
        }
        status = session_run(s);
        if (options_flag(&s->options, OPT_PIDFILE)) {
            unlink(options_last(&s->options, OPT_PIDFILE));
        }
    }
    session_free(s);
    free(s);
    return status;
}

/* ---- commands ---- */

/* Runs another of our programs in our place: from our own folder first, then from PATH. */
static int become(const char *program, char **argv)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 64);
    argv[0] = (char *)program;
    if (n > 0) {
        path[n] = '\0';
        char *slash = strrchr(path, '/');
        snprintf(slash + 1, 64, "%s", program);
        execv(path, argv);
    }
    execvp(program, argv);
    fprintf(stderr, "gemel: cannot run %s: %s\n", program, strerror(errno));
    return EXIT_ENVIRONMENT;
}

static int cmd_user(int argc, char **argv)
{
    (void)argc;
    return become("gemel-user", argv);
}

static int cmd_img(int argc, char **argv)
{
    (void)argc;
    return become("gemel-img", argv);
}

static int cmd_binfmt(int argc, char **argv)
{
    (void)argc;
    return become("gemel-binfmt", argv);
}

static int cmd_system(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: gemel system ISA OPTIONS  (ISA: aarch64)\n");
        return EXIT_USAGE;
    }
    for (int i = 0; isas[i]; i++) {
        if (!strcmp(argv[1], isas[i])) {
            char name[64];
            snprintf(name, sizeof name, "gemel-system-%s", isas[i]);
            return system_main(name, isas[i], argc - 1, argv + 1);
        }
    }
    fprintf(stderr, "gemel system: '%s': no such guest yet (there is: aarch64)\n", argv[1]);
    return EXIT_USAGE;
}

static int cmd_version(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    print_version("gemel");
    return EXIT_OK;
}

static int cmd_help(int argc, char **argv);
static int cmd_options(int argc, char **argv);

static const struct Command {
    const char *name, *args, *help;
    int (*run)(int argc, char **argv);
    int hidden;
} commands[] = {
    {"run", "IMAGE|KERNEL [OPTIONS]", "runs a disk image or kernel; picks everything by itself",
     run_main, 0},
    {"system", "ISA OPTIONS", "runs a machine by QEMU's options (as gemel-system-ISA)", cmd_system,
     0},
    {"user", "PROGRAM ARGS", "runs a Linux program of another ISA (gemel-user)", cmd_user, 0},
    {"img", "COMMAND ARGS", "creates, converts, checks disk images (gemel-img)", cmd_img, 0},
    {"binfmt", "install|status|remove", "lets the kernel run foreign programs by gemel-user",
     cmd_binfmt, 0},
    {"version", "", "version and licence", cmd_version, 0},
    {"help", "", "this text", cmd_help, 0},
    {"print-options", "man|words", "the option table, for the build", cmd_options, 1},
    {NULL, NULL, NULL, NULL, 0},
};

static int cmd_help(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    puts("usage: gemel COMMAND ...\nRuns machines and programs of other instruction sets.\n");
    for (const struct Command *c = commands; c->name; c++) {
        if (!c->hidden) {
            printf("  gemel %-8s %-24s %s\n", c->name, c->args, c->help);
        }
    }
    puts("\n`gemel run --help` and `gemel-system-aarch64 --help` tell more.");
    return EXIT_OK;
}

static int cmd_options(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "man")) {
        options_print_man(stdout);
    } else {
        options_print_words(stdout);
    }
    return EXIT_OK;
}

static const char *command_name(size_t i, const void *opaque)
{
    (void)opaque;
    return commands[i].name;
}

int front_main(const char *name, int argc, char **argv)
{
    static const char *const prefixes[] = {"gemel-system-", "qemu-system-", NULL};
    for (int i = 0; prefixes[i]; i++) {
        size_t n = strlen(prefixes[i]);
        for (int k = 0; isas[k]; k++) {
            if (!strncmp(name, prefixes[i], n) && !strcmp(name + n, isas[k])) {
                return system_main(name, isas[k], argc, argv);
            }
        }
    }
    const char *word = argc > 1 ? argv[1] : "help";
    word += strspn(word, "-");
    for (const struct Command *c = commands; c->name; c++) {
        if (!strcmp(word, c->name) || (c->run == cmd_help && !strcmp(word, "h"))) {
            return c->run(argc - 1, argv + 1);
        }
    }
    const char *near = str_nearest(word, command_name, NULL);
    fprintf(stderr, "gemel: unknown command '%s'%s%s%s (gemel help lists them)\n", argv[1],
            near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    return EXIT_USAGE;
}
