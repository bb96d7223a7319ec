#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A Debian arm64 is bootstrapped, its second stage run by the kernel through gemel (binfmt_misc),
# and packages are installed in it with its own apt.
#
# The handler is registered in a user namespace of our own (Linux 6.7) that has all user ids, so
# nothing of this machine is changed; making that needs root, and so do the device files. Nothing
# else there can run AArch64 programs: tried before the registration, and afterwards the host sees
# the emulator behind a program of the new system.
#
#   debootstrap.sh [keep]   GEMEL_LONG=1: python3, nodejs and gcc are installed too, not just a
#                           small package; keep: leave the system in the cache
set -u
. "$(dirname "$0")/guest.bash"
cache=${GEMEL_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/gemel}/debootstrap

skip_all() {
    echo '1..1'
    echo "ok 1 - debootstrap # SKIP $1"
    exit 0
}

# ---- outside: what needs real root, and the namespace
if [ "${1:-}" != --inside ]; then
    [ "$(id -u)" = 0 ] || skip_all 'needs root'
    command -v debootstrap >/dev/null || skip_all 'no debootstrap here'
    mkdir -p "$cache/debs" && cd "$cache" || exit 1
    exec 8>lock && flock 8
    # shellcheck disable=SC2016 # apt's own syntax
    read -r mirror suite < <(apt-get indextargets --format '$(REPO_URI) $(CODENAME)' \
        'Created-By: Packages' | head -1)
    if [ -z "${mirror:-}" ]; then
        echo "Bail out! apt knows no package lists (apt-get update), so no mirror to bootstrap from"
        exit 1
    fi
    root=$cache/root
    rm -rf "$root"
    if ! debootstrap --arch=arm64 --variant=minbase --foreign --cache-dir="$cache/debs" \
        "${suite:-bookworm}" "$root" "$mirror" >"$cache/stage1.log" \
        2>&1; then
        tail -5 "$cache/stage1.log" | sed 's/^/# /'
        echo 'Bail out! the first stage cannot be downloaded'
        exit 1
    fi
    while read -r name major minor; do
        [ -e "$root/dev/$name" ] || mknod -m 666 "$root/dev/$name" c "$major" "$minor"
    done <<'END'
null 1 3
zero 1 5
full 1 7
random 1 8
urandom 1 9
tty 5 0
console 5 1
ptmx 5 2
END
    ready=$(mktemp -u) && mkfifo "$ready"
    # exec by the user id that is root there, once the parent has said so, makes it root
    unshare -Um bash -c 'read -r go <"$1" && exec "$0" --inside "$2" "$3"' \
        "$suite_here/debootstrap.sh" "$ready" "$root" "$cache" &
    child=$!
    while [ "$(readlink /proc/self/ns/user)" = "$(readlink /proc/$child/ns/user)" ]; do
        sleep 0.05
    done
    echo '0 0 65536' >/proc/$child/uid_map
    echo '0 0 65536' >/proc/$child/gid_map
    echo go >"$ready"
    wait $child
    status=$?
    rm -f "$ready"
    [ "${1:-}" = keep ] || rm -rf "$root"
    exit $status
fi

# ---- inside, once more in a pid namespace, so that nothing stays behind
if [ "${4:-}" != --pid ]; then
    exec unshare -mpf --kill-child --propagation private "$suite_here/debootstrap.sh" "$@" --pid
fi
root=$2 cache=$3
export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive
unset GEMEL_STRACE QEMU_STRACE
mount -t proc proc /proc
handlers=$(mktemp -d) && mount -t binfmt_misc binfmt_misc "$handlers" ||
    skip_all 'no binfmt_misc in user namespaces here (Linux 6.7)'
log=$cache/log

step() { # NAME COMMAND...
    local name=$1 start=$SECONDS
    shift
    "$@" >"$log" 2>&1
    result "$name ($((SECONDS - start)) s)" $? "$log"
}

no_other() { ! chroot "$root" /usr/bin/true; }
register() { "$src/scripts/gemel-binfmt" install --mount "$handlers" --program "$emulator"; }
only_ours() {
    [ "$(cd "$handlers" && ls | sort | tr '\n' ' ')" = 'gemel-aarch64 register status ' ] || return 1
    chroot "$root" /usr/bin/sleep 3 &
    sleep 1
    readlink "/proc/$!/exe"
    [ "$(readlink -f "/proc/$!/exe")" = "$(readlink -f "$emulator")" ]
    local same=$?
    wait
    return $same
}
# container=lxc: debootstrap then lives with the device files that are there
second_stage() {
    container=lxc chroot "$root" /debootstrap/debootstrap --second-stage || {
        tail -30 "$root/debootstrap/debootstrap.log"
        return 1
    }
}
sane() {
    local n
    n=$(chroot "$root" dpkg -l | grep -c '^ii')
    echo "$n packages"
    [ "$n" -gt 80 ] && [ "$(chroot "$root" dpkg --print-architecture)" = arm64 ] &&
        [ "$(chroot "$root" uname -m)" = aarch64 ] && [ -z "$(chroot "$root" dpkg --audit)" ]
}
install() { # PACKAGE...: with the archives of earlier runs
    mkdir -p "$cache/archives/partial"
    mount -t proc proc "$root/proc"
    mount --bind "$cache/archives" "$root/var/cache/apt/archives" &&
        chroot "$root" apt-get -q -y -o APT::Sandbox::User=root update &&
        chroot "$root" apt-get -q -y -o APT::Sandbox::User=root -o APT::Keep-Downloaded-Packages=1 \
            --no-install-recommends install "$@"
    local status=$?
    umount "$root/var/cache/apt/archives"
    return $status
}
run_new() {
    local out
    out=$(env -i PATH="$PATH" chroot "$root" /bin/sh -c 'python3 -c "print(6 * 7)"; node -e "console.log(6 * 7)"
        echo "int main(void) { return 42; }" >/tmp/a.c && gcc /tmp/a.c -o /tmp/a; /tmp/a; echo $?' 2>&1)
    echo "$out"
    [ "$out" = $'42\n42\n42' ]
}

set_user_id() {
    local out
    cp "$root/usr/bin/id" "$root/usr/local/bin/id" && chmod 4755 "$root/usr/local/bin/id" &&
        out=$(chroot --userspec=1000:1000 "$root" /bin/sh -c \
            '/usr/bin/id -u; /usr/local/bin/id -u; /usr/local/bin/id -ru' 2>&1)
    echo "$out"
    [ "$out" = $'1000\n0\n1000' ]
}

step 'nothing runs AArch64 programs before' no_other
step 'gemel-binfmt install' register
step 'the kernel starts gemel and nothing else' only_ours
step 'debootstrap --second-stage' second_stage
step 'the system is whole' sane
step 'a set-user-ID program, as a child' set_user_id
if [ -n "${GEMEL_LONG:-}" ]; then
    step 'apt-get install python3 nodejs gcc' install python3 nodejs gcc libc6-dev
    step 'python3, node and gcc work there' run_new
else
    step 'apt-get install bc' install bc
    step 'bc works there' sh -c "[ \"\$(echo 6 \\* 7 | chroot '$root' bc)\" = 42 ]"
fi
echo "1..$tests_run"
