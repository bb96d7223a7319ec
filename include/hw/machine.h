/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Boards: what `-M NAME` means. A board is one constant MachineDesc in hw_machines[]; it places
 * devices into an empty Machine and, when everything that -device added is there too, writes the
 * descriptions (device tree, ACPI, SMBIOS) and loads what the CPUs start with.
 *
 * The composer (emu/) goes through it like this, machine lock held from 3 on:
 *   1  desc = machine_desc_find("virt"), values = options of -M by machine_option_set()
 *   2  accel_new() with el2 and el3 as machine_option_on(desc, config, "virtualization" | "secure")
 *   3  desc->build(m, config, &board, err): RAM, CPUs (through config->add_cpu), devices, buses
 *   4  -device and friends: device_new(), device_set(), device_realize()
 *   5  desc->finish(board, err): tree and tables, kernel, entry points. When the option "dumpdtb"
 *      has a value, the tree was written to that file and the program should end with success.
 *   6  machine_reset(), machine_run()
 *   7  machine_unrealize_devices(), then desc->free(board), then machine_free()
 */
#ifndef GEMEL_HW_MACHINE_H
#define GEMEL_HW_MACHINE_H

#include "core/machine.h"

typedef struct BlockDev BlockDev;
typedef struct Chardev Chardev;
typedef struct Board Board; /* the board's own */

enum { BOARD_MAX_SERIALS = 4, BOARD_MAX_FLASH = 2, MACHINE_MAX_OPTIONS = 24 };

/* What an option takes; the text is checked by machine_option_set(). */
typedef enum MachineOptionKind {
    MACHINE_OPTION_BOOL, /* on|off|yes|no|true|false */
    MACHINE_OPTION_ENUM, /* one of `choices` */
    MACHINE_OPTION_TEXT  /* a file name, ... */
} MachineOptionKind;

typedef struct MachineOption {
    const char *name;    /* NULL ends the table; "gic-version" */
    uint8_t     kind;    /* MachineOptionKind */
    const char *initial; /* as typed; NULL: none */
    const char *choices; /* ENUM: "2|3|max" */
    const char *help;    /* one line for -M NAME,help */
} MachineOption;

/* How guests call the machine's power functions (Arm PSCI). */
typedef enum PsciConduit { PSCI_NONE, PSCI_HVC, PSCI_SMC } PsciConduit;

/* What the user asked for. Everything is the composer's and stays until desc->free(). */
typedef struct MachineConfig {
    const struct MachineDesc *desc;
    const char *options[MACHINE_MAX_OPTIONS]; /* value of desc->options[i] as text; NULL: initial */
    uint64_t    ram_bytes;     /* -m; a multiple of 1 MiB */
    unsigned    n_cpus;        /* -smp, 1 .. desc->max_cpus */
    const char *cpu_model;     /* -cpu without features: "cortex-a72" */
    const char *kernel, *initrd, *append, *dtb; /* paths, and the command line; NULL: none */
    const char *bios;          /* -bios: path of an image for the first flash; NULL: none */
    BlockDev   *flash[BOARD_MAX_FLASH];   /* -drive if=pflash,unit=N; NULL: none */
    Chardev    *serial[BOARD_MAX_SERIALS]; /* NULL: nobody listens */
    uint8_t     uuid[16];      /* -uuid, RFC 4122 byte order; zero: none */
    const char *boot;          /* -boot as typed: "order=...,menu=on,strict=on"; NULL: none */
    bool        no_acpi;       /* -no-acpi */
    /* Adds CPU number m->n_cpus. off: waits for PSCI CPU_ON. */
    bool      (*add_cpu)(void *opaque, uint64_t mpidr, bool off, Error *err);
    /* Where CPU i starts after reset, with arg in its first register; kernel: as Linux wants to be
     * entered (highest Non-secure level), else as after reset. May be NULL (tests). */
    void      (*set_entry)(void *opaque, unsigned cpu, uint64_t pc, uint64_t arg, bool kernel);
    /* Who answers PSCI calls. May be NULL. */
    void      (*set_psci)(void *opaque, PsciConduit conduit);
    void       *opaque;
} MachineConfig;

typedef struct MachineDesc {
    const char *name;
    const char *aliases;      /* "virt-7.2\0virt-8.0\0": ended by an empty one; NULL: none */
    const char *title;        /* one line for -M help */
    const char *isa;          /* "aarch64", as accel_new() takes it */
    const char *default_cpu;
    uint64_t    default_ram_bytes;
    unsigned    max_cpus;
    const char *default_nic;  /* class for -nic, -net nic without model */
    const char *default_disk; /* class for -drive if=virtio or without if */
    const MachineOption *options;
    bool      (*build)(Machine *m, const MachineConfig *config, Board **board, Error *err);
    bool      (*finish)(Board *board, Error *err);
    void      (*free)(Board *board); /* may be NULL */
} MachineDesc;

/* All boards, ended by NULL. */
extern const MachineDesc *const hw_machines[];

/* By name or alias; NULL and an Error with the nearest name. isa: only boards of it; NULL: any. */
const MachineDesc *machine_desc_find(const char *name, const char *isa, Error *err);

/* Checks and keeps `value` (not copied) as option `name` of config->desc; false names the nearest
 * option or the choices. */
bool machine_option_set(MachineConfig *config, const char *name, const char *value, Error *err);
/* The value as typed, or the initial one; NULL: none, or no such option. */
const char *machine_option(const MachineConfig *config, const char *name);
bool machine_option_on(const MachineConfig *config, const char *name);

#endif
