#!/usr/bin/env python3
"""Rank 0's load at many ranks: what its work costs, measured; a simulation
with these costs, beside real runs; where it saturates, and what a relay on
each node would give.

    load.py [costs] [check] [table]    default: all three

Measured: MPI by wire.c under mpirun, and the rest by rank0.c: the real
coordinator with its journal, the ranks played in the same process. Its CPU
time is fitted by

    turns (a + b ranks) + full turns c + messages m + frames f + records r

A turn is one of its loop, woken by a timer; a full one took 64 messages and
goes on at once. b: what is looked at for every rank. A message is received,
answered and its answer sent; it has a frame of every range that the rank's
workers have ended since the last one. CPU time, and a clock that stands still
while rank 0 waits for a core: a busy machine does little harm.

The simulation serves messages one after another, as transport/mpi.c does,
with the tick's back-off, credits, two ranges in flight below 50 ms, and the
sizes of dispatch/ranges.c. Needs openmpi-bin, libopenmpi-dev, cmake."""

import collections
import heapq
import json
import math
import os
import random
import statistics
import subprocess
import sys
import time

from common import ENSRUN, Scratch, figure, run, synthetic
from mpi import ENV, MPIRUN, command, ranks_below

BUILD = os.path.dirname(ENSRUN)
RANK0 = os.path.join(BUILD, "bench_rank0")
WIRE = os.path.join(BUILD, "bench_wire")
JITTER = 0.1
LATENCY = 5e-6     # of a message, one way: LATENCY_NS of rank0.c
TURN = 64          # messages
TICK = 20e-6, 2e-3  # shortest and longest
RANGE_S, RANGE_TASKS, PREFETCH_S = 0.010, 256, 0.050


def values(text):
    return {k: float(v) for k, v in
            (word.split("=") for word in text.split() if "=" in word)}


# -- costs --------------------------------------------------------------------

def wire(ranks):
    """ns of CPU: a message received, sent, looked for in vain."""
    _, _, out = run([*MPIRUN, "-n", str(ranks), WIRE], ENV)
    return values(out)


def serve(s, mpi, ranks, workers, task_s, tasks):
    study = s.study(synthetic(tasks, {"sleep_us": task_s * 1e6},
                              "table_rows = 1"))
    _, _, out = run([RANK0, ENSRUN, study, s.results(), str(ranks),
                     str(task_s * 1e6), str(JITTER), str(mpi["recv_ns"]),
                     str(mpi["send_ns"]), str(mpi["none_ns"]), str(tasks),
                     str(workers)])
    return values(out)


# ranks, workers of each, seconds of a task, tasks
FIT = [(16, 1, 1e-3, 80000), (64, 1, 1e-2, 20000), (64, 1, 1e-5, 6000000),
       (256, 1, 1e-2, 80000), (1000, 1, 1e-2, 200000),
       (1000, 1, 1e-3, 1000000), (3000, 1, 3e-2, 150000),
       (10000, 1, 1e-1, 100000), (10000, 1, 1e-2, 400000),
       (157, 64, 1e-2, 400000), (16, 64, 1e-2, 150000)]
TERMS = ("turn", "turn, of each rank", "full turn", "message", "frame",
         "record")


def solve(a, b):
    """Gauss with pivots."""
    n = len(b)
    m = [row[:] + [y] for row, y in zip(a, b)]
    for i in range(n):
        k = max(range(i, n), key=lambda j: abs(m[j][i]))
        m[i], m[k] = m[k], m[i]
        for j in range(n):
            if j != i:
                f = m[j][i] / m[i][i]
                m[j] = [x - f * y for x, y in zip(m[j], m[i])]
    return [m[i][n] / m[i][i] for i in range(n)]


def fit(rows, cpu):
    """Least squares of relative errors, no cost below 0: the best of all
    choices of terms."""
    rows = [[x / c for x in row] for row, c in zip(rows, cpu)]
    n = len(rows[0])
    best = None
    for chosen in range(1, 1 << n):
        used = [i for i in range(n) if chosen >> i & 1]
        a = [[sum(r[i] * r[j] for r in rows) for j in used] for i in used]
        x = solve(a, [sum(r[i] for r in rows) for i in used])
        if min(x) < 0:
            continue
        found = dict(zip(used, x))
        c = [found.get(i, 0.0) for i in range(n)]
        error = sum((sum(y * z for y, z in zip(r, c)) - 1)**2 for r in rows)
        if best is None or error < best[0]:
            best = error, c
    return best[1]


def costs(s):
    mpi = wire(2)
    figure("MPI at rank 0: a message received", mpi["recv_ns"] / 1e3, "us")
    figure("a message sent", mpi["send_ns"] / 1e3, "us")
    figure("looking for one in vain, 2 ranks", mpi["none_ns"] / 1e3, "us")
    figure("the same, 16 ranks of one host", wire(16)["none_ns"] / 1e3, "us")
    rows, cpu = [], []
    print(f"{'measured':<34} {'rank 0':>9} {'wait':>13} {'workers':>9}")
    wire_s = (mpi["recv_ns"] + mpi["send_ns"]) / 1e9
    for ranks, workers, task_s, tasks in FIT:
        v = serve(s, mpi, ranks, workers, task_s, tasks)
        rows.append([v["turns"], (v["turns"] + v["full"]) * ranks, v["full"],
                     v["messages"], v["frames"], v["tasks"]])
        cpu.append(v["cpu_s"] - wire_s * v["messages"])
        line(f"{ranks} ranks x {workers}, {task_s * 1e3:g} ms",
             {**v, "wait_s": v["wait_us"] / 1e6})
    c = fit(rows, cpu)
    c[3] += wire_s
    for name, x in zip(TERMS, c):
        figure(f"rank 0's CPU time for a {name}", x * 1e6, "us")
    error = [sum(x * y for x, y in zip(row, c)) /
             (t + wire_s * row[3]) for row, t in zip(rows, cpu)]
    figure("fitted / measured, worst of "
           f"{len(cpu)} runs", max(error, key=lambda e: abs(math.log(e))))
    return mpi, c


# -- the simulation -----------------------------------------------------------

class Rank:
    """A supervisor and its workers, as rank 0 hears of them."""

    def __init__(self, workers, credits):
        self.credits = credits
        self.ready = []      # (worker, tasks of the range; 0: only ready)
        self.is_out = False
        self.sent = 0.0
        self.free = [None] * workers  # when the worker has no task any more


class Simulation:
    """All times in seconds. hop: of a relay, besides LATENCY."""

    def __init__(self, cost, ranks, workers, task_s, tasks, hop=0.0, seed=1):
        self.turn_s, self.turn_rank_s, self.full_s, self.message_s, \
            self.frame_s, self.record_s = cost
        self.n, self.workers, self.task_s = ranks, workers, task_s
        self.left = self.tasks = tasks
        self.delay = LATENCY + hop
        self.random = random.Random(seed)
        credits = max(1, min(8, 512 // ranks))
        self.rank = [Rank(workers, credits) for _ in range(ranks - 1)]
        self.events = []  # (end at rank 0, rank, worker, tasks, seconds)
        self.out = collections.deque()
        self.busy = self.waited = self.worked = 0.0
        self.done = self.ranges = self.turns = self.messages = 0
        self.marks = []

    def size(self):
        fair = self.left // (4 * self.workers * self.n)
        n = min(RANGE_S / self.task_s, RANGE_TASKS, fair)
        return max(1, int(n))

    def take_until(self, now):
        while self.events and self.events[0][0] <= now:
            at, i, worker, n, s = heapq.heappop(self.events)
            self.worked += s
            r = self.rank[i]
            r.ready.append((worker, n))
            r.sent = max(r.sent, at - self.delay)
            if r.credits > 0 and not r.is_out:
                r.is_out = True
                self.out.append(i)

    def seen(self, sent, at):
        """The supervisor's next look for an order that came at `at`."""
        t, step = sent, TICK[0]
        while t < at:
            if step >= TICK[1]:
                return t + math.ceil((at - t) / step) * step
            t += step
            step = min(2 * step, TICK[1])
        return t

    def give(self, i, worker, n, now):
        r = self.rank[i]
        at = self.seen(r.sent, now + self.delay)
        free = r.free[worker]
        start = at if free is None else max(free, at)
        if free is not None:
            self.waited += start - free
        # n tasks: their sum is as good as normal, and one is uniform
        u = self.random.uniform(-1, 1) if n == 1 else \
            self.random.gauss(0, 1) / math.sqrt(3 * n)
        s = n * self.task_s * (1 + JITTER * u)
        self.ranges += 1
        r.free[worker] = start + s
        heapq.heappush(self.events, (start + s + self.delay, i, worker, n, s))

    def orders(self, worker, n, given):
        """What the worker gets for a range that ended; two at first."""
        size = self.size()
        flight = 2 if size * self.task_s <= PREFETCH_S else 1
        for _ in range(flight if n == 0 else 1):
            if self.left > 0:
                k = min(self.size(), self.left)
                self.left -= k
                given.append((worker, k))

    def turn(self, now):
        """Its end, and whether anything came."""
        given, took, start = [], 0, now
        self.take_until(now)
        while self.out and took < TURN:
            i = self.out.popleft()
            r = self.rank[i]
            r.is_out = False
            r.credits -= 1
            frames, r.ready = r.ready, []
            mine = []
            for worker, n in frames:
                now += self.frame_s + n * self.record_s
                self.done += n
                self.orders(worker, n, mine)
            given.append((i, mine))
            now += self.message_s
            took += 1
            self.take_until(now)
        now += (self.full_s if took == TURN else self.turn_s) + \
            self.turn_rank_s * self.n
        for i, mine in given:
            r = self.rank[i]
            r.credits += 1
            for worker, n in mine:
                self.give(i, worker, n, now)
            if r.ready and not r.is_out:
                r.is_out = True
                self.out.append(i)
        self.busy += now - start
        self.turns += 1
        self.messages += took
        return now, took > 0

    def mark(self, now):
        self.marks.append((now, self.busy, self.waited, self.worked,
                           self.done, self.ranges))

    def run(self):
        """Between a tenth and half of the tasks, as rank0.c."""
        for i, r in enumerate(self.rank):
            r.ready = [(w, 0) for w in range(self.workers)]
            r.is_out = True
            self.out.append(i)
        now, interval = 0.0, TICK[0]
        while len(self.marks) < 2:
            tick = now
            now, came = self.turn(now)
            if len(self.marks) == 0 and self.done >= self.tasks / 10:
                self.mark(now)
            if len(self.marks) == 1 and self.done >= self.tasks / 2:
                self.mark(now)
            interval = TICK[0] if came else min(2 * interval, TICK[1])
            now = max(now, tick + interval)
        a, b = self.marks
        s = b[0] - a[0]
        ranges = b[5] - a[5]
        return {"seconds": s, "utilisation": (b[1] - a[1]) / s,
                "wait_s": (b[2] - a[2]) / max(ranges, 1),
                "efficiency": (b[3] - a[3]) / s / self.workers / (self.n - 1),
                "tasks_per_s": (b[4] - a[4]) / s, "busy_s": b[1] - a[1]}


def simulate(cost, ranks, workers, task_s, tasks, hop=0.0):
    return Simulation(cost, ranks, workers, task_s, tasks, hop).run()


# -- real runs ----------------------------------------------------------------

def rank0_cpu_s(job):
    """CPU time of rank 0's process so far; None when it is not there."""
    for pid in ranks_below(job.pid):
        try:
            with open(f"/proc/{pid}/environ", "rb") as f:
                if b"\0OMPI_COMM_WORLD_RANK=0\0" not in f.read():
                    continue
            with open(f"/proc/{pid}/schedstat", encoding="ascii") as f:
                return int(f.read().split()[0]) / 1e9
        except OSError:
            continue
    return None


def real(s, ranks, task_s, tasks):
    """Seconds of the run and CPU seconds of rank 0's thread."""
    study = s.study(synthetic(tasks, {"sleep_us": task_s * 1e6},
                              "table_rows = 1"))
    with subprocess.Popen(command(study, s.results(), ranks),
                          env={**os.environ, **ENV}, text=True,
                          stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL) as job:
        cpu = 0.0
        while job.poll() is None:
            cpu = rank0_cpu_s(job) or cpu
            time.sleep(0.005)
        return json.loads(job.stdout.read())["seconds"], cpu


def check(s, mpi, cost):
    """Simulated beside the played ranks, and beside mpirun."""
    print("simulated / measured, ranks played: rank 0's CPU time, tasks/s")
    for ranks, workers, task_s, tasks in (
            (32, 1, 1e-2, 8000), (128, 1, 1e-3, 200000),
            (500, 1, 1e-2, 60000), (2000, 1, 5e-2, 80000),
            (5000, 1, 1e-1, 60000), (64, 64, 1e-2, 200000)):
        got = serve(s, mpi, ranks, workers, task_s, tasks)
        want = simulate(cost, ranks, workers, task_s, tasks)
        print(f"{ranks:>6} x {workers:<2} {task_s * 1e3:>6g} ms "
              f"{want['busy_s'] / got['cpu_s']:>8.2f} "
              f"{want['tasks_per_s'] / got['tasks_per_s']:>8.2f}   "
              f"(waited for a core: {100 * got['queued']:.0f} %)",
              flush=True)
    print("simulated / measured, mpirun: seconds, rank 0's CPU time")
    for ranks in (2, 4, 8, 16):
        task_s, short, long = 1e-2, 50 * ranks, 350 * ranks
        pairs = []
        for _ in range(3):
            a, a_cpu = real(s, ranks, task_s, short)
            b, b_cpu = real(s, ranks, task_s, long)
            pairs.append((b - a, b_cpu - a_cpu))
        got_s, got_cpu = map(statistics.median, zip(*pairs))
        # its own worker takes one task in `ranks`
        want = simulate(cost, ranks, 1, task_s, (long - short))
        scale = (long - short) * (ranks - 1) / ranks / (0.4 * (long - short))
        print(f"{ranks:>6}      {task_s * 1e3:>6g} ms "
              f"{want['seconds'] * scale / got_s:>8.2f} "
              f"{want['busy_s'] * scale / got_cpu:>8.2f}   "
              f"({got_cpu / got_s * 100:.1f} % of a core)", flush=True)


# -- what the model says -------------------------------------------------------

def line(name, v):
    print(f"{name:<34} {100 * v['utilisation']:>7.1f} % "
          f"{v['wait_s'] * 1e6:>10.0f} us {100 * v['efficiency']:>7.1f} % "
          f"{v['tasks_per_s']:>10.0f}/s", flush=True)


def tasks_for(workers, task_s):
    """Some ranges of each worker."""
    n = min(max(1, int(RANGE_S / task_s)), RANGE_TASKS)
    return int(workers * n * (50 if workers <= 1000 else 16))


def table(cost):
    print(f"{'simulated':<34} {'rank 0':>9} {'wait':>13} {'workers':>9}")
    for ranks in (64, 1000, 10000):
        for task_s in (1e-4, 1e-3, 1e-2, 1e-1, 1.0):
            line(f"{ranks} ranks, {task_s * 1e3:g} ms tasks",
                 simulate(cost, ranks, 1, task_s, tasks_for(ranks, task_s)))
    last = 0
    for ranks in range(1000, 10001, 500):
        v = simulate(cost, ranks, 1, RANGE_S, tasks_for(ranks, RANGE_S))
        if v["efficiency"] < 0.95:
            break
        last = ranks
    figure("ranks that 10 ms ranges keep busy to 95 %", last, "",
           ">= 1000")
    # a relay is to rank 0 what a rank with as many workers is; it polls for
    # orders as a supervisor does: one look more each way
    for workers in (1000, 10000, 20000, 40000):
        line(f"{workers} ranks, relay per 64, 10 ms tasks",
             simulate(cost, workers // 64 + 1, 64, 1e-2,
                      tasks_for(workers, 1e-2), hop=TICK[0] + LATENCY))


def main():
    wanted = sys.argv[1:]
    subprocess.run(["cmake", "--build", BUILD, "--target", "load"],
                   check=True, stdout=subprocess.DEVNULL)
    with Scratch() as s:
        mpi, cost = costs(s)
        if not wanted or "check" in wanted:
            check(s, mpi, cost)
    if not wanted or "table" in wanted:
        table(cost)


if __name__ == "__main__":
    main()
