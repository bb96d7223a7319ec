/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two devices without registers that say what memory holds when the machine starts:
 *   loader        file=F[,addr=A][,force-raw=on][,cpu-num=N]: an ELF file's segments, and CPU N
 *                 starts at its entry; any other file as it is at A
 *                 addr=A,data=V,data-len=L[,data-be=on]: the L bytes of V
 *                 addr=A,cpu-num=N: CPU N starts at A
 *   guest-loader  addr=A,kernel=F[,bootargs=S] or addr=A,initrd=F: the file at A, and a node
 *                 /chosen/module@A by which a hypervisor finds its first guest (Xen,
 *                 docs/misc/arm/device-tree/booting.txt)
 *
 * Option names and meaning follow QEMU's documentation of the devices of these names. Not taken:
 * U-Boot's uImage and Intel HEX, which are told by their first bytes and refused.
 */
#include <stdlib.h>
#include <string.h>

#include "hw/loader.h"
#include "hw/machine.h"
#include "util/bits.h"

enum { MAX_DATA_BYTES = 8, UIMAGE_MAGIC = 0x27051956 };
#define NO_CPU UINT32_MAX

/* ---- loader ---- */

typedef struct LoaderDevice {
    Device dev; /* must be first */
    char *file;
    uint64_t addr, data;
    uint32_t data_bytes, cpu;
    bool big_endian, raw;
    uint64_t entry; /* where `cpu` starts */
} LoaderDevice;

static const PropDesc loader_props[] = {
    {.name = "file", .kind = PROP_STRING, PROP(LoaderDevice, file), .help = "what to load"},
    {.name = "addr", .kind = PROP_U64, PROP(LoaderDevice, addr), .help = "physical address"},
    {.name = "force-raw",
     .kind = PROP_BOOL,
     PROP(LoaderDevice, raw),
     .help = "the file's bytes at addr, whatever it is"},
    {.name = "data", .kind = PROP_U64, PROP(LoaderDevice, data), .help = "a number to store"},
    {.name = "data-len",
     .kind = PROP_U32,
     PROP(LoaderDevice, data_bytes),
     .help = "bytes of data, 1 to 8"},
    {.name = "data-be",
     .kind = PROP_BOOL,
     PROP(LoaderDevice, big_endian),
     .help = "store data in big-endian order"},
    {.name = "cpu-num",
     .kind = PROP_U32,
     PROP(LoaderDevice, cpu),
     .initial = "0xffffffff",
     .help = "the CPU that starts at the ELF file's entry, or at addr"},
    {0}};

/* What is loaded belongs to the machine's start: no reset would bring a later one in. */
static bool only_at_start(const Device *d, Error *err)
{
    return d->machine->state == RUN_PRELAUNCH ||
           error_set(err, "it can only be given on the command line");
}

static bool loader_realize(Device *d, Error *err)
{
    LoaderDevice *l = (LoaderDevice *)d;

    if (l->file && (l->data || l->data_bytes)) {
        return error_set(err, "file= and data= are two ways; use one");
    }
    if (l->data_bytes > MAX_DATA_BYTES) {
        return error_set(err, "data-len=%u: takes 1 to %d", l->data_bytes, MAX_DATA_BYTES);
    }
    if (l->data && !l->data_bytes) {
        return error_set(err, "data= needs data-len=, 1 to %d", MAX_DATA_BYTES);
    }
    if (!l->file && !l->data_bytes && l->cpu == NO_CPU) {
        return error_set(err, "needs file=, data= with data-len=, or cpu-num=");
    }
    return only_at_start(d, err);
}

const DeviceClass loader_class = {
    .name = "loader",
    .title = "a file or a number in memory when the machine starts",
    .category = "misc",
    .bytes = sizeof(LoaderDevice),
    .props = loader_props,
    .realize = loader_realize,
};

/* ---- guest-loader ---- */

typedef struct GuestLoader {
    Device dev; /* must be first */
    char *kernel, *initrd, *bootargs;
    uint64_t addr;
    uint64_t bytes; /* of the file */
} GuestLoader;

static const PropDesc guest_props[] = {{.name = "addr",
                                        .kind = PROP_U64,
                                        PROP(GuestLoader, addr),
                                        .help = "physical address",
                                        .required = true},
                                       {.name = "kernel",
                                        .kind = PROP_STRING,
                                        PROP(GuestLoader, kernel),
                                        .help = "the guest's kernel"},
                                       {.name = "initrd",
                                        .kind = PROP_STRING,
                                        PROP(GuestLoader, initrd),
                                        .help = "the guest's initial RAM disk"},
                                       {.name = "bootargs",
                                        .kind = PROP_STRING,
                                        PROP(GuestLoader, bootargs),
                                        .help = "the kernel's command line"},
                                       {0}};

static bool guest_realize(Device *d, Error *err)
{
    GuestLoader *g = (GuestLoader *)d;

    if (!g->kernel == !g->initrd) {
        return error_set(err, "takes one of kernel= and initrd=");
    }
    if (g->bootargs && !g->kernel) {
        return error_set(err, "bootargs= goes with kernel=");
    }
    return only_at_start(d, err);
}

const DeviceClass guest_loader_class = {
    .name = "guest-loader",
    .title = "kernel or initial RAM disk for a hypervisor's first guest",
    .category = "misc",
    .bytes = sizeof(GuestLoader),
    .props = guest_props,
    .realize = guest_realize,
};

static void describe(const GuestLoader *g, Fdt *f)
{
    fdt_node_unit(f, "/chosen", "module", g->addr);
    fdt_strings(f, "compatible",
                g->kernel ? "multiboot,kernel\0multiboot,module\0"
                          : "multiboot,ramdisk\0multiboot,module\0");
    fdt_cells64(f, "reg", (uint64_t[]){g->addr, g->bytes}, 2);
    if (g->bootargs) {
        fdt_string(f, "bootargs", g->bootargs);
    }
}

/* ---- what the board asks for ---- */

/* Is there memory at both ends? */
static bool in_memory(const Machine *m, const char *id, uint64_t gpa, uint64_t bytes, Error *err)
{
    uint8_t byte;

    if (bytes && gpa + bytes > gpa && mem_read(m->as, gpa, &byte, 1, MEM_ATTRS_DEBUG) == MEM_OK &&
        mem_read(m->as, gpa + bytes - 1, &byte, 1, MEM_ATTRS_DEBUG) == MEM_OK) {
        return true;
    }
    return error_set(err, "-device %s: no memory for 0x%llx bytes at 0x%llx", id,
                     (unsigned long long)bytes, (unsigned long long)gpa);
}

static bool add_raw(Loader *l, const Device *d, uint64_t addr, const LoaderFile *f, Error *err)
{
    return in_memory(d->machine, d->id, addr, f->bytes, err) &&
           loader_add(l, d->id, addr, f->data, f->bytes, err);
}

static bool refuse_foreign(const LoaderFile *f, Error *err)
{
    const char *what = f->bytes >= 4 && load_be32(f->data) == UIMAGE_MAGIC ? "uImage"
                       : f->bytes >= 3 && !memcmp(f->data, ":02", 3)       ? "Intel HEX"
                                                                           : NULL;

    return !what || error_set(err, "%s %s: %s is not taken apart; force-raw=on loads it as it is",
                              f->option, f->path, what);
}

static bool add_contents(Loader *l, LoaderDevice *d, const LoaderFile *f, Error *err)
{
    LoadedKernel elf = {0};

    if (!d->raw && loader_is_elf(f->data, f->bytes)) {
        bool ok = loader_add_elf(l, f, &elf, err) &&
                  in_memory(d->dev.machine, d->dev.id, elf.start, elf.end - elf.start, err);
        d->entry = elf.entry;
        return ok;
    }
    return (d->raw || refuse_foreign(f, err)) && add_raw(l, &d->dev, d->addr, f, err);
}

static bool add_number(Loader *l, const LoaderDevice *d, Error *err)
{
    uint8_t bytes[MAX_DATA_BYTES];

    for (unsigned i = 0; i < d->data_bytes; i++) {
        bytes[d->big_endian ? d->data_bytes - 1 - i : i] = (uint8_t)(d->data >> 8 * i);
    }
    return add_raw(l, &d->dev, d->addr, &(LoaderFile){.data = bytes, .bytes = d->data_bytes}, err);
}

static bool add_loader(Loader *l, LoaderDevice *d, const MachineConfig *config, Error *err)
{
    LoaderFile f = {"-device loader", d->file, NULL, 0, config->ram_bytes};
    uint8_t *data;

    if (d->cpu != NO_CPU && d->cpu >= config->n_cpus) {
        return error_set(err, "-device loader,cpu-num=%u: there are %u CPUs (-smp)", d->cpu,
                         config->n_cpus);
    }
    d->entry = d->addr;
    if (!d->file) {
        return !d->data_bytes || add_number(l, d, err);
    }
    if (!loader_read_file(f.option, f.path, SIZE_MAX, &data, &f.bytes, err)) {
        return false;
    }
    f.data = data;
    bool ok = add_contents(l, d, &f, err);
    free(data);
    return ok;
}

static bool add_guest(Loader *l, GuestLoader *g, const MachineConfig *config, Error *err)
{
    LoaderFile f = {.option = "-device guest-loader", .path = g->kernel ? g->kernel : g->initrd};
    uint8_t *data;

    if (!loader_read_file(f.option, f.path, config->ram_bytes, &data, &f.bytes, err)) {
        return false;
    }
    f.data = data;
    g->bytes = f.bytes;
    bool ok = add_raw(l, &g->dev, g->addr, &f, err);
    free(data);
    return ok;
}

bool loader_add_devices(Loader *l, const MachineConfig *config, Error *err)
{
    for (Device *d = loader_machine(l)->devices; d; d = d->next) {
        if ((d->cls == &loader_class && !add_loader(l, (LoaderDevice *)d, config, err)) ||
            (d->cls == &guest_loader_class && !add_guest(l, (GuestLoader *)d, config, err))) {
            return false;
        }
    }
    return true;
}

void loader_describe_devices(Machine *m, Fdt *f)
{
    bool any = false;

    for (Device *d = m->devices; d; d = d->next) {
        if (d->cls == &guest_loader_class) {
            if (!any) {
                fdt_node(f, "/chosen");
                fdt_u32(f, "#address-cells", 2);
                fdt_u32(f, "#size-cells", 2);
                any = true;
            }
            describe((GuestLoader *)d, f);
        }
    }
}

void loader_enter_devices(Machine *m, const MachineConfig *config)
{
    for (Device *d = m->devices; d && config->set_entry; d = d->next) {
        const LoaderDevice *l = (const LoaderDevice *)d;
        /* Data for a CPU's address space starts nothing. */
        if (d->cls == &loader_class && l->cpu != NO_CPU && !l->data_bytes) {
            config->set_entry(config->opaque, l->cpu, l->entry, 0, false);
        }
    }
}
