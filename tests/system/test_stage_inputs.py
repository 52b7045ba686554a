#!/usr/bin/env python3
"""[run] stage_inputs = node: workers map a copy on storage of their node, one
for all ranks of a host, which has no name left; same bytes."""
import pathlib
import signal

import mpi
from harness import ENVIRONMENT, REQUEUE, check, children, expect_same, ini, \
    kill, main, need_namespaces, wait_until


def prepare(work, run="", sleep=""):
    (work.path / "X.csv").write_text(
        "a,b\n" + "".join(f"{i},{i * 7 % 11}\n" for i in range(5000)))
    (work.path / "Y.csv").write_text("c\n" + "1\n2\n" * 500)
    scratch = work.path / "scratch"
    scratch.mkdir(exist_ok=True)
    study = work.study("[inputs]\nX = X.csv\nY = Y.csv\n" + ini(
        f"rows = 100\nfields = 2\n{sleep}", "seed = 3\nreplicates = 300\n",
        run))
    return study, scratch


def maps_in(pid, folder):
    """(inode, deleted) of files below a folder that a process maps."""
    text = pathlib.Path(f"/proc/{pid}/maps").read_text()
    return {(line.split()[4], line.endswith("(deleted)"))
            for line in text.splitlines() if str(folder) in line}


def staged(work):
    study, scratch = prepare(work)
    work.run(study, work.path / "plain")
    env = {"TMPDIR": str(scratch)}
    more = ("--set", "run.stage_inputs=node")
    work.run(study, work.path / "fork", *more, env=env)
    expect_same(work.path / "fork", work.path / "plain", "staged, local")
    for far in ({}, {"ENSRUN_FAR": "1"}):
        results = work.path / f"mpi{len(far)}"
        job = mpi.run(work, study, results, *more, ranks=3,
                      env={**env, **far})
        job.expect_no_process(5.0)
        expect_same(results, work.path / "plain", f"staged, 3 ranks, {far}")
    left = [p.name for p in scratch.iterdir() if "ensrun" in p.name]
    check(not left, f"left in TMPDIR: {left}")


def one_copy(work):
    """The workers of three ranks map the same two files, without names."""
    study, scratch = prepare(work, "stage_inputs = node\n",
                             "sleep_us = 200000\n")
    job = mpi.start_run(work, study, work.path / "r", ranks=3,
                        env={"TMPDIR": str(scratch)})
    workers = wait_until(
        lambda: len(mpi.workers(job)) == 3 and mpi.workers(job), 20,
        "3 workers")
    maps = [maps_in(pid, scratch) for pid in workers]
    check(all(m == maps[0] for m in maps) and len(maps[0]) == 2,
          f"not two files for all: {maps}")
    check(all(gone for _, gone in maps[0]), f"they have names: {maps[0]}")
    check(not any("ensrun-in" in p.name for p in scratch.iterdir()),
          "a folder is left while the job runs")
    kill(mpi.ranks(job)[0], signal.SIGUSR1)
    job.wait(30, expect=REQUEUE)


def no_room(work):
    """Said with the sizes; nothing runs."""
    study, _ = prepare(work, "stage_inputs = node\n")
    small = work.path / "small"
    small.mkdir()
    run = work.start("--map-root-user", "--mount", "/bin/sh", "-c",
                     f'mount -t tmpfs -o size=16k none "{small}" && '
                     'exec "$0" "$@"', mpi.ENSRUN, "run", study, "--results",
                     work.path / "r", "--progress", "none",
                     program="unshare", env={"TMPDIR": str(small)})
    run.wait(30, expect=ENVIRONMENT)
    check("input X: no room for a copy of" in run.stderr, run.stderr)
    check(not children(run.pid), "something runs")


need_namespaces()
main(staged, one_copy, no_room)
