#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Debian's installer on virtio-gpu: the monitor's picture, a VNC client's and the SDL window's under Xvfb
# are the same, hold the expected words (read by the console's font), and follow the keyboard.
set -u
here=$(cd "$(dirname "$0")" && pwd)
SRC=${GEMEL_SRC:-$(cd "$here/../.." && pwd)}
build=${GEMEL_BUILD:-$SRC/build}
system=${GEMEL_SYSTEM:-$build/gemel-system-aarch64}
OUT=$(mktemp -d)
xvfb=
trap 'kill $xvfb 2>/dev/null; rm -rf "$OUT"' EXIT
n=0
result() { # STATUS NAME
    n=$((n + 1))
    if [ "$1" = 0 ]; then
        echo "ok $n - $2"
    else
        [ ! -s "$OUT/err" ] || sed 's/^/# /' "$OUT/err"
        echo "not ok $n - $2"
    fi
}
same() { # NAME FILE FILE
    compare -metric AE "$2" "$3" null: 2>"$OUT/err"
    local status=$?
    echo " pixels differ" >>"$OUT/err"
    result $status "$1"
}

di=$("$SRC/scripts/guest-root" --name installer debian-installer-12-netboot-arm64) &&
    fonts=$("$SRC/scripts/guest-root" --name font psf-unifont) || {
    echo 'Bail out! the installer or its font could not be downloaded'
    exit 1
}
di=$di/usr/lib/debian-installer/images/12/arm64/text/debian-installer/arm64
FONT=$(ls "$fonts"/usr/share/consolefonts/Unifont*.psf.gz)
for tool in Xvfb xdotool import compare; do
    command -v $tool >/dev/null || {
        echo "Bail out! no $tool (Debian: xvfb xdotool imagemagick)"
        exit 1
    }
done
Xvfb -displayfd 3 -screen 0 2400x1600x24 -nolisten tcp 3>"$OUT/display" 2>"$OUT/xvfb.log" &
xvfb=$!
for ((i = 0; i < 100; i++)); do
    [ ! -s "$OUT/display" ] || break
    sleep 0.1
done
DISPLAY=:$(cat "$OUT/display")
VNC=$((40 + RANDOM % 40)) VNCPORT=$((5900 + VNC))
export SRC OUT FONT DISPLAY VNCPORT SDL_VIDEODRIVER=x11

"$SRC/tests/system/drive" --timeout 180 --log "$OUT/log" "$SRC/tests/system/screen.steps" -- \
    "$system" -M virt -cpu max -smp 2 -m 1G -name gemel -display sdl -vnc ":$VNC" -serial null \
    -monitor stdio -nic none -device virtio-gpu-pci -device qemu-xhci -device usb-kbd -device usb-tablet \
    -kernel "$di/linux" -initrd "$di/initrd.gz" -append console=tty0 2>"$OUT/err"
result $? 'the installer draws its first screen, with the expected words'
same "a VNC client sees the same picture" "$OUT/dump.ppm" "$OUT/vnc.ppm"
same "the window shows the same picture" "$OUT/dump.ppm" "$OUT/window.ppm"
"$SRC/tests/system/screentext" "$FONT" "$OUT/window.ppm" 'Select a language' 'Choose the language' English
result $? 'the words can be read in the window'
! cmp -s "$OUT/dump.ppm" "$OUT/after.ppm"
result $? 'a key typed by the monitor moves the selection'
if [ -n "${KEEP:-}" ]; then cp "$OUT"/*.ppm "$OUT/log" "$KEEP"; fi
echo "1..$n"
