/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a machine has in its memory when it starts: kernels, initial RAM disks, device trees.
 *
 * A Loader keeps pieces and writes them into guest memory at every reset, since a guest may have
 * overwritten them. Machine lock held for all.
 */
#ifndef GEMEL_HW_LOADER_H
#define GEMEL_HW_LOADER_H

#include "core/device.h"
#include "core/fdt.h"
#include "core/machine.h"

struct MachineConfig;

typedef struct Loader Loader;

Loader *loader_new(Machine *m);
void    loader_free(Loader *l);
Machine *loader_machine(const Loader *l);
/* `name` (static) is for messages. The bytes are copied, `fill` zeros follow. false: overlaps a piece
 * that is there. */
bool    loader_add(Loader *l, const char *name, uint64_t gpa, const void *data, size_t bytes,
                   Error *err);
/* Puts everything into memory. */
void    loader_reset(Loader *l);

/* The contents of a file of at most max_bytes; free() it. `option` for messages: "-kernel". */
bool loader_read_file(const char *option, const char *path, size_t max_bytes, uint8_t **data,
                      size_t *bytes, Error *err);

/* An AArch64 kernel that was read: Linux Image (also gzip'd, also an EFI zboot of gzip) or ELF. */
typedef struct LoadedKernel {
    uint64_t entry;
    uint64_t start, end;   /* memory it takes, with what it clears */
    bool     linux_image;  /* wants a device tree in X0 */
    uint64_t initrd, initrd_bytes; /* 0 bytes: none */
    uint64_t dtb;          /* where the tree goes; room for 2 MiB */
} LoadedKernel;

typedef struct KernelRequest {
    const char *kernel, *initrd; /* paths; initrd may be NULL */
    uint64_t    ram_base, ram_bytes;
} KernelRequest;

/* Reads, unpacks and places kernel and initial RAM disk. */
bool loader_add_arm64_kernel(Loader *l, const KernelRequest *request, LoadedKernel *out, Error *err);

/* A file that was read: what messages call it, and how much memory it may take. */
typedef struct LoaderFile {
    const char    *option, *path;
    const uint8_t *data;
    size_t         bytes;
    uint64_t       max_bytes;
} LoaderFile;

/* Does it begin as ELF files do? Then loader_add_elf() adds its segments and sets entry, start, end. */
bool loader_is_elf(const uint8_t *data, size_t bytes);
bool loader_add_elf(Loader *l, const LoaderFile *file, LoadedKernel *out, Error *err);

/* The same file as firmware takes it by fw_cfg: as it is, only gzip undone. free() it. */
bool loader_read_kernel(const char *path, uint8_t **data, size_t *bytes, Error *err);

/* -device loader: a file or a few bytes into memory, or where a CPU starts. -device guest-loader: a
 * kernel or initial RAM disk that a hypervisor finds in the tree. A board asks for what they have in
 * its finish(), in this order:
 *   after its own pieces were added to `l` (or that fails: a file, an overlap, no RAM there), */
bool     loader_add_devices(Loader *l, const struct MachineConfig *config, Error *err);
/*   when the tree has its /chosen (nodes /chosen/module@ADDR; the current node is another then), */
void     loader_describe_devices(Machine *m, Fdt *f);
/*   and after it set its own entry points. */
void     loader_enter_devices(Machine *m, const struct MachineConfig *config);
extern const DeviceClass loader_class, guest_loader_class;

#endif
