/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `info` shows. */
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "core/chardev.h"
#include "core/display.h"
#include "core/input.h"
#include "core/net.h"
#include "monitor/private.h"

static void print_line(void *opaque, const char *line)
{
    call_printf(opaque, "%s", line);
}

static void info_version(Call *k)
{
    call_printf(k, "gemel " GEMEL_VERSION);
}

static void info_status(Call *k)
{
    static const char *const states[] = {
        [RUN_PRELAUNCH] = "paused (prelaunch)",
        [RUN_RUNNING] = "running",
        [RUN_PAUSED] = "paused",
        [RUN_SAVING] = "paused (save-vm)",
        [RUN_RESTORING] = "paused (restore-vm)",
        [RUN_SHUTDOWN] = "paused (shutdown)",
        [RUN_ERROR] = "paused (internal-error)",
    };
    call_printf(k, "VM status: %s", states[k->c->machine->state]);
}

static void info_name(Call *k)
{
    call_printf(k, "%s", k->c->machine->name);
}

static void info_uuid(Call *k)
{
    call_printf(k, "%s", k->c->uuid ? k->c->uuid : "00000000-0000-0000-0000-000000000000");
}

static void info_cpus(Call *k)
{
    const Machine *m = k->c->machine;
    for (unsigned i = 0; i < m->n_cpus; i++) {
        bool on = atomic_load(&m->cpus[i]->power) == CPU_ON;
        call_printf(k, "%c CPU #%u: affinity %#llx%s", i == k->cpu ? '*' : ' ', i,
                    (unsigned long long)m->cpus[i]->mpidr, on ? "" : " (off)");
    }
}

/* On the vCPU's thread: it stands still meanwhile. */
static void print_registers(CpuPort *p, void *arg)
{
    Call *k = arg;
    k->c->accel->ops->print_regs(accel_vcpu(k->c->accel, p->index), print_line, k);
}

static void info_registers(Call *k)
{
    Machine *m = k->c->machine;
    bool all = k->argc > 1 && !strcmp(k->argv[1], "-a");
    for (unsigned i = 0; k->c->accel && i < m->n_cpus; i++) {
        if (all || i == k->cpu) {
            call_printf(k, "CPU#%u", i);
            machine_unlock(m);
            m->cpus[i]->run_on(m->cpus[i], print_registers, k);
            machine_lock(m);
        }
    }
}

static void info_mtree(Call *k)
{
    mem_print(k->c->machine, k->argc > 1 && !strcmp(k->argv[1], "-f"), print_line, k);
}

static void info_qtree(Call *k)
{
    for (Device *d = k->c->machine->devices; d; d = d->next) {
        call_printf(k, "dev: %s, id \"%s\"", d->cls->name, d->id);
        device_print(d, print_line, k);
    }
}

static void print_chardev(Chardev *c, void *opaque)
{
    call_printf(opaque, "%s: filename=%s%s", c->id, c->label ? c->label : "",
                c->open ? "" : ",disconnected");
}

static void info_chardev(Call *k)
{
    chardev_each(k->c->machine, print_chardev, k);
}

static void print_port(NetPort *p, void *opaque)
{
    call_printf(opaque, "%s: %s%s%s%s", p->id, p->info, p->peer ? " <-> " : " (no peer)",
                p->peer ? p->peer->id : "", p->link_down ? ", link down" : "");
}

static void info_network(Call *k)
{
    net_each(k->c->machine, print_port, k);
}

static void print_block(const char *id, struct BlockDev *dev, Device *user, void *opaque)
{
    (void)dev;
    call_printf(opaque, "%s: attached to %s", id, user ? user->id : "nothing");
}

static void info_block(Call *k)
{
    if (k->c->list_blocks) {
        k->c->list_blocks(k->c->opaque, print_line, k);
    } else {
        machine_block_each(k->c->machine, print_block, k);
    }
}

static void list_or(Call *k, void (*list)(void *, MonitorPrint *, void *), const char *none)
{
    if (list) {
        list(k->c->opaque, print_line, k);
    } else {
        call_printf(k, "%s", none);
    }
}

static void info_pci(Call *k)
{
    list_or(k, k->c->list_pci, "no PCI bus");
}

static void info_snapshots(Call *k)
{
    list_or(k, k->c->list_snapshots, "no disk that could hold a state");
}

static void info_usernet(Call *k)
{
    list_or(k, k->c->list_usernet, "no user network");
}

static void info_vnc(Call *k)
{
    list_or(k, k->c->list_vnc, "Server: disabled");
}

static void info_jit(Call *k)
{
    if (k->c->accel) {
        accel_report(k->c->accel, print_line, k);
    }
}

static void info_kvm(Call *k)
{
    call_printf(k, "kvm support: disabled");
}

static void info_mice(Call *k)
{
    call_printf(k, "pointer: %s", input_is_absolute(k->c->machine) ? "absolute" : "relative");
}

static void info_displays(Call *k)
{
    for (unsigned i = 0;; i++) {
        Console *c = console_by_index(k->c->machine, i);
        if (!c) {
            return;
        }
        const Surface *s = console_surface(c);
        call_printf(k, "%u: %s, %ux%u", i, console_name(c), s ? s->width : 0, s ? s->height : 0);
    }
}

static void info_balloon(Call *k)
{
    uint64_t bytes;
    if (k->c->get_balloon && k->c->get_balloon(k->c->opaque, &bytes)) {
        call_printf(k, "balloon: actual=%llu", (unsigned long long)(bytes >> 20));
    } else {
        call_printf(k, "no balloon (-device virtio-balloon-pci)");
    }
}

static void info_help(Call *k)
{
    for (const Command *c = monitor_infos; c->name; c++) {
        char left[48];
        snprintf(left, sizeof left, "info %s %s", c->name, c->args);
        call_printf(k, "%-30s -- %s", left, c->help);
    }
}

const Command monitor_infos[] = {
    {"help", NULL, "", "this list", info_help},
    {"version", NULL, "", "version", info_version},
    {"status", NULL, "", "does it run?", info_status},
    {"name", NULL, "", "the machine's name", info_name},
    {"uuid", NULL, "", "the machine's UUID", info_uuid},
    {"cpus", NULL, "", "CPUs", info_cpus},
    {"registers", NULL, "[-a]", "a CPU's registers", info_registers},
    {"mtree", NULL, "[-f]", "memory regions; -f: as the CPUs see them", info_mtree},
    {"qtree", NULL, "", "devices, properties, registers", info_qtree},
    {"block", NULL, "", "disks", info_block},
    {"network", NULL, "", "network ports", info_network},
    {"usernet", NULL, "", "connections of user networks", info_usernet},
    {"chardev", NULL, "", "byte streams", info_chardev},
    {"pci", NULL, "", "PCI devices", info_pci},
    {"snapshots", NULL, "", "saved states", info_snapshots},
    {"displays", NULL, "", "screens", info_displays},
    {"vnc", NULL, "", "the VNC server", info_vnc},
    {"mice", NULL, "", "pointers", info_mice},
    {"balloon", NULL, "", "the guest's memory by its balloon", info_balloon},
    {"jit", NULL, "", "what was translated", info_jit},
    {"kvm", NULL, "", "hardware acceleration", info_kvm},
    {NULL, NULL, NULL, NULL, NULL},
};
