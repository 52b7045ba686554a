#!/usr/bin/env python3
"""A random search of kind superlearner (type select) beside scikit-learn's
GridSearchCV over the same draws: elastic nets of 100,000 x 50, 5 folds, test
and training scores, one worker (n_jobs = 1). CPU time of ensrun is all of the
program; of the peer that of `fit`, without imports and loading. Beside it the
same search by a score that needs the rows, and what outer folds cost.

  search.py [DRAWS]   default 200: takes a minute

Needs 1 GB of memory and Debian's python3-sklearn."""

import csv
import json
import os
import re
import sys

from common import ENSRUN, Scratch, command, figure, run

ROWS, COLUMNS, FOLDS = 100_000, 50, 5
HEAD = """[study]
kind = superlearner
name = search
seed = 1
[inputs]
X = X.npy
y = y.npy
[superlearner]
"""
SEARCH = HEAD + """type = select
folds = {folds}
scorer = {scorer}
[learner elastic_net]
grid = random({draws}, alpha = loguniform(1e-3, 1), l1_ratio = uniform(0.05, 1))
"""
OUTER = HEAD + """folds = {folds}
outer_folds = {outer}
shuffle = {shuffle}
[learner ols]
[learner ridge]
[learner lasso]
alpha = 0.01
"""
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def make(folder):
    import numpy
    r = numpy.random.RandomState(1)
    X = r.standard_normal((ROWS, COLUMNS))
    b = numpy.where(numpy.arange(COLUMNS) < 20, r.standard_normal(COLUMNS), 0)
    numpy.save(os.path.join(folder, "X.npy"), X)
    numpy.save(os.path.join(folder, "y.npy"),
               X @ b + 3 * r.standard_normal(ROWS))


def peer(folder):
    """The draws that are in draws.json; prints seconds and scores."""
    import time

    import numpy
    from sklearn.linear_model import ElasticNet
    from sklearn.model_selection import GridSearchCV, KFold
    X = numpy.load(os.path.join(folder, "X.npy"))
    y = numpy.load(os.path.join(folder, "y.npy"))
    with open(os.path.join(folder, "draws.json"), encoding="ascii") as f:
        grid = [{"alpha": [a], "l1_ratio": [l]} for a, l in json.load(f)]
    search = GridSearchCV(ElasticNet(), grid, cv=KFold(FOLDS), n_jobs=1,
                          scoring="neg_root_mean_squared_error",
                          return_train_score=True, refit=False)
    start = time.process_time()
    search.fit(X, y)
    found = search.cv_results_
    print(json.dumps({"seconds": time.process_time() - start,
                      "test": list(-found["mean_test_score"]),
                      "train": list(-found["mean_train_score"])}))


def found(results):
    out = run([ENSRUN, "export", results, "--table", "search", "--to",
               "csv"])[2]
    rows = list(csv.DictReader(out.splitlines()))
    draws = [tuple(map(float, re.findall(r"=([^,\]]+)", row["learner"])))
             for row in rows]
    return draws, [[float(row[key]) for row in rows]
                   for key in ("score", "train_score")]


def median_cpu(s, text, name):
    study = s.study(text, name)
    return sorted(run(command(study, s.results(name), 1))[1]
                  for _ in range(3))[1]


def search(s, draws):
    ours, rows = (median_cpu(s, SEARCH.format(folds=FOLDS, scorer=scorer,
                                              draws=draws), scorer)
                  for scorer in ("rmse", "mae"))
    names, scores = found(os.path.join(s.path, "rmse"))
    with open(os.path.join(s.path, "draws.json"), "w", encoding="ascii") as f:
        json.dump(names, f)
    theirs = json.loads(run([sys.executable, __file__, "peer", s.path],
                            ONE_THREAD)[2])
    apart = max(abs(a - b) / b for key, found_ in zip(("test", "train"), scores)
                for a, b in zip(found_, theirs[key]))
    if apart > 1e-4:
        sys.exit(f"scores are {apart:.3g} apart")
    print(f"{draws} elastic nets, {ROWS} x {COLUMNS}, {FOLDS} folds")
    figure("  ensrun: CPU time", ours, "s")
    figure("  the same with scorer = mae, which needs rows", rows, "s")
    figure("  scikit-learn: CPU time of GridSearchCV", theirs["seconds"], "s")
    figure("  scikit-learn / ensrun", theirs["seconds"] / ours, "x")
    figure("  scores are apart by, at most", apart)


def outer(s):
    print(f"ols, ridge, lasso, {ROWS} x {COLUMNS}, {FOLDS} folds")
    for shuffle in ("no", "yes"):
        for n in (0, 5):
            figure(f"  outer_folds = {n}, shuffle = {shuffle}: CPU time",
                   median_cpu(s, OUTER.format(folds=FOLDS, outer=n,
                                              shuffle=shuffle),
                              f"{shuffle}{n}"), "s")


if __name__ == "__main__":
    if sys.argv[1:2] == ["peer"]:
        peer(sys.argv[2])
    else:
        with Scratch() as scratch:
            make(scratch.path)
            search(scratch, int(sys.argv[1]) if len(sys.argv) > 1 else 200)
            outer(scratch)
