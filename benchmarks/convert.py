#!/usr/bin/python3
"""`ensrun convert` beside pandas and numpy, on one core: a CSV of float64 to
.npy beside read_csv + numpy.save (its default reader, which is not exact in the
last digit, and the exact one), a mixed one, packed ones, and .npy to CSV beside
to_csv and savetxt. Times are CPU times without imports; memory is private.

convert.py [ROWS]"""

import os
import statistics
import subprocess
import sys
import threading
import time

import numpy as np
import pandas as pd

from common import ENSRUN, Scratch, figure, spread

ROUNDS = 5

PEER = """
import sys, time
import numpy as np, pandas as pd
source, target = sys.argv[1:3]
start = time.process_time()
{code}
print(time.process_time() - start)
"""

PEERS = {
    "read_csv": "np.save(target, pd.read_csv(source).to_numpy())",
    "read_csv, exact": "np.save(target, pd.read_csv(source, "
                       "float_precision='round_trip').to_numpy())",
    "to_csv": "pd.DataFrame(np.load(source)).to_csv(target, index=False)",
    "savetxt": "np.savetxt(target, np.load(source), delimiter=',', "
               "fmt='%.17g')",
    "csv to csv": "pd.read_csv(source, float_precision='round_trip')"
                  ".to_csv(target, index=False)",
}


def private_of(pid):
    """KiB that belong to the process and to no file."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
            return sum(int(line.split()[1]) for line in f
                       if line.startswith("Anonymous:"))
    except (OSError, ValueError):
        return 0


def timed(args):
    """Output, CPU seconds and largest private memory (MiB) of a process."""
    most = [0]
    done = threading.Event()
    with subprocess.Popen(args, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as process:
        def watch():
            while not done.wait(0.005):
                most[0] = max(most[0], private_of(process.pid))
        thread = threading.Thread(target=watch)
        thread.start()
        out = process.stdout.read()
        err = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        done.set()
        thread.join()
    if process.returncode != 0:
        sys.exit(f"{' '.join(args)}: {err}")
    return out, usage.ru_utime + usage.ru_stime, most[0] / 1024


def beside(title, source, target, peers, target_ratio=None):
    ours, theirs, memory = [], {p: [] for p in peers}, {}
    for _ in range(ROUNDS):  # alternated: what else runs meets both
        _, cpu, memory["ensrun"] = timed([ENSRUN, "convert", source, target,
                                          "--force"])
        ours.append(cpu)
        for peer in peers:
            out, _, memory[peer] = timed(
                ["/usr/bin/python3", "-c", PEER.format(code=PEERS[peer]),
                 source, target + ".peer" + os.path.splitext(target)[1]])
            theirs[peer].append(float(out))
    mb = os.path.getsize(source) / 1e6
    figure(f"{title}, MB/s of input", mb / statistics.median(ours))
    for peer in peers:
        figure(f"{title}: {peer} / ensrun",
               statistics.median(theirs[peer]) / statistics.median(ours),
               target=target_ratio)
        print("  ", peer, spread(theirs[peer]), "ensrun", spread(ours))
    print("   private memory, MiB:",
          ", ".join(f"{k} {v:.0f}" for k, v in memory.items()))


def main():
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 400000
    rng = np.random.default_rng(0)
    with Scratch() as s:
        path = lambda name: os.path.join(s.path, name)
        os.environ["ENSRUN_CACHE"] = path("cache")
        x = rng.normal(size=(n, 8))
        pd.DataFrame(x, columns=list("abcdefgh")).to_csv(path("x.csv"), index=False)
        np.save(path("x.npy"), x)
        pd.DataFrame({"id": np.arange(n), "k": rng.integers(0, 1000, n),
                      "p": np.round(rng.normal(size=n), 3),
                      "g": rng.choice(["alpha", "beta", "gamma"], n)}
                     ).to_csv(path("mixed.csv"), index=False)
        subprocess.run(["gzip", "-k1", path("x.csv")], check=True)
        beside("csv to npy", path("x.csv"), path("o.npy"),
               ["read_csv", "read_csv, exact"], ">= 1")
        beside("csv.gz to npy", path("x.csv.gz"), path("o.npy"),
               ["read_csv", "read_csv, exact"])
        beside("mixed csv to csv", path("mixed.csv"), path("o.csv"),
               ["csv to csv"], ">= 1")
        beside("npy to csv", path("x.npy"), path("o.csv"),
               ["to_csv", "savetxt"], ">= 1")
        start = time.perf_counter()
        timed([ENSRUN, "convert", path("x.npy"), path("o.npz"), "--force"])
        figure("npy to npz, GB/s (synced)",
               x.nbytes / 1e9 / (time.perf_counter() - start))


if __name__ == "__main__":
    main()
