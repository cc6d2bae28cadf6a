#!/usr/bin/env python3
"""Prints the golden table of test_random.c: the keyed generator, element by element.

Philox4x32-10 after Salmon, Moraes, Dror and Shaw (SC 2011). The counter is (block, key), the
Philox key splitmix64(seed) XOR fnv1a64(stream).
"""
import math
import struct

M32, M64 = 2**32 - 1, 2**64 - 1


def philox(counter, key):
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        p, q = 0xD2511F53 * c0, 0xCD9E8D57 * c2
        c0, c1, c2, c3 = (q >> 32) ^ c1 ^ k0, q & M32, (p >> 32) ^ c3 ^ k1, p & M32
        k0, k1 = (k0 + 0x9E3779B9) & M32, (k1 + 0xBB67AE85) & M32
    return c0, c1, c2, c3


def splitmix64(x):
    x = (x + 0x9E3779B97F4A7C15) & M64
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 & M64
    x = (x ^ x >> 27) * 0x94D049BB133111EB & M64
    return x ^ x >> 31


def fnv1a64(text):
    h = 0xCBF29CE484222325
    for byte in text.encode():
        h = (h ^ byte) * 0x100000001B3 & M64
    return h


def word(seed, stream, key, i):
    i &= M64
    block, mixed = i // 4, splitmix64(seed) ^ fnv1a64(stream)
    counter = block & M32, block >> 32, key & M32, key >> 32
    return philox(counter, (mixed & M32, mixed >> 32))[i % 4]


def uniform(*at):
    return (word(*at) >> 8) * 2.0**-24


def normal(seed, stream, key, i):
    u1 = ((word(seed, stream, key, i & ~1) >> 8) + 1) * 2.0**-24
    u2 = (word(seed, stream, key, i | 1) >> 8) * 2.0**-24
    r = math.sqrt(-2 * math.log(u1))
    return r * (math.sin if i & 1 else math.cos)(2 * math.pi * u2)


def permutation(seed, stream, key, n):
    p = list(range(n))
    for i in range(n - 1, 0, -1):
        u = word(seed, stream, key, 2 * i) | word(seed, stream, key, 2 * i + 1) << 32
        j = u * (i + 1) >> 64
        p[i], p[j] = p[j], p[i]
    return p


def single(x):
    return struct.unpack('f', struct.pack('f', x))[0]


def row(form, values):
    print('      {', ', '.join(form(x) for x in values), '},')


if __name__ == '__main__':
    for seed, stream, key, first in [
            (1, 'M', 7, 0), (0, '', 0, 0),
            (2**64 - 1, 'dropout/classifier.5', 2**40 + 12345, 2**34 - 2),
            (42, 'conv1', 2**63, 2**62 + 63), (3, 'M', 0, 2**64 - 3),
            (1, 'M', 7, 87306906)]:     # the first u1 that is the least there is
        elements = [(seed, stream, key, (first + j) & M64) for j in range(6)]
        print(f'    {{ {seed}u, "{stream}", {key}u, {first}u,')
        row(lambda x: f'0x{x:08x}', [word(*at) for at in elements])
        row(lambda x: f'{single(x):.9g}', [uniform(*at) for at in elements])
        row(lambda x: f'{single(x):.9g}', [normal(*at) for at in elements])
        print('    },')
    for seed, stream, key, n in [(1, 'epoch', 0, 8), (7, 'epoch', 3, 100)]:
        print(f'    {seed} {stream} {key}:', ', '.join(map(str, permutation(seed, stream, key, n))))
