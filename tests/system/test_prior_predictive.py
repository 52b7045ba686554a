#!/usr/bin/env python3
"""Simulation-based calibration: with parameters drawn from the prior, their
ranks among the draws are uniform; a fit with another prior is caught."""
from harness import check, main, table

BINS = 10

STUDY = """[study]
kind = simulation
seed = 5
replicates = 400
[data]
generator = prior_predictive
n = 6
formula = y ~ 1
prior.intercept = normal(0, 1)
prior.sigma = half_normal(1)
[fit]
fitter = nuts
chains = 1
draws = 300
formula = y ~ 1
prior.sigma = half_normal(1)
[fit right]
prior.intercept = normal(0, 1)
[fit wrong]
prior.intercept = normal(1, 0.3)
[metrics]
use = bias, rank
"""


def chi_squared(rows, name):
    """Of the ranks in bins, which the metric's own step may make uneven."""
    counts, expected = [0] * BINS, [0.0] * BINS
    for row in rows:
        ranks = int(row["rank__n_ranks"])
        counts[int(row[f"rank__by_param__{name}"]) * BINS // ranks] += 1
        for r in range(ranks):
            expected[r * BINS // ranks] += 1 / ranks
    return sum((c - e) ** 2 / e for c, e in zip(counts, expected))


def ranks(work):
    work.run(work.study(STUDY), work.path / "r", seconds=300)
    rows = table(work.path / "r")
    right = [r for r in rows if r["fit"] == "right"]
    wrong = [r for r in rows if r["fit"] == "wrong"]
    truth = [r["truth__sigma"] for r in right]
    check(len(set(truth)) == 400, "truths differ")
    check(truth == [r["truth__sigma"] for r in wrong], "same data")
    for name in ("intercept", "sigma"):
        # 9 degrees of freedom: 33.7 is exceeded once in 10,000
        x = chi_squared(right, name)
        check(x < 33.7, f"{name}: chi-squared {x}")
    check(chi_squared(wrong, "intercept") > 100, "a wrong prior is not seen")


CONJUGATE = """[study]
kind = simulation
seed = 6
replicates = 4000
[data]
generator = prior_predictive
n = 8
formula = y ~ x1
prior = conjugate
prior_mean = 1 -1
prior_precision = 4
a0 = 3
b0 = 2
[fit]
fitter = normal_inverse_gamma
formula = y ~ x1
prior_mean = 1 -1
prior_precision = 4
a0 = 3
[fit right]
b0 = 2
[fit wrong]
b0 = 1
[metrics]
use = coverage, rank
"""


def exact(work):
    """The conjugate posterior, its draws and its limits."""
    work.run(work.study(CONJUGATE), work.path / "c")
    rows = table(work.path / "c")
    for name in ("intercept", "x1", "sigma"):
        x = chi_squared([r for r in rows if r["fit"] == "right"], name)
        check(x < 33.7, f"{name}: chi-squared {x}")
    wrong = chi_squared([r for r in rows if r["fit"] == "wrong"], "sigma")
    check(wrong > 100, f"a wrong prior is not seen: {wrong}")
    for cell in table(work.path / "c", "cells.csv"):
        if cell["measure"] == "coverage" and cell["fit"] == "right":
            z = (float(cell["value"]) - 0.95) / float(cell["mcse"])
            check(abs(z) < 4.5, cell)


def mock(work):
    """It says what it is, and covers as it says."""
    work.run(work.study("""[study]
kind = simulation
replicates = 2000
[data]
generator = hierarchical
n = 20
groups = 4
[fit]
fitter = mock
formula = y ~ x1 + (1 | g)
"""), work.path / "m")
    check(all(r["warnings"] == "mock: draws about the truth, no inference"
              for r in table(work.path / "m")), "no warning")
    covered = {c["estimand"]: c for c in table(work.path / "m", "cells.csv")
               if c["measure"] == "coverage"}
    check({"intercept", "x1", "sigma", "sd_g", "g[4]"} <= set(covered),
          covered.keys())
    for cell in covered.values():
        # limits are quantiles of 400 draws: on average 0.945
        check(0.92 < float(cell["value"]) < 0.97, cell)


main(ranks, exact, mock)
