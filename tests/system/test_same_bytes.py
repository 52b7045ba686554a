#!/usr/bin/env python3
"""Tables and arrays are the same bytes for any number of workers and both
transports."""
from harness import check, count_by, digests, expect_same, ini, main, \
    table

ONE_STAGE = ini(
    "work_us = 50\njitter = 0.5\nfields = 1, 3\ntext_bytes = 12\n"
    "fail_rate = 0.05\npayload_bytes = 100\nschema_varies = yes\n",
    "seed = 11\nreplicates = 400\n", "commit_every = 100\n")

CHAIN = ini("work_us = 100\nstages = 1, 4\nfields = 2\nfail_rate = 0.02\n",
            "seed = 12\nreplicates = 60\n")

ARRAYS = ini(
    "work_us = 200\nstages = 3\narray_rows = 7500, 20000\nfields = 2\n"
    "payload_bytes = 64\ntext_bytes = 5\nfail_rate = 0.03\n"
    "schema_varies = yes\n", "seed = 13\n")

DECIDE = ini("array_rows = 3000\nstages = 4\ndecide = 1e5, 1e6, 1e30\n",
             "seed = 14\n")


def same(work, text, expect):
    study = work.study(text)
    reference = None
    for transport, workers in (("inline", 1), ("fork", 1), ("fork", 2),
                               ("fork", 3), ("fork", 8)):
        results = work.path / f"{transport}{workers}"
        work.run(study, results, workers=workers, transport=transport,
                 expect=expect)
        work.verify(results)
        if reference is None:
            reference = digests(results)
            check(len(table(results)) > 0, "no tasks in tasks.csv")
        expect_same(results, reference, f"{transport}, {workers} workers")
    return table(work.path / "inline1")


def one_stage(work):
    rows = same(work, ONE_STAGE, 1)
    check(len(rows) == 800, f"{len(rows)} tasks, not 800")
    counts = count_by(rows, "status")
    check(20 <= counts.get("failed", 0) <= 65, f"failed: {counts}")
    other = sum(1 for row in rows if row.get("variant"))
    check(180 <= other <= 340, f"{other} tasks with other fields, not 1 in 3")


def chain(work):
    rows = same(work, CHAIN, 1)
    counts = count_by(rows, "stage")
    check(counts == {"stage1": 120, "stage2": 60, "stage3": 60, "stage4": 60},
          f"tasks by stage: {counts}")


def arrays(work):
    rows = same(work, ARRAYS, 1)
    counts = count_by(rows, "stage")
    check(counts == {f"stage{s}": 8 + 20 for s in (1, 2, 3)},
          f"tasks by stage: {counts}")


def decide(work):
    """Sums: 1.5e3 after stage 1, 4.5e6 after stage 2."""
    rows = same(work, DECIDE, 0)
    counts = count_by(rows, "stage")
    check(counts == {"stage1": 9, "stage2": 9, "stage3": 3, "stage4": 3},
          f"tasks by stage: {counts}")


main(one_stage, chain, arrays, decide)
