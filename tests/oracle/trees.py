#!/usr/bin/env python3
# Trees, forests and boosting of scikit-learn and XGBoost for test_cart.c and
# test_accuracy.c: prints trees.inc.
#   OMP_NUM_THREADS=1 /usr/bin/python3 trees.py > trees.inc
# (made with scikit-learn 1.2.1 and XGBoost 1.7.4; about ten minutes). Data of
# PREDICTIONS are made here and there by the same generator.
import csv
import gzip
import json
import os
import textwrap

import numpy as np
import xgboost
from sklearn.ensemble import (HistGradientBoostingClassifier,
                              HistGradientBoostingRegressor,
                              RandomForestClassifier, RandomForestRegressor)
from sklearn.model_selection import KFold
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

N, M, P = 600, 50, 4
DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data")


def data():
    seed = 4711
    x = np.empty((N + M, P))
    e = np.empty((N + M, 2))
    for i in range(N + M):
        for j in range(P + 2):
            seed = (seed * 1664525 + 1013904223) % 2**32
            v = (seed >> 8) / 2**24
            if j < P:  # few values, which a float holds
                x[i, j] = np.floor(v * 60 * (j + 1)) / 64
            else:
                e[i, j - P] = v
    score = x[:, 0] + x[:, 1] * (x[:, 2] > 1) - 0.2 * x[:, 3] + e[:, 0]
    return x, 0.5 + e[:, 1], {
        "GAUSSIAN": score + x[:, 3] ** 2,
        "BINOMIAL": (score > 1.2).astype(float),
        "MULTINOMIAL": np.clip(np.floor(score), 0, 2),
    }


X, W, Y = data()


# Splits that are equally good are drawn at random: then nothing is compared.
def cart(family, settings, weighted, **more):
    kind = (DecisionTreeRegressor if family == "GAUSSIAN"
            else DecisionTreeClassifier)
    w = W[:N] if weighted else None
    first = None
    for seed in range(5):
        model = kind(random_state=seed, **more)
        model.fit(X[:N], Y[family][:N], sample_weight=w)
        out = (model.predict(X[N:]) if family == "GAUSSIAN"
               else model.predict_proba(X[N:]))
        if family == "BINOMIAL":
            out = out[:, 1]
        first = out if first is None else first
        assert np.allclose(out, first, 1e-9), (family, settings)
    quoted = "".join(f'"{s}", ' for s in settings)
    numbers = textwrap.fill(", ".join(repr(float(v)) for v in first.ravel()),
                            78, break_on_hyphens=False)
    print(f"PREDICTIONS({family}, {int(weighted)}, {model.get_n_leaves()},\n"
          f"            LIST({quoted}NULL),\n            LIST({numbers}))",
          flush=True)


def wells():
    with open(os.path.join(DATA, "wells", "wells.csv"), encoding="utf-8") as f:
        rows = np.array(list(csv.reader(f))[1:], float)
    return rows[:, 1:], rows[:, 0]


def diamonds():
    name = os.path.join(DATA, "posteriordb", "data", "diamonds.json.gz")
    with gzip.open(name) as f:
        rows = json.load(f)
    return np.array(rows["X"], float)[:, 1:], np.array(rows["Y"], float)


def loss(y, out):
    if out.ndim == 1:
        return np.mean((y - out) ** 2)
    p = np.clip(np.where(y > 0, out[:, 1], out[:, 0]), 1e-15, 1)
    return -np.mean(np.log(p))


def score(name, xy, learner, settings, make, seeds=10):
    x, y = xy
    scores = []
    for seed in range(seeds):
        sums = 0
        for train, test in KFold(5, shuffle=True,
                                 random_state=seed).split(x):
            model = make(seed).fit(x[train], y[train])
            out = (model.predict_proba(x[test])
                   if hasattr(model, "predict_proba")
                   else model.predict(x[test]))
            sums += loss(y[test], out) * len(test)
        scores.append(sums / len(y))
    quoted = "".join(f'"{s}", ' for s in settings)
    print(f"SCORE({name}, {learner}, LIST({quoted}NULL),\n"
          f"      {np.mean(scores)!r}, {np.std(scores, ddof=1)!r},\n"
          f'      "{type(model).__name__}")', flush=True)


cart("GAUSSIAN", ["min_leaf=6"], False, min_samples_leaf=6)
cart("GAUSSIAN", ["min_leaf=4", "depth=5"], True, min_samples_leaf=4,
     max_depth=5)
cart("GAUSSIAN", ["leaves=13", "min_split=30"], False, max_leaf_nodes=13,
     min_samples_split=30)
cart("GAUSSIAN", ["alpha=0.03"], False, ccp_alpha=0.03)
cart("BINOMIAL", ["min_leaf=8"], True, min_samples_leaf=8)
cart("BINOMIAL", ["min_leaf=8", "criterion=entropy"], True,
     min_samples_leaf=8, criterion="entropy")
cart("BINOMIAL", ["alpha=0.004", "min_leaf=5"], True, ccp_alpha=0.004,
     min_samples_leaf=5)
cart("MULTINOMIAL", ["min_leaf=9"], True, min_samples_leaf=9)
cart("MULTINOMIAL", ["alpha=0.01", "min_leaf=5", "criterion=entropy"], True,
     ccp_alpha=0.01, min_samples_leaf=5, criterion="entropy")
cart("MULTINOMIAL", ["leaves=11", "min_leaf=5"], True, max_leaf_nodes=11,
     min_samples_leaf=5)

score("wells", wells(), "forest", ["min_leaf=5"],
      lambda s: RandomForestClassifier(100, min_samples_leaf=5,
                                       random_state=s))
score("diamonds", diamonds(), "forest", [],
      lambda s: RandomForestRegressor(100, min_samples_leaf=5, max_features=8,
                                      random_state=s))
score("wells", wells(), "boost", [],
      lambda s: HistGradientBoostingClassifier(early_stopping=False,
                                               random_state=s))
score("diamonds", diamonds(), "boost", [],
      lambda s: HistGradientBoostingRegressor(early_stopping=False,
                                              random_state=s))
SAME = {"learning_rate": 0.1, "n_estimators": 100, "max_depth": 4,
        "reg_lambda": 1, "min_child_weight": 5, "subsample": 0.5,
        "colsample_bytree": 0.5, "tree_method": "hist", "n_jobs": 1}
OURS = ["leaves=0", "depth=4", "l2=1", "min_child_weight=5", "min_leaf=1",
        "subsample=0.5", "colsample=0.5"]
score("wells", wells(), "boost", OURS,
      lambda s: xgboost.XGBClassifier(random_state=s, **SAME))
score("diamonds", diamonds(), "boost", OURS,
      lambda s: xgboost.XGBRegressor(random_state=s, **SAME))
