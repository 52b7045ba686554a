#!/usr/bin/env python3
"""Under mpirun: a signal that stops lets running tasks finish and ends with
85, a lost rank ends the job, a silent one its own workers; what was committed
is kept, and the resume gives the same bytes."""
import os
import re
import signal
import time
from pathlib import Path

import mpi
from harness import ENVIRONMENT, REQUEUE, check, children, digests, \
    expect_same, ini, kill, main, stat_of, wait_until

STUDY = ini("sleep_us = 10000\nstages = 2\narray_rows = 80000\nfields = 2\n",
            "seed = 31\n", "commit_seconds = 0.05\n")
LONG = ini("sleep_us = 20000000\n", "replicates = 8\n",
           "grace = 60 s\ndead_man = 2 s\nheartbeat = 0.2 s\n")


def started(job, n):
    """rank -> pid once all of n ranks have a worker."""
    wait_until(lambda: len(mpi.workers(job)) == n, 20, f"{n} workers")
    return mpi.ranks(job)


def stopped(work, name, send):
    """send(job, ranks) in the middle; then the rest."""
    study = work.study(STUDY)
    work.run(study, work.path / "quiet")
    reference = digests(work.path / "quiet")
    results = work.path / name
    job = mpi.start_run(work, study, results, ranks=3)
    ranks = started(job, 3)
    time.sleep(0.05)
    send(job, ranks)
    job.wait(30, expect=REQUEUE)
    job.expect_no_process(3.0)
    check("to go on: ensrun" in job.stderr, f"no way on: {job.stderr}")
    check(not (results / "tasks.csv").exists(), "tables were written")
    work.verify(results)
    mpi.run(work, study, results, ranks=2)
    expect_same(results, reference, f"after {name}")


def usr1_to_mpirun(work):
    """mpirun passes it on to every rank; only rank 0 acts."""
    stopped(work, "usr1", lambda job, ranks: os.kill(job.pid, signal.SIGUSR1))


def term_to_every_rank(work):
    """As scancel and srun do."""
    stopped(work, "term", lambda job, ranks: [os.kill(pid, signal.SIGTERM)
                                              for pid in ranks.values()])


def holds_signals(pid):
    """Ignores USR1 or has a handler of it, or has ended: before, the program
    is not there yet, and a signal ends its process as it would end any."""
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return True
    masks = re.findall(r"^Sig(?:Ign|Cgt):\s*([0-9a-f]+)$", text, re.MULTILINE)
    return any(int(m, 16) >> (signal.SIGUSR1 - 1) & 1 for m in masks)


def signals_at_any_moment(work):
    """Also while MPI starts, when nobody could act on one yet."""
    study = work.study(STUDY)
    for i in range(5):
        job = mpi.start_run(work, study, work.path / "r", ranks=2)
        found = wait_until(lambda: mpi.ranks(job), 20, "a rank")
        for pid in found.values():
            wait_until(lambda p=pid: holds_signals(p), 20, "the program")
        time.sleep(0.06 * i)
        for pid in found.values():
            kill(pid, signal.SIGUSR1)
        code = job.wait(60, expect=(0, REQUEUE))
        job.expect_no_process(3.0)
        if code == 0:
            break
    mpi.run(work, study, work.path / "r")
    work.run(study, work.path / "quiet")
    expect_same(work.path / "r", work.path / "quiet", "after signals")


def second_interrupt(work):
    job = mpi.start_run(work, work.study(LONG), work.path / "r", ranks=3)
    ranks = started(job, 3)
    os.kill(ranks[0], signal.SIGINT)
    time.sleep(0.3)
    check(job.running, "the first SIGINT did not wait for running tasks")
    os.kill(ranks[0], signal.SIGINT)
    job.wait(10, expect=REQUEUE)
    job.expect_no_process(3.0)


def silent_coordinator(work):
    """Rank 0 stands still: after dead_man the others end themselves."""
    job = mpi.start_run(work, work.study(LONG), work.path / "r", ranks=3)
    ranks = started(job, 3)
    below = [pid for rank in (1, 2) for zygote in children(ranks[rank])
             for pid in (zygote, *children(zygote))]
    check(len(below) == 4, f"zygotes and workers: {below}")
    os.kill(ranks[0], signal.SIGSTOP)
    wait_until(lambda: not any(stat_of(pid) for pid in below), 20,
               "gone: workers of ranks that hear nothing")
    wait_until(lambda: not any(mpi.ranks(job).get(r) for r in (1, 2)), 20,
               "gone: ranks that hear nothing")


def silent_rank(work):
    """A rank stands still: after dead_man rank 0 ends the job."""
    job = mpi.start_run(work, work.study(LONG), work.path / "r", ranks=3)
    ranks = started(job, 3)
    os.kill(ranks[2], signal.SIGSTOP)
    job.wait(60, expect=ENVIRONMENT)
    check("rank 2 on" in job.stderr and "no word for 2 s" in job.stderr,
          job.stderr)
    job.expect_no_process(3.0)


def busy_coordinator(work):
    """Rank 0 fills an array of the second stage for longer than dead_man:
    that is no silence."""
    study = work.study(ini("stages = 2\narray_rows = 300000\n", "",
                           "dead_man = 2 s\nheartbeat = 0.2 s\n"))
    mpi.run(work, study, work.path / "r", ranks=3,
            env={"ENSRUN_FAULT": "slow@600000"})
    work.run(study, work.path / "quiet")
    expect_same(work.path / "r", work.path / "quiet", "arrays made slowly")


def stopped_coordinator(work):
    """A signal while it does: no task begins, and no array is begun."""
    study = work.study(ini("stages = 2\narray_rows = 500000\ndecide = "
                           "1e9, 2e9, 3e9, 4e9\n", "", ""))
    results = work.path / "r"
    job = mpi.start_run(work, study, results, ranks=2,
                        env={"ENSRUN_FAULT": "slow@2000000"})
    wait_until(lambda: any(results.glob("arrays/*.npy")), 20, "an array")
    os.kill(mpi.ranks(job)[0], signal.SIGTERM)
    job.wait(20, expect=REQUEUE)
    check(len(list(results.glob("arrays/*.npy"))) < 4, "all arrays were made")
    mpi.run(work, study, results, ranks=2)
    work.run(study, work.path / "quiet")
    expect_same(results, work.path / "quiet", "stopped at the arrays")


main(usr1_to_mpirun, term_to_every_rank, signals_at_any_moment,
     second_interrupt, silent_coordinator, silent_rank, busy_coordinator,
     stopped_coordinator)
