#!/usr/bin/env python3
"""Memory of the big study of launch/examples/priors.ini (50 data cells x 5
fits, 4,000 draws of 50 parameters): the largest private memory of the
coordinator and of any of its processes under each profile of `retain`; and the
growth of the coordinator from 1,000 to 100,000 tasks of the same grid, fitted
by normal_inverse_gamma in place of nuts. Private is anonymous memory.

    retain.py [REPLICATES]    of each profile; 1: 250 tasks, 0.5 GB of disk
                              under debug, a minute in all
"""

import os
import re
import shutil
import subprocess
import sys
import time

from common import ROOT, Scratch, command, figure
from memory import children, keys

PRIORS = os.path.join(ROOT, "launch", "examples", "priors.ini")
CHEAP = """[fit]
fitter = normal_inverse_gamma
formula = y ~ .
[fit flat]
[fit wide]
prior_precision = 0.01
[fit weak]
prior_precision = 0.16
[fit narrow]
prior_precision = 4
[fit heavy]
prior_precision = 1
"""
CELLS = 250


def peaks(args):
    """Largest private bytes of the coordinator, of any of its processes."""
    p = subprocess.Popen(args, stdout=subprocess.DEVNULL,
                         stderr=subprocess.PIPE)
    own = workers = 0
    while p.poll() is None:
        own = max(own, keys(p.pid, "Anonymous")["Anonymous"])
        workers = max([workers] + [keys(k, "Anonymous")["Anonymous"]
                                   for k in children(p.pid)])
        time.sleep(0.02)
    if p.returncode != 0:
        sys.exit(p.stderr.read().decode())
    return own, workers


def disk(folder):
    return sum(os.path.getsize(os.path.join(path, name))
               for path, _, names in os.walk(folder) for name in names)


def profiles(s, replicates):
    for profile in ("minimal", "standard", "debug"):
        results = s.results(profile)
        own, workers = peaks(command(
            PRIORS, results, 2, "--set", f"study.replicates={replicates}",
            "--set", f"run.retain={profile}"))
        tasks = CELLS * replicates
        figure(f"{profile}, {tasks} tasks, coordinator", own / 2**20, "MiB")
        figure("  largest worker", workers / 2**20, "MiB")
        figure("  disk per task", disk(results) / tasks / 2**10, "KiB")
        shutil.rmtree(results)


def growth(s):
    with open(PRIORS, encoding="utf-8") as f:
        text = f.read()
    text, found = re.subn(r"^\[fit\].*(?=^\[metrics\])", CHEAP, text,
                          flags=re.MULTILINE | re.DOTALL)
    if found != 1:
        sys.exit(f"{PRIORS}: no sections [fit] before [metrics]")
    study = s.study(text, "cheap")
    most = {}
    for n in (1_000, 100_000):
        results = s.results("cheap")
        start = time.perf_counter()
        most[n], _ = peaks(command(study, results, 2, "--set",
                                   f"study.replicates={n // CELLS}"))
        seconds = time.perf_counter() - start
        figure(f"{n} tasks of normal_inverse_gamma, coordinator",
               most[n] / 2**20, "MiB")
        figure("  wall", seconds, "s")
        shutil.rmtree(results)
    figure("growth of the coordinator, 1,000 to 100,000 tasks",
           (most[100_000] - most[1_000]) / 2**20, "MiB", "<= 64")


def main():
    replicates = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    with Scratch() as s:
        growth(s)
        profiles(s, replicates)


if __name__ == "__main__":
    main()
