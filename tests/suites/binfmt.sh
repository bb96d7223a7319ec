#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The kernel starts AArch64 programs through gemel: gemel-binfmt registers the static build with a
# binfmt_misc of a user namespace's own (Linux 6.7), so nothing of this machine is changed, and
# programs run in a chroot that has no emulator in it.
#
#   GEMEL_STATIC   the emulator (default build/gemel-aarch64-static)
set -u
here=$(cd "$(dirname "$0")" && pwd)
src=${GEMEL_SRC:-$(cd "$here/../.." && pwd)}
emulator=${GEMEL_STATIC:-${GEMEL_BUILD:-$src/build}/gemel-aarch64-static}

if [ "${1:-}" != --inside ]; then
    if ! unshare -Urm sh -c 'd=$(mktemp -d) && mount -t binfmt_misc binfmt_misc "$d" &&
        [ -w "$d/register" ]; s=$?; umount "$d"; rmdir "$d"; exit $s' 2>/dev/null; then
        echo '1..1'
        echo 'ok 1 - binfmt # SKIP no binfmt_misc in user namespaces here (Linux 6.7)'
        exit 0
    fi
    root=$("$src/scripts/guest-root" --name binfmt bash coreutils perl-base dash) || {
        echo 'Bail out! no arm64 root: it could not be downloaded'
        exit 1
    }
    exec unshare -Urm "$0" --inside "$root"
fi

root=$2
export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount=$(mktemp -d) && mount -t binfmt_misc binfmt_misc "$mount" || exit 1
trap 'cd /; umount "$mount" && rmdir "$mount"' EXIT
binfmt=$src/scripts/gemel-binfmt
n=0

# same NAME EXPECTED COMMAND...: its output and its status, as one text
same() {
    local name=$1 expected=$2 got status
    shift 2
    n=$((n + 1))
    got=$("$@" 2>&1)
    status=$?
    got="$got($status)"
    if [ "$got" = "$expected" ]; then
        echo "ok $n - $name"
    else
        printf '# expected: %s\n# got:      %s\n' "${expected//$'\n'/$'\n#   '}" \
            "${got//$'\n'/$'\n#   '}"
        echo "not ok $n - $name"
    fi
}

inside() { timeout 60 chroot "$root" "$@"; }

same 'status before' $'binfmt_misc: enabled\ngemel-aarch64: not registered(1)' \
    "$binfmt" status --mount "$mount"
same 'a program cannot be run before' '(126)' sh -c "'$root/usr/bin/true' 2>/dev/null"
same 'install' "registered gemel-aarch64: $emulator(0)" \
    "$binfmt" install --mount "$mount" --program "$emulator"
same 'install again' "registered gemel-aarch64: $emulator(0)" \
    "$binfmt" install --mount "$mount" --program "$emulator"
same 'status' 'flags: POCF(0)' sh -c "'$binfmt' status --mount '$mount' | sed -n 's/^  flags/flags/p'"
same 'a program in a chroot without /proc' 'aarch64(0)' inside /usr/bin/uname -m
same 'its exit status' '(7)' inside /bin/sh -c 'exit 7'
same 'a child' 'aarch64(0)' inside /bin/sh -c 'x=$(uname -m); echo $x'
same 'argv[0] is kept' 'another name(0)' inside /bin/bash -c \
    'exec -a "another name" /bin/bash -c "echo \"\$0\""'
same 'argv[0] of a name in PATH' 'bash(0)' inside bash -c 'echo $0'
same 'arguments, empty ones too' '<a b><><-c>(0)' inside /bin/sh -c \
    'printf "<%s>" "$@"' sh 'a b' '' -c
printf '#!/bin/sh\necho "$(uname -m) $0 $1"\n' >"$root/tmp/script" && chmod +x "$root/tmp/script"
same 'a script' 'aarch64 /tmp/script x(0)' inside /tmp/script x
same 'a script as a child' 'aarch64 /tmp/script y(0)' inside /bin/sh -c '/tmp/script y'
same 'a pipe of three' '3(0)' inside /bin/sh -c 'printf "b\na\nb\n" | sort | wc -l'
mount --rbind /proc "$root/proc" && mount --rbind /dev "$root/dev"
same 'perl' '42(0)' inside /usr/bin/perl -e 'print 6 * 7'
same '/proc/self/exe with /proc' '/usr/bin/readlink(0)' inside readlink /proc/self/exe
umount -l "$root/proc" "$root/dev"
same 'remove' 'removed gemel-aarch64(0)' "$binfmt" remove --mount "$mount"
same 'remove again' 'gemel-aarch64: not registered(0)' "$binfmt" remove --mount "$mount"
echo "1..$n"
