#!/usr/bin/python3
"""Kind superlearner: tables of predictions and correlations are those of the
output arrays, their columns named as learners are; weights, risks and scores
in csv are the arrays' and what numpy makes of them."""
import csv

import numpy as np

from harness import SOME_FAILED, check, main, table
from stacking import learners, near, one, predicted, save, study

ROWS = ("[case s]\npreprocess = standardise\n[case m]\npreprocess = minmax\n"
        "[learner mean]\n[learner lasso]\ncase = s, m\nalpha = 0.1, 1\n"
        "[learner tree]\nmin_leaf = 5\n")
NAMES = ["mean", "s.lasso[alpha=0.1]", "s.lasso[alpha=1]",
         "m.lasso[alpha=0.1]", "m.lasso[alpha=1]", "tree"]


def exported(work, results, name):
    """Header, first column, the rest as numbers."""
    out = work.path / f"{name}.csv"
    work.ensrun("export", results, "--table", name, "-o", out)
    with open(out, newline="") as f:
        rows = list(csv.reader(f))
    return rows[0], [r[0] for r in rows[1:]], np.array(
        [[float(v) if v else np.nan for v in r[1:]] for r in rows[1:]])


def expect(work, results, names, z, text):
    """Both tables, of predictions z."""
    head, first, found = exported(work, results, "predictions")
    check(head == ["row", *names], f"{text}: {head}")
    last = [str(i + 1) for i in range(103 - len(z), 103)]  # all, or the last
    check(first == last, f"{text}: rows {first[:3]}")
    near(found, z, f"{text}: predictions", 0)
    npy = work.path / "z.npy"
    work.ensrun("export", results, "--table", "predictions", "--to", "npy",
                "-o", npy)
    found = np.load(npy)
    check(found.dtype.names == ("row", *names), f"{text}: {found.dtype}")
    for j, name in enumerate(names):
        near(found[name], z[:, j], f"{text}: {name}", 0)
    head, first, found = exported(work, results, "correlations")
    check(head == ["learner", *names] and first == names, f"{text}: {head}")
    with np.errstate(invalid="ignore", divide="ignore"):
        want = np.corrcoef(z.T)
    constant = np.ptp(z, axis=0) == 0
    want[constant], want[:, constant] = np.nan, np.nan
    np.fill_diagonal(want, 1)
    near(found, want, f"{text}: correlations", 1e-10)
    check(not (np.abs(found) > 1).any(), f"{text}: beyond 1")


def of_a_study(work, text, name, expect_code=0):
    results = work.path / name
    work.run(work.study(text), results, expect=expect_code)
    return results


def by_folds(work):
    save(work)
    for settings in ("", "shuffle = yes", "type = blend"):
        results = of_a_study(work, study(settings, ROWS), "r" + settings[:4])
        z = np.column_stack([predicted(results, f"layer1/{n}").ravel()
                             for n in NAMES])
        check(list(learners(results)) == [f"layer1/{n}" for n in NAMES],
              learners(results))
        expect(work, results, NAMES, z, settings)


def by_partitions_and_classes(work):
    save(work)
    results = of_a_study(work, study("type = subsemble", ROWS), "parts")
    z = np.column_stack([predicted(results, f"layer1/{n}") for n in NAMES])
    expect(work, results, [f"{n}/{j}" for n in NAMES for j in (1, 2)], z,
           "subsemble")
    save(work, "multinomial")
    results = of_a_study(work, study(
        "classes = 3", "[learner mean]\n[learner logistic]\n", "multinomial"),
        "classes")
    z = np.column_stack([predicted(results, f"layer1/{n}")
                         for n in ("mean", "logistic")])
    expect(work, results, [f"{n}:{k}" for n in ("mean", "logistic")
                           for k in range(3)], z, "classes")


def of_one_that_failed(work):
    save(work)
    results = of_a_study(work, study(
        "", "[learner mean]\n[learner ols]\n[learner knn]\nk = 83\n"), "r",
        SOME_FAILED)
    z = np.column_stack([predicted(results, f"layer1/{n}").ravel()
                         for n in ("mean", "ols", "knn")])
    check(np.isnan(z[:, 2]).any(), "knn did not fail")
    expect(work, results, ["mean", "ols", "knn"], z, "failed")


def files(work):
    """weights.csv, risks.csv and scores.csv of outer folds."""
    x, y, _ = save(work)
    results = of_a_study(work, study("outer_folds = 2", ROWS), "r")
    got = table(results, "weights.csv")
    want = one(results, "weights").reshape(-1, 3)
    check([r["outer_fold"] for r in got] == [str(k) for k in range(3)
                                             for _ in NAMES], got)
    near([[float(r[k]) for k in ("weight", "risk", "risk_se")] for r in got],
         want, "weights.csv", 0)
    risks = table(results, "risks.csv")
    check([r["predictor"] for r in risks] == [
        *NAMES, "discrete super learner", "super learner"], risks)
    check(all(r["n"] == str(len(y)) for r in risks), risks)
    for row, name in zip(table(results, "scores.csv"), NAMES):
        p = predicted(results, f"layer1/{name}").ravel()
        edges = np.cumsum([0, 21, 21, 21, 20, 20])
        rmse = [np.sqrt(np.mean((p[a:b] - y[a:b]) ** 2))
                for a, b in zip(edges, edges[1:])]
        near([float(row["score"]), float(row["score_sd"])],
             [np.mean(rmse), np.std(rmse)], f"scores.csv: {name}", 1e-12)


main(by_folds, by_partitions_and_classes, of_one_that_failed, files)
