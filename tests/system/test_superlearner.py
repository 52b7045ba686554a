#!/usr/bin/python3
"""Kind superlearner: out-of-fold predictions and weights are those of
scikit-learn and scipy (tests/oracle/superlearner.json), and for each type of
ensemble those that follow from its definition."""
import json

import numpy as np

from harness import SOURCE, check, main, table
from stacking import P, blocks, by_folds, learners, left_out, mean, near, \
    nnls, ols, one, predicted, save, shares, study, weights

ORACLE = json.loads((SOURCE / "tests/oracle/superlearner.json").read_text())
SCALED = "[case scaled]\npreprocess = standardise\n[learner]\ncase = scaled\n"
LINEAR = "[learner mean]\n[learner ols]\n"


def run(work, text, results="r", **more):
    work.run(work.study(text), work.path / results, **more)
    work.verify(work.path / results)
    return work.path / results


# -- scikit-learn ---------------------------------------------------------------

def golden(work, family, rows, more=(), tolerance=1e-8):
    save(work, family)
    want = ORACLE[family]
    for meta, key in (("nnls", "nnls"), ("nnls\nnormalise = no", "nnls_as_is"),
                      ("convex", "convex"), *more):
        if key not in want and family != "multinomial":
            continue
        results = run(work, study("classes = 3" if family == "multinomial"
                                  else "", SCALED + rows, family, meta=meta),
                      key)
        if family != "multinomial":
            near(weights(results), want[key], f"{family}, {key}", tolerance)
    names = list(learners(results))
    check(names == [f"layer1/scaled.{n}" for n in want["predicted"]],
          f"learners: {names}")
    for name, p in want["predicted"].items():
        near(predicted(results, f"layer1/scaled.{name}"), p,
             f"{family}, {name}", tolerance)


def gaussian(work):
    golden(work, "gaussian", "[learner ols]\n[learner ridge]\nalpha = 30\n"
           "[learner lasso]\nalpha = 0.2\n[learner elastic_net]\nalpha = 0.4\n"
           "l1_ratio = 0.3\n[learner knn]\n")


def binomial(work):
    golden(work, "binomial",
           "[learner logistic]\nC = 0.5\n[learner knn]\nk = 7\n")


def multinomial(work):
    """Weights: least squares over rows and classes."""
    golden(work, "multinomial",
           "[learner logistic]\nC = 0.5\n[learner knn]\nk = 7\n")
    x, y, _ = save(work, "multinomial")
    results = work.path / "nnls"
    z = np.column_stack([predicted(results, n).ravel()
                         for n in learners(results)])
    hot = (y[:, None] == np.arange(3)).ravel() * 1.0
    near(weights(results), nnls(z, hot), "multinomial weights")


# -- types ----------------------------------------------------------------------

def expect(results, layer, rows, fits, text, w=None):
    """Learners mean and ols of a layer; weights by them. fits: their
    predictions."""
    for name, p in fits.items():
        near(predicted(results, f"layer{layer}/{name}"), p, f"{text}: {name}")
    z = np.column_stack([p.reshape(len(rows), -1) for p in fits.values()])
    near(weights(results), nnls(z, rows, w), f"{text}: weights", 1e-7)
    return z


def stack(work):
    x, y, _ = save(work)
    folds = blocks(0, len(y), 7)
    results = run(work, study("folds = 7", LINEAR))
    z = expect(results, 1, y, {"mean": by_folds(mean, x, y, folds),
                               "ols": by_folds(ols, x, y, folds)}, "stack")
    risks = one(results, "risks")[0]
    square = (np.column_stack([z, z @ weights(results)]) - y[:, None]) ** 2
    best = square.mean(0)[:2].argmin()
    near(risks[:, 1], np.append(square.mean(0), square.mean(0)[best]), "risks")
    rows = [r for r in table(results) if r["task"].startswith("layer1/ols/")]
    near([float(r["score"]) for r in rows if r["fold"] != "0"],
         [np.sqrt(square[f, 1].mean()) for f in folds], "scores")


def blend(work):
    x, y, _ = save(work)
    for size, n in (("0.3", 30), ("41", 41)):
        cut = len(y) - n
        results = run(work, study("type = blend", "[layer 1]\ntest_size = "
                                  f"{size}\n" + LINEAR), f"r{n}")
        expect(results, 1, y[cut:],
               {name: fit(x[:cut], y[:cut], x[cut:])
                for name, fit in (("mean", mean), ("ols", ols))},
               f"blend {size}")


def subsemble(work):
    """The fit of partition j without fold k predicts fold k of all."""
    x, y, _ = save(work)
    parts = [blocks(p[0], p[-1] + 1, 4) for p in blocks(0, len(y), 3)]
    want = {}
    for name, fit in (("mean", mean), ("ols", ols)):
        p = np.full((len(y), 3), np.nan)
        for j in range(3):
            for k in range(4):
                train = np.concatenate(parts[j][:k] + parts[j][k + 1:])
                test = np.concatenate([part[k] for part in parts])
                p[test, j] = fit(x[train], y[train], x[test])
        want[name] = p
    results = run(work, study("type = subsemble\nfolds = 4",
                              "[layer 1]\npartitions = 3\n" + LINEAR))
    expect(results, 1, y, want, "subsemble")


def temporal(work):
    """The first fit sees all rows up to burn_in, less the lag."""
    x, y, _ = save(work)
    n, at, want = len(y), 20, {"mean": [], "ols": []}
    while at < n:
        train = slice(0 if at == 20 else max(at - 17 - 2, 0), at - 2)
        for name, fit in (("mean", mean), ("ols", ols)):
            want[name].append(fit(x[train], y[train], x[at:at + 9]))
        at += 9
    results = run(work, study(
        "type = temporal", "[layer 1]\nstep_size = 9\nburn_in = 20\n"
        "window = 17\nlag = 2\n" + LINEAR))
    expect(results, 1, y[20:],
           {name: np.concatenate(p) for name, p in want.items()}, "temporal")


def select(work):
    """No ensemble: scores of test and training rows alone."""
    x, y, _ = save(work)
    results = run(work, study("type = select\nfolds = 3\nscorer = mae", LINEAR,
                              meta=""))
    check(not list(results.glob("arrays/weights*")), "weights of type select")
    rows = [r for r in table(results) if r["task"].startswith("layer1/ols/")]
    check(len(rows) == 3, f"{len(rows)} fits of ols")
    for row, test in zip(rows, blocks(0, len(y), 3)):
        train = np.setdiff1d(np.arange(len(y)), test)
        for key, at in (("score", test), ("train_score", train)):
            p = ols(x[train], y[train], x[at])
            near(float(row[key]), np.abs(p - y[at]).mean(), key)


def layers(work):
    """Blend, then temporal, then K folds, X's columns 2 and 1 handed on."""
    x, y, _ = save(work, n=180)
    results = run(work, study(
        "folds = 3", "[layer 1]\ntype = blend\npropagate = 2, 1\n"
        "[layer 2]\ntype = temporal\nstep_size = 15\nburn_in = 30\n"
        "[layer 3]\n" + LINEAR.replace("]\n", "]\nlayer = 1, 2, 3\n")))
    first = {f.__name__: f(x[:90], y[:90], x[90:]) for f in (mean, ols)}
    second = np.column_stack([x[90:, 1], x[90:, 0], *first.values()])
    y2, y3 = y[90:], y[120:]
    third = np.column_stack([
        np.concatenate([f(second[:at], y2[:at], second[at:at + 15])
                        for at in range(30, 90, 15)]) for f in (mean, ols)])
    for name, p in first.items():
        near(predicted(results, f"layer1/{name}"), p, f"layer 1: {name}")
    for i, name in enumerate(("mean", "ols")):
        near(predicted(results, f"layer2/{name}"), third[:, i],
             f"layer 2: {name}", 1e-7)
    folds = blocks(0, 60, 3)
    expect(results, 3, y3, {"mean": by_folds(mean, third, y3, folds),
                            "ols": by_folds(ols, third, y3, folds)}, "layer 3")


# -- folds that are no blocks -----------------------------------------------------

def found_folds(results, learner, y, w=None):
    """Folds, from what learner mean says: each fold has its own mean, by which
    the rows it was not fitted on are known."""
    p = predicted(results, learner)
    return [np.flatnonzero(p == value) for value in np.unique(p)]


def check_folds(results, x, y, folds, text, n_folds=5, w=None):
    check(len(folds) == n_folds, f"{text}: {len(folds)} folds")
    expect(results, 1, y, {"mean": by_folds(mean, x, y, folds, w),
                           "ols": by_folds(ols, x, y, folds, w)}, text, w)


def shuffle(work):
    x, y, _ = save(work)
    results = run(work, study("shuffle = yes", LINEAR))
    folds = found_folds(results, "layer1/mean", y)
    check_folds(results, x, y, folds, "shuffle")
    check(sorted(map(len, folds)) == [20, 20, 21, 21, 21],
          f"sizes {[len(f) for f in folds]}")
    check(all(np.ptp(f) > 60 for f in folds), "folds are blocks of rows")


def ids(work):
    x, y, more = save(work, more=["id"])
    results = run(work, study("", LINEAR, inputs="id = id.npy"))
    folds = found_folds(results, "layer1/mean", y)
    check_folds(results, x, y, folds, "id")
    of = [set(more["id"][f]) for f in folds]
    check(sum(map(len, of)) == len(set(more["id"])), "an id in two folds")
    check(max(map(len, folds)) - min(map(len, folds)) <= 3, "sizes of folds")


def strata(work):
    x, y, more = save(work, more=["strata"])
    results = run(work, study("shuffle = yes", LINEAR,
                              inputs="strata = strata.npy"))
    folds = found_folds(results, "layer1/mean", y)
    check_folds(results, x, y, folds, "strata")
    for k in range(3):
        counts = [(more["strata"][f] == k).sum() for f in folds]
        check(max(counts) - min(counts) <= 1, f"stratum {k}: {counts}")


def user_folds(work):
    x, y, _ = save(work)
    fold = np.arange(len(y)) * 7 % 4 + 10
    np.save(work.path / "folds.npy", fold)
    results = run(work, study("folds = 4", LINEAR, inputs="folds = folds.npy"))
    check_folds(results, x, y, [np.flatnonzero(fold == k)
                                for k in range(10, 14)], "folds", 4)


def observation_weights(work):
    """Risks are means of weight times loss, as R's SuperLearner has them."""
    x, y, more = save(work, more=["weights"])
    w = more["weights"]
    results = run(work, study("", LINEAR, inputs="weights = weights.npy"))
    folds = blocks(0, len(y), 5)
    check_folds(results, x, y, folds, "weights", w=w)
    p = by_folds(ols, x, y, folds, w)
    near(one(results, "risks")[0, 1, 1],
         np.mean(w * (p - y) ** 2), "risk")


def outer(work):
    """Each outer sample is an ensemble of the other rows; its risk is of those
    left out, by fits on all of the others."""
    x, y, _ = save(work)
    results = run(work, study("folds = 3\nouter_folds = 4", LINEAR))
    risks = one(results, "risks")
    check(risks.shape == (5, 4, 3), f"risks: {risks.shape}")
    for v, out in enumerate(blocks(0, len(y), 4), 1):
        rest = np.setdiff1d(np.arange(len(y)), out)
        inner = blocks(0, len(rest), 3)
        z = np.column_stack([by_folds(f, x[rest], y[rest], inner)
                             for f in (mean, ols)])
        w = nnls(z, y[rest])
        near(weights(results, v), w, f"weights without outer fold {v}", 1e-7)
        p = np.column_stack([f(x[rest], y[rest], x[out])
                             for f in (mean, ols)])
        best = ((z - y[rest, None]) ** 2).mean(0).argmin()
        square = (np.column_stack([p, p @ w, p[:, best]]) - y[out, None]) ** 2
        near(risks[v, :, 1], square.mean(0), f"risks of outer fold {v}", 1e-7)


def outer_layers(work):
    """All layers leave out the same rows, whether their folds are drawn or
    not: else a fit of one layer sees what the next one holds out."""
    x, y, _ = save(work)
    for first, second in (("yes", "yes"), ("yes", "no"), ("no", "yes")):
        results = run(work, study(
            "outer_folds = 3", f"[layer 1]\nshuffle = {first}\n[layer 2]\n"
            f"shuffle = {second}\n[learner mean]\nlayer = 1, 2\n"),
            first + second)
        found = [[left_out(results, f"layer{i}/mean", v, y) for v in range(3)]
                 for i in (1, 2)]
        check(sorted(sum(found[0], ())) == list(range(len(y))) and
              found[0] == found[1], f"{first}, {second}: {found}")
        check((found[0] == [tuple(b) for b in blocks(0, len(y), 3)]) ==
              (first == "no"), f"{first}, {second}: {found[0]}")


# -- many rows --------------------------------------------------------------------

# So many that what stage meta asks of rows is summed in lanes of them: 4194304
# values of members, y and weights.
MANY = {2: 1048577, 3: 840001}


def losses(family, p, y):
    """Of each row."""
    if family == "gaussian":
        return (p - y) ** 2
    if family == "binomial":
        return -(y * np.log(p) + (1 - y) * np.log(1 - p))
    return -np.log(p[np.arange(len(y)), y.astype(int)])


def expect_risks(found, family, z, y, w, text):
    """Number of rows, mean of weight times loss, its standard error."""
    for i, p in enumerate(z):
        of = w * losses(family, p, y)
        near(found[i], [len(y), of.mean(),
                        of.std(ddof=1) / np.sqrt(len(y))], f"{text}, {i}")


def samples(results, n, outer):
    """(rows weighted by, rows of risks, predictions) of each sample."""
    cells = learners(results).values()
    z = [np.load(results / f"arrays/predicted1.{c}.npy") for c in cells]
    yield np.arange(n), np.arange(n), z
    z = [np.load(results / f"arrays/outer1.{c}.npy") for c in cells] \
        if outer else []
    for v, out in enumerate(blocks(0, n, outer) if outer else []):
        yield np.setdiff1d(np.arange(n), out), out, [of[v] for of in z]


def least_squares(z, y, w):
    return ols(z, y, np.vstack([np.zeros(z.shape[1]), np.eye(z.shape[1])]), w)


def many_weighted(work):
    """Squares: three learners, two of them equal; observation weights."""
    n = MANY[3]
    _, y, more = save(work, n=n, more=["weights"])
    w = more["weights"]
    for meta in ("nnls", "ols"):
        results = run(work, study(
            "folds = 2\nouter_folds = 3", "[case scaled]\n"
            "preprocess = standardise\n[learner mean]\n[learner ols]\n"
            "[learner again]\nlearner = ols\ncase = scaled\n",
            inputs="weights = weights.npy", meta=meta), meta)
        for v, (rows, out, z) in enumerate(samples(results, n, 3)):
            a = np.column_stack(z[:2])
            if meta == "nnls":
                want = np.append(nnls(a[rows], y[rows], w[rows]), 0)
                p = a @ want[:2]
            else:
                of = least_squares(a[rows], y[rows], w[rows])
                want, p = np.append(of[1:] - of[0], 0), a @ (of[1:] - of[0])
                p += of[0]
            near(weights(results, v), want, f"{meta}: weights {v}")
            square = (a[rows] - y[rows, None]) ** 2 * w[rows, None]
            best = square.mean(0).argmin()
            expect_risks(one(results, "risks")[v], "gaussian",
                         [a[out, 0], a[out, 1], z[2][out], p[out],
                          a[out, best]], y[out], w[out], f"{meta}, {v}")


def many_classes(work):
    """A weight for all classes of a member; likelihoods, learners, which read
    rows."""
    rows, n = "[learner mean]\n[learner naive_bayes]\n", MANY[2]
    _, y, _ = save(work, "multinomial", n=n)
    results = run(work, study("classes = 3\nfolds = 2", rows, "multinomial"))
    z = next(samples(results, n, 0))[2]
    is_class = (y[:, None] == np.arange(3)) * 1.0
    want = nnls(np.column_stack([p.ravel() for p in z]), is_class.ravel())
    near(weights(results), want, "multinomial")
    expect_risks(one(results, "risks")[0], "multinomial",
                 [*z, want[0] * z[0] + want[1] * z[1]], y, 1, "multinomial")
    _, y, _ = save(work, "binomial", n=n)
    for meta in ("nnloglik", "lda"):
        results = run(work, study("folds = 2", rows, "binomial", meta=meta),
                      meta)
        z = next(samples(results, n, 0))[2]
        of, risks = weights(results), one(results, "risks")[0]
        expect_risks(risks, "binomial", z, y, 1, meta)
        if meta == "lda":
            continue
        logit = [np.log(p / (1 - p)) for p in np.clip(z, 0.001, 0.999)]
        p = 1 / (1 + np.exp(-(of[0] * logit[0] + of[1] * logit[1])))
        expect_risks(risks[2:], "binomial", [p], y, 1, meta)


# -- families ---------------------------------------------------------------------

def families(work):
    """Learner mean: shares, means; ols of 0 and 1, cut to them."""
    for family in ("binomial", "poisson", "multinomial"):
        x, y, _ = save(work, family)
        folds = blocks(0, len(y), 5)
        classes = family == "multinomial"
        results = run(work, study("classes = 3" if classes else "",
                                  "[learner mean]\n" if classes else LINEAR,
                                  family), family)
        fit = shares if classes else mean
        near(predicted(results, "layer1/mean"), by_folds(fit, x, y, folds),
             f"{family}: mean")
        if not classes:
            near(predicted(results, "layer1/ols"),
                 np.clip(by_folds(ols, x, y, folds), 0,
                         1 if family == "binomial" else None),
                 f"{family}: ols")
        rows = [r for r in table(results)
                if r["task"].startswith("layer1/mean/") and r["fold"] != "0"]
        for row, test in zip(rows, folds):
            p = by_folds(fit, x, y, folds)[test]
            near(float(row["score"]), loss(family, p, y[test]),
                 f"{family}: score")


def loss(family, p, y):
    if family == "binomial":
        return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    if family == "multinomial":
        return -np.mean(np.log(p[np.arange(len(y)), y.astype(int)]))
    return 2 * np.mean(np.where(y > 0, y * np.log(np.maximum(y, 1) / p), 0)
                       - y + p)


def likeliest(work):
    """proba = no: the class itself, a column per learner."""
    save(work, "multinomial")
    rows = "[layer 1]\nproba = {}\n" + SCALED + "[learner knn]\n[learner lda]\n"
    p, k = (run(work, study("classes = 3", rows.format(yes), "multinomial",
                            meta="knn"), f"r{yes}") for yes in ("yes", "no"))
    for name in learners(p):
        near(predicted(k, name), predicted(p, name).argmax(1) * 1.0, name)


def example(work):
    """What README.md shows: no worse than the best learner, both on rows that
    nobody saw; more arsenic and less distance make more households switch."""
    folder, results = SOURCE / "launch/examples/superlearner", work.path / "r"
    work.run(folder / "switch.ini", results)
    w = weights(results)
    check(len(w) == 7 and w.min() >= 0 and abs(w.sum() - 1) < 1e-12, f"{w}")
    risk = {r["predictor"]: float(r["risk"])
            for r in table(results, "risks.csv")}
    least = min(v for k, v in risk.items() if "super" not in k)
    check(risk["super learner"] < least + 0.002 and risk["mean"] > 0.68,
          f"risks {risk}")
    work.ensrun("predict", results, "--input", folder / "new.csv", "--proba",
                "-o", work.path / "p.npy")
    p = np.load(work.path / "p.npy").ravel()
    check(p[0] < min(p[1:3]) and p[3] > max(p[1:3]), f"predictions {p}")


check(P == 5, "data of other columns than the goldens'")
main(gaussian, binomial, multinomial, stack, blend, subsemble, temporal,
     select, layers, shuffle, ids, strata, user_folds, observation_weights,
     outer, outer_layers, many_weighted, many_classes, families, likeliest,
     example)
