/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GICv2, private to this folder.
 *
 * One mutex guards all state of a GIC; registers are accessed on vCPU threads without the machine
 * lock. A change of state ends in gicv2_update() or gicv2_update_cpu(), which derive the outputs.
 */
#ifndef GEMEL_HW_INTC_GICV2_H
#define GEMEL_HW_INTC_GICV2_H

#include <glib.h>

#include "core/machine.h"
#include "hw/intc/gic_common.h"
#include "hw/intc/gic_virt.h"

enum { GICV2_MAX_CPUS = 8, GICV2_PPIS = 16 };

/* GICC_CTLR */
enum {
    GICC_ENG0 = 1u << 0, GICC_ENG1 = 1u << 1, GICC_ACKCTL = 1u << 2, GICC_FIQEN = 1u << 3,
    GICC_CBPR = 1u << 4, GICC_EOIMODE_S = 1u << 9, GICC_EOIMODE_NS = 1u << 10
};

typedef struct GicV2Cpu {
    /* distributor, banked */
    GicWord  word;                    /* SGIs and PPIs */
    uint8_t  prio[GIC_PRIVATE];
    uint8_t  sgi_source[GIC_SGIS];    /* CPUs that sent it; word.latch says there is one */
    uint32_t nsacr[2];
    /* CPU interface */
    uint32_t ctlr, pmr;
    uint32_t bpr[2];                  /* GICC_BPR, GICC_ABPR */
    uint32_t apr[2];                  /* active priorities of Group 0, Group 1 */
    GicVirt  virt;
} GicV2Cpu;

typedef struct GicV2 {
    Device   dev;
    /* wiring */
    PinOut   irq[GICV2_MAX_CPUS], fiq[GICV2_MAX_CPUS];
    PinOut   virq[GICV2_MAX_CPUS], vfiq[GICV2_MAX_CPUS];
    GMutex   lock;
    uint32_t n_cpus;
    uint32_t n_spis;
    bool     security;                /* Security Extensions */
    bool     virt;                    /* Virtualization Extensions */
    uint32_t n_words;                 /* of 32 interrupts, the private ones included */
    uint8_t  all_cpus;                /* a bit for each */
    /* state */
    uint32_t ctlr;                    /* GICD_CTLR: EnableGrp0, EnableGrp1 */
    GicWord  spi[GIC_WORDS];          /* [0] unused: banked */
    uint8_t  prio[GIC_MAX_INTID];     /* SPIs */
    uint32_t target[GICV2_MAX_CPUS][GIC_WORDS]; /* SPIs that go to the CPU */
    uint32_t nsacr[GIC_WORDS * 2];
    GicV2Cpu cpu[GICV2_MAX_CPUS];
} GicV2;

/* Who accesses: CPU number, and whether as Non-secure seen by a GIC with Security Extensions. */
typedef struct GicV2Access {
    unsigned cpu;
    bool     ns;
} GicV2Access;

static inline GicV2Access gicv2_access(const GicV2 *s, MemAttrs attrs)
{
    unsigned cpu = attrs.cpu && attrs.cpu <= s->n_cpus ? attrs.cpu - 1u : 0;

    return (GicV2Access){.cpu = cpu, .ns = s->security && !attrs.secure};
}

static inline GicWord *gicv2_word(GicV2 *s, unsigned cpu, unsigned w)
{
    return w == 0 ? &s->cpu[cpu].word : &s->spi[w];
}

static inline uint8_t *gicv2_prio(GicV2 *s, unsigned cpu, unsigned intid)
{
    return intid < GIC_PRIVATE ? &s->cpu[cpu].prio[intid] : &s->prio[intid];
}

/* Outputs follow state. */
void gicv2_update_cpu(GicV2 *s, unsigned cpu);
void gicv2_update(GicV2 *s);

/* Highest pending interrupt of a CPU that the distributor forwards; GIC_SPURIOUS: none. */
unsigned gicv2_highest(GicV2 *s, unsigned cpu);
/* Is interrupt `intid`, the highest pending one, more urgent than mask and running priority? */
bool     gicv2_can_signal(GicV2 *s, unsigned cpu, unsigned intid);
uint32_t gicv2_group_mask(const GicV2Cpu *c, unsigned group);
void     gicv2_deactivate(GicV2 *s, unsigned cpu, unsigned intid);

MemResult gicv2_dist_read(Device *d, uint64_t offset, unsigned bytes, uint64_t *value, MemAttrs attrs);
MemResult gicv2_dist_write(Device *d, uint64_t offset, unsigned bytes, uint64_t value, MemAttrs attrs);
MemResult gicv2_cpu_read(Device *d, uint64_t offset, unsigned bytes, uint64_t *value, MemAttrs attrs);
MemResult gicv2_cpu_write(Device *d, uint64_t offset, unsigned bytes, uint64_t value, MemAttrs attrs);
MemResult gicv2_hyp_read(Device *d, uint64_t offset, unsigned bytes, uint64_t *value, MemAttrs attrs);
MemResult gicv2_hyp_write(Device *d, uint64_t offset, unsigned bytes, uint64_t value, MemAttrs attrs);
MemResult gicv2_vcpu_read(Device *d, uint64_t offset, unsigned bytes, uint64_t *value, MemAttrs attrs);
MemResult gicv2_vcpu_write(Device *d, uint64_t offset, unsigned bytes, uint64_t value,
                           MemAttrs attrs);

#endif
