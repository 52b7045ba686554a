#!/usr/bin/python3
"""Every input format beside numpy, pandas, scipy and R reading the same file,
through `ensrun convert`; and what `convert` writes, read by them."""
import bz2
import csv
import gzip
import io
import itertools
import lzma
import os
import pathlib
import pickle
import random
import re
import sqlite3
import subprocess

import numpy as np
import pandas as pd
import scipy.io
import scipy.sparse

from harness import BAD, ENSRUN, check, main

TEXTS = ["plain", "with, comma", 'a "quote"', "two\nlines", "cr\r\nlf",
         "ümlaut", "日本語", "  blanks at the ends  ", "semi;colon", "tab\tin",
         "bar|in", "'single'", "nan.", "1e", "--", "0x10", "1,5 €",
         '"', '""', ",", "-", "True.", "last"]
REALS = ["0.1", "-0.0", "1e308", "-1.7976931348623157e308", "5e-324",
         "2.2250738585072014e-308", "1.5e-310", "123456789.123456789",
         "1E5", "+3.25", ".5", "5.", "1e-5", "inf", "-inf", "nan",
         "0.30000000000000004", "9007199254740993.0", "1e22", "1e23",
         "3.141592653589793238462643383279502884197", "7.2057594037927933e16",
         "100000000000000016777215", "1e-400"]
INTS = ["0", "-1", "9223372036854775807", "-9223372036854775808",
        "9007199254740993", "+7", "007", "12"]


def convert(work, source, target, *options, expect=0):
    target = work.path / target
    for old in (target, pathlib.Path(f"{target}.levels.csv")):
        old.unlink(missing_ok=True)
    run = work.ensrun("convert", source, target, *options, expect=expect,
                      env={"ENSRUN_CACHE": str(work.path / "cache")})
    check(expect != 0 or target.exists(), f"no {target}")
    check(expect == 0 or not target.exists(), f"{target} in spite of an error")
    return target if expect == 0 else run.stderr


def load(work, source, *options):
    return np.load(convert(work, source, "loaded.npy", *options))


def same_bits(a, b, what):
    a, b = np.ascontiguousarray(a), np.ascontiguousarray(b)
    check(a.shape == b.shape, f"{what}: shape {a.shape}, expected {b.shape}")
    check(a.dtype == b.dtype.newbyteorder("<"),
          f"{what}: dtype {a.dtype}, expected {b.dtype}")
    if a.dtype.kind == "f":  # any NaN is one
        a, b = np.where(np.isnan(a), np.nan, a), np.where(np.isnan(b), np.nan,
                                                          b)
    check(a.tobytes() == b.astype(a.dtype).tobytes(),
          f"{what}: {a.ravel()[:20]}, expected {b.ravel()[:20]}")


# -- tables -------------------------------------------------------------------

def nasty_rows(seed=None):
    """Header and rows of a table with something of everything."""
    dice = random.Random(seed)
    n = 48 if seed is None else dice.randrange(1, 60)
    pick = (lambda a: itertools.cycle(a)) if seed is None else (
        lambda a: iter(lambda: dice.choice(a), object()))
    real, whole, text = pick(REALS), pick(INTS), pick(TEXTS)
    flag, gap = pick(["true", "false", "TRUE", "False"]), pick(["", "1", "NA"])
    some = pick(["x", "NA", "", "y z", "é"])
    head = ["real", "int", "text", "flag", "gap", "empty", "some text", "ü"]
    rows = [[next(real), next(whole), next(text), next(flag), next(gap), "",
             next(some), str(i * 0.1)] for i in range(n)]
    return head, rows


def written(head, rows, delimiter=",", end="\n", quoting=csv.QUOTE_MINIMAL):
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator=end,
                        quoting=quoting)
    writer.writerows([head, *rows])
    data = out.getvalue()
    # blanks outside of quotes do not count: texts with them are quoted
    if quoting == csv.QUOTE_MINIMAL:
        for text in TEXTS:
            if text != text.strip() and '"' not in text:
                cell = f"{delimiter}{text}{delimiter}"
                data = data.replace(cell, f'{delimiter}"{text}"{delimiter}')
    return data.encode()


def expect_table(work, path, data, delimiter, what, *options):
    """All columns as pandas has them."""
    frame = pd.read_csv(io.BytesIO(data), sep=delimiter, engine="c",
                        float_precision="round_trip", keep_default_na=False,
                        na_values={c: ["NA", "", "nan"] for c in
                                   ("real", "int", "gap", "empty", "some text",
                                    "flag", "ü")},
                        encoding="utf-8-sig")
    for name in frame.columns:
        theirs = frame[name]
        where = f"{what}, column {name}"
        if theirs.dtype == object:
            codes = load(work, path, "--codes", "--columns", name, *options)
            with open(work.path / "loaded.npy.levels.csv", newline="",
                      encoding="utf-8") as file:
                level = {int(r["code"]): r["text"] for r in csv.DictReader(file)}
            ours = [level.get(int(c)) for c in codes.ravel()]
            want = [None if pd.isna(v) else v for v in theirs]
            check(ours == want, f"{where}: {ours}, expected {want}")
            check(list(level.values()) == sorted(
                level.values(), key=lambda s: s.encode()), f"{where}: order")
            continue
        ours = load(work, path, "--columns", name, *options).ravel()
        theirs = theirs.to_numpy()
        if theirs.dtype == bool:
            theirs = theirs.astype("i8")
        same_bits(ours, theirs, where)


def tables(work):
    """Delimiters, line ends, quotes, a byte order mark, packed files."""
    head, rows = nasty_rows()
    for delimiter in ",;\t|":
        for end, quoting in (("\n", csv.QUOTE_MINIMAL),
                             ("\r\n", csv.QUOTE_ALL)):
            data = written(head, rows, delimiter, end, quoting)
            path = work.path / "t.csv"
            path.write_bytes(data)
            what = f"delimiter {delimiter!r}, end {end!r}, quoting {quoting}"
            if quoting == csv.QUOTE_ALL:
                expect_table(work, path, data, delimiter, what)
            else:
                path.write_bytes(b"\xef\xbb\xbf" + data)
                expect_table(work, path, data, delimiter, what + ", BOM",
                             "--delimiter", delimiter)


def pack(work, data, how):
    """The bytes packed as two members or frames, behind one another."""
    half = len(data) // 2
    if how == "gz":
        return gzip.compress(data[:half]) + gzip.compress(data[half:])
    return b"".join(subprocess.run(["zstd", "-c", "-q"], input=part,
                                   check=True, capture_output=True).stdout
                    for part in (data[:half], data[half:]))


def packed_tables(work):
    head, rows = nasty_rows()
    data = written(head, rows)
    for how in ("gz", "zst"):
        packed = pack(work, data, how)
        path = work.path / f"t.csv.{how}"
        path.write_bytes(packed)
        expect_table(work, path, data, ",", how)
        for n in (4, 10, len(packed) // 2, len(packed) - 1):
            path.write_bytes(packed[:n])
            text = convert(work, path, "cut.csv", expect=BAD)
            check("t.csv" in text, text)


def random_tables(work):
    for seed in range(6):
        head, rows = nasty_rows(seed)
        data = written(head, rows, quoting=csv.QUOTE_ALL)
        path = work.path / "t.csv"
        path.write_bytes(data)
        expect_table(work, path, data, ",", f"seed {seed}")


def csv_to_csv(work):
    """Text and numbers survive, whatever the packing and the delimiter."""
    head, rows = nasty_rows()
    data = written(head, rows, quoting=csv.QUOTE_ALL)
    path = work.path / "t.csv"
    path.write_bytes(data)
    once = convert(work, path, "once.csv").read_bytes()
    for name in ("a.csv", "a.tsv", "a.csv.gz", "a.tsv.zst"):
        other = convert(work, path, name)
        back = convert(work, other, "back.csv").read_bytes()
        check(back == once, f"by way of {name}")
        if name.endswith(".gz"):
            check(gzip.decompress(other.read_bytes()) == once, name)
        if name.endswith(".zst"):
            subprocess.run(["zstd", "-q", "-t", other], check=True)
    expect_table(work, work.path / "once.csv", data, ",", "once.csv")
    lines = list(csv.reader(io.StringIO(once.decode(), newline="")))
    check(lines[0] == head, f"header {lines[0]}")
    check([r[2] for r in lines[1:]] == [r[2] for r in rows], "texts")


def differences(work):
    """Where we differ from pandas, on purpose."""
    cases = [
        # blanks outside of quotes do not count; pandas keeps them in text
        ("a,b\n1 , x \n2,y\n", "1,x"),
        # a column of true, false and missing is of numbers, not of objects
        ("a,b\ntrue,1\n,2\n", "1,1"),
        # integers that 64 bits with a sign do not hold are float64, not uint64
        ("a,b\n18446744073709551615,1\n", "1.8446744073709552e+19,1"),
        # NaN and NULL are words unless `missing` says so (nan is NaN)
        ("a,b\nNULL,1\nx,2\n", "NULL,1"),
        # nor do they inside, for numbers and what means missing
        ('a,b\n" 1 ","NA "\n2,y\n', "1,"),
        # lines of nothing but blanks do not count
        ("a,b\n\n1,2\n  \n3,4\n\n", "1,2"),
    ]
    path = work.path / "t.csv"
    for text, first in cases:
        path.write_text(text)
        lines = convert(work, path, "d.csv").read_text().splitlines()
        check(lines[1] == first, f"{text!r}: {lines}")
    refused = [
        ("a,a\n1,2\n", "both named 'a'"),          # pandas: a, a.1
        ("a,b\n1\n", "1 fields; the first line has 2"),   # pandas: NaN
        ("a,b\n1,2,3\n", "more than 2 fields"),
        ("1,2\n3,4\n", "expected the names"),     # pandas: names 1 and 2
        ('a,b\n"1,2\n', "not closed"),
        ("a;b\n1,5;2\n", "decimal commas"),
        ("a,b\n1,\xff\n", "not UTF-8"),
        ("a\0b,c\n1,2\n", ""),
        ("", "empty"),
    ]
    for text, message in refused:
        path.write_bytes(text.encode("latin1"))
        error = convert(work, path, "d.csv", expect=BAD)
        check(message in error and "t.csv" in error, f"{text!r}: {error}")


def beside_r(work):
    """read.csv of R, whose numbers are right to a unit in the last place."""
    head, rows = nasty_rows()
    keep = [0, 3, 4, 7]
    path = work.path / "t.csv"
    path.write_bytes(written([["real", "int", "text", "flag", "gap", "empty",
                               "some", "u"][i] for i in keep],
                             [[r[i].upper() if i == 3 else r[i] for i in keep] for r in rows]))
    script = """a <- commandArgs(TRUE)
        d <- read.csv(a[1]); f <- file(a[2], "wb")
        for (x in d) writeBin(as.numeric(x), f); close(f)"""
    subprocess.run(["Rscript", "-e", script, path, work.path / "r.raw"],
                   check=True, capture_output=True)
    theirs = np.fromfile(work.path / "r.raw").reshape(len(keep), -1).T
    ours = load(work, path)
    check(ours.shape == theirs.shape, f"{ours.shape}, R: {theirs.shape}")
    check((np.isnan(ours) == np.isnan(theirs)).all(), "missing")
    ok = ~np.isnan(ours)
    a, b = ours[ok], theirs[ok]
    with np.errstate(all="ignore"):
        near = (a == b) | (np.abs(a - b) <= np.spacing(np.abs(a)))
    check(near.all(), f"{a[~near]}, R: {b[~near]}")
    # what we write, R reads the same (shortest digits: 15 to 17)
    again = convert(work, path, "again.csv", "--to-missing", "NA")
    subprocess.run(["Rscript", "-e", script, again, work.path / "r2.raw"],
                   check=True, capture_output=True)
    check((work.path / "r2.raw").stat().st_size == theirs.nbytes, "again.csv")


# -- arrays -------------------------------------------------------------------

def sample(dtype, shape, seed):
    rng = np.random.default_rng(seed)
    kind = np.dtype(dtype)
    n = int(np.prod(shape))
    if kind.kind == "b":
        a = rng.integers(0, 2, n).astype(bool)
    elif kind.kind in "iu":
        a = np.frombuffer(rng.bytes(n * kind.itemsize), kind)[:n]
    elif kind.kind == "c":
        a = (rng.normal(size=n) + 1j * rng.normal(size=n)).astype(kind)
    else:
        raw = np.frombuffer(rng.bytes(n * kind.itemsize), kind)[:n]
        a = np.where(np.isnan(raw), kind.type(-0.0), raw).astype(kind)
        a[:5] = np.array([0.1, np.inf, -np.inf, np.nan, -0.0])[:len(a[:5])]
    return a.reshape(shape)


DTYPES = ["f8", ">f8", "f4", ">f4", "f2", ">f2", "i8", ">i8", "i4", "i2",
          ">i2", "i1", "u8", ">u8", "u4", "u2", "u1", "?"]


def parsed(text, dtype):
    """A field of ours as numpy reads it in that type."""
    if dtype.kind == "b":
        return {"TRUE": True, "FALSE": False}[text]
    if dtype.kind in "iu":
        return int(text)
    return np.float64(text if text else "nan").astype(dtype)


def arrays(work):
    """Types, byte orders and layouts, by way of each array format and CSV."""
    source = work.path / "a.npy"
    for seed, (dtype, order) in enumerate(itertools.product(DTYPES, "CF")):
        a = np.asarray(sample(dtype, (31, 3), seed), order=order)
        what = f"{dtype} {order}"
        np.save(source, a)
        b = np.load(convert(work, source, "b.npy"))
        same_bits(b, a, what)
        check(b.flags[f"{order}_CONTIGUOUS"], f"{what}: order")
        for name in ("b.npz", "b.raw", "b.csv"):
            path = convert(work, source, name)
            if name == "b.npz":
                with np.load(path) as z:
                    same_bits(z["X"], a, f"{what} {name}")
                same_bits(load(work, path), a, f"{what} {name}, ours")
            elif name == "b.raw":
                flat = np.fromfile(path, np.dtype(dtype).newbyteorder("<"))
                same_bits(flat.reshape(a.shape), a, f"{what} {name}")
                code = np.dtype(dtype).newbyteorder("<").str.replace("|", "")
                same_bits(load(work, path, "--dtype", code, "--shape", "-1,3"),
                          a, f"{what} {name}, ours")
            else:
                with open(path, newline="", encoding="ascii") as file:
                    cells = list(csv.reader(file))[1:]
                back = np.array([[parsed(c, a.dtype) for c in row]
                                 for row in cells], a.dtype.newbyteorder("="))
                same_bits(back, a, f"{what} {name}")
        np.savez_compressed(work.path / "p.npz", first=a, second=a[:2])
        same_bits(load(work, work.path / "p.npz", "--dataset", "first"), a,
                  f"{what} compressed")


def shapes(work):
    source = work.path / "a.npy"
    for shape in ((), (1,), (5,), (0,), (0, 3), (3, 0), (1, 1), (2, 3, 4),
                  (4, 0, 2), (2, 2, 2, 2), (100000, 2), (2, 100000)):
        for order in "CF":
            a = np.asarray(sample("f8", shape, 1), order=order)
            np.save(source, a)
            want = a.reshape(1) if a.ndim == 0 else a
            what = f"{shape} {order}"
            same_bits(load(work, source), want, what)
            raw = np.fromfile(convert(work, source, "b.raw"))
            same_bits(raw.reshape(want.shape), want, what + " raw")
            if a.ndim > 2 and 0 not in shape:
                text = convert(work, source, "b.csv", expect=BAD)
                check("--flatten" in text, text)
                flat = convert(work, source, "b.csv", "--flatten")
                same_bits(np.loadtxt(flat, delimiter=",", skiprows=1, ndmin=2,
                                     converters=number),
                          a.reshape(shape[0], -1), what + " flat")
            if a.ndim == 2:
                same_bits(load(work, source, "--transpose"), a.T, what + " T")


def number(text):
    return float(text if text else "nan")


def selections(work):
    a = sample("i4", (20, 6), 3)
    np.save(work.path / "a.npy", a)
    same_bits(load(work, work.path / "a.npy", "--columns", "5,2:3", "--rows",
                   "4:9"), a[3:9, [4, 1, 2]], "columns of an array")
    same_bits(load(work, work.path / "a.npy", "--columns=-1,-6", "--to-dtype",
                   "f8"), a[:, 1:5].astype("f8"), "--to-dtype f8")
    same_bits(load(work, work.path / "a.npy", "--rows", "7:", "--transpose"),
              a[6:].T, "transpose")
    b = np.array([[1, 2], [3, 250]], "f8")
    np.save(work.path / "b.npy", b)
    same_bits(load(work, work.path / "b.npy", "--to-dtype", "u1"),
              b.astype("u1"), "u1")
    raw = convert(work, work.path / "b.npy", "b.raw", "--to-dtype", ">f4")
    same_bits(np.fromfile(raw, ">f4").astype("f4").reshape(2, 2),
              b.astype("f4"), ">f4")
    for dtype, value in (("i1", "250"), ("b1", "2")):
        text = convert(work, work.path / "b.npy", "c.npy", "--to-dtype", dtype,
                       expect=BAD)
        check(value in text and "element" in text, text)
    np.save(work.path / "z.npy", sample("c16", (5, 3), 6))
    for options in ((), ("--columns", "1,3,2"), ("--flatten",)):
        same_bits(load(work, work.path / "z.npy", *options),
                  sample("c16", (5, 3), 6)[:, [0, 2, 1] if len(options) == 2
                                           else [0, 1, 2]], "complex")
        text = convert(work, work.path / "z.npy", "c.npy", "--to-dtype", "f8",
                       *options, expect=BAD)
        check("complex" in text, text)
    half = sample("f8", (1000, 2), 4)
    half[:4, 1] = [65519.9, 65520, 2.0 ** -25, 3 * 2.0 ** -26]
    np.save(work.path / "h.npy", half)
    with np.errstate(all="ignore"):
        same_bits(load(work, work.path / "h.npy", "--to-dtype", "f2"),
                  half.astype("f2"), "rounding to f2")
    (work.path / "big.csv").write_text("id,x\n9007199254740993,0.5\n")
    text = convert(work, work.path / "big.csv", "c.npy", expect=BAD)
    check("9007199254740993" in text and "row 1" in text, text)
    same_bits(load(work, work.path / "big.csv", "--columns", "id"),
              np.array([[9007199254740993]]), "an integer alone")


# -- matrices -----------------------------------------------------------------

def dense(path):
    m = scipy.io.mmread(path)
    return np.asarray(m.todense() if scipy.sparse.issparse(m) else m, "f8")


R_DENSE = """library(Matrix)
a <- commandArgs(TRUE)
writeBin(as.numeric(as.matrix(readMM(a[1]))), a[2])"""


def matrices(work):
    rng = np.random.default_rng(5)
    sparse = scipy.sparse.random(9, 9, 0.3, random_state=2, format="coo")
    full = rng.normal(size=(7, 4))
    square = np.arange(25.0).reshape(5, 5)
    cases = {
        "array": (full, {}), "coordinate": (sparse, {}),
        "symmetric": (scipy.sparse.coo_matrix(square + square.T), {}),
        "skew": (scipy.sparse.coo_matrix(square - square.T), {}),
        "symmetric array": (square + square.T, {}),
        "skew array": (square - square.T, {}),
        "integer": (np.array([[1, -2], [3, 0], [0, 2**53]]), {}),
        "pattern": (sparse, {"field": "pattern"}),
        "digits": (full, {"precision": 17}),
    }
    for name, (matrix, more) in cases.items():
        path = work.path / "m.mtx"
        scipy.io.mmwrite(str(path), matrix, **more)
        want = dense(path)
        same_bits(load(work, path), want, name)
        if name in ("coordinate", "symmetric", "pattern"):  # what R reads
            subprocess.run(["Rscript", "-e", R_DENSE, path,
                            work.path / "r.raw"], check=True,
                           capture_output=True)
            same_bits(load(work, path).T.ravel(),
                      np.fromfile(work.path / "r.raw"), f"{name}, R")
        for options in ((), ("--coordinate",)):
            ours = convert(work, path, "ours.mtx", *options)
            same_bits(dense(ours), want, f"{name} {options} written")
            same_bits(load(work, ours), want, f"{name} {options} again")
    path.write_text("%%MatrixMarket matrix array integer general\n1 1\n"
                    "9007199254740993\n")
    check("line 3" in convert(work, path, "x.npy", expect=BAD), "2^53 + 1")
    scipy.io.mmwrite(str(path), sparse * 1j)
    check("expected 'coordinate' or 'array'" in
          convert(work, path, "x.npy", expect=BAD), "complex")


# -- what is refused ----------------------------------------------------------

def advice(error):
    found = re.search(r"(?:convert|unpack it): (.*)", error)
    check(found, f"no advice in: {error}")
    return found.group(1).strip()


def refused(work):
    """What the error says to do works, where Debian has the program."""
    frame = pd.DataFrame({"a": [1.5, 2], "b": [3, 4]})
    text = frame.to_csv(index=False).encode()
    at = work.path
    frame.to_excel(at / "in.xlsx", index=False)
    scipy.io.savemat(str(at / "in.mat"), {"NAME": frame.to_numpy()})
    (at / "in.csv.bz2").write_bytes(bz2.compress(text))
    (at / "in.csv.xz").write_bytes(lzma.compress(text))
    (at / "wide.csv").write_bytes(b"\xff\xfe" + text.decode().encode("utf-16le"))
    with sqlite3.connect(at / "in.db") as base:
        frame.to_sql("TABLE", base, index=False)
    base.close()
    subprocess.run(["Rscript", "-e", "NAME <- read.csv(file('stdin')); "
                    "saveRDS(NAME, 'in.rds'); save(NAME, file = 'in.rda'); "
                    "saveRDS(NAME, 'plain.rds', compress = FALSE)"],
                   input=text, cwd=at, check=True, capture_output=True)
    (at / "in.pkl").write_bytes(pickle.dumps(frame))
    for name, result in (("in.xlsx", "out.csv"), ("in.mat", "out.npy"),
                         ("in.csv.bz2", "in.csv"), ("in.csv.xz", "in.csv"),
                         ("wide.csv", "out.csv"), ("in.rds", "out.csv"),
                         ("in.rda", "out.csv"), ("plain.rds", "out.csv")):
        for old in ("out.csv", "out.npy", "in.csv"):
            (at / old).unlink(missing_ok=True)
        error = convert(work, name, "x.npy", expect=BAD)
        line = advice(error)
        done = subprocess.run(line, shell=True, cwd=at, capture_output=True,
                              text=True, env={**os.environ,
                                              "PATH": "/usr/bin:/bin"})
        check(done.returncode == 0, f"{name}: {line}: {done.stderr}")
        same_bits(load(work, at / result).astype("f8"),
                  frame.to_numpy().astype("f8"), f"{name} by its advice")
    for name, word in (("in.db", "SQLite"), ("in.pkl", "pickle")):
        check(word in convert(work, name, "x.npy", expect=BAD), name)


# -- the command --------------------------------------------------------------

def command(work):
    at = work.path
    np.save(at / "a.npy", np.arange(6.0).reshape(2, 3))
    (at / "there.csv").write_text("mine\n")
    error = work.ensrun("convert", "a.npy", "there.csv", expect=BAD).stderr
    check("--force" in error, error)
    check((at / "there.csv").read_text() == "mine\n", "it was touched")
    work.ensrun("convert", "a.npy", "there.csv", "--force")
    check((at / "there.csv").read_text() == "V1,V2,V3\n0,1,2\n3,4,5\n",
          (at / "there.csv").read_text())
    out = work.ensrun("convert", "a.npy", "-", "--to", "csv", "--names",
                      "x,y,z", "--to-delimiter", ";").stdout
    check(out == "x;y;z\n0;1;2\n3;4;5\n", out)
    for arguments, word in (
            (("a.npy", "a.parquet"), ".csv"), (("a.npy", "-"), "--to"),
            (("-", "a.csv"), "standard input"), (("a.npy", "."), "extension"),
            (("none.npy", "b.csv"), "none.npy"),
            (("a.npy", "b.csv", "--to-dtype", "f4"), "--to-dtype"),
            (("a.npy", "b.csv", "--names", "x"), "--names"),
            (("a.npy", "b.npy", "--dtype", "f8"), "dtype"),
            (("a.npy", "b.npy", "--rows", "5:9"), "rows"),
            (("a.npy", "/dev/null", "--to", "npy"), "regular"),
            (("a.npy", "no/such/b.csv"), "No such file")):
        error = work.ensrun("convert", *arguments,
                            expect=(BAD, 3)).stderr
        check(word in error, f"{arguments}: {error}")
    check(not (at / "b.csv").exists() and not (at / "b.npy").exists(),
          "something is left")
    work.ensrun("convert", "a.npy", "a.npy", "--force", "--to-dtype", "f4")
    check(np.load(at / "a.npy").dtype == np.float32, "onto itself")
    np.savez(at / "two.npz", x=np.zeros(2), y=np.ones(3))
    error = work.ensrun("convert", "two.npz", "x.csv", expect=BAD).stderr
    check("x, y" in error, error)
    check(os.access(ENSRUN, os.X_OK), ENSRUN)


main(tables, packed_tables, random_tables, csv_to_csv, differences, beside_r,
     arrays, shapes, selections, matrices, refused, command)
