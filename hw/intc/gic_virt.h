/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The virtual CPU interface of a GIC: list registers that a hypervisor fills in and its guest
 * acknowledges. One engine serves GICv2 (GICH, GICV frames) and GICv3 (ICH_, ICV_ registers); state is
 * in GICv3's layout (IHI 0069, "ICH_LR<n>_EL2", "ICH_VMCR_EL2", "ICH_HCR_EL2"), GICv2 converts its
 * list registers.
 *
 * All functions under the lock of the GIC that owns the state.
 */
#ifndef GEMEL_HW_INTC_GIC_VIRT_H
#define GEMEL_HW_INTC_GIC_VIRT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/device.h"

enum { GICH_N_LRS = 4 };

/* ICH_HCR_EL2, GICH_HCR */
enum {
    GICH_HCR_EN = 1u << 0, GICH_HCR_UIE = 1u << 1, GICH_HCR_LRENPIE = 1u << 2,
    GICH_HCR_NPIE = 1u << 3, GICH_HCR_VGRP0EIE = 1u << 4, GICH_HCR_VGRP0DIE = 1u << 5,
    GICH_HCR_VGRP1EIE = 1u << 6, GICH_HCR_VGRP1DIE = 1u << 7, GICH_HCR_TC = 1u << 10,
    GICH_HCR_TALL0 = 1u << 11, GICH_HCR_TALL1 = 1u << 12, GICH_HCR_TSEI = 1u << 13,
    GICH_HCR_TDIR = 1u << 14, GICH_HCR_EOICOUNT_SHIFT = 27
};
/* ICH_VMCR_EL2, GICH_VMCR */
enum {
    GICH_VMCR_ENG0 = 1u << 0, GICH_VMCR_ENG1 = 1u << 1, GICH_VMCR_ACKCTL = 1u << 2,
    GICH_VMCR_FIQEN = 1u << 3, GICH_VMCR_CBPR = 1u << 4, GICH_VMCR_EOIM = 1u << 9,
    GICH_VMCR_BPR1_SHIFT = 18, GICH_VMCR_BPR0_SHIFT = 21, GICH_VMCR_PMR_SHIFT = 24
};
/* ICH_LR<n>_EL2 */
#define GICH_LR_PENDING (1ull << 62)
#define GICH_LR_ACTIVE  (1ull << 63)
#define GICH_LR_STATE   (3ull << 62)
#define GICH_LR_HW      (1ull << 61)
#define GICH_LR_GROUP1  (1ull << 60)
#define GICH_LR_EOI     (1ull << 41)
enum { GICH_LR_PRIO_SHIFT = 48, GICH_LR_PINTID_SHIFT = 32 };

typedef struct GicVirt {
    uint32_t hcr, vmcr;
    uint32_t apr[2];
    uint64_t lr[GICH_N_LRS];
} GicVirt;

extern const StateDesc gic_virt_state[];

/* What an acknowledge may take: GICV_IAR and GICV_HPPIR see both groups. */
typedef enum GicVirtGroups { GICV_GROUP0, GICV_GROUP1, GICV_BOTH } GicVirtGroups;

void     gic_virt_reset(GicVirt *v);
/* The list register of the highest pending interrupt that groups allow, or -1. */
int      gic_virt_highest(const GicVirt *v);
/* INTID (GICv2: with the source CPU in bits [12:10]); acknowledges it unless `peek`. */
uint32_t gic_virt_iar(GicVirt *v, GicVirtGroups g, bool peek);
/* End of interrupt and deactivation: INTID of the physical interrupt to deactivate too, or -1. */
int      gic_virt_eoir(GicVirt *v, GicVirtGroups g, uint32_t intid);
int      gic_virt_dir(GicVirt *v, uint32_t intid);
uint32_t gic_virt_rpr(const GicVirt *v);
/* GICV_BPR/ICV_BPR0 (group 0), GICV_ABPR/ICV_BPR1 (group 1) */
uint32_t gic_virt_bpr(const GicVirt *v, unsigned group);
void     gic_virt_set_bpr(GicVirt *v, unsigned group, uint32_t bpr);
void     gic_virt_set_vmcr(GicVirt *v, uint32_t vmcr);
uint32_t gic_virt_misr(const GicVirt *v);
uint32_t gic_virt_eisr(const GicVirt *v);
uint32_t gic_virt_elrsr(const GicVirt *v);

/* Levels of its outputs. */
typedef struct GicVirtOut {
    bool irq, fiq, maintenance;
} GicVirtOut;
GicVirtOut gic_virt_out(const GicVirt *v);

#endif
