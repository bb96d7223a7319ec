#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Real programs of Debian arm64 under gemel, with answers that are known or that the host's own
# tools give: V8 and HotSpot that compile hot code and run threads, a C compiler and its output,
# Go's runtime, and the tools that scripts are made of.
#
#   programs.sh [PATTERN]   only cases whose name matches
set -u
. "$(dirname "$0")/guest.bash"
only=${1:-}
here=$suite_here/programs
root=$(guest_root --name suites-programs nodejs openjdk-17-jre-headless gcc-12 libc6-dev perl git \
    openssl sqlite3 xz-utils zstd gccgo-12 fzf age dpkg bc python3 coreutils dash bash sed \
    grep libc-bin) || exit 1
work=$(mktemp -d)
trap 'wait; rm -rf "$work"' EXIT
mkdir "$work/in"
cp "$here"/* "$work/in"
javac -version >/dev/null 2>&1 && javac -d "$work/in" --release 17 "$here/Hot.java"
# Data that compresses somewhat: numbers, and noise from a fixed key.
seq 1 400000 >"$work/in/data"
openssl enc -aes-128-ctr -K 00112233445566778899aabbccddeeff -iv 0 -in "$work/in/data" 2>/dev/null |
    head -c 1500000 >>"$work/in/data"
data_sum=$(sha256sum <"$work/in/data")

java=/usr/lib/jvm/java-17-openjdk-arm64/bin/java

# case NAME EXPECTED COMMAND...: its output, standard error too, in a folder with programs/ in it
case_() {
    local name=$1 expected=$2
    shift 2
    [[ $name =~ $only ]] || return 0
    queue "programs $name" guest_answers "$work/in" "$expected" 150 "$@"
}
sh_() { case_ "$1" "$2" /bin/sh -c "$3"; }

case_ node $'17984\n196418\n3628800,2432902008176640000\nba7816bf8f01cfea
[1,2,"3",{"a":null}]\nworkers 71936\n75025' /usr/bin/node hot.js
if [ -e "$work/in/Hot.class" ]; then
    case_ java $'17984\n196418\n333283335000\nthreads 71936\nstrings 588895\nnpe aioobe
soe\ngc ok' $java -Xmx256m Hot
else
    skip 'programs java' 'no javac on this machine to compile the class with'
fi
sh_ 'java version' 17 "$java -version 2>&1 | sed -n 's/^openjdk version \"\\([0-9]*\\).*/\\1/p'"
sh_ 'gcc compiles, program runs' '4950 3.141592653590 -O2' \
    'gcc-12 -O2 -pthread hello.c -o /tmp/hello -lm && /tmp/hello -O2'
sh_ 'gcc -S and -E' '1' 'gcc-12 -S -O1 hello.c -o /tmp/h.s -pthread && grep -c "^main:" /tmp/h.s'
sh_ 'gccgo, goroutines' $'5000050000\n[1 2 3 4 5]' \
    'gccgo-12 -O1 hot.go -o /tmp/hotgo && /tmp/hotgo'
sh_ 'go: fzf' $'alphabet\nalpha' 'printf "beta\nalphabet\nalpha\n" | fzf -f alph | sort -r'
sh_ 'go: age' "$data_sum" 'age-keygen -o /tmp/key 2>/tmp/pub && age -r "$(sed -n "s/.*: //p" \
    /tmp/pub)" data >/tmp/data.age && age -d -i /tmp/key /tmp/data.age | sha256sum'
case_ perl $'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad
1,2,3,5,8,13,21\nchild 7\n3.1416 ffff\nhsals' /usr/bin/perl hot.pl
sh_ git $'ce013625030ba8dba906f756967f9e9ca394464a\n2 commits\nclean\n+world' 'sh git.sh'
sh_ 'openssl digests' "$(cd "$work/in" && for a in sha256 sha512 sha3-256 md5 sha1; do
    openssl dgst -r -$a data; done)" 'for a in sha256 sha512 sha3-256 md5 sha1; do
    openssl dgst -r -$a data; done'
sh_ 'openssl ciphers' "$(cd "$work/in" && for a in aes-128-ctr aes-256-cbc chacha20 camellia-128-cbc
    do openssl enc -$a -K 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff \
        -iv 000102030405060708090a0b0c0d0e0f -in data 2>/dev/null | sha256sum; done)" \
    'for a in aes-128-ctr aes-256-cbc chacha20 camellia-128-cbc; do openssl enc -$a \
    -K 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff \
    -iv 000102030405060708090a0b0c0d0e0f -in data 2>/dev/null | sha256sum; done'
sh_ 'openssl rsa, ecdsa, ed25519' $'Verified OK\nVerified OK\nSignature Verified Successfully' \
    'sh openssl.sh'
sh_ 'openssl speed' ok 'openssl speed -seconds 1 -evp aes-128-gcm >/tmp/o 2>&1 && echo ok'
sh_ sqlite3 $'ok\n20000|200010000|1|20000\n2857\n20000' 'sqlite3 /tmp/t.db <sqlite.sql'
sh_ 'xz -T2' "$data_sum" 'xz -T2 -3 --block-size=1MiB <data >/tmp/d.xz && xz -t /tmp/d.xz &&
    xz -dc -T2 /tmp/d.xz | sha256sum'
sh_ 'zstd -T2' "$data_sum" 'zstd -q -T2 -9 -c data >/tmp/d.zst && zstd -dc /tmp/d.zst | sha256sum'
sh_ 'dpkg' $'arm64\nlt' 'dpkg --print-architecture; dpkg --compare-versions 1.2~rc1 lt 1.2 && echo lt'
sh_ 'bc' 3.14159265358979323846264338327950288419716939937508 'echo "scale=50; 4*a(1)" | bc -l'
sh_ 'python3' $'93326215443944152681\n[0.1, 0.30000000000000004]\n45' 'python3 -c "
import math, threading
print(str(math.factorial(100))[:20]); print([0.1, 0.1 + 0.2]); r = []
ts = [threading.Thread(target=lambda i=i: r.append(i)) for i in range(10)]
[t.start() for t in ts]; [t.join() for t in ts]; print(sum(r))"'
sh_ 'coreutils' "$(seq 1 20000 | LC_ALL=C sort | md5sum)" 'seq 1 20000 | LC_ALL=C sort | md5sum'
finish
