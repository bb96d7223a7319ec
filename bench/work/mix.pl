# SPDX-License-Identifier: GPL-2.0-or-later
# Perl: word counts, regular expressions, string building over a text.
use strict;
use warnings;

my ($file, $times) = @ARGV;
open(my $in, '<', $file) or die "$file: $!";
my @lines;
while (<$in>) {
    push @lines, $_;
    last if @lines == 40000;
}
for my $round (1 .. $times) {
    my (%count, $vowels, $swapped);
    for (@lines) {
        $count{$_}++ for split;
        $vowels += () = /[aeiou]{2}/g;
        (my $s = $_) =~ s/(\w+) (\w+)/$2 $1/g;
        $swapped .= substr $s, 0, 8;
    }
    my @top = sort { $count{$b} <=> $count{$a} || $a cmp $b } keys %count;
    printf "%d %s %d %d\n", $round, "@top[0 .. 4]", $vowels, unpack('%32C*', $swapped);
}
