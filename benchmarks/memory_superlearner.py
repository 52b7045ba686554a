#!/usr/bin/env python3
"""Memory of the linear learners of kind superlearner (ols, ridge, lasso,
elastic net) on 1,000,000 x 50 (400 MB), for 2, 5 and 10 folds and 1 to 16
workers: the most private memory of a worker (by the run's report), and the
peak PSS of all processes (by `ensrun monitor`, median of three runs: it is
read process by process, so pages of those that exit meanwhile may count more
than once) beside inputs, the arrays that `ensrun plan` tells, and 64 MB.

    memory_superlearner.py [ROWS]   a minute, 0.5 GB of disk
"""

import json
import os
import re
import sys

from common import ENSRUN, Scratch, command, figure, run
from superlearner import monitored

COLUMNS = 50
WORKERS = (1, 2, 4, 8, 16)
UNITS = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}

# Linear in 50 columns; block by block, so that nothing here is large.
MAKE = """import sys, numpy as np
folder, n = sys.argv[1], int(sys.argv[2])
rng = np.random.default_rng(1)
x = np.lib.format.open_memmap(folder + "/X.npy", "w+", "f8", (n, 50))
y = np.lib.format.open_memmap(folder + "/y.npy", "w+", "f8", (n,))
for i in range(0, n, 50000):
    block = rng.standard_normal((min(50000, n - i), 50))
    x[i:i + len(block)] = block
    y[i:i + len(block)] = block.sum(1) + rng.standard_normal(len(block))
"""

STUDY = """[study]
kind = superlearner
[inputs]
X = X.npy
y = y.npy
[learner ols]
[learner ridge]
[learner lasso]
alpha = 0.1
[learner elastic_net]
alpha = 0.1
[meta]
learner = nnls
"""


def declared(study, folds):
    """Bytes of arrays, scratch and kept, by plan."""
    out = run([ENSRUN, "plan", study, "--set", f"superlearner.folds={folds}"])[2]
    number, unit = re.search(r"^  in all +([\d.]+) (\w+)$", out,
                             re.MULTILINE).groups()
    return float(number) * UNITS[unit]


def measure(s, study, folds, workers, limit):
    """Private bytes of the largest worker, PSS."""
    own, pss = 0, []
    for _ in range(3):
        _, peak, out = monitored(s, command(
            study, s.results(), workers, "--json", "--set",
            f"superlearner.folds={folds}"))
        own = max(own, json.loads(out)["worker_private_bytes"])
        pss.append(peak)
    figure(f"{folds} folds, {workers} workers: private, largest worker",
           own / 2**20, "MiB", "<= 16")
    figure("  PSS of all processes", sorted(pss)[1] / 2**20, "MiB",
           f"<= {limit / 2**20:.0f}: inputs, arrays, 64")
    return own


def main():
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with Scratch() as s:
        run(["/usr/bin/python3", "-c", MAKE, s.path, str(rows)])
        study = s.study(STUDY)
        inputs = sum(os.path.getsize(os.path.join(s.path, name))
                     for name in ("X.npy", "y.npy"))
        own = []
        for folds in (2, 5, 10):
            limit = inputs + declared(study, folds) + 64 * 2**20
            own += [measure(s, study, folds, n, limit) for n in WORKERS]
        figure("private, most - least of all of these",
               (max(own) - min(own)) / 2**20, "MiB")


if __name__ == "__main__":
    main()
