#!/usr/bin/env python3
"""--retry-failed: what ended badly runs again, in every stage, and later
stages follow; interrupted and repeated; what counts is what the study names."""
import signal

from harness import OK, REQUEUE, SOME_FAILED, check, digests, expect_same, \
    ini, kill, main, table, wait_until

FATES = ini("sleep_us = 2000\nstages = 3\nfail_rate = 0.1\n"
            "crash_rate = 0.03\n", "seed = 81\nreplicates = 40\n",
            "attempts = 2\ncommit_seconds = 0.02\n")
SLOW = ini("sleep_us = 150000\njitter = 0.9\nstages = 3\n",
           "seed = 82\nreplicates = 20\n", "timeout = {}\nattempts = 2\n")


def same_fate(work):
    """Fails again: the same bytes, however often and where it was stopped."""
    study, results = work.study(FATES), work.path / "r"
    work.run(study, results, expect=SOME_FAILED)
    reference = digests(results)
    n_bad = sum(row["status"] != "ok" for row in table(results))
    for number in (signal.SIGKILL, signal.SIGINT, signal.SIGKILL):
        run = work.start_run(study, results, "--retry-failed")
        wait_until(lambda: run.workers() or not run.running, 10, "a worker")
        kill(run.pid, number)
        run.wait(expect=(SOME_FAILED, REQUEUE, -signal.SIGKILL))
        run.expect_no_process()
        work.verify(results)
        work.run(study, results, expect=SOME_FAILED)
        expect_same(results, reference, "after a retry that was stopped")
    run = work.run(study, results, "--retry-failed", expect=SOME_FAILED)
    check(f"  {n_bad} now" in run.stderr, f"not {n_bad}: {run.stderr}")
    expect_same(results, reference, "after a retry")
    work.verify(results)


def other_fate(work):
    """Time-outs that end well then: all later stages are those of it."""
    fresh, results = work.path / "fresh", work.path / "r"
    good = work.study(SLOW.format(0))
    work.run(good, fresh, workers=20)
    work.run(work.study(SLOW.format(0.2), "short.ini"), results, workers=20,
             expect=SOME_FAILED)
    check(any(row["status"] == "timeout" for row in table(results)),
          "no time-out")
    work.run(good, results, workers=20, expect=SOME_FAILED)  # they are final
    work.run(good, results, "--retry-failed", workers=20)
    expect_same(results, fresh, "after the retry")
    work.verify(results)


def counts(work):
    """Replicates that left the study count neither as tasks nor as failed."""
    text = ini("fail_rate = 0.5\n", "seed = 83\nreplicates = {}\n")
    results = work.path / "r"
    work.run(work.study(text.format(40)), results, expect=SOME_FAILED)
    rows = table(results)
    n = next(i for i, row in enumerate(rows) if row["status"] != "ok")
    check(n > 0, "the first task failed: choose another seed")
    for _ in range(2):
        run = work.run(work.study(text.format(n)), results, expect=OK)
        check(f"{n} tasks: {n} ok\n" in run.stderr, f"counts: {run.stderr}")


main(same_fate, other_fate, counts)
