#!/usr/bin/python3
"""Kind superlearner: all files of results are the same bytes for any number of
workers, transport and host, after kills and after edits; and an edit runs what
it changes, nothing else."""
import shutil
import time

import numpy as np

import mpi
from harness import BAD, check, dice, digests, expect_same, kill, main, \
    table, wait_until
from stacking import save, study

ROWS = ("[layer 1]\npropagate = 1\n[case scaled]\npreprocess = standardise\n"
        "[learner mean]\n[learner ols]\nlayer = 1, 2\n[learner lasso]\n"
        "case = scaled\nalpha = 0.05, 0.2\n[learner knn]\ncase = scaled\n"
        "[learner forest]\ntrees = 20\n[learner boost]\nlayer = 1, 2\n"
        "rounds = 20\nmin_leaf = 3\n")
MORE = "[learner tree]\n"
SETTINGS = "shuffle = yes\nouter_folds = 2\nfolds = 3"


def exported(work, results):
    """What tasks keep, models among it: name -> bytes."""
    out = results.with_name(results.name + "_files")
    shutil.rmtree(out, ignore_errors=True)
    work.ensrun("export", results, "--files", "-o", out)
    found = {p.relative_to(out).as_posix(): p.read_bytes()
             for p in out.rglob("*") if p.is_file()}
    check(found, "no files of tasks")
    return {**found, "model.ens": (results / "model.ens").read_bytes()}


def same(work, results, reference, text):
    expect_same(results, reference[0], text)
    found = exported(work, results)
    differ = [n for n in found.keys() | reference[1].keys()
              if found.get(n) != reference[1].get(n)]
    check(not differ, f"{text}: {differ[:5]} of files differ")


def fresh(work, text, name="fresh"):
    results = work.path / name
    work.run(work.study(text, f"{name}.ini"), results, workers=1,
             transport="inline")
    return digests(results), exported(work, results)


def workers(work):
    for name, family, inputs, settings, meta in (
            ("plain", "gaussian", "", "", "nnls"),
            ("shuffled", "gaussian", "", SETTINGS, "convex"),
            ("labels", "binomial", "id = id.npy\nstrata = strata.npy\n",
             "outer_folds = 2\nfolds = 3", "nnloglik"),
            ("parts", "gaussian", "",
             "type = subsemble\nfolds = 3\nouter_folds = 3", "ols"),
            ("drawn", "gaussian", "id = id.npy\n",
             "type = blend\nshuffle = yes", "knn"),
            ("left", "gaussian", "folds = folds.npy\n",
             "type = subsemble\nfolds = 3", "nnls")):
        _, y, _ = save(work, family, more=["id", "strata"])
        np.save(work.path / "folds.npy", np.arange(len(y)) * 7 % 4 - 1.0)
        text = study(settings, ROWS, family, inputs, meta)
        reference = fresh(work, text, name)
        path = work.study(text)
        for n in (1, 2, 8):
            results = work.path / f"{name}{n}"
            work.run(path, results, workers=n)
            work.verify(results)
            same(work, results, reference, f"{name}, {n} workers")


MANY = 840001  # of three learners: stages meta_lanes, meta_risks
LINEAR = ("[learner mean]\n[learner ols]\n[case scaled]\n"
          "preprocess = standardise\n[learner again]\nlearner = ols\n"
          "case = scaled\n")


def lanes(work):
    """Of the meta learner: workers, ranks, kills of those in such stages."""
    save(work, n=MANY)
    text = study("outer_folds = 2\nfolds = 2\nshuffle = yes", LINEAR)
    reference = fresh(work, text)
    path = work.study(text)
    for n in (1, 2, 8):
        work.run(path, work.path / f"w{n}", workers=n)
        same(work, work.path / f"w{n}", reference, f"{n} workers")
    mpi.run(work, path, work.path / "ranks", ranks=4)
    same(work, work.path / "ranks", reference, "mpirun -n 4")
    for stage in ("metalanes", "metarisks"):
        for of_worker in (True, False):
            killed(work, path, stage, of_worker)
            same(work, work.path / f"{stage}{of_worker}", reference,
                 f"killed in {stage}")


def killed(work, path, stage, of_worker, name=""):
    """As soon as the stage has made its array; then on to the end."""
    results = work.path / f"{name}{stage}{of_worker}"
    run = work.start_run(path, results, workers=1)
    wait_until(lambda: not run.running
               or list(results.glob(f"arrays/{stage}.*")), 60, stage)
    check(run.running, "it ended too soon")
    for pid in run.workers() if of_worker else [run.pid]:
        kill(pid)
    run.wait(60)
    run.expect_no_process(20)
    work.run(path, results)
    work.verify(results)


def lanes_edited(work):
    """Another meta learner: its stages, and not the sums of rows; one that
    reads rows has meta alone. 16 lanes."""
    save(work, n=MANY)
    results = work.path / "edited"
    for meta, new in (("nnls", None), ("ols", 16 + 1), ("mean", 1),
                      ("nnls", 0)):
        text = study("folds = 2", LINEAR, meta=meta)
        run = work.run(work.study(text), results)
        n = next(line for line in run.stderr.split("\n") if " now in " in line)
        check(new in (None, int(n.split()[0])), f"{meta}: {n}, not {new}")
        work.verify(results)
        same(work, results, fresh(work, text, f"{meta}{new}"), meta)


def sums(work):
    """Of folds, of all outer samples, and scores that are made of them:
    workers, ranks, kills as soon as there are such."""
    save(work, n=20000)
    slow = "[learner forest]\ntrees = 20\n"
    for name, settings, rows, meta in (
            ("samples", "outer_folds = 3\nfolds = 2", "[learner ridge]\n",
             "nnls"),
            ("windows", "type = temporal", "[layer 1]\nstep_size = 1500\n"
             "burn_in = 9000\nwindow = 8000\n[learner ridge]\n", "nnls"),
            ("select", "type = select\nfolds = 3\nscorer = r2",
             "[learner lasso]\nalpha = 0.01, 0.1\ncase = scaled\n", None)):
        text = study(settings, LINEAR + rows + slow, meta=meta)
        reference = digests_of(work, text, name)
        path = work.study(text)
        for n in (2, 8):
            results = work.path / f"{name}{n}"
            work.run(path, results, workers=n)
            expect_same(results, reference, f"{name}, {n} workers")
        mpi.run(work, path, work.path / f"{name}ranks", ranks=4)
        expect_same(work.path / f"{name}ranks", reference, f"{name}, ranks")
        for stage in ("lanes1", "sums1"):
            for of_worker in (True, False):
                killed(work, path, stage, of_worker, name)
                expect_same(work.path / f"{name}{stage}{of_worker}", reference,
                            f"{name}, killed in {stage}")


def digests_of(work, text, name):
    results = work.path / f"{name}_fresh"
    work.run(work.study(text, f"{name}.ini"), results, workers=1,
             transport="inline")
    work.verify(results)
    return digests(results)


def hosts(work):
    """Ranks of one host, and ranks that do not see the results folder."""
    save(work)
    text = study(SETTINGS, ROWS)
    reference = fresh(work, text)
    path = work.study(text)
    mpi.run(work, path, work.path / "ranks", ranks=4)
    same(work, work.path / "ranks", reference, "mpirun -n 4")
    scratch = work.path / "tmp"
    scratch.mkdir()
    mpi.run(work, path, work.path / "far", ranks=3,
            env={"ENSRUN_FAR": "1", "TMPDIR": str(scratch)})
    work.verify(work.path / "far")
    same(work, work.path / "far", reference, "far ranks")


def kills(work):
    """Of workers and of the run, at any moment; rows enough to be met."""
    save(work, n=40000)
    text = study(SETTINGS, ROWS)
    reference = fresh(work, text)
    path, results, random = work.study(text), work.path / "r", dice(61)
    n_kills, n_workers, code = 0, 0, None
    while code not in (0, 1):
        run = work.start_run(path, results)
        until = time.monotonic() + 0.1
        while run.running:
            if time.monotonic() < until or n_kills >= 16:
                time.sleep(0.002)
                continue
            workers = run.workers()
            of_worker = bool(workers) and random.random() < 0.6
            n_kills += kill(random.choice(workers) if of_worker else run.pid)
            n_workers += of_worker
            until = time.monotonic() + random.uniform(0.03, 0.2)
        code = run.wait(120)
        run.expect_no_process(20)
    check(n_kills >= 4 and n_workers >= 1,
          f"{n_kills} kills, {n_workers} of workers")
    work.verify(results)
    same(work, results, reference, f"after {n_kills} kills")


def edits(work):
    """A learner more: its fits and the meta learner. Another meta learner, or a
    setting of it: that alone. What was undone is there already."""
    save(work)
    text = {name: study("", rows, meta=meta) for name, rows, meta in (
        ("first", ROWS, "nnls"), ("more", ROWS + "[learner tree]\nlayer = 2\n",
                                  "nnls"),
        ("meta", ROWS, "convex"), ("set", ROWS, "convex\ndrop_below = 0.3"),
        ("learner", ROWS, "knn"), ("back", ROWS, "nnls"))}
    results = work.path / "edited"
    for name in text:
        run = work.run(work.study(text[name]), results)
        n = int(next(line for line in run.stderr.split("\n")
                     if " now in " in line).split()[0])
        new = {"first": n, "more": 6 + 1, "back": 0}.get(name, 1)
        check(n == new, f"{name}: {n} tasks ran, not {new}")
        work.verify(results)
        same(work, results, fresh(work, text[name], name), name)


def edit_below(work):
    """A learner more in layer 1: fits of layer 1 are not redone, those that
    read it are. Arrays that were left for the day are made again."""
    save(work)
    rows = ROWS.replace("[learner mean]", "[learner mean]\n" + MORE)
    for name, settings in (("blocks", ""), ("shuffled", SETTINGS)):
        results = work.path / name
        work.run(work.study(study(settings, ROWS)), results)
        before = {r["task"]: r for r in table(results)}
        text = study(settings, rows)
        work.run(work.study(text), results)
        for row in table(results):
            old = before.get(row["task"])
            check(old is None or not row["task"].startswith("layer1/")
                  or old == row, f"{row['task']} was changed")
        same(work, results, fresh(work, text, name + "_fresh"), name)


def layers_edited(work):
    """What a layer says is of those that follow, too: columns handed on, rows
    that are predicted."""
    save(work, more=["id"])
    rows = "[learner mean]\n[learner ols]\nlayer = 1, 2\n"
    texts = [study("", of + rows, inputs="id = id.npy")
             for of in ("", "[layer 1]\npropagate = 1\n",
                        "[layer 1]\npropagate = 2\n",
                        "[layer 2]\npropagate = 2\n",
                        "[layer 1]\nfolds = 4\n",
                        "[layer 1]\ntype = subsemble\n")]
    texts += [study("", f"[layer 1]\ntype = temporal\nstep_size = 10\n"
                    f"burn_in = {n}\n[layer 2]\nshuffle = yes\n" + rows)
              for n in (10, 13, 20)]
    texts += [study("", f"[layer 1]\ntype = blend\nshuffle = {drawn}\n"
                    f"test_size = {n}\n" + rows)
              for drawn, n in (("yes", 60), ("no", 60), ("yes", 50),
                               ("yes", 60))]
    for i, text in enumerate(texts):
        kind = "id" if "id.npy" in text else "time" if "temp" in text else "part"
        work.run(work.study(text), work.path / kind)
        same(work, work.path / kind, fresh(work, text, f"fresh{i}"),
             f"{i}: {text}")


def there_and_back(work):
    """Arrays that two versions of a layer write in turn: the second time they
    are made again, which no journal says."""
    save(work, more=["id"])
    rows = "[learner mean]\n[learner ols]\nlayer = 1, 2\n"
    for i, (of, meta) in enumerate((("folds = 4", "nnls"),
                                    ("type = subsemble", "nnls"),
                                    ("folds = 4", "convex"),
                                    ("type = subsemble", "convex"))):
        text = study("", f"[layer 1]\n{of}\n" + rows,
                     inputs="id = id.npy", meta=meta)
        work.run(work.study(text), work.path / "r")
        same(work, work.path / "r", fresh(work, text, f"fresh{i}"), str(i))


def left_behind(work):
    """Scratch of a run that was killed, set aside by one that has no use for
    it, is of use again."""
    save(work, n=20000)
    rows = "[learner mean]\n[learner ols]\nlayer = 1, 2\n"
    trees = "[learner boost]\nrounds = 20\n"
    results = work.path / "r"
    run = work.start_run(work.study(study("", rows + trees)), results)
    wait_until(lambda: not run.running or list(results.glob("arrays/fits1.*")),
               60, "fits")
    check(kill(run.pid), "it ended too soon")
    run.wait(60)
    run.expect_no_process(20)
    work.run(work.study(study("", rows)), results)
    check(list(results.glob("arrays/unused/bins1.*")), "nothing set aside")
    work.run(work.study(study("", rows + trees)), results)
    same(work, results, fresh(work, study("", rows + trees)), "again")


def inputs_edited(work):
    """Weights, ids ... that come or go concern every fit: refused."""
    save(work, more=["id", "weights", "strata"])
    rows, results = "[learner mean]\n[learner ols]\n", work.path / "r"
    work.run(work.study(study("", rows, inputs="id = id.npy")), results)
    for inputs in ("", "id = id.npy\nweights = weights.npy\n",
                   "id = id.npy\nstrata = strata.npy", "weights = id.npy"):
        run = work.run(work.study(study("", rows, inputs=inputs)), results,
                       expect=BAD)
        check("--restart" in run.stderr, run.stderr)


def again(work):
    """Nothing to do, nothing written."""
    save(work)
    path, results = work.study(study(SETTINGS, ROWS)), work.path / "r"
    work.run(path, results)
    before = {p: p.read_bytes() for p in results.rglob("*") if p.is_file()}
    work.run(path, results, workers=1)
    after = {p: p.read_bytes() for p in results.rglob("*") if p.is_file()}
    check(before == after, "a run without work wrote something")


def fit_again(work):
    """--only: the same bits, from what is kept."""
    save(work)
    path, results = work.study(study(SETTINGS, ROWS)), work.path / "r"
    work.run(path, results)
    for row in table(results):
        if not row["task"].endswith("/r00002") or row["task"].count("/") != 2:
            continue
        run = work.run(path, results, "--only", row["task"])
        check("equal to the stored result" in run.stderr + run.stdout,
              f"{row['task']}: {run.stderr}")


def row_order(work):
    """A row more at the end is other data: an error, not a mixture."""
    x, y, _ = save(work)
    path, results = work.study(study("", "[learner ols]\n")), work.path / "r"
    work.run(path, results)
    np.save(work.path / "X.npy", x[:, ::-1])
    run = work.run(path, results, expect=2)
    check("X" in run.stderr, run.stderr)


main(workers, lanes, lanes_edited, sums, hosts, kills, edits, edit_below,
     layers_edited, there_and_back, left_behind, inputs_edited, again,
     fit_again, row_order)
