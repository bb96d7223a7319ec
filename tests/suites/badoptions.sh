#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Wrong options, files and values of the system emulator: one clear line that names the option and, where
# there is one, the nearest valid name; exit status 1; never a crash. And hostile device trees, kernels.
set -u
here=$(cd "$(dirname "$0")" && pwd)
src=${GEMEL_SRC:-$(cd "$here/../.." && pwd)}
build=${GEMEL_BUILD:-$src/build}
system=${GEMEL_SYSTEM:-$build/gemel-system-aarch64}
gemel=$(dirname "$system")/gemel
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
head -c 1000 /dev/urandom >junk
: >empty
n=0

# bad PATTERN COMMAND...: ends with status 1 and one line that has the pattern
bad() {
    local pattern=$1 status
    shift
    n=$((n + 1))
    timeout 20 "$@" >out 2>&1 </dev/null
    status=$?
    if [ $status = 1 ] && [ "$(wc -l <out)" = 1 ] && grep -q -e "$pattern" out; then
        echo "ok $n - ${*:2}"
    else
        echo "not ok $n - ${*:2}"
        echo "# status $status, wanted 1 and one line with: $pattern"
        head -5 out | sed 's/^/# /'
    fi
}
b() { bad "$1" "$system" "${@:2}"; }
v() { bad "$1" "$system" -M virt -display none "${@:2}"; }

b "did you mean 'virt'" -M vrit
b "use -M NAME"
b "unknown option" -blah
b "did you mean '-kernel'" -M virt -kernl x
b "second image" a b
b "needs an argument" -M virt -device
b "2|3|max" -M virt,gic-version=5
b "did you mean 'gic-version'" -M virt,gicversion=3
v "did you mean 'cortex-a57'" -cpu cortex-a67
v "not a size" -m 12Q
v "1 MiB to 1 TiB" -m 100T
v "1 to 512 CPUs" -smp 600
v "1 to 512 CPUs" -smp 0
v "not a number" -smp four
v "no such accelerator" -accel tgc
v "no such accelerator" -accel kvm
v "-uuid" -uuid xyz
v "no log kind" -d foo
v "No such file" -kernel nothing
v "No such file" -kernel junk -initrd nothing
v "only with -kernel" -initrd junk
v "only with -kernel" -append x
v "not a device tree" -kernel "$src/pc-bios/demo-aarch64.img" -dtb junk
v "-dtb empty" -kernel "$src/pc-bios/demo-aarch64.img" -dtb empty
v "firmware" -bios nofile.fd
v "did you mean 'virtio-blk-pci'" -device virtio-blk-pc
v "has id 'zz'" -device virtio-blk-pci,drive=zz
v "did you mean 'drive'" -device virtio-blk-pci,drvie=x
v "No such file" -drive file=nothing
v "did you mean 'file'" -drive fiel=x
v "did you mean 'qcow2'" -drive file=junk,format=qcow3
v "not a qcow2" -drive file=junk,format=qcow2
v "no such bus" -drive file=junk,format=raw,if=ide
v "did you mean 'writeback'" -drive file=junk,format=raw,cache=writback
v "no node 'b'" -blockdev driver=qcow2,node-name=a,file=b
v "did you mean 'user'" -nic usr
v "hostfwd" -nic user,hostfwd=xyz
v "no id=" -netdev user
v "unknown" -serial foo
v "-monitor" -monitor stdioo
v "did you mean 'socket'" -chardev sockt,id=x
v "id=" -chardev socket
v "no chardev" -mon nosuch
v "no writable qcow2" -loadvm x
bad "did you mean 'sdl'" "$system" -M virt -display sld
bad "did you mean 'run'" "$gemel" rnu
bad "no such guest" "$gemel" system riscv64
bad "No such file" "$gemel" run nothing
bad "say --arch" "$gemel" run junk

# -X help is an answer, not an error
for what in -M -cpu -device -accel -display -netdev -chardev -object -L -d; do
    n=$((n + 1))
    if timeout 20 "$system" $what help >out 2>&1 && [ -s out ]; then
        echo "ok $n - $what help"
    else
        echo "not ok $n - $what help"
    fi
done

# Damaged kernels and device trees never take the emulator down: each runs for a moment or is refused.
"$system" -M virt,dumpdtb=good.dtb -display none >/dev/null 2>&1
for ((i = 0; i < 40; i++)); do
    cp "$src/pc-bios/demo-aarch64.img" kernel
    cp good.dtb tree
    for ((k = 0; k < 8; k++)); do
        printf "\\x$(printf %02x $((RANDOM & 255)))" |
            dd of=kernel bs=1 seek=$((RANDOM % 64)) conv=notrunc 2>/dev/null
        printf "\\x$(printf %02x $((RANDOM & 255)))" |
            dd of=tree bs=1 seek=$((RANDOM % $(stat -c %s tree))) conv=notrunc 2>/dev/null
    done
    timeout 0.4 "$system" -M virt -display none -nodefaults -kernel kernel -dtb tree >out 2>&1 </dev/null
    status=$?
    if [ $status != 124 ] && [ $status != 1 ] && [ $status != 0 ]; then
        echo "# status $status"
        head -3 out | sed 's/^/# /'
        cp kernel "kernel.bad"
        failed=1
    fi
done
n=$((n + 1))
if [ -z "${failed:-}" ]; then
    echo "ok $n - 40 damaged kernels and device trees"
else
    echo "not ok $n - 40 damaged kernels and device trees"
fi
echo "1..$n"
