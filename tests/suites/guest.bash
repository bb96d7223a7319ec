# SPDX-License-Identifier: GPL-2.0-or-later
# For suites: programs of an arm64 root in a chroot of a namespace of their own, started by the
# static emulator itself, so nothing is registered and nothing of this machine changes.
#
#   in_guest ROOT PROGRAM ARGS...   PROGRAM is a path inside the root
# GEMEL_STATIC is the emulator (default build/gemel-aarch64-static); GEMEL_ARGS its options.

suite_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
src=${GEMEL_SRC:-$(cd "$suite_here/../.." && pwd)}
emulator=${GEMEL_STATIC:-${GEMEL_BUILD:-$src/build}/gemel-aarch64-static}
tests_run=0

# Root stays root, for programs that look at users; others are root of a user namespace.
if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
    unshare_args=-m
else
    unshare_args=-Urm
fi

in_guest() {
    local root=$1
    shift
    # shellcheck disable=SC2016
    unshare "$unshare_args" bash -c '
        root=$1 emulator=$2
        shift 2
        mkdir -p "$root/proc" "$root/dev" "$root/tmp" "$root/gemel"
        mount --rbind /proc "$root/proc" && mount --rbind /dev "$root/dev" || exit 125
        mount -t tmpfs tmpfs "$root/tmp" && mount -t tmpfs tmpfs "$root/gemel" || exit 125
        cp "$emulator" "$root/gemel/gemel-aarch64"
        chmod 1777 "$root/tmp"
        export HOME=/root LC_ALL=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
        cd "$root" && exec chroot "$root" /gemel/gemel-aarch64 '"${GEMEL_ARGS:-}"' "$@"' \
        _ "$root" "$emulator" "$@"
}

# The packages' root; ends the suite as a failure when it cannot be had.
guest_root() {
    "$src/scripts/guest-root" "$@" || {
        echo 'Bail out! no arm64 root: it could not be downloaded'
        return 1
    }
}

# result NAME STATUS [LOG]: one TAP line, with the end of the log when it failed
result() {
    tests_run=$((tests_run + 1))
    if [ "$2" = 0 ]; then
        echo "ok $tests_run - $1"
    else
        [ -n "${3:-}" ] && tail -n 25 "$3" | sed 's/^/# /'
        echo "not ok $tests_run - $1 (status $2)"
    fi
}
