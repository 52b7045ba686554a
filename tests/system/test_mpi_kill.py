#!/usr/bin/env python3
"""kill -9 of any rank of an MPI job, a sample: always resumable, same bytes,
nothing acknowledged is lost, no process left. All of it: long_mpi_kill.py."""
import signal

import mpi
from campaign import kill_rank
from harness import check, children, ini, kill, main, marked, wait_until


def sample(work):
    kill_rank(work, 6, 1)


def far(work):
    """Ranks that do not see the results folder."""
    kill_rank(work, 3, 2, far=True)


def all_of_a_host(work):
    """Nobody is left who could remove the folder of a host that does not see
    the results; the next run there does."""
    study = work.study(ini("sleep_us = 100000\n", "replicates = 100\n"))
    scratch = work.path / "scratch"
    scratch.mkdir()

    def left():
        return [p for p in scratch.iterdir() if p.name.startswith("ensrun-")]

    env = {"TMPDIR": str(scratch), "ENSRUN_FAR": "1"}
    job = mpi.start_run(work, study, work.path / "r", ranks=2, env=env)
    wait_until(lambda: len(mpi.workers(job)) == 2 and left(), 30, "workers")
    for pid in mpi.ranks(job)[1], *children(mpi.ranks(job)[1]):
        kill(pid, signal.SIGSTOP)
    for pid in marked(job.mark):
        kill(pid)
    job.wait(30)
    job.expect_no_process(5.0)
    check(len(left()) == 1, f"this test means nothing: {left()}")
    mpi.run(work, study, work.path / "r", ranks=2, env=env)
    check(not left(), f"left: {left()}")


main(sample, far, all_of_a_host)
