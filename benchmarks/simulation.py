#!/usr/bin/env python3
"""Studies of least squares and of the conjugate posterior, 100 rows and 3
terms: tasks per second of generating, fitting and recording, with 2 workers,
beside one-process loops in numpy and in R (lm), which record nothing. The
reference system manages 106 tasks/s with a fitter that computes nothing (its
figure, of another run). Debian's python3-numpy, r-base-core."""

import statistics
import subprocess
import time

from common import Scratch, command, figure, run

TASKS, LOOP, WORKERS, ROUNDS = 200000, 20000, 2, 3
REFERENCE = 106

STUDY = """[study]
kind = simulation
seed = 1
replicates = {n}
[data]
generator = linear
n = 100
slope = 1 2
[fit]
fitter = {fitter}
formula = y ~ x1 + x2
"""

R_LOOP = """
n <- {n}
out <- matrix(NA_real_, n, 6)
started <- proc.time()[[3]]
for (i in seq_len(n)) {{
  x1 <- rnorm(100); x2 <- rnorm(100); y <- x1 + 2 * x2 + rnorm(100)
  out[i, ] <- coef(summary(lm(y ~ x1 + x2)))[, 1:2]
}}
cat(proc.time()[[3]] - started)
"""


def ensrun(fitter, tasks=TASKS, more=""):
    """Median rate over rounds, tables written."""
    rates = []
    with Scratch() as s:
        study = s.study(STUDY.format(n=tasks, fitter=fitter) + more)
        for _ in range(ROUNDS):
            wall, _, _ = run(command(study, s.results(), WORKERS))
            rates.append(tasks / wall)
    return statistics.median(rates)


def numpy_loop():
    import numpy
    rng = numpy.random.default_rng(1)
    out = numpy.empty((LOOP, 6))
    started = time.perf_counter()
    for i in range(LOOP):
        x = rng.normal(size=(100, 2))
        y = x[:, 0] + 2 * x[:, 1] + rng.normal(size=100)
        x = numpy.column_stack((numpy.ones(100), x))
        inverse = numpy.linalg.inv(x.T @ x)
        beta = inverse @ (x.T @ y)
        s2 = ((y - x @ beta) ** 2).sum() / 97
        out[i, :3], out[i, 3:] = beta, (s2 * inverse.diagonal()) ** 0.5
    return LOOP / (time.perf_counter() - started)


def r_loop(n=LOOP // 4):
    done = subprocess.run(["Rscript", "-e", R_LOOP.format(n=n)], check=True,
                          stdout=subprocess.PIPE, text=True)
    return n / float(done.stdout)


def main():
    numpy_rate, r_rate = numpy_loop(), r_loop()
    figure("least squares in a numpy loop, fits per s", numpy_rate)
    figure("lm in an R loop, fits per s", r_rate)
    for fitter, more in (("ols", ""), ("normal_inverse_gamma", ""),
                         ("normal_inverse_gamma", "draws = 1000\n")):
        tasks = TASKS // 10 if more else TASKS
        rate = ensrun(fitter, tasks, more)
        name = fitter + (", " + more.strip() if more else "")
        figure(f"{name}, tasks per s, 2 workers, tables written", rate,
               target="" if more else ">= 20000")
        figure("beside the numpy loop", rate / numpy_rate)
        figure("beside the R loop", rate / r_rate)
        figure("beside the reference system's 106/s", rate / REFERENCE)


if __name__ == "__main__":
    main()
