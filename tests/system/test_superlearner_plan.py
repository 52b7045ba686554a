#!/usr/bin/env python3
"""plan of a super learner: the arrays that a run makes, the memory of fits."""
import re
import struct

from harness import check, main

N, P = 3000, 20
STUDY = """[study]
kind = superlearner
[inputs]
X = X.npy
y = y.npy
[superlearner]
family = binomial
folds = 5
"""
LEARNERS = """[learner lda]
[learner tree]
[learner alone]
learner = tree
case = turned
[case turned]
preprocess = pca(3)
[learner second]
learner = naive_bayes
layer = 2
[meta]
learner = nnls
"""
UNITS = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


def npy(path, shape, values):
    head = repr({"descr": "<f8", "fortran_order": False, "shape": shape})
    head += " " * (-(len(head) + 11) % 64) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) +
                     head.encode() + struct.pack(f"<{len(values)}d", *values))


def study(work, text):
    x = [((i * 7919) % 10007) / 10007 for i in range(N * P)]
    npy(work.path / "X.npy", (N, P), x)
    npy(work.path / "y.npy", (N,),
        [float(x[i * P] + x[i * P + 1] * 0.3 > 0.6) for i in range(N)])
    return work.study(text)


def size(text):
    number, unit = text.split()
    return float(number) * UNITS[unit]


def needs(out):
    part = out.split("private memory of tasks\n")[1]
    found = re.findall(r"^  (.*?)  +([\d.]+ \w+)$", part, re.MULTILINE)
    return {what: size(bytes_) for what, bytes_ in found}


def arrays(work):
    """Files that the run keeps are those that plan tells, and as large."""
    same_arrays(work, "outer_folds = 2\nshuffle = yes\n", 8, "all")
    same_arrays(work, "type = blend\nshuffle = yes\n", 8, "some")


def same_arrays(work, settings, least, name):
    path = study(work, STUDY + settings + LEARNERS)
    out = work.ensrun("plan", path).stdout
    told = {name: (int(n), size(bytes_)) for name, n, bytes_ in re.findall(
        r"^  (\w+) .* (\d+) files?, ([\d.]+ \w+)$", out, re.MULTILINE)}
    check(len(told) >= least and ("index2" in told) == (name == "some"), out)
    check("(scratch)" in out, out)
    results = work.path / name
    work.run(path, results)
    made = {}
    for file in (results / "arrays").glob("*.npy"):
        name = file.name.split(".")[0]
        data = file.read_bytes()
        n, bytes_ = made.get(name, (0, 0))
        made[name] = (n + 1, bytes_ + len(data) - 10 -
                      struct.unpack("<H", data[8:10])[0])
    check({k: v[0] for k, v in made.items()} ==
          {k: v[0] for k, v in told.items()}, f"{made} not {told}")
    for name, (_, bytes_) in told.items():
        check(abs(made[name][1] - bytes_) <= 0.06 * bytes_,
              f"{name}: {made[name][1]} bytes, not {bytes_}")


def memory(work):
    """Rows of needs, beside what the learners' arrays take."""
    path = study(work, STUDY + LEARNERS)
    need = needs(work.ensrun("plan", path, "--workers", "3").stdout)
    lda, tree = need["layer1: lda"], need["layer1: tree"]
    alone = need["layer1: turned.alone"]
    check(8 * 3 * P * P <= lda < 2**20, f"lda: {lda}")
    # bins of its own: a byte per row and column, and the rows they are of
    check(N * P <= alone - tree <= 9 * N * P + 2**20, f"{alone} {tree}")
    most = max(v for k, v in need.items() if not k.startswith("at most"))
    check(abs(need["at most, of 3 workers"] - 3 * most) <= 0.1 * 3 * most,
          f"{need}")
    plain = "layer1_rows: order of rows"
    check(plain not in need, "an order of rows without a shuffle")
    path = work.study(STUDY + "shuffle = yes\n" + LEARNERS)
    rows = needs(work.ensrun("plan", path).stdout)[plain]
    check(32 * N <= rows <= 33 * N + 4096, f"order of rows: {rows}")


def samples(work):
    """Sums of outer samples' rows are told, and left out where they would be
    larger than the rows (and 16 MiB)."""
    each = 2 + (P + 1) + (P + 1) * (P + 2) // 2 + 2 * P + (P + 1)
    for outer, shuffle, folds, pieces in (
            (0, "no", 5, 6), (4, "no", 5, 4 + 5 * 4), (4, "yes", 5, 5 * 6),
            (1000, "no", 20, 21)):
        path = study(work, STUDY + f"outer_folds = {outer}\n"
                     f"shuffle = {shuffle}\n[layer 1]\nfolds = {folds}\n"
                     "[learner ridge]\n")
        out = work.ensrun("plan", path).stdout
        told = int(re.search(r"^  sums1 +f8, (\d+)", out, re.MULTILINE)[1])
        check(told == pieces * each,
              f"{outer} outer folds: {told} doubles, not {pieces} x {each}")


main(arrays, memory, samples)
