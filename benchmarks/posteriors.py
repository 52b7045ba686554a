#!/usr/bin/env python3
"""Studies of one posterior each, fitter nuts as it comes: effective draws (the
smallest bulk ESS of all parameters with columns) per second of CPU time, start
of the program, reading the data, warm-up and summaries included.

Stan's figures are stored: rstan 2.21.7, 4 x (1000 + 1000), CPU time without
compiling, medians of three runs on another machine (2 cores, Xeon)."""

import csv
import os
import statistics
import sys

from common import ROOT, Scratch, command, figure, run

sys.path.insert(0, os.path.join(ROOT, "tests", "system"))
from test_bayes_fits import POSTERIORS  # pylint: disable=wrong-import-position

REPLICATES = 10
# ESS/s of rstan; times that are wanted
STAN = {"schools": (13400, 4), "kidiq": (127, 500), "sblri": (2580, 20),
        "poisson": (1260, 50), "wells": (328, 15), "arK": (325, 20),
        "radon": (60, 5)}

STUDY = """[study]
kind = simulation
seed = 1
replicates = {n}
[inputs]
D = {data}
[data]
generator = fixed
input = D
[metrics]
use = sampler_diagnostics
[fit]
fitter = nuts
{fit}
"""


def measure(s, name):
    """Smallest ESS of each fit, CPU seconds of a fit."""
    _, columns, fit, _ = POSTERIORS[name]
    columns = columns()
    data = os.path.join(s.path, name + ".csv")
    with open(data, "w", encoding="utf-8", newline="") as f:
        writer = csv.writer(f)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values()))
    study = s.study(STUDY.format(n=REPLICATES, data=data, fit=fit), name)
    results = s.results(name)
    _, seconds, _ = run(command(study, results, 1, "--transport", "inline"))
    with open(os.path.join(results, "tasks.csv"), encoding="utf-8",
              newline="") as f:
        rows = list(csv.DictReader(f))
    return [float(r["sampler_diagnostics__ess_bulk_min"])
            for r in rows], seconds / REPLICATES


def main():
    with Scratch() as s:
        print(f"{'posterior':<12}{'ESS':>8}{'CPU ms':>10}{'ESS/s':>12}"
              f"{'rstan':>10}")
        for name, (stan, target) in STAN.items():
            ess, seconds = measure(s, name)
            rate = statistics.median(ess) / seconds
            print(f"{name:<12}{statistics.median(ess):>8.0f}"
                  f"{1e3 * seconds:>10.1f}{rate:>12.0f}{stan:>10}")
            figure(f"{name}, times rstan's ESS/s", rate / stan,
                   target=f">= {target}")


if __name__ == "__main__":
    main()
