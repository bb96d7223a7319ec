#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes vdso-image.c (on standard output) from vdso.S; needs aarch64-linux-gnu-gcc.
set -e
here=$(dirname "$0")
cross=${CROSS:-aarch64-linux-gnu-}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
"${cross}gcc" -nostdlib -shared -fPIC -Wl,--hash-style=both -Wl,-soname,linux-vdso.so.1 \
    -Wl,--version-script="$here/vdso.map" -Wl,-z,max-page-size=4096 -Wl,-z,norelro \
    -Wl,-z,noseparate-code -Wl,--build-id=none -Wl,--no-undefined -Wl,-Bsymbolic \
    -o "$tmp/vdso.so" "$here/vdso.S"
"${cross}strip" --strip-all "$tmp/vdso.so"
cat <<HEAD
/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Made from user/vdso/vdso.S by user/vdso/make.sh: do not edit. */
#include <stddef.h>
#include <stdint.h>

#include "user/vdso/vdso.h"

const uint8_t user_vdso_image[] = {
HEAD
od -An -v -tx1 -w16 "$tmp/vdso.so" | sed 's/ \([0-9a-f][0-9a-f]\)/ 0x\1,/g; s/^ /    /'
cat <<TAIL
};
const size_t user_vdso_image_bytes = sizeof user_vdso_image;
TAIL
"${cross}nm" -D "$tmp/vdso.so" | awk '$3 ~ /rt_sigreturn/ {
    print "const uint32_t user_vdso_sigreturn = 0x" substr($1, 9) ";" }'
