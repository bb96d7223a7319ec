/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line of user mode and its environment variables. One table; --help is printed from
 * it, and options a child of execve needs are kept as typed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/user.h"
#include "util/str_nearest.h"
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#ifndef GEMEL_VERSION
#define GEMEL_VERSION "development"
#endif

typedef struct OptState {
    UserOptions *o;
    size_t n_env, cap_env;
} OptState;

typedef struct OptRow {
    const char *name, *arg;                      /* arg: NULL if it takes none */
    const char *env, *env2;                      /* variables that set it */
    bool inherit;                                /* children of execve get it too */
    bool (*set)(OptState *s, const char *value); /* false: bad value */
    const char *help;
} OptRow;

static void fail(const UserOptions *o, const char *format, const char *a, const char *b)
{
    fprintf(stderr, "%s: ", o->program);
    fprintf(stderr, format, a, b);
    fputc('\n', stderr);
    exit(1);
}

static bool parse_size(const char *s, uint64_t *out)
{
    char *end;
    errno = 0;
    unsigned long long v = strtoull(s, &end, 0);
    if (errno || end == s || *s == '-') {
        return false;
    }
    static const char units[] = "KMGT";
    const char *u = *end ? strchr(units, *end & ~0x20) : NULL;
    if (u) {
        unsigned shift = 10 * (unsigned)(u - units + 1);
        if (v >> (64 - shift)) {
            return false;
        }
        v <<= shift;
        end++;
    }
    *out = v;
    return *end == 0;
}

static bool set_root(OptState *s, const char *v)
{
    size_t n = strlen(v);
    while (n && v[n - 1] == '/') {
        n--;
    }
    s->o->root = n ? strndup(v, n) : NULL;
    return true;
}

static bool set_cpu(OptState *s, const char *v)
{
    const char *const *names = a64_cpu_models();
    if (!strcmp(v, "help") || !strcmp(v, "?")) {
        for (; *names; names++) {
            puts(*names);
        }
        exit(0);
    }
    for (const char *const *x86 = x86_cpu_models(); *x86; x86++) { /* loading tells if it fits */
        if (!strcmp(v, *x86)) {
            s->o->cpu_model = *x86;
            return true;
        }
    }
    for (; *names; names++) {
        if (!strcmp(v, *names)) {
            s->o->cpu_model = *names;
            return true;
        }
    }
    const char *near = str_nearest_in(v, a64_cpu_models());
    fail(s->o,
         near ? "-cpu: no CPU model '%s'; nearest: '%s' (-cpu help lists all)"
              : "-cpu: no CPU model '%s' (-cpu help lists all)%s",
         v, near ? near : "");
    return false;
}

static bool set_strace(OptState *s, const char *v)
{
    (void)v;
    s->o->strace = true;
    return true;
}

static void env_remove(UserOptions *o, const char *name, size_t len)
{
    char **to = o->env;
    for (char **from = o->env; *from; from++) {
        if (strncmp(*from, name, len) || (*from)[len] != '=') {
            *to++ = *from;
        }
    }
    *to = NULL;
}

static bool set_env_one(OptState *s, const char *v)
{
    const char *eq = strchr(v, '=');
    if (!eq || eq == v) {
        return false;
    }
    env_remove(s->o, v, (size_t)(eq - v));
    size_t n = 0;
    while (s->o->env[n]) {
        n++;
    }
    char **bigger = realloc(s->o->env, (n + 2) * sizeof *bigger);
    if (!bigger) {
        abort();
    }
    s->o->env = bigger;
    bigger[n] = strdup(v);
    bigger[n + 1] = NULL;
    return true;
}

/* -E A=1,B=2 as in QEMU: a comma only separates if a name and '=' follow. */
static bool set_env(OptState *s, const char *v)
{
    return set_env_one(s, v);
}

static bool set_unset(OptState *s, const char *v)
{
    if (!*v || strchr(v, '=')) {
        return false;
    }
    env_remove(s->o, v, strlen(v));
    return true;
}

static bool set_argv0(OptState *s, const char *v)
{
    s->o->argv0 = v;
    return true;
}

static bool set_base(OptState *s, const char *v)
{
    return parse_size(v, &s->o->base) && s->o->base % 0x10000 == 0 && s->o->base < USER_TASK_SIZE;
}

static bool set_reserve(OptState *s, const char *v)
{
    return parse_size(v, &s->o->reserve) && s->o->reserve % USER_PAGE == 0 &&
           s->o->reserve <= USER_TASK_SIZE;
}

static const struct {
    const char *name;
    uint32_t bit;
    const char *help;
} log_items[] = {
    {"in_asm", TCG_LOG_IN, "guest code of each block"},  {"op", TCG_LOG_IR, "IR as built"},
    {"op_opt", TCG_LOG_OPT, "IR after each pass"},       {"out_asm", TCG_LOG_OUT, "host code"},
    {"exec", TCG_LOG_EXEC, "each block entered (slow)"},
};

static bool set_log(OptState *s, const char *v)
{
    enum { N = sizeof log_items / sizeof *log_items };
    if (!strcmp(v, "help") || !strcmp(v, "?")) {
        for (unsigned i = 0; i < N; i++) {
            printf("%-10s %s\n", log_items[i].name, log_items[i].help);
        }
        printf("%-10s %s\n", "unimp", "system calls that are not implemented");
        exit(0);
    }
    while (*v) {
        size_t n = strcspn(v, ",");
        bool known = n == 5 && !strncmp(v, "unimp", n);
        s->o->log_unimp |= known;
        for (unsigned i = 0; i < N; i++) {
            if (strlen(log_items[i].name) == n && !strncmp(v, log_items[i].name, n)) {
                s->o->log |= log_items[i].bit;
                known = true;
            }
        }
        if (!known) {
            return false;
        }
        v += n + (v[n] == ',');
    }
    return true;
}

static bool set_log_file(OptState *s, const char *v)
{
    s->o->log_file = v;
    return true;
}

static bool set_one_insn(OptState *s, const char *v)
{
    (void)v;
    s->o->one_insn = true;
    return true;
}

static bool set_accel(OptState *s, const char *v)
{
    s->o->interp = !strcmp(v, "interp");
    return s->o->interp || !strcmp(v, "tcg");
}

static bool set_tier(OptState *s, const char *v)
{
    s->o->no_tier2 = !strcmp(v, "1");
    return s->o->no_tier2 || !strcmp(v, "2");
}

static bool set_self_fd(OptState *s, const char *v)
{
    s->o->self_fd = atoi(v);
    return s->o->self_fd > 0;
}

static bool do_syscalls(OptState *s, const char *v)
{
    (void)s;
    (void)v;
    user_syscalls_list(stdout);
    exit(0);
}

static bool do_version(OptState *s, const char *v)
{
    (void)v;
    printf("%s (gemel) %s\n", s->o->program, GEMEL_VERSION);
    exit(0);
}

static bool do_help(OptState *s, const char *v);

static const OptRow rows[] = {
    {"L", "ROOT", "GEMEL_LD_PREFIX", "QEMU_LD_PREFIX", true, set_root,
     "look for files (the ELF interpreter, libraries) below ROOT first"},
    {"cpu", "MODEL", "GEMEL_CPU", "QEMU_CPU", true, set_cpu, "guest CPU; 'help' lists them [max]"},
    {"strace", NULL, "GEMEL_STRACE", "QEMU_STRACE", true, set_strace,
     "print each system call to stderr (or to -D FILE)"},
    {"E", "VAR=VALUE", NULL, NULL, false, set_env, "set a variable for the program"},
    {"U", "VAR", NULL, NULL, false, set_unset, "remove a variable"},
    {"0", "ARGV0", "GEMEL_ARGV0", "QEMU_ARGV0", false, set_argv0,
     "the program's argv[0] [PROGRAM]"},
    {"B", "BASE", "GEMEL_GUEST_BASE", "QEMU_GUEST_BASE", true, set_base,
     "load address of position-independent programs [0x5500000000]"},
    {"R", "SIZE", "GEMEL_RESERVED_VA", "QEMU_RESERVED_VA", true, set_reserve,
     "keep guest addresses below SIZE (K, M, G, T)"},
    {"d", "LIST", "GEMEL_LOG", "QEMU_LOG", true, set_log,
     "log these (in_asm,op,op_opt,out_asm,exec,unimp; 'help' explains)"},
    {"D", "FILE", "GEMEL_LOG_FILENAME", "QEMU_LOG_FILENAME", true, set_log_file,
     "write logs to FILE [stderr]"},
    {"one-insn-per-tb", NULL, "GEMEL_ONE_INSN_PER_TB", "QEMU_ONE_INSN_PER_TB", true, set_one_insn,
     "translate one instruction at a time"},
    {"singlestep", NULL, NULL, "QEMU_SINGLESTEP", true, set_one_insn, "the same, older name"},
    {"accel", "NAME", "GEMEL_ACCEL", NULL, true, set_accel,
     "tcg: translate; interp: interpret the IR (slow, an oracle) [tcg]"},
    {"tier", "N", "GEMEL_TIER", NULL, true, set_tier, "1: no second, optimizing tier [2]"},
    {"syscalls", NULL, NULL, NULL, false, do_syscalls,
     "list the system calls: implemented, passed through, ENOSYS"},
    {"version", NULL, NULL, NULL, false, do_version, "print the version"},
    {"help", NULL, NULL, NULL, false, do_help, "print this"},
    {"self-fd", "N", NULL, NULL, false, set_self_fd, NULL},
    {"h", NULL, NULL, NULL, false, do_help, NULL},
};
enum { N_ROWS = sizeof rows / sizeof *rows };

static bool do_help(OptState *s, const char *v)
{
    (void)v;
    printf("usage: %s [OPTION]... PROGRAM [ARG]...\n"
           "Runs an AArch64 Linux program. Examples:\n"
           "  %s ./hello                         a static program\n"
           "  %s -L /usr/aarch64-linux-gnu ./a   a dynamic one, libraries from there\n"
           "  %s -strace ./hello                 its system calls\n\n",
           s->o->program, s->o->program, s->o->program, s->o->program);
    for (unsigned i = 0; i < N_ROWS; i++) {
        const OptRow *r = &rows[i];
        if (!r->help) {
            continue;
        }
        char left[64];
        snprintf(left, sizeof left, "-%s%s%s", r->name, r->arg ? " " : "", r->arg ? r->arg : "");
        printf("  %-20s %s", left, r->help);
        if (r->env) {
            printf(" (%s)", r->env);
        }
        putchar('\n');
    }
    puts("\nOptions may be written with one dash or two. Variables in parentheses set the same;\n"
         "QEMU_ in place of GEMEL_ is understood. Programs that the program starts run here too.\n"
         "Exit status: the program's; 126 if it cannot be run, 127 if it is not there.");
    exit(0);
}

static void keep_for_children(UserOptions *o, const OptRow *r, const char *value)
{
    if (!r->inherit || o->n_inherit + 2 > USER_MAX_INHERIT) {
        return;
    }
    char *name = malloc(strlen(r->name) + 2);
    if (!name) {
        abort();
    }
    name[0] = '-';
    strcpy(name + 1, r->name);
    o->inherit[o->n_inherit++] = name;
    if (r->arg) {
        o->inherit[o->n_inherit++] = value;
    }
}

static void apply(OptState *s, const OptRow *r, const char *value, const char *how)
{
    if (!r->set(s, value)) {
        char what[64];
        snprintf(what, sizeof what, "%s%s", how, r->name);
        fail(s->o, "%s: bad value '%s'", what, value);
    }
}

static const char *option_name(size_t i, const void *opaque)
{
    (void)opaque;
    return i < N_ROWS ? rows[i].name : NULL;
}

static void unknown(const UserOptions *o, const char *arg)
{
    const char *near = str_nearest(arg + strspn(arg, "-"), option_name, NULL);
    fail(o,
         near ? "unknown option '%s'; nearest: '-%s' (--help lists all)"
              : "unknown option '%s' (--help lists all)%s",
         arg, near ? near : "");
}

static void from_environment(OptState *s)
{
    for (unsigned i = 0; i < N_ROWS; i++) {
        const char *names[2] = {rows[i].env, rows[i].env2};
        for (unsigned j = 0; j < 2; j++) {
            const char *v = names[j] ? getenv(names[j]) : NULL;
            if (v) {
                apply(s, &rows[i], v, "environment: -");
                break;
            }
        }
    }
}

/* Index after the option at argv[i]. */
static int take_option(OptState *s, int i, int argc, char **argv)
{
    const char *name = argv[i] + (argv[i][1] == '-' ? 2 : 1);
    for (unsigned k = 0; k < N_ROWS; k++) {
        const OptRow *r = &rows[k];
        if (strcmp(name, r->name)) {
            continue;
        }
        const char *value = NULL;
        if (r->arg) {
            if (++i >= argc) {
                fail(s->o, "-%s needs a value: %s", r->name, r->arg);
            }
            value = argv[i];
        }
        apply(s, r, value, "-");
        keep_for_children(s->o, r, value);
        return i + 1;
    }
    unknown(s->o, argv[i]);
    return argc;
}

int user_options_parse(UserOptions *o, int argc, char **argv, char **envp)
{
    memset(o, 0, sizeof *o);
    const char *slash = argc ? strrchr(argv[0], '/') : NULL;
    o->program = slash ? slash + 1 : argc ? argv[0] : "gemel-user";
    o->cpu_model = "max";
    o->base = 0x5500000000;
    size_t n = 0;
    while (envp[n]) {
        n++;
    }
    o->env = malloc((n + 1) * sizeof *o->env);
    if (!o->env) {
        abort();
    }
    memcpy(o->env, envp, (n + 1) * sizeof *o->env);
    OptState s = {.o = o};
    from_environment(&s);
    int i = 1;
    while (i < argc && argv[i][0] == '-' && argv[i][1]) {
        if (!strcmp(argv[i], "--")) {
            i++;
            break;
        }
        i = take_option(&s, i, argc, argv);
    }
    if (i >= argc) {
        fail(o, "no program given (%s --help explains)%s", o->program, "");
    }
    return i;
}
