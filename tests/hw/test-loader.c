/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices loader and guest-loader: what memory, tree and CPUs have when the machine starts.
 */
#include <elf.h>
#include <string.h>
#include <unistd.h>

#include "hw/loader.h"
#include "tests/hw/board.h"
#include "util/bits.h"

static char *write_temp(const char *name, const void *data, size_t bytes)
{
    char *path = g_strdup_printf("%s/gemel-%d-%s", g_get_tmp_dir(), (int)getpid(), name);

    g_assert_true(g_file_set_contents(path, data, (gssize)bytes, NULL));
    return path;
}

static void drop_temp(char *path)
{
    unlink(path);
    g_free(path);
}

/* A device with properties "key=value" up to NULL, not yet realized. */
static Device *make(TestBoard *t, const DeviceClass *cls, const char *const *props)
{
    Device *d = device_new(t->m, cls, NULL);
    Error err = {0};

    for (; *props; props += 2) {
        bool ok = device_set(d, props[0], props[1], &err);
        g_assert_cmpstr(err.text, ==, "");
        g_assert_true(ok);
    }
    return d;
}

static void add(TestBoard *t, const DeviceClass *cls, const char *const *props)
{
    Error err = {0};
    bool ok = device_realize(make(t, cls, props), &err);

    g_assert_cmpstr(err.text, ==, "");
    g_assert_true(ok);
}

#define ADD(t, cls, ...) add(t, cls, (const char *const[]){__VA_ARGS__, NULL})

static void test_number(void)
{
    TestBoard *t = test_board_new("virt");

    test_board_build(t);
    ADD(t, &loader_class, "addr", "0x41000000", "data", "0x1122334455667788", "data-len", "8");
    ADD(t, &loader_class, "addr", "0x41000010", "data", "0x11223344", "data-len", "4", "data-be",
        "on");
    test_board_finish(t);
    g_assert_cmphex(test_read(t->m, 0, 0x41000000, 8), ==, 0x1122334455667788);
    g_assert_cmphex(test_read32(t->m, 0x41000010), ==, 0x44332211);
    /* a reset brings it back */
    test_write32(t->m, 0x41000010, 0);
    machine_reset(t->m, CAUSE_GUEST_RESET);
    g_assert_cmphex(test_read32(t->m, 0x41000010), ==, 0x44332211);
    test_board_free(t);
}

static void test_file(const void *board)
{
    TestBoard *t = test_board_new(board);
    char *path = write_temp("raw", "raw bytes", 9);
    uint64_t at = strcmp(board, "none") ? 0x41000000 : 0x1000;
    char *addr = g_strdup_printf("0x%llx", (unsigned long long)at);

    t->config.n_cpus = 2;
    test_board_build(t);
    ADD(t, &loader_class, "file", path, "addr", addr);
    ADD(t, &loader_class, "addr", addr, "cpu-num", "1");
    test_board_finish(t);
    g_assert_cmphex(test_read32(t->m, at), ==, 0x20776172);
    g_assert_cmphex(t->entry[1].pc, ==, at);
    g_assert_false(t->entry[1].kernel);
    test_board_free(t);
    drop_temp(path);
    g_free(addr);
}

/* One segment of 16 bytes in the file and 32 in memory, linked elsewhere; entry at its 8th byte. */
static void make_elf(uint8_t file[256])
{
    Elf64_Ehdr eh = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                     .e_type = ET_EXEC,
                     .e_machine = EM_AARCH64,
                     .e_version = EV_CURRENT,
                     .e_entry = 0xffff000000080008,
                     .e_phoff = sizeof eh,
                     .e_ehsize = sizeof eh,
                     .e_phentsize = sizeof(Elf64_Phdr),
                     .e_phnum = 1};
    Elf64_Phdr ph = {.p_type = PT_LOAD,
                     .p_offset = 200,
                     .p_vaddr = 0xffff000000080000,
                     .p_paddr = 0x42000000,
                     .p_filesz = 16,
                     .p_memsz = 32};

    memset(file, 0xee, 256);
    memcpy(file, &eh, sizeof eh);
    memcpy(file + sizeof eh, &ph, sizeof ph);
}

static void test_elf(void)
{
    TestBoard *t = test_board_new("virt");
    uint8_t file[256];

    make_elf(file);
    char *path = write_temp("elf", file, sizeof file);
    test_board_build(t);
    ADD(t, &loader_class, "file", path, "cpu-num", "0");
    ADD(t, &loader_class, "file", path, "addr", "0x43000000", "force-raw", "on");
    test_board_finish(t);
    g_assert_cmphex(test_read32(t->m, 0x4200000c), ==, 0xeeeeeeee);
    g_assert_cmphex(test_read32(t->m, 0x42000010), ==, 0);
    g_assert_cmphex(test_read32(t->m, 0x43000000), ==, 0x464c457f);
    g_assert_cmphex(t->entry[0].pc, ==, 0x42000008);
    test_board_free(t);
    drop_temp(path);
}

/* The tree that a hypervisor sees has the modules. */
static void test_guest(void)
{
    TestBoard *t = test_board_new("virt");
    char *kernel = write_temp("kernel", "the kernel", 10);
    char *initrd = write_temp("initrd", "the disk", 8);
    char *dump = write_temp("dtb", "", 0), *blob;
    size_t bytes;

    test_board_option(t, "dumpdtb", dump);
    test_board_build(t);
    ADD(t, &guest_loader_class, "addr", "0x44000000", "kernel", kernel, "bootargs", "console=hvc0");
    ADD(t, &guest_loader_class, "addr", "0x45000000", "initrd", initrd);
    test_board_finish(t);
    g_assert_true(g_file_get_contents(dump, &blob, &bytes, NULL));
    static const struct {
        const char *what;
        size_t bytes;
    } wanted[] = {
        {"module@44000000", 16},
        {"module@45000000", 16},
        {"multiboot,kernel\0multiboot,module", 34},
        {"multiboot,ramdisk\0multiboot,module", 35},
        {"\0\0\0\0\x44\0\0\0\0\0\0\0\0\0\0\x0a", 16},
        {"\0\0\0\0\x45\0\0\0\0\0\0\0\0\0\0\x08", 16},
        {"console=hvc0", 13},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++) {
        g_assert_nonnull(memmem(blob, bytes, wanted[i].what, wanted[i].bytes));
    }
    g_free(blob);
    test_board_free(t);
    drop_temp(kernel);
    drop_temp(initrd);
    drop_temp(dump);
}

static void test_refusals(void)
{
    static const struct {
        const DeviceClass *cls;
        const char *const props[7];
        const char *message;
    } rows[] = {
        {&loader_class, {"addr", "1"}, "needs file=, data="},
        {&loader_class, {"data", "1"}, "data= needs data-len="},
        {&loader_class, {"data-len", "9"}, "takes 1 to 8"},
        {&loader_class, {"file", "x", "data-len", "1"}, "use one"},
        {&loader_class, {"file", "/nothing/there"}, "/nothing/there: No such file"},
        {&loader_class, {"addr", "0x100000000000", "data-len", "8"}, "no memory for 0x8 bytes"},
        {&loader_class, {"addr", "0x4ffffffe", "data-len", "4"}, "no memory for 0x4 bytes"},
        {&loader_class, {"addr", "0x4ffffffc", "data-len", "4"}, NULL},
        {&loader_class, {"cpu-num", "1"}, "there are 1 CPUs"},
        {&guest_loader_class, {"kernel", "x"}, "addr"},
        {&guest_loader_class, {"addr", "1"}, "one of kernel= and initrd="},
        {&guest_loader_class, {"addr", "1", "kernel", "x", "initrd", "x"}, "one of kernel="},
        {&guest_loader_class, {"addr", "1", "initrd", "x", "bootargs", "x"}, "goes with kernel="},
        {&guest_loader_class, {"addr", "1", "kernel", "/nothing/there"}, "No such file"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        TestBoard *t = test_board_new("virt");
        Error err = {0};
        test_board_build(t);
        Device *d = make(t, rows[i].cls, rows[i].props);
        bool placed = device_realize(d, &err);
        bool ok = placed && t->config.desc->finish(t->board, &err);
        g_assert_cmpint(ok, ==, rows[i].message == NULL);
        if (!ok && !strstr(err.text, rows[i].message)) {
            g_error("row %zu: %s", i, err.text);
        }
        if (!placed) {
            device_unrealize(d);
        }
        test_board_free(t);
    }
}

/* Kernel and loader in the same place: both are named. */
static void test_overlap(void)
{
    TestBoard *t = test_board_new("virt");
    Error err = {0};

    test_board_build(t);
    ADD(t, &loader_class, "addr", "0x41000000", "data-len", "8");
    ADD(t, &loader_class, "addr", "0x41000004", "data-len", "8");
    g_assert_false(t->config.desc->finish(t->board, &err));
    g_assert_nonnull(strstr(err.text, "overlaps"));
    test_board_free(t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/loader/number", test_number);
    g_test_add_data_func("/loader/file-virt", "virt", test_file);
    g_test_add_data_func("/loader/file-none", "none", test_file);
    g_test_add_func("/loader/elf", test_elf);
    g_test_add_func("/loader/guest", test_guest);
    g_test_add_func("/loader/refusals", test_refusals);
    g_test_add_func("/loader/overlap", test_overlap);
    return g_test_run();
}
