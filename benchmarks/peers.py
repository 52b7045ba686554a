#!/usr/bin/env python3
"""No-op and 1 ms tasks beside joblib, mpi4py.futures and Dask, two workers
each, in one run. The peers' clocks start when their pool is up and warm;
ensrun's holds its whole life, from exec to the journaled last result.

Debian: python3-joblib python3-mpi4py python3-distributed openmpi-bin."""

import os
import shutil
import statistics
import subprocess
import sys

from common import ROOT, Scratch, command, figure, run, synthetic

PYTHON = "/usr/bin/python3"  # where Debian's packages are
REPEATS = 3
LOADS = {  # name: work_us, tasks of ensrun
    "noop": (0, 4_000_000),
    "spin1": (1000, 4_000),
}
PEERS = {  # mode: name, no-op tasks (those that batch need many more)
    "joblib": ("joblib, batch_size auto", 200_000),
    "joblib-1": ("joblib, batch_size 1", 10_000),
    "mpi4py": ("mpi4py.futures, chunksize 1", 10_000),
    "mpi4py-64": ("mpi4py.futures, chunksize 64", 200_000),
    "dask": ("Dask", 5_000),
}


def peer_rate(mode, load, n):
    words = [PYTHON, os.path.join(ROOT, "benchmarks", "peer_tasks.py"),
             mode, load, str(n), "2"]
    if mode.startswith("mpi4py"):  # a manager and two workers
        words = ["mpirun", "--allow-run-as-root", "--oversubscribe", "-n", "3",
                 PYTHON, "-m", "mpi4py.futures"] + words[1:]
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.PIPE, check=False, timeout=300,
                          env=dict(os.environ, OMP_NUM_THREADS="1",
                                   OPENBLAS_NUM_THREADS="1"))
    if done.returncode != 0:
        sys.exit(f"{' '.join(words)}: exit {done.returncode}\n{done.stderr}")
    return float(done.stdout.split()[-1])


def main():
    if not shutil.which("mpirun"):
        sys.exit("mpirun is missing (openmpi-bin)")
    with Scratch() as s:
        for load, (us, n) in LOADS.items():
            study = s.study(synthetic(n, {"work_us": us}, "table_rows = 1"))
            ours, theirs = [], {mode: [] for mode in PEERS}
            for _ in range(REPEATS):
                wall, _, _ = run(command(study, s.results(), 2))
                ours.append(n / wall)
                for mode, rates in theirs.items():
                    rates.append(peer_rate(
                        mode, load, n if us else PEERS[mode][1]))
            figure(f"{load}: ensrun, tasks/s", statistics.median(ours))
            for mode, rates in theirs.items():
                figure(f"{load}: {PEERS[mode][0]}, tasks/s",
                       statistics.median(rates))
                figure(f"{load}: ratio to {PEERS[mode][0]}",
                       statistics.median(a / b for a, b in zip(ours, rates)),
                       target=">= 1")


if __name__ == "__main__":
    main()
