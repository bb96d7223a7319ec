# SPDX-License-Identifier: GPL-2.0-or-later
"""CPython: digits of pi, a prime sieve, dictionaries of words, sorting, floating point."""
import sys

n = int(sys.argv[1])


def pi_digits(count):
    out, q, r, t, k, m, x = [], 1, 0, 1, 1, 3, 3
    while len(out) < count:
        if 4 * q + r - t < m * t:
            out.append(m)
            q, r, m = 10 * q, 10 * (r - m * t), (10 * (3 * q + r)) // t - 10 * m
        else:
            q, r, t, k, m, x = (q * k, (2 * q + r) * x, t * x, k + 1,
                                (q * (7 * k + 2) + r * x) // (t * x), x + 2)
    return out


def sieve(limit):
    flags = bytearray([1]) * limit
    for i in range(2, int(limit ** 0.5) + 1):
        if flags[i]:
            for j in range(i * i, limit, i):
                flags[j] = 0
    return sum(flags) - 2


class Point:
    def __init__(self, x, y):
        self.x, self.y = x, y

    def dist(self, other):
        return ((self.x - other.x) ** 2 + (self.y - other.y) ** 2) ** 0.5


def words(count):
    seen, state = {}, 1
    for _ in range(count):
        state = (state * 1103515245 + 12345) % (1 << 31)
        key = "w%d" % (state >> 16)
        seen[key] = seen.get(key, 0) + 1
    return sorted(seen.items(), key=lambda kv: (-kv[1], kv[0]))[:3]


def main():
    points = [Point(i * 0.5, i * i % 97) for i in range(300)]
    for _ in range(n):
        print(sum(pi_digits(400)), sieve(200000), words(100000),
              "%.6f" % sum(a.dist(b) for a in points for b in points))


main()
