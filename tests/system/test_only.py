#!/usr/bin/env python3
"""--only: open tasks run, finished ones are run again and compared; a replay
writes nothing, whatever becomes of it."""
from harness import BAD, OK, SOME_FAILED, check, digests, expect_same, ini, \
    main, table

STUDY = ini("sleep_us = 150000\narray_rows = 3500\nstages = 2\nfields = 2\n"
            "payload_bytes = 50\n", "seed = 61\n")


def folder_bytes(results, name):
    return {f.name: f.read_bytes() for f in sorted((results / name).iterdir())}


def tree_bytes(results):
    return {p: p.read_bytes() for p in results.rglob("*") if p.is_file()}


def replays(work):
    """Named in any way, of any stage: equal, and nothing is stored."""
    study, results = work.study(STUDY), work.path / "r"
    work.run(study, results, workers=8)
    reference = digests(results)
    packs = folder_bytes(results, "artifacts")
    rows = table(results)
    cell, label = rows[0]["cell"], rows[1]["task"]
    for task in (f"{cell}:2", f"{cell[:6]}:2", f"stage2/{cell}:4",
                 f"{label},{label}", f"{cell}:1,{cell}:2"):
        run = work.run(study, results, "--only", task)
        check(run.stderr.count("equal to the stored result")
              == len(set(task.split(","))), f"{task}: {run.stderr}")
        check(f"{label} ok " in run.stderr or label not in task, run.stderr)
        expect_same(results, reference, f"--only {task}")
    check(folder_bytes(results, "artifacts") == packs, "packs have grown")
    work.verify(results)


def replay_that_dies(work):
    """Its verdict differs; the array keeps the block of the finished task."""
    study, results = work.study(STUDY), work.path / "r"
    work.run(study, results, workers=8)
    reference = digests(results)
    task = f"stage2/{table(results)[0]['cell']}:2"
    run = work.run(study, results, "--only", task, "--set", "run.timeout=0.05",
                   expect=SOME_FAILED)
    check("DIFFERS" in run.stderr, f"no word of it: {run.stderr}")
    expect_same(results, reference, "after the replay")
    work.verify(results)
    work.run(study, results)
    expect_same(results, reference, "after the next run")


def open_tasks(work):
    """Only those named run; the rest follows and is what it would have been."""
    study, results = work.study(STUDY), work.path / "r"
    work.run(study, work.path / "fresh", workers=8)
    task = table(work.path / "fresh")[2]
    for named, left in ((task["task"], 3),
                        (f"{task['cell']}:1,{task['cell']}:1", 2)):
        run = work.run(study, results, "--only", named)
        check(f"{left} left" in run.stderr, f"{named}: {run.stderr}")
        check("DIFFERS" not in run.stderr, f"{named}: {run.stderr}")
        check(not (results / "tasks.csv").exists(), "tables were written")
    work.run(study, results, workers=8, expect=OK)
    expect_same(results, work.path / "fresh", "after --only")


def unknown(work):
    study, results = work.study(ini("stages = 2\n", "replicates = 2\n")), \
        work.path / "r"
    for task in ("nope", "c0001_r00003", ":1", "0:0", "stage2/abc:1", ",",
                 "a:99999999999", "x/y/z:1", "stage1/a:1,b:1"):
        run = work.run(study, results, "--only", task, expect=BAD)
        check("--only" in run.stderr, f"{task}: {run.stderr}")
        check(not results.exists(), f"{task}: a folder was made")
    work.run(study, results)
    reference = tree_bytes(results)
    for more in ((), ("--restart",), ("--retry-failed",)):
        run = work.run(study, results, "--only", "nope", *more, expect=BAD)
        check("--only" in run.stderr, f"{more}: {run.stderr}")
        check(tree_bytes(results) == reference, f"{more}: it wrote something")
    run = work.run(study, results, "--only", "stage2/nope:1", "--restart",
                   expect=BAD)
    check("has not begun" in run.stderr, f"--restart: {run.stderr}")
    check([p.name for p in work.path.glob("r*")] == ["r"], "a folder moved")


main(replays, replay_that_dies, open_tasks, unknown)
