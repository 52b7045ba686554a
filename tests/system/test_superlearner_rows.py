#!/usr/bin/python3
"""Kind superlearner: layers that predict some rows only, drawn at random, by
ids or strata, or because a file of folds says so; what follows them sees those
rows alone."""
import csv

import numpy as np

from harness import BAD, check, main, table
from stacking import mean, near, nnls, ols, one, predicted, save, study, \
    weights

LINEAR = "[learner mean]\n[learner ols]\n"
BOTH = (("mean", mean), ("ols", ols))


def run(work, text, results="r", **more):
    work.run(work.study(text), work.path / results, **more)
    work.verify(work.path / results)
    return work.path / results


def index(results, layer=1):
    """Rows of X that the layer predicted."""
    found = list((results / "arrays").glob(f"index{layer}.*.npy"))
    check(len(found) == 1, f"{len(found)} arrays index{layer}")
    rows = np.load(found[0])
    check(rows.dtype == np.int64 and (np.diff(rows) > 0).all(), f"{rows}")
    return rows


def expect(results, layer, x, y, pairs, text):
    """Predictions of (train, test) pairs of rows of x; weights by them."""
    out = np.sort(np.concatenate([test for _, test in pairs]))
    z = np.full((len(y), 2), np.nan)
    for train, test in pairs:
        for i, (_, fit) in enumerate(BOTH):
            z[test, i] = fit(x[train], y[train], x[test])
    for i, (name, _) in enumerate(BOTH):
        near(predicted(results, f"layer{layer}/{name}"), z[out, i],
             f"{text}: {name}")
    return out, z[out]


def ends(results, z, y, text):
    near(weights(results), nnls(z, y), f"{text}: weights", 1e-7)
    risk = ((z - y[:, None]) ** 2).mean(0)
    near(one(results, "risks")[0, :2, 1], risk, f"{text}: risks")
    check((one(results, "risks")[0, :, 0] == len(y)).all(), "rows of risks")


def others(rows, n):
    return np.setdiff1d(np.arange(n), rows)


def shown(work, results, out, text):
    """Rows that the table of predictions names, from 1."""
    work.ensrun("export", results, "--table", "predictions", "-o",
                work.path / "p.csv")
    with open(work.path / "p.csv", encoding="utf-8") as file:
        rows = [int(r["row"]) for r in csv.DictReader(file)]
    check(rows == list(out + 1), f"{text}: rows {rows[:5]}")


# -- blend ------------------------------------------------------------------------

def blend(work, settings, inputs, text, more):
    x, y, all_of = save(work, more=more)
    results = run(work, study(f"type = blend\n{settings}",
                              "[layer 1]\ntest_size = 0.3\n" + LINEAR,
                              inputs=inputs), text)
    out = index(results)
    _, z = expect(results, 1, x, y, [(others(out, len(y)), out)], text)
    ends(results, z, y[out], text)
    shown(work, results, out, text)
    return out, all_of


def drawn(work):
    out, _ = blend(work, "shuffle = yes", "", "drawn", [])
    check(len(out) == 30 and out[0] < 73 - 15 and out[-1] > 50, f"{out}")
    other = run(work, study("type = blend\nshuffle = yes",
                            "[layer 1]\ntest_size = 0.3\n" + LINEAR)
                .replace("seed = 5", "seed = 6"), "other")
    check(not np.array_equal(index(other), out), "the seed decides nothing")


def ids(work):
    """Whole ids, as many as hold test_size rows: the last to appear, or drawn."""
    found = []
    for settings in ("", "shuffle = yes"):
        out, more = blend(work, settings, "id = id.npy",
                          "ids" + settings[:3], ["id"])
        id_, test = more["id"], set(more["id"][out])
        check(not test & set(id_[others(out, len(id_))]), "an id on both sides")
        largest = max((id_ == k).sum() for k in test)
        check(30 <= len(out) < 30 + largest, f"{len(out)} rows")
        found.append(out)
    first = list(dict.fromkeys(id_))  # in the order they appear
    last = first[-len(set(id_[found[0]])):]
    check(set(id_[found[0]]) == set(last), "not the last ids")
    check(set(id_[found[1]]) != set(last), "ids were not drawn")


def strata(work):
    for settings in ("", "shuffle = yes"):
        out, more = blend(work, settings, "strata = strata.npy",
                          "strata" + settings[:3], ["strata"])
        check(len(out) == 30, f"{len(out)} rows")
        for k in range(3):
            n = (more["strata"] == k).sum()
            test = (more["strata"][out] == k).sum()
            check(abs(test - n * 30 / 103) < 1, f"stratum {k}: {test} of {n}")


# -- folds that leave rows out ------------------------------------------------------

def marked(n=103):
    """Folds 3 and 7, and others: -1, -4 and none at all."""
    fold = np.where(np.arange(n) * 5 % 11 < 5, 3.0, 7.0)
    fold[::4] = -1
    fold[30:40] = -4
    fold[5] = np.nan
    return fold


def pairs_of(fold, rows=None):
    rows = np.arange(len(fold)) if rows is None else rows
    tests = [np.intersect1d(np.flatnonzero(fold == k), rows)
             for k in np.unique(fold[fold >= 0])]
    return [(np.setdiff1d(rows, test), test) for test in tests]


def left_out(work):
    """They are trained on by every fit, and nobody sees their predictions."""
    x, y, _ = save(work)
    fold = marked()
    np.save(work.path / "folds.npy", fold)
    (work.path / "folds.csv").write_text("fold\n" + "".join(
        "\n" if np.isnan(f) else f"{f:.0f}\n" for f in fold)
        .replace("\n\n", '\n""\n'))
    for name in ("folds.npy", "folds.csv"):
        results = run(work, study("folds = 2", LINEAR,
                                  inputs=f"folds = {name}"), name[-3:])
        out, z = expect(results, 1, x, y, pairs_of(fold), name)
        check(np.array_equal(out, index(results)), name)
        ends(results, z, y[out], name)
        shown(work, results, out, name)
    full = [r for r in table(results) if r["fold"] == "0"]
    check([r["n_train"] for r in full] == ["103"] * 2, f"{full}")


def twice(work):
    """The next layer has the same folds, of the rows that are left."""
    x, y, _ = save(work)
    fold = marked()
    fold[fold == 3] += np.arange((fold == 3).sum()) % 2
    np.save(work.path / "folds.npy", fold)
    results = run(work, study("folds = 3", LINEAR.replace(
        "]\n", "]\nlayer = 1, 2\n"), inputs="folds = folds.npy"))
    out, z = expect(results, 1, x, y, pairs_of(fold), "layer 1")
    _, z2 = expect(results, 2, z, y[out], pairs_of(fold[out]), "layer 2")
    ends(results, z2, y[out], "layer 2")


def partitions(work):
    x, y, _ = save(work)
    fold = marked()
    np.save(work.path / "folds.npy", fold)
    results = run(work, study("type = subsemble\nfolds = 2", LINEAR,
                              inputs="folds = folds.npy"))
    out, z = index(results), {"mean": [], "ols": []}
    for part in (np.arange(52), np.arange(52, 103)):
        for name, fit in BOTH:
            p = np.full(len(y), np.nan)
            for train, _ in pairs_of(fold, part):
                k = 3 if not (fold[train] == 3).any() else 7
                test = np.flatnonzero(fold == k)
                p[test] = fit(x[train], y[train], x[test])
            z[name].append(p[out])
    for name in z:
        near(predicted(results, f"layer1/{name}"), np.column_stack(z[name]),
             f"partitions: {name}")


def select(work):
    x, y, _ = save(work)
    fold = marked()
    np.save(work.path / "folds.npy", fold)
    results = run(work, study("type = select\nfolds = 2\nscorer = mae", LINEAR,
                              inputs="folds = folds.npy", meta=""))
    rows = [r for r in table(results) if r["task"].startswith("layer1/ols/")]
    for row, (train, test) in zip(rows, pairs_of(fold)):
        for key, at in (("score", test), ("train_score", train)):
            p = ols(x[train], y[train], x[at])
            near(float(row[key]), np.abs(p - y[at]).mean(), key)


# -- layers behind them -------------------------------------------------------------

def behind(work):
    """A drawn part, folds of it by ids, a drawn part of those; a column of X
    is handed on. Ids are those of the rows that are left."""
    x, y, more = save(work, n=240, more=["id"])
    results = run(work, study(
        "folds = 3\nshuffle = yes", "[layer 1]\ntype = blend\npropagate = 2\n"
        "[layer 3]\ntype = blend\n"
        + LINEAR.replace("]\n", "]\nlayer = 1, 2, 3\n"),
        inputs="id = id.npy"))
    first, third = index(results), index(results, 3)
    check(not list(results.glob("arrays/index2*")), "layer 2 predicts all")
    check(set(third) < set(first), "rows that layer 1 did not predict")
    out, z = expect(results, 1, x, y, [(others(first, 240), first)], "layer 1")
    check(np.array_equal(out, first), "layer 1: rows")
    x2, y2, id2 = np.column_stack([x[first, 1], z]), y[first], more["id"][first]
    p = predicted(results, "layer2/mean")
    folds = [np.flatnonzero(p == value) for value in np.unique(p)]
    check(len(folds) == 3 and sum(len(set(id2[f])) for f in folds)
          == len(set(id2)), "an id in two folds")
    _, z2 = expect(results, 2, x2, y2, [(others(f, len(y2)), f) for f in folds],
                   "layer 2")
    at = np.searchsorted(first, third)
    check(not set(id2[at]) & set(id2[others(at, len(y2))]), "an id on both sides")
    _, z3 = expect(results, 3, z2, y2, [(others(at, len(y2)), at)], "layer 3")
    ends(results, z3, y[third], "layer 3")
    shown(work, results, third, "layer 3")


def windows(work):
    """Time behind a drawn part: rows keep their order."""
    x, y, _ = save(work)
    results = run(work, study(
        "", "[layer 1]\ntype = blend\nshuffle = yes\n[layer 2]\n"
        "type = temporal\nstep_size = 20\nburn_in = 15\n"
        + LINEAR.replace("]\n", "]\nlayer = 1, 2\n")))
    out = index(results)
    _, z = expect(results, 1, x, y, [(others(out, len(y)), out)], "layer 1")
    rows = np.arange(len(out))
    _, z2 = expect(results, 2, z, y[out],
                   [(rows[:15], rows[15:35]), (rows[:35], rows[35:])], "time")
    ends(results, z2, y[out[15:]], "time")
    shown(work, results, out[15:], "time")


def predicted_again(work):
    """Neighbours among rows that were picked: of new rows, too."""
    x, y, _ = save(work)
    results = run(work, study(
        "type = blend\nshuffle = yes", LINEAR, meta="knn\nk = 3"))
    out, at = index(results), np.random.RandomState(2).uniform(-1, 1, (9, 5))
    rest = others(out, len(y))
    z = np.column_stack([f(x[rest], y[rest], x[out]) for _, f in BOTH])
    new = np.column_stack([f(x, y, at) for _, f in BOTH])
    near_ones = np.argsort(np.abs(z[None, :, 1] - new[:, 1, None]), axis=1)
    np.save(work.path / "new.npy", at)
    work.ensrun("predict", results, "--input", work.path / "new.npy", "-o",
                work.path / "p.npy")
    near(np.load(work.path / "p.npy").ravel(),
         y[out][near_ones[:, :3]].mean(1), "predict")


# -- what makes no sense -----------------------------------------------------------

def refused(work):
    _, y, _ = save(work, more=["id", "strata"])
    for name, values in (("f", np.arange(len(y)) % 3 - 1.0),
                         ("few", (np.arange(len(y)) < 9) - 1.0)):
        np.save(work.path / f"{name}.npy", values)
    each = {"id": "id = id.npy", "strata": "strata = strata.npy",
            "folds": "folds = f.npy"}
    for settings, inputs, error in (
            ("type = temporal\nshuffle = yes", "", "[layer 1]: type temporal "
             "does not go with shuffle = yes: it would lose the order of time"),
            ("type = temporal", each["id"], "with input id: windows of time "
             "cut through ids, and no rule says which rows of an id a fit may "
             "then see"),
            ("type = temporal", each["strata"], "with input strata: windows of "
             "time have the shares that they have"),
            ("type = temporal", each["folds"],
             "with input folds: windows of time are its folds"),
            ("type = blend", each["folds"],
             "[layer 1]: type blend does not go with input folds"),
            ("type = blend", each["id"] + "\n" + each["strata"],
             "[layer 1]: type blend goes with input id or input strata"),
            ("folds = 2\nouter_folds = 2", each["folds"], "[superlearner] "
             "outer_folds: not with [layer 1], which predicts 68 of 103 rows"),
            ("type = blend\nshuffle = yes\nouter_folds = 2", "", "outer_folds: "
             "not with [layer 1], which predicts 51 of 103 rows"),
            ("folds = 2", "folds = few.npy", "folds: 1 different folds, at "
             "least 2")):
        path = work.study(study(settings, LINEAR, inputs=inputs))
        found = work.run(path, work.path / "refused", expect=BAD)
        check(error in found.stderr, f"expected {error!r}:\n{found.stderr}")
        check(not (work.path / "refused").exists(), f"results are left: {error}")


main(drawn, ids, strata, left_out, twice, partitions, select, behind, windows,
     predicted_again, refused)
