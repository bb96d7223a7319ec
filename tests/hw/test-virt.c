/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The virt board: its tree, its map, direct kernel boot.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/hw/board.h"
#include "util/bits.h"

static char *temp_path(const char *name)
{
    return g_strdup_printf("%s/gemel-%d-%s", g_get_tmp_dir(), (int)getpid(), name);
}

static char *write_temp(const char *name, const void *data, size_t bytes)
{
    char *path = temp_path(name);

    g_assert_true(g_file_set_contents(path, data, (gssize)bytes, NULL));
    return path;
}

/* An Image with text_offset 0 that is 4 KiB long and claims 64 KiB. */
static void make_image(uint8_t image[4096])
{
    memset(image, 0xaa, 4096);
    memset(image, 0, 64);
    store_le64(image + 16, 65536);
    memcpy(image + 56, "ARMd", 4);
}

static char *dump_tree(const char *gic, unsigned cpus)
{
    TestBoard *t = test_board_new("virt");
    char *path = temp_path("dump.dtb");

    t->config.n_cpus = cpus;
    test_board_option(t, "gic-version", gic);
    test_board_option(t, "dumpdtb", path);
    test_board_build(t);
    test_board_finish(t);
    test_board_free(t);
    return path;
}

static void test_tree(const void *gic)
{
    char *path = dump_tree(gic, 2);
    char *blob;
    size_t bytes;

    g_assert_true(g_file_get_contents(path, &blob, &bytes, NULL));
    g_assert_cmphex(load_be32(blob), ==, 0xd00dfeed);
    unlink(path);
    g_free(blob);
    g_free(path);
}

static void test_direct_boot(void)
{
    TestBoard *t = test_board_new("virt");
    uint8_t image[4096];
    char initrd_data[100];

    make_image(image);
    memset(initrd_data, 'i', sizeof initrd_data);
    char *kernel = write_temp("Image", image, sizeof image);
    char *initrd = write_temp("initrd", initrd_data, sizeof initrd_data);
    t->config.kernel = kernel;
    t->config.initrd = initrd;
    t->config.append = "console=ttyAMA0";
    test_board_build(t);
    test_board_finish(t);
    g_assert_cmphex(t->entry[0].pc, ==, 0x40200000);
    g_assert_true(t->entry[0].kernel);
    g_assert_cmpint(t->psci, ==, PSCI_HVC);
    g_assert_cmphex(test_read32(t->m, 0x40200038), ==, 0x644d5241);
    g_assert_cmphex(test_read32(t->m, 0x48000000), ==, 0x69696969);
    g_assert_cmphex(test_read32(t->m, t->entry[0].arg), ==, 0xedfe0dd0);
    g_assert_cmphex(t->entry[0].arg % 8, ==, 0);
    /* a reset brings everything back */
    test_write32(t->m, 0x40200038, 0);
    machine_reset(t->m, CAUSE_GUEST_RESET);
    g_assert_cmphex(test_read32(t->m, 0x40200038), ==, 0x644d5241);
    test_board_free(t);
    unlink(kernel);
    unlink(initrd);
    g_free(kernel);
    g_free(initrd);
}

/* More redistributors than the first region holds; RAM beyond 256 GiB moves what is above it. */
static void test_large(void)
{
    TestBoard *t = test_board_new("virt");
    enum { CPUS = 130 };
    uint64_t high = 0x6000000000; /* 64 MiB behind 1 GiB + 383 GiB of RAM, rounded up */

    t->config.n_cpus = CPUS;
    t->config.ram_bytes = 383ull << 30;
    Error err = {0};
    if (!t->config.desc->build(t->m, &t->config, &t->board, &err)) {
        g_test_skip(err.text); /* a host that does not overcommit */
        test_board_free(t);
        return;
    }
    g_assert_cmphex(t->cpus[129].mpidr, ==, 0x801);
    g_assert_cmphex(test_read(t->m, 0, 0x080a0000 + 122 * 0x20000 + 8, 8), ==, 0x70a00007a11);
    g_assert_cmphex(test_read(t->m, 0, high + 8, 8), ==, 0x70b00007b01);
    g_assert_cmphex(test_read(t->m, 0, high + 6 * 0x20000 + 8, 8), ==, 0x80100008111);
    g_assert_cmphex(test_read32(t->m, 0x6010000000), ==, 0x00081b36); /* host bridge by ECAM */
    test_write32(t->m, 0x5ffffffffc, 0x12345678);
    g_assert_cmphex(test_read32(t->m, 0x5ffffffffc), ==, 0x12345678);
    test_board_free(t);
}

static void test_refusals(void)
{
    static const struct {
        const char *name, *value, *message;
    } rows[] = {
        {"gic-versoin", "3", "did you mean 'gic-version'"},
        {"gic-version", "4", "takes one of 2|3|max|host"},
        {"virtualization", "maybe", "takes one of on|yes|true|off|no|false"},
    };
    TestBoard *t = test_board_new("virt-7.2");
    Error err = {0};

    g_assert_cmpstr(t->config.desc->name, ==, "virt");
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_assert_false(machine_option_set(&t->config, rows[i].name, rows[i].value, &err));
        g_assert_nonnull(strstr(err.text, rows[i].message));
    }
    g_assert_null(machine_desc_find("vort", NULL, &err));
    g_assert_nonnull(strstr(err.text, "did you mean 'virt'"));
    t->config.n_cpus = 9;
    test_board_option(t, "gic-version", "2");
    g_assert_false(t->config.desc->build(t->m, &t->config, &t->board, &err));
    g_assert_nonnull(strstr(err.text, "gic-version=3"));
    test_board_free(t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/virt/tree/gicv2", "2", test_tree);
    g_test_add_data_func("/virt/tree/gicv3", "3", test_tree);
    g_test_add_func("/virt/direct-boot", test_direct_boot);
    g_test_add_func("/virt/large", test_large);
    g_test_add_func("/virt/refusals", test_refusals);
    return g_test_run();
}
