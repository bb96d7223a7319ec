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

/* Where the look-up of an encoding begins; full tables end in the caller's assertion. */
static uint32_t slot_of(uint32_t encoding)
{
    return (encoding * 0x9e3779b1u) >> 24;
}
_Static_assert(CPU_SYSREG_SLOTS == 1 << (32 - 24), "slot_of() gives eight bits");

void cpu_sysreg_bank_attach(CpuPort *p, CpuSysRegBank *bank)
{
    bank->next = p->banks;
    p->banks = bank;
    for (uint32_t i = 0; i < bank->n_regs; i++) {
        uint32_t at = slot_of(bank->regs[i].encoding), tried = 0;

        while (p->sysregs[at].reg && p->sysregs[at].reg->encoding != bank->regs[i].encoding) {
            at = (at + 1) % CPU_SYSREG_SLOTS;
            assert(++tried < CPU_SYSREG_SLOTS / 2); /* grow the table */
        }
        p->sysregs[at] = (CpuSysRegSlot){&bank->regs[i], bank->opaque};
    }
}

const CpuSysReg *cpu_sysreg_find(const CpuPort *p, uint32_t encoding, void **opaque)
{
    for (uint32_t at = slot_of(encoding);; at = (at + 1) % CPU_SYSREG_SLOTS) {
        const CpuSysRegSlot *s = &p->sysregs[at];

        if (!s->reg) {
            return NULL;
        }
        if (s->reg->encoding == encoding) {
            *opaque = s->opaque;
            return s->reg;
        }
    }
}
