/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The translation table walk of VMSAv8-64: both stages, all granules, 48- and 52-bit addresses,
 * hierarchical permissions, PAN, hardware update of access flag and dirty state.
 *
 * Source: Arm ARM (DDI 0487), D8; pseudo-code AArch64.S1Translate, AArch64.S2Translate,
 * AArch64.S1Walk, AArch64.S1ComputePermissions.
 * Not modelled: FEAT_RME, FEAT_MTE, FEAT_S1PIE, FEAT_D128; the contiguous hint and nT change
 * nothing; cacheability (FEAT_S2FWB is there by name). DEVIATION: TxSZ out of range is clamped.
 */
#include "target/arm/sys/sys.h"

/* ---- parameters of one stage ---- */

typedef struct Stage {
    uint64_t base;         /* of the first table */
    unsigned gran, stride; /* log2 page bytes; bits a level resolves */
    unsigned in_bits;      /* input address size */
    unsigned out_bits;     /* output address size */
    int start;             /* first level, -1 .. 3 */
    bool ds, lpa;          /* 52-bit descriptors: 4K and 16K; 64K */
    bool ha, hd, hpd;      /* hardware AF, dirty; no hierarchical permissions */
    bool stage2;
    bool secure;
    unsigned sh; /* with ds: shareability is not in the descriptor */
} Stage;

/* A leaf, attributes of the tables above folded in. */
typedef struct Leaf {
    uint64_t desc, oa; /* oa: of the byte */
    int level;
    unsigned bits;                        /* log2 of the bytes it maps */
    bool no_write, no_user, uxn, pxn, ns; /* from the tables */
    uint64_t at_ipa;                      /* its entry, before stage 2 */
} Leaf;

static uint8_t status(unsigned kind, int level)
{
    if (level < 0) {
        return kind == 0 ? 0x29 : kind == 4 ? 0x2b : 0x13;
    }
    return (uint8_t)(kind + (unsigned)level);
}
enum {
    ADDRESS_SIZE = 0x00,
    TRANSLATION = 0x04,
    ACCESS_FLAG = 0x08,
    PERMISSION = 0x0c,
    WALK = 0x14
};

static bool refuse(A64Fault *f, unsigned kind, int level)
{
    f->fsc = status(kind, level);
    return false;
}

static unsigned pa_bits_of(const A64Cpu *cpu, unsigned ps)
{
    static const uint8_t size[8] = {32, 36, 40, 42, 44, 48, 52, 52};
    return size[ps] < cpu->sys.pa_bits ? size[ps] : cpu->sys.pa_bits;
}

/* Granule of a TG0 (or, upper, TG1) field; what is reserved or not there is taken as 4K. */
static unsigned granule(const A64Cpu *cpu, unsigned tg, bool upper)
{
    static const uint8_t tg0[4] = {12, 16, 14, 12}, tg1[4] = {12, 14, 12, 16};
    unsigned bits = upper ? tg1[tg] : tg0[tg];
    return bits == 14 && !a64_has(cpu, A64_FEAT_TGRAN16) ? 12 : bits;
}

static unsigned clamp(unsigned v, unsigned low, unsigned high)
{
    return v < low ? low : v > high ? high : v;
}

/* Input size from TxSZ and what follows from granule and size; ps: output size field. */
static void set_sizes(const A64Cpu *cpu, Stage *s, unsigned txsz, unsigned ps, bool ds)
{
    bool big = s->gran == 16;
    s->stride = s->gran - 3;
    s->ds = ds && !big && a64_has(cpu, A64_FEAT_LPA2);
    s->out_bits = pa_bits_of(cpu, ps);
    s->lpa = big && a64_has(cpu, A64_FEAT_LPA) && s->out_bits == 52;
    if (s->out_bits == 52 && !s->lpa && !s->ds) {
        s->out_bits = 48;
    }
    bool wide = s->ds || (big && a64_has(cpu, A64_FEAT_LVA));
    unsigned most = a64_has(cpu, A64_FEAT_TTST) ? (big ? 47 : 48) : 39;
    s->in_bits = 64 - clamp(txsz, wide ? 12 : 16, most);
}

/* The address in a TTBR: aligned to the first table's size; bits 5:2 are 51:48 when 52-bit. */
static uint64_t table_base(const Stage *s, uint64_t ttbr)
{
    unsigned index_bits = s->in_bits - (s->gran + (unsigned)(3 - s->start) * s->stride);
    unsigned align = index_bits + 3 < 6 ? 6 : index_bits + 3;
    uint64_t base = ttbr & 0x0000fffffffffffe;
    if (s->lpa || s->ds) {
        base = (base & ~0x3full) | (ttbr >> 2 & 15) << 48;
    }
    return base & ~mask64(align);
}

/* ---- descriptors ---- */

static bool stage2_walk(A64Cpu *cpu, const A64Walk *w, uint64_t ipa, bool table, bool write,
                        A64Found *out, A64Fault *f);

/* Where the table entry at `at` really is; stage 1 tables go through stage 2. */
static bool entry_address(A64Cpu *cpu, const A64Walk *w, const Stage *s, uint64_t *at, bool write,
                          A64Fault *f)
{
    if (s->stage2 || !w->stage2) {
        return true;
    }
    A64Found found;
    if (!stage2_walk(cpu, w, *at, true, write, &found, f)) {
        f->s1ptw = true;
        return false;
    }
    *at = found.pa;
    return true;
}

static AddressSpace *memory(const A64Cpu *cpu, bool secure)
{
    return secure ? cpu->sys.port->as_secure : cpu->sys.port->as;
}

static MemAttrs walk_attrs(const A64Cpu *cpu, const A64Walk *w, bool secure)
{
    return (MemAttrs){
        .cpu = (uint8_t)(cpu->sys.port->index + 1), .secure = secure, .debug = w->debug};
}

/* Output address of a descriptor whose low `bits` come from elsewhere. */
static uint64_t desc_address(const Stage *s, uint64_t desc, unsigned bits)
{
    uint64_t a = desc & 0x0000ffffffffffff;
    if (s->ds) {
        a = (desc & 0x0003ffffffffffff) | (desc >> 8 & 3) << 50;
    } else if (s->lpa) {
        a |= (desc >> 12 & 15) << 48;
    }
    return a & ~mask64(bits);
}

static bool is_block_level(const Stage *s, int level)
{
    switch (s->gran) {
    case 12: return level == 1 || level == 2 || (level == 0 && s->ds);
    case 14: return level == 2 || (level == 1 && s->ds);
    default: return level == 2 || (level == 1 && s->lpa);
    }
}

/* Follows tables down to a leaf, without looking at its permissions. */
static bool find_leaf(A64Cpu *cpu, const A64Walk *w, const Stage *s, uint64_t in, Leaf *leaf,
                      uint64_t *desc_at, A64Fault *f)
{
    uint64_t base = s->base, desc;
    bool secure = s->secure;
    *leaf = (Leaf){0};
    if (s->out_bits < 52 && base >> s->out_bits) {
        return refuse(f, ADDRESS_SIZE, 0);
    }
    for (int level = s->start;; level++) {
        unsigned low = s->gran + (unsigned)(3 - level) * s->stride;
        unsigned width = level == s->start ? s->in_bits - low : s->stride;
        uint64_t at = base + ((in >> low & mask64(width)) << 3);
        leaf->at_ipa = at;
        if (!entry_address(cpu, w, s, &at, false, f)) {
            return false;
        }
        if (mem_load_le64(memory(cpu, secure), at, &desc, walk_attrs(cpu, w, secure)) != MEM_OK) {
            return refuse(f, WALK, level);
        }
        bool table = (desc & 3) == 3 && level < 3;
        if (!(desc & 1) || (level == 3 && !(desc & 2)) ||
            (!table && level < 3 && !is_block_level(s, level))) {
            return refuse(f, TRANSLATION, level);
        }
        base = desc_address(s, desc, table ? s->gran : low);
        if (s->out_bits < 52 && base >> s->out_bits) {
            return refuse(f, ADDRESS_SIZE, level);
        }
        if (!table) {
            leaf->desc = desc;
            leaf->oa = base | (in & mask64(low));
            leaf->level = level;
            leaf->bits = low;
            leaf->ns |= s->secure && (desc & BIT(5));
            *desc_at = at;
            return true;
        }
        if (!s->stage2) {
            leaf->ns |= s->secure && desc >> 63;
            secure = secure && !leaf->ns;
            if (!s->hpd) {
                leaf->no_write |= desc >> 62 & 1;
                leaf->no_user |= desc >> 61 & 1;
                leaf->uxn |= desc >> 60 & 1;
                leaf->pxn |= desc >> 59 & 1;
            }
        }
    }
}

/*
 * Access flag and dirty state. want: bits the descriptor should change to. false with f->fsc 0: it
 * changed under us, walk again.
 */
static bool update(A64Cpu *cpu, const A64Walk *w, const Stage *s, uint64_t at, uint64_t desc,
                   uint64_t want, A64Fault *f)
{
    bool swapped = false;
    if (desc == want || w->debug) {
        return true;
    }
    /* `at` is physical; with stage 2 the table must also be writable there */
    if (mem_cas_le64(memory(cpu, s->secure), at, &desc, want, &swapped,
                     walk_attrs(cpu, w, s->secure)) != MEM_OK) {
        f->fsc = 0x31; /* IMPLEMENTATION DEFINED: update of what is no memory */
        return false;
    }
    return swapped;
}

/* ---- stage 2 ---- */

static bool stage2_params(const A64Cpu *cpu, const A64Walk *w, Stage *s)
{
    uint64_t vtcr = cpu->sys.vtcr;
    unsigned sl0 = vtcr >> 6 & 3;
    *s = (Stage){.stage2 = true, .secure = w->secure, .gran = granule(cpu, vtcr >> 14 & 3, false)};
    set_sizes(cpu, s, vtcr & 63, vtcr >> 16 & 7, vtcr >> 32 & 1);
    s->ha = (vtcr >> 21 & 1) && a64_has(cpu, A64_FEAT_AF);
    s->hd = s->ha && (vtcr >> 22 & 1) && a64_has(cpu, A64_FEAT_DBM);
    s->sh = vtcr >> 12 & 3;
    if (s->gran == 12) {
        s->start = sl0 == 3 ? 3 : 2 - (int)sl0;
        if (s->ds && (vtcr >> 33 & 1)) {
            s->start = -1;
        }
    } else {
        s->start = 3 - (int)sl0;
    }
    int index_bits = (int)s->in_bits - (int)(s->gran + (unsigned)(3 - s->start) * s->stride);
    if (index_bits < 1 || index_bits > (int)s->stride + 4) {
        return false;
    }
    s->base = table_base(s, cpu->sys.vttbr);
    return true;
}

static void stage2_permissions(const A64Cpu *cpu, const A64Walk *w, const Leaf *l, TcgTlbFill *fill)
{
    unsigned xn = l->desc >> 53 & 3;
    if (!a64_has(cpu, A64_FEAT_XNX)) {
        xn &= 2;
    }
    fill->read = l->desc >> 6 & 1;
    fill->write = l->desc >> 7 & 1;
    /* 00 all, 01 EL0 only, 10 none, 11 EL1 only */
    fill->exec = fill->read && (xn == 0 || (xn == 1 && w->user) || (xn == 3 && !w->user));
}

/* Inner or outer half of MAIR form with what stage 2 allows (1 NC, 2 WT, 3 WB). */
static unsigned weaker(unsigned s1, unsigned s2)
{
    bool cached = s1 != 4 && s1 != 0;
    bool through = !(s1 & 4);
    if (!cached || s2 == 1) {
        return 4;
    }
    return s2 == 2 && !through ? 8 | (s1 & 3) : s1;
}

/* S2CombineS1MemAttrs(), in the form of MAIR. */
static uint8_t combined_attr(const A64Cpu *cpu, uint8_t s1, unsigned s2)
{
    bool device = (s1 & 0xf0) == 0;
    if (a64_hcr(cpu) & HCR_FWB) {
        switch (s2 & 7) {
        case 5: return device ? s1 : 0x44;
        case 6: return 0xff;
        case 7: return s1;
        default: return (s2 & 3) << 2;
        }
    }
    if ((s2 & 12) == 0) { /* Device in stage 2: the stricter of the two */
        uint8_t kind = (s2 & 3) << 2;
        return device && s1 < kind ? s1 : kind;
    }
    return device ? s1 : (uint8_t)(weaker(s1 >> 4, s2 >> 2) << 4 | weaker(s1 & 15, s2 & 3));
}

static bool stage2_is_device(const A64Cpu *cpu, uint64_t desc)
{
    unsigned attr = desc >> 2 & 15;
    return a64_hcr(cpu) & HCR_FWB ? !(attr & 4) : (attr & 12) == 0;
}

/* One try; *again: the entry changed under us. */
static bool stage2_try(A64Cpu *cpu, const A64Walk *w, uint64_t ipa, bool table, bool write,
                       A64Found *out, A64Fault *f, bool *again)
{
    Stage s;
    Leaf l;
    uint64_t at;
    *again = false;
    f->stage2 = true;
    f->ipa = ipa;
    if (!stage2_params(cpu, w, &s) || (s.in_bits < 64 && ipa >> s.in_bits)) {
        return refuse(f, TRANSLATION, 0);
    }
    if (!find_leaf(cpu, w, &s, ipa, &l, &at, f)) {
        return false;
    }
    uint64_t before = l.desc, want = before;
    if (!(l.desc & BIT(10))) {
        if (!s.ha) {
            return refuse(f, ACCESS_FLAG, l.level);
        }
        want |= BIT(10);
    }
    if (s.hd && (l.desc & BIT(51)) && write) {
        want |= BIT(7);
    }
    l.desc = want;
    TcgTlbFill *fill = &out->fill;
    stage2_permissions(cpu, w, &l, fill);
    fill->device = stage2_is_device(cpu, l.desc);
    bool fetch = w->access == TCG_FETCH && !table;
    bool ok = write ? fill->write : fetch ? fill->exec : fill->read;
    if (!ok || (table && fill->device && (a64_hcr(cpu) & HCR_PTW))) {
        return refuse(f, PERMISSION, l.level);
    }
    if (!update(cpu, w, &s, at, before, want, f)) {
        *again = f->fsc == 0;
        return false;
    }
    out->pa = l.oa;
    out->attr = l.desc >> 2 & 15;
    fill->page_bits = (uint8_t)l.bits;
    fill->secure = w->secure && !l.ns;
    f->stage2 = false;
    return true;
}

enum { MAX_TRIES = 64 }; /* other CPUs changing an entry again and again */

static bool stage2_walk(A64Cpu *cpu, const A64Walk *w, uint64_t ipa, bool table, bool write,
                        A64Found *out, A64Fault *f)
{
    bool again = true;
    for (unsigned n = 0; n < MAX_TRIES && again; n++) {
        f->fsc = 0;
        if (stage2_try(cpu, w, ipa, table, write, out, f, &again)) {
            return true;
        }
    }
    if (again) {
        f->fsc = 0x31;
    }
    return false;
}

/* ---- stage 1 ---- */

static bool two_ranges(A64Regime r)
{
    return r == REGIME_EL10 || r == REGIME_EL20;
}

bool a64_top_ignored(const A64Cpu *cpu, A64Regime regime, bool upper, bool code)
{
    uint64_t tcr = cpu->sys.tcr[a64_regime_level(regime)];
    bool pauth = a64_has(cpu, A64_FEAT_PAuth);
    if (two_ranges(regime)) {
        bool data_only = pauth && (tcr >> (upper ? 52 : 51) & 1);
        return (tcr >> (upper ? 38 : 37) & 1) && !(code && data_only);
    }
    return (tcr >> 20 & 1) && !(code && pauth && (tcr >> 29 & 1));
}

static bool top_ignored(const A64Cpu *cpu, const A64Walk *w, uint64_t va)
{
    return a64_top_ignored(cpu, w->regime, va >> 55 & 1, w->access == TCG_FETCH);
}

unsigned a64_va_bits(const A64Cpu *cpu, A64Regime regime, bool upper)
{
    uint64_t tcr = cpu->sys.tcr[a64_regime_level(regime)];
    bool two = two_ranges(regime);
    upper = upper && two;
    Stage s = {.gran = granule(cpu, upper ? tcr >> 30 & 3 : tcr >> 14 & 3, upper)};
    set_sizes(cpu, &s, upper ? tcr >> 16 & 63 : tcr & 63, 6, tcr >> (two ? 59 : 32) & 1);
    return s.in_bits;
}

/* false: a translation fault of level 0 before any table is looked at. */
static bool stage1_params(const A64Cpu *cpu, const A64Walk *w, uint64_t va, Stage *s)
{
    unsigned el = a64_regime_level(w->regime);
    uint64_t tcr = cpu->sys.tcr[el];
    bool upper = two_ranges(w->regime) && (va >> 55 & 1), ha, hd, hpd;
    *s = (Stage){.secure = w->secure};
    if (two_ranges(w->regime)) {
        s->gran = granule(cpu, upper ? tcr >> 30 & 3 : tcr >> 14 & 3, upper);
        set_sizes(cpu, s, upper ? tcr >> 16 & 63 : tcr & 63, tcr >> 32 & 7, tcr >> 59 & 1);
        ha = tcr >> 39 & 1;
        hd = tcr >> 40 & 1;
        hpd = tcr >> (upper ? 42 : 41) & 1;
        s->sh = tcr >> (upper ? 28 : 12) & 3;
        bool e0pd = w->user && a64_has(cpu, A64_FEAT_E0PD) && (tcr >> (upper ? 56 : 55) & 1);
        if ((tcr >> (upper ? 23 : 7) & 1) || e0pd) {
            return false; /* EPDx, E0PDx */
        }
    } else {
        s->gran = granule(cpu, tcr >> 14 & 3, false);
        set_sizes(cpu, s, tcr & 63, tcr >> 16 & 7, tcr >> 32 & 1);
        ha = tcr >> 21 & 1;
        hd = tcr >> 22 & 1;
        hpd = tcr >> 24 & 1;
        s->sh = tcr >> 12 & 3;
    }
    s->ha = ha && a64_has(cpu, A64_FEAT_AF);
    s->hd = s->ha && hd && a64_has(cpu, A64_FEAT_DBM);
    s->hpd = hpd && a64_has(cpu, A64_FEAT_HPDS);
    s->start = 3 - (int)((s->in_bits - 1 - s->gran) / s->stride);
    s->base = table_base(s, upper ? cpu->sys.ttbr1[el] : cpu->sys.ttbr0[el]);
    /* bits between the input size and the top must all be the half's */
    unsigned top = top_ignored(cpu, w, va) ? 56 : 64;
    uint64_t between = va >> s->in_bits & mask64(top - s->in_bits);
    return between == (upper ? mask64(top - s->in_bits) : 0);
}

/* What AP, XN and the controls allow; `writable`: as if a dirty update were made. */
static void stage1_permissions(const A64Cpu *cpu, const A64Walk *w, const Leaf *l, bool writable,
                               TcgTlbFill *fill)
{
    uint64_t sctlr = cpu->sys.sctlr[a64_regime_level(w->regime)];
    bool wxn = sctlr & SCTLR_WXN;
    bool write = (!(l->desc & BIT(7)) || writable) && !l->no_write;
    if (!two_ranges(w->regime)) {
        fill->read = true;
        fill->write = write;
        fill->exec = !(l->desc & BIT(54)) && !l->uxn && !(write && wxn);
        return;
    }
    bool user = (l->desc & BIT(6)) && !l->no_user;
    bool ux = !(l->desc & BIT(54)) && !l->uxn && !(user && write && wxn);
    bool px = !(l->desc & BIT(53)) && !l->pxn && !(user && write) && !(write && wxn);
    if (w->user) {
        fill->read = user;
        fill->write = user && write;
        fill->exec = ux;
        return;
    }
    bool epan = a64_has(cpu, A64_FEAT_PAN3) && (sctlr & SCTLR_EPAN);
    bool blocked = w->pan && (user || (epan && ux));
    fill->read = !blocked;
    fill->write = write && !blocked;
    fill->exec = px;
}

static bool allowed(const TcgTlbFill *fill, TcgAccess access)
{
    return access == TCG_WRITE ? fill->write : access == TCG_FETCH ? fill->exec : fill->read;
}

/* One try of stage 1 with tables; out->pa is the intermediate address. */
static bool stage1_try(A64Cpu *cpu, const A64Walk *w, uint64_t va, A64Found *out, A64Fault *f,
                       bool *again)
{
    Stage s;
    Leaf l;
    uint64_t at;
    TcgTlbFill *fill = &out->fill;
    *again = false;
    if (!stage1_params(cpu, w, va, &s)) {
        return refuse(f, TRANSLATION, 0);
    }
    if (!find_leaf(cpu, w, &s, va, &l, &at, f)) {
        return false;
    }
    uint64_t want = l.desc;
    if (!(l.desc & BIT(10))) {
        if (!s.ha) {
            return refuse(f, ACCESS_FLAG, l.level);
        }
        want |= BIT(10);
    }
    bool make_dirty = s.hd && (l.desc & BIT(51)) && (l.desc & BIT(7)) && w->access == TCG_WRITE;
    stage1_permissions(cpu, w, &l, make_dirty, fill);
    if (!allowed(fill, w->access)) {
        return refuse(f, PERMISSION, l.level);
    }
    if (make_dirty) {
        want &= ~BIT(7);
    }
    if (want != l.desc) {
        /* the table must be writable in stage 2 */
        if (!entry_address(cpu, w, &s, &l.at_ipa, true, f)) {
            return false;
        }
        if (!update(cpu, w, &s, at, l.desc, want, f)) {
            *again = f->fsc == 0;
            return false;
        }
    }
    uint64_t mair = cpu->sys.mair[a64_regime_level(w->regime)];
    out->attr = (uint8_t)(mair >> (8 * (l.desc >> 2 & 7)));
    out->sh = s.ds ? s.sh & 3 : l.desc >> 8 & 3;
    out->pa = l.oa;
    fill->device = (out->attr & 0xf0) == 0;
    fill->page_bits = (uint8_t)l.bits;
    fill->global = two_ranges(w->regime) ? !(l.desc & BIT(11)) : true;
    fill->guarded = a64_has(cpu, A64_FEAT_BTI) && (l.desc & BIT(50));
    fill->secure = w->secure && !l.ns;
    return true;
}

/* Stage 1 off: the address is its own translation. */
static bool stage1_off(const A64Cpu *cpu, const A64Walk *w, uint64_t va, A64Found *out, A64Fault *f)
{
    bool cached = w->regime == REGIME_EL10 && (a64_hcr(cpu) & HCR_DC);
    if (top_ignored(cpu, w, va)) {
        va &= ~0ull >> 8;
    }
    if (va >> cpu->sys.pa_bits) {
        return refuse(f, ADDRESS_SIZE, 0);
    }
    out->pa = va;
    out->attr = cached ? 0xff : w->access == TCG_FETCH ? 0xaa : 0;
    out->sh = cached ? 0 : 2;
    out->fill = (TcgTlbFill){.page_bits = 12,
                             .read = true,
                             .write = true,
                             .exec = true,
                             .global = true,
                             .device = !cached && w->access != TCG_FETCH,
                             .secure = w->secure};
    return true;
}

/* ---- both ---- */

static bool stage1_walk(A64Cpu *cpu, const A64Walk *w, uint64_t va, A64Found *out, A64Fault *f)
{
    bool again = true;
    if (!w->stage1) {
        return stage1_off(cpu, w, va, out, f);
    }
    for (unsigned n = 0; n < MAX_TRIES && again; n++) {
        *f = (A64Fault){0};
        if (stage1_try(cpu, w, va, out, f, &again)) {
            return true;
        }
    }
    if (again) {
        f->fsc = 0x31;
    }
    return false;
}

bool a64_mmu_walk(A64Cpu *cpu, const A64Walk *w, uint64_t va, A64Found *out, A64Fault *fault)
{
    *fault = (A64Fault){0};
    *out = (A64Found){0};
    if (!stage1_walk(cpu, w, va, out, fault)) {
        return false;
    }
    TcgTlbFill *fill = &out->fill;
    if (w->stage2 && !w->stage1_only) {
        A64Found second = {0};
        if (!stage2_walk(cpu, w, out->pa, false, w->access == TCG_WRITE, &second, fault)) {
            return false;
        }
        fill->read &= second.fill.read;
        fill->write &= second.fill.write;
        fill->exec &= second.fill.exec;
        fill->device |= second.fill.device;
        fill->secure &= second.fill.secure;
        if (second.fill.page_bits < fill->page_bits) {
            fill->page_bits = second.fill.page_bits;
        }
        out->pa = second.pa;
        out->attr = combined_attr(cpu, out->attr, second.attr);
    }
    fill->gpa_page = out->pa & ~0xfffull;
    return true;
}
