#!/usr/bin/python3
"""Folds of scikit-learn 1.2.1 for tests/oracle/test_fold_orders.c: writes folds.inc.

    /usr/bin/python3 tests/oracle/folds.py > tests/oracle/folds.inc
"""
import numpy as np
from sklearn.model_selection import (GroupKFold, KFold, StratifiedGroupKFold,
                                     StratifiedKFold)

N = 90


def by_appearance(x):
    """The same labels, renamed 0, 1 ... in the order they appear in: where two
    groups tie, scikit-learn takes the lower number."""
    names = {}
    return np.array([names.setdefault(v, len(names)) for v in x])


def test_folds(splits):
    fold = np.full(N, -1)
    for k, (_, test) in enumerate(splits):
        fold[test] = k
    return fold


def show(name, what, K, ids, strata, fold):
    def row(x):
        return "{" + ", ".join(str(int(v)) for v in x) + "}"
    print(f'    {{"{name}", {what}, {K}, {row(ids)},')
    print(f'     {row(strata)},')
    print(f'     {row(fold)}}},')


rng = np.random.RandomState(7)
X = np.zeros((N, 1))
print("/* Written by folds.py: scikit-learn 1.2.1. */")
for K in (2, 4, 7):
    show("KFold", "NONE", K, np.zeros(N), np.zeros(N),
         test_folds(KFold(K).split(X)))
for K in (2, 3, 5, 7):
    y = rng.choice(3, size=N, p=[0.6, 0.3, 0.1])
    show("StratifiedKFold", "STRATA", K, np.zeros(N), y,
         test_folds(StratifiedKFold(K).split(X, y)))
for K in (2, 4, 5):
    sizes = np.array([1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 22])
    g = by_appearance(rng.permutation(np.repeat(np.arange(len(sizes)), sizes)))
    show("GroupKFold", "IDS", K, g, np.zeros(N),
         test_folds(GroupKFold(K).split(X, y, g)))
for K in (2, 3, 5):
    g = by_appearance(np.sort(rng.randint(0, 25, size=N)))
    y = rng.choice(3, size=N, p=[0.5, 0.3, 0.2])
    show("StratifiedGroupKFold", "BOTH", K, g, y,
         test_folds(StratifiedGroupKFold(K).split(X, y, g)))
