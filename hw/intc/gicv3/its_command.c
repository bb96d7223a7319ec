/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GICv3 ITS: tables and commands (IHI 0069, "ITS commands", "ITS translation tables").
 *
 * Entries of our tables, eight bytes each, whose layout is the implementation's:
 *   device      bit 63 valid, [62:58] event bits less one, [51:8] address of its translation table
 *   collection  bit 63 valid, [15:0] processor number
 *   translation bit 63 valid, [47:32] collection, [23:0] INTID
 *
 * A command that names what is not there is skipped, and counted as an error of the guest.
 */
#include "hw/intc/gicv3/its.h"

#define VALID (1ull << 63)
#define BASER_VALID (1ull << 63)
#define BASER_INDIRECT (1ull << 62)
#define LEVEL1_MASK 0x000ffffffffff000ull
#define ITT_MASK 0x000fffffffffff00ull
#define CBASER_MASK 0x000ffffffffff000ull

typedef struct Ite {
    uint32_t intid, collection;
} Ite;

/* ---- tables */

/* Page size of a GITS_BASER, and its address: with 64 KiB pages bits [15:12] are [51:48]. */
static uint64_t page_bytes(uint64_t baser)
{
    static const uint32_t sizes[4] = {4096, 16384, 65536, 65536};

    return sizes[baser >> 8 & 3];
}

static uint64_t table_address(uint64_t baser)
{
    if (page_bytes(baser) == 65536) {
        return (baser & 0x0000ffffffff0000ull) | (baser >> 12 & 0xf) << 48;
    }
    return baser & 0x0000fffffffff000ull;
}

/* Where entry `index` of a table is; false: outside, or its level-1 entry is not valid. */
static bool entry_address(Its *s, ItsTable table, uint32_t index, uint64_t *gpa)
{
    uint64_t baser = s->baser[table], page = page_bytes(baser), base = table_address(baser);
    uint64_t total = ((baser & 0xff) + 1) * page, entry = ITS_DTE_BYTES;

    if (!(baser & BASER_VALID)) {
        return false;
    }
    if (!(baser & BASER_INDIRECT)) {
        *gpa = base + index * entry;
        return index < total / entry;
    }
    uint64_t per_page = page / entry, slot = index / per_page;
    uint8_t b[8];
    if (slot >= total / 8 || !gicv3_ram_read(s->gic, base + slot * 8, b, sizeof b)) {
        return false;
    }
    uint64_t level1 = load_le64(b);
    *gpa = (level1 & LEVEL1_MASK) + index % per_page * entry;
    return level1 & VALID;
}

static bool read_entry(Its *s, uint64_t gpa, uint64_t *v)
{
    uint8_t b[8];

    if (!gicv3_ram_read(s->gic, gpa, b, sizeof b)) {
        return false;
    }
    *v = load_le64(b);
    return *v & VALID;
}

static bool write_entry(Its *s, uint64_t gpa, uint64_t v)
{
    uint8_t b[8];

    store_le64(b, v);
    return gicv3_ram_write(s->gic, gpa, b, sizeof b);
}

/* Where the translation of an event is. */
static bool ite_address(Its *s, uint32_t device, uint32_t event, uint64_t *gpa)
{
    uint64_t dte;

    if (!entry_address(s, ITS_DEVICES, device, gpa) || !read_entry(s, *gpa, &dte) ||
        (uint64_t)event >> ((dte >> 58 & 0x1f) + 1)) {
        return false;
    }
    *gpa = (dte & ITT_MASK) + (uint64_t)event * ITS_ITE_BYTES;
    return true;
}

static bool find_ite(Its *s, uint32_t device, uint32_t event, uint64_t *gpa, Ite *ite)
{
    uint64_t v;

    if (!ite_address(s, device, event, gpa) || !read_entry(s, *gpa, &v)) {
        return false;
    }
    *ite = (Ite){.intid = v & 0xffffff, .collection = v >> 32 & 0xffff};
    return true;
}

/* The CPU of a collection. */
static bool find_cpu(Its *s, uint32_t collection, unsigned *cpu)
{
    uint64_t gpa, cte;

    if (!entry_address(s, ITS_COLLECTIONS, collection, &gpa) || !read_entry(s, gpa, &cte)) {
        return false;
    }
    *cpu = cte & 0xffff;
    return *cpu < s->gic->n_cpus;
}

/* ---- events */

static bool pend(Its *s, uint32_t device, uint32_t event, bool pending)
{
    uint64_t gpa;
    unsigned cpu;
    Ite ite;

    if (!find_ite(s, device, event, &gpa, &ite) || !find_cpu(s, ite.collection, &cpu)) {
        return false;
    }
    gicv3_lpi_set(s->gic, cpu, ite.intid, pending);
    gicv3_update_cpu(s->gic, cpu);
    return true;
}

void its_translate(Its *s, uint32_t device, uint32_t event)
{
    if (!pend(s, device, event, true)) {
        device_guest_error(&s->dev, "MSI %u of device 0x%x has no translation", event, device);
    }
}

/* ---- commands. w: the four doublewords; false: it names what is not there */

static uint32_t device_of(const uint64_t w[4])
{
    return (uint32_t)(w[0] >> 32);
}

static uint32_t event_of(const uint64_t w[4])
{
    return (uint32_t)w[1];
}

static bool do_mapd(Its *s, const uint64_t w[4])
{
    uint64_t gpa, event_bits = w[1] & 0x1f;

    if (!entry_address(s, ITS_DEVICES, device_of(w), &gpa) || event_bits >= ITS_EVENT_BITS) {
        return false;
    }
    return write_entry(s, gpa, w[2] & VALID ? VALID | event_bits << 58 | (w[2] & ITT_MASK) : 0);
}

static bool do_mapc(Its *s, const uint64_t w[4])
{
    uint32_t cpu = w[2] >> 16 & 0xffff;
    uint64_t gpa;

    if (!entry_address(s, ITS_COLLECTIONS, w[2] & 0xffff, &gpa)) {
        return false;
    }
    if (w[2] & VALID && cpu >= s->gic->n_cpus) {
        return false;
    }
    return write_entry(s, gpa, w[2] & VALID ? VALID | cpu : 0);
}

static bool map(Its *s, const uint64_t w[4], uint32_t intid)
{
    uint64_t gpa;

    if (intid < GICV3_FIRST_LPI || intid >= GICV3_N_INTIDS ||
        !ite_address(s, device_of(w), event_of(w), &gpa)) {
        return false;
    }
    return write_entry(s, gpa, VALID | (w[2] & 0xffff) << 32 | intid);
}

static bool do_mapti(Its *s, const uint64_t w[4])
{
    return map(s, w, (uint32_t)(w[1] >> 32));
}

static bool do_mapi(Its *s, const uint64_t w[4])
{
    return map(s, w, event_of(w));
}

static bool do_movi(Its *s, const uint64_t w[4])
{
    uint32_t to = w[2] & 0xffff;
    unsigned cpu, new_cpu;
    uint64_t gpa;
    Ite ite;

    if (!find_ite(s, device_of(w), event_of(w), &gpa, &ite) || !find_cpu(s, ite.collection, &cpu) ||
        !find_cpu(s, to, &new_cpu)) {
        return false;
    }
    if (gicv3_lpi_is_pending(&s->gic->cpu[cpu], ite.intid)) {
        gicv3_lpi_set(s->gic, cpu, ite.intid, false);
        gicv3_lpi_set(s->gic, new_cpu, ite.intid, true);
        gicv3_update_cpu(s->gic, cpu);
        gicv3_update_cpu(s->gic, new_cpu);
    }
    return write_entry(s, gpa, VALID | (uint64_t)to << 32 | ite.intid);
}

static bool do_discard(Its *s, const uint64_t w[4])
{
    uint64_t gpa;
    Ite ite;

    pend(s, device_of(w), event_of(w), false);
    return find_ite(s, device_of(w), event_of(w), &gpa, &ite) && write_entry(s, gpa, 0);
}

static bool do_int(Its *s, const uint64_t w[4])
{
    return pend(s, device_of(w), event_of(w), true);
}

static bool do_clear(Its *s, const uint64_t w[4])
{
    return pend(s, device_of(w), event_of(w), false);
}

static bool do_inv(Its *s, const uint64_t w[4])
{
    unsigned cpu;
    uint64_t gpa;
    Ite ite;

    if (!find_ite(s, device_of(w), event_of(w), &gpa, &ite) || !find_cpu(s, ite.collection, &cpu)) {
        return false;
    }
    gicv3_lpi_reload(s->gic, cpu, ite.intid);
    gicv3_update_cpu(s->gic, cpu);
    return true;
}

static bool do_invall(Its *s, const uint64_t w[4])
{
    unsigned cpu;

    if (!find_cpu(s, w[2] & 0xffff, &cpu)) {
        return false;
    }
    gicv3_lpi_reload_all(s->gic, cpu);
    gicv3_update_cpu(s->gic, cpu);
    return true;
}

static bool do_movall(Its *s, const uint64_t w[4])
{
    uint32_t from = w[2] >> 16 & 0xffff, to = w[3] >> 16 & 0xffff;

    if (from >= s->gic->n_cpus || to >= s->gic->n_cpus) {
        return false;
    }
    gicv3_lpi_move_all(s->gic, from, to);
    gicv3_update_cpu(s->gic, from);
    gicv3_update_cpu(s->gic, to);
    return true;
}

/* Effects are there when a command is done. */
static bool do_sync(Its *s, const uint64_t w[4])
{
    (void)s;
    (void)w;
    return true;
}

static const struct {
    uint8_t number;
    const char *name;
    bool (*run)(Its *s, const uint64_t w[4]);
} commands[] = {
    {0x01, "MOVI", do_movi},     {0x03, "INT", do_int},       {0x04, "CLEAR", do_clear},
    {0x05, "SYNC", do_sync},     {0x08, "MAPD", do_mapd},     {0x09, "MAPC", do_mapc},
    {0x0a, "MAPTI", do_mapti},   {0x0b, "MAPI", do_mapi},     {0x0c, "INV", do_inv},
    {0x0d, "INVALL", do_invall}, {0x0e, "MOVALL", do_movall}, {0x0f, "DISCARD", do_discard},
};

static void run_command(Its *s, const uint64_t w[4])
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (commands[i].number == (w[0] & 0xff)) {
            if (!commands[i].run(s, w)) {
                device_guest_error(&s->dev, "%s for device 0x%x, event 0x%x: no such thing mapped",
                                   commands[i].name, device_of(w), event_of(w));
            }
            return;
        }
    }
    device_guest_error(&s->dev, "unknown command 0x%02x", (unsigned)(w[0] & 0xff));
}

/* At most one round of the queue: nobody can move GITS_CWRITER while we hold the lock. */
void its_run(Its *s)
{
    uint64_t size = ((s->cbaser & 0xff) + 1) * 4096, base = s->cbaser & CBASER_MASK;

    if (!(s->ctlr & 1) || !(s->cbaser & VALID) || s->cwriter >= size || s->creadr >= size) {
        return;
    }
    while (s->creadr != s->cwriter) {
        uint8_t b[ITS_COMMAND_BYTES];
        uint64_t w[4];
        if (!gicv3_ram_read(s->gic, base + s->creadr, b, sizeof b)) {
            device_guest_error(&s->dev, "command queue is not in RAM");
            s->creadr = s->cwriter;
            return;
        }
        for (unsigned i = 0; i < 4; i++) {
            w[i] = load_le64(b + 8 * i);
        }
        run_command(s, w);
        s->creadr = (s->creadr + ITS_COMMAND_BYTES) % size;
    }
}
