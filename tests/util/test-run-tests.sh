#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The test runner: what counts as passed, failed and skipped, and that nothing bad passes.
set -u
runner=${GEMEL_SRC:?}/tests/run-tests
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
n=0

script() {
    { echo '#!/bin/sh'; cat; } >"$1"
    chmod +x "$1"
}

# expect STATUS LAST-LINE NAME [runner argument...]
expect() {
    local status=$1 last=$2 name=$3 out got
    shift 3
    n=$((n + 1))
    out=$("$runner" --skips "$dir/skips.txt" --timeout 2 "$@" 2>&1)
    got=$?
    if [ $((got != 0)) = "$status" ] && [ "$(tail -n 1 <<<"$out")" = "$last" ]; then
        echo "ok $n - $name"
    else
        sed 's/^/# /' <<<"$out"
        echo "not ok $n - $name"
    fi
}

printf '# none\nsome:allowed_* a reason\n' >skips.txt
script good <<<'echo 1..2; echo ok 1 - a; echo ok 2 b'
script bad <<<'echo 1..2; echo ok 1 - a; echo not ok 2 - b; exit 1'
script short <<<'echo 1..3; echo ok 1 - a'
script planless <<<'echo ok 1 - a'
script silent <<<'exit 0'
script crash <<<'echo 1..1; echo ok 1 - a; kill -SEGV $$'
script status <<<'echo 1..1; echo ok 1 - a; exit 3'
script hang <<<'echo 1..1; sleep 60 & wait'
script bail <<<'echo 1..1; echo "Bail out! no memory"'
script some <<<'echo 1..2; echo "ok 1 - allowed one # SKIP none here"; echo ok 2 - a'
script other <<<'echo 1..2; echo "ok 1 - other # SKIP none here"; echo ok 2 - a'
script todo <<<'echo 1..1; echo "not ok 1 - later # TODO soon"'

expect 0 '2 passed, 0 failed, 0 skipped' 'a good program' good
expect 1 '1 passed, 1 failed, 0 skipped' 'a failed test' bad
expect 1 '1 passed, 1 failed, 0 skipped' 'fewer tests than planned' short
expect 1 '1 passed, 1 failed, 0 skipped' 'no plan' planless
expect 1 '0 passed, 1 failed, 0 skipped' 'no output' silent
expect 1 '1 passed, 1 failed, 0 skipped' 'a crash' crash
expect 1 '1 passed, 1 failed, 0 skipped' 'an exit status with no failed test' status
expect 1 '0 passed, 1 failed, 0 skipped' 'a program that does not end' hang
expect 1 '0 passed, 1 failed, 0 skipped' 'bailing out' bail
expect 1 '0 passed, 1 failed, 0 skipped' 'a program that is not there' nothing
expect 0 '1 passed, 0 failed, 1 skipped' 'a skip that is listed' some
expect 1 '1 passed, 1 failed, 0 skipped' 'a skip that is not listed' other
expect 1 '0 passed, 1 failed, 0 skipped' 'a test to do is not done' todo
expect 1 '0 passed, 0 failed, 0 skipped' 'running nothing is no success' --only zzz good
expect 1 '6 passed, 4 failed, 1 skipped' 'several at once' --jobs 4 good bad some other crash silent
expect 0 '2 passed, 0 failed, 0 skipped' 'totals are appended' --totals "$dir/totals" good
n=$((n + 1))
[ "$(cat totals)" = '2 0 0' ] || printf 'not '
echo "ok $n - totals file"
echo "1..$n"
