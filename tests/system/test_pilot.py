#!/usr/bin/env python3
"""plan --pilot: runs a few tasks, the same ones each time and of every row;
tells time, memory and disk; leaves nothing behind, on Ctrl-C neither."""
import os
import re
import shutil
import signal

from harness import BAD, OK, REQUEUE, check, ini, kill, main, wait_until

ROWS = """[study]
kind = simulation
replicates = 500
[data a]
generator = linear
n = 20, 30
[data b]
generator = linear
n = 25
[data c]
generator = linear
n = 40, 50
[fit short]
fitter = ols
formula = y ~ 1
[fit full]
fitter = ols
formula = y ~ x1
"""

# Prints nothing; notes which task it was in the folder of the study.
NOTES = """[study]
kind = command
replicates = 40
[axes]
a = 1:10
b = 1:10
[command]
run = /bin/sh -c "echo $ENSRUN_AXIS_a $ENSRUN_AXIS_b $ENSRUN_REPLICATE >> $0"
"""


def scratch(work):
    return [n for n in os.listdir(work.path) if "pilot" in n]


def expect_clean(work, text):
    check(not scratch(work), f"{text}: {scratch(work)}")
    check(not (work.path / "results").exists(), f"{text}: results were made")


def number(text, pattern):
    found = re.search(pattern, text)
    check(found, f"no {pattern!r} in\n{text}")
    return found.groups()


def figures(work):
    """Of tasks whose time and size are known."""
    study = work.study(ini("sleep_us = 40000\npayload_bytes = 10000\n",
                           "replicates = 500\n"))
    text = work.ensrun("plan", study, "--pilot", "40", "--workers", "4").stdout
    check("pilot    40 of 500 tasks" in text, text)
    value, unit = number(text, r"all +500 +36 +([0-9.]+) (ms|s) ")
    median = float(value) * (1e-3 if unit == "ms" else 1)
    check(0.04 <= median < 0.4, f"median {median}")
    value, unit = number(text, r"4 workers on this machine: about ([0-9.]+) "
                         r"(s|min)")
    wall = float(value) * (60 if unit == "min" else 1)
    check(0.99 * 500 * 0.04 / 4 < wall < 10 * 500 * 0.04 / 4, f"wall {wall}")
    value, = number(text, r"payload +([0-9.]+) KiB per task")
    check(abs(float(value) - 10000 / 1024) < 0.11, f"payload {value}")
    big, = number(text, r"retain = debug +([0-9.]+) KiB per task")
    small, = number(text, r"retain = minimal +([0-9.]+) B per task")
    check(9.7 < float(big) < 12 and 50 < float(small) < 400,
          f"{big} KiB, {small} B")
    for word in ("memory_limit", "retain = ", "this machine will do",
                 "private, per worker"):
        check(word in text, f"{word}: {text}")
    expect_clean(work, "afterwards")


def disk_of_the_study(work):
    """What is predicted without artifacts, beside what the study takes."""
    unit = {"B": 1, "KiB": 2**10, "MiB": 2**20}
    for study in (ROWS.replace("500", "200") + "[metrics]\nuse = all\n",
                  ini("fields = 40\n", "replicates = 2000\n")):
        path = work.study(study)
        text = work.ensrun("plan", path, "--pilot", "50").stdout
        value, which = number(text, r"retain = minimal .* per task +([0-9.]+) "
                              r"([KM]?i?B) in all")
        work.run(path, work.path / "r", "--set", "run.retain=minimal")
        truth = sum(f.stat().st_size for f in (work.path / "r").rglob("*")
                    if f.is_file())
        ratio = float(value) * unit[which] / truth
        check(0.5 < ratio < 2, f"{ratio} of {truth} bytes: {text}")
        text = work.ensrun("plan", path, "--pilot", "50", "--set",
                           "run.table_rows=1").stdout
        check("tables  " not in text, text)
        shutil.rmtree(work.path / "r")


def every_row(work):
    text = work.ensrun("plan", work.study(ROWS), "--pilot", "30").stdout
    for row, tasks in (("a / short", 1000), ("a / full", 1000),
                       ("b / short", 500), ("b / full", 500),
                       ("c / short", 1000), ("c / full", 1000),
                       ("all rows", 5000)):
        number(text, rf"{row} +{tasks} +[0-9]+ ")
    expect_clean(work, "afterwards")


def same_tasks(work):
    """Spread over both axes, and the same in a second pilot."""
    notes = work.path / "notes"
    study = work.study(NOTES.replace("$0\"", f"{notes}\""))
    sets = []
    for workers in (1, 3):
        work.ensrun("plan", study, "--pilot", "30", "--workers", str(workers))
        sets.append(sorted(notes.read_text().split("\n")))
        notes.unlink()
    check(sets[0] == sets[1], f"{sets}")
    tasks = [line.split() for line in sets[0] if line]
    check(len(tasks) == 30, f"{len(tasks)} tasks")
    for axis in (0, 1):
        check(len({t[axis] for t in tasks}) == 10, f"axis {axis}: {tasks}")
    # more than there are: all
    work.ensrun("plan", work.study(NOTES.replace("$0\"", f"{notes}\"")
                                   .replace("= 40", "= 1")
                                   .replace("b = 1:10\n", "")
                                   .replace("$ENSRUN_AXIS_b", "")),
                "--pilot", "30")
    check(len(notes.read_text().split("\n")) == 11, notes.read_text())


def interrupted(work):
    """The folder goes, the exit status is that of a stopped run."""
    study = work.study(ini("sleep_us = 200000\n", "replicates = 9999\n"))
    for number_ in (signal.SIGINT, signal.SIGTERM):
        run = work.start("plan", study, "--pilot", "5000")
        wait_until(lambda: scratch(work) and run.workers(), 60, "the pilot")
        kill(run.pid, number_)
        check(run.wait(60) == REQUEUE, run.stderr)
        run.expect_no_process(10)
        expect_clean(work, f"signal {number_}")


def not_ok(work):
    """Failing tasks are told; a pilot of a crashing study ends as well."""
    study = work.study(ini("fail_rate = 1\n", "replicates = 100\n"))
    text = work.ensrun("plan", study, "--pilot", "20", expect=OK).stdout
    check("20 not ok, the first: " in text, text)
    study = work.study(ini("crash_rate = 0.5\n", "replicates = 100\n",
                           "attempts = 1\n"))
    text = work.ensrun("plan", study, "--pilot", "20", expect=OK).stdout
    check("not ok, the first: " in text, text)
    expect_clean(work, "afterwards")


def wrong(work):
    study = work.study(ini("fields = 1\n"))
    work.ensrun("plan", study, "--pilot", "0", expect=BAD)
    work.ensrun("plan", study, "--pilot", "many", expect=BAD)
    work.ensrun("plan", work.study(ini("fields = -1\n")), "--pilot", "5",
                expect=BAD)
    expect_clean(work, "afterwards")


main(figures, disk_of_the_study, every_row, same_tasks, interrupted, not_ok, wrong)
