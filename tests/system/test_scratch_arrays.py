#!/usr/bin/env python3
"""Scratch arrays go when the study is complete, and are made again, with the
same bytes, when what reads them has work; so are arrays that another version
of their stage has written over."""
import signal
import time

import mpi
from harness import ENVIRONMENT, REQUEUE, SOURCE, check, dice, digests, \
    expect_same, kill, main, table, wait_until

HEAD = "[study]\nkind = synthetic\nseed = 81\n[run]\n{run}\n[synthetic]\n" \
       "stages = 4\nscratch = yes\nreads_all = yes\nalone = 2\n" \
       "fail_rate = 0.05\nparts = 300\n{more}\n"
A = "[synthetic a]\narray_rows = 3000, 4500\n"
B = "[synthetic b]\narray_rows = 5000\n"


def study_of(rows, more="", run=""):
    return HEAD.format(run=run, more=more) + "".join(rows)


def arrays(results):
    return sorted(p.name for p in results.glob("arrays/**/*.npy*"))


def expect_gone(work, results, text):
    check(not arrays(results), f"{text}: left {arrays(results)}")
    verify = work.verify(results)
    check("made again" in verify.stdout, verify.stdout)


def keys(results, event):
    """Stages that were restored, as the log has it."""
    return [word[4:] for line in (results / "log.txt").read_text().split("\n")
            if f"event={event} " in line for word in line.split()
            if word.startswith("key=")]


def removed(work):
    """Gone at the end; a run with nothing to do makes none."""
    study, results = work.study(study_of([A])), work.path / "r"
    work.run(study, results, expect=1)
    expect_gone(work, results, "complete")
    before = {p: p.read_bytes() for p in results.rglob("*") if p.is_file()}
    work.run(study, results, expect=1)
    after = {p: p.read_bytes() for p in results.rglob("*") if p.is_file()}
    check(before == after, "a run without work wrote something")
    run = work.run(study, results, "--workers", 1, "--set",
                   "run.commit_every=7", expect=1)
    check("  0 now" in run.stderr + run.stdout, run.stderr + run.stdout)
    check(not keys(results, "restore"), "restored without need")


def edits(work):
    """Cells come and go after the end: what is read is made again."""
    results = work.path / "edited"
    for i, rows in enumerate(([A], [A, B], [B, A], [B], [A, B])):
        study = work.study(study_of(rows))
        work.run(study, results, expect=(0, 1))
        expect_gone(work, results, f"version {i}")
        fresh = work.path / f"fresh{i}"
        work.run(study, fresh, expect=(0, 1), workers=1 + i % 3)
        expect_same(results, fresh, f"version {i}")
    check("stage1" in keys(results, "restore"),
          f"restored: {keys(results, 'restore')}")


def further_stages(work):
    """Another answer of next: the stages behind it read what is made again."""
    results = work.path / "r"
    for until in (2, 3, 0):
        study = work.study(study_of([A], f"until = {until}"))
        work.run(study, results, expect=1)
        expect_gone(work, results, f"until = {until}")
    fresh = work.path / "fresh"
    work.run(study, fresh, expect=1)
    expect_same(results, fresh, "stage by stage")
    check(len(keys(results, "restore")) >= 2, "nothing was made again")


def not_the_same(work):
    """Tasks that end otherwise than before: an error that names one, and
    nothing is lost by it."""
    text = study_of([A], "sleep_us = 100000\nuntil = {}")
    results, fresh = work.path / "r", work.path / "fresh"
    work.run(work.study(text.format(2)), results, workers=8, expect=(0, 1))
    study = work.study(text.format(3))
    for _ in range(2):
        run = work.run(study, results, "--set", "run.timeout=0.02",
                       expect=ENVIRONMENT)
        check("was run again for its arrays" in run.stderr, run.stderr)
        work.verify(results)
    work.run(study, results, workers=8, expect=(0, 1))
    work.run(study, fresh, workers=8, expect=(0, 1))
    expect_same(results, fresh, "after the error")
    expect_gone(work, results, "after the error")


def replays(work):
    """--only of a late stage: its scratch comes, and goes."""
    study, results = work.study(study_of([A])), work.path / "r"
    work.run(study, results, expect=1)
    row = next(r for r in table(results) if r["stage"] == "stage3")
    run = work.run(study, results, "--only",
                   f"stage3/{row['cell']}:{row['replicate']}", expect=(0, 1))
    check("equal to the stored result" in run.stderr, run.stderr)
    expect_gone(work, results, "after --only")


def retried(work):
    """--retry-failed of a stage in the middle."""
    more = "abort_rate = 0.05\n"
    study, results = work.study(study_of([A], more)), work.path / "r"
    work.run(study, results, expect=1)
    reference = digests(results)
    work.run(study, results, "--retry-failed", expect=1)
    expect_gone(work, results, "retried")
    check(digests(results)["tasks.csv"] == reference["tasks.csv"],
          "retried tasks ended otherwise")


def far(work):
    """Ranks that do not see the results folder make their share again."""
    results, fresh = work.path / "r", work.path / "fresh"
    scratch = work.path / "tmp"
    scratch.mkdir()
    env = {"ENSRUN_FAR": "1", "TMPDIR": str(scratch)}
    mpi.run(work, work.study(study_of([A])), results, ranks=3, expect=1,
            env=env)
    study = work.study(study_of([A, B]))
    mpi.run(work, study, results, ranks=3, expect=1, env=env)
    work.run(study, fresh, expect=1)
    expect_same(results, fresh, "far ranks")
    expect_gone(work, results, "far ranks")


def killed(work):
    """At any moment of the first run and of what an edit adds."""
    fresh = work.path / "fresh"
    more = "work_us = 30000\n"
    last = work.study(study_of([A, B], more), "last.ini")
    work.run(last, fresh, expect=(0, 1))
    random, results = dice(82), work.path / "r"
    first = work.study(study_of([A], more), "first.ini")
    n_kills = 0
    for study in (first, last):
        while True:
            run = work.start_run(study, results)
            until = time.monotonic() + random.uniform(0.05, 0.5)
            while run.running and time.monotonic() < until:
                time.sleep(0.002)
            n_kills += run.running and kill(run.pid)
            code = run.wait(60)
            run.expect_no_process(10)
            if (results / "study.ini").is_file():
                work.verify(results)
            if code in (0, 1) or n_kills > 60:
                break
        work.run(study, results, expect=(0, 1))
    check(n_kills > 3, f"{n_kills} kills only")
    expect_same(results, fresh, f"after {n_kills} kills")
    expect_gone(work, results, "killed")


def gone_in_between(work):
    """Scratch of a finished stage that somebody removes between two runs."""
    study = work.study(study_of([A], "sleep_us = 50000\n"))
    results, fresh = work.path / "r", work.path / "fresh"
    work.run(study, fresh, expect=(0, 1), workers=8)
    run = work.start_run(study, results)
    wait_until(lambda: (results / "log.txt").is_file()
               and "stage3" in keys(results, "stage"), 60, "at stage 3")
    kill(run.pid, signal.SIGTERM)
    run.wait(60, REQUEUE)
    check("block2" in "".join(arrays(results)), "scratch went too soon")
    for path in results.glob("arrays/block2.*.npy"):
        path.unlink()
    work.run(study, results, expect=(0, 1))
    check(keys(results, "restore") == ["stage2"],
          f"restored: {keys(results, 'restore')}")
    expect_same(results, fresh, "scratch was removed")


def overwritten(work):
    """An edit that is undone: the arrays of the first version are back, and
    kept ones of cells that no stage has now are set aside."""
    head = "[study]\nkind = synthetic\nseed = 83\n[synthetic]\nstages = 4\n" \
           "reads_all = yes\nalone = 2\nfail_rate = 0.05\n"
    results = work.path / "edited"
    for i, rows in enumerate(([A], [A, B], [B, A], [B], [A, B], [A])):
        study = work.study(head + "".join(rows))
        work.run(study, results, expect=(0, 1))
        work.verify(results)
        fresh = work.path / f"fresh{i}"
        work.run(study, fresh, expect=(0, 1))
        expect_same(results, fresh, f"version {i}")


def learners(work):
    """A learner comes and goes: the array of weights has another shape, the
    moments are made again for the one that is new."""
    wells = SOURCE / "launch/examples/wells.csv"
    text = "[study]\nkind = superlearner\nseed = 3\n[input D]\n" \
           f"path = {wells}\n[inputs]\nX = D[-switch]\ny = D[switch]\n" \
           "[superlearner]\nfolds = 4\n[layer 1]\n[learner ols]\n" \
           "[learner lasso]\nalpha = {}\n[meta]\nlearner = nnls\n"
    results = work.path / "edited"
    for i, alpha in enumerate(("0.1", "0.1, 0.01", "0.1")):
        study = work.study(text.replace("{}", alpha))
        work.run(study, results)
        work.verify(results)
        fresh = work.path / f"fresh{i}"
        work.run(study, fresh)
        expect_same(results, fresh, f"version {i}")


main(removed, edits, further_stages, not_the_same, replays, retried, far,
     killed, gone_in_between, overwritten, learners)
