#!/usr/bin/env python3
"""ML-Ensemble's `hold` demo: an array of 800 MB that four workers just hold
for 3 s. ensrun, which maps it once, beside pickling it into the workers, and
beside joblib's and multiprocessing's ways around that. Memory is that of the
process tree, by `ensrun monitor`.

Needs 6 GB of memory, 1 GB of disk (BENCH_DIR names the folder), numpy and
joblib; the peers take about a minute."""

import json
import os
import statistics
import sys

from common import ENSRUN, Scratch, command, figure, run, synthetic

ROWS, COLUMNS, WORKERS, SECONDS = 100_000, 1_000, 4, 3
BYTES = ROWS * COLUMNS * 8
ARRAY = "X.npy"

# way -> what it does; a peer runs `hold.py WAY FILE` and prints the seconds of
# the call that holds, without loading numpy and the array.
PEERS = {
    "pickle-loky": "joblib, pickled (max_nbytes=None)",
    "pickle-fork": "multiprocessing.Pool, pickled",
    "joblib": "joblib as it comes (dumps, then maps)",
    "mapped-loky": "joblib, numpy's own map of the file",
    "mapped-fork": "multiprocessing.Pool, forked, map inherited",
}


def hold(array, seconds=SECONDS):
    import time
    time.sleep(seconds)
    return array.shape[0]


def hold_inherited(_):
    return hold(hold.array)


def peer(way, path):
    """In a process of its own."""
    import multiprocessing
    import time

    import numpy
    from joblib import Parallel, delayed
    array = numpy.load(path, mmap_mode="r" if way.startswith("mapped")
                       else None)
    hold.array = array
    start = time.perf_counter()
    if way.endswith("fork"):
        context = multiprocessing.get_context("fork")
        with context.Pool(WORKERS) as pool:
            got = (pool.map(hold, [array] * WORKERS, chunksize=1)
                   if way == "pickle-fork"
                   else pool.map(hold_inherited, range(WORKERS), chunksize=1))
    else:
        more = {"max_nbytes": None} if way == "pickle-loky" else {}
        got = Parallel(n_jobs=WORKERS, batch_size=1, **more)(
            delayed(hold)(array) for _ in range(WORKERS))
    print(json.dumps({"seconds": time.perf_counter() - start}))
    if got != [ROWS] * WORKERS:
        sys.exit(f"{way}: {got}")


def make(path):
    import numpy
    array = numpy.lib.format.open_memmap(path, "w+", "<f8", (ROWS, COLUMNS))
    for i in range(0, ROWS, 1000):
        array[i:i + 1000] = numpy.arange(COLUMNS) + i


def monitored(s, words):
    """Wall seconds, peak PSS in bytes, what it printed."""
    path = os.path.join(s.path, "mem.csv")
    wall, _, out = run([ENSRUN, "monitor", "-o", path, "--", *words])
    with open(path, encoding="ascii") as f:
        names = f.readline().strip().split(",")
        rows = [dict(zip(names, map(float, line.split(",")))) for line in f]
    return wall, max(r["pss_bytes"] for r in rows), out


def ours(s, path):
    """Each worker looks at rows of the array before it holds: it has it."""
    study = s.study(synthetic(WORKERS, {"rows": 1000,
                                        "sleep_us": SECONDS * 1_000_000},
                              inputs=f"[inputs]\nX = {path}\n"))
    wall = statistics.median(run(command(study, s.results(), WORKERS))[0]
                             for _ in range(3))
    _, pss, _ = monitored(s, command(study, s.results(), WORKERS))
    figure("ensrun: wall, start and end of the program included", wall, "s",
           "<= 3.1")
    figure("ensrun: peak PSS", pss / 2**20, "MiB")
    figure("ensrun: peak PSS / the array", pss / BYTES, "", "1")
    return wall, pss


def main():
    with Scratch() as s:
        path = os.path.join(s.path, ARRAY)
        make(path)
        wall, pss = ours(s, path)
        for way, text in PEERS.items():
            _, theirs, out = monitored(s, [sys.executable, __file__, way,
                                           path])
            seconds = json.loads(out)["seconds"]
            print(text)
            figure("  wall of the call, ratio to ensrun", seconds, "s")
            figure("", seconds / wall, "x")
            figure("  peak PSS, ratio to ensrun", theirs / 2**20, "MiB")
            figure("", theirs / pss, "x")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        peer(*sys.argv[1:])
    else:
        main()
