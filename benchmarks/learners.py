#!/usr/bin/env python3
"""Learners of kind superlearner beside scikit-learn on the same rows: 5 blocks
of rows held out in turn, and a fit of all rows; one worker, one thread. Ratios
of wall time (scikit-learn's without its start and the reading of X) and of
peak memory (ensrun: PSS of all its processes, X included), and how far the
held-out predictions are apart.

  benchmarks/learners.py [NAME ...] [ROWS COLUMNS]

NAME: of the table below; a new one is a line there."""

import glob
import json
import os
import re
import subprocess
import sys
import time

from common import ENSRUN, Scratch, figure

# name: (family, settings, scikit-learn's, rows, columns)
LEARNERS = {
    "ols": ("gaussian", "", "linear_model.LinearRegression()", 300000, 50),
    "ridge": ("gaussian", "alpha = 1", "linear_model.Ridge(1.0)", 300000, 50),
    "lasso": ("gaussian", "alpha = 0.01",
              "linear_model.Lasso(0.01, tol=1e-10)", 300000, 50),
    "elastic_net": ("gaussian", "alpha = 0.01",
                    "linear_model.ElasticNet(0.01, tol=1e-10)", 300000, 50),
    "ridge_cv": ("gaussian", "", "linear_model.RidgeCV()", 20000, 50),
    "lasso_cv": ("gaussian", "", "linear_model.LassoCV()", 50000, 50),
    "logistic": ("binomial", "", "linear_model.LogisticRegression("
                 "tol=1e-10, max_iter=10000, solver='newton-cholesky')",
                 100000, 50),
    "logistic_l1": ("binomial", "learner = logistic\npenalty = l1\nC = 0.01",
                    "linear_model.LogisticRegression(C=0.01, penalty='l1', "
                    "solver='saga', max_iter=100)", 20000, 20),
    "logistic_3": ("multinomial", "learner = logistic",
                   "linear_model.LogisticRegression(max_iter=10000)", 50000,
                   20),
    "poisson": ("poisson", "alpha = 0.01", "linear_model.PoissonRegressor("
                "alpha=0.01, solver='newton-cholesky', tol=1e-8)", 100000, 50),
}

DATA = """
import sys, numpy as np
family, n, p = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
g = np.random.RandomState(1)
x = g.uniform(size=(n, p))
eta = 2 * x[:, 0] - x[:, 1] + x[:, 2] - 1
y = {"gaussian": lambda: eta + g.normal(size=n),
     "binomial": lambda: (g.uniform(size=n) < 1 / (1 + np.exp(-eta))) * 1.0,
     "multinomial": lambda: np.argmax(np.stack([eta, -eta, 0 * eta], 1)
                                      + g.gumbel(size=(n, 3)), 1) * 1.0,
     "poisson": lambda: g.poisson(np.exp(eta)) * 1.0}[family]()
np.save("X.npy", x)
np.save("y.npy", y)
"""

PEER = """
import json, resource, sys, time, warnings
import numpy as np
from sklearn import linear_model
from sklearn.base import is_classifier
from sklearn.model_selection import KFold, cross_val_predict
warnings.filterwarnings("ignore")
x, y = np.load("X.npy"), np.load("y.npy")
model = eval(sys.argv[1])
classes = is_classifier(model)
start = time.perf_counter()
out = cross_val_predict(model, x, y, cv=KFold(5),
                        method="predict_proba" if classes else "predict")
model.fit(x, y)
wall = time.perf_counter() - start
np.save("out.npy", out[:, 1] if classes and out.shape[1] == 2 else out)
print(json.dumps([wall, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
                  / 1024]))
"""

APART = """
import sys, numpy as np
a, b = np.load(sys.argv[1]), np.load("out.npy")
print(abs(a.reshape(b.shape) - b).max())
"""

STUDY = """[study]
kind = superlearner
[inputs]
X = X.npy
y = y.npy
[superlearner]
family = {family}
folds = 5
{classes}
[learner {name}]
{settings}
[meta]
learner = {meta}
"""


def python(folder, code, *args):
    done = subprocess.run(["/usr/bin/python3", "-c", code, *args], cwd=folder,
                          stdout=subprocess.PIPE, text=True, check=True,
                          env=dict(os.environ, OMP_NUM_THREADS="1",
                                   OPENBLAS_NUM_THREADS="1"))
    return done.stdout


def ours(scratch, name, family, settings):
    """Wall seconds, MiB, held-out predictions."""
    results = scratch.results()
    study = scratch.study(STUDY.format(
        name=name, family=family, settings=settings,
        classes="classes = 3" if family == "multinomial" else "",
        meta="mean" if family == "multinomial" else "nnls"))
    start = time.perf_counter()
    done = subprocess.run([ENSRUN, "run", study, "--results", results,
                           "--workers", "1"], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    wall = time.perf_counter() - start
    peak = re.search(r"peak memory ([0-9.]+) (KiB|MiB|GiB)", done.stdout)
    out = glob.glob(os.path.join(results, "arrays", "predicted1.*.npy"))
    if done.returncode != 0 or not peak or len(out) != 1:
        sys.exit(f"{study}: exit {done.returncode}\n{done.stdout}")
    unit = {"KiB": 1 / 1024, "MiB": 1, "GiB": 1024}[peak.group(2)]
    return wall, float(peak.group(1)) * unit, out[0]


def measure(name, size):
    family, settings, peer, n, p = LEARNERS[name]
    n, p = size or (n, p)
    with Scratch() as scratch:
        python(scratch.path, DATA, family, str(n), str(p))
        wall, mib, out = ours(scratch, name, family, settings)
        peer_wall, peer_mib = json.loads(python(scratch.path, PEER, peer))
        apart = float(python(scratch.path, APART, out))
    print(f"-- {name}, {n:,} x {p}: {wall:.2f} s, {mib:.0f} MiB; "
          f"scikit-learn {peer_wall:.2f} s, {peer_mib:.0f} MiB")
    figure(f"{name}: scikit-learn's time over ours", peer_wall / wall, "x")
    figure(f"{name}: scikit-learn's memory over ours", peer_mib / mib, "x")
    figure(f"{name}: held-out predictions apart, at most", apart)


def main():
    words = sys.argv[1:]
    size = [int(w) for w in words if w.isdigit()]
    names = [w for w in words if not w.isdigit()] or list(LEARNERS)
    unknown = [n for n in names if n not in LEARNERS]
    if unknown or len(size) not in (0, 2):
        sys.exit(f"usage: learners.py [NAME ...] [ROWS COLUMNS]; NAME: "
                 f"{', '.join(LEARNERS)}")
    for name in names:
        measure(name, size)


if __name__ == "__main__":
    main()
