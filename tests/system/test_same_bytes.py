#!/usr/bin/env python3
"""Tables and arrays are the same bytes for any number of workers and both
transports."""
import array

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
    "parts = 300\n"
    "payload_bytes = 64\ntext_bytes = 5\nfail_rate = 0.03\n"
    "schema_varies = yes\n", "seed = 13\n")

DECIDE = ini("array_rows = 3000\nstages = 4\ndecide = 1e5, 1e6, 1e30\n",
             "seed = 14\n")

# Stage 2 runs in the first cell alone, for stage 3 of all cells; the third
# cell is not in stages 3 and 4.
READS_ALL = ini("array_rows = 1500, 4000\nreads_all = yes\nalone = 2\n",
                "seed = 15\n",
                more="[synthetic a]\nstages = 4\n"
                "[synthetic b]\nstages = 2\nfail_rate = 0.5\n"
                "[synthetic c]\nstages = 4\nwork_us = 50\n")


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


def values(results, stage, cell):
    """The array of a cell, of a stage."""
    data = (results / f"arrays/block{stage}.{cell}.npy").read_bytes()
    found = array.array("d")
    found.frombytes(data[10 + int.from_bytes(data[8:10], "little"):])
    return found


def reads_all(work):
    """A block is its draws + own rows + own sum + the sums of all cells."""
    rows = same(work, READS_ALL, 1)
    cells = list(dict.fromkeys(row["cell"] for row in rows))
    took_part = {s: [c for c in cells if any(
        row["cell"] == c and row["stage"] == f"stage{s}" for row in rows)]
                 for s in (1, 2, 3, 4)}
    counts = {s: len(took_part[s]) for s in took_part}
    check(counts == {1: 6, 2: 1, 3: 4, 4: 4}, f"cells by stage: {counts}")
    results = work.path / "inline1"
    for stage in (2, 3, 4):
        before = {c: values(results, stage - 1, c)
                  for c in took_part[stage - 1]}
        sums = {c: sum(v for v in before[c] if v == v) for c in before}
        for cell in took_part[stage]:
            own = before.get(cell)
            add = sums.get(cell, 0) + sum(sums.values())
            draws = [v - add - (own[i] if own else 0)
                     for i, v in enumerate(values(results, stage, cell))]
            slack = 1e-12 * abs(add)
            check(all(-slack <= d <= 1 + slack for d in draws) and
                  0.4 < sum(draws) / len(draws) < 0.6,
                  f"block{stage} of cell {cell}: draws {draws[:5]}")


main(one_stage, chain, arrays, decide, reads_all)
