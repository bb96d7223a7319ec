#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every row of user/syscalls.def: guest programs (tests/user/guest/calls) make each call and print
# what was answered, a result and an error. The same source is built for this machine and run on
# its kernel; under gemel each line must be the same. Then the rows that gemel-user --syscalls
# calls implemented or passed through must be the rows seen, and the rest must be ENOSYS.
#
#   GEMEL_BUILD  build folder (default build)     GEMEL       the emulator
#   GEMEL_ARGS   options for gemel (-accel interp, ...)
set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
build=${GEMEL_BUILD:-$top/build}
gemel=${GEMEL:-$build/gemel-aarch64}
cross=${CROSS_CC:-aarch64-linux-gnu-gcc-12}
calls=$top/tests/user/guest/calls
if ! command -v "$cross" >/dev/null; then
    echo '1..1'
    echo "ok 1 - system calls # SKIP $cross is not installed"
    exit 0
fi
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
flags='-std=gnu17 -D_GNU_SOURCE -O1 -w -Wno-int-conversion -static -pthread'
families='paths files memory seal ipc process signals network events system'

# family NAME: builds it twice, runs each in a folder of its own; NAME.KIND.out, .err, .status
family() {
    local f=$1
    # shellcheck disable=SC2086
    if ! { gcc $flags -o "$work/$f.host" "$calls/$f.c" &&
        $cross $flags -o "$work/$f.guest" "$calls/$f.c"; } 2>"$work/$f.err"; then
        sed 's/^/# /' "$work/$f.err"
        return
    fi
    # A session of its own, without a terminal: vhangup() is among the calls.
    for kind in host guest; do
        mkdir "$work/$f.$kind.d"
        set --
        # shellcheck disable=SC2086
        [ $kind = guest ] && set -- "$gemel" ${GEMEL_ARGS:-}
        (cd "$work/$f.$kind.d" && exec setsid -w timeout -k 2 40 "$@" "$work/$f.$kind" </dev/null \
            >"$work/$f.$kind.out" 2>"$work/$f.$kind.err")
        echo $? >"$work/$f.$kind.status"
    done
}
for f in $families; do
    while [ "$(jobs -rp | wc -l)" -ge 2 ]; do
        wait -n
    done
    family "$f" &
done
wait

n=0
say() { # STATUS NAME
    n=$((n + 1))
    if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fi
}

: >"$work/seen"
for f in $families; do
    status=$(cat "$work/$f.guest.status" 2>/dev/null || echo none)
    [ "$status" = 0 ] && [ "$(cat "$work/$f.host.status")" = 0 ]
    say $? "$f: the programs end well (guest $status)"
    [ -s "$work/$f.guest.err" ] && sed 's/^/# /' "$work/$f.guest.err"
    [ -s "$work/$f.guest.out" ] || continue
    if [ "$f" = seal ] && grep -q 'mseal: .* ENOSYS' "$work/$f.host.out"; then
        sed 's/^not ok - \(.*\)/ok - \1 expected/' "$work/$f.guest.out" >"$work/$f.host.out"
    fi
    paste "$work/$f.host.out" "$work/$f.guest.out" >"$work/both"
    while IFS=$'\t' read -r host guest; do
        if [ "$host" != "$guest" ]; then
            say 1 "${guest#*ok - }"
            echo "#   kernel: $host"
            echo "#   gemel:  $guest"
            continue
        fi
        case $host in
        not*) say 0 "${host#*ok - } (so this kernel)" ;;
        *) say 0 "${host#*ok - }" ;;
        esac
        rest=${host#*ok - }
        kind=${rest#*: }
        echo "${rest%%:*} ${kind%% *}" >>"$work/seen"
    done <"$work/both"
done

# ---- the table
sort -u "$work/seen" | awk '{ k[$1]++ } END { for (r in k) if (k[r] == 2) print r }' |
    sort >"$work/tested"
"$gemel" --syscalls >"$work/table"
awk '$3 ~ /implemented|passed/ { print $2 }' "$work/table" | sort >"$work/rows"
comm -23 "$work/rows" "$work/tested" >"$work/untested"
while read -r row; do
    say 1 "$row: no guest program checks a result and an error"
done <"$work/untested"
[ ! -s "$work/untested" ] && [ "$(wc -l <"$work/rows")" -gt 250 ]
say $? "a result and an error of all $(wc -l <"$work/rows") rows"
comm -13 "$work/rows" "$work/tested" >"$work/unlisted"
[ ! -s "$work/unlisted" ]
say $? "no row works that the table calls ENOSYS $(tr '\n' ' ' <"$work/unlisted")"
# shellcheck disable=SC2086
$cross $flags -o "$work/none" "$calls/none.c"
mapfile -t none < <(awk '$3 == "ENOSYS" && $1 ~ /^[0-9]+$/ && $2 !~ /^implemented/ \
    { print $1; print $2 }' "$work/table")
# shellcheck disable=SC2086
"$gemel" ${GEMEL_ARGS:-} "$work/none" "${none[@]}" >"$work/none.out" 2>&1
while read -r line; do
    case $line in
    ok*) say 0 "${line#*ok - }" ;;
    *) say 1 "${line#*ok - }" ;;
    esac
done <"$work/none.out"
[ $((${#none[@]} / 2)) = "$(wc -l <"$work/none.out")" ] && [ ${#none[@]} -lt 116 ]
say $? "$((${#none[@]} / 2)) rows are ENOSYS, fewer than 58"
echo "1..$n"
