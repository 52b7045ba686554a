#!/usr/bin/python3
"""Makes linear.inc: linear models by scikit-learn, on real and on hard data,
for test_linear.c. scikit-learn 1.2.1, numpy 1.24.2:

  tests/oracle/linear.py wells.csv diamonds.json > tests/oracle/linear.inc

wells.csv lies in tests/data/wells; diamonds.json is posteriordb's. Where
scikit-learn's own digits end (columns far from 0, columns that depend on each
other) the reference is least squares in 60 digits instead (python3-mpmath)."""

import csv
import json
import sys
import warnings

import numpy as np
from mpmath import mp, mpf, matrix, lu_solve
from sklearn import linear_model as lm

mp.dps = 60
warnings.filterwarnings("ignore")
data, fits = {}, []


def sets(wells, diamonds):
    rows = list(csv.DictReader(open(wells)))[::20]
    data["wells"] = (np.array([[float(r["arsenic"]), float(r["dist"]),
                                float(r["assoc"]), float(r["educ"])]
                               for r in rows]),
                     np.array([float(r["switch"]) for r in rows]))
    d = json.load(open(diamonds))
    data["diamonds"] = (np.array(d["X"])[::50, 1:], np.array(d["Y"])[::50])
    g = np.random.default_rng(6)
    x = g.normal(size=(60, 5))
    x[:, 1] += 0.7 * x[:, 0]
    x = (x * 1024).round() / 1024  # so that 10^8 more is exact
    y = (1 + x @ [2, -1, 0, 0.5, 0] + g.normal(size=60)).round(4)
    data["plain"] = x, y
    data["far"] = x + 1e8, y
    data["scales"] = x * [1e-6, 1, 1e6, 1e3, 1], y
    c = x.copy()
    c[:, 2] = 0.1
    data["constant"] = c, y
    data["twice"] = np.hstack([x, x[:, [1]], (x[:, [0]] + x[:, [3]])]), y
    wide = g.normal(size=(20, 30)).round(4)
    data["wide"] = wide, (wide[:, 0] - 2 * wide[:, 7]
                          + 0.3 * g.normal(size=20)).round(4)
    t = np.linspace(0, 1, 50)[:, None]
    data["powers"] = t ** np.arange(1, 9), np.sin(5 * t[:, 0]).round(6)
    eta = x @ [1, -0.6, 0, 0.4, 0]
    data["binary"] = x, (g.uniform(size=60) < 1 / (1 + np.exp(-eta))) * 1.0
    data["binary_far"] = x + 1e8, data["binary"][1]
    data["binary_scales"] = data["scales"][0], data["binary"][1]
    three = np.stack([eta, -0.5 * eta + x[:, 2], 0 * eta], 1)
    data["three"] = x, np.argmax(three + g.gumbel(size=(60, 3)), 1) * 1.0
    data["counts"] = x, g.poisson(np.exp(0.5 + 0.4 * eta)) * 1.0
    data["counts_far"] = x + 1e8, data["counts"][1]


def weights(n):
    return (1 + np.arange(n) % 4) / 2.0 * (np.arange(n) % 9 > 0)


def put(name, of, model, w, settings, intercept, coef, out):
    fits.append((name, of, model, w, settings, np.atleast_1d(intercept),
                 np.atleast_2d(coef), np.asarray(out)))


def fit(of, model, made, settings="", w=False, predict=None):
    x, y = data[of]
    made.fit(x, y, **({"sample_weight": weights(len(y))} if w else {}))
    out = predict(made, x) if predict else made.predict(x)
    put(None, of, model, w, settings, made.intercept_, made.coef_, out)


def exact(of, alpha=0.0, settings="", w=False):
    """Least squares in 60 digits, with an intercept."""
    x, y = data[of]
    n, p = x.shape
    wt = weights(n) if w else np.ones(n)
    a = matrix(p + 1, p + 1)
    k = matrix(p + 1, 1)
    rows = [[mpf(1)] + [mpf(float(v)) for v in r] for r in x]
    for r, v, m in zip(rows, y, wt):
        for i in range(p + 1):
            k[i] += mpf(float(m)) * r[i] * mpf(float(v))
            for j in range(p + 1):
                a[i, j] += mpf(float(m)) * r[i] * r[j]
    for j in range(1, p + 1):
        a[j, j] += mpf(alpha)
    b = lu_solve(a, k)
    out = [float(sum(b[j] * r[j] for j in range(p + 1))) for r in rows]
    put(None, of, "ridge" if alpha else "ols", w, settings, float(b[0]),
        [float(v) for v in b[1:]], out)


def squares():
    for of in ("plain", "wells", "diamonds", "scales", "constant"):
        for w in (False, True):
            fit(of, "ols", lm.LinearRegression(), w=w)
    for of in ("far", "powers"):
        for w in (False, True):
            exact(of, w=w)
    exact("powers", 1e-9, "alpha=1e-9")
    exact("far", 3.0, "alpha=3")
    fit("wide", "ols", lm.LinearRegression())
    fit("plain", "ols", lm.LinearRegression(fit_intercept=False),
        "intercept=no", True)
    # of all solutions the shortest one
    x, y = data["twice"]
    mean, my = x.mean(0), y.mean()
    b = np.linalg.lstsq(x - mean, y - my, rcond=1e-10)[0]
    put(None, "twice", "ols", False, "", my - mean @ b, b,
        my + (x - mean) @ b)
    for of in ("plain", "wells", "diamonds", "wide", "twice", "scales",
               "constant"):
        for alpha in (0.01, 1.0, 100.0):
            fit(of, "ridge", lm.Ridge(alpha, solver="svd"),
                "alpha=%g" % alpha, of == "wells" or alpha == 1)
    fit("plain", "ridge", lm.Ridge(2.0, fit_intercept=False, solver="svd"),
        "alpha=2 intercept=no", True)


def tight(kind, **k):
    return kind(tol=1e-15, max_iter=1000000, **k)


def penalised():
    for of, alphas in (("plain", (0.001, 0.1, 0.5, 10.0)),
                       ("wells", (0.001, 0.02)),
                       ("diamonds", (0.001, 0.01, 0.1)),
                       ("scales", (0.05,)), ("constant", (0.05,)),
                       ("wide", (0.05, 0.3))):
        for i, alpha in enumerate(alphas):
            w = i % 2 == 1
            fit(of, "lasso", tight(lm.Lasso, alpha=alpha),
                "alpha=%g" % alpha, w)
            for ratio in (0.2, 0.8):
                fit(of, "elastic_net",
                    tight(lm.ElasticNet, alpha=alpha, l1_ratio=ratio),
                    "alpha=%g l1_ratio=%g" % (alpha, ratio), not w)
    fit("plain", "lasso", tight(lm.Lasso, alpha=0.1, positive=True),
        "alpha=0.1 positive=yes")
    fit("plain", "lasso", tight(lm.Lasso, alpha=0.1, fit_intercept=False),
        "alpha=0.1 intercept=no", True)


def chances(b, x):
    eta = b[:, 0] + x @ b[:, 1:].T
    if len(b) == 1:
        return 1 / (1 + np.exp(-eta[:, 0]))
    e = np.exp(eta - eta.max(1)[:, None])
    return e / e.sum(1)[:, None]


def polish(x, y, w, b, l1, l2, intercept):
    """Newton's method on what is not 0, from scikit-learn's solution to the
    end; signs stay, and no other derivative exceeds l1."""
    k, m = b.shape
    z = np.hstack([np.ones((len(y), 1)), x])
    pen = np.ones((k, m))
    pen[:, 0] = 0
    on = np.where(pen.ravel() > 0, (b != 0).ravel() | (l1 == 0), intercept)
    first, sign = b.copy(), np.sign(b)
    target = (y[:, None] if k == 1 else y[:, None] == np.arange(k)) * 1.0

    def grad(b):
        return ((chances(b, x).reshape(len(y), k) - target)
                * w[:, None]).T @ z + pen * (l1 * sign + l2 * b)
    for _ in range(60):
        mu = chances(b, x).reshape(len(y), k)
        h = np.zeros((k * m, k * m))
        for i in range(k):
            for j in range(k):
                v = w * (mu[:, i] * (i == j) - mu[:, i] * mu[:, j])
                h[i * m:i * m + m, j * m:j * m + m] = z.T @ (z * v[:, None])
        h += np.diag(l2 * pen.ravel())
        step = np.zeros(k * m)
        step[on] = np.linalg.lstsq(h[np.ix_(on, on)], -grad(b).ravel()[on],
                                   rcond=1e-13)[0]
        b = b + step.reshape(k, m)
    if k > 1:
        b[:, 0] -= b[:, 0].mean()
        first[:, 0] -= first[:, 0].mean()
    off = grad(b) - pen * l1 * sign
    assert abs(first - b).max() < 1e-3 * abs(b).max(), abs(first - b).max()
    assert np.all(np.sign(b[:, 1:]) == sign[:, 1:])
    assert np.all(abs(off.ravel()[~on & (pen.ravel() > 0)]) <= l1)
    return b


def logistic(of, settings, w=False, ratio=0.0, **k):
    k = dict(dict(solver="newton-cg", tol=1e-10, max_iter=20000), **k)
    x, y = data[of]
    wt = weights(len(y)) if w else np.ones(len(y))
    f = lm.LogisticRegression(**k).fit(x, y, wt)
    lam = 1 / k.get("C", 1.0) if k.get("penalty", "l2") else 0.0
    b = polish(x, y, wt, np.hstack([f.intercept_[:, None]
                                    if k.get("fit_intercept", True)
                                    else np.zeros((len(f.coef_), 1)), f.coef_]),
               lam * ratio, lam * (1 - ratio), k.get("fit_intercept", True))
    put(None, of, "logistic", w, settings, b[:, 0], b[:, 1:], chances(b, x))


def classes():
    for of in ("binary", "wells"):
        for w in (False, True):
            logistic(of, "penalty=none", w, penalty=None,
                     solver="newton-cholesky")
            for c in (0.01, 1.0, 100.0):
                logistic(of, "C=%g" % c, w, C=c, solver="newton-cholesky")
    logistic("binary_scales", "C=1", C=1.0, solver="newton-cholesky")
    logistic("binary", "C=1 intercept=no", True, fit_intercept=False,
             solver="newton-cholesky")
    for w in (False, True):
        logistic("three", "C=1", w)
        logistic("three", "C=0.05", w, C=0.05)
    saga = dict(solver="saga")
    for w in (False, True):
        logistic("binary", "penalty=l1 C=0.2", w, C=0.2, penalty="l1", ratio=1.0, **saga)
        logistic("binary", "penalty=elastic_net l1_ratio=0.4 C=0.3", w, C=0.3,
                 penalty="elasticnet", l1_ratio=0.4, ratio=0.4, **saga)
        logistic("three", "penalty=l1 C=0.3", w, C=0.3, penalty="l1", ratio=1.0, **saga)
        logistic("three", "penalty=elastic_net l1_ratio=0.7 C=0.3", w, C=0.3,
                 penalty="elasticnet", l1_ratio=0.7, ratio=0.7, **saga)
    for w in (False, True):
        for alpha in (0.0, 0.01, 1.0):
            fit("counts", "poisson",
                lm.PoissonRegressor(alpha=alpha, solver="newton-cholesky",
                                    tol=1e-12, max_iter=1000),
                "alpha=%g" % alpha, w)
    fit("counts", "poisson",
        lm.PoissonRegressor(alpha=0.1, solver="newton-cholesky", tol=1e-12,
                            max_iter=1000, fit_intercept=False),
        "alpha=0.1 intercept=no", True)


def shifted():
    """Columns 10^8 further on: the same slopes and predictions."""
    for of, model, settings in (("binary", "logistic", "C=1"),
                                ("counts", "poisson", "alpha=0.01")):
        for f in [f for f in fits if f[1] == of and f[2] == model
                  and f[4] == settings and not f[3]]:
            put(None, of + "_far", model, False, settings,
                np.nan, f[6], f[7])


def chosen():
    for of in ("plain", "diamonds", "wide"):
        fit(of, "lasso_cv", tight(lm.LassoCV), "")
        fit(of, "elastic_net_cv", tight(lm.ElasticNetCV, l1_ratio=0.3,
                                        n_alphas=30, eps=0.01, cv=4),
            "l1_ratio=0.3 alphas=30 least=0.01 inner_folds=4")
    for of in ("plain", "wells", "diamonds"):
        for w in (False, True):
            fit(of, "ridge_cv", lm.RidgeCV(), "", w)
            fit(of, "ridge_cv", lm.RidgeCV((0.01, 3.0, 30.0, 1000.0)),
                "alphas=0.01,3,30,1000", w)
    fit("plain", "ridge_cv", lm.RidgeCV((0.01, 3.0, 50.0),
                                        fit_intercept=False),
        "alphas=0.01,3,50 intercept=no")


def numbers(values):
    return ", ".join("%.17g" % v if v == v else "NAN" for v in values)


def write():
    print("/* Made by linear.py. */")
    names = list(data)
    for name in names:
        x, y = data[name]
        print("static const double x_%s[] = {%s};" % (name,
                                                      numbers(x.ravel())))
        print("static const double y_%s[] = {%s};" % (name, numbers(y)))
    print("static const struct set set[] = {")
    for name in names:
        x, _ = data[name]
        print('    {"%s", %d, %d, x_%s, y_%s},' % (name, *x.shape, name, name))
    print("};")
    for i, f in enumerate(fits):
        b = np.hstack([f[5][:, None], f[6]])
        print("static const double b_%d[] = {%s};" % (i, numbers(b.ravel())))
        print("static const double out_%d[] = {%s};"
              % (i, numbers(f[7].ravel()[:120])))
    print("static const struct fit fit[] = {")
    for i, f in enumerate(fits):
        print('    {"%s", &set[%d], "%s", %d, %d, %d, b_%d, out_%d},'
              % (f[2], names.index(f[1]), f[4], f[3], len(f[5]),
                 min(f[7].size, 120), i, i))
    print("};")


sets(sys.argv[1], sys.argv[2])
squares()
penalised()
chosen()
classes()
shifted()
write()
