#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Bad input: what cannot be run gives one clear line and the exit status a shell would give
# (126 found but not runnable, 127 not found, 1 wrong options), never a crash.
#
#   GEMEL  the emulator (default build/gemel-aarch64); GEMEL_LONG=1: 20,000 damaged programs
set -u
. "$(dirname "$0")/guest.bash"
emulator=${GEMEL:-$(dirname "$emulator")/gemel-aarch64}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

# says NAME STATUS PATTERN COMMAND...: nothing on standard output, one line that matches
says() {
    local name=$1 expected=$2 pattern=$3 out err status
    shift 3
    out=$(timeout 20 "$@" 2>"$work/err" </dev/null)
    status=$?
    err=$(cat "$work/err")
    if [ -z "$out" ] && [ "$status" = "$expected" ] && [ "$(wc -l <"$work/err")" = 1 ] &&
        [[ $err =~ $pattern ]]; then
        result "$name" 0
    else
        printf 'status %s, output: %s\nerrors: %s\n' "$status" "$out" "$err" >"$work/log"
        result "$name" 1 "$work/log"
    fi
}

# A program that runs, then its variants: header fields by offset.
cat >make.pl <<'END'
my ($out, @set) = @ARGV;
my $code = pack('V*', 0xd28000a0, 0xd2800ba8, 0xd4000001);
my $elf = "\x7fELF\x02\x01\x01" . "\0" x 9 .
    pack('vvVQQQVvvvvvv', 2, 183, 1, 0x4000b0, 64, 0, 0, 64, 56, 2, 64, 0, 0) .
    pack('VVQQQQQQ', 1, 5, 0, 0x400000, 0x400000, 188, 188, 0x1000) .
    pack('VVQQQQQQ', 0, 4, 188, 0, 0, 16, 16, 1) . $code . "/nowhere/ld.so\0\0";
while (my ($at, $hex) = splice(@set, 0, 2)) {
    substr($elf, $at, length($hex) / 2) = pack('H*', $hex);
}
open(my $f, '>:raw', $out) or die;
print $f $elf;
close $f;
chmod 0755, $out;
END
make() { perl make.pl "$@"; }

make good
"$emulator" ./good
result 'the program itself runs' $(($? != 5))
make machine 18 2800
says 'ELF of a 32-bit Arm' 126 'machine|AArch64|aarch64' "$emulator" ./machine
make riscv 18 f300
says 'ELF of a RISC-V' 126 'machine|AArch64|aarch64' "$emulator" ./riscv
make class 4 01
says 'ELF of 32 bits' 126 '64|32' "$emulator" ./class
make endian 5 02
says 'big-endian ELF' 126 'endian' "$emulator" ./endian
make object 16 0100
says 'object file' 126 'object|executable' "$emulator" ./object
make phsize 54 3000
says 'program headers of a wrong size' 126 'header' "$emulator" ./phsize
make phmany 56 ffff
says 'program headers without end' 126 'header' "$emulator" ./phmany
make phfar 32 ffffffffffffff7f
says 'program headers beyond the file' 126 'header' "$emulator" ./phfar
make phnone 56 0000
says 'no program headers' 126 '.' "$emulator" ./phnone
make segment 96 00000000ffffff7f
says 'a segment larger than the file' 126 'segment|beyond' "$emulator" ./segment
make memory 104 00000000000000ff
says 'a segment larger than memory' 126 'segment|memory|address' "$emulator" ./memory
make high 80 00000000000000f0
says 'a segment at a kernel address' 126 'segment|memory|address' "$emulator" ./high
make interp 120 03000000
says 'missing interpreter' 127 'interp' "$emulator" ./interp
make interp2 120 03000000 152 0000000000000010
says 'an interpreter name without end' 126 'interp' "$emulator" ./interp2
for n in 0 1 4 16 63; do
    head -c $n good >short && chmod +x short
    says "the first $n bytes" 126 'ELF' "$emulator" ./short
done
head -c 100 good >short && chmod +x short
says 'the first 100 bytes' 126 'header' "$emulator" ./short
head -c 180 good >short && chmod +x short
says 'the first 180 bytes' 126 'segment|beyond' "$emulator" ./short
head -c 4096 /dev/zero >zeros && chmod +x zeros
says 'zeros' 126 'ELF' "$emulator" ./zeros
seq 1 1000 >text && chmod +x text
says 'a text file' 126 'ELF' "$emulator" ./text
printf '#!/nowhere/interp\n' >script && chmod +x script
says 'a script whose interpreter is missing' 127 'interp|No such file' "$emulator" ./script
cp good locked && chmod 0 locked
says 'a file that cannot be read' 126 'Permission denied' "$emulator" ./locked
says 'a folder' 126 'Permission denied|directory' "$emulator" /
says 'a device' 126 'Permission denied|ELF' "$emulator" /dev/null
says 'a missing file' 127 'No such file' "$emulator" ./missing
says 'a missing folder' 127 'No such file' "$emulator" ./missing/program
says 'a file as a folder' 127 'Not a directory' "$emulator" ./good/program
says 'a name that is too long' 126 'too long' "$emulator" "./$(printf '%05000d' 0)"
says 'an empty name' 127 '.' "$emulator" ''
says 'no program' 1 'no program' "$emulator"
says 'an unknown option' 1 "unknown option '-nosuch'" "$emulator" -nosuch ./good
says 'an option near a known one' 1 "nearest: '-strace'" "$emulator" -strase ./good
says 'an unknown CPU' 1 "no CPU model 'cortex-x9000'" "$emulator" -cpu cortex-x9000 ./good
says 'an option without its value' 1 'needs a value' "$emulator" -L
says 'a value that is no number' 1 "bad value 'zz'" "$emulator" -B zz ./good
says 'a reserved size of nothing' 1 'bad value' "$emulator" -R 0x ./good

mkdir damaged
count=${GEMEL_LONG:+20000}
perl "$suite_here/badinput/mutate.pl" "$emulator" "$work/damaged" "${count:-500}" 20240611 >log 2>&1
result "${count:-500} programs with damaged headers, seed 20240611" $? log
sed 's/^/# /' log | tail -1
echo "1..$tests_run"
