# SPDX-License-Identifier: GPL-2.0-or-later
# Shared by ./run and ./check (bash; sourced): installs what is missing and builds in build/.
# Uses $top; leaves logs in build/.

build=$top/build

PACKAGES_BUILD="gcc libc6-dev make autoconf automake pkg-config perl libcapstone-dev libglib2.0-dev libfdt-dev
    zlib1g-dev libzstd-dev liburing-dev libsdl2-dev libpixman-1-dev libslirp-dev libpng-dev nettle-dev
    libjson-c-dev"
PACKAGES_CHECK="gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user gcc-12-source libmpfr-dev
    debootstrap binutils xz-utils file openssl openjdk-17-jdk-headless qemu-utils u-boot-qemu
    qemu-efi-aarch64 mtools fdisk e2fsprogs cpio device-tree-compiler acpica-tools xvfb xauth xdotool imagemagick"

say() {
    if [ -t 1 ]; then printf "\033[1m== %s\033[0m\n" "$*"; else printf "== %s\n" "$*"; fi
}
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# The packages of the list that are not installed.
missing_packages() {
    local p
    for p in "$@"; do
        dpkg-query -W -f '${Status}\n' "$p" 2>/dev/null | grep -q '^install ok installed' ||
            echo "$p"
    done
}

# install_packages REASON PACKAGE...: false when some could not be had.
install_packages() {
    local reason=$1 sudo='' missing log
    shift
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        say "not a Debian system: make sure the equivalents of these are there: $*"
        return 0
    fi
    mapfile -t missing < <(missing_packages "$@")
    [ ${#missing[@]} -gt 0 ] || return 0
    say "installing, $reason: ${missing[*]}"
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || {
            echo "   neither root nor sudo; please install: ${missing[*]}" >&2
            return 1
        }
        sudo=sudo
    fi
    mkdir -p "$build"
    log=$build/apt.log
    apt_install() {
        $sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends \
            install "$@" >>"$log" 2>&1
    }
    : >"$log"
    apt_install "${missing[@]}" && return 0
    $sudo apt-get -qq update >>"$log" 2>&1 || echo '   no package lists: is there a network?' >&2
    apt_install "${missing[@]}" && return 0
    # Take what can be had: one name unknown here must not keep the others away.
    local p
    for p in "${missing[@]}"; do
        apt_install "$p" || true
    done
    mapfile -t missing < <(missing_packages "$@")
    [ ${#missing[@]} -gt 0 ] || return 0
    echo "   could not install: ${missing[*]} (log: $log)" >&2
    return 1
}

# Shows one step in 20 of a make that runs quietly; all of it goes to the log.
show_progress() {
    awk -v total="$1" -v log_file="$2" '
        { print > log_file; fflush(log_file) }
        /^  (CC|CCLD|AR|GEN|CPPAS)/ {
            n++
            if (n % 20 == 0 || n == total) {
                printf "   %d of %d: %s\n", n, (total < n ? n : total), $2; fflush()
            }
        }
        /(error|warning):/ { print "   " $0; fflush() }'
}

# build_gemel [configure option...]: out of tree in build/; what is up to date is not built again.
build_gemel() {
    local jobs steps
    for tool in "${CC:-gcc}" make perl; do
        command -v "$tool" >/dev/null || die "$tool is not installed"
    done
    mkdir -p "$build"
    if [ ! -e "$top/configure" ] || [ "$top/configure.ac" -nt "$top/configure" ]; then
        say 'making configure'
        (cd "$top" && ./autogen.sh) >"$build/autogen.log" 2>&1 || {
            tail -n 15 "$build/autogen.log" >&2
            die "autogen.sh failed (log: build/autogen.log)"
        }
    fi
    if [ ! -e "$build/Makefile" ]; then
        say 'configuring'
        (cd "$build" && "$top/configure" -q "$@") >"$build/configure.log" 2>&1 || {
            tail -n 15 "$build/configure.log" >&2
            die "configure failed (log: build/configure.log)"
        }
    fi
    jobs=$(nproc)
    # The first make may only remake the makefile itself; then count what is left to do.
    make -C "$build" Makefile >"$build/make.log" 2>&1 || {
        tail -n 15 "$build/make.log" >&2
        die "cannot make build/Makefile (log: build/make.log)"
    }
    steps=$(make -C "$build" -n all 2>/dev/null | grep -cE 'echo "  (CC|CCLD|AR|GEN|CPPAS) ' || true)
    if [ "$steps" -gt 1 ]; then
        say "building ($steps steps, $jobs at a time)"
    fi
    make -C "$build" -j "$jobs" ${WERROR:+WERROR="$WERROR"} all 2>&1 |
        show_progress "$steps" "$build/make.log"
    [ "${PIPESTATUS[0]}" = 0 ] || {
        grep -E 'error|Error|\*\*\*' "$build/make.log" | head -20 >&2
        die "the build failed (log: build/make.log)"
    }
}
