/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where firmware is looked for: -L folders, our own, then the places where Debian and others
 * install it (packages qemu-efi-aarch64, u-boot-qemu, seabios, ovmf, ipxe-qemu).
 */
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "emu/session.h"

static const char *const system_dirs[] = {
    GEMEL_DATADIR,        "/usr/share/gemel",
    "/usr/share/AAVMF",   "/usr/share/qemu-efi-aarch64",
    "/usr/share/OVMF",    "/usr/share/seabios",
    "/usr/share/qemu",    "/usr/lib/u-boot/qemu_arm64",
    "/usr/lib/ipxe/qemu", NULL,
};

static const char *dir_at(const Session *s, unsigned i)
{
    const OptValues *l = &s->options.of[OPT_L];
    return i < l->n ? l->v[i] : system_dirs[i - l->n];
}

const char *session_find_firmware(Session *s, const char *name, Error *err)
{
    if (access(name, R_OK) == 0) {
        return name;
    }
    if (!strchr(name, '/')) {
        for (unsigned i = 0; dir_at(s, i); i++) {
            const char *path = session_text(s, "%s/%s", dir_at(s, i), name);
            if (access(path, R_OK) == 0) {
                return path;
            }
        }
    }
    error_set_errno(err, "firmware '%s' (-L help lists the folders that were searched)", name);
    return NULL;
}

void session_print_firmware_dirs(const Session *s, FILE *f)
{
    for (unsigned i = 0; dir_at(s, i); i++) {
        fprintf(f, "%s\n", dir_at(s, i));
    }
}
