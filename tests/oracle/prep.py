#!/usr/bin/python3
"""Preprocessing by scikit-learn 1.2.1 for tests/oracle/test_prep.c: prep.inc.

    /usr/bin/python3 tests/oracle/prep.py > tests/oracle/prep.inc

Fitted on rows 0-14 and 25-49 of 60, applied to all.
"""
import numpy as np
from scipy.stats import pearsonr
from sklearn.decomposition import PCA
from sklearn.linear_model import Lasso, lasso_path
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
y = (X[:, 0] - 4 * X[:, 2] + rng.normal(0, 4, N)).round(4)


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


class Screened:
    """Columns by a rule on the training rows; the constant one never."""
    def __init__(self, rule):
        self.rule = rule

    def fit(self, X, y=None):
        Z = StandardScaler().fit_transform(X[:, :4])
        r = [pearsonr(z, y[train]) for z in Z.T]
        self.left = np.sort(self.rule(Z, y[train], r))
        return self

    def transform(self, X):
        return X[:, self.left]


def by_p(most):
    return Screened(lambda Z, y, r: [j for j, v in enumerate(r)
                                     if v[1] <= most])


def by_rank(n):
    return Screened(lambda Z, y, r: np.argsort([-abs(v[0]) for v in r])[:n])


def by_lasso(alpha):
    return Screened(lambda Z, y, r: np.flatnonzero(
        Lasso(alpha, tol=1e-12, max_iter=100000).fit(Z, y).coef_))


def by_path(n):
    """The first penalty on the path that takes so many, none less."""
    def rule(Z, y, r):
        _, coef, _ = lasso_path(Z, y - y.mean(), eps=1e-4, n_alphas=100,
                                tol=1e-12, max_iter=100000)
        for c in coef.T:
            if np.count_nonzero(c) >= n:
                return np.flatnonzero(c)
    return Screened(rule)


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
    ("screen_cor", by_p(0.1)),
    ("screen_cor(0.5)", by_p(0.5)),
    ("screen_cor(p=1)", by_p(1)),
    ("screen_cor(0, 3)", by_rank(3)),
    ("screen_rank", by_rank(2)),
    ("screen_rank(3)", by_rank(3)),
    ("screen_lasso(alpha=0.7)", by_lasso(0.7)),
    ("screen_lasso(alpha=0.01)", by_lasso(0.01)),
    ("screen_lasso(3)", by_path(3)),
    ("screen_lasso(1, at_least=1)", by_path(1)),
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
numbers("data_y", y)
out = [c.fit(X[train], y).transform(X) for _, c in cases]
for i, a in enumerate(out):
    # the rows at the ends, in the middle and not trained on
    numbers(f"case_{i}", a[[0, 14, 17, 30, 49, 55, 59]])
print("static const struct known known[] = {")
for i, ((name, _), a) in enumerate(zip(cases, out)):
    print(f'    {{"{name}", {a.shape[1]}, case_{i}}},')
print("};")
