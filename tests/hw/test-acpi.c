/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ACPI tables, SMBIOS and boot order of the virt board as firmware gets them: read through fw_cfg,
 * placed and linked by the loader script, then followed from the RSDP. Where iasl is installed it
 * must disassemble all of them and compile the result without an error.
 */
#include <string.h>
#include <unistd.h>

#include "hw/classes.h"
#include "hw/fw_cfg.h"
#include "tests/hw/board.h"
#include "util/bits.h"

enum { FW_CFG = 0x09020000, MEMORY_BYTES = 1 << 20, MAX_FILES = 8, NAME_BYTES = 56 };

/* What firmware allocates; "addresses" are offsets into memory[]. */
typedef struct Firmware {
    TestBoard *t;
    uint8_t memory[MEMORY_BYTES];
    uint32_t next;
    struct {
        char name[NAME_BYTES];
        uint32_t at, bytes;
    } files[MAX_FILES];
    unsigned n_files;
} Firmware;

static void select_key(TestBoard *t, uint16_t key)
{
    test_write(t->m, 0, FW_CFG + 8, 2, __builtin_bswap16(key));
}

static void read_item(TestBoard *t, uint8_t *to, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++) {
        to[i] = (uint8_t)test_read(t->m, 0, FW_CFG, 1);
    }
}

/* Size and selector of a file; fails the test when it is not there. */
static uint32_t find(TestBoard *t, const char *name, uint16_t *key)
{
    uint8_t count[4], entry[64];

    select_key(t, FW_CFG_FILE_DIR);
    read_item(t, count, sizeof count);
    for (uint32_t i = load_be32(count); i; i--) {
        read_item(t, entry, sizeof entry);
        if (!strcmp((char *)entry + 8, name)) {
            *key = load_be16(entry + 4);
            return load_be32(entry);
        }
    }
    g_error("no file %s", name);
}

static uint8_t *read_file(TestBoard *t, const char *name, uint32_t *bytes)
{
    uint16_t key = 0;

    *bytes = find(t, name, &key);
    uint8_t *data = g_malloc(*bytes);
    select_key(t, key);
    read_item(t, data, *bytes);
    return data;
}

static void allocate(Firmware *f, const uint8_t *c)
{
    uint32_t align = load_le32(c + NAME_BYTES), bytes;
    uint8_t *data = read_file(f->t, (const char *)c, &bytes);

    g_assert_true(is_pow2(align));
    f->next = (uint32_t)align_up(f->next, align);
    g_assert_cmpuint(f->next + bytes, <=, MEMORY_BYTES);
    memcpy(f->memory + f->next, data, bytes);
    g_strlcpy(f->files[f->n_files].name, (const char *)c, NAME_BYTES);
    f->files[f->n_files].at = f->next;
    f->files[f->n_files++].bytes = bytes;
    f->next += bytes;
    g_free(data);
}

static unsigned file_index(const Firmware *f, const uint8_t *name)
{
    for (unsigned i = 0; i < f->n_files; i++) {
        if (!strcmp(f->files[i].name, (const char *)name)) {
            return i;
        }
    }
    g_error("file %s is not allocated", (const char *)name);
}

static void add_pointer(Firmware *f, const uint8_t *c)
{
    unsigned in = file_index(f, c), to = file_index(f, c + NAME_BYTES);
    uint32_t offset = load_le32(c + 2 * NAME_BYTES);

    g_assert_cmpuint(c[2 * NAME_BYTES + 4], ==, 8);
    g_assert_cmpuint(offset + 8, <=, f->files[in].bytes);
    uint8_t *p = f->memory + f->files[in].at + offset;
    g_assert_cmpuint(load_le64(p), <, f->files[to].bytes);
    store_le64(p, load_le64(p) + f->files[to].at);
}

static void add_checksum(Firmware *f, const uint8_t *c)
{
    unsigned in = file_index(f, c);
    uint32_t at = load_le32(c + NAME_BYTES), start = load_le32(c + NAME_BYTES + 4);
    uint32_t bytes = load_le32(c + NAME_BYTES + 8);
    uint8_t *data = f->memory + f->files[in].at, sum = 0;

    g_assert_cmpuint(start + bytes, <=, f->files[in].bytes);
    for (uint32_t i = 0; i < bytes; i++) {
        sum += data[start + i];
    }
    data[at] -= sum;
}

static void run_script(Firmware *f)
{
    uint32_t bytes;
    uint8_t *script = read_file(f->t, "etc/table-loader", &bytes);

    g_assert_cmpuint(bytes % 128, ==, 0);
    f->next = 4096;
    for (uint32_t at = 0; at < bytes; at += 128) {
        const uint8_t *c = script + at + 4;
        switch (load_le32(script + at)) {
        case 1: allocate(f, c); break;
        case 2: add_pointer(f, c); break;
        case 3: add_checksum(f, c); break;
        default: g_error("unknown command");
        }
    }
    g_free(script);
}

static void assert_sum(const uint8_t *p, uint32_t bytes)
{
    uint8_t sum = 0;

    for (uint32_t i = 0; i < bytes; i++) {
        sum += p[i];
    }
    g_assert_cmphex(sum, ==, 0);
}

static bool have_iasl(void)
{
    char *path = g_find_program_in_path("iasl");
    bool have = path != NULL;

    g_free(path);
    return have;
}

static void run(const char *dir, const char *format, const char *name)
{
    char *command = g_strdup_printf(format, name, name), *out = NULL, *err = NULL;
    char *shell[] = {"/bin/sh", "-c", command, NULL};
    int status = 0;

    g_assert_true(g_spawn_sync(dir, shell, NULL, 0, NULL, NULL, &out, &err, &status, NULL));
    if (status) {
        g_test_message("%s: %s%s", command, out, err);
    }
    g_assert_cmpint(status, ==, 0);
    g_free(command);
    g_free(out);
    g_free(err);
}

/* Disassembles and compiles again. */
static void iasl(const uint8_t *table, uint32_t bytes)
{
    char *dir = g_dir_make_tmp("gemel-acpi-XXXXXX", NULL);
    char *file = g_build_filename(dir, "t.dat", NULL);

    g_assert_nonnull(dir);
    g_assert_true(g_file_set_contents(file, (const char *)table, bytes, NULL));
    run(dir, "iasl -d %s.dat", "t");
    run(dir, "iasl -p again %s.dsl", "t");
    run(dir, "rm -f %s.* again.*", "t");
    rmdir(dir);
    g_free(file);
    g_free(dir);
}

static void check_table(Firmware *f, uint64_t at, GString *names)
{
    const uint8_t *p = f->memory + at;
    uint32_t bytes = load_le32(p + 4);

    g_assert_cmpuint(at + bytes, <=, MEMORY_BYTES);
    assert_sum(p, bytes);
    g_string_append_printf(names, "%.4s ", (const char *)p);
    if (have_iasl()) {
        iasl(p, bytes);
    }
    if (!memcmp(p, "FACP", 4)) {
        check_table(f, load_le64(p + 140), names);
    }
}

typedef struct Case {
    const char *gic, *el2;
    unsigned cpus;
    const char *tables;
} Case;

static void test_tables(const void *opaque)
{
    const Case *c = opaque;
    TestBoard *t = test_board_new("virt");
    Firmware *f = g_new0(Firmware, 1);
    char *bios = g_strdup_printf("%s/gemel-%d-bios", g_get_tmp_dir(), (int)getpid());
    GString *names = g_string_new(NULL);

    g_assert_true(g_file_set_contents(bios, "firmware", 8, NULL));
    t->config.bios = bios;
    t->config.n_cpus = c->cpus;
    test_board_option(t, "gic-version", c->gic);
    test_board_option(t, "virtualization", c->el2);
    test_board_build(t);
    test_board_finish(t);
    f->t = t;
    run_script(f);
    const uint8_t *rsdp = f->memory + f->files[file_index(f, (const uint8_t *)"etc/acpi/rsdp")].at;
    g_assert_true(!memcmp(rsdp, "RSD PTR ", 8));
    assert_sum(rsdp, 20);
    assert_sum(rsdp, 36);
    const uint8_t *xsdt = f->memory + load_le64(rsdp + 24);
    assert_sum(xsdt, load_le32(xsdt + 4));
    for (uint32_t i = 36; i < load_le32(xsdt + 4); i += 8) {
        check_table(f, load_le64(xsdt + i), names);
    }
    g_assert_cmpstr(names->str, ==, c->tables);
    g_string_free(names, TRUE);
    unlink(bios);
    g_free(bios);
    g_free(f);
    test_board_free(t);
}

static void test_smbios(void)
{
    TestBoard *t = test_board_new("virt");
    char *bios = g_strdup_printf("%s/gemel-%d-bios2", g_get_tmp_dir(), (int)getpid());
    uint32_t bytes, at = 0;
    unsigned last = 0;

    g_assert_true(g_file_set_contents(bios, "firmware", 8, NULL));
    t->config.bios = bios;
    test_board_option(t, "acpi", "off");
    test_board_build(t);
    test_board_finish(t);
    uint8_t *anchor = read_file(t, "etc/smbios/smbios-anchor", &bytes);
    g_assert_true(!memcmp(anchor, "_SM3_", 5));
    assert_sum(anchor, bytes);
    uint8_t *s = read_file(t, "etc/smbios/smbios-tables", &bytes);
    g_assert_cmpuint(load_le32(anchor + 12), ==, bytes);
    while (at < bytes) {
        last = s[at];
        at += s[at + 1];
        while (at + 1 < bytes && (s[at] || s[at + 1])) {
            at++;
        }
        at += 2;
    }
    g_assert_cmpuint(at, ==, bytes);
    g_assert_cmpuint(last, ==, 127);
    g_free(anchor);
    g_free(s);
    unlink(bios);
    g_free(bios);
    test_board_free(t);
}

static Device *add(TestBoard *t, const DeviceClass *cls, const char *id, const char *index)
{
    Device *d = device_new(t->m, cls, id);
    Error err = {0};

    g_assert_true(!index || device_set(d, "bootindex", index, &err));
    g_assert_true(device_realize(d, &err));
    return d;
}

static void test_boot_order(void)
{
    TestBoard *t = test_board_new("virt");
    char *bios = g_strdup_printf("%s/gemel-%d-bios3", g_get_tmp_dir(), (int)getpid());
    uint32_t bytes;
    Error err = {0};

    g_assert_true(g_file_set_contents(bios, "firmware", 8, NULL));
    t->config.bios = bios;
    t->config.boot = "strict=on,menu=on,splash-time=5000";
    test_board_build(t);
    add(t, &virtio_net_pci_class, "n1", "7");
    add(t, &virtio_net_pci_class, "n2", NULL);
    add(t, &virtio_net_pci_class, "n3", "2");
    Device *same =
        add(t, &virtio_rng_pci_class, "r", "2"); /* not for booting, but its place is taken */
    g_assert_false(t->config.desc->finish(t->board, &err));
    g_assert_nonnull(strstr(err.text, "bootindex=2"));
    device_unrealize(same);
    test_board_finish(t);
    uint8_t *order = read_file(t, "bootorder", &bytes);
    g_assert_cmpstr((char *)order, ==,
                    "/pci@4010000000/ethernet@3/ethernet-phy@0\n"
                    "/pci@4010000000/ethernet@1/ethernet-phy@0\n");
    g_assert_cmpuint(bytes, ==, strlen((char *)order) + 1);
    g_free(order);
    uint8_t *wait = read_file(t, "etc/boot-menu-wait", &bytes);
    g_assert_cmpuint(load_le16(wait), ==, 5000);
    g_free(wait);
    uint8_t menu[2];
    select_key(t, FW_CFG_BOOT_MENU);
    read_item(t, menu, sizeof menu);
    g_assert_cmpuint(load_le16(menu), ==, 1);
    unlink(bios);
    g_free(bios);
    test_board_free(t);
}

int main(int argc, char **argv)
{
    static const Case cases[] = {
        {"2", "off", 2, "FACP DSDT APIC PPTT GTDT MCFG SPCR DBG2 "},
        {"3", "on", 3, "FACP DSDT APIC PPTT GTDT MCFG SPCR DBG2 IORT "},
    };

    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/acpi/gicv2", &cases[0], test_tables);
    g_test_add_data_func("/acpi/gicv3", &cases[1], test_tables);
    g_test_add_func("/acpi/smbios", test_smbios);
    g_test_add_func("/acpi/boot-order", test_boot_order);
    return g_test_run();
}
