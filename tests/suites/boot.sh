#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Boots real systems on the `virt` board, each ending on what the guest printed: the demo guest,
# Debian's installer kernel, Xen, U-Boot, UEFI firmware, and Debian from a qcow2 through GRUB with network
# and disk. Guests come from Debian packages (scripts/guest-root, scripts/guest-disk).
#
#   GEMEL_SYSTEM   the emulator (default build/gemel-system-aarch64); a QEMU works, too
set -u
here=$(cd "$(dirname "$0")" && pwd)
src=${GEMEL_SRC:-$(cd "$here/../.." && pwd)}
build=${GEMEL_BUILD:-$src/build}
system=${GEMEL_SYSTEM:-$build/gemel-system-aarch64}
img=${GEMEL_IMG:-$build/gemel-img}
drive=$src/tests/system/drive
tmp=$(mktemp -d)
trap 'kill $httpd 2>/dev/null; rm -rf "$tmp"' EXIT
httpd=
n=0

# boot NAME STEPS OPTIONS...
boot() {
    local name=$1 steps=$2
    shift 2
    n=$((n + 1))
    if "$drive" --timeout 180 --log "$tmp/log-$n" "$src/tests/system/$steps.steps" -- \
        "$system" "$@" 2>"$tmp/err"; then
        echo "ok $n - $name"
    else
        sed 's/^/# /' "$tmp/err"
        echo "not ok $n - $name"
    fi
}
missing() { # NAME REASON
    n=$((n + 1))
    echo "not ok $n - $1"
    echo "# $2"
}

boot 'demo guest' demo -M virt -cpu cortex-a57 -display none -device ramfb -serial stdio \
    -monitor none -kernel "$src/pc-bios/demo-aarch64.img"

# ---- Debian's installer
if di=$("$src/scripts/guest-root" --name installer debian-installer-12-netboot-arm64); then
    di=$di/usr/lib/debian-installer/images/12/arm64/text/debian-installer/arm64
    for gic in 2 3; do
        for cpus in 1 4; do
            boot "installer, GICv$gic, $cpus CPUs" installer -M virt,gic-version=$gic -cpu max \
                -smp $cpus -m 1G -nographic -kernel "$di/linux" -initrd "$di/initrd.gz" \
                -append 'console=ttyAMA0'
        done
    done
else
    missing installer 'debian-installer-12-netboot-arm64 could not be downloaded'
fi

# ---- a hypervisor that takes its first guest from the tree
if [ -e "$di/linux" ] && xen=$("$src/scripts/guest-root" --name xen xen-hypervisor-4.17-arm64); then
    for gic in 2 3; do
        boot "Xen with the installer as its first guest, GICv$gic" xen \
            -M virt,virtualization=on,gic-version=$gic -cpu max -smp 2 -m 2G -nographic -nic none \
            -kernel "$xen/boot/xen-4.17-arm64" \
            -append 'dom0_mem=512M console=dtuart dtuart=/pl011@9000000 loglvl=all' \
            -device "guest-loader,addr=0x50000000,kernel=$di/linux,bootargs=console=hvc0 earlycon=xen" \
            -device "guest-loader,addr=0x54000000,initrd=$di/initrd.gz"
    done
else
    missing Xen 'xen-hypervisor-4.17-arm64 or the installer could not be downloaded'
fi

# ---- firmware
uboot=/usr/lib/u-boot/qemu_arm64/u-boot.bin
if [ -e $uboot ]; then
    boot U-Boot u-boot -M virt -cpu cortex-a57 -m 1G -nographic -bios $uboot
else
    missing U-Boot "no $uboot (Debian: u-boot-qemu)"
fi
code=/usr/share/AAVMF/AAVMF_CODE.fd vars=/usr/share/AAVMF/AAVMF_VARS.fd
if [ -e $code ]; then
    cp $vars "$tmp/vars.fd"
    boot 'UEFI shell' uefi-shell -M virt -cpu cortex-a57 -m 1G -nographic -nic none \
        -drive if=pflash,format=raw,readonly=on,file=$code \
        -drive "if=pflash,format=raw,file=$tmp/vars.fd"
else
    missing 'UEFI shell' "no $code (Debian: qemu-efi-aarch64)"
fi

# ---- Debian from a qcow2, twice
if [ "$(id -u)" != 0 ]; then
    n=$((n + 1))
    echo "ok $n - Debian # SKIP needs root (scripts/guest-disk)"
elif [ -e $code ] && disk=$("$src/scripts/guest-disk"); then
    "$img" convert -O qcow2 "$disk" "$tmp/debian.qcow2" >/dev/null
    mkdir "$tmp/www"
    head -c 20000000 /dev/urandom >"$tmp/www/file"
    SHA=$(sha256sum <"$tmp/www/file" | cut -d' ' -f1)
    "$src/tests/system/httpd" "$tmp/www" >"$tmp/port" 2>"$tmp/httpd.log" &
    httpd=$!
    while [ ! -s "$tmp/port" ]; do sleep 0.1; done
    PORT=$(cat "$tmp/port")
    export PORT SHA
    cp $vars "$tmp/vars2.fd"
    debian=(-M virt -cpu max -smp 2 -m 1G -nographic
        -drive "if=pflash,format=raw,readonly=on,file=$code"
        -drive "if=pflash,format=raw,file=$tmp/vars2.fd"
        -device virtio-blk-pci,drive=d -drive "if=none,id=d,format=qcow2,file=$tmp/debian.qcow2"
        -nic user,model=virtio-net-pci)
    boot 'Debian through GRUB: login, network, 200 MB, power off' debian "${debian[@]}"
    boot 'Debian again: the file is whole' debian-again "${debian[@]}"
    export XDG_DATA_HOME=$tmp/data
    system=$build/gemel boot 'gemel run picks the rest' run run "$tmp/debian.qcow2" --snapshot
    n=$((n + 1))
    if "$img" check -q "$tmp/debian.qcow2"; then
        echo "ok $n - the image is consistent"
    else
        echo "not ok $n - the image is consistent"
    fi
else
    missing Debian 'no disk image or no firmware'
fi
echo "1..$n"
