#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# savevm at random moments of a boot; each state goes on in a new process and ends in the same login.
#   GEMEL_LONG=1: 50 moments instead of 5; GEMEL_SEED: the seed that was printed
set -u
here=$(cd "$(dirname "$0")" && pwd)
src=${GEMEL_SRC:-$(cd "$here/../.." && pwd)}
build=${GEMEL_BUILD:-$src/build}
system=${GEMEL_SYSTEM:-$build/gemel-system-aarch64}
img=${GEMEL_IMG:-$build/gemel-img}
drive=$src/tests/system/drive
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
moments=5
[ -z "${GEMEL_LONG:-}" ] || moments=50

if [ "$(id -u)" != 0 ]; then
    echo '1..1'
    echo 'ok 1 - savevm # SKIP needs root (scripts/guest-disk)'
    exit 0
fi
disk=$("$src/scripts/guest-disk") || {
    echo 'Bail out! no guest disk: it could not be made'
    exit 1
}
folder=$(dirname "$disk")
seed=${GEMEL_SEED:-$RANDOM}
RANDOM=$seed
echo "# seed $seed"
MD5=$(echo gemel-guest | md5sum | cut -d' ' -f1)
export MD5
n=0
result() { # STATUS NAME
    n=$((n + 1))
    if [ "$1" = 0 ]; then
        echo "ok $n - $2"
    else
        sed 's/^/# /' "$tmp/err"
        echo "not ok $n - $2"
    fi
}
"$img" convert -O qcow2 "$disk" "$tmp/base.qcow2" >/dev/null
for ((i = 1; i <= moments; i++)); do
    MOMENT=$((RANDOM % 8)).$((RANDOM % 10))
    export MOMENT
    rm -f "$tmp/disk.qcow2"
    "$img" create -q -f qcow2 -b "$tmp/base.qcow2" -F qcow2 "$tmp/disk.qcow2"
    machine=("$system" -M virt -cpu max -smp 2 -m 512M -nographic -nic user
        -drive "if=virtio,format=qcow2,file=$tmp/disk.qcow2"
        -kernel "$folder/vmlinuz" -initrd "$folder/initrd.img" -append 'root=/dev/vda2 console=ttyAMA0')
    "$drive" --timeout 120 "$src/tests/system/save.steps" -- "${machine[@]}" 2>"$tmp/err"
    result $? "state saved $MOMENT s into the boot"
    "$drive" --timeout 180 "$src/tests/system/restored.steps" -- "${machine[@]}" -loadvm moment 2>"$tmp/err"
    result $? "and gone on with in a new process"
done
"$img" check -q "$tmp/disk.qcow2" 2>"$tmp/err"
result $? 'the image is consistent'
echo "1..$n"
