#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# Holds the rules of HACKING.md that a program can hold; prints TAP, one test a rule.
#
#   lint.pl [--format] [--list] [rule...]     from the environment: GEMEL_SRC, GEMEL_BUILD,
#                                             CC, CPPFLAGS, NM (the build's), GEMEL_LINT_FORMAT
# What tests/lint-allow.txt lists is let pass and counted.
use strict;
use warnings;

my $src = $ENV{GEMEL_SRC} || '.';
my $build = $ENV{GEMEL_BUILD} || "$src/build";
my $cc = $ENV{CC} || 'cc';
my $nm = $ENV{NM} || 'nm';
my $cppflags = $ENV{CPPFLAGS} || "-I$src/include -I$src -I$build/include -I$build -D_GNU_SOURCE";
my $enforce_format = $ENV{GEMEL_LINT_FORMAT};

my @rooms = qw(accel bench block chardev core emu fpu fuzz hw img include migration monitor net slirp-glue target tcg tests tools ui user util);
my ($max_function, $aim_function, $max_file, $aim_file) = (100, 40, 1200, 500);

# ---- files

sub files_below {
    my ($dir, $pattern) = @_;
    my @found;
    opendir(my $d, "$src/$dir") or return ();
    for my $name (sort readdir $d) {
        next if $name =~ /^\./ || $name =~ /^build/;
        my $path = "$dir/$name";
        if (-d "$src/$path" && !-l "$src/$path") {
            push @found, files_below($path, $pattern);
        } elsif ($name =~ $pattern) {
            push @found, $path;
        }
    }
    closedir $d;
    return @found;
}

sub lines_of {
    my ($path) = @_;
    open(my $in, '<', $path) or return ();
    my @lines = <$in>;
    close $in;
    return @lines;
}

my @c_files = map { files_below($_, qr/\.[ch]$/) } @rooms;
# Guest programs and generated code are not held to the rules of the emulator's own source.
my @own_files = grep { !m{^tests/(guest|isa|suites)/|^bench/kernels/} } @c_files;

# ---- what is let pass

my %allowed;
for (lines_of("$src/tests/lint-allow.txt")) {
    $allowed{"$1 $2"} = 0 if /^(\w\S*)\s+(\S+)/;
}

my @findings;

# key names the thing for the allow list; text is what the reader sees.
sub finding {
    my ($rule, $key, $text) = @_;
    if (exists $allowed{"$rule $key"}) {
        $allowed{"$rule $key"}++;
        return;
    }
    push @findings, "$key: $text";
}

# ---- functions of a C file: [name, first line, last line], found by our brace style

sub functions_of {
    my ($path) = @_;
    my (@functions, $start, $name);
    my @lines = lines_of("$src/$path");
    for my $i (0 .. $#lines) {
        if ($lines[$i] =~ /^\{\s*$/) {
            my $head = '';
            for (my $k = $i - 1; $k >= 0 && $lines[$k] !~ /^(\s*$|\}|#|.*;\s*$|.*\*\/\s*$)/; $k--) {
                $head = $lines[$k] . $head;
            }
            ($name) = $head =~ /(\w+)\s*\(/;
            $start = $i;
        } elsif (defined $start && $lines[$i] =~ /^\}/) {
            push @functions, [$name || '?', $start, $i] if $lines[$i] =~ /^\}\s*$/;
            undef $start;
        }
    }
    return @functions;
}

# ---- rules

sub read_layers {
    my %may;
    for (lines_of("$src/tools/layers.table")) {
        next if /^\s*(#|$)/;
        my ($room, @list) = split;
        $may{$room} = { map { $_ => 1 } grep { $_ ne '-' } @list };
    }
    return \%may;
}

sub room_of {
    my ($may, $path) = @_;
    $path =~ s{^include/}{};
    $path =~ s{\.\w+$}{}; # include/accel/tcg.h belongs to accel/tcg
    while ($path ne '') {
        return $path if $may->{$path};
        $path = '' if $path !~ s{/[^/]*$}{};
    }
    return undef;
}

sub rule_layers {
    my $may = read_layers();
    for my $path (@c_files) {
        my $room = room_of($may, $path);
        if (!defined $room) {
            finding('layers', $path, 'belongs to no room of tools/layers.table');
            next;
        }
        my $n = 0;
        for (lines_of("$src/$path")) {
            $n++;
            next unless /^\s*#\s*include\s+(["<])([^">]+)[">]/;
            my ($kind, $what) = ($1, $2);
            check_include($may, $room, $path, $n, $kind, $what);
        }
    }
}

# Folders and names of libraries that only some rooms may know.
my $libraries = qr/^(glib|gio|gmodule|gobject|capstone|SDL2|pixman|slirp|zlib|zstd|liburing)\b/;

sub check_include {
    my ($may, $room, $path, $n, $kind, $what) = @_;
    my $list = $may->{$room};
    if ($kind eq '<') {
        if ($what =~ $libraries && !$list->{"<$1>"}) {
            finding('layers', "$path:$what", "line $n: $room may not use <$what>");
        }
        return;
    }
    return if $what !~ m{/} || $list->{'*'};   # config.h, or a neighbour
    my $other = room_of($may, $what);
    return if !defined $other || $other eq $room || $list->{$other} || $list->{$what};
    finding('layers', "$path:$what", "line $n: $room may not include $other (tools/layers.table)");
}

sub rule_sizes {
    my ($long_functions, $long_files) = (0, 0);
    for my $path (@own_files) {
        my $lines = () = lines_of("$src/$path");
        $long_files++ if $lines > $aim_file;
        finding('sizes', $path, "$lines lines; at most $max_file") if $lines > $max_file;
        for (functions_of($path)) {
            my ($name, $first, $last) = @$_;
            my $length = $last - $first - 1;
            $long_functions++ if $length > $aim_function;
            finding('sizes', "$path:$name", "$length lines; at most $max_function")
                if $length > $max_function;
        }
    }
    print "# $long_functions functions over $aim_function lines, $long_files files over $aim_file\n";
}

sub rule_ifdef {
    for my $path (@own_files) {
        my @lines = lines_of("$src/$path");
        for (functions_of($path)) {
            my ($name, $first, $last) = @$_;
            for my $i ($first .. $last) {
                finding('ifdef', "$path:$name", 'line ' . ($i + 1) . ': no #if inside a function')
                    if $lines[$i] =~ /^\s*#\s*(if|else|elif)/;
            }
        }
    }
}

# Braces always: a condition that ends its line is followed by a brace, and none shares its line
# with what it guards.
sub rule_braces {
    for my $path (@own_files) {
        my @lines = lines_of("$src/$path");
        for my $i (0 .. $#lines) {
            next unless $lines[$i] =~ /^\s*(?:\} )?(if|else if|for|while|else)\b(.*)$/;
            my ($word, $rest, $k) = ($1, $2, $i);
            while ($word ne 'else' && ($rest =~ tr/(//) > ($rest =~ tr/)//) && $k < $#lines) {
                $rest .= $lines[++$k];
            }
            $rest =~ s{/\*.*?\*/}{}gs;
            next if $rest =~ /[{\\]\s*$/ || $word eq 'while' && $lines[$i] =~ /\} while/;
            finding('braces', "$path", 'line ' . ($i + 1) . ": '$word' without braces");
        }
    }
}

sub rule_spdx {
    my @all = (@c_files, map { files_below($_, qr/\.(S|def|decode|table|mk|sh|pl)$/) } @rooms);
    push @all, files_below('scripts', qr/./), grep { -e "$src/$_" } qw(run check configure.ac
        Makefile.am autogen.sh tests/run-tests .ci/run);
    for my $path (@all) {
        my $head = join('', grep { defined } (lines_of("$src/$path"))[0 .. 2]);
        finding('spdx', $path, 'no SPDX-License-Identifier in the first three lines')
            if $head !~ /SPDX-License-Identifier: GPL-2\.0-or-later/;
    }
}

sub rule_headers {
    for my $path (grep { /\.h$/ } @own_files) {
        my $code = qq{#include "$src/$path"\n} x 2;
        my $out = with_input("$cc -std=gnu17 -Wall -Wextra $cppflags -fsyntax-only -x c -", $code);
        next if $out eq '';
        my ($first) = grep { /error|warning/ } split(/\n/, $out);
        finding('headers', $path, 'does not compile alone and twice: ' . ($first || $out));
    }
}

sub with_input {
    my ($command, $text) = @_;
    my $file = "$build/lint-$$.tmp";
    open(my $out, '>', $file) or return "cannot write $file";
    print $out $text;
    close $out;
    my $result = `$command <$file 2>&1`;
    unlink $file;
    return $result;
}

sub rule_globals {
    for my $lib (glob("$build/lib*.a")) {
        my $member = '';
        for (`$nm -f sysv $lib 2>/dev/null`) {
            $member = $1 if /^Symbols from .*\[(.*)\]/;
            my @column = map { s/^\s+|\s+$//gr } split /\|/;
            next if @column < 7;
            my ($name, $section) = @column[0, 6];
            next if $section !~ /^(\.t?(data|bss)|\*COM\*)/ || $section =~ /^\.data\.rel\.ro/;
            next if $column[3] !~ /^(OBJECT|TLS)$/;
            $name =~ s/\.\d+$//; # gcc: symbol.1; clang: function.symbol
            $name =~ s/^.*\.//;
            finding('globals', "$member:$name", "mutable global in $section; pass it in a struct");
        }
    }
}

sub rule_scripts {
    my @scripts = (files_below('scripts', qr/./), map { files_below($_, qr/\.sh$/) } @rooms);
    for my $path (@scripts, qw(run check autogen.sh .ci/run)) {
        my ($first) = lines_of("$src/$path");
        next if !defined $first;
        my $shell = $first =~ m{/bin/sh\b} ? 'sh' : $first =~ m{perl|python} ? '' : 'bash';
        next if $shell eq '';
        my $out = `$shell -n '$src/$path' 2>&1`;
        finding('scripts', $path, $out) if $out ne '';
    }
}

sub rule_format {
    my $tool = `command -v clang-format 2>/dev/null`;
    if (!$tool) {
        print "# clang-format is not installed: formatting not looked at\n";
        return;
    }
    my $n = 0;
    # Headers align their columns by hand.
    my @formatted = grep { /\.c$/ } @own_files;
    for my $path (@formatted) {
        my $out = `cd '$src' && clang-format --style=file --dry-run '$path' 2>&1`;
        next if $out eq '';
        $n++;
        finding('format', $path, 'differs from clang-format') if $enforce_format;
    }
    printf "# %d of %d files differ from clang-format\n", $n, scalar @formatted;
}

# ---- run

my @order = qw(layers sizes ifdef braces spdx headers globals scripts format);
my %rules = (layers => \&rule_layers, sizes => \&rule_sizes, ifdef => \&rule_ifdef,
    braces => \&rule_braces, spdx => \&rule_spdx, headers => \&rule_headers, globals => \&rule_globals,
    scripts => \&rule_scripts, format => \&rule_format);

my @wanted;
for (@ARGV) {
    if ($_ eq '--format') {
        $enforce_format = 1;
    } elsif ($_ eq '--list') {
        print "$_\n" for @order;
        exit 0;
    } elsif (/^--tap$/) {
        next;
    } elsif ($rules{$_}) {
        push @wanted, $_;
    } else {
        print STDERR "lint.pl: no rule '$_'; there are: @order\n";
        exit 2;
    }
}
@wanted = @order if !@wanted;

$| = 1;
my $failed = 0;
print '1..' . @wanted . "\n";
for my $i (0 .. $#wanted) {
    @findings = ();
    $rules{$wanted[$i]}->();
    print map { "# $_\n" } @findings;
    print @findings ? 'not ok ' : 'ok ', $i + 1, " - $wanted[$i]\n";
    $failed |= @findings != 0;
}
my @stale = grep { !$allowed{$_} && $rules{(split)[0]} } sort keys %allowed;
if (@wanted == @order) {
    print map { "# tests/lint-allow.txt: no longer needed: $_\n" } @stale;
}
exit $failed;
