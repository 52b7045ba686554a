#!/usr/bin/python3
"""Preprocessing by scikit-learn 1.2.1 for tests/oracle/test_prep.c: prep.inc.

    /usr/bin/python3 tests/oracle/prep.py > tests/oracle/prep.inc

Fitted on rows 0-14 and 25-49 of 60, applied to all.
"""
import numpy as np
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (MaxAbsScaler, MinMaxScaler,
                                   PolynomialFeatures, RobustScaler,
                                   SplineTransformer, StandardScaler)

rng = np.random.RandomState(11)
N = 60
X = np.column_stack([
    rng.normal(5, 2, N).round(4),
    rng.exponential(3, N).round(4) - 1,
    rng.randint(0, 4, N),               # ties
    rng.uniform(-0.01, 0.01, N).round(6),
    np.full(N, 7.0),                    # constant
])
train = np.r_[0:15, 25:50]


class Columns:
    """Some columns only: a constant one has no splines here."""
    def __init__(self, columns, of):
        self.columns, self.of = columns, of

    def fit(self, X, y=None):
        self.of.fit(X[:, self.columns])
        return self

    def transform(self, X):
        return self.of.transform(X[:, self.columns])


class Signed(PCA):
    """The largest loading of each component positive, as later versions."""
    def fit(self, X, y=None):
        super().fit(X)
        c = self.components_
        at = np.abs(c).argmax(axis=1)
        c *= np.sign(c[range(len(c)), at])[:, None]
        return self


class Powers:
    """x, x^2, x^3 without products."""
    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return np.hstack([X, X ** 2, X ** 3])


def splines(knots, degree):
    return SplineTransformer(knots, degree=degree, knots="quantile",
                             extrapolation="constant", include_bias=False)


cases = [
    ("standardise", StandardScaler()),
    ("minmax", MinMaxScaler()),
    ("maxabs", MaxAbsScaler()),
    ("robust", RobustScaler()),
    ("pca", Signed(4)),  # the constant column has no component
    ("pca(2)", Signed(2)),
    ("pca(0.9)", Signed(0.9)),
    ("pca(3, whiten=yes)", Signed(3, whiten=True)),
    ("poly", PolynomialFeatures(2, include_bias=False)),
    ("poly(3)", PolynomialFeatures(3, include_bias=False)),
    ("poly(3, only)", PolynomialFeatures(3, interaction_only=True,
                                         include_bias=False)),
    ("poly(3, no)", Powers()),
    ("subset(1:2, 4) spline", Columns([0, 1, 3], splines(5, 3))),
    ("subset(2) spline(4, 2)", Columns([1], splines(4, 2))),
    ("subset(2, 1) spline(6, 0)", Columns([1, 0], splines(6, 0))),
    ("subset(1) spline(2, 5)", Columns([0], splines(2, 5))),
    ("standardise pca(2) poly", make_pipeline(
        StandardScaler(), Signed(2), PolynomialFeatures(2,
                                                        include_bias=False))),
    ("subset(-5) robust minmax", Columns([0, 1, 2, 3], make_pipeline(
        RobustScaler(), MinMaxScaler()))),
    ("minmax subset(4, 1) standardise maxabs pca(1)", make_pipeline(
        MinMaxScaler(), Columns([3, 0], make_pipeline(
            StandardScaler(), MaxAbsScaler(), Signed(1))))),
]


def numbers(name, a):
    print(f"static const double {name}[] = {{")
    for v in np.asarray(a, float).ravel():
        print(f"    {float(v)!r},")
    print("};")


print("/* Written by prep.py: scikit-learn 1.2.1. */")
numbers("data_x", X)
out = [c.fit(X[train]).transform(X) for _, c in cases]
for i, a in enumerate(out):
    # the rows at the ends, in the middle and not trained on
    numbers(f"case_{i}", a[[0, 14, 17, 30, 49, 55, 59]])
print("static const struct known known[] = {")
for i, ((name, _), a) in enumerate(zip(cases, out)):
    print(f'    {{"{name}", {a.shape[1]}, case_{i}}},')
print("};")
