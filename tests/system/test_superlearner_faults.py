#!/usr/bin/python3
"""Kind superlearner: a learner that fails, dies or hangs has weight 0 and a
warning, the others go on; what is wrong with data or study is said."""
import json
import shutil

import numpy as np

from harness import BAD, SOME_FAILED, SOURCE, check, expect_same, main, table
from stacking import blocks, by_folds, data, learners, mean, near, nnls, ols, \
    one, predicted, save, study, weights

BOTH = "[learner mean]\n[learner ols]\n"
PROGRAM = """#!/usr/bin/python3
import os, signal, time
import numpy as np
import ensrun
def fit(t):
    bad = len(t.y) == {rows}
    if bad and "{how}" == "raise":
        raise ValueError("no model of these rows")
    if bad and "{how}" == "exit":
        os._exit(3)
    if bad and "{how}" == "kill":
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(100)
    if bad and "{how}" == "hang":
        time.sleep(1000)
    return np.nan if bad and "{how}" == "nan" else t.y.mean()
ensrun.learner(fit, lambda model, t: np.full(len(t.x), model))
ensrun.serve()
"""


def program(work, how, rows):
    path = work.path / "learn.py"
    path.write_text(PROGRAM.format(how=how, rows=rows))
    path.chmod(0o755)
    shutil.copy(SOURCE / "launch/clients/ensrun.py", work.path)
    return "[learner own]\nlearner = program\nrun = ./learn.py\n"


def goes_on(run, results, x, y, bad, text, n_bad):
    """Learners mean and ols are weighted as if the third were not there."""
    rows = table(results)
    failed = [r for r in rows if r["status"] != "ok"]
    check({r["learner"] for r in failed} == {bad} and len(failed) == n_bad,
          f"{text}: {[(r['task'], r['status'], r['error']) for r in failed]}")
    folds = blocks(0, len(y), 5)
    z = np.column_stack([by_folds(f, x, y, folds) for f in (mean, ols)])
    near(weights(results), np.append(nnls(z, y), 0), f"{text}: weights")
    check(f"warned: learner '{bad}' left out: a fit failed (layer1/{bad}/r0000"
          in run.stderr, f"{text}: {run.stderr}")
    named = [r["task"] for r in failed
             if f" ({r['task']}{' ...' if n_bad > 1 else ''})" in run.stderr]
    check(len(named) == 1, f"{text}: no failed task is named: {run.stderr}")
    check(np.isnan(one(results, "risks")[0, 2, 1]), f"{text}: it has a risk")
    return failed


def programs(work):
    """In one fold: an exception, an end, NaN, a dead worker, no answer."""
    x, y, _ = save(work)
    for how, status, said in (
            ("raise", "failed", "no model of these rows"),
            ("exit", "crashed", "signal 6"), ("nan", "failed", "finite"),
            ("kill", "crashed", ""), ("hang", "timeout", "")):
        rows = program(work, how, 82)  # of folds 1 to 3
        results = work.path / how
        text = study("", BOTH + rows,
                     run="timeout = 2" if how == "hang" else "")
        run = work.run(work.study(text), results, expect=SOME_FAILED)
        for row in goes_on(run, results, x, y, "own", how, 3):
            check(row["status"] == status and said in row["error"],
                  f"{how}: {row['status']}: {row['error']}")
        p = predicted(results, "layer1/own")
        check(np.isnan(p[:63]).all() and np.isfinite(p[63:]).all(),
              f"{how}: predictions of the failed folds: {p[:63]}")


def many_rows(work):
    """The same where the meta learner's rows are summed in lanes; without any
    learner stage meta says so, once."""
    x, y, _ = save(work, n=840001)
    folds, bad = blocks(0, len(y), 2), program(work, "raise", 420000)
    results = work.path / "r"
    run = work.run(work.study(study("folds = 2", BOTH + bad)), results,
                   expect=SOME_FAILED)
    z = np.column_stack([by_folds(f, x, y, folds) for f in (mean, ols)])
    near(weights(results), np.append(nnls(z, y), 0), "weights")
    check("warned: learner 'own' left out" in run.stderr, run.stderr)
    risks = one(results, "risks")[0]
    near(risks[:2, 1], ((z - y[:, None]) ** 2).mean(0), "risks")
    near(risks[3, 1], np.mean((z @ nnls(z, y) - y) ** 2), "risk of all")
    check(np.isnan(risks[2, 1]), "it has a risk")
    run = work.run(work.study(study("folds = 2", BOTH + bad, meta="ridge")),
                   work.path / "r", expect=SOME_FAILED)
    check("1 ok, warned: learner 'own' left out" in run.stderr, run.stderr)
    run = work.run(work.study(study("folds = 2", BOTH + bad, meta="mean")),
                   work.path / "learner", expect=SOME_FAILED)
    check("1 ok, warned: left out, as a fit" in run.stderr, run.stderr)
    save(work, n=1400001)
    bad = program(work, "raise", 700000)
    run = work.run(work.study(study("folds = 2", bad)), work.path / "none",
                   expect=SOME_FAILED)
    said = "every learner of the last layer failed"
    check(run.stderr.count(said) == 1 and " 2 failed" in run.stderr,
          run.stderr)


def full_fit(work):
    """Without a model of all rows a learner cannot take part either."""
    x, y, _ = save(work)
    results = work.path / "r"
    run = work.run(work.study(study("", BOTH + "[learner svm]\n"
                                    "max_rows = 90\n")), results,
                   expect=SOME_FAILED)
    goes_on(run, results, x, y, "svm", "max_rows", 1)


def neighbours(work):
    x, y, _ = save(work)
    results = work.path / "r"
    run = work.run(work.study(study("", BOTH + "[learner knn]\nk = 90\n")),
                   results, expect=SOME_FAILED)
    for row in goes_on(run, results, x, y, "knn", "k", 5):
        check("k = 90, but there are 8" in row["error"], row["error"])


def next_layer(work):
    """Columns of what failed are not in the next layer."""
    x, y, _ = save(work)
    results = work.path / "r"
    work.run(work.study(study("", "[learner mean]\n[learner ols]\nlayer = 1, 2"
                              "\n[learner knn]\nk = 90\n")), results,
             expect=SOME_FAILED)
    rows = [r for r in table(results) if r["task"].startswith("layer2/")]
    check(all(r["columns"] == "2" and r["status"] == "ok"
              and "knn" in r["warnings"] for r in rows), rows)


def none_left(work):
    save(work)
    run = work.run(work.study(study("", "[learner knn]\nk = 90\n")),
                   work.path / "r", expect=SOME_FAILED)
    check("every learner of the last layer failed" in run.stderr, run.stderr)


def repaired(work):
    """--retry-failed runs the fits that failed, then the weights anew."""
    x, y, _ = save(work)
    rows = program(work, "raise", 82)
    path, results = work.study(study("", BOTH + rows)), work.path / "r"
    work.run(path, results, expect=SOME_FAILED)
    program(work, "no", 0)
    work.run(path, results, "--retry-failed")
    work.verify(results)
    near(predicted(results, "layer1/own"), predicted(results, "layer1/mean"),
         "repaired")
    check(np.isfinite(one(results, "risks")[0, :, 1]).all(), "risks")


# -- odd data: documented behaviour ------------------------------------------------

def holes(work):
    """A value of X that is no number ends the study where sums or bins of rows
    meet it; else the fits fail that read it. All say where."""
    x, y, _ = save(work)
    x[16, 2] = np.nan
    np.save(work.path / "X.npy", x)
    for rows, name in ((BOTH, "sums"), ("[learner tree]\n", "bins"),
                       ("[layer 1]\ntype = temporal\nstep_size = 30\n" + BOTH,
                        "windows"),
                       ("[layer 1]\ntype = subsemble\npartition_by = kmeans\n"
                        "[learner mean]\n", "clusters")):
        run = work.run(work.study(study("", rows)), work.path / name,
                       expect=BAD)
        check(f"input X ({work.path}/X.npy): column V3, row 17: nan: a finite "
              "number is expected" in run.stderr, f"{name}: {run.stderr}")
    # with a lag nothing is summed
    run = work.run(work.study(study(
        "type = temporal", "[layer 1]\nstep_size = 30\n[learner mean]\n"
        "[case late]\npreprocess = lag(1)\n[learner ols]\ncase = late\n")),
                   work.path / "fits", expect=SOME_FAILED)
    check("column V3, row 17: nan: a finite number" in run.stderr, run.stderr)
    near(weights(work.path / "fits"), [1, 0], "NaN in X: weights")


def no_response(work):
    """In y and weights it ends the study before anything runs, or with the
    sums of layer 1."""
    _, y, more = save(work)
    for family, at, value, text in (
            ("gaussian", 50, np.inf, "inf: a finite number is expected"),
            ("poisson", 0, -1, "-1: a count is expected"),
            ("poisson", 7, 0.5, "0.5: a count is expected"),
            ("binomial", 102, 2, "2: no class of the response")):
        bad = more[family].copy()
        bad[at] = value
        np.save(work.path / "y.npy", bad)
        text = f"input y ({work.path}/y.npy): column y, row {at + 1}: {text}"
        is_refused(work, study("", "[learner mean]\n", family), text)
        run = work.run(work.study(study("", BOTH, family)),
                       work.path / f"{family}{at}", expect=BAD)
        check(text in run.stderr, run.stderr)
    np.save(work.path / "y.npy", y)
    w = np.ones(len(y))
    w[[9, 30]] = -2, np.nan
    np.save(work.path / "w.npy", w)
    is_refused(work, study("", "[learner mean]\n", inputs="weights = w.npy"),
               "input weights (PATH/w.npy): column weights, row 10: -2: a "
               "weight of 0 or more is expected")


def left_columns(work):
    """A NaN in a column of X that cases leave out is nobody's business: of
    fits, of `predict`; each learner is that of X without the column. Not so
    where one of them takes it."""
    x, y, _ = save(work)
    bad = np.insert(x, 2, np.nan, axis=1)
    bad[40:, 2] = 7
    cases = ("[case a]\npreprocess = subset(-3)\n"
             "[case b]\npreprocess = standardise, subset(1:2, 4:6)\n"
             "[case c]\npreprocess = subset(-V3), pca(4)\n")
    rows = (cases + "[learner mean]\n[learner ols]\ncase = a, b\n"
            "[learner knn]\ncase = a, c\n[learner tree]\ncase = a\n"
            "[learner lasso]\nalpha = 0.1\ncase = b\n")
    plain = rows.replace("subset(-3)", "none").replace(
        "standardise, subset(1:2, 4:6)", "standardise").replace(
            "subset(-V3), pca(4)", "pca(4)")
    np.save(work.path / "X1.npy", x)
    np.save(work.path / "X2.npy", bad)
    new = bad[:3]
    np.save(work.path / "new.npy", new)
    np.save(work.path / "few.npy", np.delete(new, 2, axis=1))
    for name, settings in (("folds", ""), ("outer", "outer_folds = 2"),
                           ("time", "type = temporal")):
        more = "[layer 1]\nstep_size = 30\n" if name == "time" else ""
        for i, text in ((1, plain), (2, rows)):
            text = study(settings, more + text).replace("X.npy", f"X{i}.npy")
            work.run(work.study(text), work.path / f"{name}{i}")
        found = [[np.load(work.path / f"{name}{i}/arrays" / f"{stem}.{c}.npy")
                  for c in learners(work.path / f"{name}{i}").values()
                  for stem in (["predicted1", "outer1"] if name == "outer" else
                               ["predicted1"])] for i in (1, 2)]
        check(len(found[0]) >= 7, f"{name}: {len(found[0])} arrays")
        for one_, other in zip(*found):
            near(other, one_, name, 1e-9)
        for i, file in ((1, "few"), (2, "new")):
            work.ensrun("predict", work.path / f"{name}{i}", "--input",
                        work.path / f"{file}.npy", "-o",
                        work.path / f"{name}{i}.npy")
        near(np.load(work.path / f"{name}2.npy"),
             np.load(work.path / f"{name}1.npy"), f"{name}: predict", 1e-9)
    text = study("", rows + "[learner ridge]\n").replace("X.npy", "X2.npy")
    run = work.run(work.study(text), work.path / "taken", expect=BAD)
    check("column V3, row " in run.stderr, run.stderr)


def without_the_first(work):
    """--where that leaves out a layer's first learner: what the stages before
    its fits make is made all the same."""
    save(work)
    text = study("shuffle = yes", "[learner ols]\n[learner ridge]\n"
                 "[learner tree]\n")
    path, results = work.study(text), work.path / "r"
    run = work.run(path, results, "--where", "learner=ridge", "--json")
    told = json.loads(run.stdout)
    check(told["failed"] == 0 and told["new"] > 6, f"{told}")
    status = json.loads(work.ensrun("status", results, "--json").stdout)
    last = status["stages"][-1]
    check(last["stage"] == "layer1" and last["done"] == 6, f"{status}")
    run = work.run(path, results, "--where", "learner=tree")
    check("left" in run.stderr, run.stderr)
    work.run(path, results, "--where", "learner=ols")
    work.run(path, results)
    work.run(path, work.path / "fresh")
    expect_same(results, work.path / "fresh", "in parts")


def constant(work):
    """A constant column changes nothing, scaled or not."""
    x, y, _ = save(work)
    want = by_folds(ols, x, y, blocks(0, len(y), 5))
    np.save(work.path / "X.npy", np.insert(x, 3, 7.25, axis=1))
    for step in ("none", "standardise", "minmax", "robust", "maxabs"):
        results = work.path / step
        work.run(work.study(study(
            "", f"[case c]\npreprocess = {step}\n[learner ols]\ncase = c\n")),
            results)
        near(predicted(results, "layer1/c.ols"), want, step)


def wide(work):
    """More columns than rows: the solution of least norm, with a warning."""
    draw = np.random.RandomState(3)
    x, y = draw.uniform(size=(20, 50)), draw.uniform(size=20)
    np.save(work.path / "X.npy", x)
    np.save(work.path / "y.npy", y)
    results = work.path / "r"
    run = work.run(work.study(study("", "[learner ols]\n")), results)
    check("columns depend on each other" in run.stderr, run.stderr)
    want = np.full(20, np.nan)
    for test in blocks(0, 20, 5):
        train = np.setdiff1d(np.arange(20), test)
        m = x[train].mean(0)
        b = np.linalg.pinv(x[train] - m) @ (y[train] - y[train].mean())
        want[test] = y[train].mean() + (x[test] - m) @ b
    near(predicted(results, "layer1/ols"), want, "p > n")


def absent_class(work):
    """Sorted classes: a class that a training set has not has probability 0,
    columns stay those of the classes."""
    save(work, "multinomial")
    y = np.repeat([0.0, 1, 2], [40, 45, 18])  # the last fold has all of 2
    np.save(work.path / "y.npy", y)
    results = work.path / "r"
    run = work.run(work.study(study(
        "classes = 3", "[learner mean]\n[learner logistic]\n[learner knn]\n"
        "[learner lda]\n[learner naive_bayes]\n[learner forest]\n"
        "trees = 5\n[learner boost]\nrounds = 5\n", "multinomial")), results)
    names = ("mean", "logistic", "knn", "lda", "naive_bayes", "forest")
    for name in names + ("boost",):
        p = predicted(results, f"layer1/{name}")
        near(p.sum(1), np.ones(len(y)), f"{name}: sums")
        if name in names:
            check((p[-20:, 2] == 0).all(), f"{name}: {p[-20:, 2]}")
        check((p[:83].min() >= 0), f"{name}: negative")
    check(run.code == 0, run.stderr)


def same_twice(work):
    """Equal predictions: the first learner has the weight."""
    save(work)
    results = work.path / "r"
    run = work.run(work.study(study(
        "", "[case s]\npreprocess = standardise\n[case m]\npreprocess = minmax"
        "\n[case n]\n[learner ols]\ncase = n, s, m\n")), results)
    check("equal those of an earlier learner" in run.stderr, run.stderr)
    near(weights(results), [1, 0, 0], "weights")


# -- errors ------------------------------------------------------------------------

def refused(work):
    all_of = data()
    x, y = all_of["X"], all_of["gaussian"]
    three = np.arange(len(y)) % 3 * 1.0
    for text, error, arrays in (
            (study("", BOTH), "input y (PATH/y.npy) has 100 rows, X has 103",
             {"y": y[:100]}),
            (study("", BOTH), "input y (PATH/y.npy) has 2 columns; one is "
             "expected", {"y": x[:, :2]}),
            (study("", BOTH), "input X (PATH/X.npy) has no rows",
             {"X": x[:0], "y": y[:0]}),
            (study("", BOTH), "[layer 1]: folds = 5: there are 4 rows only",
             {"X": x[:4], "y": y[:4]}),
            (study("", BOTH, inputs="weights = w.npy\n"), "input weights "
             "(PATH/w.npy) has 7 rows, X has 103", {"w": y[:7]}),
            (study("", BOTH, inputs="id = id.npy\n"), "id: 3 different ids, "
             "fewer than the 5 blocks that keep them together", {"id": three}),
            (study("", BOTH, inputs="folds = f.npy\n"), "[superlearner] folds "
             "= 5: input folds (PATH/f.npy) has 3", {"f": three}),
            (study("type = blend", "[layer 1]\ntest_size = 103\n" + BOTH),
             "[layer 1]: test_size: 103 of 103 rows would be predicted, at "
             "least 1 and not all", {}),
            (study("type = temporal", "[layer 1]\nburn_in = 103\n" + BOTH),
             "[layer 1]: burn_in = 103: less than the 103 rows", {}),
            (study("", BOTH + "[learner knn]\nlayer = 3\n"), "[learner] layer: "
             "no learner is in layer 2, though some are in a later one", {}),
            (study("", BOTH + "[learner knn]\nlayer = 0\n"), "STUDY:17: "
             "[learner knn] layer: \"0\" is no number from 1", {}),
            (study("", BOTH + "[learner knn]\ncase = no\n"), "STUDY:17: "
             "[learner knn] case: there is no [case no]; add that section",
             {}),
            (study("", "[layer 1]\npropagate = 6\n" + BOTH), "[layer 1] "
             "propagate: input X has no column of numbers 6", {}),
            (study("", "[case a]\npreprocess = subset(9)\n[learner ols]\n"
                   "case = a\n"), "STUDY:15: [case a] preprocess: subset: no "
             "column \"9\" among 5; allowed: V1, V2, V3, V4, V5, or a number "
             "from 1", {}),
            (study("", "[learner logistic]\n"), "STUDY:14: [learner logistic] "
             "learner = logistic: not for family gaussian", {}),
            (study("", "[learner knn]\n", inputs="weights = w.npy"), "STUDY:14"
             ": [learner knn] learner = knn: takes no weights (input weights)",
             {"w": y}),
            (study("scorer = auc", BOTH), "[superlearner] scorer = auc: not of "
             "family gaussian", {}),
            (study("", BOTH, meta="auc"), "[meta]: auc needs family = "
             "binomial", {}),
            (study("", "[learner ols]\n[learner same]\nlearner = ols\n"),
             "STUDY:14: [learner ols] and STUDY:15: [learner same]", {}),
            (study("outer_folds = 104", BOTH), "[superlearner] outer_folds = "
             "104: there are 103 rows only", {}),
            (study("outer_folds = 2\nfolds = 52", BOTH), "[superlearner] "
             "outer_folds = 2 leaves 51 of 103 rows; [layer 1]: folds = 52: "
             "there are 51 rows only", {}),
            (study("outer_folds = 1", BOTH), "[superlearner] outer_folds = 1: "
             "0 (none), or 2 and more", {}),
            (study("", BOTH, "multinomial"), "[superlearner] classes: missing; "
             "y is numbers, so say how many classes there are: 0, 1 ...", {})):
        for name, array in {"X": x, "y": y, **arrays}.items():
            np.save(work.path / f"{name}.npy", array)
        is_refused(work, text, error)


def is_refused(work, text, error):
    path = work.study(text)
    results = work.path / "refused"
    run = work.run(path, results, expect=BAD)
    error = error.replace("PATH", str(work.path)).replace("STUDY", str(path))
    check(error in run.stderr, f"expected {error!r}:\n{run.stderr}")
    check(not results.exists(), f"a results folder is left: {error}")


def text_response(work):
    """Two texts are classes, of numbers they are an error."""
    x, _, more = save(work)
    y = more["binomial"]
    (work.path / "y.csv").write_text(
        "z\n" + "".join("yes\n" if v else "no\n" for v in y))
    text = study("", BOTH).replace("y.npy", "y.csv")
    is_refused(work, text, "input y (PATH/y.csv) is text; [superlearner] "
               "family = binomial or multinomial takes it")
    work.run(work.study(study("", BOTH, "binomial").replace("y.npy", "y.csv")),
             work.path / "r")
    near(predicted(work.path / "r", "layer1/mean"),
         by_folds(mean, x, y, blocks(0, len(y), 5)), "shares of 'yes'")


def broken_files(work):
    save(work)
    good = (work.path / "X.npy").read_bytes()
    for data_of, error in (
            (b"", "byte 0: not a .npy file"),
            (good[:300], "byte 128: truncated: shape (103, 5) of f8 needs 4120 "
             "bytes"), (good[:5], "not a .npy file")):
        (work.path / "X.npy").write_bytes(data_of)
        is_refused(work, study("", BOTH), error)


main(programs, many_rows, full_fit, neighbours, next_layer, none_left, repaired,
     holes, no_response, left_columns, without_the_first, constant, wide,
     absent_class, same_twice, refused, text_response, broken_files)
