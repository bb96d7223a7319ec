#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# User mode, from outside: guest programs of tests/user/guest (cross-compiled here), hostile files,
# the command line, the vdso image. Prints TAP.
src=${GEMEL_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
build=${GEMEL_BUILD:-$src}
gemel=${GEMEL_USER:-$build/gemel-user}
cross=${CROSS:-aarch64-linux-gnu-}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
n=0

ok() { # condition's status, name
    n=$((n + 1))
    if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fi
}

# expect STATUS PATTERN NAME COMMAND...: exit status, and a pattern that the output has, in one line
expect() {
    want=$1 pattern=$2 name=$3
    shift 3
    timeout -s KILL 60 "$@" >"$tmp/out" 2>&1 </dev/null
    got=$?
    if [ $got = "$want" ] && grep -q -e "$pattern" "$tmp/out"; then
        ok 0 "$name"
    else
        ok 1 "$name"
        echo "# status $got, not $want; output:"
        sed 's/^/#   /' "$tmp/out"
    fi
}

one_line() { # NAME: the output of the last expect() was one line
    [ "$(wc -l <"$tmp/out")" = 1 ]
    ok $? "$1"
}

# ---- command line
expect 1 "nearest: '-strace'" "unknown option" "$gemel" -strece /bin/true
one_line "unknown option: one line"
expect 1 "nearest: 'cortex-a53'" "unknown CPU" "$gemel" -cpu cortex-a73 /bin/true
one_line "unknown CPU: one line"
expect 0 "^max$" "-cpu help" "$gemel" -cpu help
expect 0 "^ 56 *openat *implemented" "--syscalls" "$gemel" --syscalls
expect 0 "GEMEL_LD_PREFIX" "--help" "$gemel" --help
expect 0 "gemel" "--version" "$gemel" --version
expect 1 "no program" "no program" "$gemel"
expect 1 "bad value" "bad -B" "$gemel" -B 123x /bin/true

# ---- files that are no programs
printf 'hello\n' >"$tmp/text"
chmod +x "$tmp/text"
head -c 20 /proc/self/exe >"$tmp/short"
chmod +x "$tmp/short"
expect 127 "No such file" "missing file" "$gemel" "$tmp/none"
expect 126 "not an ELF" "text file" "$gemel" "$tmp/text"
expect 126 "truncated" "20 bytes of ELF" "$gemel" "$tmp/short"
{ head -c 18 /bin/true; printf '\363\000'; tail -c +21 /bin/true; } >"$tmp/riscv"
chmod +x "$tmp/riscv"
expect 126 "not for 64-bit" "program for another machine" "$gemel" "$tmp/riscv"
expect 126 "Permission denied" "folder" "$gemel" "$tmp"
chmod -x "$tmp/text"
expect 126 "Permission denied" "no execute permission" "$gemel" "$tmp/text"

# ---- guest programs
if ! command -v "${cross}gcc" >/dev/null; then
    n=$((n + 1))
    echo "ok $n - guest programs # SKIP no ${cross}gcc (Debian: gcc-aarch64-linux-gnu)"
    echo "1..$n"
    exit 0
fi
"$src/user/vdso/make.sh" 2>/dev/null | cmp -s - "$src/user/vdso/vdso-image.c"
ok $? "vdso-image.c is what vdso.S makes"

for f in "$src"/tests/user/guest/*.c; do
    guest=$(basename "$f" .c)
    flags=$(sed -n 's/^ \* cflags: //p' "$f")
    # shellcheck disable=SC2086
    if "${cross}gcc" -O2 -static -pthread $flags -o "$tmp/$guest" "$f" -lrt 2>"$tmp/err"; then
        for mode in "" "-tier 1" "-accel interp"; do
            expect 0 " 0 failures" "guest $guest $mode" "$gemel" $mode "$tmp/$guest"
        done
    else
        ok 1 "compile $guest"
        sed 's/^/#   /' "$tmp/err"
    fi
done

# ---- guarded pages from the start: a program without interpreter whose property note says BTI
cat >"$tmp/marked.S" <<'S'
        .globl _start
_start: mov     w0, #7
        adr     x9, 1f
        br      x9
1:      LANDING
        mov     w8, #93
        svc     #0
        .section .note.gnu.property, "a"
        .balign 8
        .word   4, 16, 5, 0x00554e47, 0xc0000000, 4, 1, 0
S
for landing in "bti j:7" "nop:132"; do
    "${cross}gcc" -nostdlib -static -march=armv8.5-a -DLANDING="${landing%:*}" -o "$tmp/marked" "$tmp/marked.S"
    expect "${landing#*:}" "" "marked for BTI, lands on ${landing%:*}" \
        sh -c "ulimit -c 0; \"$gemel\" \"$tmp/marked\"; s=\$?; echo; exit \$s"
    expect 7 "" "the same on a CPU without BTI" \
        sh -c "\"$gemel\" -cpu neoverse-n1 \"$tmp/marked\"; s=\$?; echo; exit \$s"
done

# ---- damaged copies of a real program: never a crash of the emulator
prog=$tmp/files
for at in 4 16 18 32 54 56 64 72 80 96 104; do
    cp "$prog" "$tmp/bad"
    printf '\377\377\377\377\377\377\377\177' |
        dd of="$tmp/bad" bs=1 seek=$at conv=notrunc 2>/dev/null
    timeout -s KILL 20 "$gemel" "$tmp/bad" >"$tmp/out" 2>&1 </dev/null
    st=$?
    if [ $st = 126 ] || { [ $st != 134 ] && ! grep -q "emulator itself" "$tmp/out"; }; then
        ok 0 "damaged at $at"
    else
        ok 1 "damaged at $at: status $st"
        sed 's/^/#   /' "$tmp/out"
    fi
done
head -c 3000 "$prog" >"$tmp/cut"
chmod +x "$tmp/cut"
expect 126 "truncated" "cut after 3000 bytes" "$gemel" "$tmp/cut"

# ---- scripts, argv[0], environment
cat >"$tmp/args.c" <<'C'
#include <stdio.h>
#include <stdlib.h>
int main(int c, char **v)
{
    for (int i = 0; i < c; i++) {
        printf("[%s]", v[i]);
    }
    puts(getenv("VAR") ? getenv("VAR") : "-");
    return c;
}
C
"${cross}gcc" -static -o "$tmp/args" "$tmp/args.c"
printf '#! %s/args  one two \nrest\n' "$tmp" >"$tmp/script"
chmod +x "$tmp/script"
expect 4 "\[$tmp/args\]\[one two\]\[$tmp/script\]\[x\]-" "script" "$gemel" "$tmp/script" x
expect 1 "^\[name\]val" "-0 and -E" "$gemel" -0 name -E VAR=val "$tmp/args"
expect 1 "\]-$" "-U" env VAR=1 "$gemel" -U VAR "$tmp/args"
expect 1 "exit_group(1)" "-strace" "$gemel" -strace "$tmp/args"
expect 1 "\]-$" "-accel interp" "$gemel" -accel interp "$tmp/args"
"${cross}gcc" -static-pie -o "$tmp/pie" "$tmp/args.c"
expect 1 "\]-$" "static PIE" "$gemel" "$tmp/pie"
"${cross}gcc" -o "$tmp/dyn" "$tmp/args.c"
expect 127 "interpreter" "missing interpreter" "$gemel" -L "$tmp" "$tmp/dyn"
one_line "missing interpreter: one line"
if [ -d /usr/aarch64-linux-gnu/lib ]; then
    expect 2 "\[a\]-$" "dynamic, -L" "$gemel" -L /usr/aarch64-linux-gnu "$tmp/dyn" a
fi
echo "1..$n"
