#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The lint itself: a small tree that keeps every rule passes, and one breach makes one rule fail.
set -u
lint=${GEMEL_SRC:?}/tools/lint.pl
tree=$(mktemp -d) || exit 1
trap 'rm -rf "$tree"' EXIT
n=0

spdx='/* SPDX-License-Identifier: GPL-2.0-or-later */'

fresh() {
    rm -rf "$tree/src" "$tree/build"
    mkdir -p "$tree"/src/{util,tcg,include/util,tests,tools} "$tree/build"
    cp "$GEMEL_SRC/tools/layers.table" "$tree/src/tools/"
    cp "$GEMEL_SRC/.clang-format" "$tree/src/"
    printf '%s\n' "$spdx" '#ifndef A_H' '#define A_H' 'int a_get(int x);' '#endif' \
        >"$tree/src/include/util/a.h"
    printf '%s\n' "$spdx" '#include "util/a.h"' '' 'int a_get(int x)' '{' '    if (x) {' \
        '        return 2;' '    }' '    return 1;' '}' >"$tree/src/util/a.c"
    : >"$tree/src/tests/lint-allow.txt"
}

run_lint() {
    GEMEL_SRC=$tree/src GEMEL_BUILD=$tree/build CPPFLAGS="-I$tree/src/include" \
        GEMEL_LINT_FORMAT=1 "$lint" "$@"
}

# expect RULE pass|fail NAME
expect() {
    local out status=not
    n=$((n + 1))
    out=$(run_lint "$1") && status=''
    if [ "${status:-pass}" = "${2/fail/not}" ]; then
        echo "ok $n - $3"
    else
        printf '%s\n' "$out" | sed 's/^/# /'
        echo "not ok $n - $3"
    fi
}

fresh
for rule in layers sizes ifdef braces spdx headers scripts globals; do
    expect $rule pass "clean tree passes $rule"
done

printf '%s\n' "$spdx" '#include "tcg/ir.h"' >"$tree/src/util/b.c"
expect layers fail 'util may not include tcg'
printf 'layers util/b.c:tcg/ir.h a test\n' >"$tree/src/tests/lint-allow.txt"
expect layers pass 'what is on the allow list passes'

fresh
printf '%s\n' "$spdx" '#include <glib.h>' >"$tree/src/tcg/b.c"
expect layers fail 'tcg may not include glib'

fresh
{ printf '%s\n' "$spdx" 'int a_long(void)' '{'; yes '    a_get(1);' | head -101
    printf '%s\n' '    return 0;' '}'; } >"$tree/src/util/b.c"
expect sizes fail 'a function of 102 lines'

fresh
{ echo "$spdx"; yes 'extern int a_x;' | head -1200; } >"$tree/src/util/b.c"
expect sizes fail 'a file of 1201 lines'

fresh
printf '%s\n' "$spdx" 'int a_if(void)' '{' '#ifdef X' '    return 0;' '#endif' '}' \
    >"$tree/src/util/b.c"
expect ifdef fail 'an #ifdef in a function'

fresh
printf '%s\n' "$spdx" 'int a_if(int x)' '{' '    if (x)' '        return 0;' '    return 1;' '}' \
    >"$tree/src/util/b.c"
expect braces fail 'an if without braces'

fresh
printf 'int b;\n' >"$tree/src/util/b.c"
expect spdx fail 'a file without a licence line'

fresh
printf '%s\n' "$spdx" 'size_t b_size(void);' >"$tree/src/include/util/b.h"
expect headers fail 'a header that needs another'

fresh
printf '%s\n' "$spdx" 'struct B { int b; };' >"$tree/src/include/util/b.h"
expect headers fail 'a header without a guard'

fresh
echo 'static int hidden; int *a_at(void) { static int n[4]; return hidden ? n : 0; }
      void a_put(int x) { hidden = x; } const int fine = 3;
      const char *const names[] = {"a", "b"};' |
    ${CC:-cc} -fPIE -O0 -x c -c -o "$tree/build/b.o" - && ar cr "$tree/build/libb.a" "$tree/build/b.o"
expect globals fail 'mutable globals'
printf 'globals b.o:hidden x\nglobals b.o:n x\n' >"$tree/src/tests/lint-allow.txt"
expect globals pass 'constant tables are no mutable globals'

fresh
mkdir -p "$tree/src/scripts"
printf '%s\n' '#!/bin/sh' '# SPDX-License-Identifier: GPL-2.0-or-later' 'if true; then' \
    >"$tree/src/scripts/x"
expect scripts fail 'a script that does not parse'

if command -v clang-format >/dev/null; then
    fresh
    expect format pass 'clean tree passes format'
    printf '%s\n' 'int   b ;' >>"$tree/src/util/a.c"
    expect format fail 'a badly formatted file'
fi
echo "1..$n"
