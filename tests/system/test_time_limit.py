#!/usr/bin/env python3
"""--time-limit: ends in time with 85 and a good commit; runs in a row make
the bytes of one."""
import time

from harness import BAD, OK, REQUEUE, check, expect_same, ini, main, table

SLEEPS = ini("sleep_us = 20000, 60000\n", "seed = 9\nreplicates = 100\n")


def in_a_row(work):
    study, results = work.study(SLEEPS), work.path / "r"
    work.run(study, work.path / "fresh", workers=16)
    left = 200
    for _ in range(100):
        run = work.run(study, results, "--time-limit", "0.8", workers=4,
                       expect=(OK, REQUEUE))
        if run.code == OK:
            break
        check("time limit: " in run.stderr and "run again" in run.stderr,
              run.stderr)
        now = int(run.stderr.split("time limit: ")[1].split()[0])
        # 0: all had ended, only whether a stage follows was not asked yet
        check(0 <= now <= left, f"{now} left, before {left}")
        check(not (results / "tasks.csv").exists(), "tables were written")
        left = now
    check(left < 200, "the limit was never met")
    check(run.code == OK, "never done")
    expect_same(results, work.path / "fresh", "runs in a row")
    work.verify(results)


def no_limit_met(work):
    """Done in time: as without."""
    study, results = work.study(SLEEPS), work.path / "r"
    work.run(study, results, "--time-limit", "1h 30m", workers=16)
    check(len(table(results)) == 200, "rows")


def grace_is_kept(work):
    """A task that runs at the limit may finish; its result is there."""
    study, results = work.study(ini("sleep_us = 3000000\n",
                                    "replicates = 10\n")), work.path / "r"
    start = time.monotonic()
    run = work.run(study, results, "--time-limit", "1", expect=REQUEUE)
    check(time.monotonic() - start > 2.9, "a running task was cut")
    check("2 ok, 8 left" in run.stderr, run.stderr)
    run = work.run(study, results, "--time-limit", "1", "--set",
                   "run.grace=0.1", expect=REQUEUE)
    check("2 ok, 8 left" in run.stderr, run.stderr)


def parts(work):
    """With --where it is the part that is late, or done."""
    study, results = work.study(SLEEPS), work.path / "r"
    work.run(study, results, "--time-limit", "0.4s", "--where",
             "sleep_us=60000", expect=REQUEUE)
    work.run(study, results, "--time-limit", "1h", "--where",
             "sleep_us=60000", workers=16, expect=OK)


def wrong(work):
    study = work.study(SLEEPS)
    for text in ("", "soon", "-1", "0", "2x", "nan"):
        run = work.run(study, work.path / "r", "--time-limit", text,
                       expect=BAD)
        check("expected a time" in run.stderr, run.stderr)


main(in_a_row, no_limit_met, grace_is_kept, parts, wrong)
