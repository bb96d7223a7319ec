#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs the MMU torture (mmu.c) on bare-run and, where installed, on qemu-system-aarch64, and compares
# the lines. TAP. Needs aarch64-linux-gnu-gcc; without it, skipped.
#
# Allowed to differ, and why:
#   - aborts on addresses without memory: the order of permission check and external abort of atomics,
#     and execution there, are not QEMU's strong points;
#   - the sum of the tables: whether a refused access sets the access flag is left open.
use strict;
use warnings;

my $src = ($ENV{GEMEL_SRC} // '.') . '/tests/bare';
my $bld = ($ENV{GEMEL_BUILD} // '.') . '/tests/bare';
my $cc = 'aarch64-linux-gnu-gcc';
my $elf = "$bld/mmu.elf";
my $rounds = $ENV{BARE_ROUNDS} // 30;

sub found { my $tool = shift; return grep { -x "$_/$tool" } split /:/, $ENV{PATH}; }

if (!found($cc) || !-x "$bld/bare-run") {
    print "1..0 # SKIP needs $cc and bare-run\n";
    exit 0;
}
system("$cc -O1 -ffreestanding -fno-stack-protector -mgeneral-regs-only -fno-pic -mcmodel=small "
    . "-nostdlib -static -DROUNDS=$rounds -T $src/bare.ld -Wl,--build-id=none "
    . "-o $elf $src/start.S $src/mmu.c") == 0 or die "cannot build $elf\n";

sub lines_of { my $cmd = shift; my @l = `timeout 60 $cmd 2>&1 </dev/null`; return @l; }

my @cpus = qw(max cortex-a72);
print '1..', 2 * @cpus, "\n";
my $n = 0;
for my $cpu (@cpus) {
    my @ours = lines_of("$bld/bare-run -c $cpu $elf");
    my $ends = @ours && $ours[-1] =~ /^end/;
    print $ends ? '' : 'not ', 'ok ', ++$n, " - mmu $cpu runs to its end\n";
    if (!found('qemu-system-aarch64')) {
        print 'ok ', ++$n, " - mmu $cpu compared # SKIP no qemu-system-aarch64\n";
        next;
    }
    my @theirs = lines_of("qemu-system-aarch64 -M virt -cpu $cpu -m 256 -nographic -kernel $elf");
    my $bad = @ours == @theirs ? 0 : 1;
    for my $i (0 .. $#ours) {
        my ($a, $b) = ($ours[$i], $theirs[$i] // '');
        next if $a eq $b || $a =~ /^tables/ || $b =~ /^(ldadd|cas) \S+ 960000[15]0 /
            || $a =~ /^exec0? \S+ 8[26]000010 /;
        print "# line ", $i + 1, ": $a# expected: $b";
        last if ++$bad > 10;
    }
    print $bad ? 'not ' : '', 'ok ', ++$n, " - mmu $cpu compared\n";
}
