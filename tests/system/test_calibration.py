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


main(ranks)
