#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# stress-ng (Debian arm64) with --verify under gemel: each stressor's own checks must hold.
#
#   stress.sh [STRESSOR...]   GEMEL_LONG=1: a minute each
set -u
. "$(dirname "$0")/guest.bash"
stressors=(cpu futex signal mmap switch fork vm memcpy matrix atomic sem pipe sigsegv sigfpe stack
    clone vfork mremap msync mutex)
[ $# -gt 0 ] && stressors=("$@")
seconds=${GEMEL_LONG:+60}
seconds=${seconds:-4}
root=$(guest_root --name stress stress-ng coreutils) || exit 1

# Ends well, says that a run passed (not only that nothing failed), and verified something.
stressor() {
    local out status
    out=$(GUEST_SECONDS=$((seconds + 60)) in_guest "$root" /usr/bin/stress-ng --"$1" 2 --verify \
        --timeout "${seconds}s" --vm-bytes 32m --mmap-bytes 32m --no-rand-seed 2>&1)
    status=$?
    echo "$out"
    [ $status = 0 ] && grep -q 'successful run completed' <<<"$out" &&
        ! grep -qE 'fail:|error:' <<<"$out"
}
for s in "${stressors[@]}"; do
    queue "stress-ng $s" stressor "$s"
done
finish
