/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From options to a running machine. See emu/session.h for the order of the steps. */
#include <glib-unix.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "chardev/chardev.h"
#include "emu/session.h"
#include "migration/migration.h"
#include "net/net.h"

const char *session_text(Session *s, const char *fmt, ...)
{
    va_list ap;
    char *text = NULL;
    va_start(ap, fmt);
    int n = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (n < 0 || s->n_texts == SESSION_MAX_TEXTS) {
        fprintf(stderr, "%s: no memory, or far too many options\n", s->program);
        exit(1);
    }
    s->texts[s->n_texts++] = text;
    return text;
}

bool session_prefix(Error *err, const char *fmt, ...)
{
    char where[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(where, sizeof where, fmt, ap);
    va_end(ap);
    return err->text[0] == '-' ? false : error_prepend(err, "%s", where);
}

/* ---- what kind of machine ---- */

/* -M [type=]NAME,key=value...: several are read as one. */
static bool choose_board(Session *s, Error *err)
{
    const OptValues *v = &s->options.of[OPT_MACHINE];
    const char *all = v->n ? v->v[0] : "";
    for (unsigned i = 1; i < v->n; i++) {
        all = session_text(s, "%s,%s", all, v->v[i]);
    }
    if (!keyvals_parse(&s->machine_keys, all, "type", err)) {
        return false;
    }
    KeyVals *kv = &s->machine_keys;
    const char *name = keyvals_get(kv, "type");
    if (!name) {
        return error_set(err,
                         "no board given: use -M NAME (-M help lists them; for Debian: -M virt)");
    }
    s->desc = machine_desc_find(name, s->isa, err);
    if (!s->desc) {
        return false;
    }
    s->config.desc = s->desc;
    const char *accel = keyvals_get(kv, "accel");
    if (accel && !options_flag(&s->options, OPT_ACCEL) &&
        !options_add(&s->options, OPT_ACCEL, accel, err)) {
        return false;
    }
    static const char *const without_effect[] = {"kernel-irqchip",
                                                 "kernel_irqchip",
                                                 "dump-guest-core",
                                                 "mem-merge",
                                                 "usb",
                                                 "graphics",
                                                 "vmport",
                                                 "hmat",
                                                 NULL};
    for (unsigned i = 0; without_effect[i]; i++) {
        (void)keyvals_get(kv, without_effect[i]);
    }
    for (const KeyVal *k; (k = keyvals_next(kv));) {
        if (!machine_option_set(&s->config, k->key, k->value, err)) {
            return false;
        }
    }
    return true;
}

static bool read_memory(Session *s, Error *err)
{
    const char *text = options_last(&s->options, OPT_M);
    s->config.ram_bytes = s->desc->default_ram_bytes;
    if (!text) {
        return true;
    }
    KeyVals kv;
    uint64_t bytes = s->config.ram_bytes;
    bool ok =
        keyvals_parse(&kv, text, "size", err) && keyvals_size(&kv, "size", 1 << 20, &bytes, err);
    (void)keyvals_get(&kv, "slots");
    (void)keyvals_get(&kv, "maxmem");
    ok = ok && keyvals_finish(&kv, err);
    keyvals_free(&kv);
    if (!ok) {
        return session_prefix(err, "-m %s", text);
    }
    if (bytes < 1 << 20 || bytes > (uint64_t)1 << 40) {
        return error_set(err, "-m %s: 1 MiB to 1 TiB", text);
    }
    s->config.ram_bytes = (bytes + 0xfffff) & ~(uint64_t)0xfffff;
    return true;
}

static bool read_smp(Session *s, Error *err)
{
    const char *text = options_last(&s->options, OPT_SMP);
    uint64_t n = 0, sockets = 0, dies = 1, clusters = 1, cores = 0, threads = 0, max = 0;
    s->config.n_cpus = 1;
    if (!text) {
        return true;
    }
    KeyVals kv;
    bool ok = keyvals_parse(&kv, text, "cpus", err) && keyvals_u64(&kv, "cpus", &n, err) &&
              keyvals_u64(&kv, "sockets", &sockets, err) && keyvals_u64(&kv, "dies", &dies, err) &&
              keyvals_u64(&kv, "clusters", &clusters, err) &&
              keyvals_u64(&kv, "cores", &cores, err) &&
              keyvals_u64(&kv, "threads", &threads, err) &&
              keyvals_u64(&kv, "maxcpus", &max, err) && keyvals_finish(&kv, err);
    keyvals_free(&kv);
    if (!ok) {
        return error_prepend(err, "-smp %s", text);
    }
    if (!n && strcmp(text, "0")) {
        n = (sockets ? sockets : 1) * dies * clusters * (cores ? cores : 1) *
            (threads ? threads : 1);
    }
    if (n < 1 || n > s->desc->max_cpus) {
        return error_set(err, "-smp %s: the board '%s' takes 1 to %u CPUs", text, s->desc->name,
                         s->desc->max_cpus);
    }
    s->config.n_cpus = (unsigned)n;
    return true;
}

static bool parse_uuid(const char *text, uint8_t uuid[16])
{
    unsigned n = 0;
    for (const char *p = text; *p; p++) {
        unsigned byte;
        if (*p == '-') {
            continue;
        }
        if (n == 16 || sscanf(p, "%2x", &byte) != 1 || !p[1] || p[1] == '-') {
            return false;
        }
        uuid[n++] = (uint8_t)byte;
        p++;
    }
    return n == 16;
}

static bool read_config(Session *s, Error *err)
{
    const Options *o = &s->options;
    MachineConfig *c = &s->config;
    const char *uuid = options_last(o, OPT_UUID), *cpu = options_last(o, OPT_CPU);
    if (uuid && !parse_uuid(uuid, c->uuid)) {
        return error_set(err, "-uuid %s: not of the form 8-4-4-4-12 hexadecimal digits", uuid);
    }
    cpu = cpu ? cpu : s->desc->default_cpu;
    s->accel_config.cpu_model = cpu;
    c->cpu_model = session_text(s, "%.*s", (int)strcspn(cpu, ","), cpu);
    c->kernel = options_last(o, OPT_KERNEL);
    c->initrd = options_last(o, OPT_INITRD);
    c->append = options_last(o, OPT_APPEND);
    c->dtb = options_last(o, OPT_DTB);
    c->boot = options_last(o, OPT_BOOT_);
    if ((c->initrd || c->append) && !c->kernel) {
        return error_set(err, "-%s: only with -kernel", c->initrd ? "initrd" : "append");
    }
    const char *bios = options_last(o, OPT_BIOS);
    if (bios && !(c->bios = session_find_firmware(s, bios, err))) {
        return error_prepend(err, "-bios");
    }
    return read_memory(s, err) && read_smp(s, err);
}

/* ---- accelerator ---- */

const LogKind session_log_kinds[] = {
    {"in_asm", 1, "guest code that is translated"},
    {"op", 2, "its intermediate representation"},
    {"op_opt", 4, "the same after each pass"},
    {"out_asm", 8, "host code"},
    {"exec", 16, "code that is entered"},
    {"guest_errors", MLOG_GUEST_ERROR << 8, "what the guest does wrong"},
    {"unimp", MLOG_UNIMP << 8, "what the guest wants and is not modelled"},
    {"cpu_reset", MLOG_RESET << 8, "resets"},
    {"int", MLOG_INT << 8, "interrupts and exceptions"},
    {"mmio", MLOG_MMIO << 8, "accesses to devices"},
    {"timer", MLOG_TIMER << 8, "timers"},
    {NULL, 0, NULL},
};

static bool set_logs(Session *s, Error *err)
{
    const char *d = options_last(&s->options, OPT_D);
    uint32_t bits = 0;
    bool ok = !d || log_parse_kinds(d, session_log_kinds, &bits, err);
    if (d) {
        s->accel_config.log = bits & 0xff;
        s->accel_config.log_file = options_last(&s->options, OPT_LOGFILE);
        machine_log(s->machine)->on = bits >> 8;
    }
    return ok || session_prefix(err, "-d %s", d);
}

/* -semihosting-config enable=on,...: the rest is as it always is. */
static bool semihosting_asked(const Session *s)
{
    const char *text = options_last(&s->options, OPT_SEMIHOSTING_CONFIG);
    return text && !strstr(text, "enable=off");
}

static bool start_accel(Session *s, Error *err)
{
    AccelConfig *c = &s->accel_config;
    const char *list = options_last(&s->options, OPT_ACCEL);
    if (!list) {
        list = options_flag(&s->options, OPT_ENABLE_KVM) ? "kvm:tcg" : "tcg";
    }
    size_t n = strcspn(list, ",");
    c->options = list[n] ? list + n + 1 : NULL;
    c->one_insn = options_flag(&s->options, OPT_ONE_INSN);
    c->semihosting = options_flag(&s->options, OPT_SEMIHOSTING) || semihosting_asked(s);
    c->el2 = machine_option_on(&s->config, "virtualization");
    c->el3 = machine_option_on(&s->config, "secure");
    Error why = {0};
    for (const char *p = list; p < list + n;) {
        size_t len = strcspn(p, ":,");
        const char *name = session_text(s, "%.*s", (int)len, p);
        machine_lock(s->machine);
        s->accel = accel_new(s->machine, name, s->isa, c, &why);
        machine_unlock(s->machine);
        if (s->accel) {
            if (p != list) {
                fprintf(stderr, "%s: note: running with -accel %s\n", s->program, name);
            }
            return true;
        }
        p += len + (p[len] == ':');
        if (p < list + n) {
            fprintf(stderr, "%s: note: %s\n", s->program, why.text);
        }
    }
    return error_set(err, "-accel %.*s: %s", (int)n, list, why.text);
}

static bool add_cpu(void *opaque, uint64_t mpidr, bool off, Error *err)
{
    Session *s = opaque;
    return accel_add_cpu(s->accel, mpidr, off, err);
}

static void set_entry(void *opaque, unsigned cpu, uint64_t pc, uint64_t arg, bool kernel)
{
    Session *s = opaque;
    accel_set_entry(s->accel, cpu, pc, arg, kernel);
}

/* ---- the whole ---- */

static bool build_machine(Session *s, Error *err)
{
    MachineConfig *c = &s->config;
    c->add_cpu = add_cpu;
    c->set_entry = set_entry;
    c->opaque = s;
    machine_lock(s->machine);
    bool ok = s->desc->build(s->machine, c, &s->board, err) && session_add_firmware_files(s, err) &&
              session_add_devices(s, err) && session_add_drive_devices(s, err) &&
              session_add_nics(s, err) && session_add_objects(s, err) &&
              (!s->desc->finish || s->desc->finish(s->board, err));
    if (ok) {
        machine_reset(s->machine, CAUSE_NONE);
    }
    machine_unlock(s->machine);
    return ok;
}

/* -loadvm, before the first instruction. */
static bool load_state(Session *s, Error *err)
{
    const char *name = options_last(&s->options, OPT_LOADVM);
    return !name || session_load_state(s, name, err) || error_prepend(err, "-loadvm %s", name);
}

bool session_build(Session *s, Error *err)
{
    const char *name = options_last(&s->options, OPT_NAME);
    if (!choose_board(s, err) || !read_config(s, err)) {
        return false;
    }
    s->machine =
        machine_new(name ? session_text(s, "%.*s", (int)strcspn(name, ","), name) : "gemel", err);
    if (!s->machine) {
        return false;
    }
    s->machine->type = s->desc->name;
    return set_logs(s, err) && start_accel(s, err) && session_open_chardevs(s, err) &&
           session_open_drives(s, err) && session_open_networks(s, err) &&
           session_set_misc(s, err) && build_machine(s, err) && session_take_memory(s, err) &&
           session_add_monitors(s, err) && session_open_screens(s, err) && load_state(s, err);
}

static void print_line(void *opaque, const char *line)
{
    fprintf(opaque, "%s\n", line);
}

static void print_devices(Session *s)
{
    machine_lock(s->machine);
    for (Device *d = s->machine->devices; d; d = d->next) {
        printf("%s (%s)\n", d->id, d->cls->name);
        device_print(d, print_line, stdout);
    }
    machine_unlock(s->machine);
}

static gboolean signalled(gpointer machine)
{
    machine_request_shutdown(machine, CAUSE_HOST_SIGNAL);
    return G_SOURCE_CONTINUE;
}

/* SIGTERM and the like end the machine in order: disks are closed, the terminal is put back. */
static void watch_signals(Machine *m)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
    for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++) {
        GSource *source = g_unix_signal_source_new(signals[i]);
        g_source_set_callback(source, signalled, m, NULL);
        g_source_attach(source, m->loop);
        g_source_unref(source);
    }
}

int session_run(Session *s)
{
    if (machine_option(&s->config, "dumpdtb")) {
        return 0; /* the board has written it */
    }
    if (options_flag(&s->options, OPT_DRY_RUN)) {
        print_devices(s);
        return 0;
    }
    watch_signals(s->machine);
    if (!options_flag(&s->options, OPT_S_)) {
        machine_request_cont(s->machine);
    }
    return machine_run(s->machine);
}

void session_free(Session *s)
{
    if (s->machine) {
        session_close_screens(s);
        if (s->migration) {
            migration_free(s->migration);
        }
        machine_lock(s->machine);
        session_free_monitors(s);
        machine_unrealize_devices(s->machine);
        if (s->board && s->desc->free) {
            s->desc->free(s->board);
        }
        net_backends_free(s->machine);
        chardev_free_all(s->machine);
        machine_unlock(s->machine);
        session_close_drives(s);
        if (s->accel) {
            accel_free(s->accel);
        }
        machine_free(s->machine);
    }
    free(s->monitor);
    keyvals_free(&s->machine_keys);
    options_free(&s->options);
    while (s->n_texts) {
        free(s->texts[--s->n_texts]);
    }
}
