#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs the bare-metal tests of the Arm system level on bare-run and, where installed, on
# qemu-system-aarch64, and compares the lines. TAP. Needs aarch64-linux-gnu-gcc; without it, skipped.
#
# What may differ, and why (qemu 7.2):
#   - aborts on addresses without memory: the order of permission check and external abort of atomics,
#     and execution there;
#   - the sum of the tables: whether a refused access sets the access flag is left open;
#   - the level of a stage 2 fault of a stage 1 walk: it reports the level of stage 1;
#   - CAS refused by both stages: it reports stage 2, having read first;
#   - EX in the syndrome of a step over a load-exclusive, which we do not set.
use strict;
use warnings;
no warnings 'portable'; # 64-bit numbers

my $src = ($ENV{GEMEL_SRC} // '.') . '/tests/bare';
my $bld = ($ENV{GEMEL_BUILD} // '.') . '/tests/bare';
my $cc = 'aarch64-linux-gnu-gcc';
my $rounds = $ENV{BARE_ROUNDS} // 30;

# program, sources, CPU, machine options
my @cases = (
    ['mmu', 'start.S mmu.c', 'max', 'virtualization=off'],
    ['mmu', 'start.S mmu.c', 'cortex-a72', 'virtualization=off'],
    ['stage2', 'start.S stage2.c', 'max', 'virtualization=on'],
    ['stage2', 'start.S stage2.c', 'neoverse-n1', 'virtualization=on'],
    ['step', 'step.S', 'cortex-a72', 'virtualization=off'],
    ['debug', 'debug.S', 'cortex-a72', 'virtualization=off'],
);

sub found { my $tool = shift; return grep { -x "$_/$tool" } split /:/, $ENV{PATH}; }

sub lines_of { my $cmd = shift; my @l = `timeout 60 $cmd 2>&1 </dev/null`; return @l; }

# A line without what may differ; '' matches anything.
sub plain {
    my $l = shift;
    return '' if $l =~ /^(tables|cas|exec0? \S+ 8[26]000010 )/ || $l =~ /^ldadd \S+ 960000[15]0 /;
    my @f = split ' ', $l;
    if (@f >= 3 && $f[2] =~ /^(8[26]|9[26])[0-9a-f]{6}$/ && hex($f[2]) & 0x80) {
        $f[2] = sprintf '%x', hex($f[2]) & ~3;
    }
    if (@f == 4 && $f[2] eq '0' && (hex($f[3]) & 0x101) == 0x101) {
        $f[3] = sprintf '%x', hex($f[3]) & ~6;
    }
    return join ' ', map { s/^cb000062$/cb000022/r } @f;
}

sub compare {
    my ($ours, $theirs) = @_;
    my $bad = @$ours == @$theirs ? 0 : 1;
    for my $i (0 .. $#$ours) {
        my ($a, $b) = (plain($ours->[$i]), plain($theirs->[$i] // 'nothing'));
        next if $a eq $b || $a eq '' || $b eq '';
        print '# line ', $i + 1, ": $ours->[$i]# expected: ", $theirs->[$i] // "nothing\n";
        last if ++$bad > 10;
    }
    return !$bad;
}

if (!found($cc) || !-x "$bld/bare-run") {
    print "1..0 # SKIP needs $cc and bare-run\n";
    exit 0;
}
print '1..', 2 * @cases, "\n";
my $n = 0;
for (@cases) {
    my ($name, $files, $cpu, $options) = @$_;
    my $elf = "$bld/$name.elf";
    my $list = join ' ', map { "$src/$_" } split ' ', $files;
    my $script = $files !~ /start/ ? '-Wl,-Ttext=0x40100000' : "-T $src/torture.ld";
    system("$cc -O1 -ffreestanding -fno-stack-protector -mgeneral-regs-only -fno-pic -mcmodel=small "
        . "-nostdlib -static -DROUNDS=$rounds $script -Wl,--build-id=none -o $elf $list") == 0
        or die "cannot build $elf\n";
    my @ours = lines_of("$bld/bare-run -c $cpu -M $options $elf");
    my $ends = @ours && ($ours[-1] =~ /^end/ || $files !~ /start/);
    print $ends ? '' : 'not ', 'ok ', ++$n, " - $name $cpu runs to its end\n";
    if (!found('qemu-system-aarch64')) {
        print 'ok ', ++$n, " - $name $cpu compared # SKIP no qemu-system-aarch64\n";
        next;
    }
    my @theirs = lines_of("qemu-system-aarch64 -M virt,$options -cpu $cpu -m 256 -nographic -kernel $elf");
    print compare(\@ours, \@theirs) ? '' : 'not ', 'ok ', ++$n, " - $name $cpu compared\n";
}
