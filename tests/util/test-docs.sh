#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What documents say against what is there: links, and the options of gemel-user.
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

broken_links() {
    local page target
    for page in "$src"/*.md "$src"/docs/*.md; do
        grep -o '](\([^)#]*\)' "$page" | cut -c3- | while read -r target; do
            case $target in '' | http:* | https:*) continue ;; esac
            [ -e "$(dirname "$page")/$target" ] || echo "${page#"$src"/}: no $target"
        done
    done
}

unlisted_pages() {
    local page
    for page in "$src"/docs/*.md; do
        page=${page##*/}
        [ "$page" = README.md ] || grep -q "]($page)" "$src/docs/README.md" ||
            echo "docs/README.md does not list $page"
    done
}

# Every option of --help stands in the manual page and in the completion, and no other.
options=$("$build/gemel-user" --help | sed -n 's/^  -\([a-zA-Z0-9-]*\).*/\1/p')

missing_in_man() {
    local o
    for o in $options; do
        grep -qE "^\.BI? (\\\\)?-$o( |$)" "$src/man/gemel-user.1" || echo "gemel-user.1: no -$o"
    done
}

missing_in_completion() {
    local o
    for o in $options; do
        grep -qE -- "[ ']-$o( |'|$)" "$src/contrib/completion/gemel-user.bash" ||
            echo "completion: no -$o"
    done
}

too_much_in_man() {
    sed -n 's/^\.BI\{0,1\} \\-\([a-zA-Z0-9-]*\).*/\1/p' "$src/man/gemel-user.1" |
        while read -r o; do
            grep -qx -- "$o" <<<"$options" || echo "gemel-user.1: -$o is no option"
        done
}

result 'links lead somewhere' "$(broken_links)"
result 'the book lists its pages' "$(unlisted_pages)"
result 'the manual page has every option' "$(missing_in_man)"
result 'the manual page has no other option' "$(too_much_in_man)"
result 'the completion has every option' "$(missing_in_completion)"
[ -n "$options" ] || echo "Bail out! gemel-user --help lists no options"
echo "1..$n"
