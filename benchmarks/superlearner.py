#!/usr/bin/env python3
"""Kind superlearner beside scikit-learn's StackingRegressor, on the data of
ML-Ensemble's benchmarks (Friedman's first function):

  a  1,000,000 x 50: lasso and elastic net, weighted by 5 nearest neighbours
  b  6,000,000 x 10: least squares of columns that are standardised, scaled to
     0 .. 1, as they are, weighted by least squares

Two workers (n_jobs = 2), 2 and 5 folds, penalties 1 and 0.1. Time of ensrun
is all of the program; of the peer that of `fit`, without imports and loading.
Memory is the peak PSS of the process tree, by `ensrun monitor`. That both did
the same is seen by the error of the first fold.

  superlearner.py [SHARE]   of the rows; default 1: takes ten minutes

Needs 10 GB of memory, 1.5 GB of disk (BENCH_DIR names the folder), Debian's
python3-sklearn 1.2."""

import csv
import glob
import hashlib
import json
import os
import sys

from common import ENSRUN, Scratch, command, figure, run

JOBS = 2
SLACK = 64 * 2**20

# name -> rows, columns, noise, md5 of X and of y as they are in memory
DATA = {
    "a": (1_000_000, 50, 0.0, "e819ffb819f442213b30ee2cff69e9ab",
          "7aa26ede0c72c1b12459fec27d1abcc8"),
    "b": (6_000_000, 10, 1.0, "9226a0ce74af0c3fdab5f2875513e8f8",
          "40c9d78e92dcd9ffca29110e8c06fee9"),
}
TARGET = {"a": 15, "b": 100}  # times as fast, with 5 folds

STUDY = """[study]
kind = superlearner
name = {name}
[inputs]
X = X{name}.npy
y = y{name}.npy
[superlearner]
folds = {folds}
"""
LEARNERS = {
    "a": """[learner lasso]
alpha = {alpha}
[learner elastic_net]
alpha = {alpha}
[meta]
learner = knn
""",
    "b": """[case standard]
preprocess = standardise
[case minmax]
preprocess = minmax
[case none]
preprocess = none
[learner ols]
case = standard, minmax, none
[meta]
learner = ols
""",
}


def make(s, name, share):
    from sklearn.datasets import make_friedman1
    import numpy
    rows, columns, noise, md5_x, md5_y = DATA[name]
    X, y = make_friedman1(n_samples=int(rows * share), n_features=columns,
                          noise=noise, random_state=2017)
    for array, md5, file in ((X, md5_x, "X"), (y, md5_y, "y")):
        got = hashlib.md5(numpy.ascontiguousarray(array)).hexdigest()
        if share == 1 and got != md5:
            sys.exit(f"{file} of {name}: md5 is {got}, not {md5}")
        numpy.save(os.path.join(s.path, f"{file}{name}.npy"), array)


# -- the peer, in a process of its own ---------------------------------------

def learners(name, alpha):
    from sklearn.linear_model import ElasticNet, Lasso, LinearRegression
    from sklearn.neighbors import KNeighborsRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MinMaxScaler, StandardScaler
    if name == "a":
        return ([("lasso", Lasso(alpha=alpha)),
                 ("elastic_net", ElasticNet(alpha=alpha))],
                KNeighborsRegressor())
    return ([("standard.ols", make_pipeline(StandardScaler(),
                                            LinearRegression())),
             ("minmax.ols", make_pipeline(MinMaxScaler(),
                                          LinearRegression())),
             ("none.ols", LinearRegression())], LinearRegression())


def peer(way, folder, name, folds, alpha):
    """way `fit`: all of it; `first`: rmse of the first fold alone."""
    import time

    import numpy
    from sklearn.ensemble import StackingRegressor
    X = numpy.load(os.path.join(folder, f"X{name}.npy"))
    y = numpy.load(os.path.join(folder, f"y{name}.npy"))
    base, meta = learners(name, float(alpha))
    if way == "fit":
        from sklearn.model_selection import KFold
        stack = StackingRegressor(base, meta, cv=KFold(int(folds)),
                                  n_jobs=JOBS)
        start = time.perf_counter()
        stack.fit(X, y)
        print(json.dumps({"seconds": time.perf_counter() - start}))
        return
    n = -(-len(y) // int(folds))
    print(json.dumps({
        label: float(numpy.sqrt(numpy.mean(
            (model.fit(X[n:], y[n:]).predict(X[:n]) - y[:n]) ** 2)))
        for label, model in base}))


# -- both ------------------------------------------------------------------

def monitored(s, words):
    """Wall seconds, peak PSS in bytes and what it printed."""
    path = os.path.join(s.path, "mem.csv")
    wall, _, out = run([ENSRUN, "monitor", "-o", path, "--every", "0.02s",
                        "--", *words])
    with open(path, encoding="ascii") as f:
        names = f.readline().strip().split(",")
        rows = [dict(zip(names, map(float, line.split(",")))) for line in f]
    return wall, max((r["pss_bytes"] for r in rows), default=0), out


def sizes(paths):
    return sum(os.path.getsize(p) for p in paths)


def check(results, theirs):
    """The first fold's error of each learner is the peer's."""
    with open(os.path.join(results, "tasks.csv"), encoding="utf-8") as f:
        ours = {r["task"].split("/")[1]: float(r["score"])
                for r in csv.DictReader(f)
                if r["task"].startswith("layer1/") and r["fold"] == "1"}
    for name, score in theirs.items():
        if name not in ours or abs(ours[name] - score) > 1e-6 * score:
            sys.exit(f"{name}: rmse of fold 1 is {ours.get(name)}, the "
                     f"peer's {score}; of {sorted(ours)}")


def compare(s, name, folds, alpha):
    words = [sys.executable, __file__]
    tail = [s.path, name, str(folds), str(alpha)]
    study = s.study((STUDY + LEARNERS[name]).format(name=name, folds=folds,
                                                    alpha=alpha))
    results = s.results()
    walls, pss = [], 0
    for _ in range(3):
        s.results()
        wall, peak, _ = monitored(s, command(study, results, JOBS))
        walls.append(wall)
        pss = max(pss, peak)
    check(results, json.loads(run([*words, "first", *tail])[2]))
    wall = sorted(walls)[1]
    _, their_pss, out = monitored(s, [*words, "fit", *tail])
    seconds = json.loads(out)["seconds"]
    inputs = sizes(glob.glob(os.path.join(s.path, f"?{name}.npy")))
    arrays = sizes(glob.glob(os.path.join(results, "arrays", "*.npy")))
    print(f"{name}, {folds} folds" + (f", alpha {alpha}" if name == "a"
                                      else ""))
    figure("  ensrun: wall", wall, "s")
    figure("  scikit-learn: wall of fit", seconds, "s")
    figure("  scikit-learn / ensrun", seconds / wall, "x",
           f">= {TARGET[name]}" if folds == 5 else "")
    figure("  ensrun: peak PSS", pss / 2**20, "MiB",
           f"<= {(inputs + arrays + SLACK) / 2**20:.0f}: inputs, arrays, 64")
    figure("  scikit-learn: peak PSS", their_pss / 2**20, "MiB")
    figure("  scikit-learn / ensrun", their_pss / pss, "x")


def main(share):
    for name, alphas in (("a", (1, 0.1)), ("b", (0,))):
        with Scratch() as s:
            make(s, name, share)
            for alpha in alphas:
                for folds in (2, 5):
                    compare(s, name, folds, alpha)


if __name__ == "__main__":
    if len(sys.argv) == 6:
        peer(*sys.argv[1:])
    else:
        main(float(sys.argv[1]) if len(sys.argv) > 1 else 1)
