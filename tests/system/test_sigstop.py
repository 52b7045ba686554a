#!/usr/bin/env python3
"""SIGSTOP of the coordinator: no time-outs, no blame, same bytes."""
import os
import signal
import time

from harness import check, count_by, digests, expect_same, ini, main, table, \
    wait_until


def stopped(work):
    study = work.study(ini("sleep_us = 20000\nwork_us = 1000\n",
                           "seed = 3\nreplicates = 150\n",
                           "timeout = 1\nattempts_timeout = 1\n"))
    work.run(study, work.path / "quiet")
    run = work.start_run(study, work.path / "r")
    wait_until(lambda: len(run.workers()) == 2, 10, "two workers")
    time.sleep(0.2)
    seconds = float(os.environ.get("ENSRUN_TEST_STOP_SECONDS", "10"))
    os.kill(run.pid, signal.SIGSTOP)
    time.sleep(seconds)
    os.kill(run.pid, signal.SIGCONT)
    run.wait(expect=0)
    rows = table(work.path / "r")
    check(count_by(rows, "status") == {"ok": 150}, count_by(rows, "status"))
    attempts = {row["attempts"] for row in table(work.path / "r",
                                                 "timings.csv")}
    check(attempts == {"1"}, f"attempts: {attempts}")
    expect_same(work.path / "r", digests(work.path / "quiet"), "after SIGSTOP")


main(stopped)
