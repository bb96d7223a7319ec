/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bare-run: the `virt` board with a kernel or bare ELF, serial on stdout, semihosting on stderr.
 * Small, so that a failing test is easy to look at; the real program is gemel-system-aarch64.
 *
 * usage: bare-run [-c CPU] [-M option=value]... [-s CPUS] [-m MIB] [-a APPEND] [-i INITRD] [-A
 * ACCEL]
 *                 [-b FIRMWARE] [-l LOGBITS] [KERNEL]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "accel/accel.h"
#include "core/chardev.h"
#include "hw/machine.h"

typedef struct Run {
    Machine *m;
    Accel *accel;
    MachineConfig config;
    AccelConfig cpu;
    Chardev out;
} Run;

static size_t out_write(Chardev *c, const uint8_t *buf, size_t bytes)
{
    (void)c;
    size_t n = fwrite(buf, 1, bytes, stdout);
    fflush(stdout);
    return n;
}

static const ChardevOps out_ops = {.write = out_write};

static bool add_cpu(void *opaque, uint64_t mpidr, bool off, Error *err)
{
    return accel_add_cpu(((Run *)opaque)->accel, mpidr, off, err);
}

static void set_entry(void *opaque, unsigned cpu, uint64_t pc, uint64_t arg, bool kernel)
{
    accel_set_entry(((Run *)opaque)->accel, cpu, pc, arg, kernel);
}

static void print_line(void *opaque, const char *line)
{
    (void)opaque;
    fprintf(stderr, "%s\n", line);
}

static void die(const Error *err)
{
    error_report(err, "bare-run", stderr);
    exit(2);
}

static bool set_option(Run *r, char *word, Error *err)
{
    char *eq = strchr(word, '=');
    if (!eq) {
        return error_set(err, "-M %s: name=value is wanted", word);
    }
    *eq = '\0';
    return machine_option_set(&r->config, word, eq + 1, err);
}

static void parse(Run *r, int argc, char **argv)
{
    Error err = {0};
    for (int c; (c = getopt(argc, argv, "c:M:s:m:a:i:A:b:l:")) != -1;) {
        switch (c) {
        case 'c': r->cpu.cpu_model = optarg; break;
        case 'M':
            if (!set_option(r, optarg, &err)) {
                die(&err);
            }
            break;
        case 's': r->config.n_cpus = (unsigned)atoi(optarg); break;
        case 'm': r->config.ram_bytes = (uint64_t)atoi(optarg) << 20; break;
        case 'a': r->config.append = optarg; break;
        case 'i': r->config.initrd = optarg; break;
        case 'b': r->config.bios = optarg; break;
        case 'A': r->cpu.options = optarg; break;
        case 'l': r->cpu.log = (uint32_t)strtoul(optarg, NULL, 0); break;
        default: exit(2);
        }
    }
    r->config.kernel = optind < argc ? argv[optind] : NULL;
}

int main(int argc, char **argv)
{
    Run r = {.out = {.ops = &out_ops, .id = "out", .open = true}};
    Error err = {0};
    Board *board = NULL;
    r.cpu.cpu_model = "max";
    r.cpu.semihosting = true;
    r.config.desc = machine_desc_find("virt", "aarch64", &err);
    r.config.ram_bytes = 256 << 20;
    r.config.n_cpus = 1;
    parse(&r, argc, argv);
    r.config.cpu_model = r.cpu.cpu_model;
    r.config.serial[0] = &r.out;
    r.config.add_cpu = add_cpu;
    r.config.set_entry = set_entry;
    r.config.opaque = &r;
    r.cpu.el2 = machine_option_on(&r.config, "virtualization");
    r.cpu.el3 = machine_option_on(&r.config, "secure");
    r.m = machine_new("bare", &err);
    if (!r.m) {
        die(&err);
    }
    machine_lock(r.m);
    r.out.machine = r.m;
    chardev_add(r.m, &r.out);
    r.accel = accel_new(r.m, "tcg", "aarch64", &r.cpu, &err);
    if (!r.accel || !r.config.desc->build(r.m, &r.config, &board, &err) ||
        !r.config.desc->finish(board, &err)) {
        die(&err);
    }
    machine_reset(r.m, CAUSE_HOST_RESET);
    machine_unlock(r.m);
    machine_set_policy(r.m, (MachinePolicy){.no_reboot = true});
    machine_request_cont(r.m);
    int status = machine_run(r.m);
    if (getenv("BARE_RUN_REPORT")) {
        accel_report(r.accel, print_line, NULL);
    }
    return status;
}
