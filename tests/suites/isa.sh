#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every row of the A64 decode table with random operands, under gemel and under Debian's qemu-user,
# by the same guest program; all registers, flags, FP status, memory and signals must agree.
#
#   GEMEL_BUILD  build folder (default build)     GEMEL       the emulator
#   GEMEL_SEED   first seed (default 1)           GEMEL_LONG  ten million instructions
#   GEMEL_ARGS   options for gemel (-accel interp, ...)
set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
build=${GEMEL_BUILD:-$top/build}
gemel=${GEMEL:-$build/gemel-aarch64}
seed=${GEMEL_SEED:-1}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
guest=$work/isa-guest
for tool in aarch64-linux-gnu-gcc-12 qemu-aarch64; do
    if ! command -v $tool >/dev/null; then
        echo "1..1"
        echo "ok 1 - isa # SKIP $tool is not installed"
        exit 0
    fi
done
aarch64-linux-gnu-gcc-12 -O1 -static -Wl,--defsym=isa_code=0x2000000 -o "$guest" "$top/tests/isa/isa-guest.c" || exit 1

n=0 vectors=
# round NAME CASES INSNS [isa-gen options]
round() {
    local name=$1 cases=$2 insns=$3
    shift 3
    n=$((n + 1))
    "$build/tests/isa/isa-gen" --seed "$seed" --cases "$cases" --insns "$insns" "$@" "$work/c" || return
    qemu-aarch64 -cpu max "$guest" "$work/c" "$work/q" || echo "# the oracle ended with $?"
    # shellcheck disable=SC2086
    "$gemel" ${GEMEL_ARGS:-} "$guest" "$work/c" "$work/g" || echo "# gemel ended with $?"
    if "$build/tests/isa/isa-compare" ${vectors:+--vectors "$vectors"} "$work/c" "$work/q" "$work/g"; then
        echo "ok $n - isa $name, seed $seed: $((cases * insns)) instructions"
    else
        echo "not ok $n - isa $name, seed $seed"
    fi
}

rounds=1
[ -n "${GEMEL_LONG:-}" ] && rounds=36
for _ in $(seq $rounds); do
    vectors=$top/tests/isa/vector-rows.txt round single 40000 1
    round sequence 25000 8
    round fpcr 12000 4 --fpcr
    for cpu in sse4.2 avx2; do # the back end's other code paths
        GEMEL_HOST_CPU=$cpu round "on $cpu" 15000 1
        GEMEL_HOST_CPU=$cpu round "sequence on $cpu" 5000 6 --fpcr
    done
    seed=$((seed + 1))
done

# Rows the oracle can't be asked about (vector-rows.txt)
aarch64-linux-gnu-gcc-12 -O1 -march=armv8.5-a -static -o "$work/pauth" "$top/tests/isa/pauth-guest.c" ||
    exit 1
while read -r verdict rest; do
    case $verdict in
    ok) n=$((n + 1)); echo "ok $n - isa vectors:${rest#*-}" ;;
    not) n=$((n + 1)); echo "not ok $n - isa vectors:${rest#*-}" ;;
    1..*) whole=1 ;;
    esac
done < <("$gemel" "$work/pauth")
n=$((n + 1))
[ -n "${whole:-}" ] && echo "ok $n - isa vectors ran to their end" || echo "not ok $n - isa vectors ended early"
echo "1..$n"
