#!/usr/bin/env python3
"""The sampler on posteriors of posteriordb, 4 chains of 1,000 draws, one core:
us per leapfrog, gradients per effective draw, effective draws per second of
CPU time, warm-up included, by scheme of adaptation. Densities are C by hand.

Stan's figures are stored: rstan 2.21.7, 4 x (1000 + 1000), CPU time without
compiling, medians of three runs on another machine (2 cores, Xeon)."""

import csv
import io
import os
import statistics
import sys

from common import ROOT, figure, run

SEEDS = 3
PROGRAM = os.path.join(ROOT, "build", "nuts_rates")
DATA = os.path.join(ROOT, "tests", "data")

# posterior: us per leapfrog, leapfrogs of warm-up and draws, smallest bulk
# ESS per second; times Stan's that are wanted
STAN = {
    "eight schools": (2.40, 39e3, 35e3, 13400, 4),
    "eight schools centred": (2.1, 91e3, 72e3, 637, None),
    "kidiq": (32.8, 234e3, 130e3, 127, 500),
    "sblri": (5.12, 37e3, 30e3, 2580, 20),
    "arK": (30.8, 120e3, 125e3, 325, 20),
    "GLM Poisson": (6.97, 57e3, 61e3, 1260, 50),
    "wells": (72.9, 39e3, 39e3, 328, 15),
}


def rates():
    _, _, text = run([PROGRAM, DATA, str(SEEDS)])
    rows = {}
    for row in csv.DictReader(io.StringIO(text)):
        key = (row.pop("posterior"), row.pop("scheme"))
        rows.setdefault(key, []).append({k: float(v) for k, v in row.items()})
    return rows


def median(rows, value):
    return statistics.median(value(r) for r in rows)


def main():
    if not os.path.exists(PROGRAM):
        sys.exit(f"{PROGRAM} is missing: cmake --build build --target "
                 "nuts_rates")
    rows = rates()
    head = ("us/leapfrog", "us/gradient", "warm-up", "draws", "grad/ESS",
            "ESS/s", "divergent")
    print(f"{'posterior, scheme':<32}" + "".join(f"{h:>12}" for h in head))
    for (posterior, scheme), r in rows.items():
        print(f"{posterior + ', ' + scheme:<32}"
              f"{median(r, lambda x: x['us_per_leapfrog']):>12.3f}"
              f"{median(r, lambda x: x['us_per_gradient']):>12.3f}"
              f"{median(r, lambda x: x['warmup_leapfrogs']):>12.0f}"
              f"{median(r, lambda x: x['leapfrogs']):>12.0f}"
              f"{median(r, lambda x: x['gradients'] / x['ess']):>12.2f}"
              f"{median(r, lambda x: x['ess'] / x['seconds']):>12.0f}"
              f"{median(r, lambda x: x['divergent']):>12.0f}")
    for posterior, (us, warmup, draws, ess, target) in STAN.items():
        print(f"{posterior + ', rstan':<32}{us:>12.3f}{'':>12}{warmup:>12.0f}"
              f"{draws:>12.0f}{1e6 / us / ess:>12.2f}{ess:>12.0f}")
        best = max(median(r, lambda x: x["ess"] / x["seconds"])
                   for (name, _), r in rows.items() if name == posterior)
        if target:
            figure(f"{posterior}, best scheme, times rstan's ESS/s",
                   best / ess, target=f">= {target}")


if __name__ == "__main__":
    main()
