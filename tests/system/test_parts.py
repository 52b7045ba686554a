#!/usr/bin/env python3
"""--where: only tasks of some cells; parts add up to the whole, byte for byte."""
import json

from harness import BAD, OK, REQUEUE, SOME_FAILED, check, count_by, \
    expect_same, ini, table

import harness

STUDY = ini("fields = 1, 2\nwork_us = 0, 1\nstages = 2\narray_rows = 3500\n",
            "seed = 5\nreplicates = 30\n")


def done(work, results):
    """(tasks, done) of the first stage."""
    status = json.loads(work.ensrun("status", results, "--json").stdout)
    stage = status["stages"][0]
    return stage["tasks"], stage["done"]


def parts(work):
    """A part runs, exits 0, writes no table; the last part completes it."""
    study, results = work.study(STUDY), work.path / "r"
    work.run(study, work.path / "fresh", workers=8)
    run = work.run(study, results, "--where", "synthetic_fields=1")
    check("left" in run.stderr and "go on" in run.stderr, run.stderr)
    check(not (results / "tasks.csv").exists(), "tables were written")
    tasks, n = done(work, results)
    check(tasks >= 8 and n == tasks // 2, f"{n} of {tasks} done")
    work.run(study, results, "--where", "fields=2", "--where", "work_us=1")
    check(done(work, results)[1] == 3 * tasks // 4, "two conditions")
    work.run(study, results, "--where", "fields=2,work_us=1")
    check(done(work, results)[1] == 3 * tasks // 4, "nothing to do")
    work.run(study, results, "--where", "fields=2")  # and its stage 2
    check(done(work, results)[1] == tasks, "stage 1 is done")
    check(not (results / "tasks.csv").exists(), "tables of half of stage 2")
    run = work.run(study, results, "--where", "fields=1")
    check("left" not in run.stderr, run.stderr)
    expect_same(results, work.path / "fresh", "parts")
    work.verify(results)


def edited(work):
    """New axis values alone; then what else the edit brought."""
    text = ini("fields = 1\n", "seed = 5\nreplicates = 20\n")
    study, results = work.study(text), work.path / "r"
    work.run(study, results)
    work.study(text.replace("fields = 1", "fields = 1, 2, 3")
               .replace("= 20", "= 25"))
    work.run(study, results, "--where", "fields=3")
    check(done(work, results) == (75, 45), f"{done(work, results)}")
    work.run(study, results)
    work.run(study, work.path / "fresh")
    expect_same(results, work.path / "fresh", "an edited study")


def only(work):
    """With --only both must hold."""
    study, results = work.study(STUDY), work.path / "r"
    work.run(study, work.path / "fresh")
    cells = {row["synthetic_fields"]: row["cell"]
             for row in table(work.path / "fresh")}
    work.run(study, results, "--only", f"{cells['1']}:1",
             "--where", "fields=1")
    check(done(work, results)[1] == 1, "one task")
    run = work.run(study, results, "--only", f"{cells['2']}:1",
                   "--where", "fields=1", expect=BAD)
    check("--where" in run.stderr, run.stderr)


def failures(work):
    """A part with failures is done all the same; --retry-failed takes those
    of its cells, and leaves the others as they are."""
    text = ini("fields = 1, 2\nfail_rate = 0.3\n", "seed = 6\nreplicates = 40\n")
    study, results = work.study(text), work.path / "r"
    work.run(study, results, "--where", "fields=1", expect=OK)
    work.run(study, results, expect=SOME_FAILED)
    before = count_by(table(results), "status")["failed"]
    half = sum(row["status"] == "failed" and row["synthetic_fields"] == "2"
               for row in table(results))
    run = work.run(study, results, "--retry-failed", "--where", "fields=2",
                   "--json", expect=SOME_FAILED)
    check(f'"new": {half}' in run.stdout, f"{half}: {run.stdout}")
    check(count_by(table(results), "status")["failed"] == before, "failed")


def stopped(work):
    """A stop is one, whatever the part."""
    study = work.study(ini("fields = 1, 2\nsleep_us = 300000\n",
                           "replicates = 100\n"))
    results = work.path / "r"
    run = work.start_run(study, results, "--where", "fields=1")
    harness.wait_until(lambda: (results / "status").exists() and run.workers(),
                       60, "workers")
    harness.kill(run.pid, harness.signal.SIGINT)
    run.wait(60, REQUEUE)


def wrong(work):
    study, results = work.study(STUDY), work.path / "r"
    for where, says in (("nope=1", "there are synthetic_fields"),
                        ("fields=7", "there are 1, 2"),
                        ("fields", "expected NAME=VALUE"),
                        ("fields=1,fields=2", "no cell has all")):
        run = work.run(study, results, "--where", where, expect=BAD)
        check(says in run.stderr, f"{where}: {run.stderr}")
        check(not results.exists(), "a folder was made")


def shown(work):
    """show and export split and compare in the same way."""
    study, results = work.study(STUDY), work.path / "r"
    work.run(study, results)
    one = work.ensrun("export", results, "--where",
                      "synthetic_fields=1e0,replicate=2").stdout
    two = work.ensrun("export", results, "--where", "synthetic_fields=1",
                      "--where", "replicate=2.0").stdout
    check(one == two and one.count("\n") == 5, one)
    text = work.ensrun("show", results, "tasks", "--where",
                       "replicate=2").stdout
    check(text.count("\n") == 9, text)
    run = work.ensrun("show", results, "tasks", "--where", "nope=1",
                      expect=BAD)
    check("it has stage, task, cell" in run.stderr, run.stderr)


harness.main(parts, edited, only, failures, stopped, wrong, shown)
