#!/usr/bin/env python3
"""Shards, merged, are the unsharded run: tables, arrays, artifacts; through
kills, failures, retries and edits; and what cannot be joined is refused."""
import json
import shutil
import signal

import plugins
from harness import BAD, ENSRUN, ENVIRONMENT, OK, REQUEUE, SOME_FAILED, \
    SOURCE, check, digests, expect_same, ini, kill, main, table, wait_until

N = 4
ONE = ini("work_us = 50\nfields = 2, 3\ntext_bytes = 7\npayload_bytes = 40\n",
          "seed = 91\nreplicates = 60\n", "commit_seconds = 0.02\n")
THREE = ini("work_us = 50\nstages = 3\narray_rows = 9000, 30000\nfields = 2\n"
            "payload_bytes = 40\ntext_bytes = 5\n",
            "seed = 92\n", "commit_seconds = 0.02\n")
FATES = ini("stages = 3\nfail_rate = 0.1\ncrash_rate = 0.03\nfields = 1, 2\n",
            "seed = 93\nreplicates = 40\n",
            "attempts = 2\ncommit_seconds = 0.02\n")
COMMAND = """[study]
kind = command
seed = 94
replicates = 9
[axes]
x = 1, 2, 3
name = a, b
[command]
run = sh -c 'echo y=$ENSRUN_SEED z={x} t={name}; [ {replicate} != 4 ]'
"""
SIMULATION = """[study]
kind = simulation
seed = 95
replicates = 30
[data]
generator = linear
n = 20, 50
intercept = 1
slope = 2
sigma = 1.5
[fit]
fitter = ols
formula = y ~ x1
"""


def with_results(text, work):
    """The study's own results folder is that of all."""
    return text.replace("[study]\n", f"[study]\nresults = {work.path}/all\n",
                        1)


def folder(work, k, n=N):
    return work.path / f"all-shard-{k}-of-{n}"


def start_shard(work, study, k, *arguments, n=N, env=None):
    return work.start("run", study, "--shard", f"{k}/{n}", "--workers", 2,
                      "--progress", "none", *arguments, env=env)


def run_shards(work, study, *arguments, n=N, shards=None, expect=OK):
    """All at once, on one machine."""
    runs = [start_shard(work, study, k, *arguments, n=n)
            for k in shards or range(1, n + 1)]
    for run in runs:
        run.wait(expect=expect)
    return runs


def merge(work, n=N, expect=OK, to="all", shards=None, env=None):
    return work.ensrun("merge", *(folder(work, k, n)
                                  for k in shards or range(1, n + 1)),
                       "-o", work.path / to, expect=expect, env=env)


def tree(path):
    """Every file of a folder with its bytes."""
    return {f.relative_to(path).as_posix(): f.read_bytes()
            for f in sorted(path.rglob("*")) if f.is_file()}


def same_bytes(work, text, rounds, expect=OK, n=N):
    """Rounds of shards and merges; then the reference, and compare."""
    study = work.study(with_results(text, work))
    for i in range(rounds):
        run_shards(work, study, n=n)
        check(not (work.path / "all" / "tasks.csv").exists(), "tables early")
        before = {k: tree(folder(work, k, n)) for k in range(1, n + 1)}
        merge(work, n, expect if i + 1 == rounds else OK)
        for k, files in before.items():
            check(tree(folder(work, k, n)) == files, f"shard {k} was changed")
    work.run(study, work.path / "ref", expect=expect)
    expect_same(work.path / "all", work.path / "ref", f"{rounds} rounds")
    work.verify(work.path / "all")
    return study


def one_stage(work):
    study = same_bytes(work, ONE, 1)
    run = work.ensrun("run", study, "--progress", "none")
    check("was finished already" in run.stderr, run.stderr)


def three_stages(work):
    """The same two commands for each stage; a fourth round finds nothing."""
    study = same_bytes(work, THREE, 3)
    reference = digests(work.path / "ref")
    run_shards(work, study)
    run = merge(work)
    check("0 segments" in run.stderr and "finished" in run.stderr, run.stderr)
    expect_same(work.path / "all", reference, "after one more round")


def decided(work):
    """`decide` ends early, and schemas differ from task to task."""
    same_bytes(work, ini("stages = 4\nfields = 2\nuntil = 2\n"
                         "schema_varies = yes\ntext_bytes = 9\n",
                         "seed = 96\nreplicates = 25\n"), 2)


def other_kinds(work):
    same_bytes(work, SIMULATION, 1, n=3)
    shutil.rmtree(work.path / "all")
    shutil.rmtree(work.path / "ref")
    same_bytes(work, COMMAND, 1, SOME_FAILED)


def plugin(work):
    """A kind of a plugin; another file of it is said."""
    plugins.plugin(work)
    text = "[study]\nkind = ./toy.so:toy\nseed = 3\nreplicates = 20\n" \
           "[toy]\nu = 1, 2\n"
    same_bytes(work, text, 1, n=3)
    shutil.rmtree(work.path / "all")
    run = merge(work, 3)
    check("plugin" not in run.stderr, run.stderr)
    shutil.rmtree(work.path / "all")
    shutil.rmtree(folder(work, 2, 3))
    plugins.plugin(work, MORE="const int another = 1;")
    run_shards(work, work.path / "study.ini", n=3, shards=(2,))
    run = merge(work, 3)
    check("other files of a plugin" in run.stderr, run.stderr)
    expect_same(work.path / "all", work.path / "ref", "with a plugin")


def artifacts(work):
    """What is exported of the merged folder is what the whole run exports."""
    study = same_bytes(work, THREE, 3)
    bytes_ = ("--artifact", "payload", "--dtype", "u1")
    for arguments, name in ((bytes_, "payload.csv"), (bytes_, "payload.npy"),
                            (("--table", "outputs"), "outputs.csv"),
                            (("--files",), "files")):
        for results in ("ref", "all"):
            work.ensrun("export", work.path / results, *arguments, "-o",
                        work.path / f"{results}-{name}")
        one, two = (tree(path) if path.is_dir() else path.read_bytes()
                    for path in (work.path / f"{r}-{name}"
                                 for r in ("ref", "all")))
        check(len(one) > 0, f"{name} is empty")
        check(one == two, f"{name} differs")
    row = table(work.path / "ref")[-1]
    again = work.run(study, work.path / "all", "--only",
                     f"{row['stage']}/{row['cell']}:{row['replicate']}")
    check("equal to the stored result" in again.stderr, again.stderr)


def killed(work):
    """kill -9 of every shard, and of merges; each is run again."""
    study = work.study(with_results(FATES, work))
    for _ in range(3):
        for k in range(1, N + 1):
            run = start_shard(work, study, k)
            wait_until(lambda: run.workers() or not run.running, 20, "worker")
            kill(run.pid)
            run.wait(expect=(OK, -signal.SIGKILL))
            run.expect_no_process(5)
        run_shards(work, study)
        for writes in (1, 4, 9):  # what is written ends there
            run = merge(work, expect=None,
                        env={"ENSRUN_FAULT": f"eio@{writes}"})
            check(run.code in (OK, ENVIRONMENT, SOME_FAILED), run.stderr)
        journal = work.path / "all" / "journal"
        for _ in range(N):  # behind each segment
            n = len(list(journal.glob("*.ej"))) if journal.exists() else 0
            run = work.start("merge", "-o", work.path / "all", *(
                folder(work, k) for k in range(1, N + 1)))
            wait_until(lambda: not run.running or journal.exists() and len(
                list(journal.glob("*.ej"))) > n, 20, "a segment", 0.0001)
            kill(run.pid)
            run.wait()
            run.expect_no_process(5)
            work.verify(work.path / "all")
        merge(work, expect=(OK, SOME_FAILED))
        work.verify(work.path / "all")
    work.run(study, work.path / "ref", expect=SOME_FAILED)
    expect_same(work.path / "all", work.path / "ref", "after kills")


def cut_off(work):
    """Shards that were killed and not run again: what they had is taken."""
    study = work.study(with_results(
        ini("sleep_us = 3000\narray_rows = 30000\nfields = 1\n",
            "seed = 89\n", "commit_seconds = 0.01\n"), work))
    for k in (1, 2):
        run = start_shard(work, study, k)
        journal = folder(work, k) / "journal" / "000001-01.ej"
        wait_until(lambda: not run.running or journal.exists()
                   and journal.read_bytes().count(b"ENSF") > 9, 20, "records")
        kill(run.pid)
        run.wait()
        run.expect_no_process(5)
    run = merge(work, shards=(1, 2))
    check("left" in run.stderr, run.stderr)
    work.verify(work.path / "all")
    run_shards(work, study)
    merge(work)
    work.run(study, work.path / "ref")
    expect_same(work.path / "all", work.path / "ref", "after all")
    work.verify(work.path / "all")


def nested(work):
    """Merged folders can be merged; a folder deep down is made."""
    study = work.study(with_results(ONE, work))
    run_shards(work, study)
    deep = work.path / "x" / "y" / "z"
    work.ensrun("merge", folder(work, 1), folder(work, 2), "-o", deep)
    work.ensrun("merge", folder(work, 2), folder(work, 3), "-o",
                work.path / "w")
    work.ensrun("merge", deep, work.path / "w", folder(work, 4), "-o",
                work.path / "all")
    work.run(study, work.path / "ref")
    expect_same(work.path / "all", work.path / "ref", "merges of merges")
    work.verify(work.path / "all")


def full_disk(work):
    """What fits is kept; with space it goes on."""
    study = work.study(with_results(THREE, work))
    run_shards(work, study)
    for space in (1, 3000, 20000, 150000, 400000):
        run = merge(work, expect=None,
                    env={"ENSRUN_FAULT": f"enospc@{space}"})
        check(run.code in (OK, ENVIRONMENT), f"{space}: {run.stderr}")
        if (work.path / "all" / "study.ini").exists():
            work.verify(work.path / "all")
    merge(work)
    work.verify(work.path / "all")
    work.ensrun("run", work.path / "all", "--progress", "none")
    work.run(study, work.path / "ref")
    expect_same(work.path / "all", work.path / "ref", "after full disks")


def stopped(work):
    """A signal: 85, and the same command goes on."""
    study = work.study(with_results(
        ini("sleep_us = 20000\nstages = 2\n", "seed = 97\nreplicates = 40\n"),
        work))
    run = start_shard(work, study, 2)
    wait_until(run.workers, 20, "worker")
    kill(run.pid, signal.SIGTERM)
    run.wait(expect=REQUEUE)
    check("--shard 2/4" in run.stderr, run.stderr)
    check("shard    2/4" in work.ensrun("status", folder(work, 2)).stdout,
          "status")
    facts = json.loads((folder(work, 2) / "run.json").read_text())
    check(facts["shard"] == "2/4", "run.json")
    work.ensrun("run", folder(work, 2), "--shard", "2/4", "--progress", "none")
    run_shards(work, study)
    merge(work)
    run_shards(work, study)
    merge(work)
    work.run(study, work.path / "ref", workers=8)
    expect_same(work.path / "all", work.path / "ref", "after a signal")


def retried(work):
    """Rounds of --retry-failed in shards, then in the merged folder."""
    study = work.study(with_results(FATES, work))
    work.run(study, work.path / "ref", expect=SOME_FAILED)
    run_shards(work, study)
    run_shards(work, study, "--retry-failed", shards=(1, 3))
    for last in (0, 0, 1):
        merge(work, expect=SOME_FAILED if last else OK)
        if not last:
            run_shards(work, study)
    expect_same(work.path / "all", work.path / "ref", "retried shards")
    work.verify(work.path / "all")
    work.ensrun("run", study, "--retry-failed", "--progress", "none",
                expect=SOME_FAILED)
    expect_same(work.path / "all", work.path / "ref", "retried after")


def retried_late(work):
    """One shard tries again what the others went on from: theirs is redone."""
    slow = ini("sleep_us = 150000\njitter = 0.9\nstages = 2\n",
               "seed = 82\nreplicates = 20\n", "timeout = {}\nattempts = 1\n")
    text = with_results(slow, work)
    study = work.study(text.format(0.2), "short.ini")
    for k in (1, 2):
        work.ensrun("run", study, "--shard", f"{k}/2", "--workers", 10,
                    "--progress", "none")
    merge(work, 2, OK)
    good = work.study(text.format(0), "good.ini")
    work.ensrun("run", good, "--shard", "2/2", "--workers", 10,
                "--progress", "none")
    work.ensrun("run", good, "--shard", "1/2", "--retry-failed", "--workers",
                10, "--progress", "none")
    merge(work, 2)
    work.ensrun("run", good, "--retry-failed", "--workers", 10, "--progress",
                "none")
    work.run(good, work.path / "ref", workers=20)
    expect_same(work.path / "all", work.path / "ref", "late retry")
    work.verify(work.path / "all")


def edited(work):
    """Replicates raised, rows added after a merge: shards of the new study."""
    head = "[study]\nkind = synthetic\nseed = 98\nreplicates = {n}\n" \
           "[synthetic]\nfields = 2\nfail_rate = 0.05\nstages = {s}\n"
    a, b = "[synthetic a]\ntext_bytes = 5, 6\n", \
        "[synthetic b]\nfields = 1\npayload_bytes = 20\n"
    for s in (1, 2):
        versions = (head.format(n=20, s=s) + a, head.format(n=33, s=s) + a,
                    head.format(n=33, s=s) + b + a, head.format(n=10, s=s) + b)
        for i, text in enumerate(versions):
            study = work.study(with_results(text, work))
            for _ in range(s):
                # fewer replicates may all be there already
                run_shards(work, study, n=3, expect=(OK, SOME_FAILED))
                merge(work, 3, (OK, SOME_FAILED))
            fresh = work.path / f"fresh{s}{i}"
            work.run(study, fresh, expect=(OK, SOME_FAILED))
            expect_same(work.path / "all", fresh, f"version {i}")
            work.verify(work.path / "all")
        for path in work.path.glob("all*"):
            shutil.rmtree(path)


def edited_arrays(work):
    """Cells with arrays come and go."""
    head = "[study]\nkind = synthetic\nseed = 99\n[synthetic]\n" \
           "stages = 2\nfields = 1\n"
    a, b, c = ("[synthetic a]\narray_rows = 3000, 4500\n",
               "[synthetic b]\narray_rows = 5000\n",
               "[synthetic c]\narray_rows = 1000\npayload_bytes = 10\n")
    for i, rows in enumerate((a + b, a + c + b, b + c, a + b)):
        study = work.study(with_results(head + rows, work))
        for _ in range(2):
            run_shards(work, study, n=3)
            merge(work, 3)
        fresh = work.path / f"fresh{i}"
        work.run(study, fresh)
        expect_same(work.path / "all", fresh, f"version {i}")
        work.verify(work.path / "all")


def scratch_arrays(work):
    """Stages of all cells and of one, that read scratch of all cells; cells
    come when it has gone."""
    head = "[study]\nkind = synthetic\nseed = 89\n[synthetic]\n" \
           "stages = 4\nscratch = yes\nreads_all = yes\nalone = 2\n"
    a, b = ("[synthetic a]\narray_rows = 3000, 4500\n",
            "[synthetic b]\narray_rows = 5000\n")
    for i, rows in enumerate((a, a + b)):
        study = work.study(with_results(head + rows, work))
        for _ in range(4):
            run_shards(work, study, n=3)
            merge(work, 3)
            work.verify(work.path / "all")
        fresh = work.path / f"fresh{i}"
        work.run(study, fresh)
        expect_same(work.path / "all", fresh, f"version {i}")
        left = list(work.path.glob("all/arrays/**/*.npy"))
        check(not left, f"left: {left}")


def mixed(work):
    """Shards of the study before an edit and after it: each segment speaks of
    the cells that its study had."""
    head = "[study]\nkind = synthetic\nseed = 90\nreplicates = 30\n" \
           "[synthetic]\nfields = 2\nstages = 2\narray_rows = 0\n"
    a, b, c = ("[synthetic a]\ntext_bytes = 5, 6\n",
               "[synthetic b]\nfields = 1\npayload_bytes = 20\n",
               "[synthetic c]\nfields = 3, 4, 5\n")
    old = work.study(with_results(head + a + b, work), "old.ini")
    new = work.study(with_results(head + c + b + a, work), "new.ini")
    run_shards(work, old, n=3, shards=(1, 2))
    merge(work, 3, shards=(1, 2))
    run_shards(work, old, n=3, shards=(3,))
    run_shards(work, new, n=3, shards=(1, 2))
    work.verify(folder(work, 3, 3))
    merge(work, 3)
    work.verify(work.path / "all")
    for i, study in enumerate((new, old, new)):
        for _ in range(2):
            run_shards(work, study, n=3)
            merge(work, 3)
            work.verify(work.path / "all")
        fresh = work.path / f"fresh{i}"
        work.run(study, fresh)
        expect_same(work.path / "all", fresh, f"version {i}")
    facts = [table(work.path / r, "timings.csv") for r in ("all",)]
    check(len(facts[0]) == len(table(work.path / "fresh2")), "timings")


def other_cut(work):
    """Shards of 3 and of 4 overlap: what agrees is joined once."""
    study = work.study(with_results(ONE, work))
    run_shards(work, study, n=3, shards=(1, 2))
    run_shards(work, study, n=4)
    run = work.ensrun("merge", folder(work, 1, 3), folder(work, 2, 3),
                      *(folder(work, k) for k in range(1, 5)), "-o",
                      work.path / "all")
    check("recorded twice" in run.stderr, run.stderr)
    work.run(study, work.path / "ref")
    expect_same(work.path / "all", work.path / "ref", "3 and 4")
    work.verify(work.path / "all")


def inputs(work):
    """An input that is another file is refused; one that was only copied or
    touched is not."""
    data = work.path / "d.csv"
    text = "x,y\n" + "".join(f"{i},{i * i % 7}\n" for i in range(40))
    data.write_text(text)
    study = work.study(with_results(
        "[study]\nkind = simulation\nreplicates = 40\n[inputs]\nd = d.csv\n"
        "[data]\ngenerator = bootstrap\ninput = d\n[fit]\nfitter = ols\n"
        "formula = y ~ x\n", work))
    run_shards(work, study, n=3, shards=(1,))
    data.write_text(text.replace("3,2", "3,5"))
    run_shards(work, study, n=3, shards=(2,))
    run = merge(work, 3, BAD, shards=(1, 2))
    check("input d has other content" in run.stderr, run.stderr)
    check(not (work.path / "all").exists(), "something was written")
    shutil.rmtree(folder(work, 2, 3))
    data.write_text(text)
    run_shards(work, study, n=3, shards=(2, 3))
    merge(work, 3)
    work.run(study, work.path / "ref")
    expect_same(work.path / "all", work.path / "ref", "with an input")


def hosts(work):
    """Another CPU class is named; with `exact` it is an error."""
    study = work.study(with_results(ONE, work))
    run_shards(work, study, n=2)
    facts = folder(work, 2, 2) / "run.json"
    other = json.loads(facts.read_text())
    other["cpu"], other["host"] = "Other CPU (0123)", "node7"
    facts.write_text(json.dumps(other))
    run = merge(work, 2)
    check("node7" in run.stderr and "last bits" in run.stderr, run.stderr)
    shutil.rmtree(work.path / "all")
    for k in (1, 2):
        ini_file = folder(work, k, 2) / "study.ini"
        ini_file.write_text(ini_file.read_text().replace("exact = no",
                                                         "exact = yes"))
    run = merge(work, 2, BAD)
    check("exact" in run.stderr and "node7" in run.stderr, run.stderr)


def loop(work):
    """The example: rounds until all is done."""
    study = work.study(with_results(THREE, work))
    run = work.start(study, 3, program=SOURCE / "launch/examples/shards",
                     env={"ENSRUN": ENSRUN})
    run.wait(expect=OK)
    work.run(study, work.path / "ref")
    expect_same(work.path / "all", work.path / "ref", "the example")
    plan = work.ensrun("plan", study).stdout
    check("at most 3 rounds" in plan, plan)
    check("one round" in work.ensrun("plan", work.study(ONE)).stdout, "plan")


def unfinished(work):
    """`run --json` and `merge --json` say what is left."""
    study = work.study(with_results(THREE, work))
    run = start_shard(work, study, 2, "--json")
    run.wait(expect=OK)
    out = json.loads(run.stdout)
    check(out["shard"] == "2/4" and out["stage"] == "stage1"
          and out["part_left"] == 0 and out["part"] > 0, f"{out}")
    run = work.ensrun("merge", folder(work, 2), "-o", work.path / "all",
                      "--json")
    out = json.loads(run.stdout)
    check(out["segments"] == 1 and not out["complete"] and out["left"] > 0,
          f"{out}")
    run = work.ensrun("merge", folder(work, 2), "-o", work.path / "all",
                      "--json", "--join-only")
    check(json.loads(run.stdout)["segments"] == 0, run.stdout)


def one_folder(work):
    """All parts one after another in one folder are the study."""
    study = work.study(THREE)
    for _ in range(3):
        for k in range(1, 4):
            work.run(study, work.path / "r", "--shard", f"{k}/3")
    work.run(study, work.path / "ref")
    expect_same(work.path / "r", work.path / "ref", "in one folder")


def missing_shard(work):
    """Without a shard its tasks are left; the merged folder runs them."""
    study = work.study(with_results(THREE, work))
    run_shards(work, study, shards=(1, 2, 4))
    run = merge(work, shards=(1, 2, 4))
    check("left" in run.stderr and "stage1" in run.stderr, run.stderr)
    work.ensrun("run", work.path / "all", "--progress", "none")
    work.run(study, work.path / "ref")
    expect_same(work.path / "all", work.path / "ref", "completed")
    work.verify(work.path / "all")


def two_results(work):
    """A task with two results is named."""
    text = with_results(COMMAND, work).replace("y=$ENSRUN_SEED", "y=$WHO")
    study = work.study(text)
    for k, who in ((1, "1"), (2, "2")):
        work.ensrun("run", study, "--results", work.path / f"r{k}",
                    "--progress", "none", expect=SOME_FAILED,
                    env={"WHO": who})
    run = work.ensrun("merge", work.path / "r1", work.path / "r2", "-o",
                      work.path / "all", expect=SOME_FAILED)
    tasks = {f"run/{row['cell']}:{row['replicate']} "
             for row in table(work.path / "r1")}
    check(any(task in run.stderr for task in tasks) and "r2" in run.stderr,
          run.stderr)
    check(not (work.path / "all").exists(), "something was written")


def refused(work):
    study = work.study(with_results(ONE, work))
    run_shards(work, study, shards=(1, 2))
    one, out = folder(work, 1), work.path / "all"
    other = work.study(ONE.replace("91", "17"), "other.ini")
    work.run(other, work.path / "other")
    run = work.ensrun("merge", one, work.path / "other", "-o", out, expect=BAD)
    for word in ("seed", "91", "17"):
        check(word in run.stderr, run.stderr)
    (work.path / "full").mkdir()
    (work.path / "full" / "note").write_text("mine")
    for arguments in ((one,), ("-o", out), (one, one, "-o", out),
                      (one, work.path / "none", "-o", out),
                      (one, study, "-o", out), (one, work.path, "-o", out),
                      (one, "-o", work.path / "full"), (one, "-o", one),
                      (one, "-o", study), (one, "-o", "")):
        work.ensrun("merge", *arguments, expect=BAD)
        check(not out.exists(), f"{arguments}: something was written")
    for shard in ("0/4", "5/4", "x", "1/", "/", "1/0", "-1/4"):
        run = work.ensrun("run", study, "--shard", shard, expect=BAD)
        check("--shard" in run.stderr, run.stderr)
    work.ensrun("run", study, "--shard", "1/4", "--only", "x", expect=BAD)
    check((work.path / "full" / "note").read_text() == "mine", "a note")


def live(work):
    """A folder that is in use is not read."""
    study = work.study(with_results(
        ini("sleep_us = 200000\n", "seed = 97\nreplicates = 100\n"), work))
    run_shards(work, study, shards=(16,), n=16)
    run = start_shard(work, study, 1)
    wait_until(run.workers, 20, "worker")
    merged = work.ensrun("merge", folder(work, 16, 16), folder(work, 1), "-o",
                         work.path / "all", expect=ENVIRONMENT)
    check("in use" in merged.stderr, merged.stderr)
    check(not (work.path / "all").exists(), "something was written")
    kill(run.pid, signal.SIGINT)
    run.wait(expect=REQUEUE)


def damaged(work):
    """A block or a frame of a source that is not what was recorded."""
    study = work.study(with_results(THREE, work))
    run_shards(work, study)
    array = max((folder(work, 3) / "arrays").glob("block1.*.npy"),
                key=lambda f: f.stat().st_size)
    kept = array.read_bytes()
    array.write_bytes(kept[:128] + bytes(len(kept) - 128))
    run = merge(work, expect=ENVIRONMENT)
    check(array.name in run.stderr, run.stderr)
    array.write_bytes(kept)
    journal = max((folder(work, 2) / "journal").iterdir())
    bytes_ = bytearray(journal.read_bytes())
    bytes_[len(bytes_) // 2] ^= 1
    whole = journal.read_bytes()
    journal.write_bytes(bytes_)
    run = merge(work, expect=ENVIRONMENT)
    check(journal.name in run.stderr, run.stderr)
    journal.write_bytes(whole)
    merge(work)
    work.verify(work.path / "all")


main(one_stage, three_stages, decided, other_kinds, artifacts, plugin,
     killed, cut_off, nested,
     full_disk, stopped, retried, retried_late, edited, edited_arrays,
     scratch_arrays, mixed, inputs, hosts, loop, unfinished, other_cut,
     one_folder, missing_shard, two_results, refused, live, damaged)
