#!/usr/bin/python3
"""Makes superlearner.json: out-of-fold predictions and weights by scikit-learn
1.2.1 and scipy 1.10.1, for tests/system/test_superlearner.py.

    tests/oracle/superlearner.py > tests/oracle/superlearner.json

Convex weights: of every set of learners, least squares whose weights sum to 1;
the best one without a negative weight."""
import itertools
import json
import pathlib
import sys

import numpy as np
from scipy.optimize import nnls
from sklearn.linear_model import (ElasticNet, Lasso, LinearRegression,
                                  LogisticRegression, Ridge)
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "system"))
from stacking import data  # noqa: E402

EXACT = {"tol": 1e-14, "max_iter": 1000000}
MODELS = {
    "gaussian": {
        "ols": LinearRegression(),
        "ridge": Ridge(alpha=30),
        "lasso": Lasso(alpha=0.2, **EXACT),
        "elastic_net": ElasticNet(alpha=0.4, l1_ratio=0.3, **EXACT),
        "knn": KNeighborsRegressor(5)},
    "binomial": {
        "logistic": LogisticRegression(C=0.5, solver="newton-cg", tol=1e-10,
                                       max_iter=10000),
        "knn": KNeighborsClassifier(7)},
    "multinomial": {
        "logistic": LogisticRegression(C=0.5, solver="newton-cg", tol=1e-10,
                                       max_iter=10000),
        "knn": KNeighborsClassifier(7)}}


def convex(z, y):
    best, found = np.inf, None
    n = z.shape[1]
    for k in range(1, n + 1):
        for some in itertools.combinations(range(n), k):
            q = z[:, some] - y[:, None]  # sum to 1: residuals are q w
            a = np.block([[q.T @ q, np.ones((k, 1))],
                          [np.ones((1, k)), np.zeros((1, 1))]])
            w = np.linalg.solve(a, np.append(np.zeros(k), 1))[:k]
            risk = ((q @ w) ** 2).sum()
            if w.min() >= 0 and risk < best:
                best, found = risk, np.zeros(n)
                found[list(some)] = w
    return found


def main():
    all_of, out = data(), {}
    for family, models in MODELS.items():
        y = all_of[family]
        how = "predict" if family == "gaussian" else "predict_proba"
        z = {name: cross_val_predict(make_pipeline(StandardScaler(), m),
                                     all_of["X"], y, cv=KFold(5), method=how)
             for name, m in models.items()}
        if family == "binomial":
            z = {name: p[:, 1] for name, p in z.items()}
        out[family] = {"predicted": {k: v.tolist() for k, v in z.items()}}
        if family != "multinomial":
            m = np.column_stack(list(z.values()))
            w = nnls(m, y)[0]
            out[family]["nnls"] = (w / w.sum()).tolist()
            out[family]["nnls_as_is"] = w.tolist()
            out[family]["convex"] = convex(m, y).tolist()
    json.dump(out, sys.stdout)
    print()


main()
