/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The empty board: RAM at 0 and CPUs, nothing else. For tools that drive a machine from outside
 * (monitor, debugger, tests).
 */
#include <stdlib.h>

#include "hw/loader.h"
#include "hw/machine/boards.h"

struct Board {
    Machine *machine;
    const MachineConfig *config;
    MemRegion ram;
    Loader *loader;
    MachineNotify notify;
};

static void on_reset(MachineNotify *n, ShutdownCause cause)
{
    (void)cause;
    loader_reset(((Board *)n->opaque)->loader);
}

static void none_free(Board *b)
{
    if (b->ram.ram) {
        mem_region_destroy(b->machine, &b->ram);
    }
    machine_notify_remove(b->machine, &b->notify);
    loader_free(b->loader);
    free(b);
}

static bool none_build(Machine *m, const MachineConfig *config, Board **board, Error *err)
{
    Board *b = calloc(1, sizeof *b);

    if (!b) {
        return error_set_errno(err, "machine none");
    }
    b->machine = m;
    b->config = config;
    b->loader = loader_new(m);
    b->notify = (MachineNotify){.reset = on_reset, .opaque = b};
    machine_notify_add(m, &b->notify);
    if (config->ram_bytes) {
        if (!mem_region_init_ram(&b->ram, m, "ram", config->ram_bytes, err)) {
            none_free(b);
            return false;
        }
        mem_begin(m);
        mem_add(&m->system, 0, &b->ram, 0);
        mem_commit(m);
    }
    for (unsigned i = 0; i < config->n_cpus; i++) {
        if (!config->add_cpu(config->opaque, i, i > 0, err)) {
            none_free(b);
            return false;
        }
    }
    *board = b;
    return true;
}

static bool none_finish(Board *b, Error *err)
{
    if (!loader_add_devices(b->loader, b->config, err)) {
        return false;
    }
    loader_enter_devices(b->machine, b->config);
    return true;
}

const MachineDesc none_machine = {
    .name = "none",
    .title = "empty machine",
    .default_cpu = "max",
    .max_cpus = MACHINE_MAX_CPUS,
    .build = none_build,
    .finish = none_finish,
    .free = none_free,
};
