#!/usr/bin/env python3
"""Many tasks: private memory of the coordinator, resume, export. Private is
anonymous memory; the place index that tables are written through is an
unlinked file of 8 bytes per task, whose pages the kernel can take back.

    scale.py [N]    N = 10,000,000 tasks; 100000000 for the figure in README
"""

import os
import statistics
import subprocess
import sys
import time

from common import ENSRUN, Scratch, command, figure, run, synthetic
from memory import keys


def coordinator_peak(args):
    p = subprocess.Popen(args, stdout=subprocess.DEVNULL,
                         stderr=subprocess.PIPE)
    most = 0
    while p.poll() is None:
        most = max(most, keys(p.pid, "Anonymous")["Anonymous"])
        time.sleep(0.05)
    if p.returncode != 0:
        sys.exit(p.stderr.read().decode())
    return most


def study_of(s, n, cells):
    axis = f"0:{cells - 1}" if cells > 1 else "0"
    return s.study(synthetic(n // cells, {"work_us": 0, "leak_mb": 0,
                                          "sleep_us": 0, "text_bytes": 0,
                                          "fail_rate": 0,
                                          "decide": axis},
                             "table_rows = 1"), f"n{n}")


def main():
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    with Scratch() as s:
        small = coordinator_peak(command(study_of(s, 1_000_000, 10_000),
                                         s.results(), 2))
        study = study_of(s, n, 10_000)
        results = s.results()
        start = time.perf_counter()
        big = coordinator_peak(command(study, results, 2))
        wall = time.perf_counter() - start
        figure(f"{n} no-op tasks, 10^4 cells", n / wall, "tasks/s")
        figure("coordinator's private memory, 10^6 tasks", small / 2**20,
               "MiB")
        figure(f"coordinator's private memory, {n} tasks", big / 2**20, "MiB",
               "+ 64 MiB at 10^8")
        figure("files in the results folder",
               sum(len(f) for _, _, f in os.walk(results)))
        for c in os.listdir(os.path.join(results, "checkpoints")):
            os.remove(os.path.join(results, "checkpoints", c))
        walls = [run(command(study, results, 2))[0] for _ in range(3)]
        figure(f"resume of {n} records, no checkpoint",
               statistics.median(walls), "s", "<= 3 at 10^7")
        out = os.path.join(s.path, "tasks.csv")
        wall, _, _ = run([ENSRUN, "export", results, "--table", "tasks",
                          "--to", "csv", "-o", out])
        figure(f"export of {n} rows to csv", wall, "s")


if __name__ == "__main__":
    main()
