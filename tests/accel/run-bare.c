/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * run-bare [-smp N] [-cpu MODEL] [-accel OPTIONS] [-stats] PROGRAM.elf
 *
 * Runs a bare-metal AArch64 program (tests/bare/) on the least machine there can be: CPUs, RAM at
 * 0x40000000, a console at 0x09000000 that is a PL011 as far as writing a byte goes. For tests and
 * benchmarks of the translator without a board.
 */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accel/accel.h"
#include "core/machine.h"

enum { RAM_BASE = 0x40000000, RAM_BYTES = 256 << 20, UART = 0x09000000 };

static MemResult uart_read(void *opaque, uint64_t offset, unsigned bytes, uint64_t *value,
                           MemAttrs at)
{
    (void)opaque;
    (void)bytes;
    (void)at;
    *value = offset == 0x18 ? 0x90 : 0; /* UARTFR: both FIFOs empty */
    return MEM_OK;
}

static MemResult uart_write(void *opaque, uint64_t offset, unsigned bytes, uint64_t value,
                            MemAttrs at)
{
    (void)opaque;
    (void)bytes;
    (void)at;
    if (!offset) {
        putchar((int)(value & 0xff));
    }
    return MEM_OK;
}

static const MemIo uart_io = {.read = uart_read, .write = uart_write};

static void die(const char *what)
{
    fprintf(stderr, "run-bare: %s\n", what);
    exit(1);
}

static void load_segment(Machine *m, FILE *f, const Elf64_Phdr *p)
{
    uint8_t *data = calloc(1, p->p_memsz);
    if (!data || fseek(f, (long)p->p_offset, SEEK_SET) ||
        fread(data, 1, p->p_filesz, f) != p->p_filesz ||
        mem_write(m->as, p->p_paddr, data, p->p_memsz, MEM_ATTRS_DEBUG) != MEM_OK) {
        die("cannot load the program");
    }
    free(data);
}

/* The entry point. */
static uint64_t load_elf(Machine *m, const char *path)
{
    FILE *f = fopen(path, "rb");
    Elf64_Ehdr h;
    if (!f || fread(&h, sizeof h, 1, f) != 1 || memcmp(h.e_ident, ELFMAG, SELFMAG) ||
        h.e_machine != EM_AARCH64) {
        die("no AArch64 ELF file");
    }
    for (unsigned i = 0; i < h.e_phnum; i++) {
        Elf64_Phdr p;
        if (fseek(f, (long)(h.e_phoff + i * h.e_phentsize), SEEK_SET) ||
            fread(&p, sizeof p, 1, f) != 1) {
            die("cannot read the program's headers");
        }
        if (p.p_type == PT_LOAD && p.p_memsz) {
            load_segment(m, f, &p);
        }
    }
    fclose(f);
    return h.e_entry;
}

static void print_line(void *opaque, const char *line)
{
    fprintf(opaque, "%s\n", line);
}

int main(int argc, char **argv)
{
    AccelConfig config = {.cpu_model = "max"};
    unsigned n_cpus = 1;
    bool stats = false;
    int i = 1;
    for (; i < argc && argv[i][0] == '-'; i++) {
        if (!strcmp(argv[i], "-stats")) {
            stats = true;
        } else if (i + 1 == argc) {
            die("an option without a value");
        } else if (!strcmp(argv[i], "-smp")) {
            n_cpus = (unsigned)atoi(argv[++i]);
        } else if (!strcmp(argv[i], "-cpu")) {
            config.cpu_model = argv[++i];
        } else if (!strcmp(argv[i], "-accel")) {
            config.options = argv[++i];
        } else if (!strcmp(argv[i], "-d")) {
            config.log = (uint32_t)strtoul(argv[++i], NULL, 0);
        } else {
            die("no such option");
        }
    }
    if (i + 1 != argc) {
        die("usage: run-bare [-smp N] [-cpu MODEL] [-accel OPTIONS] [-stats] PROGRAM.elf");
    }
    Error err = {""};
    MemRegion ram, uart;
    Machine *m = machine_new("bare", &err);
    machine_lock(m);
    if (!mem_region_init_ram(&ram, m, "ram", RAM_BYTES, &err)) {
        die(err.text);
    }
    mem_region_init_io(&uart, "uart", 0x1000, &uart_io, NULL);
    mem_begin(m);
    mem_add(&m->system, RAM_BASE, &ram, 0);
    mem_add(&m->system, UART, &uart, 0);
    mem_commit(m);
    Accel *a = accel_new(m, "tcg", "aarch64", &config, &err);
    for (unsigned n = 0; a && n < n_cpus; n++) {
        if (!accel_add_cpu(a, n, n != 0, &err)) {
            die(err.text);
        }
    }
    if (!a) {
        die(err.text);
    }
    accel_set_entry(a, 0, load_elf(m, argv[i]), 0, true);
    machine_reset(m, CAUSE_NONE);
    machine_unlock(m);
    machine_request_cont(m);
    int status = machine_run(m);
    fflush(stdout);
    if (stats) {
        accel_report(a, print_line, stderr);
    }
    accel_free(a);
    machine_lock(m);
    mem_region_destroy(m, &uart);
    mem_region_destroy(m, &ram);
    machine_unlock(m);
    machine_free(m);
    return status;
}
