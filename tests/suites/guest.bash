# SPDX-License-Identifier: GPL-2.0-or-later
# For suites: programs of an arm64 root in a chroot of a namespace of their own, started by the
# static emulator itself, so nothing is registered and nothing of this machine changes.
#
#   in_guest ROOT PROGRAM ARGS...   PROGRAM is a path inside the root
#     GUEST_SECONDS: ends it (default 300); GUEST_FOLDER: it starts in a copy of that folder
# GEMEL_STATIC is the emulator (default build/gemel-aarch64-static); GEMEL_ARGS its options.

suite_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
src=${GEMEL_SRC:-$(cd "$suite_here/../.." && pwd)}
emulator=${GEMEL_STATIC:-${GEMEL_BUILD:-$src/build}/gemel-aarch64-static}
tests_run=0
[ "${1:-}" = --tap ] && shift # run-tests says so to every program

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
    timeout -k 5 "${GUEST_SECONDS:-300}" unshare "$unshare_args" bash -c '
        root=$1 emulator=$2
        shift 2
        mkdir -p "$root/proc" "$root/sys" "$root/dev" "$root/tmp" "$root/gemel" "$root/etc"
        [ -e "$root/etc/hosts" ] || printf "%s\n" "127.0.0.1 localhost" \
            "::1 localhost ip6-localhost" >"$root/etc/hosts"
        for d in proc sys dev; do
            mount --rbind /$d "$root/$d" || exit 125
        done
        mount -t tmpfs tmpfs "$root/tmp" && mount -t tmpfs tmpfs "$root/gemel" || exit 125
        cp "$emulator" "$root/gemel/gemel-aarch64"
        chmod 1777 "$root/tmp"
        # what this machine tells its own programs
        unset ${!NODE_@} ${!PYTHON@} ${!JAVA_@} ${!PERL5@} ${!GIT_@} ${!SSL_@} ${!LD_@}
        export HOME=/root LC_ALL=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
        if [ -n "${GUEST_FOLDER:-}" ]; then
            cp -r "$GUEST_FOLDER" "$root/gemel/folder" && set -- /usr/bin/env -C /gemel/folder "$@"
        fi
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

# ---- cases side by side: queue them, then finish
# queue NAME COMMAND...: COMMAND writes its complaints to standard output; its status decides
guest_jobs=()
guest_logs=$(mktemp -d)
queue() {
    local i=${#guest_jobs[@]} log
    guest_jobs+=("$1")
    log=$guest_logs/$i
    shift
    while [ "$(jobs -rp | wc -l)" -ge "${GUEST_JOBS:-2}" ]; do
        wait -n
    done
    { "$@" >"$log" 2>&1; echo $? >"$log.status"; } &
}

# skip NAME REASON
skip() {
    local i=${#guest_jobs[@]}
    guest_jobs+=("$1")
    echo "$2" >"$guest_logs/$i.skip"
}

# TAP lines of all that was queued, in that order
finish() {
    local i log
    wait
    for i in "${!guest_jobs[@]}"; do
        log=$guest_logs/$i
        if [ -e "$log.skip" ]; then
            tests_run=$((tests_run + 1))
            echo "ok $tests_run - ${guest_jobs[i]} # SKIP $(cat "$log.skip")"
        else
            result "${guest_jobs[i]}" "$(cat "$log.status" 2>/dev/null || echo lost)" "$log"
        fi
    done
    rm -rf "$guest_logs"
    echo "1..$tests_run"
}

# guest_answers FOLDER EXPECTED SECONDS COMMAND...: COMMAND in the root, in a copy of FOLDER
guest_answers() {
    local folder=$1 expected=$2 seconds=$3 got status
    shift 3
    # shellcheck disable=SC2154 # root is the suite's
    got=$(GUEST_SECONDS=$seconds GUEST_FOLDER=$folder in_guest "$root" "$@" 2>&1)
    status=$?
    [ "$got" = "$expected" ] && [ $status = 0 ] && return 0
    printf 'expected: %s\ngot (status %s): %s\n' "$expected" "$status" "$(tail -n 40 <<<"$got")"
    return 1
}
