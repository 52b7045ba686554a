#!/usr/bin/env python3
"""Fitter bridgestan, with a library that has BridgeStan's functions: the same
posterior as the model built in, what is wrong with a library or its data."""
import math
import subprocess

from harness import BAD, SOURCE, check, expect_same, main, table

STUDY = """[study]
kind = simulation
seed = 5
replicates = {n}
[data]
generator = linear
n = 80
slope = 2 -1
[fit]
formula = y ~ x1 + x2
[fit stan]
fitter = bridgestan
library = {library}
parameters = {parameters}
adaptation = laplace
{more}
"""
OURS = """[fit ours]
fitter = nuts
prior.sigma = half_cauchy(2.5)
"""


def build(work, edit=lambda text: text, name="model.so"):
    source = work.path / "model.c"
    source.write_text(edit((SOURCE / "tests/system/stan_model.c").read_text()))
    subprocess.run(["cc", "-std=c11", "-O2", "-shared", "-fPIC", "-I",
                    SOURCE / "include", "-o", work.path / name, source, "-lm"],
                   check=True)


def study(work, n=1, library="./model.so", parameters="sigma", more=""):
    return work.study(STUDY.format(n=n, library=library, more=more,
                                   parameters=parameters))


def the_same_posterior(work):
    """As the built-in model, within what 4,000 draws are worth; parameters by
    name, transformed ones too; the same bytes with any workers, and with
    chains that are tasks of their own."""
    build(work)
    path = study(work, 10, parameters="sigma, twice", more=OURS)
    work.run(path, work.path / "r")
    work.run(path, work.path / "r1", workers=1)
    expect_same(work.path / "r", work.path / "r1", "workers")
    work.run(path, work.path / "rc", "--set", "fit.chains_as_tasks=yes")
    expect_same(work.path / "rc", work.path / "r1", "chains")
    rows = table(work.path / "r")
    ours = {r["replicate"]: r for r in rows if r["fit"] == "ours"}
    stan = [r for r in rows if r["fit"] == "stan"]
    check(len(stan) == 10, f"{len(stan)} fits")
    for row in stan:
        for name in ("intercept", "x1", "x2", "sigma"):
            a, sd = (float(row[f"{k}__{name}"])
                     for k in ("estimate", "std_error"))
            b, se = (float(ours[row["replicate"]][f"{k}__{name}"])
                     for k in ("estimate", "std_error"))
            check(abs(a - b) < 5 * math.hypot(sd, se) / 2000 ** .5,
                  f"{name}: {a} {b}")
            check(abs(sd / se - 1) < .15, f"{name}: {sd} {se}")
        twice, once = (float(row[f"estimate__{k}"]) for k in ("twice", "sigma"))
        check(abs(twice / once - 2) < 1e-12, f"{twice} {once}")


def no_such_library(work):
    """The run ends, saying what the file lacks."""
    build(work, lambda t: t.replace("bs_param_constrain", "bs_gone"), "a.so")
    build(work, lambda t: t.replace("bs_major_version", "version"), "b.so")
    build(work, lambda t: t.replace("version = 2", "version = 1"), "c.so")
    (work.path / "d.so").write_text("no library")
    for library, message in {
            "./a.so": "a.so: has no bs_param_constrain",
            "b.so": "b.so: has no bs_major_version",
            "./c.so": "c.so: is of another version of BridgeStan than 2",
            "./d.so": "d.so: ",
            "./e.so": "e.so: cannot open shared object file"}.items():
        run = work.run(study(work, library=library), work.path / library[-4],
                       expect=BAD)
        check(message in run.stderr, f"{library}: {run.stderr}")


def no_such_model(work):
    """Outcomes of tasks, and errors of the study."""
    build(work)
    work.run(study(work, parameters="tau"), work.path / "tau", expect=1)
    row = table(work.path / "tau")[0]
    check("no parameter tau; it has beta.1,beta.2,beta.3,sigma,twice"
          in row["error"], row["error"])
    path = study(work)
    path.write_text(path.read_text().replace("formula = y ~ x1 + x2", "")
                    .replace("parameters = sigma", "terms = sigma"))
    work.run(path, work.path / "columns", expect=1)
    row = table(work.path / "columns")[0]
    check("the model takes no such data: no N or p" in row["error"],
          row["error"])
    path.write_text(path.read_text().replace("terms = sigma", ""))
    run = work.run(path, work.path / "r", expect=BAD)
    check("formula, or terms, is missing" in run.stderr, run.stderr)
    build(work, lambda t: t.replace("sigma > 1e100", "1"))
    work.run(study(work), work.path / "never", expect=1)
    row = table(work.path / "never")[0]
    check(row["status"] == "failed" and "log density" in row["error"],
          f"{row}")


main(the_same_posterior, no_such_library, no_such_model)
