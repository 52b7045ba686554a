#!/usr/bin/env python3
"""ensrun under mpirun: no-op tasks per second beside mpi4py.futures and a
plain C manager with its workers (mpi_farm.c) on as many ranks, what the
supervisors cost, wall time against a static split, memory and start-up for 1
to 64 ranks. Needs openmpi-bin, libopenmpi-dev, python3-mpi4py.

A rank of ensrun has one worker, rank 0 too; a manager of the peers has none,
so they have a worker less than ranks."""

import json
import os
import re
import statistics
import subprocess
import sys
import time

from common import ENSRUN, ROOT, Scratch, figure, run, spread, synthetic

MPIRUN = ["mpirun", "--oversubscribe"]
ENV = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}


def command(study, results, ranks, *more):
    return [*MPIRUN, "-n", str(ranks), ENSRUN, "run", study, "--results",
            results, "--workers", "1", "--transport", "mpi", "--progress",
            "none", "--json", *more]


def ours(s, study, ranks, *more):
    """(report, supervisors' CPU seconds, busy seconds, ms to first task)"""
    results = s.results()
    _, _, out = run(command(study, results, ranks, *more), ENV)
    with open(os.path.join(results, "log.txt"), encoding="utf-8") as f:
        log = f.read()

    def last(name):
        return float(re.findall(name + r"=([0-9.]+)", log)[-1])

    return (json.loads(out), last("supervisor_cpu_s"), last("busy_s"),
            last("event=first_task ms"))


def built(s, name, compiler):
    exe = os.path.join(s.path, name)
    subprocess.run([compiler, "-O2", "-o", exe,
                    os.path.join(ROOT, "benchmarks", name + ".c")],
                   check=True)
    return exe


def noop_rates(s, ranks):
    n = 2_000_000
    study = s.study(synthetic(n, {"work_us": 0}, "table_rows = 1"))
    farm = built(s, "mpi_farm", "mpicc")
    futures = [sys.executable, "-m", "mpi4py.futures",
               os.path.join(ROOT, "benchmarks", "peer_tasks.py"),
               "mpi4py", "noop", "10000", str(ranks - 1)]
    rates = {"ensrun": [], "C farm": [], "mpi4py.futures": []}
    for _ in range(3):
        report, _, _, _ = ours(s, study, ranks)
        rates["ensrun"].append(n / report["seconds"])
        _, _, out = run([*MPIRUN, "-n", str(ranks), farm, "100000", "0"], ENV)
        rates["C farm"].append(float(out))
        _, _, out = run([*MPIRUN, "-n", str(ranks), *futures], ENV)
        rates["mpi4py.futures"].append(float(out.split()[-1]))
    for name, values in rates.items():
        figure(f"{name}, {ranks} ranks, no-op tasks/s",
               statistics.median(values),
               target=">= 500000" if name == "ensrun" else "")
        print("  ", spread(values))


def supervisors(s, us, short, long, target=""):
    """Share of the busy time, from the difference of two runs: MPI's own
    start-up is no part of it."""
    study = s.study(synthetic(1, {"work_us": us}, "table_rows = 1"))
    shares = []
    for _ in range(3):
        _, a_cpu, a_busy, _ = ours(s, study, 2, "--set",
                                   f"study.replicates={short}")
        _, b_cpu, b_busy, _ = ours(s, study, 2, "--set",
                                   f"study.replicates={long}")
        shares.append((b_cpu - a_cpu) / (b_busy - a_busy))
    figure(f"CPU of 2 supervisors / busy time, {us / 1000:g} ms tasks",
           100 * statistics.median(shares), "%", target)
    print("  ", spread([100 * x for x in shares]))


def idle(s):
    study = s.study(synthetic(1, {"sleep_us": 1e6}, "table_rows = 1"))
    _, short, _, _ = ours(s, study, 4, "--set", "study.replicates=4")
    report, cpu, _, _ = ours(s, study, 4, "--set", "study.replicates=36")
    figure("CPU of 4 supervisors, 1 s tasks, of a core",
           100 * (cpu - short) / (report["seconds"] - 1), "%", "< 5 %")


def against_split(s):
    exe = built(s, "static_split", "cc")
    for us, n in ((1000, 4000), (100000, 40)):
        study = s.study(synthetic(n, {"work_us": us}, "table_rows = 1"))
        ratios = []
        for _ in range(5):
            report, _, _, _ = ours(s, study, 2)
            limit, _, _ = run([exe, "2", str(n), str(us)])
            ratios.append(limit / report["seconds"])
        figure(f"static split / ensrun, wall, {us / 1000:g} ms tasks, 2 ranks",
               statistics.median(ratios), target=">= 0.95")
        print("  ", spread(ratios))


def private_kib(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="utf-8") as f:
        return sum(int(line.split()[1]) for line in f
                   if line.startswith(("Private_Clean", "Private_Dirty")))


def ranks_below(parent):
    found = []
    for name in os.listdir("/proc"):
        try:
            with open(f"/proc/{name}/stat", encoding="utf-8") as f:
                words = f.read().rsplit(")", 1)[1].split()
        except (OSError, IndexError):
            continue
        if int(words[1]) == parent:
            found.append(int(name))
    return found


def by_ranks(s):
    """Rate of no-op tasks, private memory of a rank above 0, start-up."""
    n = 1_000_000
    noop = s.study(synthetic(n, {"work_us": 0}, "table_rows = 1"), "noop")
    wait = s.study(synthetic(1, {"sleep_us": 3e6}, "table_rows = 1"), "wait")
    print(f"{'ranks':>6} {'no-op/s':>10} {'MiB/rank':>9} "
          f"{'first task ms':>14} {'job s':>6}")
    for ranks in (1, 2, 4, 16, 64):
        report, _, _, _ = ours(s, noop, ranks)
        results = s.results()
        start = time.perf_counter()
        job = subprocess.Popen(
            command(wait, results, ranks, "--set",
                    f"study.replicates={ranks}"),
            env={**os.environ, **ENV}, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        log = os.path.join(results, "log.txt")
        while job.poll() is None and not os.path.exists(log):
            time.sleep(0.05)
        time.sleep(1)
        kib = [private_kib(pid) for pid in ranks_below(job.pid)]
        job.wait()
        wall = time.perf_counter() - start - 3
        with open(log, encoding="utf-8") as f:
            first = float(re.findall(r"first_task ms=([0-9.]+)", f.read())[0])
        print(f"{ranks:>6} {n / report['seconds']:>10.0f} "
              f"{statistics.median(kib) / 1024:>9.1f} {first - 3000:>14.0f} "
              f"{wall:>6.1f}", flush=True)


def main():
    wanted = sys.argv[1:]
    with Scratch() as s:
        for name, part in (
                ("rates", lambda: noop_rates(s, 2)),
                ("supervisors", lambda: (
                    supervisors(s, 1000, 500, 6500, "<= 2 %"),
                    supervisors(s, 10000, 50, 650))),
                ("idle", lambda: idle(s)),
                ("split", lambda: against_split(s)),
                ("ranks", lambda: by_ranks(s))):
            if not wanted or name in wanted:
                part()


if __name__ == "__main__":
    main()
