#!/usr/bin/env python3
"""Kind simulation: data that cannot be fitted, or hardly: a task's error or
warning that says why, no hang, nothing but numbers presented as a result; and
each such task replays."""
import csv

from harness import SOME_FAILED, check, main, table

OLS, RIDGE = "fitter = ols\n", "fitter = ridge\n"
NIG = "fitter = normal_inverse_gamma\n"
NUTS = "fitter = nuts\nchains = 1\ndraws = 60\n"


def glm(family):
    return f"fitter = glm\nfamily = {family}\n"


def study(work, data, fit, replicates=3):
    return work.study(f"[study]\nkind = simulation\nseed = 3\n"
                      f"replicates = {replicates}\n[data]\n{data}\n"
                      f"[fit]\n{fit}\n")


# data, fit, status, a part of the error or of the warnings ("" = none)
LINEAR = "generator = linear\nn = 30\nslope = 1 1\n"
FEW = "generator = linear\nn = 3\nslope = 1 1 1 1\n"
FLAT = "generator = linear\nn = 30\nslope = 0\nsigma = 0\n"
HUGE = "generator = linear\nn = 20\nslope = 1e300\nsigma = 1e300\n"
APART = "generator = logistic\nn = 30\nslope = 1000\n"
NEVER = "generator = poisson\nn = 30\nintercept = -100\n"
TWICE, FOUR = "formula = y ~ x1 + I(2*x1)\n", "formula = y ~ x1 + x2 + x3 + x4\n"
ONE = "formula = y ~ x1\n"

CASES = (
    (LINEAR, OLS + TWICE, "failed", "'I(2 * x1)' is aliased"),
    (LINEAR, RIDGE + TWICE, "ok", ""),
    (LINEAR, RIDGE + "lambda = 0\n" + TWICE, "failed", "is aliased"),
    (LINEAR, NIG + TWICE, "ok", ""),
    (LINEAR, NIG + "prior_precision = 0\n" + TWICE, "failed", "is aliased"),
    (LINEAR, NUTS + TWICE, "failed", "is aliased"),
    (FEW, OLS + FOUR, "failed", "3 complete rows for 5 terms"),
    (FEW, RIDGE + FOUR, "ok", ""),
    (FEW, NIG + FOUR, "ok", ""),
    (FEW, NUTS + FOUR, "failed", "3 complete rows for 5 terms"),
    ("generator = gamma\nn = 2\nslope = 1 1 1 1\n", glm("gamma") + FOUR,
     "failed", "2 complete rows for 5 terms"),
    ("generator = linear\nn = 2\n", OLS + ONE, "ok",
     "no residual degrees of freedom"),
    (FLAT, OLS + ONE, "ok", "essentially perfect fit"),
    (FLAT, RIDGE + ONE, "ok", ""),
    (FLAT, NIG + ONE, "ok", ""),
    (FLAT, NIG + "b0 = 0\n" + ONE, "failed", "posterior is improper"),
    (FLAT, NUTS + ONE, "failed", "is it constant"),
    (FLAT, glm("poisson") + ONE, "ok", "the response is constant"),
    (HUGE, OLS + ONE, "failed", "too large"),
    (HUGE, RIDGE + ONE, "failed", "too large"),
    (HUGE, NIG + ONE, "failed", "too large"),
    (APART, glm("binomial") + ONE, "ok",
     "fitted probabilities numerically 0 or 1 occurred"),
    (APART, NUTS + "family = binomial\n" + ONE, "failed", "separate"),
    (NEVER, glm("poisson") + ONE, "ok", "the response is constant"),
    (NEVER, glm("negbinomial") + ONE, "failed", "phi has no estimate"),
    (NEVER, glm("gamma") + ONE, "failed", "numbers above 0"),
    (LINEAR, glm("binomial") + ONE, "failed", "takes 0 or 1"),
    ("generator = poisson\nn = 9\nintercept = 40\n", glm("poisson") + ONE,
     "failed", "row 1: no count is drawn of a mean above 1e9"),
)


def numbers(row, parts):
    return {c: v for c, v in row.items() if c.split("__")[0] in parts}


def each_case(work):
    for i, (data, fit, status, says) in enumerate(CASES):
        results = work.path / f"r{i}"
        path = study(work, data, fit)
        work.run(path, results, workers=2,
                 expect=SOME_FAILED if status == "failed" else 0)
        for row in table(results):
            case = f"{data}{fit}{row}"
            check(row["status"] == status, case)
            said = row["error" if status == "failed" else "warnings"]
            check(says in said and (says != "" or said == ""), case)
            if status == "failed":
                check(not any(numbers(row, ("estimate",)).values()), case)
                continue
            for name, value in numbers(row, ("estimate", "std_error")).items():
                check(value not in ("nan", "inf", "-inf"), case)
                check(value != "" or "degrees of freedom" in said, name)


def truth_is_kept(work):
    """Of a task that fails, too: what is true of its data is known."""
    path = study(work, "generator = logistic\nn = 10\nslope = 3\n",
                 NUTS + "family = binomial\n" + ONE, replicates=30)
    work.run(path, work.path / "kept", expect=SOME_FAILED)
    rows = table(work.path / "kept")
    check({row["status"] for row in rows} == {"ok", "failed"}, "one status")
    for row in rows:
        check(row["truth__x1"] == "3", row)
        check((row["estimate__x1"] != "") == (row["status"] == "ok"), row)


def replays(work):
    """What failed, what was warned of, what is random: the same again."""
    for i, (data, fit) in enumerate((
            (LINEAR, OLS + TWICE), (APART, glm("binomial") + ONE),
            ("generator = hierarchical\n",
             NUTS + "formula = y ~ x1 + (1 | g)\n"),
            ("generator = linear\n", NIG + "draws = 50\n" + ONE))):
        results = work.path / f"replay{i}"
        path = study(work, data, fit)
        work.run(path, results, workers=2, expect=None)
        for row in table(results):
            done = work.run(path, results, "--only", row["task"],
                            transport="inline", expect=None)
            check("equal to the stored result" in done.stderr, done.stderr)
            check(row["seed"].isdigit(), row)


def missing_rows(work):
    """NaN: rows are left out, with a word of it; none left: an error."""
    with open(work.path / "t.csv", "w", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(["x", "z", "y"])
        for i in range(30):
            out.writerow([i % 7, "NA", "NA" if i % 3 == 0 else i])
    head = ("[study]\nkind = simulation\nreplicates = 2\n"
            "[inputs]\nt = t.csv\n[data]\ngenerator = fixed\ninput = t\n")
    for fitter in (OLS, RIDGE, NIG, glm("gaussian"), NUTS):
        path = work.study(f"{head}[fit]\n{fitter}formula = y ~ x\n")
        work.run(path, work.path / "some", "--restart")
        for row in table(work.path / "some"):
            check("rows with missing values left out" in row["warnings"], row)
            check(float(row["estimate__x"]) != 0, row)
        path = work.study(f"{head}[fit]\n{fitter}formula = y ~ z\n")
        work.run(path, work.path / "none", "--restart", expect=SOME_FAILED)
        for row in table(work.path / "none"):
            check("0 complete rows for 2 terms" in row["error"], row)


main(each_case, truth_is_kept, replays, missing_rows)
