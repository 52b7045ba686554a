#!/usr/bin/env python3
"""Fitter bridgestan with models that Stan compiled: Debian's rstan makes C++
of them, stan_shim.cpp gives it BridgeStan's functions (half a minute each).
Needs r-cran-rstan, r-cran-stanheaders, r-cran-rcppeigen, libboost-dev, g++."""
import shutil
import subprocess
from pathlib import Path

from harness import SOURCE, check, main, skip, table
from test_bayes_fits import POSTERIORS, far, numbers, reference, write

SCHOOLS = """data { int<lower=0> N; real y[N]; real<lower=0> se[N]; }
parameters { real mu; real<lower=0> tau; vector[N] z; }
transformed parameters { vector[N] theta; theta = mu + tau * z; }
model {
  z ~ normal(0, 1); y ~ normal(theta, se);
  mu ~ normal(0, 5); tau ~ cauchy(0, 5);
}
"""
REGRESSION = """data { int<lower=0> N; int<lower=0> p; matrix[N, p] X; vector[N] y; }
parameters { vector[p] beta; real<lower=0> sigma; }
model { sigma ~ cauchy(0, 2.5); y ~ normal(X * beta, sigma); }
"""
STUDY = """[study]
kind = simulation
seed = 3
replicates = 10
[inputs]
D = d.csv
[data]
generator = fixed
input = D
[fit]
fitter = bridgestan
library = model.so
"""
LIB = Path("/usr/lib/R/site-library")


def compile_model(work, text):
    (work.path / "model.stan").write_text(text)
    (work.path / "make.R").write_text(
        'suppressMessages(library(rstan))\n'
        'writeLines(stanc("model.stan", model_name = "m")$cppcode, "m.cpp")\n')
    subprocess.run(["Rscript", "make.R"], cwd=work.path, check=True,
                   stdout=subprocess.DEVNULL)
    with open(work.path / "m.cpp", "a", encoding="utf-8") as f:
        f.write(f'\n#include "{SOURCE}/tests/system/stan_shim.cpp"\n')
    headers = LIB / "StanHeaders" / "include"
    subprocess.run(
        ["g++", "-std=gnu++14", "-O2", "-w", "-fPIC", "-shared",
         "-fvisibility=hidden", "-DNDEBUG", "-DEIGEN_NO_DEBUG",
         "-DBOOST_DISABLE_ASSERTS", "-DBOOST_PENDING_INTEGER_LOG2_HPP",
         f"-I{LIB}/RcppEigen/include",
         f"-I{LIB}/RcppEigen/include/unsupported", f"-I{headers}/src",
         f"-I{headers}", f"-I{LIB}/RcppParallel/include", "-include",
         f"{headers}/stan/math/prim/mat/fun/Eigen.hpp", "m.cpp", "-o",
         "model.so", f"-L{LIB}/StanHeaders/lib", "-lStanHeaders", "-ltbb"],
        cwd=work.path, check=True)


def need_stan():
    for path in (LIB / "rstan", LIB / "StanHeaders", LIB / "RcppEigen"):
        if not path.exists():
            skip(f"{path} is missing")
    if not shutil.which("g++"):
        skip("g++ is missing")


def compare(work, name, fit, names):
    file, columns, _, _ = POSTERIORS[name]
    write(work, columns())
    work.run(work.study(STUDY + fit), work.path / "r")
    rows, given = table(work.path / "r"), reference(file)
    for theirs, ours in names.items():
        r = given[theirs]
        z = far(numbers(rows, f"estimate__{ours}"), float(r["mean"]),
                float(r["mcse_mean"]))
        check(abs(z) <= 4, f"{ours}: z = {z}")
        z = far(numbers(rows, f"std_error__{ours}"), float(r["sd"]),
                float(r["mcse_sd"]))
        check(abs(z) <= 5, f"sd of {ours}: z = {z}")


def columns_by_name(work):
    need_stan()
    compile_model(work, SCHOOLS)
    names = {k: k for k in ("mu", "tau", "theta[1]", "theta[8]")}
    compare(work, "schools", f"terms = {', '.join(names)}\n", names)


def a_formula(work):
    need_stan()
    compile_model(work, REGRESSION)
    compare(work, "kidiq", "formula = y ~ hs + iq\nparameters = sigma\n"
            "adaptation = laplace\n",
            {"beta[1]": "intercept", "beta[2]": "hs", "beta[3]": "iq",
             "sigma": "sigma"})


main(columns_by_name, a_formula)
