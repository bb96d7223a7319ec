/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GICv3, private to this folder: distributor (dist.c), redistributors (redist.c, lpi.c), CPU interface
 * (cpuif.c), hypervisor's registers (hyp.c), ITS (its.c, its_command.c).
 *
 * One mutex guards all state of a GIC and its ITS; registers are accessed on vCPU threads without the
 * machine lock. A change of state ends in gicv3_update() or gicv3_update_cpu(), which derive outputs.
 * Guest tables (LPIs, ITS) are read and written in RAM only, so nothing is called with the lock held.
 */
#ifndef GEMEL_HW_INTC_GICV3_H
#define GEMEL_HW_INTC_GICV3_H

#include <glib.h>

#include "core/machine.h"
#include "hw/intc/gic_common.h"
#include "hw/intc/gic_virt.h"

enum {
    GICV3_PPIS = 16,
    GICV3_FRAME_BYTES = 0x10000,
    GICV3_REDIST_BYTES = 2 * GICV3_FRAME_BYTES, /* RD_base, SGI_base */
    GICV3_FIRST_LPI = 8192,
    GICV3_ID_BITS = 16,
    GICV3_N_INTIDS = 1 << GICV3_ID_BITS,
    GICV3_LPI_WORDS = GICV3_N_INTIDS / 64,
    GICV3_NO_CPU = 0xffff
};

enum { GICD_CTLR_ENG0 = 1, GICD_CTLR_ENG1 = 2, GICD_CTLR_ARE = 1 << 4, GICD_CTLR_DS = 1 << 6 };
enum { GICR_CTLR_ENABLE_LPIS = 1, GICR_CTLR_CES = 2 };
enum { GICR_WAKER_SLEEP = 2, GICR_WAKER_CHILDREN_ASLEEP = 4 };
/* ICC_CTLR_EL1 */
enum { ICC_CTLR_CBPR = 1, ICC_CTLR_EOIMODE = 2, ICC_CTLR_PMHE = 1 << 6 };

typedef struct GicV3 GicV3;

/* Pending LPIs of a redistributor: bits by INTID; `summary` says which words are not zero. */
typedef struct GicV3Lpis {
    uint64_t *pending; /* GICV3_LPI_WORDS; NULL until LPIs are first enabled */
    uint64_t  summary[GICV3_LPI_WORDS / 64];
} GicV3Lpis;

typedef struct GicV3Cpu {
    /* wiring */
    GicV3         *gic;
    unsigned       index;
    uint32_t       affinity; /* Aff3.Aff2.Aff1.Aff0, a byte each */
    CpuSysRegBank  bank, hyp_bank;
    GicV3Lpis      lpis;     /* state, saved by functions */
    /* redistributor */
    GicWord  word;           /* SGIs and PPIs */
    uint8_t  prio[GIC_PRIVATE];
    uint32_t waker, ctlr;
    uint64_t propbaser, pendbaser;
    /* CPU interface */
    uint32_t icc_ctlr, pmr, igrpen; /* igrpen: bit g is ICC_IGRPEN<g>_EL1.Enable */
    uint32_t bpr[2], apr[2];
    GicVirt  virt;
} GicV3Cpu;

struct GicV3 {
    Device   dev;
    /* wiring */
    PinOut   irq[MACHINE_MAX_CPUS], fiq[MACHINE_MAX_CPUS];
    PinOut   virq[MACHINE_MAX_CPUS], vfiq[MACHINE_MAX_CPUS];
    GMutex   lock;
    uint32_t n_cpus, n_spis, first_region_cpus;
    bool     virt, has_lpis;
    uint32_t n_words;
    uint16_t target[GIC_MAX_INTID]; /* derived: CPU of an SPI's GICD_IROUTER, or GICV3_NO_CPU */
    uint8_t *lpi_config;            /* derived: configuration of LPIs as last read, by INTID */
    /* state */
    uint32_t ctlr;
    GicWord  spi[GIC_WORDS];        /* [0] unused */
    uint8_t  prio[GIC_MAX_INTID];
    uint64_t router[GIC_MAX_INTID];
    GicV3Cpu cpu[MACHINE_MAX_CPUS];
};

/* ---- gicv3.c */
void gicv3_update_cpu(GicV3 *s, unsigned cpu);
void gicv3_update(GicV3 *s);
/* Highest pending interrupt of a CPU whose group is enabled; GIC_SPURIOUS: none. */
typedef struct GicV3Pending {
    uint32_t intid, prio;
    unsigned group;
} GicV3Pending;
GicV3Pending gicv3_highest(GicV3 *s, unsigned cpu);
bool     gicv3_can_signal(const GicV3Cpu *c, const GicV3Pending *p);
uint32_t gicv3_group_mask(const GicV3Cpu *c, unsigned group);
unsigned gicv3_cpu_of(const GicV3 *s, uint32_t affinity); /* or GICV3_NO_CPU */
void     gicv3_deactivate(GicV3 *s, unsigned cpu, uint32_t intid);

static inline GicWord *gicv3_word(GicV3 *s, unsigned cpu, unsigned w)
{
    return w == 0 ? &s->cpu[cpu].word : &s->spi[w];
}

/* ---- banks.c: registers with bits, bytes or pairs of bits an interrupt, alike in distributor and
 * SGI_base. offset is that in the frame; false: no such register. */
typedef struct GicV3Banks {
    GicWord *words;  /* of the first interrupt */
    uint8_t *prio;
    unsigned n_words;
    bool     sgis;   /* the first 16 are SGIs */
} GicV3Banks;
bool gicv3_banks_read(const GicV3Banks *b, uint64_t offset, uint32_t *value);
bool gicv3_banks_write(const GicV3Banks *b, uint64_t offset, uint32_t value, uint32_t mask);

/* ---- dist.c, redist.c */
MemResult gicv3_dist_read(Device *d, uint64_t offset, unsigned bytes, uint64_t *value, MemAttrs attrs);
MemResult gicv3_dist_write(Device *d, uint64_t offset, unsigned bytes, uint64_t value, MemAttrs attrs);
void      gicv3_route(GicV3 *s, unsigned intid);
MemResult gicv3_redist_low_read(Device *d, uint64_t offset, unsigned bytes, uint64_t *value,
                                MemAttrs attrs);
MemResult gicv3_redist_low_write(Device *d, uint64_t offset, unsigned bytes, uint64_t value,
                                 MemAttrs attrs);
MemResult gicv3_redist_high_read(Device *d, uint64_t offset, unsigned bytes, uint64_t *value,
                                 MemAttrs attrs);
MemResult gicv3_redist_high_write(Device *d, uint64_t offset, unsigned bytes, uint64_t value,
                                  MemAttrs attrs);
uint32_t  gicv3_id(uint64_t offset); /* 0xffd0 .. 0xfffc of every frame */

/* A 64-bit register by halves or whole: value read, and new value after a write. */
static inline uint64_t gicv3_part(uint64_t reg, uint64_t offset, unsigned bytes)
{
    return reg >> 8 * (offset & 7) & mask64(8 * bytes);
}

static inline uint64_t gicv3_merge(uint64_t reg, uint64_t offset, unsigned bytes, uint64_t value)
{
    return deposit64(reg, 8 * (offset & 7), 8 * bytes, value);
}

/* ---- lpi.c */
bool gicv3_ram_read(GicV3 *s, uint64_t gpa, void *buf, size_t bytes);
bool gicv3_ram_write(GicV3 *s, uint64_t gpa, const void *buf, size_t bytes);
void gicv3_lpi_set(GicV3 *s, unsigned cpu, uint32_t intid, bool pending);
bool gicv3_lpi_is_pending(const GicV3Cpu *c, uint32_t intid);
void gicv3_lpi_highest(GicV3 *s, const GicV3Cpu *c, GicV3Pending *best);
void gicv3_lpi_reload(GicV3 *s, unsigned cpu, uint32_t intid); /* INV */
void gicv3_lpi_reload_all(GicV3 *s, unsigned cpu);             /* INVALL */
void gicv3_lpi_move_all(GicV3 *s, unsigned from, unsigned to); /* MOVALL */
void gicv3_lpi_enable(GicV3 *s, unsigned cpu);
void gicv3_lpi_disable(GicV3 *s, unsigned cpu);
void gicv3_lpi_forget(GicV3Cpu *c);
bool gicv3_lpi_save(Device *d, StateStream *st);
bool gicv3_lpi_load(Device *d, StateStream *st, Error *err);

/* ---- cpuif.c, hyp.c */
void gicv3_cpuif_attach(GicV3Cpu *c, CpuPort *port);
void gicv3_hyp_attach(GicV3Cpu *c, CpuPort *port);
/* The virtual CPU interface behind ICC_ encodings. write: the physical INTID to deactivate, or -1. */
uint64_t gicv3_virt_read(GicV3Cpu *c, unsigned reg);
int      gicv3_virt_write(GicV3Cpu *c, unsigned reg, uint64_t value);

/* Numbers of the ICC_ registers in cpuif.c's table. */
typedef enum IccReg {
    ICC_PMR, ICC_IAR0, ICC_EOIR0, ICC_HPPIR0, ICC_BPR0, ICC_AP0R0, ICC_AP1R0, ICC_DIR, ICC_RPR,
    ICC_SGI1R, ICC_ASGI1R, ICC_SGI0R, ICC_IAR1, ICC_EOIR1, ICC_HPPIR1, ICC_BPR1, ICC_CTLR, ICC_SRE,
    ICC_IGRPEN0, ICC_IGRPEN1
} IccReg;

#endif
