#!/usr/bin/python3
"""Kind superlearner: learners that are programs, and learners of plugins."""
import shutil

import numpy

import plugins
from harness import BAD, SOME_FAILED, SOURCE, check, count_by, expect_same, \
    main, table

PY_RIDGE = """#!/usr/bin/python3
import numpy
import ensrun

def fit(t):
    where = t.said["x"]["path"]
    assert where.endswith(t.values["path"]), where
    if t.values["path"] == "X.npy" and len(t.said["x"].get("ranges", [])) == 1:
        assert t.x.base is not None and not t.x.flags.writeable
    assert t.columns == ["V1", "V2", "V3"], t.columns
    assert t.w is None and t.family == "gaussian" and t.n_classes == 0
    x = numpy.c_[numpy.ones(len(t.x)), t.x]
    return numpy.linalg.solve(x.T @ x, x.T @ t.y)

ensrun.learner(fit, lambda b, t: b[0] + t.x @ b[1:])
ensrun.serve()
"""

R_LM = """#!/usr/bin/Rscript
source(file.path(Sys.getenv("ENSRUN_FOLDER"), "ensrun.R"))
learner(function(t) lm(y ~ ., data.frame(t$x, y = t$y)),
        function(model, t) predict(model, data.frame(t$x)))
serve()
"""

# scikit-learn's shape of an estimator, without it
PY_SHARES = """#!/usr/bin/python3
import warnings
import numpy
import ensrun

class Shares:
    def fit(self, x, y, w):
        w = numpy.ones(len(y)) if w is None else w
        self.classes_ = numpy.unique(y)
        self.shares = [w[y == c].sum() / w.sum() for c in self.classes_]
        warnings.warn("a warning of Python")
        return self

    def predict_proba(self, x):
        return numpy.tile(self.shares, (len(x), 1))

ensrun.learner(lambda t: Shares().fit(t.x, t.y, t.w))
ensrun.serve()
"""


def study(work, learners, program="", more="", inputs="", settings=""):
    """X.npy, y.npy, classes.npy, w.npy; the program is ./model."""
    rng = numpy.random.default_rng(3)
    x = rng.normal(size=(4000, 3))
    numpy.save(work.path / "X.npy", x)
    y = x @ [1, -2, 0.5] + rng.normal(size=len(x))
    numpy.save(work.path / "y.npy", y)
    numpy.save(work.path / "classes.npy", (y > -1) + 1.0 * (y > 1))
    numpy.save(work.path / "w.npy", rng.uniform(size=len(x)))
    for client in ("ensrun.py", "ensrun.R"):
        shutil.copy(SOURCE / "launch/clients" / client, work.path)
    (work.path / "model").write_text(program)
    (work.path / "model").chmod(0o755)
    if "y = " not in inputs:
        inputs += "y = y.npy\n"
    return work.study(f"[study]\nkind = superlearner\n{more}\n[inputs]\n"
                      f"X = X.npy\n{inputs}[superlearner]\nfolds = 3\n"
                      f"{settings}\n{learners}")


def predictions(results):
    """name of a learner -> its out-of-fold predictions."""
    cells = {row["task"].split("/")[1]: row["cell"]
             for row in table(results) if row["task"].startswith("layer1/")}
    return {name: numpy.load(results / "arrays" / f"predicted1.{cell}.npy")
            for name, cell in cells.items()}


def expect_close(found, name, other, tolerance=1e-9):
    away = abs(found[name] - found[other]).max()
    check(away < tolerance, f"{name} and {other} differ by {away}")


OLS = """[case std]
preprocess = standardise
[learner ols]
learner = ols
[learner python]
learner = program
run = ./model
path = X.npy
[learner scaled]
learner = program
case = std
run = ./model
path = fd/3
[meta]
learner = nnls
"""


def in_python(work):
    """Rows are mapped where they lie in a file, else shared; either way what
    comes out is least squares."""
    path = study(work, OLS, PY_RIDGE)
    work.run(path, work.path / "r")
    check(count_by(table(work.path / "r"), "status").keys() == {"ok"},
          table(work.path / "r"))
    found = predictions(work.path / "r")
    expect_close(found, "python", "ols")
    expect_close(found, "std.scaled", "ols")


def in_r(work):
    path = study(work, OLS.split("[learner python]", maxsplit=1)[0] +
                 "[learner r]\nlearner = program\nrun = ./model\n"
                 "[learner rs]\nlearner = program\ncase = std\n"
                 "run = ./model\n[meta]\nlearner = nnls\n", R_LM)
    work.run(path, work.path / "r")
    found = predictions(work.path / "r")
    expect_close(found, "r", "ols")
    expect_close(found, "std.rs", "ols")


def scattered_rows(work):
    """Rows in more pieces than a line holds are sent as numbers."""
    path = study(work, OLS, PY_RIDGE, settings="shuffle = yes")
    work.run(path, work.path / "r")
    found = predictions(work.path / "r")
    expect_close(found, "python", "ols")
    expect_close(found, "std.scaled", "ols")
    path = study(work, OLS.split("[learner python]", maxsplit=1)[0] +
                 "[learner r]\nlearner = program\nrun = ./model\n"
                 "[meta]\nlearner = nnls\n", R_LM, settings="shuffle = yes")
    work.run(path, work.path / "s")
    expect_close(predictions(work.path / "s"), "r", "ols")


def classes(work):
    learners = """[learner mean]
learner = mean
[learner shares]
learner = program
run = ./model
[meta]
learner = discrete
"""
    for family, more in (("binomial", ""),
                         ("multinomial", "classes = 3"),
                         ("binomial", "")):
        weights = "" if more else "weights = w.npy\n"
        y = "classes.npy" if more else "binary.npy"
        path = study(work, learners, PY_SHARES,
                     inputs=f"y = {y}\n{weights}",
                     settings=f"family = {family}\n{more}")
        numpy.save(work.path / "binary.npy",
                   (numpy.load(work.path / "y.npy") > 0) * 1.0)
        shutil.rmtree(work.path / "r", ignore_errors=True)
        work.run(path, work.path / "r")
        found = predictions(work.path / "r")
        check(found["shares"].size == 4000 * (3 if more else 1),
              found["shares"].shape)
        expect_close(found, "shares", "mean", 1e-12)
        warned = [row for row in table(work.path / "r")
                  if "a warning of Python" in row["warnings"]]
        check(len(warned) == 4, warned)


def same_bytes(work):
    path = study(work, OLS, PY_RIDGE)
    work.run(path, work.path / "one", workers=1)
    work.run(path, work.path / "many", workers=5)
    expect_same(work.path / "many", work.path / "one", "5 workers")
    work.run(path, work.path / "inline", transport="inline")
    expect_same(work.path / "inline", work.path / "one", "inline")


ERRORS = """#!/usr/bin/python3
import numpy
import ensrun

def fit(t):
    how = t.values["how"]
    if how == "raise":
        raise ValueError("no such fit")
    return how

def predict(model, t):
    if model == "late":
        raise ValueError("no such prediction")
    n = len(t.x)
    return {"short": numpy.zeros(n - 1), "wide": numpy.zeros((n, 2)),
            "nan": numpy.full(n, numpy.nan), "fine": t.x[:, 0]}[model]

ensrun.learner(fit, predict)
ensrun.serve()
"""


def errors_are_told(work):
    """A learner that fails is left out, with its text; the rest goes on."""
    hows = ("raise", "late", "short", "wide", "nan", "fine")
    texts = ("ValueError: no such fit", "ValueError: no such prediction",
             "predictions of shape", "predictions of shape",
             "not a finite number", "")
    path = study(work, "".join(
        f"[learner {how}]\nlearner = program\nrun = ./model\nhow = {how}\n"
        for how in hows) + "[meta]\nlearner = nnls\n", ERRORS)
    work.run(path, work.path / "r", expect=SOME_FAILED)
    for how, text in zip(hows, texts):
        rows = [row for row in table(work.path / "r")
                if row["learner"] == how and row["task"].startswith("layer1/")
                and row["replicate"] != "1"]
        check(len(rows) == 3, rows)
        for row in rows:
            check(row["status"] == ("failed" if text else "ok") and
                  text in row["error"], f"{how}: {row}")


def one_that_is_not_there(work):
    path = study(work, "[learner a]\nlearner = program\nrun = ./absent\n"
                 "[meta]\nlearner = nnls\n")
    done = work.run(path, work.path / "r", expect=BAD)
    check("absent" in done.stderr, done.stderr)


def a_program_is_missing_in_the_file(work):
    path = study(work, "[learner a]\nlearner = program\n"
                 "[meta]\nlearner = nnls\n")
    done = work.run(path, work.path / "r", expect=BAD)
    check("run: missing" in done.stderr, done.stderr)


def columns_of_an_input(work):
    """Some columns of a file are mapped where they lie; numbers that are none
    fail the task, named."""
    text = OLS.replace("[case std]\npreprocess = standardise\n", "").split(
        "[learner scaled]", maxsplit=1)[0] + "[meta]\nlearner = nnls\n"
    path = study(work, text.replace("X.npy", "all.npy"), PY_RIDGE.replace(
        '["V1", "V2", "V3"]', '["V1", "V2"]'),
        inputs="all = all.npy\n")
    shutil.copy(work.path / "X.npy", work.path / "all.npy")
    path.write_text(path.read_text().replace("X = X.npy", "X = all[2, 3]"))
    work.run(path, work.path / "r")
    expect_close(predictions(work.path / "r"), "python", "ols")
    x = numpy.load(work.path / "all.npy")
    x[1234, 2] = numpy.nan
    numpy.save(work.path / "all.npy", x)
    path.write_text(path.read_text().replace("[learner ols]\nlearner = ols\n",
                                             ""))
    work.run(path, work.path / "s", expect=SOME_FAILED)
    errors = {row["error"] for row in table(work.path / "s")
              if row["learner"] == "python"}
    check(any("row 1235" in text and "V2" in text for text in errors), errors)


def of_a_plugin(work):
    """The example: as the mean of a response with rows of 0 behind it."""
    example = work.path / "example"
    shutil.copytree(plugins.EXAMPLES, example / "plugin")
    shutil.copy(SOURCE / "launch/examples/wells.csv", example)
    folder = example / "plugin"
    plugins.compile_c(work, folder / "shrunk_mean.c",
                      folder / "shrunk_mean.so")
    work.run(folder / "shrunk_mean.ini", work.path / "r")
    found = predictions(work.path / "r")
    switch = numpy.array([float(line.split(",")[0]) for line in
                          (example / "wells.csv").read_text()
                          .splitlines()[1:]])
    n = len(switch)
    for strength in (10, 1000):
        mine = found[f"shrunk[strength={strength}]"].ravel()
        for fold in range(5):
            # sizes of blocks differ by one at most
            begin, end = (k * (n // 5) + min(k, n % 5)
                          for k in (fold, fold + 1))
            rest = numpy.r_[switch[:begin], switch[end:]]
            want = rest.sum() / (len(rest) + strength)
            check(abs(mine[begin:end] - want).max() < 1e-12,
                  f"{strength}, fold {fold}: {mine[begin]}, not {want}")
    done = work.ensrun("kinds", folder / "shrunk_mean.so:shrunk_mean")
    check("of family gaussian" in done.stdout, done.stdout)


main(in_python, in_r, scattered_rows, classes, same_bytes, errors_are_told,
     columns_of_an_input, one_that_is_not_there,
     a_program_is_missing_in_the_file, of_a_plugin)
