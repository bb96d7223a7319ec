#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs COUNT damaged copies of a small AArch64 program and fails when the emulator crashes on one.
#
#   mutate.pl EMULATOR FOLDER COUNT SEED
# The program is made here: writes "ok", ends with status 5. A run may end with any status, or by
# a signal that the guest got (-strace says so), but not by one of the emulator's own, and not
# hang. Damage is in the ELF header and the program headers; the seed makes it repeatable.
use strict;
use warnings;

my ($emulator, $folder, $count, $seed) = @ARGV;
my $ph_count = 4;
my $heads = 64 + 56 * $ph_count;

sub program {
    my ($type) = @_;
    my $base = $type == 2 ? 0x400000 : 0;
    my $entry = $heads + 32;
    # mov x0, 1; adr x1, text; mov x2, 3; mov x8, 64; svc 0; mov x0, 5; mov x8, 93; svc 0
    my $code = pack('V*', 0xd2800020, 0x100000e1, 0xd2800062, 0xd2800808, 0xd4000001,
        0xd28000a0, 0xd2800ba8, 0xd4000001) . "ok\n\0";
    my $bytes = $heads + 32 + length $code;
    my $head = "\x7fELF\x02\x01\x01" . "\0" x 9 .
        pack('vvVQQQVvvvvvv', $type, 183, 1, $base + $entry, 64, 0, 0, 64, 56, $ph_count, 64, 0, 0);
    my $interp = "/nowhere/interp" . "\0" x 17;
    my $phs = pack('VVQQQQQQ', 1, 5, 0, $base, $base, $bytes, $bytes, 0x1000) .
        pack('VVQQQQQQ', 1, 6, 0, $base + 0x10000, $base + 0x10000, 64, 0x3000, 0x1000) .
        pack('VVQQQQQQ', 0, 4, $heads, $base + $heads, $base + $heads, 16, 16, 1) .
        pack('VVQQQQQQ', 0x6474e551, 6, 0, 0, 0, 0, 0, 16);
    return $head . $phs . $interp . $code;
}

sub run_one {
    my ($file, $error) = @_;
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        open(STDIN, '<', '/dev/null');
        open(STDOUT, '>', '/dev/null');
        open(STDERR, '>', $error);
        alarm 10;
        exec $emulator, '-strace', $file or exit 99;
    }
    waitpid($pid, 0);
    return $?;
}

# 0: damage nothing. Values that headers go wrong with, and noise.
sub damage {
    my ($elf, $times) = @_;
    my @odd = (0, 1, 2, 3, 4, 0x7f, 0x80, 0xff, 0xfe, 0x10, 0xf0);
    for (1 .. $times) {
        my $at = 4 + int rand($heads - 4);
        my $kind = int rand 4;
        if ($kind == 0) {
            substr($elf, $at, 1) = chr int rand 256;
        } elsif ($kind == 1) {
            substr($elf, $at, 1) = chr $odd[int rand @odd];
        } elsif ($kind == 2) {
            substr($elf, $at & ~7, 8) = pack 'Q', (~0, 1 << 63, ~0 >> 1, 1 << 47, 0xfffff000,
                0, ~0 << 12)[int rand 7];
        } else { # make the third header an interpreter or another segment
            substr($elf, 64 + 112, 4) = pack 'V', (3, 1, 2, 7, 0x6474e553)[int rand 5];
        }
    }
    return $elf;
}

srand $seed;
my ($bad, %ends) = (0);
for my $i (0 .. $count) {
    my $times = $i < 2 ? 0 : 1 + int rand 4;
    my $elf = damage(program($i & 1 ? 3 : 2), $times);
    $elf = substr($elf, 0, int rand length $elf) if $i > 1 && rand() < 0.05;
    my $file = "$folder/elf-$i";
    open(my $out, '>:raw', $file) or die "$file: $!\n";
    print $out $elf;
    close $out;
    chmod 0755, $file;
    my $status = run_one($file, "$folder/error");
    open(my $in, '<:raw', "$folder/error") or die;
    my $text = do { local $/; <$in> } // '';
    close $in;
    my $signal = $status & 127;
    my $crash = $text =~ /itself crashed|gemel: bug/ || ($signal && $text !~ /^--- SIG/m) ||
        ($status >> 8) == 99 || ($i < 2 && $status != 5 << 8);
    $ends{$signal ? "signal $signal" : 'status ' . ($status >> 8)}++;
    if ($crash) {
        printf "%s: %s\n%s", $file, $signal ? "signal $signal" : 'status ' . ($status >> 8),
            substr($text, 0, 600);
        $bad++;
    } else {
        unlink $file;
    }
}
print join(', ', map { "$_: $ends{$_}" } sort keys %ends), "\n";
exit($bad ? 1 : 0);
