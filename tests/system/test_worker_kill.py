#!/usr/bin/env python3
"""kill -9 of workers, a sample: replaced, same bytes, nobody blamed twice."""
from campaign import kill_worker
from harness import check, ini, kill, main, table, wait_until


def sample(work):
    kill_worker(work, 8, 3)


def blames_once(work):
    """A task that is killed once from outside is run again, and counted."""
    study = work.study(ini("sleep_us = 600000\n", "replicates = 2\n",
                           "attempts = 2\n"))
    run = work.start_run(study, work.path / "r")
    wait_until(lambda: len(run.workers()) == 2, 10, "two workers")
    wait_until(lambda: not run.running or
               all(sleeps(pid) for pid in run.workers()), 5, "both at work")
    check(kill(run.workers()[0]) == 1, "no worker to kill")
    run.wait(expect=0)
    rows = table(work.path / "r", "timings.csv")
    attempts = sorted(int(row["attempts"]) for row in rows)
    check(attempts == [1, 2], f"attempts: {attempts}")


def sleeps(pid):
    """In nanosleep: then it is inside its task."""
    try:
        with open(f"/proc/{pid}/wchan") as file:
            return "nanosleep" in file.read()
    except OSError:
        return False


main(sample, blames_once)
