#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# x86-64 programs in user mode against the host: the same output and exit status. The integer
# kernels of bench/ at a small scale, and tests/user/x86/*.c. Prints TAP.
src=${GEMEL_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
build=${GEMEL_BUILD:-$src}
gemel=${GEMEL_USER:-$build/gemel-user}
cc=${HOST_CC:-gcc}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
n=0

same() { # NAME OPTIONS PROGRAM ARGUMENTS...
    name=$1 options=$2
    shift 2
    n=$((n + 1))
    "$@" >"$tmp/want" 2>&1 </dev/null
    want=$?
    timeout -s KILL 60 "$gemel" $options "$@" >"$tmp/got" 2>&1 </dev/null
    got=$?
    if [ $got = $want ] && cmp -s "$tmp/want" "$tmp/got"; then
        echo "ok $n - $name $options"
    else
        echo "not ok $n - $name $options"
        echo "# status $got, not $want"
        diff "$tmp/want" "$tmp/got" | sed 's/^/#   /'
    fi
}

if ! echo 'int main(void) { return 0; }' | $cc -static -x c -o "$tmp/probe" - 2>/dev/null; then
    echo "1..1"
    echo "ok 1 - x86-64 programs # SKIP no static C library"
    exit 0
fi
for f in "$src"/tests/user/x86/*.c; do
    p=$(basename "$f" .c)
    $cc -O2 -w -static -pthread -o "$tmp/$p" "$f" || echo "Bail out! cannot compile $p"
    for mode in "" "-tier 1"; do
        same "$p" "$mode" "$tmp/$p" word
    done
done
for k in alu:1 table:1 stores:1 sort:1 recursion:1 interpreter:1 chase:1 strings:1 vecint:1; do
    p=${k%:*}
    $cc -O2 -w -static -I"$src/bench/kernels" -o "$tmp/$p" "$src/bench/kernels/$p.c" ||
        echo "Bail out! cannot compile $p"
    same "kernel $p" "" "$tmp/$p" "${k#*:}"
done
echo "1..$n"
