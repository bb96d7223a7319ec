/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AArch64 kernels: Linux Image (Documentation/arch/arm64/booting.rst), the same in gzip, EFI zboot
 * images with a gzip payload (include/linux/pe.h, drivers/firmware/efi/libstub/zboot-header.S), and
 * bare ELF files.
 *
 * Where things go, from the start of RAM: the kernel at the first 2 MiB boundary that leaves room
 * for a boot program (an Image with a text offset of its own goes there), the initial RAM disk at
 * 128 MiB, or half of a smaller RAM, behind the kernel at least; the device tree behind it.
 */
#include <stdlib.h>
#include <string.h>

#include "hw/loader.h"
#include "hw/loader/gunzip.h"
#include "util/bits.h"

enum {
    MIB = 1 << 20,
    IMAGE_ALIGN = 2 * MIB,
    IMAGE_HEADER_BYTES = 64,
    IMAGE_TEXT_OFFSET = 8,
    IMAGE_SIZE = 16,
    IMAGE_MAGIC = 56,
    ZBOOT_MAGIC = 4,
    ZBOOT_PAYLOAD = 8,
    ZBOOT_PAYLOAD_BYTES = 12,
    ZBOOT_TYPE = 24,
    INITRD_OFFSET = 128 * MIB,
    DTB_ROOM = 2 * MIB,
    MAX_KERNEL_BYTES = 512 * MIB
};

/* ---- reading and unpacking */

static bool is_image(const uint8_t *data, size_t bytes)
{
    return bytes >= IMAGE_HEADER_BYTES && !memcmp(data + IMAGE_MAGIC, "ARMd", 4);
}

static bool is_zboot(const uint8_t *data, size_t bytes)
{
    return bytes >= IMAGE_HEADER_BYTES && !memcmp(data, "MZ", 2) &&
           !memcmp(data + ZBOOT_MAGIC, "zimg", 4);
}

/* Replaces *data by its unpacked bytes. */
static bool unpack(const char *path, const uint8_t *packed, size_t packed_bytes, uint8_t **data,
                   size_t *bytes, Error *err)
{
    uint8_t *out = gunzip(packed, packed_bytes, MAX_KERNEL_BYTES, bytes);

    if (!out) {
        return error_set(err, "-kernel %s: broken gzip data, or more than 512 MiB unpacked", path);
    }
    free(*data);
    *data = out;
    return true;
}

bool loader_read_kernel(const char *path, uint8_t **data, size_t *bytes, Error *err)
{
    if (!loader_read_file("-kernel", path, MAX_KERNEL_BYTES, data, bytes, err)) {
        return false;
    }
    if (gunzip_is(*data, *bytes) && !unpack(path, *data, *bytes, data, bytes, err)) {
        free(*data);
        *data = NULL;
        return false;
    }
    return true;
}

static bool unpack_zboot(const char *path, uint8_t **data, size_t *bytes, Error *err)
{
    const char *type = (const char *)*data + ZBOOT_TYPE;
    uint32_t at = load_le32(*data + ZBOOT_PAYLOAD), n = load_le32(*data + ZBOOT_PAYLOAD_BYTES);

    if (strncmp(type, "gzip", 5)) {
        return error_set(err,
                         "-kernel %s: EFI image packed with %.12s; unpack it, or boot it by "
                         "UEFI firmware (-bios)",
                         path, type);
    }
    if (at > *bytes || n > *bytes - at) {
        return error_set(err, "-kernel %s: EFI image is cut off", path);
    }
    return unpack(path, *data + at, n, data, bytes, err);
}

/* ---- Image, or bytes of no known form */

static bool add_image(Loader *l, const KernelRequest *r, const uint8_t *data, size_t bytes,
                      LoadedKernel *out, Error *err)
{
    uint64_t text_offset = 0x80000, image_bytes = bytes;

    if (is_image(data, bytes)) {
        out->linux_image = true;
        image_bytes = load_le64(data + IMAGE_SIZE);
        if (image_bytes) {
            text_offset = load_le64(data + IMAGE_TEXT_OFFSET);
        }
        image_bytes = image_bytes < bytes ? bytes : image_bytes;
    }
    if (text_offset < MEM_PAGE_BYTES) {
        text_offset += IMAGE_ALIGN;
    }
    if (text_offset > r->ram_bytes || image_bytes > r->ram_bytes - text_offset) {
        return error_set(err, "-kernel %s: needs %llu MiB of RAM; give more by -m", r->kernel,
                         (unsigned long long)((text_offset + image_bytes) / MIB + 1));
    }
    out->entry = out->start = r->ram_base + text_offset;
    out->end = out->start + image_bytes;
    return loader_add(l, "-kernel", out->start, data, bytes, err);
}

static bool add_initrd(Loader *l, const KernelRequest *r, LoadedKernel *out, Error *err)
{
    uint64_t end = r->ram_base + r->ram_bytes;
    uint64_t at = r->ram_base +
                  (r->ram_bytes / 2 < INITRD_OFFSET ? r->ram_bytes / 2 : (uint64_t)INITRD_OFFSET);
    uint8_t *data = NULL;
    size_t bytes = 0;

    if (at < out->end && out->start < end) {
        at = out->end;
    }
    at = align_up(at, IMAGE_ALIGN);
    if (r->initrd && !loader_read_file("-initrd", r->initrd, r->ram_bytes, &data, &bytes, err)) {
        return false;
    }
    out->dtb = align_up(at + bytes, IMAGE_ALIGN);
    bool ok = true;
    if (out->dtb + DTB_ROOM > end) {
        ok = error_set(err,
                       "kernel, initial RAM disk and device tree need %llu MiB of RAM; give "
                       "more by -m",
                       (unsigned long long)((out->dtb - r->ram_base) / MIB + 2));
    } else if (bytes) {
        out->initrd = at;
        out->initrd_bytes = bytes;
        ok = loader_add(l, "-initrd", at, data, bytes, err);
    }
    free(data);
    return ok;
}

bool loader_add_arm64_kernel(Loader *l, const KernelRequest *r, LoadedKernel *out, Error *err)
{
    uint8_t *data;
    size_t bytes;

    *out = (LoadedKernel){0};
    if (!loader_read_kernel(r->kernel, &data, &bytes, err)) {
        return false;
    }
    bool ok =
        (!is_zboot(data, bytes) || unpack_zboot(r->kernel, &data, &bytes, err)) &&
        (loader_is_elf(data, bytes)
             ? loader_add_elf(l, &(LoaderFile){"-kernel", r->kernel, data, bytes, r->ram_bytes},
                              out, err)
             : add_image(l, r, data, bytes, out, err)) &&
        add_initrd(l, r, out, err);
    free(data);
    return ok;
}
