#!/usr/bin/env python3
"""Trouble below an MPI job: a slow journal fills nobody's memory, a full disk
is waited for, lost zygotes and workers of any rank are replaced."""
import pathlib
import signal
import time

import mpi
from harness import REQUEUE, check, children, dice, digests, expect_same, ini, \
    kill, main, wait_until

PACKS = ini("work_us = 100\nfields = 2\npayload_bytes = 3000\n"
            "text_bytes = 20\nschema_varies = yes\n",
            "seed = 51\nreplicates = 300\n",
            "commit_every = 10\ncommit_seconds = 0.01\ndisk_wait = 20\n")
LONG = ini("work_us = 3000\nstages = 2\narray_rows = 200000\nfields = 2\n"
           "payload_bytes = 500\n", "seed = 52\n", "commit_seconds = 0.05\n")
FAR = {"ENSRUN_FAR": "1"}


def private_mib(pid):
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(line.split()[1]) for line in text.splitlines()
               if line.startswith(("Private_Clean", "Private_Dirty"))) / 1024


def slow_journal(work):
    """Records come ten times as fast as they can be written."""
    study = work.study(ini("text_bytes = 20000\n", "replicates = 100000\n"))
    job = mpi.start_run(work, study, work.path / "r", ranks=4,
                        env={"ENSRUN_SLOW_JOURNAL": "4000000"})
    wait_until(lambda: len(mpi.workers(job)) == 4, 20, "4 workers")
    ranks = mpi.ranks(job)
    most = {rank: 0.0 for rank in ranks}
    end = time.monotonic() + 6
    while time.monotonic() < end:
        for rank, pid in ranks.items():
            most[rank] = max(most[rank], private_mib(pid))
        time.sleep(0.1)
    print("  most private memory of ranks: "
          + ", ".join(f"{mib:.0f} MiB" for mib in most.values()))
    # 64 MiB for the journal's buffers, 8 frames of each rank, MPI's own
    check(most[0] < 160, f"rank 0 took {most[0]:.0f} MiB")
    check(max(most[r] for r in most if r > 0) < 40, f"a rank took {most}")
    kill(ranks[0], signal.SIGUSR1)
    job.wait(60, expect=REQUEUE)


def full_for_a_while(work):
    """What far workers send waits with the rest until there is room."""
    study = work.study(PACKS)
    work.run(study, work.path / "quiet")
    for number, env in enumerate(({}, FAR)):
        results = work.path / f"r{number}"
        job = mpi.run(work, study, results, ranks=3,
                      env={**env, "ENSRUN_FAULT": "enospc@20000+1"})
        job.expect_no_process(5.0)
        work.verify(results)
        expect_same(results, work.path / "quiet", f"after a full disk, {env}")


def full_for_good(work):
    """Exit 3 with the reason; the resume has the same bytes."""
    study = work.study(PACKS.replace("disk_wait = 20", "disk_wait = 0.2"))
    work.run(study, work.path / "quiet")
    mpi.run(work, study, work.path / "r", ranks=3, expect=3,
            env={**FAR, "ENSRUN_FAULT": "enospc@20000"})
    mpi.run(work, study, work.path / "r", ranks=3, env=FAR)
    work.verify(work.path / "r")
    expect_same(work.path / "r", work.path / "quiet", "after a full disk")


def killed_below(work):
    """Zygotes and workers of every rank: nobody is blamed, the run goes on."""
    study = work.study(LONG)
    work.run(study, work.path / "quiet")
    reference = digests(work.path / "quiet")
    rng = dice(3)
    for number, env in enumerate(({}, FAR)):
        results = work.path / f"r{number}"
        job = mpi.start_run(work, study, results, ranks=3, env=env)
        wait_until(lambda: len(mpi.workers(job)) == 3, 20, "3 workers")
        kills = 0
        for rank in (0, 1, 2, 1):
            time.sleep(rng.uniform(0.02, 0.06))
            below = children(mpi.ranks(job).get(rank, 0))
            victims = [w for z in below for w in children(z)] \
                if kills % 2 else below
            kills += sum(kill(pid) for pid in victims)
        job.wait(60, expect=0)
        job.expect_no_process(5.0)
        check(kills >= 3, f"only {kills} kills")
        work.verify(results)
        expect_same(results, reference, f"after {kills} kills, {env}")


main(slow_journal, full_for_a_while, full_for_good, killed_below)
