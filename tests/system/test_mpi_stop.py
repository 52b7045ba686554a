#!/usr/bin/env python3
"""Adaptive replicates under mpirun: the same bytes as with forked workers,
also with ranks that do not see the results folder."""
import time

import mpi
from harness import OK, SOME_FAILED, check, dice, digests, expect_same, \
    kill, main, wait_until
from stops import fates, simulation


def same_bytes(work):
    for name, text, code in (("simulation", simulation(), OK),
                             ("fates", fates(), SOME_FAILED)):
        study = work.study(text, f"{name}.ini")
        work.run(study, work.path / name, workers=2, expect=code)
        mpi.run(work, study, work.path / f"{name}-mpi", ranks=3, expect=code)
        expect_same(work.path / f"{name}-mpi", digests(work.path / name),
                    f"{name}: 3 ranks")
        mpi.run(work, study, work.path / f"{name}-far", ranks=3, expect=code,
                env={"ENSRUN_FAR": "1"})
        expect_same(work.path / f"{name}-far", digests(work.path / name),
                    f"{name}: 3 ranks far away")


def killed(work):
    """kill -9 of any rank, resumed until it is through."""
    study = work.study(fates().replace("sleep_us = 300", "sleep_us = 2000"))
    start = time.monotonic()
    work.run(study, work.path / "one", expect=SOME_FAILED)
    seconds = time.monotonic() - start
    rng = dice(6)
    results = work.path / "r"
    kills = 0
    while kills < 4:
        job = mpi.start_run(work, study, results, ranks=3)
        wait_until(lambda j=job: len(mpi.ranks(j)) == 3 or not j.running, 20,
                   "ranks")
        time.sleep(rng.uniform(0, 0.5 * seconds))
        ranks = mpi.ranks(job)
        if ranks and kill(rng.choice(list(ranks.values()))):
            kills += 1
        code = job.wait()
        job.expect_no_process(10.0)
        if code == SOME_FAILED and (results / "cells.csv").exists():
            break  # it was through before the kill
    mpi.run(work, study, results, ranks=2, expect=SOME_FAILED)
    work.verify(results)
    expect_same(results, work.path / "one", f"after {kills} kills of ranks")
    check(kills > 0, "none was killed")


main(same_bytes, killed)
