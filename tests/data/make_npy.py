#!/usr/bin/env python3
"""Write npy/: small arrays by numpy in every type, order and byte order.

a[i, j] = 10 i + j for 3 rows and 4 columns; minus 5.5 for floating types,
minus 5 for signed integers, odd for bool, and imaginary parts of 0.25.
Made with numpy 1.24; the files are kept, so tests do not need numpy.
"""
import pathlib

import numpy as np

here = pathlib.Path(__file__).parent / "npy"
base = 10 * np.arange(3)[:, None] + np.arange(4)[None, :]

for code in "f8 f4 f2 i8 i4 i2 i1 u8 u4 u2 u1 b1 c8 c16".split():
    for order in "<>":
        dtype = np.dtype(code if code == "b1" else order + code)
        if dtype.itemsize == 1 and order == ">":
            continue
        a = {"f": base - 5.5, "i": base - 5, "u": base, "b": base % 2 == 1,
             "c": base - 5.5 + 0.25j}[code[0]].astype(dtype)
        word = "le" if order == "<" else "be"
        np.save(here / f"{code}_{word}_c.npy", np.ascontiguousarray(a))
        np.save(here / f"{code}_{word}_f.npy", np.asfortranarray(a))

for version in (2, 0), (3, 0):
    with open(here / f"v{version[0]}.npy", "wb") as f:
        np.lib.format.write_array(f, base - 5.5, version=version)

np.save(here / "scalar.npy", np.array(2.5))
np.save(here / "one.npy", np.arange(5.0))
np.save(here / "three.npy", np.arange(24.0).reshape(2, 3, 4))
np.save(here / "empty.npy", np.zeros((0, 4)))
np.save(here / "object.npy", np.array([1, None], dtype=object))
np.save(here / "struct.npy", np.zeros(2, dtype=[("a", "f8"), ("b", "i4")]))
np.save(here / "text.npy", np.array(["a", "bc"]))
np.save(here / "date.npy", np.array(["2020-01-01"], dtype="M8[D]"))
