# SPDX-License-Identifier: GPL-2.0-or-later
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);

print sha256_hex('abc'), "\n";
my %fib = (1 => 1, 2 => 2);
$fib{$_} = $fib{$_ - 1} + $fib{$_ - 2} for 3 .. 7;
print join(',', sort { $a <=> $b } values %fib), "\n";
pipe(my $from, my $to) or die;
my $pid = fork // die;
if (!$pid) {
    close $from;
    print $to "child\n";
    close $to;
    exit 7;
}
close $to;
chomp(my $line = <$from>);
waitpid($pid, 0);
print "$line ", $? >> 8, "\n";
printf "%.4f %x\n", 4 * atan2(1, 1), 0xffff;
(my $text = 'slash') =~ s/^(.*)$/reverse $1/e;
print "$text\n";
