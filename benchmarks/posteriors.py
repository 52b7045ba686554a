#!/usr/bin/env python3
"""Studies of one posterior each, fitter nuts as it comes, and rstan on the same
posterior, one after the other on one core: effective draws (the smallest bulk
ESS of all parameters) per second of CPU time. Ours has all of it: start of the
program, reading the data, warm-up, draws, summaries. rstan's has warm-up and
draws, by its own clocks; what R adds and the compiling are shown beside it.

    posteriors.py [NAME ...]     all of them: four minutes, half of it
                                 compiling

Where rstan (Debian: r-cran-rstan) is missing, its stored figures are taken:
2.21.7, medians of three runs on another machine (2 cores, Xeon)."""

import csv
import os
import statistics
import sys

import rstan
from common import ROOT, Scratch, command, figure, run

sys.path.insert(0, os.path.join(ROOT, "tests", "system"))
# pylint: disable=wrong-import-position
from test_bayes_fits import POSTERIORS, raw

REPLICATES = 10
# stored ESS/s of rstan; times that are wanted
STAN = {"schools": (13400, 4), "kidiq": (127, 500), "sblri": (2580, 20),
        "poisson": (1260, 50), "wells": (328, 15), "arK": (325, 20),
        "radon": (60, 5)}

DATA = {"schools": "eight_schools", "poisson": "GLM_Poisson_Data",
        "wells": "wells_data", "radon": "radon_mn"}

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
    """ESS of each fit, CPU seconds of a fit, tasks.csv."""
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
            for r in rows], seconds / REPLICATES, rows


def same(name, rows, fit):
    """A ratio of two samplers says something if they sample the same."""
    for theirs, ours in POSTERIORS[name][3].items():
        mean, sd = fit[theirs]
        got = statistics.fmean(float(r[f"estimate__{ours}"]) for r in rows)
        if abs(got - mean) > 0.2 * sd:
            sys.exit(f"{name}: {ours} has mean {got}, rstan's {theirs} "
                     f"{mean} (sd {sd})")


def compare(s, name, installed):
    stored, target = STAN[name]
    ess, seconds, rows = measure(s, name)
    rate = statistics.median(ess) / seconds
    print(f"{name}: {statistics.median(ess):.0f} effective draws in "
          f"{1e3 * seconds:.1f} ms")
    peer = stored
    if installed:
        runs, fit = rstan.measure(s, name, raw(DATA.get(name, name)))
        same(name, rows, fit)
        peer = statistics.median(r["ess"] / r["seconds"] for r in runs)
        ess, seconds, whole = (statistics.median(r[k] for r in runs)
                               for k in ("ess", "seconds", "whole"))
        print(f"  rstan: {ess:.0f} in {1e3 * seconds:.0f} ms, with R's part "
              f"{1e3 * whole:.0f} ms; {runs[0]['compiled']:.1f} s to compile")
    figure("  effective draws per second", rate)
    figure("  rstan's" + ("" if installed else ", stored"), peer)
    figure(f"{name}, times rstan's", rate / peer, target=f">= {target}")


def main():
    names = sys.argv[1:] or list(STAN)
    unknown = set(names) - set(STAN)
    if unknown:
        sys.exit(f"{', '.join(sorted(unknown))}: one of {', '.join(STAN)}")
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    installed = rstan.installed()
    if not installed:
        print("rstan is not installed (Debian: r-cran-rstan): its stored "
              "figures, of another machine")
    with Scratch() as s:
        for name in names:
            compare(s, name, installed)


if __name__ == "__main__":
    main()
