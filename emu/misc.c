/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options that set one thing each: calendar, firmware files, policies, objects, process. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "emu/session.h"
#include "hw/fw_cfg.h"
#include "net/net.h"

/* ---- -rtc ---- */

static bool parse_date(const char *text, time_t *t)
{
    struct tm tm = {0};
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    end = end ? end : strptime(text, "%Y-%m-%d", &tm);
    *t = timegm(&tm);
    return end && !*end;
}

static bool set_calendar(Session *s, Error *err)
{
    static const char *const clocks[] = {"host", "rt", "vm", NULL}, *const drift[] = {"none",
                                                                                      "slew", NULL};
    const char *text = options_last(&s->options, OPT_RTC);
    KeyVals kv;
    int clock = 0, fix = 0;
    if (!text) {
        return true;
    }
    bool ok = keyvals_parse(&kv, text, "base", err) &&
              keyvals_enum(&kv, "clock", clocks, &clock, err) &&
              keyvals_enum(&kv, "driftfix", drift, &fix, err);
    const char *base = keyvals_get(&kv, "base");
    time_t now = time(NULL), start;
    struct tm tm;
    if (ok && base && !strcmp(base, "localtime")) {
        clock_set_wall_offset(s->machine, (int64_t)localtime_r(&now, &tm)->tm_gmtoff * 1000000000);
    } else if (ok && base && strcmp(base, "utc")) {
        ok = parse_date(base, &start) ||
             error_set(err, "base=%s: utc, localtime or 2026-11-21T13:00:00", base);
        if (ok) {
            clock_set_wall_offset(s->machine, (int64_t)(start - now) * 1000000000);
        }
    }
    if (ok && clock == 2) {
        ok = error_set(err, "clock=vm is not there yet");
    }
    ok = ok && keyvals_finish(&kv, err);
    keyvals_free(&kv);
    return ok || session_prefix(err, "-rtc %s", text);
}

/* ---- -fw_cfg ---- */

static bool add_file(Device *fw, const char *name, const char *path, Error *err)
{
    enum { MAX = 16 << 20 };
    FILE *f = fopen(path, "rb");
    if (!f) {
        return error_set_errno(err, "%s", path);
    }
    char *data = malloc(MAX + 1);
    size_t n = data ? fread(data, 1, MAX + 1, f) : 0;
    fclose(f);
    bool ok = n <= MAX ? fw_cfg_add_file(fw, name, data, n, err)
                       : error_set(err, "%s: larger than 16 MiB", path);
    free(data);
    return ok;
}

static bool add_firmware_file(Session *s, KeyVals *kv, Error *err)
{
    const char *name = keyvals_get(kv, "name"), *file = keyvals_get(kv, "file");
    const char *text = keyvals_get(kv, "string");
    Device *fw = fw_cfg_of(s->machine);
    if (!keyvals_finish(kv, err)) {
        return false;
    }
    if (!fw) {
        return error_set(err, "the board '%s' has no firmware configuration device", s->desc->name);
    }
    if (!name || !file == !text) {
        return error_set(err, "give name= and one of file= and string=");
    }
    return file ? add_file(fw, name, file, err)
                : fw_cfg_add_file(fw, name, text, strlen(text), err);
}

bool session_add_firmware_files(Session *s, Error *err)
{
    const OptValues *v = &s->options.of[OPT_FW_CFG];
    for (unsigned i = 0; i < v->n; i++) {
        KeyVals kv;
        bool ok = keyvals_parse(&kv, v->v[i], "name", err) && add_firmware_file(s, &kv, err);
        keyvals_free(&kv);
        if (!ok) {
            return session_prefix(err, "-fw_cfg %s", v->v[i]);
        }
    }
    return true;
}

/* ---- -object ---- */

static bool add_object(Session *s, const char *text, Error *err)
{
    size_t n = strcspn(text, ",");
    if (!strncmp(text, "filter-dump", n) && n == strlen("filter-dump")) {
        return net_dump_new(s->machine, text, err);
    }
    if ((!strncmp(text, "rng-random", n) && n == 10) ||
        (!strncmp(text, "rng-builtin", n) && n == 11)) {
        return true; /* virtio-rng reads the host's random numbers whatever it is called */
    }
    return error_set(err, "no such object yet (-object help lists them)");
}

bool session_add_objects(Session *s, Error *err)
{
    const OptValues *v = &s->options.of[OPT_OBJECT];
    for (unsigned i = 0; i < v->n; i++) {
        if (!add_object(s, v->v[i], err)) {
            return session_prefix(err, "-object %s", v->v[i]);
        }
    }
    return true;
}

/* ---- policies ---- */

static bool read_action(MachinePolicy *p, const char *text, Error *err)
{
    static const char *const reboot[] = {"reset", "shutdown", NULL}, *const off[] = {"poweroff",
                                                                                     "pause", NULL};
    static const char *const other[] = {"shutdown", "pause",        "none", "reset",
                                        "poweroff", "exit-failure", NULL};
    KeyVals kv;
    int r = p->no_reboot, o = p->no_shutdown, ignored = 0;
    bool ok = keyvals_parse(&kv, text, NULL, err) && keyvals_enum(&kv, "reboot", reboot, &r, err) &&
              keyvals_enum(&kv, "shutdown", off, &o, err) &&
              keyvals_enum(&kv, "panic", other, &ignored, err);
    ok = ok && keyvals_finish(&kv, err);
    keyvals_free(&kv);
    p->no_reboot = r;
    p->no_shutdown = o;
    return ok;
}

static bool set_policy(Session *s, Error *err)
{
    MachinePolicy policy = {.no_reboot = options_flag(&s->options, OPT_NO_REBOOT),
                            .no_shutdown = options_flag(&s->options, OPT_NO_SHUTDOWN)};
    const OptValues *v = &s->options.of[OPT_ACTION];
    for (unsigned i = 0; i < v->n; i++) {
        if (!read_action(&policy, v->v[i], err)) {
            return session_prefix(err, "-action %s", v->v[i]);
        }
    }
    machine_set_policy(s->machine, policy);
    return true;
}

static bool refuse_later(const Session *s, Error *err)
{
    const char *sandbox = options_last(&s->options, OPT_SANDBOX);
    if (sandbox && strncmp(sandbox, "off", 3)) {
        return error_set(err, "-sandbox %s: the system-call filter is not there yet", sandbox);
    }
    const OptValues *v = &s->options.of[OPT_PARALLEL];
    for (unsigned i = 0; i < v->n; i++) {
        if (strcmp(v->v[i], "none")) {
            return error_set(err, "-parallel %s: the board '%s' has no parallel port", v->v[i],
                             s->desc->name);
        }
    }
    return true;
}

bool session_set_misc(Session *s, Error *err)
{
    return refuse_later(s, err) && set_calendar(s, err) && set_policy(s, err);
}

bool session_take_memory(Session *s, Error *err)
{
    const char *over = options_last(&s->options, OPT_OVERCOMMIT);
    bool lock = false, pm = false, ok = true;
    if (over) {
        KeyVals kv;
        ok = keyvals_parse(&kv, over, NULL, err) && keyvals_bool(&kv, "mem-lock", &lock, err) &&
             keyvals_bool(&kv, "cpu-pm", &pm, err) && keyvals_finish(&kv, err);
        keyvals_free(&kv);
    }
    if (lock && mlockall(MCL_CURRENT | MCL_FUTURE)) {
        ok = error_set_errno(err, "mem-lock=on (ulimit -l)");
    }
    if (!ok) {
        return session_prefix(err, "-overcommit %s", over);
    }
    if (options_flag(&s->options, OPT_MEM_PREALLOC)) {
        for (RamBlock *r = NULL; (r = ram_each(s->machine, r));) {
            if (madvise(r->host, r->bytes, MADV_POPULATE_WRITE)) {
                return error_set_errno(err, "-mem-prealloc: %s, %llu bytes", r->name,
                                       (unsigned long long)r->bytes);
            }
        }
    }
    return true;
}

/* ---- the process ---- */

bool session_write_pid(Session *s, Error *err)
{
    const char *path = options_last(&s->options, OPT_PIDFILE);
    FILE *f = path ? fopen(path, "w") : NULL;
    if (path && (!f || fprintf(f, "%ld\n", (long)getpid()) < 0)) {
        if (f) {
            fclose(f);
        }
        return error_set_errno(err, "-pidfile %s", path);
    }
    return !f || fclose(f) == 0 || error_set_errno(err, "-pidfile %s", path);
}

int session_daemonize(void)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC)) {
        return -1;
    }
    pid_t pid = fork();
    if (pid > 0) {
        char ok = 0;
        close(fds[1]);
        while (read(fds[0], &ok, 1) < 0 && errno == EINTR) {
        }
        _exit(ok ? 0 : 1); /* without the byte: the child said why and ended */
    }
    close(fds[0]);
    if (pid < 0) {
        close(fds[1]);
        return -1;
    }
    setsid();
    return fds[1];
}

void session_daemon_ready(int fd)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int i = 0; null >= 0 && i <= 2; i++) {
        dup2(null, i);
    }
    if (null > 2) {
        close(null);
    }
    if (write(fd, "x", 1) == 1) {
        close(fd);
    }
}
