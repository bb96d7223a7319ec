/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which passes a tier runs.
 *
 * Tier 1 only promotes, and only where a region has joins: its code comes from the builder's
 * folding. A tier-1 block that loops to itself may run for ever without being counted again, so it
 * gets all passes at once. Debug builds verify after every pass.
 */
#include <stdlib.h>

#include "tcg/opt/opt.h"

typedef struct IrPass {
    const char *name;
    void (*run)(IrRegion *r);
} IrPass;

static const IrPass ir_tier1[] = {
    {"promote", ir_opt_promote},
};

static const IrPass ir_tier2[] = {
    {"promote", ir_opt_promote}, {"fold", ir_opt_fold}, {"phis", ir_opt_phis}, {"dce", ir_opt_dce},
    {"flags", ir_opt_flags},     {"licm", ir_opt_licm}, {"dce", ir_opt_dce},
};

#ifdef GEMEL_DEBUG
static void ir_verify_after(const IrRegion *r, const char *pass)
{
    char why[160];

    if (!ir_verify(r, why, sizeof why)) {
        fprintf(stderr, "gemel: IR wrong after %s: %s\n", pass, why);
        ir_print(r, stderr);
        abort();
    }
}
#else
static void ir_verify_after(const IrRegion *r, const char *pass)
{
    (void)r;
    (void)pass;
}
#endif

static bool ir_has_loop(const IrRegion *r)
{
    for (uint32_t i = 0; i < r->n_rpo; i++) {
        if (r->blocks[r->rpo[i]].loop_head) {
            return true;
        }
    }
    return false;
}

void ir_optimize(IrRegion *r, unsigned tier, FILE *dump)
{
    bool all = tier >= 2 || ir_has_loop(r);
    const IrPass *p = all ? ir_tier2 : ir_tier1;
    unsigned n = all ? sizeof ir_tier2 / sizeof *ir_tier2 : sizeof ir_tier1 / sizeof *ir_tier1;

    ir_verify_after(r, "build");
    if (r->straight && tier == 1) {
        return; /* no joins: nothing to promote */
    }
    for (unsigned i = 0; i < n; i++) {
        p[i].run(r);
        ir_verify_after(r, p[i].name);
        if (dump) {
            fprintf(dump, "after %s:\n", p[i].name);
            ir_print(r, dump);
        }
    }
}
