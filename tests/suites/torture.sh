#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# GCC's c-torture/execute programs (Debian package gcc-12-source), cross-compiled for AArch64 at -O0
# and -O2, static, run under gemel: exit status 0 is a pass. One TAP line a program and level.
# Programs that cannot pass anywhere stand with the reason in torture-skips.txt.
#
#   GEMEL      the emulator (default build/gemel-aarch64)
#   TORTURE_ARGS  words before the program (to try another emulator)
#   JOBS       how many at once (default: processors)
set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
gemel=${GEMEL:-$top/build/gemel-aarch64}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/gemel/torture
jobs=${JOBS:-$(nproc)}
cc=aarch64-linux-gnu-gcc-12
tarball=$(ls /usr/src/gcc-12/gcc-12*.tar.xz 2>/dev/null | head -n 1)
if [ -z "$tarball" ] || ! command -v $cc >/dev/null; then
    echo "1..1"
    echo "ok 1 - torture # SKIP packages gcc-12-source or gcc-12-aarch64-linux-gnu are not installed"
    exit 0
fi
mkdir -p "$cache/bin/O0" "$cache/bin/O2"
if [ ! -f "$cache/src/.done" ]; then
    echo "# unpacking c-torture from $tarball"
    mkdir -p "$cache/src"
    tar -xf "$tarball" -C "$cache/src" --wildcards --strip-components=5 \
        '*/gcc/testsuite/gcc.c-torture/execute/*' && touch "$cache/src/.done"
fi

# One program: compile (kept in the cache), run, print a line for the collector.
one() {
    level=$1 src=$2
    name=${src#"$cache/src/"}
    bin=$cache/bin/$level/${name//\//_}
    if [ ! -x "$bin" ] && [ ! -f "$bin.fail" ]; then
        opts=$(sed -n 's/.*{ *dg-\(additional-\)\?options *{\? *"\([^"]*\)".*/\2/p' "$src" | tr '\n' ' ')
        [ -f "${src%.c}.x" ] &&
            opts="$opts $(sed -n 's/.*lappend additional_flags "\([^"]*\)".*/\1/p' "${src%.c}.x" | tr '\n' ' ')"
        # shellcheck disable=SC2086
        $cc -"$level" -w -std=gnu17 -static $opts -o "$bin" "$src" -lm 2>"$bin.fail" && rm -f "$bin.fail"
    fi
    if [ ! -x "$bin" ]; then
        echo "nocompile $level/$name"
        return
    fi
    # shellcheck disable=SC2086
    timeout 60 "$gemel" ${TORTURE_ARGS:-} "$bin" >/dev/null 2>&1 </dev/null
    rc=$?
    if [ $rc = 0 ]; then echo "pass $level/$name"; else echo "fail $level/$name status $rc"; fi
}
export -f one
export cache gemel cc TORTURE_ARGS

list=$(find "$cache/src" -name '*.c' ! -path '*/builtins/*' | sort) # builtins/ tests the compiler
results=$(for level in O0 O2; do
    for f in $list; do printf '%s\0%s\0' $level "$f"; done
done | xargs -0 -n 2 -P "$jobs" bash -c 'one "$1" "$2"' _ | sort -k 2)

awk -v skips="$here/torture-skips.txt" '
    BEGIN {
        while ((getline line < skips) > 0) {
            if (line !~ /^#/ && split(line, w, " ") > 1) {
                reason = line; sub(/^[^ ]+ +/, "", reason); skip[w[1]] = reason
            }
        }
    }
    { n++; id = $2; tests[n] = $0 }
    END {
        print "1.." n
        for (i = 1; i <= n; i++) {
            split(tests[i], w, " ")
            what = w[1]; id = w[2]; detail = tests[i]; sub(/^[^ ]+ [^ ]+ ?/, "", detail)
            if (what == "pass") print "ok " i " - torture " id
            else if (id in skip) print "ok " i " - torture " id " # SKIP " skip[id]
            else { print "not ok " i " - torture " id " (" what " " detail ")"; bad = 1 }
        }
        exit bad
    }' <<<"$results"
