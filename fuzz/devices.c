/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz-devices: does to every class of hw_devices[] what a hostile guest, host and saved state can
 * do.
 *
 *   fuzz/fuzz-devices [--seconds N] [--seed S] [--device NAME] [--episodes N] [--verbose]
 *
 * An episode is one seed: a new machine, one device with random properties, then some hundred
 * random acts: accesses in and around the register tables, set-up sequences that bring drivers'
 * devices to life (recipes below), RAM full of plausible and hostile descriptors, pins, time,
 * packets, bytes, completed disk requests, saves, loads of mutated states, resets, and removal in
 * the middle. Prints TAP; without options it runs 5 s, 120 s with GEMEL_LONG set (./check --long).
 * It finds crashes, assertions, endless loops and what sanitizers see (build with
 * --enable-sanitizers); the seed of the episode is printed when one of them strikes, and
 * `--seed S --episodes 1 --device NAME` does it again.
 */
#include <getopt.h>
#include <glib.h>
#include <inttypes.h>
#include <linux/pci_regs.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/state.h"
#include "fuzz/drivers.h"
#include "fuzz/shapes.h"
#include "hw/devices.h"
#include "util/bits.h"

enum { ACTS = 400, EPISODE_TIMEOUT_S = 60, MAX_TIMERS = 2000 };

static struct {
    char line[160];
    unsigned length;
} current; /* what the crash handler prints */

/* ---- accesses ---- */

static uint64_t random_offset(Rig *r, const RigWindow *w)
{
    const RegDesc *regs = w->bank ? w->bank->regs : NULL;
    unsigned n = 0;

    if (regs && !rng_one_in(&r->rng, 4)) {
        const RegDesc *reg;

        while (regs[n].name) {
            n++;
        }
        reg = &regs[rng_below(&r->rng, n)];
        return reg->offset + rng_below(&r->rng, MAX(reg->count, 1)) *
                                 (reg->stride ? reg->stride : MAX(reg->bytes, 4));
    }
    switch (rng_below(&r->rng, 4)) {
    case 0: return rng_below(&r->rng, w->bytes);
    case 1: return rng_below(&r->rng, MIN(w->bytes, 0x40)) & ~3u;
    default: return rng_below(&r->rng, MIN(w->bytes, 0x2000)) & ~3u;
    }
}

static void act_access(Rig *r)
{
    const MemAttrs attrs = {.cpu = (uint8_t)(1 + rng_below(&r->rng, RIG_CPUS)),
                            .secure = rng_one_in(&r->rng, 4)};
    const RigWindow *w;
    uint64_t gpa, v = shape_value(r);
    unsigned bytes = rng_one_in(&r->rng, 4) ? 1u << rng_below(&r->rng, 4) : 4;

    if (!r->n_windows) {
        return;
    }
    w = &r->windows[rng_below(&r->rng, r->n_windows)];
    gpa = w->gpa + random_offset(r, w);
    if (rng_one_in(&r->rng, 3)) {
        mem_read(r->m->as, gpa, &v, bytes, attrs);
    } else {
        mem_write(r->m->as, gpa, &v, bytes, attrs);
    }
}

static void act_config(Rig *r)
{
    unsigned offset = (unsigned)rng_below(&r->rng, rng_one_in(&r->rng, 4) ? 4096 : 256);
    unsigned bytes = 1u << rng_below(&r->rng, 3);

    if (!r->pci || !r->pci->bus) {
        act_access(r);
        return;
    }
    offset &= ~(bytes - 1);
    if (rng_one_in(&r->rng, 3)) {
        pci_device_config_read(r->pci, offset, bytes);
    } else {
        pci_device_config_write(r->pci, offset, bytes, (uint32_t)shape_value(r));
    }
    if (rng_one_in(&r->rng, 4)) {
        rig_find_windows(r);
    }
}

static void act_start(Rig *r)
{
    if (!driver_start(r)) {
        act_access(r);
    }
}

/* ---- the rest of the world ---- */

static void act_pin(Rig *r)
{
    const PinDesc *pins = r->device->cls->pins;
    unsigned n = 0;

    while (pins && pins[n].name) {
        n++;
    }
    if (n) {
        const PinDesc *p = &pins[rng_below(&r->rng, n)];

        if (!p->out) {
            PinIn in =
                device_pin_in(r->device, p->name, (unsigned)rng_below(&r->rng, MAX(p->count, 1)));
            in.set(in.opaque, in.n, rng_one_in(&r->rng, 2));
        }
    }
}

static void act_time(Rig *r)
{
    int64_t ns = (int64_t)(rng_next(&r->rng) >> (1 + 24 + rng_below(&r->rng, 39)));

    machine_unlock(r->m);
    clock_advance(r->m, ns, MAX_TIMERS);
    machine_iterate(r->m, false);
    machine_lock(r->m);
}

/* A system register of the interrupt controller's CPU interface. */
static void act_sysreg(Rig *r)
{
    CpuPort *p = &r->cpus[rng_below(&r->rng, RIG_CPUS)];
    CpuAccess a = {.cpu = p,
                   .level = (uint8_t)rng_below(&r->rng, 4),
                   .secure = rng_one_in(&r->rng, 4),
                   .route = shape_value(r),
                   .route2 = shape_value(r)};

    for (CpuSysRegBank *b = p->banks; b; b = b->next) {
        const CpuSysReg *reg = &b->regs[rng_below(&r->rng, b->n_regs)];
        uint64_t v = shape_value(r);

        machine_unlock(r->m);
        if (rng_one_in(&r->rng, 2)) {
            if (reg->read && a.level >= reg->min_level_read) { /* as the target checks */
                reg->read(b->opaque, reg, &a, &v);
            }
        } else if (reg->write && a.level >= reg->min_level_write) {
            reg->write(b->opaque, reg, &a, v);
        }
        machine_lock(r->m);
    }
}

/* How many changes it made. */
static unsigned mutate(Rig *r, GByteArray *b)
{
    unsigned n = (unsigned)rng_below(&r->rng, 4);

    for (unsigned i = 0; b->len && i < n; i++) {
        guint at = (guint)rng_below(&r->rng, b->len);

        switch (rng_below(&r->rng, 4)) {
        case 0: b->data[at] ^= (uint8_t)(1u << rng_below(&r->rng, 8)); break;
        case 1: b->data[at] = (uint8_t)shape_value(r); break;
        case 2: memset(b->data + at, 0xff, MIN(8, b->len - at)); break;
        default: g_byte_array_set_size(b, at); break;
        }
    }
    return b->len ? n : 1;
}

static void act_state(Rig *r)
{
    GByteArray *b = g_byte_array_new();
    StateStream out = state_to_memory(b);
    StateMemory from;
    StateStream in;
    Device *d = rng_one_in(&r->rng, 2) ? r->device : r->host;
    Error err = {""};
    bool intact;

    if (!state_save_device(d, &out)) {
        g_error("a device cannot be saved");
    }
    intact = mutate(r, b) == 0;
    from = (StateMemory){b->data, b->len, 0};
    in = state_from_memory(&from);
    if (!state_load_device(d, &in, &err) && intact) {
        g_error("what was saved is refused: %s", err.text); /* whatever the guest did to it */
    }
    g_byte_array_unref(b);
}

static void act_disk(Rig *r)
{
    r->disk->fail = rng_one_in(&r->rng, 8) ? EIO : 0;
    ram_disk_run(r->disk);
}

static void act_outside(Rig *r)
{
    switch (rng_below(&r->rng, 5)) {
    case 0: rig_send_frame(r); break;
    case 1: rig_send_bytes(r); break;
    case 2: net_set_link(&r->net, rng_one_in(&r->rng, 2)); break;
    case 3: rig_send_input(r); break;
    default: act_disk(r); break;
    }
}

static void discard_line(void *opaque, const char *line)
{
    (void)opaque;
    (void)line;
}

static void act_rare(Rig *r)
{
    switch (rng_below(&r->rng, 4)) {
    case 0: machine_reset(r->m, CAUSE_GUEST_RESET); break;
    case 1: device_print(r->device, discard_line, NULL); break;
    default: act_state(r); break;
    }
    rig_find_windows(r);
}

typedef struct Act {
    unsigned weight;
    void (*fn)(Rig *r);
} Act;

static const Act acts[] = {
    {50, act_access}, {6, act_config}, {8, shape_memory}, {4, shape_scribble}, {6, act_start},
    {3, act_pin},     {6, act_time},   {8, act_outside},  {6, act_sysreg},     {3, act_rare}};

static void act(Rig *r)
{
    unsigned total = 0, pick;
    size_t i = 0;

    for (size_t k = 0; k < G_N_ELEMENTS(acts); k++) {
        total += acts[k].weight;
    }
    pick = (unsigned)rng_below(&r->rng, total);
    while (pick >= acts[i].weight) {
        pick -= acts[i++].weight;
    }
    acts[i].fn(r);
}

/* ---- episodes ---- */

static bool episode(const DeviceClass *cls, uint64_t seed)
{
    Rig *r = g_new(Rig, 1);
    unsigned n;
    bool plugged;

    current.length = (unsigned)snprintf(
        current.line, sizeof current.line,
        "fuzz-devices: --device %s --seed %" PRIu64 " --episodes 1\n", cls->name, seed);
    alarm(EPISODE_TIMEOUT_S);
    rig_open(r, seed);
    plugged = rig_plug(r, cls);
    n = (unsigned)rng_below(&r->rng, ACTS);
    for (unsigned i = 0; plugged && i < n; i++) {
        act(r);
    }
    rig_close(r);
    alarm(0);
    g_free(r);
    return plugged;
}

static void struck(int sig)
{
    static const char hang[] = "fuzz-devices: hangs\n";

    if (sig == SIGALRM && write(STDERR_FILENO, hang, sizeof hang - 1) < 0) {
        _exit(1);
    }
    if (write(STDERR_FILENO, current.line, current.length) < 0) {
        _exit(1);
    }
    signal(SIGABRT, SIG_DFL);
    abort();
}

/* Read by the sanitizers' run time. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "abort_on_error=1:handle_abort=0:handle_segv=2:allocator_may_return_null=1";
}

const char *__ubsan_default_options(void);
const char *__ubsan_default_options(void)
{
    return "abort_on_error=1:print_stacktrace=1";
}

typedef struct Options {
    double seconds;
    uint64_t seed, episodes;
    const char *device;
    bool verbose;
} Options;

static int usage(const char *argv0)
{
    fprintf(stderr,
            "usage: %s [--seconds N] [--seed S] [--device NAME] [--episodes N] [--verbose]\n",
            argv0);
    return 2;
}

static bool parse_options(int argc, char **argv, Options *o)
{
    static const struct option table[] = {{"seconds", required_argument, NULL, 's'},
                                          {"seed", required_argument, NULL, 'S'},
                                          {"device", required_argument, NULL, 'd'},
                                          {"episodes", required_argument, NULL, 'n'},
                                          {"verbose", no_argument, NULL, 'v'},
                                          {"tap", no_argument, NULL, 't'},
                                          {NULL, 0, NULL, 0}};
    int c;

    while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
        switch (c) {
        case 's': o->seconds = atof(optarg); break;
        case 'S': o->seed = strtoull(optarg, NULL, 0); break;
        case 'd': o->device = optarg; break;
        case 'n': o->episodes = strtoull(optarg, NULL, 0); break;
        case 'v': o->verbose = true; break;
        case 't': break; /* run-tests says so to every program; TAP is all it speaks */
        default: return false;
        }
    }
    return optind == argc;
}

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

int main(int argc, char **argv)
{
    Options o = {.seconds = getenv("GEMEL_LONG") ? 120 : 5,
                 .seed = (uint64_t)time(NULL),
                 .episodes = UINT64_MAX};
    double end;
    uint64_t n = 0, refused = 0;
    unsigned classes = 0;

    if (!parse_options(argc, argv, &o)) {
        return usage(argv[0]);
    }
    if (o.device && !hw_device_find(o.device)) {
        fprintf(stderr, "fuzz-devices: no class '%s'\n", o.device);
        return 2;
    }
    while (hw_devices[classes]) {
        classes++;
    }
    signal(SIGABRT, struck);
    signal(SIGSEGV, struck);
    signal(SIGALRM, struck);
    printf("1..1\n# seed %" PRIu64 "\n", o.seed);
    end = now_s() + o.seconds;
    for (; n < o.episodes && (o.episodes != UINT64_MAX || now_s() < end); n++) {
        const DeviceClass *cls = o.device ? hw_device_find(o.device) : hw_devices[n % classes];

        if (o.verbose) {
            fprintf(stderr, "%s %" PRIu64 "\n", cls->name, o.seed + n);
        }
        refused += !episode(cls, o.seed + n);
    }
    printf("ok 1 - %" PRIu64 " episodes, %" PRIu64 " devices that refused to be made\n", n,
           refused);
    return 0;
}
