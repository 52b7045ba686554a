#!/usr/bin/env python3
"""Exit codes, as the manual has them."""
import os
import signal

from harness import BAD, ENVIRONMENT, OK, SOME_FAILED, check, ini, main, \
    table, wait_until

QUICK = ini("fields = 1\n", "replicates = 20\n")
FAILING = ini("fail_rate = 0.5\n", "seed = 2\nreplicates = 100\n")


def ok(work):
    results = work.path / "r"
    work.run(work.study(QUICK), results, expect=OK)
    again = work.run(work.study(QUICK), results, expect=OK)
    check(again.stdout.strip() != "" or again.stderr.strip() != "",
          "a finished study run again says nothing")
    work.ensrun(results, "--progress", "none", expect=OK)  # resumes
    work.ensrun("--version")
    work.ensrun("--help")
    work.ensrun("kinds")
    work.ensrun("kinds", "synthetic")
    work.ensrun("run", "--help")


def default_study(work):
    """With no study named: config.ini of the current folder."""
    work.study(QUICK, "config.ini")
    work.ensrun("--workers", "2", "--progress", "none", expect=OK)
    check((work.path / "results" / "config" / "tasks.csv").is_file(),
          "no results/config/tasks.csv")


def some_failed(work):
    results = work.path / "r"
    study = work.study(FAILING)
    work.run(study, results, expect=SOME_FAILED)
    work.run(study, results, expect=SOME_FAILED)
    work.run(study, results, "--retry-failed", expect=SOME_FAILED)
    run = work.run(study, work.path / "m", "--set", "run.max_errors=5",
                   expect=SOME_FAILED)
    check("max_errors = 5" in run.stderr, f"why it stopped: {run.stderr}")
    check(not (work.path / "m" / "tasks.csv").exists()
          or len(table(work.path / "m")) <= 100, "max_errors")


def usage(work):
    study = work.study(QUICK)
    work.ensrun("run", expect=BAD)
    work.ensrun("run", study, "--wrokers", "2", expect=BAD)
    work.ensrun("run", study, "--workers", "none", expect=BAD)
    work.ensrun("run", study, "--set", "nonsense", expect=BAD)
    work.ensrun("run", study, "--set", "synthetic.nonsense=1", expect=BAD)
    work.ensrun("run", study, "--transport", "pigeon", expect=BAD)
    work.ensrun("verify", work.path / "absent", expect=BAD)
    work.ensrun("show", work.path / "absent", expect=BAD)
    work.ensrun("kinds", "absent", expect=BAD)


def locked(work):
    """A folder in use."""
    study = work.study(ini("sleep_us = 30000000\n", "replicates = 2\n"))
    results = work.path / "r"
    first = work.start_run(study, results)
    wait_until(lambda: len(first.workers()) == 2, 10, "two workers")
    second = work.run(study, results, expect=ENVIRONMENT)
    check(str(first.pid) in second.stderr,
          f"the owner's pid is not in: {second.stderr}")
    check("tasks" not in second.stderr, f"an end block: {second.stderr}")
    check(first.running, "the first run ended")
    os.kill(first.pid, signal.SIGINT)
    log = results / "log.txt"
    # two signals at once may arrive as one
    wait_until(lambda: "event=signal" in log.read_text(), 10, "the signal")
    os.kill(first.pid, signal.SIGINT)
    first.wait(10)


def unwritable(work):
    study = work.study(QUICK)
    run = work.run(study, "/proc/nowhere/r", expect=ENVIRONMENT)
    check("/proc/nowhere" in run.stderr, f"message: {run.stderr}")


def corrupt(work):
    """verify finds a flipped byte; the tables are still there to compare."""
    results = work.path / "r"
    work.run(work.study(ini("payload_bytes = 100\narray_rows = 3000\n")),
             results)
    work.verify(results)
    flipped = 0
    for folder in ("journal", "artifacts", "arrays"):
        for path in sorted((results / folder).iterdir()):
            if not path.is_file():
                continue
            data = bytearray(path.read_bytes())
            data[len(data) // 2] ^= 1
            path.write_bytes(data)
            run = work.verify(results, expect=SOME_FAILED)
            check(path.name in run.stderr + run.stdout,
                  f"{path.name} is not in: {run.stderr}{run.stdout}")
            data[len(data) // 2] ^= 1
            path.write_bytes(data)
            flipped += 1
    check(flipped >= 3, f"only {flipped} files to flip")
    work.verify(results)


main(ok, default_study, some_failed, usage, locked, unwritable, corrupt)
