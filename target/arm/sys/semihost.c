/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Semihosting: HLT #0xf000 with the operation in W0 and its parameter block at X1.
 *
 * Source: Arm "Semihosting for AArch32 and AArch64", version 3.0. Only with -semihosting.
 * There: console output, exit, clock and time, error number. File operations fail with -1 and
 * ENOSYS: a guest does not reach the host's files.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/machine.h"
#include "target/arm/sys/sys.h"

enum {
    SYS_OPEN = 0x01,
    SYS_CLOSE = 0x02,
    SYS_WRITEC = 0x03,
    SYS_WRITE0 = 0x04,
    SYS_WRITE = 0x05,
    SYS_READ = 0x06,
    SYS_READC = 0x07,
    SYS_ISERROR = 0x08,
    SYS_ISTTY = 0x09,
    SYS_CLOCK = 0x10,
    SYS_TIME = 0x11,
    SYS_ERRNO = 0x13,
    SYS_EXIT = 0x18,
    SYS_EXIT_EXTENDED = 0x20,
    SYS_ELAPSED = 0x30,
    SYS_TICKFREQ = 0x31,
    APPLICATION_EXIT = 0x20026,
    MAX_OUTPUT = 1 << 20
};

static uint64_t parameter(A64Cpu *cpu, unsigned n)
{
    uint64_t v = 0;
    tcg_mem_load(&cpu->tcg, cpu->x[1] + 8 * n, &v, 8, TCG_MMU_CURRENT);
    return v;
}

static void put_bytes(A64Cpu *cpu, uint64_t va, uint64_t bytes, bool string)
{
    for (uint64_t n = 0; n < bytes; n++) {
        char c;
        tcg_mem_load(&cpu->tcg, va + n, &c, 1, TCG_MMU_CURRENT);
        if (string && !c) {
            break;
        }
        putc(c, stderr);
    }
}

static void exit_guest(A64Cpu *cpu, uint64_t reason, uint64_t code)
{
    Machine *m = cpu->sys.port->machine;
    machine_set_exit_status(m, reason == APPLICATION_EXIT ? (int)(code & 0xff) : 1);
    machine_request_shutdown(m, CAUSE_GUEST_SHUTDOWN);
    tcg_raise(&cpu->tcg, TCG_EXIT_HALT, 0);
}

void a64_semihost_call(A64Cpu *cpu)
{
    uint64_t result = ~0ull;
    switch ((uint32_t)cpu->x[0]) {
    case SYS_WRITEC: put_bytes(cpu, cpu->x[1], 1, false); return;
    case SYS_WRITE0: put_bytes(cpu, cpu->x[1], MAX_OUTPUT, true); return;
    case SYS_OPEN: /* ":tt" is the console, of any mode */ {
        char name[4] = {0};
        uint64_t at = parameter(cpu, 0);
        for (unsigned n = 0; n < 3; n++) {
            tcg_mem_load(&cpu->tcg, at + n, &name[n], 1, TCG_MMU_CURRENT);
        }
        result = name[0] == ':' && name[1] == 't' && name[2] == 't' ? 1 : ~0ull;
        break;
    }
    case SYS_CLOSE: result = 0; break;
    case SYS_WRITE: {
        uint64_t bytes = parameter(cpu, 2);
        bytes = bytes < MAX_OUTPUT ? bytes : MAX_OUTPUT;
        put_bytes(cpu, parameter(cpu, 1), bytes, false);
        result = parameter(cpu, 2) - bytes; /* bytes not written */
        break;
    }
    case SYS_ISERROR: result = (int64_t)parameter(cpu, 0) < 0; break;
    case SYS_ISTTY: result = 1; break;
    case SYS_CLOCK: result = a64_counter(cpu) / (cpu->sys.counter_hz / 100); break;
    case SYS_TIME: result = (uint64_t)time(NULL); break;
    case SYS_ERRNO: result = ENOSYS; break;
    case SYS_TICKFREQ: result = cpu->sys.counter_hz; break;
    case SYS_EXIT:
    case SYS_EXIT_EXTENDED: exit_guest(cpu, parameter(cpu, 0), parameter(cpu, 1)); break;
    default: break;
    }
    cpu->x[0] = result;
}
