#!/usr/bin/python3
"""Kind superlearner: groups of a layer. Each divides the layer's rows in its
own way and predicts what a layer of its own would; the next layer and the meta
learner see the rows that all of them predict."""
import time

import numpy as np

import mpi
from harness import BAD, check, dice, digests, expect_same, kill, \
    main, table
from stacking import blocks, by_folds, data, learners, left_out, mean, near, \
    nnls, ols, one, predicted, save, study, weights

BOTH = "[learner mean]\n[learner ols]\n"
FITS = (("mean", mean), ("ols", ols))


def run(work, text, results="r"):
    work.run(work.study(text), work.path / results)
    work.verify(work.path / results)
    return work.path / results


def grouped(*groups):
    """Learners mean and ols in groups."""
    return BOTH.replace("]\n", "]\ngroup = " + ", ".join(groups) + "\n")


def past(fit, x, y, burn_in, step, window):
    """Type temporal: the first fit sees all rows up to burn_in."""
    at, out = burn_in, []
    while at < len(y):
        first = 0 if at == burn_in else max(at - window, 0)
        out.append(fit(x[first:at], y[first:at], x[at:at + step]))
        at += step
    return np.concatenate(out)


def by_parts(fit, x, y, n_parts, n_folds):
    """Type subsemble: a column for each partition."""
    parts = [blocks(p[0], p[-1] + 1, n_folds)
             for p in blocks(0, len(y), n_parts)]
    out = np.full((len(y), n_parts), np.nan)
    for j in range(n_parts):
        for k in range(n_folds):
            train = np.concatenate(parts[j][:k] + parts[j][k + 1:])
            test = np.concatenate([part[k] for part in parts])
            out[test, j] = fit(x[train], y[train], x[test])
    return out


def alone(work, results, group, settings, layer=""):
    """The group's predictions are, byte for byte, those of a study whose only
    layer divides its rows so."""
    other = run(work, study(settings, layer + BOTH), f"alone_{group}")
    for name, _ in FITS:
        check(predicted(results, f"layer1_{group}/{name}").tobytes() ==
              predicted(other, f"layer1/{name}").tobytes(),
              f"{group}: {name} differs from that of a study of its own")


# -- predictions and weights ------------------------------------------------------

def folds(work):
    """2, 10 and, of learners that name no group, 3 folds side by side."""
    x, y, _ = save(work)
    results = run(work, study(
        "folds = 3", "[group two]\nfolds = 2\n[group ten]\nfolds = 10\n" +
        grouped("two", "ten") + "[learner plain]\nlearner = ols\n"))
    z = {f"_{g}/{name}": by_folds(fit, x, y, blocks(0, len(y), k))
         for name, fit in FITS for g, k in (("two", 2), ("ten", 10))}
    z["/plain"] = by_folds(ols, x, y, blocks(0, len(y), 3))
    order = ["_two/mean", "_ten/mean", "_two/ols", "_ten/ols", "/plain"]
    for name in order:
        near(predicted(results, f"layer1{name}"), z[name], name)
    near(weights(results), nnls(np.column_stack([z[n] for n in order]), y),
         "weights")
    alone(work, results, "two", "folds = 2")
    alone(work, results, "ten", "folds = 10")
    for file in ("weights.csv", "scores.csv"):
        rows = table(results, file)
        check([(r["group"], r["learner"]) for r in rows] ==
              [("two", "mean"), ("ten", "mean"), ("two", "ols"),
               ("ten", "ols"), ("", "plain")] or file == "scores.csv" and
              len(rows) == 5, f"{file}: {rows}")
    near([float(r["weight"]) for r in table(results, "weights.csv")],
         weights(results), "weights.csv")
    risks = table(results, "risks.csv")
    check([r["predictor"] for r in risks[:5]] ==
          ["two/mean", "ten/mean", "two/ols", "ten/ols", "plain"],
          f"risks.csv: {risks}")
    near([float(r["risk"]) for r in risks[:5]],
         [((z[n] - y) ** 2).mean() for n in order], "risks")
    text = work.ensrun("show", results, "summary").stdout
    check(text.split("\n")[0].split()[:4] ==
          ["layer", "group", "case", "learner"], text)
    without = run(work, study("", BOTH), "without")
    check("group" not in table(without, "weights.csv")[0], "a column group")


def windows(work):
    """Two temporal windows: their rows from the later burn-in on."""
    x, y, _ = save(work)
    layer = "[layer 1]\nstep_size = 9\nburn_in = {}\nwindow = {}\n"
    text = study(
        "type = temporal", layer.format(20, 0) +
        "[group short]\nwindow = 12\nburn_in = 31\n[group long]\nwindow = 40\n"
        + grouped("short", "long"))
    results = work.path / "r"
    said = work.run(work.study(text), results).stderr
    check("layer 1: 11 of the rows that its groups predict are left out, as "
          "not all predict them" in said, said)
    want = {f"{g}/{name}": past(fit, x, y, burn_in, 9, window)
            for name, fit in FITS
            for g, burn_in, window in (("short", 31, 12), ("long", 20, 40))}
    for name, p in want.items():
        near(predicted(results, f"layer1_{name}"), p, name)
    z = np.column_stack([p[-(len(y) - 31):] for p in want.values()])
    near(weights(results), nnls(z, y[31:]), "weights", 1e-7)
    alone(work, results, "short", "type = temporal", layer.format(31, 12))
    alone(work, results, "long", "type = temporal", layer.format(20, 40))
    work.ensrun("export", results, "--table", "predictions", "-o",
                work.path / "p.csv")
    rows = np.genfromtxt(work.path / "p.csv", delimiter=",", names=True,
                         deletechars="")
    check(list(rows.dtype.names) == ["row", *want], f"{rows.dtype.names}")
    near(np.column_stack([rows[n] for n in want]), z, "table predictions")
    near(rows["row"], np.arange(32, len(y) + 1), "rows of it")


MIXED = ("[group ends]\ntype = blend\ntest_size = 40\n"
         "[group parts]\ntype = subsemble\npartitions = 3\nfolds = 2\n"
         "[layer 1]\npropagate = 2\n")


def mixed(work):
    """K folds, blend and subsemble, then a layer of two groups; predictions of
    new rows by the models fitted on all rows of each."""
    x, y, _ = save(work)
    results = run(work, study(
        "folds = 4", MIXED + "[learner ols]\ngroup = ends, parts\n"
        "[learner plain]\nlearner = ols\n[group nine]\nfolds = 9\n"
        "[learner last]\nlearner = ols\nlayer = 2\ngroup = nine\n"
        "[learner other]\nlearner = mean\nlayer = 2\n"))
    cut, n = len(y) - 40, len(y)
    want = {"_ends/ols": ols(x[:cut], y[:cut], x[cut:]),
            "_parts/ols": by_parts(ols, x, y, 3, 2),
            "/plain": by_folds(ols, x, y, blocks(0, n, 4))}
    for name, p in want.items():
        near(predicted(results, f"layer1{name}"), p, name)
    second = np.column_stack([x[cut:, 1]] + [p[-40:] for p in want.values()])
    z = [by_folds(ols, second, y[cut:], blocks(0, 40, 9)),
         by_folds(mean, second, y[cut:], blocks(0, 40, 4))]
    near(predicted(results, "layer2_nine/last"), z[0], "last", 1e-6)
    near(predicted(results, "layer2/other"), z[1], "other")
    w = nnls(np.column_stack(z), y[cut:])
    near(weights(results), w, "weights", 1e-6)
    new = data(n, 77)["X"]
    np.save(work.path / "new.npy", new)
    first = np.column_stack(
        [new[:, 1], ols(x, y, new)] +
        [ols(x[p], y[p], new) for p in blocks(0, n, 3)] + [ols(x, y, new)])
    expected = (w[0] * ols(second, y[cut:], first) + w[1] * y[cut:].mean())
    for model in (results, results / "model.ens"):
        work.ensrun("predict", model, "-i", work.path / "new.npy", "-o",
                    work.path / "out.npy", "--force")
        near(np.load(work.path / "out.npy").ravel(), expected, "new rows",
             1e-6)
    return results


def many(work):
    """Rows that stage meta has summed in lanes: those that all groups predict,
    fewer than any stage before it sees. Weights have the residuals that least
    squares with none below 0 have."""
    n = 380001
    _, y, _ = save(work, n=n)
    results = run(work, study(
        "folds = 2", "[group ends]\ntype = blend\n[learner lasso]\nalpha = " +
        ", ".join(f"{0.05 * i:.2f}" for i in range(1, 21)) + "\n[learner tree]\n"
        "depth = 2\ngroup = ends\n"))
    check("meta_lanes" in (results / "log.txt").read_text(), "no lanes")
    cut = n - n // 2
    z = np.column_stack([predicted(results, name)[-(n - cut):]
                         for name in learners(results)])
    w, y = weights(results), y[cut:]
    p = z @ w
    check(abs(w.sum() - 1) < 1e-12 and w.min() >= 0 and w[-1] > 0.1, f"{w}")
    slope = z.T @ (y - p * (p @ y) / (p @ p)) / len(y)
    check(slope.max() < 1e-7 and abs(slope[w > 0]).max() < 1e-7, f"{slope}")
    risks = one(results, "risks")[0]
    square = (np.column_stack([z, p]) - y[:, None]) ** 2
    near(risks[:22, 0], np.full(22, n // 2), "rows")
    near(risks[:22, 1], square.mean(0), "risks")


def training_rows(work):
    """knn reads the rows it was fitted on, of its group's partition, and of the
    layer before those that all groups predict."""
    save(work)
    rows = MIXED + ("[case s]\npreprocess = standardise\n"
                    "[learner knn]\nk = 3\ngroup = ends, parts\n"
                    "[learner ols]\n"
                    "[learner near]\nlearner = knn\nlayer = 2\n")
    results = run(work, study("", rows, meta="knn\nk = 4"))
    new = work.path / "new.npy"
    np.save(new, data(50, 78)["X"])
    work.ensrun("predict", results, "-i", new, "-o", work.path / "out.npy")
    whole = np.load(work.path / "out.npy")
    check(np.isfinite(whole).all() and whole.std() > 0, f"{whole}")
    x, y, _ = save(work)
    far = np.load(new)
    nearest = [y[p][((far[:, None] - x[p]) ** 2).sum(2).argmin(1)]
               for p in (np.arange(103), *blocks(0, 103, 2))]
    for drawn in ("no", "yes"):
        results = run(work, study(
            "folds = 3", "[group parts]\ntype = subsemble\n"
            f"shuffle = {drawn}\n[learner knn]\nk = 1\ngroup = parts\n"
            "[learner all]\nlearner = knn\nk = 1\n", meta="average"),
            f"k1{drawn}")
        work.ensrun("predict", results, "-i", new, "-o", work.path / "k1.npy",
                    "--force")
        found = np.load(work.path / "k1.npy").ravel()
        if drawn == "no":
            near(found, np.mean(nearest, 0), "nearest of partitions")
        else:  # one of two partitions has the nearest of all rows
            other = 3 * found - 2 * nearest[0]
            check(np.isin(np.round(other, 9), np.round(y, 9)).all(),
                  f"{other}")


def picked(work):
    """A group that is alone in its layer may predict any rows."""
    x, y, _ = save(work)
    rows = ("[group g]\ntype = blend\nshuffle = yes\ntest_size = 60\n" +
            grouped("g") + "[learner last]\nlearner = ols\nlayer = 2\n")
    results = run(work, study("", rows))
    found = list((results / "arrays").glob("index1_g.*.npy"))
    check(len(found) == 1, f"{len(found)} arrays index1_g")
    out = np.load(found[0])
    rest = np.setdiff1d(np.arange(len(y)), out)
    near(predicted(results, "layer1_g/ols"), ols(x[rest], y[rest], x[out]),
         "rows that are drawn")
    second = ols(x[rest], y[rest], x[out])[:, None]
    near(predicted(results, "layer2/last"),
         by_folds(ols, second, y[out], blocks(0, 60, 5)), "layer 2", 1e-6)
    work.ensrun("predict", results, "-i", work.path / "X.npy", "-o",
                work.path / "p.npy")


def classes(work):
    """Probabilities of three classes; one group has two partitions."""
    x, y, _ = save(work, "multinomial")
    results = run(work, study(
        "classes = 3\nfolds = 3", "[group parts]\ntype = subsemble\n"
        "[group five]\nfolds = 5\n[learner logistic]\ngroup = parts, five\n"
        "[learner lda]\n", "multinomial"))
    p = [predicted(results, n) for n in learners(results)]
    check([a.shape for a in p] == [(103, 3), (103, 6), (103, 3)] and
          list(learners(results)) ==
          ["layer1/lda", "layer1_parts/logistic", "layer1_five/logistic"],
          f"{[a.shape for a in p]}, {learners(results)}")
    z = np.column_stack([p[1][:, :3].ravel(), p[1][:, 3:].ravel(),
                         p[2].ravel(), p[0].ravel()])
    hot = (y[:, None] == np.arange(3)).ravel() * 1.0
    near(weights(results), nnls(z, hot), "weights")
    names = [(r["group"], r["learner"], r["partition"])
             for r in table(results, "weights.csv")]
    check(names == [("parts", "logistic", "1"), ("parts", "logistic", "2"),
                    ("five", "logistic", "1"), ("", "lda", "1")], f"{names}")
    work.ensrun("predict", results, "-i", work.path / "X.npy", "--proba", "-o",
                work.path / "p.npy")
    near(np.load(work.path / "p.npy").sum(1), np.ones(103), "sums", 1e-6)


def select(work):
    """Learners compared by 2 and by 10 folds; search ranks them together."""
    x, y, _ = save(work)
    results = run(work, study(
        "type = select\nfolds = 10", "[group two]\nfolds = 2\n"
        "[learner ols]\ngroup = two\n[learner mean]\n", meta=""))
    scores = {r["learner"]: r for r in table(results, "scores.csv")}
    for name, fit, k, group in (("ols", ols, 2, "two"), ("mean", mean, 10, "")):
        p = by_folds(fit, x, y, blocks(0, len(y), k))
        near(float(scores[name]["score"]),
             np.mean([np.sqrt(((p - y)[f] ** 2).mean())
                      for f in blocks(0, len(y), k)]), name)
        check(scores[name]["group"] == group and
              scores[name]["folds"] == str(k), f"{scores[name]}")
    text = work.ensrun("show", results, "search").stdout
    check(text.split()[:3] == ["layer", "group", "partition"], text)


# -- folds that are drawn -----------------------------------------------------------

def found_folds(p):
    """By what learner mean says: each fold has a value of its own."""
    return sorted(tuple(np.flatnonzero(p == v)) for v in np.unique(p))


def repeats(work):
    """Groups that say the same draw folds of their own: repeated K folds."""
    x, y, _ = save(work)
    results = run(work, study(
        "shuffle = yes", "[group a]\n[group b]\n[group blocks]\nshuffle = no\n"
        + grouped("a", "b", "blocks")))
    found = {g: found_folds(predicted(results, f"layer1_{g}/mean"))
             for g in ("a", "b", "blocks")}
    check(found["a"] != found["b"], "two groups have the same folds")
    check(found["blocks"] == [tuple(f) for f in blocks(0, len(y), 5)],
          "folds that are not drawn are blocks")
    z = []
    for name, fit in FITS:
        for g, rows in found.items():
            check(sorted(map(len, rows)) == [20, 20, 21, 21, 21], f"{rows}")
            z.append(by_folds(fit, x, y, [np.array(r) for r in rows]))
            near(predicted(results, f"layer1_{g}/{name}"), z[-1],
                 f"{g}: {name}")
    near(weights(results), nnls(np.column_stack(z), y), "weights")


def outer(work):
    """Every layer and group leaves out the same rows of an outer sample,
    whether its own folds are drawn or not."""
    for first, name in (("yes", "drawn"), ("no", "blocks")):
        x, y, _ = save(work)
        results = run(work, study(
            f"outer_folds = 3\nshuffle = {first}", "[layer 2]\nshuffle = no\n"
            "[group drawn]\nshuffle = yes\nfolds = 3\n[group even]\n"
            "shuffle = no\n[group parts]\ntype = subsemble\n"
            "[learner ols]\ngroup = drawn\n[learner mean]\nlayer = 1, 2\n"
            "group = drawn, even, parts\n[learner plain]\nlearner = mean\n"
            "layer = 2\n"), name)
        want = [left_out(results, "layer1_even/mean", v, y) for v in range(3)]
        check(sorted(sum(want, ())) == list(range(len(y))), f"{want}")
        check((want == [tuple(b) for b in blocks(0, len(y), 3)]) ==
              (first == "no"), f"{name}: {want}")
        for learner in ("layer1_drawn/mean", "layer2_drawn/mean",
                        "layer2_even/mean", "layer2/plain"):
            for v in range(3):
                check(left_out(results, learner, v, y) == want[v],
                      f"{name}: {learner}, sample {v + 1}")
        cell = learners(results)["layer2/plain"]
        p = np.load(results / f"arrays/outer2.{cell}.npy")
        i = [r["predictor"] for r in table(results, "risks.csv")].index("plain")
        near(one(results, "risks")[1:, i, 1],
             [((p[v] - y)[list(want[v])] ** 2).mean() for v in range(3)],
             "risks of rows left out")


# -- bytes -------------------------------------------------------------------------

ALL = ("[case scaled]\npreprocess = standardise\n[group few]\nfolds = 2\n"
       "[group drawn]\nshuffle = yes\n[group clusters]\ntype = subsemble\n"
       "partition_by = kmeans\nfolds = 3\n[group ends]\ntype = blend\n"
       "[learner ols]\ngroup = few, drawn, ends\n[learner lasso]\n"
       "case = scaled\nalpha = 0.05, 0.2\n[learner forest]\ntrees = 10\n"
       "group = drawn, clusters\n[learner boost]\nlayer = 1, 2\nrounds = 10\n"
       "group = few, drawn\nmin_leaf = 3\n[learner knn]\nlayer = 2\n")


def fresh(work, text, name="fresh"):
    results = work.path / name
    work.run(work.study(text, f"{name}.ini"), results, workers=1,
             transport="inline")
    return digests(results), (results / "model.ens").read_bytes()


def same(results, reference, text):
    expect_same(results, reference[0], text)
    check((results / "model.ens").read_bytes() == reference[1],
          f"{text}: model.ens differs")


def workers(work):
    save(work)
    without = ALL.replace("[group ends]\ntype = blend\n", "").replace(
        ", ends", "")
    for name, settings, rows in (("all", "folds = 3", ALL),
                                 ("outer", "folds = 3\nouter_folds = 2",
                                  without)):
        text = study(settings, rows)
        reference = fresh(work, text, name)
        for n in (1, 2, 8):
            results = run(work, text, f"{name}{n}") if n == 2 else None
            if results is None:
                results = work.path / f"{name}{n}"
                work.run(work.study(text), results, workers=n)
            same(results, reference, f"{name}, {n} workers")
        mpi.run(work, work.study(text), work.path / f"{name}mpi", ranks=4)
        same(work.path / f"{name}mpi", reference, f"{name}, mpirun -n 4")


def kills(work):
    save(work, n=20000)
    text = study("folds = 3", ALL)
    reference = fresh(work, text)
    path, results, random = work.study(text), work.path / "r", dice(62)
    n_kills, code = 0, 0
    while code not in (0, 1) or n_kills == 0:
        process = work.start_run(path, results)
        until = time.monotonic() + 0.1
        while process.running:
            if time.monotonic() < until or n_kills >= 10:
                time.sleep(0.002)
                continue
            found = process.workers()
            of_worker = bool(found) and random.random() < 0.5
            n_kills += kill(random.choice(found) if of_worker else process.pid)
            until = time.monotonic() + random.uniform(0.05, 0.2)
        code = process.wait(120)
        process.expect_no_process(20)
    check(n_kills >= 3, f"{n_kills} kills")
    work.verify(results)
    same(results, reference, f"after {n_kills} kills")


def edits(work):
    """A group more beside what was fitted without any: its fits and the meta
    learner. Another way to divide its rows: the same again. Its name is part of
    what it draws: another name, other fits."""
    save(work)
    group = "[group g]\nfolds = 3\n[learner more]\nlearner = ols\ngroup = g\n"
    texts = {"first": BOTH, "more": BOTH + group,
             "folds": BOTH + group.replace("3", "4"),
             "name": BOTH + group.replace("group g", "group h").replace(
                 "= g", "= h"), "back": BOTH}
    results, times = work.path / "edited", {}
    for name, rows in texts.items():
        text = study("", rows)
        found = work.run(work.study(text), results)
        n = int(next(line for line in found.stderr.split("\n")
                     if " now in " in line).split()[0])
        fits = {"more": 4, "folds": 5, "name": 4}.get(name, 0)
        n_fits = sum(r["task"].startswith(("layer1_g", "layer1_h"))
                     for r in table(results))
        check(n_fits == fits, f"{name}: {n_fits} fits of the group")
        check(name != "back" or n == 0, f"{name}: {n} tasks ran")
        took = [r["seconds"] for r in table(results, "timings.csv")
                if r["task"].startswith("layer1/")]
        check(len(took) == 12 and took == times.setdefault("first", took),
              f"{name}: fits of other learners ran again")
        same(results, fresh(work, text, name), name)


def plan(work):
    """Arrays, stages and the memory of each group's tasks."""
    save(work)
    text = study("", "[group two]\nfolds = 2\n" + grouped("two") +
                 "[learner forest]\n")
    out = work.ensrun("plan", work.study(text)).stdout
    for name in ("predicted1 ", "predicted1_two ", "fits1_two ",
                 "layer1_two_lanes", "layer1: forest", "layer1: two/ols"):
        check(name in out, f"{name} is not in: {out}")


# -- errors --------------------------------------------------------------------------

def refused(work):
    save(work)
    seventeen = [f"g{i}" for i in range(17)]
    for settings, rows, error in (
            ("", "[group fast]\n[learner ols]\ngroup = fats\n",
             "STUDY:16: [learner ols] group: no [group fats]; did you mean "
             "fast?"),
            ("", "[learner ols]\ngroup = fast\n", "STUDY:15: [learner ols] "
             "group: there is no [group fast]; add that section"),
            ("", "[group fast]\n[group slow]\n[learner ols]\ngroup = fast\n",
             "[group slow]: no learner is in it; [learner NAME] group = slow "
             "puts one there"),
            ("", "[group fast]\nlayer = 2\n[learner ols]\ngroup = fast\n",
             "STUDY:15: [group fast] layer: unknown"),
            ("", "[group a-b]\n[learner ols]\ngroup = a-b\n", "[group a-b]: a "
             "group's name is letters, digits and _, at most 16 of them"),
            ("", "[group abcdefghijklmnopq]\n[learner ols]\n"
             "group = abcdefghijklmnopq\n", "[group abcdefghijklmnopq]: a "
             "group's name is letters, digits and _, at most 16 of them"),
            ("", "[group lanes]\n[learner ols]\ngroup = lanes\n",
             "[group lanes]: the name ends in \"lanes\", as those of stages do"
             "; take another"),
            ("", "[group my_sorted]\n[learner ols]\ngroup = my_sorted\n",
             "[group my_sorted]: the name ends in \"sorted\""),
            ("outer_folds = 2", "[group ends]\ntype = blend\n[learner ols]\n"
             "[learner mean]\ngroup = ends\n", "outer_folds: not with "
             "[group ends], which predicts 51 of 103 rows"),
            ("", "[group some]\ntype = blend\nshuffle = yes\n[learner ols]\n"
             "[learner mean]\ngroup = some\n", "[group some]: predicts rows "
             "that are drawn, or decided by id, strata or folds; in layer 1, "
             "which has several groups, each predicts all rows, or the last "
             "ones"),
            ("", "[group many]\nfolds = 104\n[learner ols]\ngroup = many\n",
             "[group many]: folds = 104: there are 103 rows only"),
            ("", "[group ends]\ntype = blend\ntest_size = 103\n[learner ols]\n"
             "group = ends\n", "[group ends]: test_size: 103 of 103 rows"),
            ("", "[group ends]\ntype = blend\ntest_size = 4\n[learner ols]\n"
             "group = ends\n[learner knn]\nlayer = 2\n", "[layer 2]: folds = "
             "5: there are 4 rows only"),
            ("", "[group a]\n[learner ols]\ngroup = a, a\n", "[learner ols] "
             "group: a is given twice"),
            ("", "".join(f"[group {g}]\n" for g in seventeen) +
             "[learner ols]\ngroup = " + ", ".join(seventeen) + "\n",
             "[group g16]: at most 16 groups")):
        path = work.study(study(settings, rows))
        found = work.run(path, work.path / "r", expect=BAD)
        text = found.stderr.replace(str(path), "STUDY").replace(
            path.name, "STUDY")
        check(error in text, f"{error!r} is not in: {text}")


def most(work):
    """As many groups as there may be, in two layers."""
    save(work)
    names = [f"g{i}" for i in range(16)]
    results = run(work, study("folds = 2", "".join(
        f"[group {g}]\nfolds = {i + 2}\n" for i, g in enumerate(names)) +
        "[learner mean]\ngroup = " + ", ".join(names) + "\nlayer = 1, 2\n"
        "[learner ols]\nlayer = 1, 2\n"))
    check(len(weights(results)) == 17, f"{weights(results)}")


main(folds, windows, mixed, many, training_rows, picked, classes, select,
     repeats, outer, workers, kills, edits, plan, refused, most)
