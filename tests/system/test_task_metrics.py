#!/usr/bin/env python3
"""Metrics that tasks compute: the same bytes however they are run, numbers
beside what numpy makes of the same data, columns, artifacts, refusals."""
import shutil
import subprocess

from harness import BAD, OK, SOME_FAILED, SOURCE, check, expect_same, main, table

# Debian's Python, which has numpy, does what needs numpy.
PYTHON = "/usr/bin/python3"

STUDY = """[study]
kind = simulation
seed = 3
replicates = 12
[data]
generator = linear
n = 40
slope = 2 0.5
test = 15
[fit nuts]
fitter = nuts
formula = y ~ x1 + x2
[fit nig]
fitter = normal_inverse_gamma
draws = 2000
formula = y ~ x1 + x2
[fit ols]
fitter = ols
formula = y ~ x1 + x2
[metrics]
use = USE
half = intervals(level=0.5)
coarse = rank(thin=7)
"""
ALL = ("bias, pred_rmse, pred_mse, pred_mae, pred_bias, r2_test, elpd_test, "
       "elpd_loo, rmse_loo, r2_loo, posterior_summary(prob=0.8), "
       "quantiles(0.025, 0.5), pos_prob, crps, interval_width(level=0.9), "
       "p_value, rank, sampler_diagnostics")


def study(work, use=ALL, more="", name="study.ini", **changes):
    text = STUDY.replace("USE", use) + more
    for key, value in changes.items():
        check(f"\n{key} = " in text, key)
        before, after = text.split(f"\n{key} = ", 1)
        text = f"{before}\n{key} = {value}\n" + after.split("\n", 1)[1]
    return work.study(text, name)


def same_bytes(work):
    """Random numbers of metrics are the task's: 1 worker, 4, and resumed."""
    path = study(work)
    work.run(path, work.path / "one", workers=1)
    work.run(path, work.path / "four", workers=4)
    expect_same(work.path / "four", work.path / "one", "4 workers")
    study(work, replicates=5)
    work.run(path, work.path / "more", workers=2)
    study(work)
    work.run(path, work.path / "more", workers=2)
    expect_same(work.path / "more", work.path / "one", "more replicates")
    # a metric's numbers do not depend on the others
    alone = study(work, "rank, r2_loo", name="alone.ini")
    work.run(alone, work.path / "alone")
    for a, b in zip(table(work.path / "alone"), table(work.path / "one")):
        for key in a:
            if key.startswith(("rank__", "r2_loo__", "coarse__")):
                check(a[key] == b[key], f"{a['task']} {key}")


def columns(work):
    """What a fit has none of is missing, without a warning."""
    path = study(work)
    work.run(path, work.path / "r")
    rows = table(work.path / "r")
    for row in rows:
        check(row["status"] == "ok" and row["warnings"] == "", row["warnings"])
        draws = row["fit"] != "ols"
        for key in ("elpd_loo__elpd", "rank__by_param__x1", "pos_prob__mean",
                    "quantiles__q2.5__x2", "posterior_summary__sd__intercept",
                    "crps__by_param__x1", "coarse__stride"):
            check((row[key] != "") == draws, f"{row['fit']} {key}")
        check((row["sampler_diagnostics__divergent"] != "") ==
              (row["fit"] == "nuts"), "divergent")
        for key in ("pred_rmse__value", "elpd_test__value", "half__low__x1",
                    "p_value__x1", "interval_width__by_param__x2"):
            check(row[key] != "", f"{row['fit']} {key}")
        check(row["pred_rmse__n_obs"] == "15", row["pred_rmse__n_obs"])
        rmse = float(row["pred_rmse__value"])
        check(abs(rmse ** 2 - float(row["pred_mse__value"])) < 1e-12, "rmse")
        check(0.4 < rmse < 2, f"{rmse}")
    # means of them are in cells.csv
    cells = cells_of(work.path / "r")
    check(("nuts", "pred_rmse__value", "mean") in cells, "pred_rmse")
    check(("nuts", "x1", "half__covered") in cells, "half__covered")


def cells_of(results):
    return {(c["fit"], c["estimand"], c["measure"]): c
            for c in table(results, "cells.csv")}


def levels(work):
    """Measures at a level of their own, of draws as of intervals()."""
    path = study(work, "bias, coverage, coverage(level=0.5), "
                 "coverage(level=0.6), interval_score(level=0.5)")
    work.run(path, work.path / "r")
    cells = cells_of(work.path / "r")
    for a, b in (("coverage_0.5", "half__covered"),
                 ("interval_score", "half__score")):
        for term in ("x1", "sigma"):
            x, y = cells["nuts", term, a], cells["nuts", term, b]
            check(abs(float(x["value"]) - float(y["value"])) < 1e-12, f"{x}")
            check(x["n_used"] == "12", f"{x}")
    for fit in ("nuts", "ols"):
        check(cells[fit, "x1", "coverage_0.6"]["value"] != "", fit)


CALIBRATION = """[study]
kind = simulation
seed = 8
replicates = 500
[data]
generator = program
run = ./model
columns = x, y
truth = intercept, x, sigma
n = 15
[fit]
formula = y ~ x
fitter = normal_inverse_gamma
a0 = 3
prior_precision = 1
draws = 99
[fit right]
b0 = 2
[fit wrong]
b0 = 4
[metrics]
use = rank(thin=no)
other = rank(thin=3)
"""
MODEL = """#!/usr/bin/python3
import numpy
import ensrun

@ensrun.generate
def generate(t):
    rng = numpy.random.default_rng(t.seed)
    sigma = (2 / rng.gamma(3)) ** 0.5
    b = rng.normal(size=2) * sigma
    x = rng.normal(size=t.values["n"])
    y = b[0] + b[1] * x + sigma * rng.normal(size=len(x))
    return {"data": {"x": x, "y": y},
            "truth": {"intercept": b[0], "x": b[1], "sigma": sigma}}

ensrun.serve()
"""


def calibration(work):
    """Ranks of a right sampler are uniform; those of one that takes another
    prior for sigma are not."""
    (work.path / "model").write_text(MODEL)
    (work.path / "model").chmod(0o755)
    shutil.copy(SOURCE / "launch/clients/ensrun.py", work.path)
    path = work.study(CALIBRATION)
    work.run(path, work.path / "r")
    cells = cells_of(work.path / "r")
    for metric in ("rank", "other"):
        for part in ("ecdf_p", "chi2_p"):
            for term in ("intercept", "x", "sigma"):
                p = float(cells["right", term, f"{metric}__{part}"]["value"])
                check(0.001 < p <= 1, f"right: {term} {metric} {part} {p}")
            p = float(cells["wrong", "sigma", f"{metric}__{part}"]["value"])
            check(p < 1e-4, f"wrong: {metric} {part} {p}")
    row = cells["wrong", "sigma", "rank__ecdf_diff"]
    check(float(row["value"]) > 0.1 and row["n_used"] == "500", f"{row}")
    rows = table(work.path / "r")
    check({r["other__n_ranks"] for r in rows} == {"34"}, "33 draws are kept")
    work.run(path, work.path / "again", workers=5)
    expect_same(work.path / "again", work.path / "r", "5 workers")


def leave_one_out(work):
    """Against the exact mean of each row without it, and its density."""
    path = study(work, "elpd_loo, rmse_loo", draws=20000, replicates=3)
    work.run(path, work.path / "r", "--set", "run.retain=data")
    work.ensrun("export", work.path / "r", "--artifact", "data", "--to", "npy",
                "-o", work.path / "data.npy", "--where", "fit=nig")
    rows = [r for r in table(work.path / "r") if r["fit"] == "nig"]
    code = """
import numpy as np
from scipy import stats
for d in np.load("data.npy"):
    X, y = np.column_stack([np.ones(len(d)), d[:, :-1]]), d[:, -1]
    e, elpd = [], 0
    for i in range(len(y)):
        A, b = np.delete(X, i, 0), np.delete(y, i)
        m = np.linalg.solve(A.T @ A, A.T @ b)
        e.append(y[i] - X[i] @ m)
        a, s = 2 + len(b) / 2, ((b - A @ m) ** 2).sum() / 2
        v = 1 + X[i] @ np.linalg.solve(A.T @ A, X[i])
        elpd += stats.t.logpdf(y[i], 2 * a, X[i] @ m, np.sqrt(s / a * v))
    print(np.sqrt(np.mean(np.square(e))), elpd)
"""
    done = subprocess.run([PYTHON, "-c", code], cwd=work.path,
                          capture_output=True, text=True)
    check(done.returncode == 0, done.stderr)
    exact = [list(map(float, line.split())) for line in
             done.stdout.splitlines()]
    check(len(exact) == len(rows) == 3, f"{len(exact)} {len(rows)}")
    for row, (rmse, elpd) in zip(rows, exact):
        check(abs(float(row["rmse_loo__value"]) / rmse - 1) < 3e-3,
              f"rmse {row['rmse_loo__value']}, exactly {rmse}")
        check(abs(float(row["elpd_loo__elpd"]) - elpd) < 0.05,
              f"elpd {row['elpd_loo__elpd']}, exactly {elpd}")


def large_model(work):
    """Over 50 parameters: no columns of each, but an artifact."""
    many = " ".join(["1"] * 51)
    text = ("[study]\nkind = simulation\nseed = 3\nreplicates = 2\n"
            f"[data]\ngenerator = linear\nn = 80\nslope = {many}\n"
            "[fit]\nfitter = ols\nformula = y ~ .\n"
            "[metrics]\nuse = bias, interval_width(level=0.5), p_value\n")
    results = work.path / "r"
    work.run(work.study(text), results)
    rows = table(results)
    names = [k for k in rows[0] if k.startswith(("interval_width", "p_value"))]
    check(names == ["interval_width__mean"], f"{names}")
    work.ensrun("export", results, "--artifact", "metrics", "--to", "npy",
                "-o", work.path / "m.npy")
    code = """
import numpy as np
m = np.load("m.npy")
assert m.shape == (2, 52, 2), m.shape
assert np.isfinite(m).all() and (m[:, :, 1] <= 1).all()
print(*m[:, :, 0].mean(axis=1))
"""
    done = subprocess.run([PYTHON, "-c", code], cwd=work.path,
                          capture_output=True, text=True)
    check(done.returncode == 0, done.stderr)
    for row, mean in zip(rows, done.stdout.split()):
        check(abs(float(row["interval_width__mean"]) - float(mean)) < 1e-12,
              mean)


def groups(work):
    """Names of parameters stay as they are."""
    text = ("[study]\nkind = simulation\nseed = 3\nreplicates = 2\n"
            "[data]\ngenerator = hierarchical\n"
            "[fit]\nfitter = nuts\nformula = y ~ x1 + (1 | g)\n"
            "[metrics]\nuse = rank, elpd_loo, pred_rmse\n")
    work.run(work.study(text), work.path / "r")
    row = table(work.path / "r")[0]
    check("rank__by_param__g[1]" in row, f"{list(row)}")
    check(row["rank__by_param__g[1]"] != "", "rank of g[1]")
    check(row["elpd_loo__elpd"] != "" and row["pred_rmse__value"] == "",
          "leave-one-out, no test set")


BAD_ROWS = """#!/usr/bin/python3
import numpy
import ensrun

@ensrun.generate
def generate(t):
    x = numpy.arange(12.0)
    test = {"x": x, "y": x + (float("inf") if t.replicate == 2 else 0)}
    return {"data": {"x": x, "y": x + numpy.sin(x)}, "test": test}

ensrun.serve()
"""


def failures(work):
    """A test set that cannot be: a warning, or the task's end."""
    (work.path / "model").write_text(BAD_ROWS)
    (work.path / "model").chmod(0o755)
    shutil.copy(SOURCE / "launch/clients/ensrun.py", work.path)
    text = ("[study]\nkind = simulation\nreplicates = 3\n[data]\n"
            "generator = program\nrun = ./model\ncolumns = x, y\n[fit]\n"
            "fitter = ols\nformula = y ~ x\n[metrics]\nuse = pred_rmse\n")
    work.run(work.study(text), work.path / "r")
    rows = table(work.path / "r")
    check([r["pred_rmse__value"] != "" for r in rows] == [True, False, True],
          f"{rows}")
    check("test set: row 1" in rows[1]["warnings"], rows[1]["warnings"])
    check(rows[0]["warnings"] == "", rows[0]["warnings"])
    work.run(work.study(text + "required = pred_rmse\n"), work.path / "s",
             expect=SOME_FAILED)
    rows = table(work.path / "s")
    check([r["status"] for r in rows] == ["ok", "failed", "ok"], f"{rows}")
    check("test set: row 1" in rows[1]["error"], rows[1]["error"])


def refusals(work):
    for use, text in (
            ("rank, rank", "rank is there twice"),
            ("half", '"half" is unknown'),
            ("rank(thin=0)", "not auto, no, or a whole number"),
            ("quantiles(0.5, 0.5)", "0.5 is there twice"),
            ("quantiles(1.5)", "p1: 1.5 is above 1"),
            ("posterior_summary(prob=1)", "1 is not between 0 and 1"),
            ("crps(2)", "crps takes at most 0"),
            ("pos_porb", "did you mean pos_prob?")):
        run = work.ensrun("plan", study(work, use), expect=BAD)
        check("study.ini:" in run.stderr and text in run.stderr, run.stderr)
    for name, text in (("bias = rank", "bias is there twice"),
                       ("truth = rank", "are there already"),
                       ("a__b = rank", "no __"),
                       ("half = rank", "half"),
                       ("required = bias", "bias is no metric that tasks")):
        run = work.ensrun("plan", study(work, more=name + "\n"), expect=BAD)
        check("study.ini:" in run.stderr and text in run.stderr, run.stderr)
    # they are part of the fingerprint, measures are not
    work.run(study(work, "bias, crps"), work.path / "r")
    run = work.ensrun("run", study(work, "bias, rank"), "--results",
                      work.path / "r", expect=BAD)
    check("metrics.use: was crps, now rank" in run.stderr, run.stderr)
    work.run(study(work, "rmse, crps"), work.path / "r", expect=OK)


if __name__ == "__main__":
    main(same_bytes, columns, levels, calibration, leave_one_out, large_model,
         groups, failures, refusals)
