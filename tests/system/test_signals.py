#!/usr/bin/env python3
"""SIGINT, TERM, HUP, USR1: finish what runs, commit, exit 85; resume gives
the same bytes. A second SIGINT kills."""
import os
import signal
import time

from harness import REQUEUE, check, command_of, digests, expect_same, ini, \
    kill, main, marked, wait_until

STUDY = ini("sleep_us = 3000\nstages = 2\narray_rows = 80000\nfields = 2\n",
            "seed = 31\n", "commit_seconds = 0.05\n")
LONG = ini("sleep_us = 20000000\n", "replicates = 4\n", "grace = 60 s\n")


def each_signal(work):
    study = work.study(STUDY)
    work.run(study, work.path / "quiet")
    reference = digests(work.path / "quiet")
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1"):
        results = work.path / name
        run = work.start_run(study, results)
        wait_until(lambda: len(run.workers()) == 2, 10, "two workers")
        time.sleep(0.05)
        os.kill(run.pid, getattr(signal, name))
        run.wait(20, expect=REQUEUE)
        run.expect_no_process(1.0)
        check(str(results) in run.stderr or results.name in run.stderr,
              f"no command to resume in: {run.stderr}")
        check(not (results / "tasks.csv").exists(), "tables were written")
        work.verify(results)
        work.run(study, results)
        expect_same(results, reference, f"after {name}")


def whole_group(work):
    """A Ctrl-C reaches every process of the session: nobody is blamed."""
    study = work.study(STUDY)
    work.run(study, work.path / "quiet")
    results = work.path / "r"
    run = work.start_run(study, results)
    wait_until(lambda: len(run.workers()) == 2, 10, "two workers")
    for pid in [*run.workers(), run.zygote()]:
        os.kill(pid, signal.SIGINT)
        os.kill(pid, signal.SIGTERM)
    os.kill(run.pid, signal.SIGINT)
    run.wait(20, expect=REQUEUE)
    work.run(study, results)
    expect_same(results, digests(work.path / "quiet"), "after Ctrl-C")


PROGRAM = """[study]
kind = command
replicates = 30
[run]
grace = 20 s
[command]
run = /bin/sh -c "trap %s TERM USR1; test {replicate} -lt 20 || test -e RELEASE || sleep 100; echo x={replicate}"
"""


def every_process(work):
    """A batch system's signal reaches programs of tasks as well: those that
    die of it, or end with a status of their own, have not failed."""
    release = work.path / "release"
    for i, (trap, name) in enumerate((("-", "SIGTERM"), ("-", "SIGUSR1"),
                                      ("'exit 7'", "SIGTERM"))):
        text = (PROGRAM % trap).replace("RELEASE", str(release))
        study = work.study(text, f"{i}.ini")
        release.touch()
        work.run(study, work.path / f"quiet{i}")
        release.unlink()
        results = work.path / f"r{i}"
        run = work.start_run(study, results)
        wait_until(lambda: len([p for p in marked(run.mark)
                                if b"sleep" in command_of(p)]) == 2, 20,
                   "two programs that wait")
        for pid in sorted(marked(run.mark)):  # parents first, as Slurm
            kill(pid, getattr(signal, name))
        run.wait(20, expect=REQUEUE)
        run.expect_no_process(1.0)
        check("failed" not in run.stderr + run.stdout,
              f"{name}: {run.stderr}{run.stdout}")
        work.verify(results)
        release.touch()
        work.run(study, results)
        expect_same(results, work.path / f"quiet{i}", f"after {name}")
        release.unlink()


def second_sigint(work):
    study = work.study(LONG)
    run = work.start_run(study, work.path / "r")
    wait_until(lambda: len(run.workers()) == 2, 10, "two workers")
    time.sleep(0.2)
    os.kill(run.pid, signal.SIGINT)
    time.sleep(0.2)
    check(run.running, "the first SIGINT did not wait for running tasks")
    os.kill(run.pid, signal.SIGTERM)  # changes nothing
    time.sleep(0.2)
    check(run.running, "a SIGTERM after SIGINT did not wait")
    os.kill(run.pid, signal.SIGINT)
    run.wait(5, expect=REQUEUE)
    run.expect_no_process(1.0)


def grace_ends(work):
    study = work.study(LONG.replace("60 s", "1 s"))
    run = work.start_run(study, work.path / "r")
    wait_until(lambda: len(run.workers()) == 2, 10, "two workers")
    time.sleep(0.2)
    os.kill(run.pid, signal.SIGTERM)
    run.wait(6, expect=REQUEUE)
    run.expect_no_process(1.0)


main(each_signal, whole_group, every_process, second_sigint, grace_ends)
