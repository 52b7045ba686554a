#!/usr/bin/env python3
"""No-op tasks per second, every result journaled, beside
multiprocessing.Pool.imap_unordered(chunksize=1) in the same run."""

import multiprocessing
import statistics
import time

from common import Scratch, command, figure, run, spread, synthetic

N = 4_000_000
N_POOL = 100_000


def noop(i):
    return i, 0.0


def pool_rate():
    with multiprocessing.Pool(2) as pool:
        start = time.perf_counter()
        n = sum(1 for _ in pool.imap_unordered(noop, range(N_POOL),
                                               chunksize=1))
        return n / (time.perf_counter() - start)


def main():
    ours, theirs = [], []
    with Scratch() as s:
        # no tasks.csv, whose writing export.py times
        study = s.study(synthetic(N, {"work_us": 0}, "table_rows = 1"))
        for _ in range(3):
            wall, _, _ = run(command(study, s.results(), 2))
            ours.append(N / wall)
            theirs.append(pool_rate())
    figure("ensrun, 2 workers, no-op tasks/s", statistics.median(ours))
    figure("multiprocessing.Pool, 2 workers, no-op tasks/s",
           statistics.median(theirs))
    figure("ratio", statistics.median(a / b for a, b in zip(ours, theirs)),
           target=">= 20")
    print("  ensrun", spread(ours))
    print("  Pool  ", spread(theirs))


if __name__ == "__main__":
    main()
