/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is this file? Everything read here is hostile input: sizes are bounded, loops counted.
 *
 * Sources: UEFI 2.10, 5.3 (GPT), 3.5.1.1 (names of removable-media loaders); El Torito 1.0;
 * Microsoft's FAT32 specification 1.03; ECMA-119.
 */
#include <stdio.h>
#include <string.h>

#include "emu/guess.h"
#include "util/bits.h"

enum { SECTOR = 512, CD_SECTOR = 2048, MAX_CLUSTERS = 4096, MAX_DEPTH = 2 };

bool guess_kernel(const char *path, Guess *g)
{
    uint8_t head[4096] = {0};
    FILE *f = fopen(path, "rb");
    if (!f) {
        return false;
    }
    size_t n = fread(head, 1, sizeof head, f);
    fclose(f);
    memset(g, 0, sizeof *g);
    g->kind = GUESS_KERNEL;
    if (n >= 64 && !memcmp(head + 56, "ARM\x64", 4)) {
        g->isa = "aarch64";
        snprintf(g->why, sizeof g->why, "an arm64 Linux Image");
    } else if (n > 18 && head[0] == 0x1f && head[1] == 0x8b) {
        g->isa = "aarch64"; /* x86 kernels carry their own decompressor */
        snprintf(g->why, sizeof g->why, "a gzipped file, most likely an arm64 Linux Image");
    } else if (n >= 0x206 && !memcmp(head + 0x202, "HdrS", 4)) {
        g->isa = "x86_64";
        snprintf(g->why, sizeof g->why, "an x86 bzImage");
    } else if (n >= 20 && !memcmp(head,
                                  "\x7f"
                                  "ELF",
                                  4)) {
        unsigned machine = load_le16(head + 18);
        g->isa = machine == 183 ? "aarch64" : machine == 62 ? "x86_64" : NULL;
        snprintf(g->why, sizeof g->why, "an ELF file for machine %u", machine);
    } else {
        return false;
    }
    return true;
}

/* ---- FAT ---- */

typedef struct Fat {
    BlockDev *dev;
    uint64_t start;     /* bytes: of the file system */
    uint64_t fat, data; /* bytes: of the first FAT, of cluster 2 */
    uint32_t cluster_bytes, n_clusters;
    unsigned bits; /* 12, 16, 32 */
    uint64_t root; /* FAT12/16: bytes; FAT32: cluster */
    uint32_t root_bytes;
} Fat;

static bool fat_open(Fat *f, BlockDev *dev, uint64_t start)
{
    uint8_t b[SECTOR];
    memset(f, 0, sizeof *f);
    if (block_pread(dev, start, b, sizeof b) || b[510] != 0x55 || b[511] != 0xaa) {
        return false;
    }
    uint32_t sector = load_le16(b + 11), per_cluster = b[13], reserved = load_le16(b + 14);
    uint32_t fat_sectors = load_le16(b + 22) ? load_le16(b + 22) : load_le32(b + 36);
    uint32_t total = load_le16(b + 19) ? load_le16(b + 19) : load_le32(b + 32);
    if (sector < 512 || sector > 4096 || !per_cluster || !b[16] || b[16] > 4 || !fat_sectors) {
        return false;
    }
    f->dev = dev;
    f->start = start;
    f->root_bytes = (uint32_t)load_le16(b + 17) * 32;
    uint64_t root = (uint64_t)reserved + (uint64_t)b[16] * fat_sectors;
    uint64_t data = root + (f->root_bytes + sector - 1) / sector;
    if (data > total) {
        return false;
    }
    f->fat = start + (uint64_t)reserved * sector;
    f->data = start + data * sector;
    f->cluster_bytes = sector * per_cluster;
    f->n_clusters = (uint32_t)((total - data) / per_cluster);
    f->bits = f->n_clusters < 4085 ? 12 : f->n_clusters < 65525 ? 16 : 32;
    f->root = f->bits == 32 ? load_le32(b + 44) : start + root * sector;
    return true;
}

static uint32_t fat_next(const Fat *f, uint32_t c)
{
    uint8_t b[4] = {0};
    uint64_t at = f->fat + (f->bits == 12 ? c + c / 2 : (uint64_t)c * (f->bits / 8));
    if (block_pread(f->dev, at, b, f->bits == 32 ? 4 : 2)) {
        return 0;
    }
    switch (f->bits) {
    case 12: return (load_le16(b) >> (c & 1 ? 4 : 0)) & 0xfff;
    case 16: return load_le16(b);
    default: return load_le32(b) & 0x0fffffff;
    }
}

static void look_at_name(const uint8_t *e, Guess *g)
{
    char name[12];
    memcpy(name, e, 11);
    name[11] = '\0';
    if (memcmp(name + 8, "EFI", 3)) {
        return;
    }
    const char *isa = strstr(name, "AA64") ? "aarch64" : strstr(name, "X64") ? "x86_64" : NULL;
    if (isa && !g->isa) {
        g->isa = isa;
        snprintf(g->why, sizeof g->why, "its EFI partition holds %.*s.EFI",
                 (int)strcspn(name, " ") < 8 ? (int)strcspn(name, " ") : 8, name);
    }
}

static void fat_directory(const Fat *f, uint32_t cluster, unsigned depth, Guess *g);

/* Entries of [at, at + bytes); the folders in it that may hold loaders. */
static bool fat_entries(const Fat *f, uint64_t at, uint32_t bytes, unsigned depth, Guess *g)
{
    uint8_t e[32];
    for (uint32_t off = 0; off + 32 <= bytes && !g->isa; off += 32) {
        if (block_pread(f->dev, at + off, e, sizeof e) || !e[0]) {
            return false;
        }
        if (e[0] == 0xe5 || e[0] == '.' || (e[11] & 0x0f) == 0x0f) {
            continue;
        }
        uint32_t cluster = (uint32_t)load_le16(e + 20) << 16 | load_le16(e + 26);
        if (!(e[11] & 0x10)) {
            look_at_name(e, g);
        } else if (depth < MAX_DEPTH && (depth > 0 || !memcmp(e, "EFI        ", 11))) {
            fat_directory(f, cluster, depth + 1, g);
        }
    }
    return true;
}

static void fat_directory(const Fat *f, uint32_t cluster, unsigned depth, Guess *g)
{
    for (unsigned i = 0; i < MAX_CLUSTERS && cluster >= 2 && cluster < f->n_clusters + 2; i++) {
        uint64_t at = f->data + (uint64_t)(cluster - 2) * f->cluster_bytes;
        if (!fat_entries(f, at, f->cluster_bytes, depth, g)) {
            return;
        }
        cluster = fat_next(f, cluster);
    }
}

static void look_at_fat(BlockDev *dev, uint64_t start, Guess *g)
{
    Fat f;
    if (!fat_open(&f, dev, start)) {
        return;
    }
    if (f.bits == 32) {
        fat_directory(&f, (uint32_t)f.root, 0, g);
    } else {
        fat_entries(&f, f.root, f.root_bytes, 0, g);
    }
}

/* ---- partitions ---- */

static void look_at_gpt(BlockDev *dev, Guess *g)
{
    static const uint8_t esp[16] = {0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11,
                                    0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b};
    uint8_t h[SECTOR], e[128];
    if (block_pread(dev, SECTOR, h, sizeof h) || memcmp(h, "EFI PART", 8)) {
        return;
    }
    uint64_t table = load_le64(h + 72) * SECTOR;
    uint32_t n = load_le32(h + 80), bytes = load_le32(h + 84);
    if (bytes < 128 || bytes > 4096) {
        return;
    }
    for (uint32_t i = 0; i < n && i < 256; i++) {
        if (block_pread(dev, table + (uint64_t)i * bytes, e, sizeof e)) {
            return;
        }
        if (!memcmp(e, esp, 16)) {
            g->efi = true;
            look_at_fat(dev, load_le64(e + 32) * SECTOR, g);
        }
    }
}

static void look_at_mbr(BlockDev *dev, Guess *g)
{
    uint8_t b[SECTOR];
    if (block_pread(dev, 0, b, sizeof b) || b[510] != 0x55 || b[511] != 0xaa) {
        return;
    }
    for (int i = 0; i < 4; i++) {
        const uint8_t *e = b + 446 + 16 * i;
        if (e[4] == 0xef) {
            g->efi = true;
            look_at_fat(dev, (uint64_t)load_le32(e + 8) * SECTOR, g);
        }
    }
    if (!g->efi && !g->why[0]) {
        snprintf(g->why, sizeof g->why, "a disk with a boot sector and no EFI partition");
    }
}

static void look_at_cd(BlockDev *dev, Guess *g)
{
    uint8_t b[CD_SECTOR];
    if (block_pread(dev, 16 * CD_SECTOR, b, sizeof b) || memcmp(b + 1, "CD001", 5)) {
        return;
    }
    g->kind = GUESS_CD;
    snprintf(g->why, sizeof g->why, "a CD image");
    if (block_pread(dev, 17 * CD_SECTOR, b, sizeof b) || memcmp(b + 7, "EL TORITO", 9)) {
        return;
    }
    uint64_t catalog = (uint64_t)load_le32(b + 71) * CD_SECTOR;
    if (block_pread(dev, catalog, b, sizeof b)) {
        return;
    }
    bool efi = b[1] == 0xef; /* validation entry: platform of the default entry */
    for (unsigned off = 32; off + 32 <= sizeof b; off += 32) {
        const uint8_t *e = b + off;
        if (e[0] == 0x90 || e[0] == 0x91) {
            efi = e[1] == 0xef;
        } else if (e[0] == 0x88 && efi) {
            g->efi = true;
            look_at_fat(dev, (uint64_t)load_le32(e + 8) * CD_SECTOR, g);
        }
    }
}

void guess_disk(BlockDev *dev, Guess *g)
{
    memset(g, 0, sizeof *g);
    g->kind = GUESS_DISK;
    look_at_gpt(dev, g);
    look_at_cd(dev, g);
    if (!g->isa) {
        look_at_mbr(dev, g);
    }
    if (!g->why[0]) {
        snprintf(g->why, sizeof g->why, "nothing in it says what it runs on");
    }
}
