/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gemel-user: runs an AArch64 Linux program. Start-up; the rest is in libuser. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "user/guest_abi.h"

enum { BINFMT_PRESERVE_ARGV0 = 1 }; /* AT_FLAGS of the kernel: registered with P */

static int exit_code(int error)
{
    return error == ENOENT || error == ENOTDIR ? 127 : 126;
}

static void cannot(const UserOptions *o, const char *what, int error, const char *why)
{
    fprintf(stderr, "%s: %s: %s\n", o->program, what, why ? why : strerror(error));
    exit(exit_code(error));
}

/* "#!": the interpreter takes the script's place. Returns the new argv, `path` the new program. */
static char **through_scripts(const UserOptions *o, const char **path, char **argv)
{
    for (int depth = 0; depth < 5; depth++) {
        char buf[4096], interp[256], arg[256];
        UserImage im;
        const char *why;
        int e = user_image_open(&im, user_path(o, *path, buf), o, &why);
        if (!e) {
            close(im.fd);
            return argv;
        }
        if (e != -ENOEXEC || im.fd < 0) {
            return argv;
        }
        int is = user_script_parse(im.fd, interp, arg);
        close(im.fd);
        if (is <= 0) {
            return argv;
        }
        size_t n = 0;
        while (argv[n]) {
            n++;
        }
        char **v = calloc(n + 3, sizeof *v);
        if (!v) {
            abort();
        }
        size_t k = 0;
        v[k++] = strdup(interp);
        if (arg[0]) {
            v[k++] = strdup(arg);
        }
        v[k++] = (char *)*path;
        memcpy(v + k, argv + 1, n * sizeof *v);
        *path = v[0];
        argv = v;
    }
    cannot(o, *path, ELOOP, NULL);
    return NULL;
}

static void open_engine(UserProcess *p, UserThread *t)
{
    static const TcgHostOps ops = {
        .fetch = user_map_fetch, .page_mode = user_map_page_mode, .symbol = user_symbol};
    const char *heat = getenv("GEMEL_HEAT");
    TcgConfig config = {
        .tier2_heat = p->opt->no_tier2 || p->opt->interp || p->opt->one_insn ? 0
                      : heat                                                 ? (uint32_t)atoi(heat)
                                                                             : 2000,
        .background = true,
        .one_insn = p->opt->one_insn,
        .interp = p->opt->interp,
        .perf_map = getenv("GEMEL_PERF_MAP") != NULL,
        .jitdump = getenv("GEMEL_JITDUMP") != NULL,
        .log = p->opt->log,
        .log_file = p->opt->log_file,
    };
    char err[256];
    p->engine = tcg_engine_new(p->abi->guest, &ops, p, &config, err, sizeof err);
    if (!p->engine) {
        fprintf(stderr, "%s: %s\n", p->opt->program, err);
        exit(1);
    }
    tcg_cpu_attach(p->engine, &t->cpu.tcg);
}

static void open_log(UserProcess *p)
{
    p->log = stderr;
    if (p->opt->strace && p->opt->log_file) {
        FILE *f = fopen(p->opt->log_file, "ae");
        if (!f) {
            cannot(p->opt, p->opt->log_file, errno, NULL);
        }
        p->log = f;
    }
}

/* The program's ABI decides what the CPU is. */
static void set_abi(UserProcess *p, const UserImage *im)
{
    p->abi = im->abi;
    if (!p->abi->reset(p->threads, p->opt->cpu_model)) {
        fprintf(stderr, "%s: -cpu: no model '%s' for %s programs\n", p->opt->program,
                p->opt->cpu_model, p->abi->name);
        exit(1);
    }
    if (p->abi->vdso) {
        user_vdso_map(p);
    }
}

static void load(UserProcess *p, const char *program, char **argv)
{
    const char *why = NULL;
    UserImage *im = calloc(1, sizeof *im);
    char buf[4096];
    int fd = (int)getauxval(AT_EXECFD);
    int e;
    if (!im) {
        abort();
    }
    if (fd > 0) {
        im->fd = fd;
        snprintf(im->path, sizeof im->path, "%s", program);
        e = user_image_check(im, p->opt, &why);
    } else {
        e = user_image_open(im, user_path(p->opt, program, buf), p->opt, &why);
    }
    if (!e) {
        set_abi(p, im);
        e = user_image_load(p, im, argv, p->opt->env, program, &why);
    }
    if (e) {
        cannot(p->opt, program, -e, why);
    }
    if (!realpath(im->path, p->exe)) {
        snprintf(p->exe, sizeof p->exe, "%s", im->path);
    }
    close(im->fd);
    free(im);
}

int main(int argc, char **argv, char **envp)
{
    UserOptions *o = calloc(1, sizeof *o);
    UserProcess *p = calloc(1, sizeof *p);
    if (!o || !p) {
        abort();
    }
    int at = user_options_parse(o, argc, argv, envp);
    const char *program = argv[at];
    char **guest_argv = argv + at;
    if ((getauxval(AT_FLAGS) & BINFMT_PRESERVE_ARGV0) && at + 1 < argc) {
        guest_argv = argv + at + 1;
    } else if (o->argv0) {
        argv[at] = (char *)o->argv0;
    }
    guest_argv = through_scripts(o, &program, guest_argv);
    p->opt = o;
    pthread_mutex_init(&p->lock, NULL);
    user_map_init(&p->map, o->reserve ? o->reserve : USER_TASK_SIZE);
    open_log(p);
    user_self_fd_init(p);
    UserThread *t = user_thread_new(p);
    if (!t) {
        abort();
    }
    p->threads = t;
    p->n_threads = 1;
    load(p, program, guest_argv);
    const char *base = strrchr(program, '/');
    prctl(PR_SET_NAME, base ? base + 1 : program);
    p->abi->start(t, p->entry, p->stack_sp);
    user_thread_enter(t);
    user_signals_init(t);
    open_engine(p, t);
    user_cpu_loop(t);
}
