/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What GICv2 and GICv3 share: state of 32 interrupts as words of bits, and the arithmetic of
 * priorities. Five bits of priority are implemented (the upper ones of the byte), so there are 32
 * group priorities at most, and a word of active priorities is all there is.
 */
#ifndef GEMEL_HW_INTC_GIC_COMMON_H
#define GEMEL_HW_INTC_GIC_COMMON_H

#include "core/device.h"
#include "util/bits.h"

enum {
    GIC_SGIS = 16,
    GIC_PRIVATE = 32,      /* SGIs and PPIs: a set for each CPU */
    GIC_MAX_INTID = 1020,  /* first that is not an SPI */
    GIC_MAINTENANCE_INTID = 25, /* of the virtual CPU interface, by the Base System Architecture */
    GIC_WORDS = 32,        /* of 32 interrupts */
    GIC_MAX_SPIS = GIC_MAX_INTID - GIC_PRIVATE,
    GIC_PRIO_MASK = 0xf8,
    GIC_PRIO_SHIFT = 3,
    GIC_MIN_BPR = 2,       /* smallest binary point of Group 0 with five bits */
    GIC_IDLE_PRIO = 0xff,
    GIC_SPURIOUS = 1023,
    GIC_OTHER_GROUP = 1022
};

/* Bit n of each word is interrupt n modulo 32. */
typedef struct GicWord {
    uint32_t enabled, active;
    uint32_t latch;    /* pending by an edge or by software */
    uint32_t level;    /* state of the input */
    uint32_t edge;     /* edge-triggered (else level-sensitive) */
    uint32_t group;    /* 1: Group 1 */
    uint32_t mod;      /* GICv3: IGRPMODR */
} GicWord;
extern const StateDesc gic_word_state[]; /* gic_virt.c */

static inline uint32_t gic_word_pending(const GicWord *w)
{
    return w->latch | (w->level & ~w->edge);
}

/* The input of interrupt `bit` changed. */
static inline void gic_word_input(GicWord *w, uint32_t bit, bool level)
{
    if (level) {
        w->latch |= ~w->level & w->edge & bit;
        w->level |= bit;
    } else {
        w->level &= ~bit;
    }
}

/* Bits of a priority that form the group priority, by the binary point of the group: bpr as
 * GICC_BPR, ICC_BPR0 (bits [7:bpr+1]); group 1's own register counts one more. */
static inline uint32_t gic_group_mask(unsigned bpr, bool own_of_group1)
{
    return (uint8_t)~(((own_of_group1 ? 1u : 2u) << bpr) - 1);
}

/* Highest active priority of a word of active group priorities. */
static inline uint32_t gic_running(uint32_t apr)
{
    return apr ? ctz32(apr) << GIC_PRIO_SHIFT : GIC_IDLE_PRIO;
}

/* Is a pending priority more urgent than the active ones, as far as group priorities (mask) tell? */
static inline bool gic_preempts(uint32_t prio, uint32_t apr, uint32_t mask)
{
    return !apr || (prio & mask) < (gic_running(apr) & mask);
}

static inline uint32_t gic_apr_bit(uint32_t prio)
{
    return 1u << (prio >> GIC_PRIO_SHIFT);
}

static inline uint32_t gic_drop(uint32_t apr)
{
    return apr & (apr - 1);
}

/* Every second bit of a pair register (ICFGR) to 16 bits, and back. */
static inline uint32_t gic_spread16(uint32_t bits)
{
    uint32_t v = 0;

    for (unsigned i = 0; i < 16; i++) {
        v |= (bits >> i & 1) << (2 * i + 1);
    }
    return v;
}

static inline uint32_t gic_gather16(uint32_t pairs)
{
    uint32_t v = 0;

    for (unsigned i = 0; i < 16; i++) {
        v |= (pairs >> (2 * i + 1) & 1) << i;
    }
    return v;
}

#endif
