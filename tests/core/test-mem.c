/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory: flattening, transactions, listeners, accessors, MMIO dispatch, dirty pages, DMA, and
 * readers beside a thread that changes the map. */
#include <glib.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "core/machine.h"

enum { RAM_BYTES = 1 << 20 };
static const MemAttrs cpu = {.cpu = 1};

typedef struct Fixture {
    Machine *m;
    MemRegion ram;
    MemRegion io;
    MemIo ops;
    uint64_t last_offset, last_value;
    unsigned last_bytes, calls;
    bool reenter;
    MemResult inner;
} Fixture;

static MemResult io_read(void *opaque, uint64_t offset, unsigned bytes, uint64_t *value,
                         MemAttrs attrs)
{
    Fixture *f = opaque;
    uint64_t v;

    (void)attrs;
    f->last_offset = offset;
    f->last_bytes = bytes;
    f->calls++;
    *value = 0x8877665544332211u >> 8 * (offset & 7);
    if (f->reenter) {
        f->inner = mem_load_le64(f->m->as, 0x200000, &v, cpu);
    }
    return MEM_OK;
}

static MemResult io_write(void *opaque, uint64_t offset, unsigned bytes, uint64_t value,
                          MemAttrs attrs)
{
    Fixture *f = opaque;

    (void)attrs;
    f->last_offset = offset;
    f->last_bytes = bytes;
    f->last_value = value;
    f->calls++;
    return MEM_OK;
}

static void set_up(Fixture *f, gconstpointer data)
{
    Error err = {""};

    (void)data;
    memset(f, 0, sizeof *f);
    f->ops = (MemIo){.read = io_read, .write = io_write};
    f->m = machine_new("test", &err);
    machine_lock(f->m);
    g_assert_true(mem_region_init_ram(&f->ram, f->m, "ram", RAM_BYTES, &err));
    mem_region_init_io(&f->io, "io", 0x1000, &f->ops, f);
    mem_begin(f->m);
    mem_add(&f->m->system, 0, &f->ram, 0);
    mem_add(&f->m->system, 0x200000, &f->io, 0);
    mem_commit(f->m);
}

static void tear_down(Fixture *f, gconstpointer data)
{
    (void)data;
    mem_region_destroy(f->m, &f->ram);
    mem_region_destroy(f->m, &f->io);
    machine_unlock(f->m);
    machine_free(f->m);
}

static void test_values(Fixture *f, gconstpointer data)
{
    AddressSpace *as = f->m->as;
    uint64_t v = 0;
    uint32_t w = 0;
    uint16_t h = 0;
    uint8_t buf[16];

    (void)data;
    g_assert_cmpint(mem_store_le64(as, 0x100, 0x1122334455667788, cpu), ==, MEM_OK);
    g_assert_cmpint(mem_load_le64(as, 0x100, &v, cpu), ==, MEM_OK);
    g_assert_cmphex(v, ==, 0x1122334455667788);
    g_assert_cmpint(mem_load_le32(as, 0x104, &w, cpu), ==, MEM_OK);
    g_assert_cmphex(w, ==, 0x11223344);
    g_assert_cmpint(mem_load_le16(as, 0x103, &h, cpu), ==, MEM_OK); /* unaligned */
    g_assert_cmphex(h, ==, 0x4455);
    g_assert_cmpint(mem_store_le16(as, RAM_BYTES - 2, 0xabcd, cpu), ==, MEM_OK);
    g_assert_cmpint(mem_store_le32(as, RAM_BYTES - 2, 1, cpu), ==, MEM_NOTHING); /* over the end */
    g_assert_cmpint(mem_load_le64(as, UINT64_MAX - 3, &v, cpu), ==, MEM_NOTHING);
    g_assert_cmpint(mem_read(as, RAM_BYTES - 4, buf, sizeof buf, cpu), ==, MEM_NOTHING);
    g_assert_cmpint(mem_fill(as, 0x8000, 0x5a, 0x3000, cpu), ==, MEM_OK);
    g_assert_cmpint(mem_load_le64(as, 0xaff8, &v, cpu), ==, MEM_OK);
    g_assert_cmphex(v, ==, 0x5a5a5a5a5a5a5a5a);
}

static void test_cas(Fixture *f, gconstpointer data)
{
    AddressSpace *as = f->m->as;
    uint64_t expected = 5;
    bool swapped = true;

    (void)data;
    mem_store_le64(as, 0x40, 7, cpu);
    g_assert_cmpint(mem_cas_le64(as, 0x40, &expected, 9, &swapped, cpu), ==, MEM_OK);
    g_assert_false(swapped);
    g_assert_cmpuint(expected, ==, 7);
    g_assert_cmpint(mem_cas_le64(as, 0x40, &expected, 9, &swapped, cpu), ==, MEM_OK);
    g_assert_true(swapped);
    g_assert_cmpint(mem_cas_le64(as, 0x44, &expected, 9, &swapped, cpu), ==, MEM_ERROR);
    g_assert_cmpint(mem_cas_le64(as, 0x200000, &expected, 9, &swapped, cpu), ==, MEM_ERROR);
}

static void test_mmio(Fixture *f, gconstpointer data)
{
    AddressSpace *as = f->m->as;
    uint64_t v;
    uint32_t w;

    (void)data;
    g_assert_cmpint(mem_load_le64(as, 0x200008, &v, cpu), ==, MEM_OK);
    g_assert_cmphex(v, ==, 0x8877665544332211);
    g_assert_cmpuint(f->last_bytes, ==, 8);
    g_assert_cmpint(mem_store_le32(as, 0x200ffc, 0xdeadbeef, cpu), ==, MEM_OK);
    g_assert_cmphex(f->last_offset, ==, 0xffc);
    g_assert_cmphex(f->last_value, ==, 0xdeadbeef);
    /* A width the region does not take, refused, then split. */
    f->ops.max_bytes = 4;
    g_assert_cmpint(mem_io_read(f->m, &f->io, 0, 8, &v, cpu), ==, MEM_ERROR);
    f->ops.split = true;
    f->calls = 0;
    g_assert_cmpint(mem_io_read(f->m, &f->io, 0, 8, &v, cpu), ==, MEM_OK);
    g_assert_cmphex(v, ==, 0x8877665544332211);
    g_assert_cmpuint(f->calls, ==, 2);
    /* Narrower than it takes: widened. */
    f->ops.min_bytes = 4;
    g_assert_cmpint(mem_io_read(f->m, &f->io, 6, 1, &v, cpu), ==, MEM_OK);
    g_assert_cmphex(v, ==, 0x77);
    g_assert_cmpuint(f->last_bytes, ==, 4);
    g_assert_cmpint(mem_io_write(f->m, &f->io, 6, 1, 0xaa, cpu), ==, MEM_OK);
    g_assert_cmphex(f->last_value, ==, 0xaa0000);
    /* Unaligned over two words. */
    g_assert_cmpint(mem_io_read(f->m, &f->io, 2, 4, &v, cpu), ==, MEM_OK);
    g_assert_cmphex(v, ==, 0x66554433);
    /* Without side effects only if the region says so. */
    g_assert_cmpint(mem_load_le32(as, 0x200000, &w, MEM_ATTRS_DEBUG), ==, MEM_ERROR);
}

static void test_reentry(Fixture *f, gconstpointer data)
{
    uint64_t v;

    (void)data;
    f->reenter = true;
    f->inner = MEM_OK;
    g_assert_cmpint(mem_load_le64(f->m->as, 0x200000, &v, cpu), ==, MEM_OK);
    g_assert_cmpint(f->inner, ==, MEM_BUSY);
}

static void test_overlap(Fixture *f, gconstpointer data)
{
    MemRegion box, low, high, window;
    MemRange r;
    uint32_t w;
    Error err = {""};

    (void)data;
    mem_region_init_container(&box, "box", 0x10000);
    g_assert_true(mem_region_init_ram(&low, f->m, "low", 0x10000, &err));
    g_assert_true(mem_region_init_rom(&high, f->m, "high", 0x1000, &err));
    mem_region_init_alias(&window, "window", &box, 0x1800, 0x1000);
    mem_begin(f->m);
    mem_add(&box, 0, &low, 0);
    mem_add(&box, 0x2000, &high, 1);
    mem_add(&f->m->system, 0x1000000, &box, 0);
    mem_add(&f->m->system, 0x2000000, &window, 0);
    mem_commit(f->m);
    g_assert_true(mem_find(f->m->as, 0x1001fff, &r));
    g_assert_true(r.region == &low && r.last == 0x1001fff);
    g_assert_true(mem_find(f->m->as, 0x1002000, &r));
    g_assert_true(r.region == &high && !r.writable);
    g_assert_true(mem_find(f->m->as, 0x1003000, &r));
    g_assert_true(r.region == &low && r.region_offset == 0x3000);
    g_assert_true(mem_find(f->m->as, 0x2000800, &r)); /* box 0x2000 through the window */
    g_assert_true(r.region == &high && r.region_offset == 0 && r.last == 0x2000fff);
    g_assert_false(mem_find(f->m->as, 0x2001000, &r));
    /* ROM ignores the guest and obeys the loader. */
    g_assert_cmpint(mem_store_le32(f->m->as, 0x1002000, 1, cpu), ==, MEM_OK);
    mem_load_le32(f->m->as, 0x1002000, &w, cpu);
    g_assert_cmpuint(w, ==, 0);
    g_assert_cmpint(mem_store_le32(f->m->as, 0x1002000, 1, MEM_ATTRS_DEBUG), ==, MEM_OK);
    mem_load_le32(f->m->as, 0x2000800, &w, cpu);
    g_assert_cmpuint(w, ==, 1);
    mem_set_enabled(f->m, &high, false);
    g_assert_true(mem_find(f->m->as, 0x1002000, &r));
    g_assert_true(r.region == &low && r.start == 0x1000000 && r.last == 0x100ffff);
    mem_set_offset(f->m, &box, 0x3000000);
    g_assert_false(mem_find(f->m->as, 0x1000000, &r));
    g_assert_true(mem_find(f->m->as, 0x3000000, &r));
    mem_begin(f->m);
    mem_remove(&window);
    mem_remove(&box);
    mem_commit(f->m);
    mem_region_destroy(f->m, &low);
    mem_region_destroy(f->m, &high);
}

static void test_romd(Fixture *f, gconstpointer data)
{
    MemRegion flash;
    uint32_t w;
    Error err = {""};

    (void)data;
    g_assert_true(mem_region_init_romd(&flash, f->m, "flash", 0x10000, &f->ops, f, &err));
    mem_begin(f->m);
    mem_add(&f->m->system, 0x4000000, &flash, 0);
    mem_commit(f->m);
    f->calls = 0;
    mem_load_le32(f->m->as, 0x4000000, &w, cpu);
    g_assert_cmpuint(f->calls, ==, 0);
    mem_store_le32(f->m->as, 0x4000000, 0x90, cpu);
    g_assert_cmpuint(f->calls, ==, 1);
    mem_set_romd(f->m, &flash, false);
    mem_load_le32(f->m->as, 0x4000000, &w, cpu);
    g_assert_cmpuint(f->calls, ==, 2);
    g_assert_cmphex(w, ==, 0x44332211);
    mem_region_destroy(f->m, &flash);
}

static void test_top_of_memory(Fixture *f, gconstpointer data)
{
    MemRegion top;
    MemRange r;
    uint8_t b = 0;

    (void)data;
    mem_region_init_io(&top, "top", 0x1000, &f->ops, f);
    mem_begin(f->m);
    mem_add(&f->m->system, -(uint64_t)0x1000, &top, 0);
    mem_commit(f->m);
    g_assert_true(mem_find(f->m->as, UINT64_MAX, &r));
    g_assert_true(r.last == UINT64_MAX);
    g_assert_cmpint(mem_read(f->m->as, UINT64_MAX, &b, 1, cpu), ==, MEM_OK);
    g_assert_cmphex(b, ==, 0x88);
    mem_region_destroy(f->m, &top);
}

/* ---- listeners ---- */

typedef struct Seen {
    MemListener l;
    unsigned adds, dels, commits, writes;
} Seen;

static void seen_add(MemListener *l, const MemRange *r)
{
    (void)r;
    ((Seen *)l)->adds++;
}

static void seen_del(MemListener *l, const MemRange *r)
{
    (void)r;
    ((Seen *)l)->dels++;
}

static void seen_commit(MemListener *l)
{
    ((Seen *)l)->commits++;
}

static void seen_written(MemListener *l, RamBlock *ram, uint64_t offset, uint64_t bytes)
{
    (void)ram;
    (void)offset;
    (void)bytes;
    ((Seen *)l)->writes++;
}

static void test_listener(Fixture *f, gconstpointer data)
{
    Seen s = {.l = {.as = f->m->as,
                    .range_add = seen_add,
                    .range_del = seen_del,
                    .commit = seen_commit,
                    .ram_written = seen_written}};
    MemRegion extra;

    (void)data;
    mem_listener_add(f->m, &s.l);
    g_assert_cmpuint(s.adds, ==, 2);
    g_assert_cmpuint(s.commits, ==, 1);
    mem_region_init_io(&extra, "extra", 0x1000, &f->ops, f);
    mem_begin(f->m);
    mem_begin(f->m); /* nested: one commit */
    mem_add(&f->m->system, 0x1000, &extra, 1);
    mem_commit(f->m);
    g_assert_cmpuint(s.commits, ==, 1);
    mem_commit(f->m);
    g_assert_cmpuint(s.commits, ==, 2);
    g_assert_cmpuint(s.dels, ==, 1); /* ram is cut in two */
    g_assert_cmpuint(s.adds, ==, 2 + 3);
    mem_set_enabled(f->m, &f->m->io, true); /* no change: nobody is told */
    g_assert_cmpuint(s.commits, ==, 2);
    mem_region_destroy(f->m, &extra);
    mem_store_le32(f->m->as, 0x5000, 1, cpu);
    g_assert_cmpuint(s.writes, ==, 0);
    f->ram.ram->code[0] |= 1u << 5;
    mem_store_le32(f->m->as, 0x4ffc, 1, cpu);
    g_assert_cmpuint(s.writes, ==, 0);
    mem_store_le32(f->m->as, 0x5000, 1, cpu);
    g_assert_cmpuint(s.writes, ==, 1);
    mem_listener_remove(f->m, &s.l);
}

static void test_dirty(Fixture *f, gconstpointer data)
{
    RamBlock *ram = f->ram.ram;

    (void)data;
    ram_dirty_start(f->m, ram, DIRTY_MIGRATION);
    g_assert_true(ram_dirty_test_clear(ram, DIRTY_MIGRATION, 0, RAM_BYTES)); /* all at first */
    g_assert_false(ram_dirty_test_clear(ram, DIRTY_MIGRATION, 0, RAM_BYTES));
    mem_fill(f->m->as, 0x3fff, 1, 0x1002, cpu); /* three pages */
    g_assert_false(ram_dirty_test_clear(ram, DIRTY_MIGRATION, 0, 0x3000));
    g_assert_true(ram_dirty_test_clear(ram, DIRTY_MIGRATION, 0x3000, 1));
    g_assert_true(ram_dirty_test_clear(ram, DIRTY_MIGRATION, 0x4000, 1));
    g_assert_true(ram_dirty_test_clear(ram, DIRTY_MIGRATION, 0x5000, 1));
    g_assert_false(ram_dirty_test_clear(ram, DIRTY_MIGRATION, 0, RAM_BYTES));
    g_assert_false(ram_dirty_test_clear(ram, DIRTY_DISPLAY, 0, RAM_BYTES));
    g_assert_false(ram_dirty_test_clear(ram, DIRTY_MIGRATION, RAM_BYTES, 4));
}

static void test_dma(Fixture *f, gconstpointer data)
{
    struct iovec iov[4];
    MemRegion more;
    Error err = {""};
    int n;

    (void)data;
    ram_dirty_start(f->m, f->ram.ram, DIRTY_MIGRATION);
    ram_dirty_test_clear(f->ram.ram, DIRTY_MIGRATION, 0, RAM_BYTES);
    g_assert_cmpuint(dma_map(f->m->as, 0x2000, 0x3000, true, iov, 4, &n), ==, 0x3000);
    g_assert_cmpint(n, ==, 1);
    g_assert_true(ram_of_host(f->m, iov[0].iov_base) == f->ram.ram);
    dma_unmap(f->m->as, iov, n, true, 0x1001);
    g_assert_true(ram_dirty_test_clear(f->ram.ram, DIRTY_MIGRATION, 0x3000, 1));
    g_assert_false(ram_dirty_test_clear(f->ram.ram, DIRTY_MIGRATION, 0x4000, 1));
    /* Over the end, into MMIO, into nothing. */
    g_assert_cmpuint(dma_map(f->m->as, RAM_BYTES - 16, 64, false, iov, 4, &n), ==, 16);
    dma_unmap(f->m->as, iov, n, false, 0);
    g_assert_cmpuint(dma_map(f->m->as, 0x200000, 64, false, iov, 4, &n), ==, 0);
    g_assert_cmpuint(dma_map(f->m->as, UINT64_MAX - 3, 64, false, iov, 4, &n), ==, 0);
    /* Two blocks beside each other; no room for the second piece; memory that goes meanwhile. */
    g_assert_true(mem_region_init_ram(&more, f->m, "more", 0x1000, &err));
    mem_begin(f->m);
    mem_add(&f->m->system, RAM_BYTES, &more, 0);
    mem_commit(f->m);
    g_assert_cmpuint(dma_map(f->m->as, RAM_BYTES - 16, 64, true, iov, 4, &n), ==, 64);
    g_assert_cmpint(n, ==, 2);
    mem_region_destroy(f->m, &more);
    memset(iov[1].iov_base, 0x11, iov[1].iov_len);
    dma_unmap(f->m->as, iov, n, true, 64);
    g_assert_cmpuint(dma_map(f->m->as, RAM_BYTES - 16, 64, true, iov, 1, &n), ==, 16);
    dma_unmap(f->m->as, iov, n, true, 0);
}

/* ---- readers beside commits ---- */

typedef struct Storm {
    Fixture *f;
    atomic_bool stop;
    atomic_ulong reads;
} Storm;

static void *storm_reader(void *opaque)
{
    Storm *s = opaque;
    uint64_t v;

    while (!atomic_load(&s->stop)) {
        MemResult r = mem_load_le64(s->f->m->as, 0x10000, &v, cpu);

        g_assert_true(r == MEM_OK && v == 0x0123456789abcdef);
        atomic_fetch_add(&s->reads, 1);
    }
    return NULL;
}

static void test_storm(Fixture *f, gconstpointer data)
{
    Storm s = {.f = f};
    MemRegion mover;
    pthread_t t[2];

    (void)data;
    mem_store_le64(f->m->as, 0x10000, 0x0123456789abcdef, cpu);
    mem_region_init_io(&mover, "mover", 0x1000, &f->ops, f);
    mem_begin(f->m);
    mem_add(&f->m->system, 0x300000, &mover, 0);
    mem_commit(f->m);
    for (int i = 0; i < 2; i++) {
        pthread_create(&t[i], NULL, storm_reader, &s);
    }
    for (unsigned i = 0; i < 3000 || atomic_load(&s.reads) < 10000; i++) {
        mem_set_offset(f->m, &mover, 0x300000 + (i & 1023) * 0x1000);
        if (i % 64 == 0) {
            g_usleep(10);
        }
    }
    atomic_store(&s.stop, true);
    for (int i = 0; i < 2; i++) {
        pthread_join(t[i], NULL);
    }
    mem_region_destroy(f->m, &mover);
}

static void count_line(void *opaque, const char *line)
{
    (void)line;
    ++*(unsigned *)opaque;
}

static void test_print(Fixture *f, gconstpointer data)
{
    unsigned lines = 0;

    (void)data;
    mem_print(f->m, true, count_line, &lines);
    g_assert_cmpuint(lines, ==, 4);
    mem_print(f->m, false, count_line, &lines);
    g_assert_cmpuint(lines, ==, 4 + 6);
}

static void test_speed(Fixture *f, gconstpointer data)
{
    enum { N = 5000000 };
    gint64 start = g_get_monotonic_time();
    uint64_t v;

    (void)data;
    for (unsigned i = 0; i < N; i++) {
        mem_load_le64(f->m->as, (i * 8) & (RAM_BYTES - 1), &v, cpu);
    }
    g_test_message("mem_load_le64: %.1f ns", (double)(g_get_monotonic_time() - start) * 1000 / N);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, fn) g_test_add("/core/mem/" name, Fixture, NULL, set_up, fn, tear_down)
    ADD("values", test_values);
    ADD("cas", test_cas);
    ADD("mmio", test_mmio);
    ADD("re-entry", test_reentry);
    ADD("overlap", test_overlap);
    ADD("romd", test_romd);
    ADD("top", test_top_of_memory);
    ADD("listener", test_listener);
    ADD("dirty", test_dirty);
    ADD("dma", test_dma);
    ADD("storm", test_storm);
    ADD("print", test_print);
    ADD("speed", test_speed);
#undef ADD
    return g_test_run();
}
