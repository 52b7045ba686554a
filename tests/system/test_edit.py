#!/usr/bin/env python3
"""A study edited and run again gives what a fresh run of the edited study
gives, and runs only what is new."""
from harness import check, expect_same, ini, main, table

HEAD = "[study]\nkind = synthetic\nseed = 41\nreplicates = {n}\n" \
       "[synthetic]\nwork_us = 20\nfields = 2\nfail_rate = 0.02\n"
A = "[synthetic a]\ntext_bytes = 5, 6\n"
B = "[synthetic b]\nfields = 1, 3\n"
C = "[synthetic c]\npayload_bytes = 50\n"


def study_of(rows, n=60):
    return HEAD.format(n=n) + "".join(rows)


def edits(work, versions, expect=1):
    """Run the versions one after another in one folder; each must equal a
    fresh run."""
    results = work.path / "edited"
    for i, text in enumerate(versions):
        study = work.study(text)
        work.run(study, results, expect=expect)
        work.verify(results)
        fresh = work.path / f"fresh{i}"
        work.run(study, fresh, expect=expect, workers=1 + i % 3)
        expect_same(results, fresh, f"version {i}")


def rows(work):
    edits(work, [
        study_of([A, B]),
        study_of([A, B], n=100),    # replicates raised
        study_of([A, C, B], n=100),  # a row inserted
        study_of([C, B], n=100),    # another removed
        study_of([B, C], n=100),    # reordered
        study_of([A, B, C], n=30),  # one comes back, fewer replicates
    ])


def stages(work):
    """Stages and arrays: a cell that comes back finds its array."""
    head = "[study]\nkind = synthetic\nseed = 42\n[synthetic]\n" \
           "work_us = 20\nstages = 3\nfields = 1\n"
    a = "[synthetic a]\narray_rows = 3000, 4500\n"
    b = "[synthetic b]\narray_rows = 5000\n"
    c = "[synthetic c]\narray_rows = 1000\npayload_bytes = 10\n"
    edits(work, [head + a + b, head + a + c + b, head + b + c,
                 head + c + b, head + a + b], expect=0)


def reads_all(work):
    """Stages that read all cells follow when cells come; tasks of one cell
    alone find the arrays of all."""
    head = "[study]\nkind = synthetic\nseed = 46\n[synthetic]\n" \
           "stages = 4\nreads_all = yes\nalone = 2\n"
    a = "[synthetic a]\narray_rows = 3000, 4500\n"
    b = "[synthetic b]\narray_rows = 5000\n"
    edits(work, [head + a, head + a + b], expect=0)
    results = work.path / "edited"
    rows = table(results)
    for stage in ("stage2", "stage3"):
        cell = next(row["cell"] for row in rows if row["stage"] == stage)
        run = work.run(work.path / "study.ini", results, "--only",
                       f"{stage}/{cell}:1")
        check("equal to the stored result" in run.stderr, run.stderr)


def chain(work):
    """More replicates in the first stage make the later ones run again."""
    text = ini("work_us = 20\nstages = 3\nfields = 1\n",
               "seed = 43\nreplicates = {}\n")
    edits(work, [text.format(n) for n in (20, 40, 30)], expect=0)


def until(work):
    """An answer is asked again when a run setting changed."""
    text = ini("stages = 4\nfields = 1\nuntil = {}\n",
               "seed = 44\nreplicates = 10\n")
    edits(work, [text.format(n) for n in (2, 3, 0, 2, 3)], expect=0)
    stages_seen = {row["stage"] for row in table(work.path / "edited")}
    check(len(stages_seen) == 3, f"stages: {stages_seen}")


def only_new_tasks_run(work):
    """Tasks that are done are not run again: timings keep their time."""
    results = work.path / "r"
    study = work.study(study_of([A], n=50))
    work.run(study, results, expect=1)
    before = {row["task"]: row for row in table(results, "timings.csv")}
    work.run(work.study(study_of([A], n=80)), results, expect=1)
    after = {row["task"]: row for row in table(results, "timings.csv")}
    check(len(after) == 160 and len(before) == 100,
          f"{len(before)}, then {len(after)} tasks")
    moved = [task for task in before if before[task] != after.get(task)]
    check(not moved, f"run again: {moved[:5]}")


def fingerprint(work):
    """Another seed is another study: refused, --restart keeps the old."""
    results = work.path / "r"
    work.run(work.study(study_of([A], n=10)), results, expect=(0, 1))
    other = work.study(study_of([A], n=10).replace("41", "17"))
    run = work.run(other, results, expect=2)
    for word in ("seed", "41", "17", "--restart"):
        check(word in run.stderr, f"{word} is not in: {run.stderr}")
    work.run(other, results, "--restart", expect=(0, 1))
    check((work.path / "r.1" / "tasks.csv").is_file(), "old folder is gone")


def array_gone(work):
    """An array that was deleted is missed, every time, not made up."""
    study = work.study(ini("array_rows = 4000\nstages = 2\n", "seed = 45\n"))
    results = work.path / "r"
    work.run(study, results)
    array = next((results / "arrays").glob("block1.*.npy"))
    kept = array.read_bytes()
    array.unlink()
    work.run(work.study(ini("array_rows = 4000, 5000\nstages = 2\n",
                            "seed = 45\n")), results, expect=3)
    run = work.run(study, results, expect=3)
    check("block1" in run.stderr, f"message: {run.stderr}")
    array.write_bytes(kept)
    work.run(study, results)


main(rows, stages, reads_all, chain, until, only_new_tasks_run, fingerprint,
     array_gone)
