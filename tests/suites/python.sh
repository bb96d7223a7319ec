#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Python's own test-suite (Debian arm64's libpython3.11-testsuite) under gemel, one test a module.
#
#   python.sh [MODULE...]   default: the list below, the slow ones first
set -u
. "$(dirname "$0")/guest.bash"
tests=(test_subprocess test_socket test_threading test_signal test_re test_unicode test_mmap
    test_math test_struct test_json test_float)
[ $# -gt 0 ] && tests=("$@")
root=$(guest_root --name python python3 libpython3.11-testsuite coreutils dash bash netbase) ||
    exit 1

# Not gemel's: a machine that has /dev/vsock but no loopback for it makes this one wait for ever,
# natively too (connect to the own CID: ENODEV).
left_out=(-i 'test.test_socket.ThreadedVSOCKSocketStreamTest.*')

module() {
    GUEST_SECONDS=280 in_guest "$root" /usr/bin/python3.11 -X faulthandler -m test -q \
        --timeout 270 "${left_out[@]}" "$@"
}
for t in "${tests[@]}"; do
    if [ "$t" = test_subprocess ]; then # hundreds of Pythons: in two halves, side by side
        queue "python $t, POSIX" module "$t" -m '*.POSIXProcessTestCase.*'
        queue "python $t, the others" module "$t" -i '*.POSIXProcessTestCase.*'
    else
        queue "python $t" module "$t"
    fi
done
finish
