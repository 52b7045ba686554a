#!/usr/bin/env python3
"""What running tasks through ensrun costs: wall time against a static split
of the same spins over forked processes, CPU time of coordinator and zygote
against the workers' busy time, and a long task at the head of short ones."""

import os
import re
import statistics
import subprocess

from common import ROOT, Scratch, command, figure, run, spread, synthetic


def build_split(folder):
    exe = os.path.join(folder, "static_split")
    subprocess.run(["cc", "-O2", "-o", exe,
                    os.path.join(ROOT, "benchmarks", "static_split.c")],
                   check=True)
    return exe


def against_split(s, exe):
    n, us = 4000, 1000
    study = s.study(synthetic(n, {"work_us": us}, "table_rows = 1"))
    ratios = []
    for _ in range(11):
        ours, _, _ = run(command(study, s.results(), 2))
        limit, _, _ = run([exe, "2", str(n), str(us)])
        ratios.append(limit / ours)
    figure("static split / ensrun, wall, 1 ms tasks",
           statistics.median(ratios), target=">= 0.97")
    print("  ", spread(ratios))


def supervisor_share(s, us, n, target):
    study = s.study(synthetic(n, {"sleep_us": 0, "work_us": us},
                              "table_rows = 1"))
    shares = []
    for _ in range(3):
        results = s.results()
        _, cpu, _ = run(command(study, results, 2))
        with open(os.path.join(results, "log.txt"), encoding="utf-8") as f:
            log = f.read()
        own = float(re.findall(r"supervisor_cpu_s=([0-9.]+)", log)[-1])
        busy = n * us * 1e-6
        shares.append(own / busy)
        del cpu
    figure(f"CPU of coordinator and zygote / busy time, {us} us tasks",
           100 * statistics.median(shares), "%", target)
    print("  ", spread([100 * x for x in shares]))


def long_head(s):
    text = ("[study]\nkind = synthetic\nseed = 1\n\n"
            "[run]\ntable_rows = 1\n\n"
            "[synthetic long]\nwork_us = 5000000\narray_rows = 1000\n\n"
            "[synthetic short]\nwork_us = 1000\narray_rows = 10000000\n")
    study = s.study(text, "head")
    walls = [run(command(study, s.results(), 2))[0] for _ in range(3)]
    figure("5 s task before 10,000 of 1 ms: wall / optimum (7.5 s)",
           statistics.median(walls) / 7.5, target="<= 1.1")
    print("  ", spread(walls))


def main():
    with Scratch() as s:
        against_split(s, build_split(s.path))
        supervisor_share(s, 1000, 8000, "<= 1 %")
        supervisor_share(s, 100, 80000, "<= 5 %")
        long_head(s)


if __name__ == "__main__":
    main()
