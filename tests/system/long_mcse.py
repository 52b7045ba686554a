#!/usr/bin/env python3
"""Monte Carlo standard errors over thousands of simulated studies: value -+
1.96 mcse holds what is true in 95 of 100 of them."""
import math
import subprocess

from harness import BUILD, check, main, table

# Every n is a cell, every cell a study: true values are known of ols.
STUDY = """[study]
kind = simulation
seed = 77
replicates = 300
[data]
generator = linear
n = 20:{last}
intercept = 1
slope = 2 0.5
sigma = 3
[fit full]
fitter = ols
formula = y ~ x1 + x2
[fit short]
fitter = ols
formula = y ~ x1
level = 0.8
[metrics]
use = bias, relative_bias, coverage, difference
half = coverage(level=0.5)
compare = full
"""
TRUE = {"bias": 0, "relative_bias": 0, "half": 0.5, "difference": 0}


def of_sums(_):
    """tests/oracle/test_mcse with forty times its studies."""
    run = subprocess.run([BUILD / "tests/test_mcse", "40"],
                         capture_output=True, text=True, check=False)
    print(run.stdout, end="")
    check(run.returncode == 0, run.stdout + run.stderr)


def of_the_program(work):
    """Cells of one study, each of 300 replicates."""
    results = work.path / "r"
    work.run(work.study(STUDY.format(last=1019)), results)
    held, seen = {}, {}
    for row in table(results, "cells.csv"):
        true = TRUE.get(row["measure"])
        if row["measure"] == "coverage":
            true = {"full": 0.95, "short": 0.8}[row["fit"]]
        if true is None:
            continue
        key = row["measure"], row["estimand"], row["fit"]
        seen[key] = seen.get(key, 0) + 1
        held[key] = held.get(key, 0) + (
            abs(float(row["value"]) - true) <= 1.96 * float(row["mcse"]))
    check(len(seen) >= 22, f"only {sorted(seen)}")
    for key, n in seen.items():
        share = held[key] / n
        print(*key, f"{share:.3f} of {n}")
        # 4 errors of the share, and the steps of a coverage of 300
        check(abs(share - 0.95) < 4 * math.sqrt(0.95 * 0.05 / n) + 0.015,
              f"{key}: {share:.3f} of {n}")


if __name__ == "__main__":
    main(of_sums, of_the_program)
