#!/usr/bin/env python3
"""Kind command: runs of /bin/true per second, each journaled, with a time-out
armed, beside xargs -P2 (and GNU parallel, where it is) in the same run."""

import shutil
import statistics
import subprocess
import sys
import time

from common import Scratch, command, figure, run, spread

N = 4000
REPEATS = 5
STUDY = f"""[study]
kind = command
replicates = {N}
[run]
timeout = 60 s
[command]
run = /bin/true
"""


def peer_rate(words):
    numbers = "\n".join(str(i) for i in range(N)) + "\n"
    start = time.perf_counter()
    done = subprocess.run(words, input=numbers, text=True, check=False,
                          stdout=subprocess.DEVNULL)
    if done.returncode != 0:
        sys.exit(f"{' '.join(words)}: exit {done.returncode}")
    return N / (time.perf_counter() - start)


def main():
    peers = {"xargs -P2 -n1": ["xargs", "-P2", "-n1", "/bin/true"]}
    if shutil.which("parallel"):
        peers["parallel -j2"] = ["parallel", "-j2", "/bin/true"]
    ours, theirs = [], {name: [] for name in peers}
    with Scratch() as s:
        study = s.study(STUDY)
        for _ in range(REPEATS):
            wall, _, _ = run(command(study, s.results(), 2))
            ours.append(N / wall)
            for name, words in peers.items():
                theirs[name].append(peer_rate(words))
    figure("ensrun, 2 workers, runs of /bin/true per s",
           statistics.median(ours))
    for name, rates in theirs.items():
        figure(f"{name}, runs of /bin/true per s", statistics.median(rates))
        figure(f"ratio to {name}",
               statistics.median(a / b for a, b in zip(ours, rates)),
               target=">= 1")
    print("  ensrun", spread(ours))


if __name__ == "__main__":
    main()
