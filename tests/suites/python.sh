#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Python's own test-suite (Debian arm64's libpython3.11-testsuite) under gemel, one test a module.
set -u
. "$(dirname "$0")/guest.bash"
tests=(test_math test_float test_struct test_threading test_signal test_subprocess test_socket
    test_mmap test_json test_re test_unicode)
[ $# -gt 0 ] && tests=("$@")
root=$(guest_root --name python python3 libpython3.11-testsuite) || exit 1
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for t in "${tests[@]}"; do
    timeout 300 bash -c '. "$1"; in_guest "$2" /usr/bin/python3.11 -m test -q "$3"' _ \
        "$suite_here/guest.bash" "$root" "$t" >"$log" 2>&1
    result "python $t" $? "$log"
done
echo "1..$tests_run"
