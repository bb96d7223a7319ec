#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes ./configure. Needs autoconf, automake and pkg-config (Debian: autoconf automake pkg-config).
set -e
cd "$(dirname "$0")"
for tool in autoreconf automake pkg-config; do
    if ! command -v "$tool" >/dev/null 2>&1; then
        echo "autogen.sh: '$tool' is missing; on Debian: apt-get install autoconf automake pkg-config" >&2
        exit 1
    fi
done
mkdir -p m4 build-aux
exec autoreconf --install --force --warnings=all,no-portability,no-obsolete
