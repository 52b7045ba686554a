#!/usr/bin/env python3
"""Measures of cells.csv: they are what the tasks' columns say, and all that
[metrics] says of them can be changed when the tasks have ended."""
import fcntl
import math
import os
import pty
import statistics as st
import struct
import subprocess
import termios

from harness import BAD, ENSRUN, check, main, table

STUDY = """[study]
kind = simulation
seed = {seed}
replicates = {n}
[data]
generator = linear
n = 20, 40
intercept = 1
slope = 2 0.5
sigma = 3
[fit full]
fitter = ols
formula = y ~ x1 + x2
[fit wide]
fitter = ols
formula = y ~ x1 + x2
level = 0.5, 0.9
[fit short]
fitter = glm
formula = y ~ x1
[metrics]
{metrics}
"""
TRUTH = {"intercept": 1.0, "x1": 2.0, "x2": 0.5, "sigma": 3.0}


def study_of(metrics="", n=60, seed=5):
    return STUDY.format(metrics=metrics, n=n, seed=seed)


def numbers(rows, name):
    return [float(r[name]) for r in rows]


def cells_of(results):
    return {(r["cell"], r["estimand"], r["measure"]): r
            for r in table(results, "cells.csv")}


def near(row, value, mcse, text):
    for name, expected in (("value", value), ("mcse", mcse)):
        got = float(row[name])
        check(abs(got - expected) <= 1e-9 * max(1, abs(expected)),
              f"{text} {row['estimand']} {row['measure']}: {name} {got!r}, "
              f"not {expected!r}")


def mean_of(x):
    return st.mean(x), st.stdev(x) / math.sqrt(len(x))


def share_of(x):
    p = sum(x) / len(x)
    return p, math.sqrt(p * (1 - p) / len(x))


def of_tasks(work):
    """Every measure, computed anew from tasks.csv."""
    results = work.path / "r"
    work.run(work.study(study_of(
        "use = all, quantile(prob=0.25)\nreference = 0.5\ncompare = full\n"
        "half = coverage(level=0.5)")), results)
    tasks, cells = table(results), cells_of(results)
    by_cell = {}
    for row in tasks:
        by_cell.setdefault(row["cell"], []).append(row)
    full = {rows[0]["data_n"]: rows for rows in by_cell.values()
            if rows[0]["fit"] == "full"}
    check(len(by_cell) == 8, f"{len(by_cell)} cells")
    for cell, rows in by_cell.items():
        for term in ("intercept", "x1"):
            def column(part, of=rows, term=term):
                return numbers(of, f"{part}__{term}")
            est, se = column("estimate"), column("std_error")
            low, high = column("conf_low"), column("conf_high")
            other = column("estimate", full[rows[0]["data_n"]])
            truth, n = TRUTH[term], len(est)
            e = [x - truth for x in est]
            v = [x * x for x in se]
            sd, root = st.stdev(e), math.sqrt(st.mean(v))
            is_full = rows[0]["fit"] == "full"

            def row(measure, cell=cell, term=term):
                return cells[cell, term, measure]
            text = f"{rows[0]['fit']} {rows[0]['data_n']}"
            near(row("bias"), *mean_of(e), text)
            near(row("relative_bias"), *mean_of([x / truth for x in e]), text)
            near(row("sd"), sd, sd / math.sqrt(2 * (n - 1)), text)
            near(row("mse"), *mean_of([x * x for x in e]), text)
            near(row("model_se_error"), 100 * (root / sd - 1),
                 100 * root / sd * math.sqrt(
                     st.variance(v) / (4 * n * root ** 4) +
                     1 / (2 * (n - 1))), text)
            near(row("coverage"), *share_of(
                [a <= truth <= b for a, b in zip(low, high)]), text)
            at = st.mean(est)
            near(row("be_coverage"), *share_of(
                [a <= at <= b for a, b in zip(low, high)]), text)
            near(row("width"), *mean_of(
                [b - a for a, b in zip(low, high)]), text)
            x = sorted(est)
            h = (n - 1) * 0.25
            k = int(h)
            check(abs(float(row("quantile_0.25")["value"]) -
                      (x[k] + (h - k) * (x[k + 1] - x[k]))) < 1e-9,
                  f"{text}: quantile")
            if is_full:
                check((cell, term, "difference") not in cells,
                      "compared with itself")
                continue
            d = [b - a for a, b in zip(other, est)]
            near(row("difference"), *mean_of(d), text)
            near(row("mse_difference"), *mean_of(
                [(b - truth) ** 2 - (a - truth) ** 2
                 for a, b in zip(other, est)]), text)
            if rows[0]["fit"] == "short":
                a, b = st.stdev(other), sd
                rho = st.correlation(other, est)
                near(row("relative_precision"), 100 * ((a / b) ** 2 - 1),
                     200 * (a / b) ** 2 * math.sqrt(
                         (1 - rho * rho) / (n - 1)), text)
    # limits at a level of their own are those of a fit at that level
    half = {(r["data_n"], r["estimand"]): r["value"]
            for r in table(results, "cells.csv")
            if r["measure"] == "coverage" and r["fit_level"] == "0.5"}
    check(len(half) == 6, f"{len(half)} coverages")
    for r in table(results, "cells.csv"):
        if r["measure"] == "half" and r["fit"] in ("full", "wide"):
            check(r["value"] == half[r["data_n"], r["estimand"]],
                  f"half of {r['fit']}: {r['value']}")


def later(work):
    """Measures, their names, terms, errors: without any task run again."""
    study = work.study(study_of())
    results = work.path / "r"
    work.run(study, results)
    tasks = (results / "tasks.csv").read_bytes()
    settings = ("metrics.use=all, quantile(prob=0.1)", "metrics.compare=full",
                "metrics.terms=x1, intercept", "metrics.reference=2, 0")
    for mcse in ("formula", "jackknife", "bootstrap(n=30)"):
        sets = [w for s in (*settings, f"metrics.mcse={mcse}")
                for w in ("--set", s)]
        work.run(study, results, *sets)
        check((results / "tasks.csv").read_bytes() == tasks, "tasks changed")
        fresh = work.path / f"fresh-{mcse}"
        work.run(study, fresh, *sets, workers=3)
        check((fresh / "cells.csv").read_bytes() ==
              (results / "cells.csv").read_bytes(), f"{mcse}: other bytes")
        rows = table(fresh, "cells.csv")
        check({r["estimand"] for r in rows} == {"x1", "intercept", "tasks"},
              "other terms")
        check(len(rows) == 2 * (2 * 18 + 2) + 6 * (2 * 21 + 2),
              f"{len(rows)} rows")
        check(all(r["mcse"] != "" for r in rows), f"{mcse}: no error")


def near_formula(work):
    """Jackknife and bootstrap are near the formulas where those are exact."""
    study = work.study(study_of("use = bias, mse, coverage, width", n=400))
    values = {}
    for mcse in ("formula", "jackknife", "bootstrap(n=300)"):
        results = work.path / mcse
        work.run(study, results, "--set", f"metrics.mcse={mcse}")
        values[mcse] = cells_of(results)
    for key, row in values["formula"].items():
        if key[2] in ("sd", "model_se"):
            continue
        for mcse, tolerance in (("jackknife", 0.01), ("bootstrap(n=300)", 0.2)):
            ratio = float(values[mcse][key]["mcse"]) / float(row["mcse"])
            check(abs(ratio - 1) < tolerance, f"{mcse} {key}: {ratio}")


def in_terminal(work, columns, *arguments):
    """What a command prints to a terminal of that many columns; progress and
    messages go elsewhere."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ,
                struct.pack("HHHH", 40, columns, 0, 0))
    run = subprocess.Popen([ENSRUN, *map(str, arguments)], stdout=theirs,
                           stderr=subprocess.DEVNULL, cwd=work.path)
    os.close(theirs)
    data = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # Linux: the other side is closed
            part = b""
        if not part:
            break
        data += part
    os.close(ours)
    check(run.wait(60) == 0, f"{arguments}: {data}")
    return data.decode().replace("\r\n", "\n").splitlines()


def terminal(work):
    """A run ends with its measures, each with its error, in lines that fit;
    export is aligned there, csv elsewhere."""
    study = work.study(study_of("compare = full"))
    results = work.path / "r"
    lines = in_terminal(work, 80, study, "--results", results)
    cells = cells_of(results)
    check(all(len(line) <= 80 for line in lines[:-1]), "\n".join(lines))
    text = "\n".join(lines)
    check(text.count("cell ") >= 8 and "relative_precision" in text and
          "Monte Carlo standard errors" in lines[-1], text)
    wide = in_terminal(work, 300, "show", results)
    names = wide[0].split()
    check(names[:3] == ["cell", "data_n", "fit"] and
          names[-1] == "n_used", wide[0])
    row = next(line for line in wide if " full " in line and " x1 " in line)
    cell = next(c for c in cells if c[0].startswith(row.split()[0]) and
                c[1:] == ("x1", "sd"))
    value, error = (float(cells[cell][k]) for k in ("value", "mcse"))
    digits = 1 - math.floor(math.log10(error))
    check(f"{value:.{digits}f} ({error:.{digits}f})" in row, row)
    aligned = in_terminal(work, 80, "export", results, "--table", "cells")
    ends = {len(line) for line in aligned}
    check(len(ends) == 1 and "," not in aligned[1], aligned[:3])
    run = work.ensrun("export", results, "--table", "cells")
    check(run.stdout == (results / "cells.csv").read_text(), "not csv")


def refusals(work):
    """Each names the line and what is allowed."""
    for metrics, words in (
            ("use = bias, bias", ["use", "bias is there twice"]),
            ("use = relative_precision", ["compare is not set"]),
            ("compare = ful", ["compare", "no row [fit ful]"]),
            ("compare = wide", ["0 cells of [fit wide]"]),
            ("terms = x3", ["terms", 'no fit estimates "x3"']),
            ("terms = x1, x1", ["terms", "twice"]),
            ("terms = x1\nreference = 1, 2", ["2 values for 1 terms"]),
            ("use = quantile", ["prob is missing"]),
            ("use = coverage(level=1)", ["not a number between 0 and 1"]),
            ("mcse = bootstrap(n=1)", ["below 2"]),
            ("mcse = jackknife(3)", ["takes no arguments"]),
            ("bias = rmse", ["bias: bias is the name of a measure"]),
            ("half = coverag(level=0.5)", ["half", "did you mean coverage"]),
            ("1st = bias", ["1st", "unknown key"])):
        run = work.ensrun("plan", work.study(study_of(metrics)), expect=BAD)
        text = run.stderr + run.stdout
        for word in ["study.ini:", *words]:
            check(word in text, f"{metrics!r}: no {word!r} in {text}")


def chains_that_are_apart(work):
    """convergence_rate knows of R-hat, where it is retained."""
    path = work.study("""[study]
kind = simulation
replicates = 40
[data]
generator = linear
n = 20
[fit]
fitter = nuts
formula = y ~ x1
draws = 10
[metrics]
use = convergence_rate
""")
    for retain in ("standard", "minimal"):
        results = work.path / retain
        work.run(path, results, "--set", f"run.retain={retain}")
        rows = [r for r in table(results) if r["status"] == "ok"]
        far = sum(float(r.get("rhat_max") or 0) > 1.05 for r in rows)
        check(0 < far < 40 if retain == "standard" else far == 0, f"{far}")
        (rate,) = [float(r["value"]) for r in table(results, "cells.csv")
                   if r["measure"] == "convergence_rate"]
        check(abs(rate - (len(rows) - far) / 40) < 1e-12, f"{rate} {far}")


if __name__ == "__main__":
    main(of_tasks, chains_that_are_apart, later, near_formula, terminal, refusals)
