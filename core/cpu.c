/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The port of a CPU: input pins as bits of one atomic word, and the rows devices add to its system
 * registers. */
#include <assert.h>
#include <stddef.h>

#include "core/cpu.h"

/* Pairs with the acquire in cpu_line() and in the vCPU's own reading of `lines` after a kick. */
static void set_line(void *opaque, unsigned n, bool level)
{
    CpuPort *p = opaque;
    uint32_t bit = 1u << n;
    uint32_t old;

    if (level) {
        old = atomic_fetch_or_explicit(&p->lines, bit, memory_order_acq_rel);
    } else {
        old = atomic_fetch_and_explicit(&p->lines, ~bit, memory_order_acq_rel);
    }
    if (((old & bit) != 0) != level && p->kick) {
        p->kick(p);
    }
}

PinIn cpu_pin(CpuPort *p, CpuLine line)
{
    assert(line < CPU_N_LINES);
    return (PinIn){set_line, p, line};
}

void cpu_sysreg_bank_attach(CpuPort *p, CpuSysRegBank *bank)
{
    bank->next = p->banks;
    p->banks = bank;
}

/* Targets look a register up once, when they translate the access; so a plain search will do. */
const CpuSysReg *cpu_sysreg_find(const CpuPort *p, uint32_t encoding, void **opaque)
{
    for (const CpuSysRegBank *b = p->banks; b; b = b->next) {
        for (uint32_t i = 0; i < b->n_regs; i++) {
            if (b->regs[i].encoding == encoding) {
                *opaque = b->opaque;
                return &b->regs[i];
            }
        }
    }
    return NULL;
}
