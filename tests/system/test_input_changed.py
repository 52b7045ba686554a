#!/usr/bin/env python3
"""An input that changes under a results folder: a file that was only touched
is taken, other content is refused, before a task runs and after the last."""
import os
import signal
import struct

from harness import BAD, OK, REQUEUE, check, digests, expect_same, ini, main, \
    table, wait_until

ROWS = 1000
INPUT = "[inputs]\nX = X.npy"


def head(rows):
    text = ("{'descr': '<f8', 'fortran_order': False, "
            f"'shape': ({rows}, 2), }}")
    text += " " * ((64 - (10 + len(text) + 1) % 64) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()


def write_input(work, first):
    values = [float(first)] + [0.5 * i for i in range(2 * ROWS - 1)]
    (work.path / "X.npy").write_bytes(
        head(ROWS) + struct.pack(f"<{2 * ROWS}d", *values))


def study(work, replicates, synthetic="rows = 10\nfields = 1"):
    return work.study(ini(synthetic, f"replicates = {replicates}",
                          more=INPUT))


def resumed(work):
    results = work.path / "r"
    write_input(work, 1)
    work.run(study(work, 20), results, expect=OK)
    write_input(work, 1)  # another time stamp
    work.run(study(work, 40), results, expect=OK)
    check(len(table(results)) == 40, "touched: not all tasks are there")
    before = digests(results)
    write_input(work, 2)
    run = work.run(study(work, 60), results, expect=BAD)
    check("input X" in run.stderr and "other content" in run.stderr
          and "--restart" in run.stderr, run.stderr)
    expect_same(results, before, "a refused run")
    work.run(study(work, 60), results, "--restart", expect=OK)
    check(len(table(results)) == 60, "--restart: not all tasks are there")


def stopped(work):
    """What a stopped run knows of its input does for the next one."""
    results = work.path / "r"
    slow = "rows = 10\nsleep_us = 5000"
    write_input(work, 1)
    run = work.start_run(study(work, 400, slow), results)
    wait_until(run.workers, 20, "workers at work")
    os.kill(run.pid, signal.SIGTERM)
    run.wait(30, (OK, REQUEUE))
    work.run(study(work, 400, slow), results, expect=OK)
    check(len(table(results)) == 400, "not all tasks are there")


def during(work, change, expect):
    """Run, change the input meanwhile; the study and what came of it."""
    results = work.path / "r"
    write_input(work, 1)
    text = study(work, 400, "rows = 10\nsleep_us = 5000")
    run = work.start_run(text, results)
    wait_until(run.workers, 20, "workers at work")
    change()
    run.wait(30, expect)
    return text, results, run


def touched(work):
    during(work, lambda: os.utime(work.path / "X.npy"), OK)


def overwritten(work):
    """Changed in place: tasks may have read either, so putting the file back
    does not help."""
    text, results, run = during(work, lambda: write_input(work, 2), BAD)
    check("input X" in run.stderr and "was changed while" in run.stderr,
          run.stderr)
    check(not (results / "tasks.csv").exists(), "tables were written")
    write_input(work, 1)
    again = work.run(text, results, expect=BAD)
    check("while tasks read it" in again.stderr, again.stderr)
    work.run(text, results, "--restart", expect=OK)


def write_hole(work, n_bytes):
    rows = n_bytes // 16
    with open(work.path / "X.npy", "wb") as f:
        f.write(head(rows))
        f.truncate(f.tell() + n_bytes)


def outlasts_tasks(work):
    """All tasks have ended, the workers are gone, and the digest is not done:
    time-outs look at nobody any more."""
    write_hole(work, 1 << 30)  # 0.3 s at least
    text = work.study(ini("fields = 1", "replicates = 20", "timeout = 20 s",
                          more=INPUT))
    work.run(text, work.path / "r", expect=OK)
    check(len(table(work.path / "r")) == 20, "not all tasks are there")


def interrupted_digest(work):
    """All tasks have ended, and a signal ends the reading of the input: what
    is left is for the next run."""
    results = work.path / "r"
    write_hole(work, 4 << 30)
    text = work.study(ini("fields = 1", "replicates = 20", more=INPUT))
    run = work.start_run(text, results)
    log = results / "log.txt"
    wait_until(lambda: log.exists() and "event=stop" in log.read_text(), 20,
               "the end of the last task")
    os.kill(run.pid, signal.SIGTERM)
    if run.wait(30, (OK, REQUEUE)) == REQUEUE:
        check("stopped by a signal" in run.stderr, run.stderr)
        check(not (results / "tasks.csv").exists(), "tables were written")
        check("closed=" in (results / "epochs/000001").read_text(), "not closed")
        run = work.run(text, results, expect=OK)
        check("0 now" in run.stderr, run.stderr)
    check(len(table(results)) == 20, "not all tasks are there")


main(resumed, stopped, touched, overwritten, outlasts_tasks,
     interrupted_digest)
