#!/usr/bin/env python3
"""For tests/unit/test_grid_random.c: draws of `grid = random(...)`, from their
definition in src/config/grid.h, by libxxhash and Python's math and rounding.

    python3 tests/oracle/grid_random.py > tests/oracle/grid_random.inc
"""
import ctypes
import math
import struct

lib = ctypes.CDLL("libxxhash.so.0")
lib.XXH3_64bits_withSeed.restype = ctypes.c_uint64
lib.XXH3_64bits_withSeed.argtypes = [ctypes.c_char_p, ctypes.c_size_t,
                                     ctypes.c_uint64]


def xxh3(data, seed=0):
    return lib.XXH3_64bits_withSeed(data, len(data), seed)


def unit(seed, key, i):
    word = xxh3(struct.pack("<QQ", xxh3(key.encode(), seed), i))
    return (word >> 11) * 2.0 ** -53


def loguniform(u, a, b):
    return float(f"{math.exp((1 - u) * math.log(a) + u * math.log(b)):.6e}")


def uniform(u, a, b):
    """Seven digits of half of the width."""
    digits = 6 - math.floor(math.log10((b - a) / 2))
    return float(f"{(1 - u) * a + u * b:.{digits}f}")


print("/* Written by grid_random.py: work_us, fields, level, wait. */")
for i in range(8):
    print("{%r, %d, %d, %r}," % (
        loguniform(unit(42, "work_us", i), 0.01, 100),
        1 + math.floor(unit(42, "fields", i) * 6),
        [1, 2, 7][math.floor(unit(42, "level", i) * 3)],
        uniform(unit(42, "wait", i), 10, 20)))
