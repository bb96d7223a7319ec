#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# man/gemel.1 and the completion know the options that the program knows.
set -u
src=${GEMEL_SRC:?} build=${GEMEL_BUILD:?}
n=0

result() {
    n=$((n + 1))
    if [ -n "$2" ]; then
        printf '%s\n' "$2" | sed 's/^/# /'
        echo "not ok $n - $1"
    else
        echo "ok $n - $1"
    fi
}

in_page() {
    sed -n '/^\.\\" BEGIN gemel print-options man$/,/^\.\\" END$/p' "$src/man/gemel.1" | sed '1d;$d'
}

result "the options of man/gemel.1 (put in the output of: gemel print-options man)" \
    "$(diff <(in_page) <("$build/gemel" print-options man))"

# The function that the shell calls, with its variables set as the shell does.
complete_words() {
    bash -c '. "$1"; shift; gemel() { "$build/gemel" "$@"; }
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); compopt() { :; }
        _gemel "$1" 2>/dev/null; printf "%s\n" "${COMPREPLY[@]}"' - \
        "$src/contrib/completion/gemel.bash" "$@"
}
export build
expect() {
    local what=$1 word=$2
    shift 2
    result "$what" "$(complete_words "$@" | grep -qx -- "$word" || echo "no $word: $(complete_words "$@" | head -5)")"
}
expect "completes commands" run "$build/gemel" r
expect "completes options" -nographic "$build/gemel-system-aarch64" -nog
expect "completes boards" virt "$build/gemel-system-aarch64" -M vi
expect "completes devices" virtio-rng-pci "$build/gemel-system-aarch64" -device virtio-rn
expect "completes chardevs" ringbuf "$build/gemel-system-aarch64" -chardev ri
echo "1..$n"
