#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# gemel-img beside qemu-img: each reads, checks and changes the other's images; the same answers in
# JSON, field by field; the same exit status; each respects the other's locks; bad input gives one
# clear line and leaves the image alone.
#
#   GEMEL_IMG  the program (default build/gemel-img); QEMU_IMG, QEMU_IO the oracle
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
src=${GEMEL_SRC:-$(cd "$here/../.." && pwd)}
gemel=${GEMEL_IMG:-${GEMEL_BUILD:-$src/build}/gemel-img}
qemu=${QEMU_IMG:-qemu-img}
qemu_io=${QEMU_IO:-qemu-io}
tests_run=0
if ! command -v "$qemu" >/dev/null || ! command -v "$qemu_io" >/dev/null; then
    echo '1..0 # SKIP no qemu-img (Debian: qemu-utils)'
    exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

# try NAME COMMAND...: COMMAND's complaints are shown when it fails
try() {
    local name=$1 status
    shift
    "$@" >log 2>&1
    status=$?
    tests_run=$((tests_run + 1))
    if [ $status = 0 ]; then
        echo "ok $tests_run - $name"
    else
        tail -n 20 log | sed 's/^/# /'
        echo "not ok $tests_run - $name (status $status)"
    fi
}

# The same JSON, whatever the order of fields; fields named after the files are left out.
cat >same-json.pl <<'END'
use strict;
use JSON::PP;
my ($left, $right, @skip) = @ARGV;
sub load { local (@ARGV, $/) = $_[0]; JSON::PP->new->canonical->decode(<>) }
sub strip {
    my ($v) = @_;
    if (ref $v eq 'HASH') {
        delete @$v{@skip};
        strip($_) for values %$v;
    } elsif (ref $v eq 'ARRAY') {
        strip($_) for @$v;
    }
    return $v;
}
my ($l, $r) = map { JSON::PP->new->canonical->pretty->encode(strip(load($_))) } $left, $right;
exit 0 if $l eq $r;
print "--- $left\n$l+++ $right\n$r";
exit 1;
END

# same_json FIELDS-TO-SKIP ARGS...: both programs with these arguments, the status too
same_json() {
    local skip=$1 a b
    shift
    "$gemel" "$@" >gemel.json
    a=$?
    "$qemu" "$@" >qemu.json
    b=$?
    [ $a = $b ] || { echo "status $a, qemu-img's $b"; return 1; }
    # shellcheck disable=SC2086
    perl same-json.pl gemel.json qemu.json $skip
}

# same_status ARGS...
same_status() {
    local a b
    "$gemel" "$@" >out.gemel 2>&1
    a=$?
    "$qemu" "$@" >out.qemu 2>&1
    b=$?
    [ $a = $b ] || { echo "status $a, qemu-img's $b"; cat out.gemel; return 1; }
}

# ---- a disk with data, holes, zeroes; odd size
head -c 6000000 /dev/urandom >data.raw
yes 'compressible text, line after line' | head -c 3000000 >>data.raw
truncate -s 16777728 data.raw
dd if=data.raw of=data.raw bs=64k seek=180 count=9 conv=notrunc status=none
truncate -s 20972032 data.raw

shapes=("" "-o cluster_size=512" "-o cluster_size=2M" "-o compat=0.10" "-o refcount_bits=1"
    "-o refcount_bits=64,cluster_size=4k" "-o extended_l2=on" "-o lazy_refcounts=on" "-c"
    "-c -o compression_type=zstd" "-c -o cluster_size=4k" "-c -o cluster_size=2M,compression_type=zstd"
    "-c -o extended_l2=on" "-S 0" "-o preallocation=metadata" "-o preallocation=falloc"
    "-o preallocation=full" "-o preallocation=metadata,extended_l2=on")

# both_ways OPTIONS...: convert by each, read and check by the other
both_ways() {
    "$gemel" convert -f raw -O qcow2 "$@" data.raw g.qcow2 &&
        "$qemu" check g.qcow2 && "$qemu" compare -f raw data.raw g.qcow2 &&
        "$qemu" convert -f raw -O qcow2 "$@" data.raw q.qcow2 &&
        "$gemel" check q.qcow2 && "$gemel" compare -f raw -F qcow2 data.raw q.qcow2 &&
        "$gemel" convert -O raw q.qcow2 back.raw && cmp data.raw back.raw &&
        same_json '' info --output=json g.qcow2 && same_json '' info --output=json q.qcow2 &&
        same_json '' check --output=json q.qcow2 && same_json '' check --output=json g.qcow2 &&
        same_json '' map --output=json q.qcow2 && same_json '' map --output=json g.qcow2
}
for shape in "${shapes[@]}"; do
    # shellcheck disable=SC2086
    try "convert ${shape:-plain}: both ways" both_ways $shape
done

# created OPTIONS...: the same empty image by each
created() {
    rm -f g.qcow2 q.qcow2
    "$gemel" create -q -f qcow2 "$@" g.qcow2 3G && "$qemu" create -q -f qcow2 "$@" q.qcow2 3G &&
        "$qemu" check g.qcow2 && "$gemel" check q.qcow2 && "$gemel" info --output=json g.qcow2 >a &&
        "$qemu" info --output=json q.qcow2 >b && perl same-json.pl a b filename actual-size
}
try 'create: plain' created
try 'create: version 2' created -o compat=0.10
try 'create: many options' created -o cluster_size=32k,refcount_bits=8,lazy_refcounts=on,extended_l2=on
try 'create: large clusters, zstd' created -o cluster_size=2M,compression_type=zstd

# ---- what qemu-io writes, and what we do to it
qemu_writes() {
    "$qemu" create -q -f qcow2 "$@" w.qcow2 64M || return 1
    local i script=() seed=7
    for i in $(seq 120); do
        seed=$(((seed * 1103515245 + 12345) % 2147483648))
        local at=$((seed % 65000)) kb=$((seed / 65536 % 300 + 1))
        case $((i % 6)) in
        0) script+=(-c "write -z ${at}k ${kb}k") ;;
        1) script+=(-c "discard ${at}k ${kb}k") ;;
        2) script+=(-c "write -zu ${at}k ${kb}k") ;;
        *) script+=(-c "write -P $((i % 255 + 1)) ${at}k ${kb}k") ;;
        esac
    done
    "$qemu_io" -f qcow2 "${script[@]}" w.qcow2 >io.log 2>&1
    "$gemel" check w.qcow2 && same_json '' map --output=json w.qcow2 &&
        same_json '' check --output=json w.qcow2 && "$gemel" convert w.qcow2 w.raw &&
        "$qemu" compare w.qcow2 w.raw
}
try 'images written by qemu-io' qemu_writes
try 'images written by qemu-io, extended L2' qemu_writes -o extended_l2=on
try 'images written by qemu-io, small clusters' qemu_writes -o cluster_size=1k

overlay() {
    "$gemel" convert -f raw -O qcow2 data.raw base.qcow2 &&
        "$gemel" create -q -f qcow2 -b base.qcow2 -F qcow2 over.qcow2 32M &&
        "$qemu_io" -c 'write -P 9 1M 300k' -c 'write -z 3M 1M' -c 'write -P 8 30M 64k' over.qcow2 &&
        same_json '' info --backing-chain --output=json over.qcow2 &&
        same_json '' map --output=json over.qcow2 && "$qemu" convert over.qcow2 over.raw &&
        "$gemel" compare over.qcow2 over.raw && "$qemu" compare over.qcow2 over.raw
}
try 'overlay: info, map, contents' overlay
sub_folder() {
    mkdir -p below && "$qemu" create -q -f qcow2 below/b.qcow2 1M &&
        "$qemu" create -q -f qcow2 -b b.qcow2 -F qcow2 below/o.qcow2 &&
        same_json '' info --output=json below/o.qcow2 && same_json '' map --output=json below/o.qcow2
}
try 'overlay: a relative name counts from the image' sub_folder
commit_it() {
    cp base.qcow2 base2.qcow2 && cp over.qcow2 over2.qcow2 &&
        "$gemel" rebase -u -b base2.qcow2 -F qcow2 over2.qcow2 && "$gemel" commit over2.qcow2 &&
        "$qemu" check base2.qcow2 && "$qemu" check over2.qcow2 &&
        "$qemu" compare over.raw base2.qcow2 && "$qemu" compare over.raw over2.qcow2 &&
        "$qemu" map over2.qcow2 | grep -c over2.qcow2 | grep -qx 0
}
try 'commit' commit_it
rebase_it() {
    cp over.qcow2 r.qcow2 && "$qemu_io" -f raw -c 'write -P 3 5M 1M' data.raw && cp data.raw other.raw &&
        "$gemel" rebase -b other.raw -F raw r.qcow2 && "$qemu" compare over.raw r.qcow2 &&
        "$qemu" check r.qcow2 && "$gemel" rebase -b '' r.qcow2 && "$qemu" compare over.raw r.qcow2 &&
        "$qemu" check r.qcow2 && [ "$("$qemu" info r.qcow2 | grep -c backing)" = 0 ]
}
try 'rebase onto another image, then onto none' rebase_it
convert_on_base() {
    "$gemel" convert -O qcow2 -B base.qcow2 -F qcow2 over.qcow2 ob.qcow2 &&
        "$qemu" compare over.raw ob.qcow2 && "$qemu" check ob.qcow2 &&
        [ "$(stat -c %b ob.qcow2)" -lt "$(stat -c %b base.qcow2)" ]
}
try 'convert -B: only the difference' convert_on_base

# ---- snapshots: made by one, listed and applied by the other
snapshots() {
    rm -f s.qcow2
    "$qemu" create -q -f qcow2 "$@" s.qcow2 32M && "$qemu_io" -c 'write -P 1 0 4M' s.qcow2 &&
        "$gemel" snapshot -c one s.qcow2 && "$qemu" check s.qcow2 &&
        "$qemu_io" -c 'write -P 2 1M 1M' -c 'write -z 0 256k' s.qcow2 && "$qemu" check s.qcow2 &&
        "$gemel" check s.qcow2 && "$qemu" snapshot -c two s.qcow2 && "$gemel" check s.qcow2 &&
        same_json '' info --output=json s.qcow2 && "$gemel" snapshot -l s.qcow2 >a &&
        "$qemu" snapshot -l s.qcow2 >b && diff a b &&
        "$gemel" convert -l one s.qcow2 one.raw && "$qemu" convert -l one s.qcow2 one.q &&
        cmp one.raw one.q && "$gemel" snapshot -a one s.qcow2 && "$qemu" check s.qcow2 &&
        "$qemu" compare s.qcow2 one.raw && "$qemu" snapshot -a 2 s.qcow2 && "$gemel" check s.qcow2 &&
        "$gemel" snapshot -d two s.qcow2 && "$qemu" check s.qcow2 &&
        "$qemu" snapshot -d one s.qcow2 && "$gemel" check s.qcow2 && "$qemu" check s.qcow2
}
try 'snapshots' snapshots
try 'snapshots, version 2' snapshots -o compat=0.10
try 'snapshots, extended L2' snapshots -o extended_l2=on
try 'snapshots, 512-byte clusters' snapshots -o cluster_size=512

resize_it() {
    cp q.qcow2 rs.qcow2 && "$gemel" resize -q rs.qcow2 +5G && "$qemu" check rs.qcow2 &&
        "$gemel" resize -q --shrink rs.qcow2 -7G && "$qemu" check rs.qcow2 &&
        "$gemel" resize -q rs.qcow2 900G && "$qemu" check rs.qcow2 &&
        [ "$("$qemu" info rs.qcow2 | sed -n 's/.*(\(.*\) bytes).*/\1/p')" = 966367641600 ] &&
        "$gemel" resize -q --preallocation=metadata w.qcow2 +8M && "$qemu" check w.qcow2
}
try 'resize' resize_it
dd_it() {
    "$gemel" dd bs=1M skip=2 if=over.qcow2 of=dd.raw &&
        "$qemu" dd bs=1M skip=2 if=over.qcow2 of=ddq.raw && cmp dd.raw ddq.raw &&
        "$gemel" dd bs=3k count=77 if=over.qcow2 of=dd.raw &&
        "$qemu" dd bs=3k count=77 if=over.qcow2 of=ddq.raw && cmp dd.raw ddq.raw &&
        "$gemel" dd -O qcow2 bs=4k if=over.qcow2 of=dd.qcow2 && "$qemu" compare over.raw dd.qcow2
}
try 'dd' dd_it
measure_bitmaps() {
    "$qemu" create -q -f qcow2 mb.qcow2 5G && "$qemu" bitmap --add mb.qcow2 b0 &&
        "$qemu" bitmap --add -g 4k mb.qcow2 b1 && same_json '' measure --output=json -O qcow2 mb.qcow2
}
for args in '--size=10G -O qcow2' '--size=1T -O qcow2 -o cluster_size=4k' '-O qcow2 over.qcow2' \
    '-O raw over.qcow2' '-O qcow2 data.raw -f raw' '--size=3G -O qcow2 -o extended_l2=on'; do
    # shellcheck disable=SC2086
    try "measure $args" same_json '' measure --output=json $args
done
try 'measure with bitmaps' measure_bitmaps
try 'map of a raw file with holes' same_json '' map --output=json -f raw data.raw
try 'map of a part' same_json '' map --output=json --start-offset=1M --max-length=3M over.qcow2
try 'info of a raw file' same_json '' info --output=json data.raw
bitmaps() {
    "$qemu" create -q -f qcow2 bm.qcow2 64M && "$qemu" bitmap --add bm.qcow2 b0 &&
        "$qemu" bitmap --add -g 32k --disable bm.qcow2 b1 &&
        "$qemu_io" -c 'write 1M 1M' bm.qcow2 && same_json '' info --output=json bm.qcow2 &&
        "$gemel" check bm.qcow2 && "$gemel" snapshot -c keep bm.qcow2 && "$qemu" check bm.qcow2 &&
        same_json '' info --output=json bm.qcow2 && "$qemu" info bm.qcow2 | grep -q 'name: b1'
}
try 'persistent bitmaps are listed and kept' bitmaps

# ---- status
try 'status: compare, the same' same_status compare over.qcow2 over.raw
try 'status: compare, different' same_status compare over.qcow2 base.qcow2
try 'status: compare, missing' same_status compare over.qcow2 nosuch
try 'status: compare -s, other sizes' same_status compare -s over.qcow2 base.qcow2
try 'status: check of raw' same_status check -f raw data.raw
try 'status: info of nothing' same_status info nosuch
try 'status: shrinking without --shrink' same_status resize q.qcow2 1M
leaky() {
    "$qemu" create -q -f qcow2 leak.qcow2 8M && "$qemu_io" -c 'write 0 1M' leak.qcow2 &&
        printf '\0\0\0\0\0\0\0\0' | dd of=leak.qcow2 bs=1 seek=262144 conv=notrunc status=none
    same_status check leak.qcow2 && same_json 'leaks image-end-offset' check --output=json leak.qcow2 &&
        "$gemel" check -r leaks leak.qcow2 && "$qemu" check leak.qcow2
}
try 'status and repair: leaked clusters' leaky
broken() {
    "$qemu" create -q -f qcow2 bad.qcow2 8M && "$qemu_io" -c 'write 0 1M' bad.qcow2 &&
        head -c 65536 /dev/zero | dd of=bad.qcow2 bs=64k seek=2 conv=notrunc status=none
    "$gemel" check bad.qcow2
    [ $? = 2 ] || return 1
    "$gemel" check -r all bad.qcow2 && "$qemu" check bad.qcow2 && "$gemel" check bad.qcow2
}
try 'repair: a lost block of reference counts' broken
rebuilt() {
    "$qemu" create -q -f qcow2 bad.qcow2 8M && "$qemu_io" -c 'write -P 5 0 1M' bad.qcow2 &&
        printf '\0\0\0\0\0\x77\0\0' | dd of=bad.qcow2 bs=1 seek=65536 conv=notrunc status=none
    "$gemel" check -r all bad.qcow2 && "$qemu" check bad.qcow2 &&
        "$qemu_io" -r -c 'read -P 5 0 1M' bad.qcow2 | grep -v 'verification failed'
}
try 'repair: a refcount table that leads nowhere' rebuilt

# ---- locks: one holds it, the other is refused
held_by_qemu() {
    local status holder
    rm -f fifo && mkfifo fifo || return 1
    "$qemu_io" -f qcow2 over.qcow2 <fifo >/dev/null &
    holder=$!
    exec 9>fifo
    sleep 0.7
    "$gemel" info over.qcow2 && status=1 || status=0
    "$gemel" resize -q over.qcow2 +1M && status=1
    "$gemel" info -U over.qcow2 || status=1
    exec 9>&-
    wait "$holder"
    return $status
}
try 'locks: what qemu-io holds is refused here, -U reads it' held_by_qemu
held_by_gemel() {
    local status holder
    "$qemu" create -q -f qcow2 held.qcow2 8G || return 1
    # Takes long enough to be looked at
    "$gemel" convert -n -S 0 -O qcow2 -f raw big.raw held.qcow2 &
    holder=$!
    sleep 0.4
    "$qemu" info held.qcow2 && status=1 || status=0
    "$qemu" info -U held.qcow2 || status=1
    kill "$holder"
    wait "$holder"
    return $status
}
truncate -s 8G big.raw
try 'locks: what gemel-img writes is refused by qemu-img' held_by_gemel
rm -f big.raw held.qcow2

# ---- bad input: status 1, one line that says it, nothing changed
# says NAME PATTERN ARGS...
says() {
    local name=$1 pattern=$2 out before after
    shift 2
    before=$(cat q.qcow2 data.raw bad.img 2>/dev/null | cksum)
    out=$("$gemel" "$@" 2>&1)
    [ $? = 1 ] && [ "$(wc -l <<<"$out")" = 1 ] && [[ $out =~ $pattern ]]
    local status=$?
    after=$(cat q.qcow2 data.raw bad.img 2>/dev/null | cksum)
    [ "$before" = "$after" ] || status=1
    tests_run=$((tests_run + 1))
    if [ $status = 0 ]; then
        echo "ok $tests_run - bad input: $name"
    else
        printf '# %s\nnot ok %s - bad input: %s\n' "$out" "$tests_run" "$name"
    fi
}
says 'unknown verb' "did you mean 'convert'" konvert a b
says 'unknown option' "did you mean '--output'" info --outpt=json q.qcow2
says 'unknown short option' "'-Z'" info -Z q.qcow2
says 'option without its value' 'needs a value' create -f
says 'unknown format' "did you mean 'qcow2'" info -f qcwo2 q.qcow2
says 'unknown format option' "did you mean 'cluster_size'" create -f qcow2 -o cluster_siez=4k n.qcow2 1G
says 'bad cluster size' 'power of two' create -f qcow2 -o cluster_size=1000 n.qcow2 1G
says 'bad size' 'no size' create -f qcow2 n.qcow2 1X
says 'size too large' 'too' create -f qcow2 -o cluster_size=512 n.qcow2 1P
says 'no size' 'needs a size' create -f qcow2 n.qcow2
says 'missing backing file' 'nosuch' create -f qcow2 -b nosuch -F raw n.qcow2
says 'backing format not named' '-F' create -f qcow2 -b q.qcow2 n.qcow2
says 'missing file' 'nosuch' info nosuch
says 'folder' 'regular file' info .
says 'wrong format' 'not a qcow2' info -f qcow2 data.raw
says 'unknown snapshot' 'nosuch' snapshot -a nosuch q.qcow2
says 'snapshot of raw' 'keeps no snapshots' snapshot -c x data.raw
says 'compressing raw' 'no compression' convert -c -O raw q.qcow2 n.raw
truncate -s 9M big2.raw
"$qemu" create -q -f qcow2 small.qcow2 1M
says 'target too small' 'fewer' convert -n -f raw -O qcow2 big2.raw small.qcow2
says 'network name' "protocol 'nbd'" info nbd://localhost/x
says 'too many operands' 'too many' info a b
printf 'KDMV and more' >vmdk.img
says 'unsupported format' "'vmdk'" info vmdk.img
for mutation in '4 \x00\x00\x00\x09 version' '20 \x00\x00\x00\x50 cluster' '36 \xff\xff\xff\xff L1' \
    '48 \x00\x00\x00\x00\x00\x00\x00\x07 table' '72 \x00\x00\x00\x00\x00\x01\x00\x00 feature' \
    '32 \x00\x00\x00\x02 encrypted' '60 \x00\x00\x00\x05 snapshot' '100 \xff\xff\xff\xff header'; do
    read -r at bytes word <<<"$mutation"
    cp q.qcow2 bad.img
    # shellcheck disable=SC2059
    printf "$bytes" | dd of=bad.img bs=1 seek="$at" conv=notrunc status=none
    says "header damaged at byte $at" "$word" convert bad.img n.raw
done
head -c 40 q.qcow2 >bad.img
says 'a header cut short' 'bad.img' info bad.img
"$qemu" create -q -f qcow2 -b loop2.qcow2 -F qcow2 -u loop1.qcow2 1M
"$qemu" create -q -f qcow2 -b loop1.qcow2 -F qcow2 -u loop2.qcow2 1M
says 'a chain that is a circle' 'its own backing' convert loop1.qcow2 n.raw
"$qemu" create -q -f luks --object secret,id=s,data=abc -o key-secret=s,iter-time=10 luks.img 1M 2>/dev/null &&
    says 'an encrypted image' 'luks' info luks.img
echo "1..$tests_run"
