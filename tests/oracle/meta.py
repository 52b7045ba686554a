#!/usr/bin/python3
"""Makes meta_more.inc for test_meta.c: weights for nearly collinear learners in
rational arithmetic, by trying every set of learners; regressions by
scikit-learn 1.2.1.

    tests/oracle/meta.py > tests/oracle/meta_more.inc
"""
import itertools
from fractions import Fraction

import numpy
from sklearn.linear_model import Lasso, LinearRegression, Ridge

state = 1


def u():
    """Park and Miller (1988): as draw() of meta.R."""
    global state
    state = 16807 * state % 2147483647
    return state / 2147483647


def draw(seed, n, l, mean, apart):
    global state
    state = seed
    slope = [1.0 if apart < 0.01 else 0.5 + u() for _ in range(l)]
    z, y, w = numpy.zeros((n, l)), numpy.zeros(n), numpy.zeros(n)
    for i in range(n):
        t = 2 * (u() - 0.5) + (u() - 0.5)
        e = 0.5 * (u() - 0.5)
        if apart < 0.01:
            e *= apart * 0.2
        for j in range(l):
            d = apart * (u() - 0.5)
            z[i, j] = mean + slope[j] * t + d
            if apart < 0.01:
                e += [0.4, 0, 0.35, 0.25][j] * d
        y[i] = mean + t + e
        w[i] = int(4 * u())
    return z, y, w


def solve(a, b):
    """Gauss, exactly; None when singular."""
    n = len(b)
    a = [row[:] + [b[i]] for i, row in enumerate(a)]
    for k in range(n):
        pivot = next((i for i in range(k, n) if a[i][k] != 0), None)
        if pivot is None:
            return None
        a[k], a[pivot] = a[pivot], a[k]
        for i in range(n):
            if i != k and a[i][k] != 0:
                f = a[i][k] / a[k][k]
                a[i] = [x - f * p for x, p in zip(a[i], a[k])]
    return [a[i][n] / a[i][i] for i in range(n)]


def exact(z, y, simplex):
    """The best of all sets of learners whose weights are positive."""
    n, l = z.shape
    columns = [[Fraction(v) for v in z[:, j]] for j in range(l)]
    response = [Fraction(v) for v in y]
    dot = lambda a, b: sum(p * q for p, q in zip(a, b))
    gram = [[dot(a, b) for b in columns] for a in columns]
    cross = [dot(a, response) for a in columns]
    best, least = [Fraction(0)] * l, None if simplex else Fraction(0)
    for size in range(1, l + 1):
        for s in itertools.combinations(range(l), size):
            a = [[gram[i][j] for j in s] for i in s]
            b = [cross[i] for i in s]
            if simplex:
                a = [row + [Fraction(1)] for row in a] + [
                    [Fraction(1)] * size + [Fraction(0)]]
                b = b + [Fraction(1)]
            x = solve(a, b)
            if x is None or min(x[:size]) < 0:
                continue
            x = x[:size]
            value = sum(x[i] * x[j] * gram[s[i]][s[j]] for i in range(size)
                        for j in range(size)) - 2 * sum(
                            x[i] * cross[s[i]] for i in range(size))
            if least is None or value < least:
                least, best = value, [Fraction(0)] * l
                for i, j in enumerate(s):
                    best[j] = x[i]
    return [float(v) for v in best]


def put(name, values):
    print(f"static const double {name}[] = {{")
    print(",\n".join(f"    {v!r}" for v in map(float, values)) + "};")


for name, mean, apart in [("close", 0, 1e-3), ("closer", 1, 1e-5),
                          ("closest", 1000, 1e-6)]:
    z, y, _ = draw(8, 40, 4, mean, apart)
    put(name + "_nnls", exact(z, y, False))
    put(name + "_convex", exact(z, y, True))

for name, seed, n, l, mean, apart in [("few", 2, 100, 5, 1, 0.5),
                                      ("far", 4, 200, 6, 50, 0.5),
                                      ("many", 3, 300, 50, 1, 3)]:
    z, y, w = draw(seed, n, l, mean, apart)
    for kind, model in [("ols", LinearRegression()), ("ridge", Ridge(alpha=2)),
                        ("lasso", Lasso(alpha=0.02, tol=1e-14,
                                        max_iter=1000000))]:
        for weights, sort in [(None, ""), (w, "_weighted")]:
            model.fit(z, y, weights)
            put(f"{name}_{kind}{sort}", [model.intercept_, *model.coef_])
