#!/usr/bin/python3
"""Type select: linear learners are scored from sums of folds, without reading
rows again. Scores are those of the predictions, and no predictions are kept
unless they are asked for."""
import csv

import numpy as np

from harness import check, expect_same, main, table
from stacking import blocks, learners, predicted

CASES = {"plain": "none", "standard": "standardise", "minmax": "minmax",
         "some": "subset(5, 1, 2)", "turned": "standardise, pca(3)",
         "screened": "standardise, screen_rank(4), minmax", "bent": "poly(2)"}
FEW = ("plain", "turned", "bent")
LEARNERS = ("[learner mean]\n[learner ols]\n[learner ridge]\nalpha = 3\n"
            "[learner lasso]\nalpha = 0.05\n[learner elastic_net]\n"
            "alpha = 0.1, 0.01\n[learner ridge_cv]\n[learner lasso_cv]\n"
            "[learner elastic_net_cv]\n[learner knn]\n")


def save(work, n=331, noise=0.5, far=0.0, seed=5):
    r = np.random.RandomState(seed)
    x = r.standard_normal((n, 6)) @ (np.eye(6) + 0.4 * np.ones((6, 6)))
    x[:, 3] = 20 * x[:, 3] + far
    y = 2 + x @ [1, -2, 0, 0.1, 0.5, 0] + noise * r.standard_normal(n)
    w = r.uniform(0.5, 2, n) * (np.arange(n) % 9 > 0)
    for name, array in (("X", x), ("y", y), ("w", w)):
        np.save(work.path / f"{name}.npy", array)
    return x, y, w


def study(work, more="", layer="", scorer="mse", weights=False, keep=True,
          cases=CASES):
    """Learners in those cases."""
    steps = "".join(f"[case {key}]\npreprocess = {CASES[key]}\n"
                    for key in cases)
    rows = LEARNERS.replace("]\n", f"]\ncase = {', '.join(cases)}\n")
    if weights:  # which it does not take
        rows = rows[:rows.index("[learner knn]")]
    return work.study(
        "[study]\nkind = superlearner\nname = s\nseed = 2\n[inputs]\n"
        "X = X.npy\ny = y.npy\n" + ("weights = w.npy\n" if weights else "")
        + f"[superlearner]\ntype = select\nscorer = {scorer}\n"
        f"predictions = {'yes' if keep else 'no'}\n{more}\n{layer}{steps}"
        f"{rows}")


def scored(results):
    """(learner, partition, fold) -> its fit."""
    return {(row["task"].rsplit("/", 1)[0], int(row["partition"]),
             int(row["fold"])): row
            for row in table(results) if row["fold"] != ""}


def near(found, want, text, atol=0.0):
    check(np.allclose(found, want, rtol=1e-9, atol=atol),
          f"{text}: {found}, not {want}")


def value(scorer, y, p, w):
    square = np.average((y - p) ** 2, weights=w)
    if scorer == "r2":
        return 1 - square / np.average((y - np.average(y, weights=w)) ** 2,
                                       weights=w)
    return np.sqrt(square) if scorer == "rmse" else square


def of_predictions(work, scorer, weights, far=0.0):
    x, y, w = save(work, far=far)
    w = w if weights else np.ones(len(y))
    results = work.path / f"{scorer}{weights}"
    work.run(study(work, "folds = 4", scorer=scorer, weights=weights), results)
    fits = scored(results)
    names = list(learners(results))
    check(len(names) == (9 if weights else 10) * len(CASES), f"{names}")
    for name in names:
        p = predicted(results, name)
        for k, at in enumerate(blocks(0, len(y), 4)):
            row = fits[name, 1, k + 1]
            near(float(row["score"]), value(scorer, y[at], p[at], w[at]),
                 f"{scorer}, {name}, fold {k + 1}", 1e-9)
            near(float(row["risk"]), value("mse", y[at], p[at], w[at]),
                 f"risk, {name}, fold {k + 1}")
    for case in ("plain", "standard", "minmax"):  # one fit in three disguises
        for k, at in enumerate(blocks(0, len(y), 4)):
            train = np.setdiff1d(np.arange(len(y)), at)
            z = np.column_stack([np.ones(len(train)), x[train]])
            root = np.sqrt(w[train])
            b = np.linalg.lstsq(root[:, None] * z, root * y[train], None)[0]
            near(float(fits[f"layer1/{case}.ols", 1, k + 1]["train_score"]),
                 value(scorer, y[train], z @ b, w[train]),
                 f"{scorer}, {case}.ols, rows of fit {k + 1}", 1e-9)
            near(float(fits[f"layer1/{case}.mean", 1, k + 1]["train_score"]),
                 value(scorer, y[train],
                       np.average(y[train], weights=w[train]), w[train]),
                 f"{scorer}, {case}.mean, rows of fit {k + 1}", 1e-9)


def squares(work):
    of_predictions(work, "mse", False)
    of_predictions(work, "rmse", True)
    of_predictions(work, "r2", True, far=1e4)


def types(work):
    """Rows of all folds together, whatever decides which those are."""
    _, y, _ = save(work)
    for key, more, layer in (
            ("shuffled", "folds = 5\nshuffle = yes", ""),
            ("subsemble", "folds = 3",
             "[layer 1]\ntype = subsemble\npartitions = 2\n"),
            ("kmeans", "folds = 3\nshuffle = yes",
             "[layer 1]\ntype = subsemble\npartition_by = kmeans\n"),
            ("blend", "", "[layer 1]\ntype = blend\ntest_size = 0.3\n"),
            ("drawn", "shuffle = yes",
             "[layer 1]\ntype = blend\ntest_size = 0.3\n"),
            ("left out", "folds = 3", ""),
            ("temporal", "", "[layer 1]\ntype = temporal\nstep_size = 60\n"
             "burn_in = 120\n")):
        results = work.path / key
        path = study(work, more, layer, cases=FEW)
        if key == "left out":
            np.save(work.path / "folds.npy", np.arange(len(y)) % 4 - 1.0)
            path.write_text(path.read_text().replace(
                "y = y.npy\n", "y = y.npy\nfolds = folds.npy\n"))
        work.run(path, results)
        fits = scored(results)
        index = list(results.glob("arrays/index1.*"))
        check(len(index) == (key in ("drawn", "left out")), f"{key}: {index}")
        for name in learners(results):
            p = predicted(results, name).reshape(-1, 2 if "partition" in layer
                                                 else 1)
            rows = y[np.load(index[0])] if index else y[len(y) - len(p):]
            for j in range(p.shape[1]):
                own = [row for (n, part, _), row in fits.items()
                       if n == name and part == j + 1]
                n = np.array([int(row["n_test"]) for row in own])
                score = np.array([float(row["score"]) for row in own])
                near(n @ score / n.sum(),
                     ((rows - p[:, j]) ** 2).mean(),
                     f"{key}, {name}, {j}")


def few_digits(work):
    """What sums cannot tell rows do: errors far below the response."""
    for noise in (1e-4, 1e-7, 0):
        _, y, _ = save(work, noise=noise)
        results = work.path / f"noise{noise}"
        work.run(study(work, "folds = 3", cases=FEW), results)
        fits = scored(results)
        for name in learners(results):
            p = predicted(results, name)
            for k, at in enumerate(blocks(0, len(y), 3)):
                near(float(fits[name, 1, k + 1]["score"]),
                     ((y[at] - p[at]) ** 2).mean(),
                     f"noise {noise}, {name}, fold {k + 1}")


def not_kept(work):
    """The same scores without predictions; the same bytes however it runs."""
    save(work)
    kept, results = work.path / "kept", work.path / "r"
    more = "folds = 4\nshuffle = yes"
    work.run(study(work, more, cases=FEW), kept)
    path = study(work, more, keep=False, cases=FEW)
    work.run(path, results, workers=1)
    work.verify(results)
    check((kept / "scores.csv").read_bytes()
          == (results / "scores.csv").read_bytes(), "scores differ")
    names = {f.name.split(".")[0] for f in (results / "arrays").iterdir()} \
        if (results / "arrays").exists() else set()
    check(not names & {"predicted1", "raw1", "fits1"}, f"{names}")
    check(len(list((kept / "arrays").glob("predicted1.*"))) == 30, "kept")
    for key, how in (("two", {"workers": 2}), ("eight", {"workers": 8}),
                     ("inline", {"workers": 1, "transport": "inline"})):
        work.run(path, work.path / key, **how)
        expect_same(results, work.path / key, key)
    for name in ("predictions", "correlations"):
        run = work.ensrun("export", results, "--table", name, expect=None)
        check(run.code != 0 and "predictions = yes" in run.stderr,
              f"{run.code}: {run.stderr}")
    text = work.ensrun("export", kept, "--table", "predictions", "--to",
                       "csv").stdout
    check(len(list(csv.reader(text.splitlines()))) == 332, text[:300])
    plan = work.ensrun("plan", path).stdout
    check("sums1" in plan and "predicted1" not in plan, plan)


def layers(work):
    """Predictions that another layer learns from are kept."""
    _, y, _ = save(work)
    results = work.path / "r"
    path = work.study("[study]\nkind = superlearner\nname = s\n[inputs]\n"
                      "X = X.npy\ny = y.npy\n[superlearner]\ntype = select\n"
                      "folds = 3\nscorer = mse\n[learner ols]\n[learner knn]\n"
                      "[learner top]\nlearner = ols\nlayer = 2\n")
    work.run(path, results)
    z = np.column_stack([predicted(results, name)
                         for name in ("layer1/ols", "layer1/knn")])
    check(not list(results.glob("arrays/predicted2.*")), "layer 2 kept")
    fits = scored(results)
    for k, at in enumerate(blocks(0, len(y), 3)):
        train = np.setdiff1d(np.arange(len(y)), at)
        a = np.column_stack([np.ones(len(y)), z])
        b = np.linalg.lstsq(a[train], y[train], None)[0]
        for key, rows in (("score", at), ("train_score", train)):
            near(float(fits["layer2/top", 1, k + 1][key]),
                 ((y[rows] - a[rows] @ b) ** 2).mean(), f"layer 2, {key}")


main(squares, types, few_digits, not_kept, layers)
