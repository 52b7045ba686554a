#!/usr/bin/env python3
"""Gradients of the log densities of fitter nuts, by family, rows and terms: us
each, beside the same matrix multiplied twice in the same run (the least that a
gradient row by row can cost) and stored figures of Stan's fused functions.

Stan's: normal_id_glm and bernoulli_logit_glm of StanHeaders 2.21.7, one term
more, us per gradient on another machine (2 cores, Xeon); Stan has no form whose
cost does not depend on the rows, and multiplies X b in the others."""

import csv
import io
import os
import sys

from common import ROOT, figure, run

PROGRAM = os.path.join(ROOT, "build", "gradient_rates")

STAN = {
    "gaussian": {(100, 3): 1.1, (100, 10): 1.37, (100, 50): 3.33,
                 (1000, 3): 4.3, (1000, 10): 6.55, (1000, 50): 21,
                 (10000, 3): 36.5, (10000, 10): 58.1, (10000, 50): 335,
                 (100000, 3): 420, (100000, 10): 1130},
    "binomial": {(100, 3): 2.61, (100, 10): 2.73, (1000, 3): 19.6,
                 (1000, 10): 23, (1000, 50): 36.7, (10000, 3): 225,
                 (10000, 10): 247, (10000, 50): 520, (100000, 3): 2385,
                 (100000, 10): 3623},
}


def main():
    if not os.path.exists(PROGRAM):
        sys.exit(f"{PROGRAM} is missing: cmake --build build --target "
                 "gradient_rates")
    _, _, text = run([PROGRAM])
    rows = list(csv.DictReader(io.StringIO(text)))
    print(f"{'family, rows x terms':<28}{'us':>10}{'ns/row':>10}"
          f"{'multiplied':>12}{'Stan':>10}{'times':>8}")
    worst = {}
    for row in rows:
        size = int(row["n"]), int(row["p"])
        stan = STAN.get(row["family"], {}).get(size)
        us = float(row["us"])
        print(f"{row['family'] + ', %d x %d' % size:<28}{us:>10.3f}"
              f"{float(row['ns_per_row']):>10.2f}"
              f"{float(row['us_multiply']):>12.3f}"
              + (f"{stan:>10.2f}{stan / us:>8.1f}" if stan else ""))
        if stan:
            worst[row["family"]] = min(worst.get(row["family"], stan / us),
                                       stan / us)
    for family, ratio in worst.items():
        figure(f"{family}, gradients beside Stan's fused function, least",
               ratio, target=">= 2")


if __name__ == "__main__":
    main()
