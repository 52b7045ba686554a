#!/usr/bin/env python3
"""Fitter nuts as a study runs it: posteriors against references, divergences
where Stan has them, what has no posterior, errors of the study file."""
import csv
import gzip
import json
import math
import statistics
from pathlib import Path

from harness import BAD, SOURCE, check, expect_same, main, table

DATA = Path(__file__).parent.parent / "data" / "posteriordb"
REPLICATES = 20


def raw(name):
    path = DATA / "data" / f"{name}.json"
    if path.exists():
        return json.loads(path.read_text())
    with gzip.open(f"{path}.gz", "rt") as f:
        return json.load(f)


def lags():
    y = raw("arK")["y"]
    columns = {"y": y[5:]}
    for k in range(1, 6):
        columns[f"lag{k}"] = [y[t - k] for t in range(5, len(y))]
    return columns


def matrix(name, response, first):
    """Columns x1 ... of a matrix, from column `first` on, centred if any is
    left out: what brms does."""
    d = raw(name)
    columns = {"y": d[response]}
    for j in range(first, len(d["X"][0])):
        column = [row[j] for row in d["X"]]
        mean = statistics.fmean(column) if first else 0
        columns[f"x{j + 1 - first}"] = [v - mean for v in column]
    return columns


def simple(name, **names):
    d = raw(name)
    return {to: d[of] for to, of in names.items()}


def schools():
    d = raw("eight_schools")
    return {"y": d["y"], "se": d["sigma"], "school": list(range(1, 9))}


def wells():
    d = raw("wells_data")
    return {"switched": d["switched"], "arsenic": d["arsenic"],
            "dist": [v / 100 for v in d["dist"]]}


# reference file, data, settings of the fit, name in the reference -> ours
POSTERIORS = {
    "kidiq": ("kidiq-kidscore_momhsiq",
              lambda: simple("kidiq", y="kid_score", hs="mom_hs", iq="mom_iq"),
              "formula = y ~ hs + iq\nprior.sigma = half_cauchy(2.5)\n",
              {"beta[1]": "intercept", "beta[2]": "hs", "beta[3]": "iq",
               "sigma": "sigma"}),
    "sblri": ("sblri-blr", lambda: matrix("sblri", "y", 0),
              "formula = y ~ 0 + x1 + x2 + x3 + x4 + x5\n"
              "prior.b = normal(0, 10)\nprior.sigma = half_normal(10)\n",
              {**{f"beta[{k}]": f"x{k}" for k in range(1, 6)},
               "sigma": "sigma"}),
    "arK": ("arK-arK", lags,
            "formula = y ~ lag1 + lag2 + lag3 + lag4 + lag5\n"
            "prior.b = normal(0, 10)\nprior.intercept = normal(0, 10)\n"
            "prior.sigma = half_cauchy(2.5)\n",
            {**{f"beta[{k}]": f"lag{k}" for k in range(1, 6)},
             "alpha": "intercept", "sigma": "sigma"}),
    "diamonds": ("diamonds-diamonds", lambda: matrix("diamonds", "Y", 1),
                 "formula = y ~ " + " + ".join(f"x{k}" for k in range(1, 25))
                 + "\nprior.b = normal(0, 1)\n"
                 "prior.intercept = student_t(3, 8, 10)\n"
                 "prior.sigma = half_student_t(3, 10)\n",
                 {**{f"b[{k}]": f"x{k}" for k in range(1, 25)},
                  "Intercept": "intercept", "sigma": "sigma"}),
    "poisson": ("OWN_GLM_Poisson_Data-GLM_Poisson_model",
                lambda: simple("GLM_Poisson_Data", y="C", year="year"),
                "family = poisson\n"
                "formula = y ~ year + I(year^2) + I(year^3)\n",
                {"alpha": "intercept", "beta1": "year",
                 "beta2": "I(year^2)", "beta3": "I(year^3)"}),
    "wells": ("OWN_wells_data-wells_dist100ars_model", wells,
              "family = binomial\nformula = switched ~ dist + arsenic\n",
              {"alpha": "intercept", "beta[1]": "dist",
               "beta[2]": "arsenic"}),
    "radon": ("OWN_radon_mn-radon_hierarchical_intercept_noncentered",
              lambda: simple("radon_mn", y="log_radon", floor="floor_measure",
                             uppm="log_uppm", county="county_idx"),
              "formula = y ~ uppm + floor + (1 | county)\n"
              "prior.b = normal(0, 10)\nprior.intercept = normal(0, 10)\n"
              "prior.sd = half_normal(1)\nprior.sigma = half_normal(1)\n",
              {"beta[1]": "uppm", "beta[2]": "floor",
               "mu_alpha": "intercept", "sigma_alpha": "sd_county",
               "sigma_y": "sigma"}),
    "schools": ("eight_schools-eight_schools_noncentered", schools,
                "formula = y | se(se) ~ 1 + (1 | school)\n"
                "prior.intercept = normal(0, 5)\nprior.sd = half_cauchy(5)\n",
                {"mu": "intercept", "tau": "sd_school"}),
}


def write(work, columns, name="d.csv"):
    rows = zip(*columns.values())
    (work.path / name).write_text(
        "\n".join([",".join(columns)]
                  + [",".join(map(str, row)) for row in rows]) + "\n")


def study(work, fit, study="", run=""):
    return work.study(f"""[study]
kind = simulation
seed = 11
{study}
[inputs]
D = d.csv
[run]
{run}
[data]
generator = fixed
input = D
[fit]
fitter = nuts
{fit}""")


def reference(name):
    with open(DATA / f"{name}.csv", newline="") as f:
        return {row["parameter"]: row for row in csv.DictReader(f)}


def far(values, mean, mcse):
    """How far the mean of replicates is from the reference, in standard
    errors: the replicates' own spread says what a chain's is."""
    own = statistics.stdev(values) / math.sqrt(len(values))
    return (statistics.fmean(values) - mean) / math.hypot(own, mcse)


def numbers(rows, column):
    return [float(row[column]) for row in rows]


def compare(name, rows, given, names):
    worst = 0
    for theirs, ours in names.items():
        r = {k: float(v) for k, v in given[theirs].items()
             if k in ("mean", "sd", "mcse_mean", "mcse_sd")}
        means = numbers(rows, f"estimate__{ours}")
        sds = numbers(rows, f"std_error__{ours}")
        z = far(means, r["mean"], r["mcse_mean"])
        z_sd = far(sds, r["sd"], r["mcse_sd"])
        check(abs(z) <= 4, f"{name}: mean of {ours}: z = {z:.2f}")
        check(abs(z_sd) <= 5, f"{name}: sd of {ours}: z = {z_sd:.2f}")
        # a sampler that hardly moves would also agree on average
        spread = statistics.stdev(means) / r["sd"]
        check(spread < 0.15, f"{name}: {ours}: chains differ by {spread} sd")
        worst = max(worst, abs(z), abs(z_sd))
    return worst


def posteriors(work):
    for name, (file, columns, fit, names) in POSTERIORS.items():
        write(work, columns())
        n = 5 if name == "diamonds" else REPLICATES
        results = work.path / name
        work.run(study(work, fit, f"replicates = {n}"), results)
        compare(name, table(results), reference(file), names)


def adaptations(work):
    """All of them sample the same posterior, around the mode or not."""
    file, columns, fit, names = POSTERIORS["kidiq"]
    write(work, columns())
    for how in ("stan", "dense", "fisher", "laplace"):
        results = work.path / how
        work.run(study(work, fit + f"adaptation = {how}\n",
                       f"replicates = {REPLICATES}"), results)
        compare(how, table(results), reference(file), names)


def centred_schools(work):
    """Divergences where Stan has them, hardly any without centring; the
    schools' means by both."""
    file, columns, fit, _ = POSTERIORS["schools"]
    given = reference(file)
    write(work, columns())
    results = work.path / "r"
    work.run(study(work, fit + "parametrisation = noncentred, centred\n",
                   f"replicates = {REPLICATES}"), results)
    rows = table(results)
    for how in ("noncentred", "centred"):
        part = [r for r in rows if r["fit_parametrisation"] == how]
        diverged = sum("divergent" in r["warnings"] for r in part)
        if how == "centred":
            check(diverged == REPLICATES, f"{diverged} centred fits diverged")
        for k in range(1, 9):
            means = [a + b for a, b in
                     zip(numbers(part, "estimate__intercept"),
                         numbers(part, f"estimate__school[{k}]"))]
            theta = given[f"theta[{k}]"]
            off = statistics.fmean(means) - float(theta["mean"])
            z = far(means, float(theta["mean"]), float(theta["mcse_mean"]))
            # centred chains stick in the funnel's neck, Stan's too
            check(abs(z) <= 4 if how == "noncentred" else abs(off) < 0.5,
                  f"{how}: theta[{k}] is off by {off}, z = {z}")


def modes(work):
    """With flat priors the mode is the maximum of the likelihood, its spread
    the inverse of the information; draws from there have that spread."""
    likelihood = {"kidiq": "fitter = ols\n",
                  "wells": "fitter = glm\nfamily = binomial\n"}
    for name, fitter in likelihood.items():
        _, columns, fit, names = POSTERIORS[name]
        write(work, columns())
        formula = next(s for s in fit.split("\n") if s.startswith("formula"))
        text = study(work, fit).read_text().split("[fit]")[0]
        results = work.path / name
        work.run(work.study(text + f"[fit map]\nfitter = map\n{fit}"
                            f"[fit draws]\nfitter = map\ndraws = 4000\n{fit}"
                            f"[fit likelihood]\n{fitter}{formula}\n"), results)
        rows = {r["fit"]: r for r in table(results)}
        n = len(columns()[next(iter(columns()))])
        for term in (t for t in names.values() if t != "sigma"):
            a, sd, b, se, c, spread = (
                float(rows[row][f"{k}__{term}"])
                for row in ("map", "likelihood", "draws")
                for k in ("estimate", "std_error"))
            check(abs(a - b) < 1e-5 * se, f"{name}: {term}: {a} {b}")
            # sigma's mode is not its unbiased estimate: n for n - p
            check(abs(sd / se - 1) < 5 / n, f"{name}: {term}: {sd} {se}")
            check(abs(c - a) < 4 * sd / 4000 ** .5, f"{name}: {term}: {c}")
            check(abs(spread / sd - 1) < .05, f"{name}: {term}: {spread}")
        check(rows["map"]["warnings"] == "", rows["map"]["warnings"])


def far_from_normal(work):
    """Said so: the shape k of the importance of draws from there."""
    _, columns, fit, _ = POSTERIORS["schools"]
    write(work, columns())
    path = study(work, fit)
    path.write_text(path.read_text().replace("fitter = nuts", "fitter = map"))
    work.run(path, work.path / "map")
    row = table(work.path / "map")[0]
    check("not near the normal distribution" in row["warnings"], f"{row}")


def log_t3(x, s):
    """Student's t with 3 degrees of freedom, up to a constant."""
    return -2 * math.log1p(x * x / (3 * s * s))


def log_gamma_prior(x, shape, rate):
    return (shape - 1) * math.log(x) - rate * x


# family: settings; log density of y given the mean's eta and the family's
# parameter a; log prior of a; where to integrate over eta and log a
LGAMMA = math.lgamma
QUADRATURE = {
    "student": ("nu = 4\nprior.sigma = half_student_t(3, 2.5)\n", "sigma",
                lambda y, eta, a: -2.5 * math.log1p(((y - eta) / a) ** 2 / 4)
                - math.log(a), lambda a: log_t3(a, 2.5), (-1, 8), (-1, 2)),
    "negbinomial": ("", "phi",
                    lambda y, eta, a: LGAMMA(y + a) - LGAMMA(a) + y * eta
                    - (y + a) * math.log(math.exp(eta) + a)
                    + a * math.log(a),
                    lambda a: log_gamma_prior(a, .01, .01), (0, 2.5), (-3, 9)),
    "gamma": ("", "shape",
              lambda y, eta, a: a * math.log(a) - LGAMMA(a) - a * eta
              + (a - 1) * math.log(y) - a * y * math.exp(-eta),
              lambda a: log_gamma_prior(a, .01, .01), (0, 2.5), (-1.5, 3)),
    "poisson": ("", None, lambda y, eta, a: y * eta - math.exp(eta),
                lambda a: 0, (0, 2.5), (0, 1e-9)),
}


def moments(values, weights):
    total = sum(weights)
    mean = sum(v * w for v, w in zip(values, weights)) / total
    return mean, (sum((v - mean) ** 2 * w
                      for v, w in zip(values, weights)) / total) ** .5


def by_quadrature(ys, log_density, log_prior, etas, logs):
    """Mean and sd of eta and the parameter, on a grid of their plane: of a
    smooth density that vanishes at its ends exact to many digits."""
    n, points = 120, []
    for i in range(n):
        eta = etas[0] + (etas[1] - etas[0]) * (i + .5) / n
        for k in range(n):
            a = math.exp(logs[0] + (logs[1] - logs[0]) * (k + .5) / n)
            lp = log_prior(a) + math.log(a)
            lp += sum(m * log_density(y, eta, a) for y, m in ys.items())
            points.append((eta, a, lp))
    top = max(lp for _, _, lp in points)
    weights = [math.exp(lp - top) for _, _, lp in points]
    return [moments([p[k] for p in points], weights) for k in (0, 1)]


def against_quadrature(work):
    """Models of an intercept and one parameter more, integrated."""
    y = [1, 2, 2, 3, 3, 3, 4, 4, 5, 6, 8, 11]
    write(work, {"y": y})
    counts = {v: y.count(v) for v in y}
    for family, (fit, name, *rest) in QUADRATURE.items():
        work.run(study(work, f"formula = y ~ 1\nfamily = {family}\n{fit}",
                       f"replicates = {REPLICATES}"), work.path / family)
        rows = table(work.path / family)
        exact = by_quadrature(counts, *rest)
        for of, (mean, sd) in zip(("intercept", name), exact):
            if of is None:
                continue
            means = numbers(rows, f"estimate__{of}")
            sds = numbers(rows, f"std_error__{of}")
            z, z_sd = far(means, mean, 0), far(sds, sd, 0)
            check(abs(z) <= 4, f"{family}: {of}: mean {mean}, z = {z:.2f}")
            check(abs(z_sd) <= 5, f"{family}: {of}: sd {sd}, z = {z_sd:.2f}")


# family: formula, priors of scales, parametrisations
CALIBRATED = {
    "gaussian": ("y ~ x1 + (1 | g)", "prior.sigma = half_normal(1)\n"
                 "prior.sd = half_normal(1)\n", "noncentred, centred"),
    "poisson": ("y ~ x1 + (1 | g)", "prior.sd = half_normal(0.5)\n",
                "noncentred"),
    "binomial": ("y ~ x1 + (1 | g)", "prior.sd = exponential(1)\n",
                 "noncentred"),
    "negbinomial": ("y ~ x1", "prior.phi = gamma(2, 0.5)\n", "noncentred"),
    "gamma": ("y ~ x1", "prior.shape = gamma(3, 1)\n", "noncentred"),
    "student": ("y ~ x1", "prior.sigma = half_normal(1)\n"
                "prior.nu = gamma(2, 0.1)\n", "noncentred"),
}


def calibrated(work):
    """Parameters from the prior, data from them: ranks among the draws are
    uniform (Talts et al. 2018). Ten bins: chi-squared of 9 degrees."""
    for family, (formula, scales, parametrisation) in CALIBRATED.items():
        model = (f"formula = {formula}\nfamily = {family}\n"
                 "prior.b = normal(0, 1)\nprior.intercept = normal(0, 1)\n"
                 + scales)
        work.run(work.study(f"""[study]
kind = simulation
seed = 5
replicates = 200
[data]
generator = prior_predictive
n = 60
groups = {8 if "|" in formula else 0}
{model}[fit]
fitter = nuts
chains = 1
draws = 400
adapt_delta = 0.95
parametrisation = {parametrisation}
{model}[metrics]
use = rank
"""), work.path / family)
        rows = table(work.path / family)
        for how in parametrisation.split(", "):
            part = [r for r in rows
                    if r.get("fit_parametrisation", how) == how]
            check(len(part) == 200, f"{family}: {len(part)} fits")
            for column in part[0]:
                if not column.startswith("rank__by_param__"):
                    continue
                bins = [0] * 10
                for r in part:
                    bins[int(10 * (float(r[column]) + .5)
                             / float(r["rank__n_ranks"]))] += 1
                chi2 = sum((b - 20) ** 2 / 20 for b in bins)
                # beyond 35: once in 16,000
                check(chi2 < 35, f"{family}, {how}: {column}: {bins}")


def the_example(work):
    work.run(SOURCE / "launch/examples/schools.ini", work.path / "r")
    given = float(reference(POSTERIORS["schools"][0])["mu"]["mean"])
    for row in table(work.path / "r"):
        check(abs(float(row["estimate__intercept"]) - given) < 1, f"{row}")
        check(row["estimate__school[H]"] != "", f"{list(row)}")


NO_POSTERIOR = {
    "collinear": ({"y": [1, 3, 2, 5, 4], "a": [1, 2, 3, 4, 5],
                   "b": [2, 4, 6, 8, 10]}, "formula = y ~ a + b\n",
                  "term 'b' is aliased"),
    "constant": ({"y": [2] * 5, "a": [1, 2, 3, 4, 5]}, "formula = y ~ a\n",
                 "the terms explain 'y' in full (is it constant?)"),
    "separated": ({"y": [0, 0, 0, 1, 1, 1], "a": [1, 2, 3, 4, 5, 6]},
                  "formula = y ~ a\nfamily = binomial\n",
                  "do the terms separate the values of 'y'?"),
    "quasi-separated": ({"y": [0, 0, 0, 1, 1, 1], "a": [1, 2, 3, 3, 5, 6]},
                        "formula = y ~ a\nfamily = binomial\n",
                        "do the terms separate the values of 'y'?"),
    "all zero": ({"y": [0] * 6, "a": [1, 2, 3, 4, 5, 6]},
                 "formula = y ~ a\nfamily = poisson\n",
                 "no posterior with flat priors"),
    "n < p": ({"y": [1, 2], "a": [1, 2], "b": [2, 1]},
              "formula = y ~ a + b\n",
              "2 complete rows for 3 terms of flat priors"),
    "only NaN": ({"y": ["NaN", 1.5, "NaN"], "a": [1, "", 2]},
                 "formula = y ~ a\n", "0 complete rows"),
    "infinite": ({"y": [1, 2, "inf", 3], "a": [1, 3, 2, 4]},
                 "formula = y ~ a\n", "row 3: y is inf"),
    "no count": ({"y": [1, 2.5, 3], "a": [1, 3, 2]},
                 "formula = y ~ a\nfamily = poisson\n",
                 "y is 2.5 in complete row 2"),
    "se of 0": ({"y": [1, 2, 4], "s": [1, 0, 2]},
                "formula = y | se(s) ~ 1\n",
                "row 2: se is 0; it must be above 0"),
    "huge": ({"y": [1e300, -1e300, 1e299], "a": [1, 3, 2]},
             "formula = y ~ a\n", "the values are too large"),
    "groups of one value": ({"y": [1, 1, 2, 2, 4, 4], "g": [1, 1, 2, 2, 3, 3]},
                            "formula = y ~ 1 + (1 | g)\n",
                            "the response does not vary within groups"),
}


def no_posterior(work):
    """Tasks fail with a text; nothing is presented as a result."""
    for name, (columns, fit, message) in NO_POSTERIOR.items():
        write(work, columns)
        results = work.path / name.replace(" ", "-").replace("<", "")
        work.run(study(work, fit), results, expect=1)
        row = table(results)[0]
        check(row["status"] == "failed", f"{name}: {row}")
        check(message in row["error"], f"{name}: {row['error']}")


def priors_help(work):
    """With priors the same data have a posterior."""
    for name in ("collinear", "separated", "quasi-separated", "all zero",
                 "n < p"):
        columns, fit, _ = NO_POSTERIOR[name]
        write(work, columns)
        results = work.path / name.replace(" ", "-").replace("<", "")
        work.run(study(work, fit + "prior.b = normal(0, 2.5)\n"
                       "prior.intercept = normal(0, 5)\n"), results)
        row = table(results)[0]
        check(math.isfinite(float(row["estimate__a"])), f"{name}: {row}")
        check(0 < float(row["std_error__a"]) < 3, f"{name}: {row}")


BAD_STUDIES = {
    "formula = y ~ a\nprior.b = normal(0)\n":
        "study.ini:15: [fit] prior.b: normal: sd is missing",
    "formula = y ~ a\nprior.b = normal(0, -1)\n":
        "prior.b: normal: sd: -1 is",
    "formula = y ~ a\nprior.b = normal(0, 0)\n":
        "prior.b: normal: sd is 0; it must be above 0",
    "formula = y ~ a\nprior.b = nromal(0, 1)\n": "did you mean normal?",
    "formula = y ~ a\nprior.b = half_normal(1)\n":
        "prior.b: half_normal(sd=1) is a prior of parameters above 0",
    "formula = y ~ a\nprior.c = normal(0, 1)\n":
        "prior.c: no such term (terms: intercept, a)",
    "formula = y ~ a\nprior.sd_g = normal(0, 1)\n":
        "prior.sd_g: no such term",
    "formula = y ~ a\nfamily = negbinomial\nprior.phi = flat\n":
        "prior.phi: flat gives no posterior",
    "formula = y ~ (1 | g)\nprior.sd = flat\n":
        "prior.sd: flat gives no posterior with the 2 levels of 'g'",
    "formula = y ~ (1 | g)\nprior.sd_g = flat\n":
        "prior.sd_g: flat gives no posterior with the 2 levels of 'g'",
    "formula = y | se(a) ~ 1\nfamily = poisson\n":
        "known standard errors, se(), are of family gaussian",
    "formula = y ~ a\nnu = 4\n": "nu: is of family student",
    "formula = y ~ a + (1 | h)\n": "no column 'h'",
    "formula = y ~ a + (a | g)\n": "a group is (1 | g)",
}


def bad_studies(work):
    """Errors of the study name file, line, key and value."""
    write(work, {"y": [1, 3, 2, 5], "a": [1, 2, 3, 5], "g": [1, 1, 2, 2]})
    for fit, message in BAD_STUDIES.items():
        run = work.run(study(work, fit), work.path / "r", expect=BAD)
        check(message in run.stderr, f"{fit}: {run.stderr}")
        line = 15 if message.startswith(("prior", "nu:")) else 14
        line += fit.count("prior.phi")
        check(f"study.ini:{line}: [fit]" in run.stderr or line == 14,
              f"{fit}: {run.stderr}")
    run = work.run(work.study(study(work, "formula = y ~ (1 | g)\n")
                              .read_text().replace("nuts", "ols")),
                   work.path / "r", expect=BAD)
    check("fitter ols has no model for groups, (1 | g)" in run.stderr,
          run.stderr)


def families(work):
    """Each family, with groups: limits around the estimate, the same bytes
    with any workers."""
    n = 60
    x = [math.sin(1.7 * i) for i in range(n)]
    g = [f"g{i % 4}" for i in range(n)]
    y = [(i * 7 + 3) % 5 for i in range(n)]
    for family in ("student", "binomial", "negbinomial", "gamma"):
        write(work, {"x": x, "g": g,
                     "y": [v % 2 if family == "binomial" else v + 1
                           for v in y]})
        s = study(work, "formula = y ~ x + (1 | g)\nadapt_delta = 0.95\n"
                  f"chains = 2\ndraws = 300\nfamily = {family}\n",
                  "replicates = 3")
        work.run(s, work.path / family)
        work.run(s, work.path / f"{family}1", workers=1)
        expect_same(work.path / family, work.path / f"{family}1", family)
        for row in table(work.path / family):
            for column in row:
                if column.startswith("estimate__"):
                    name = column[10:]
                    low, at, high = (float(row[f"{k}__{name}"]) for k in
                                     ("conf_low", "estimate", "conf_high"))
                    check(low < at < high, f"{family}: {name}: {row}")
            check("estimate__g[g3]" in row, f"{family}: {list(row)}")


def few_draws(work):
    """One draw has no standard error and no limits; limits beyond which no
    draw lies are said to be such, and chains of some draws differ."""
    path = work.study("[study]\nkind = simulation\nreplicates = 3\n[data]\n"
                      "generator = linear\n[fit]\nfitter = nuts\n"
                      "formula = y ~ x1\nchains = 2\ndraws = 1\n")
    few = "too few draws for the limits"
    for draws, chains, warned in ((1, 1, 1), (19, 2, 1), (20, 2, 0)):
        work.run(path, f"{draws}", "--set", f"fit.draws={draws}", "--set",
                 f"fit.chains={chains}")
        for row in table(work.path / f"{draws}"):
            check((few in row["warnings"]) == warned, f"{row}")
            check((row["std_error__x1"] == "") == (draws == 1), f"{row}")
            check((row["conf_low__x1"] == "") == (draws == 1), f"{row}")
            rhat = float(row["rhat_max"] or 0)
            check(("R-hat above 1.05" in row["warnings"]) == (rhat > 1.05),
                  f"{row}")


if __name__ == "__main__":
    main(posteriors, adaptations, centred_schools, modes, far_from_normal,
         against_quadrature, calibrated, the_example, no_posterior, priors_help,
         bad_studies, families, few_draws)
