#!/usr/bin/env python3
"""One copy of the input: a 4 GiB .npy, every row read by every worker, total
PSS of the job for 1 to 16 workers; start to first task with 8 workers; memory
of the coordinator behind a slow journal.

Needs 4 GiB of disk (BENCH_DIR names the folder) and of memory."""

import os
import statistics
import struct
import subprocess
import time

from common import Scratch, command, figure, run, synthetic

ROWS, COLUMNS = 8_388_608, 64


def make_npy(path, rows, columns):
    header = ("{'descr': '<f8', 'fortran_order': False, 'shape': "
              f"({rows}, {columns}), }}")
    header += " " * (63 - (10 + len(header)) % 64) + "\n"
    block = b"".join(struct.pack("<d", i) for i in range(512)) * 256
    with open(path, "wb") as f:
        f.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header))
                + header.encode())
        left = rows * columns * 8
        while left > 0:
            n = min(left, len(block))
            f.write(block[:n])
            left -= n


def children(pid):
    out = []
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
            kids = [int(x) for x in f.read().split()]
    except OSError:
        return out
    for k in kids:
        out.append(k)
        out.extend(children(k))
    return out


def page_tables(pid):
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as f:
            for line in f:
                if line.startswith("VmPTE:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def keys(pid, *names):
    out = dict.fromkeys(names, 0)
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
            for line in f:
                name = line.split(":")[0]
                if name in out:
                    out[name] = int(line.split()[1]) * 1024
    except OSError:
        pass
    return out


def sample(args, seconds=0.2, env=None):
    """Sums over the process tree, again and again while it runs."""
    process = subprocess.Popen(args, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL,
                               env=dict(os.environ, **(env or {})))
    out = []
    while process.poll() is None:
        pids = [process.pid] + children(process.pid)
        rows = [keys(p, "Rss", "Pss", "Anonymous") for p in pids]
        total = {k: sum(r[k] for r in rows) for k in rows[0]}
        total["pte"] = sum(page_tables(p) for p in pids)
        out.append(total)
        time.sleep(seconds)
    if process.returncode != 0:
        raise SystemExit(f"{args}: exit {process.returncode}")
    return out


def growth(s, path):
    """Every worker reads every row, then sleeps; sampled while all sleep: a
    sum over processes whose maps still grow counts pages twice."""
    inputs = f"[inputs]\nX = {path}\n"
    totals = {}
    for workers in (1, 2, 4, 8, 16):
        study = s.study(synthetic(workers, {"rows": ROWS,
                                            "sleep_us": 3_000_000
                                            + 1_000_000 * workers},
                                  "table_rows = 1", inputs=inputs))
        got = sample(command(study, s.results(), workers))
        full = workers * ROWS * COLUMNS * 8 * 0.999
        still = [x for x in got if x["Rss"] >= full]
        if not still:
            raise SystemExit(f"{workers} workers never held all rows at once")
        totals[workers] = statistics.median(x["Pss"] for x in still)
        figure(f"total PSS, {workers} workers", totals[workers] / 2**20,
               "MiB")
        figure(f"  page tables, {workers} workers",
               max(x["pte"] for x in still) / 2**20, "MiB")
    figure("PSS growth per worker, 1 to 16 workers",
           (totals[16] - totals[1]) / 15 / 2**20, "MiB", "<= 2")


def start(s, path):
    inputs = f"[inputs]\nX = {path}\n"
    study = s.study(synthetic(8, {"rows": 1}, "table_rows = 1",
                              inputs=inputs))
    run(command(study, s.results(), 8))
    walls = []
    for _ in range(5):
        results = s.results()
        run(command(study, results, 8))
        with open(os.path.join(results, "log.txt"), encoding="utf-8") as f:
            for line in f:
                if "event=first_task" in line:
                    walls.append(float(line.split("ms=")[1].split()[0]))
    figure("start to first result, 8 workers, 4 GiB mapped, warm",
           statistics.median(walls), "ms", "<= 50")


def slow_journal(s):
    """1 MB/s, as on a bad network disk: workers wait, memory stays."""
    study = s.study(synthetic(1_500_000, {"work_us": 0}, "table_rows = 1"))
    got = sample(command(study, s.results(), 2), 0.5,
                 {"ENSRUN_SLOW_JOURNAL": "1000000"})
    most = [x["Anonymous"] / 2**20 for x in got]
    figure("private memory of the job, journal at 1 MB/s", max(most), "MiB",
           "flat")
    third = len(most) // 3
    figure("  last third of the run / second third",
           statistics.median(most[-third:])
           / statistics.median(most[third:2 * third]), "", "1")


def main():
    with Scratch() as s:
        slow_journal(s)
        path = os.path.join(s.path, "X.npy")
        make_npy(path, ROWS, COLUMNS)
        start(s, path)
        growth(s, path)


if __name__ == "__main__":
    main()
