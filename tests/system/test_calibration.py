#!/usr/bin/env python3
"""Simulation-based calibration: a sampler that is right passes, one whose
posterior is too narrow, too wide or shifted is caught; limits of draws at
levels that their fit does not have."""
import math

from harness import BAD, check, main, table
from plugins import compile_c

# y ~ N(mu, 1), mu ~ N(0, 1): the posterior is N(n ybar / (n + 1), 1/(n + 1)).
# The fitter draws from it, sd times `width`, mean plus `shift` sds; `steps`
# draws follow each other in a chain of that many equal ones.
PLUGIN = r"""
#include <ensrun/plugin.h>
#include <math.h>
static const struct ens_host *host;
static const struct ens_setting of_data[] = {
    ENS_SETTING("data", "n", INT, AXIS, DATA, "10", 1, 1000, "rows")};
static enum ens_status shape(const struct ens_setup *setup,
                             const struct ens_cell *cell,
                             struct ens_data_shape *to, struct ens_error *err)
{
    static const char *const names[] = {"y"};
    static const char *const truth[] = {"intercept"};
    double *value = setup->alloc(setup, 1, sizeof(*value));
    if (value == 0)
        return host->fail(err, ENS_ENOMEMORY, "truth");
    *value = NAN;
    to->data.n = (size_t)host->cell_value(cell, "data", "n")->i;
    to->data.n_columns = 1;
    to->data.name = names;
    to->response = "y";
    to->n_truth = 1;
    to->truth = truth;
    to->truth_value = value;
    return ENS_OK;
}
static enum ens_status generate(const struct ens_job *job,
                                const struct ens_data_shape *shape,
                                struct ens_generated *out,
                                struct ens_error *err)
{
    size_t n = shape->data.n;
    struct ens_rng *g = host->rng(job->result, "data");
    double *y = host->alloc(job->result, n, sizeof(*y));
    struct ens_data_column *c = host->alloc(job->result, 1, sizeof(*c));
    if (y == 0 || c == 0)
        return host->fail(err, ENS_ENOMEMORY, "data");
    out->truth[0] = host->normal(g);
    for (size_t i = 0; i < n; i++)
        y[i] = out->truth[0] + host->normal(g);
    c->values = y;
    out->data = shape->data;
    out->data.column = c;
    return ENS_OK;
}
static const struct ens_setting of_fit[] = {
    ENS_FIT_SETTING_FORMULA, ENS_FIT_SETTING_LEVEL,
    ENS_SETTING("fit", "width", NUM, AXIS, CELL, "1", 0.01, 100, "of sd"),
    ENS_SETTING("fit", "shift", NUM, AXIS, CELL, "0", -10, 10, "in sds"),
    ENS_SETTING("fit", "draws", INT, AXIS, CELL, "199", 1, 10000, "draws")};
static enum ens_status fit(const struct ens_job *job,
                           const struct ens_fit_options *o,
                           const struct ens_fit_problem *p, double *work,
                           struct ens_fit_result *r, struct ens_error *err)
{
    const struct ens_cell *cell = &job->task->cell;
    size_t n = (size_t)host->cell_value(cell, "fit", "draws")->i;
    double sd = 1 / sqrt((double)p->n + 1), mean = 0;
    double *x = host->alloc(job->result, n, sizeof(*x));
    struct ens_rng *g = host->rng(job->result, "fit");
    (void)o;
    (void)work;
    if (x == 0)
        return host->fail(err, ENS_ENOMEMORY, "draws");
    for (size_t i = 0; i < p->n; i++)
        mean += p->y[i] / ((double)p->n + 1);
    mean += sd * host->cell_value(cell, "fit", "shift")->d;
    sd *= host->cell_value(cell, "fit", "width")->d;
    for (size_t i = 0; i < n; i++)
        x[i] = mean + sd * host->normal(g);
    r->draws.n_chains = 1;
    r->draws.n_draws = n;
    r->draws.independent = 1;
    r->draws.value = x;
    return ENS_OK;
}
static const struct ens_generator generator = {.shape = shape,
                                               .generate = generate};
static const struct ens_fitter fitter = {
    .delivers = ENS_DELIVERS_INTERVALS | ENS_DELIVERS_DRAWS, .fit = fit};
static const struct ens_plugin_part parts[] = {
    {"generator", {"mean", "a mean", of_data, 1, &generator, 0, 0}},
    {"fitter", {"exact", "its posterior", of_fit, 5, &fitter, 0, 0}}};
const struct ens_plugin ensrun_plugin = {ENS_PLUGIN_HEAD, .host = &host,
                                         .parts = parts, .n_parts = 2};
"""
STUDY = """[study]
kind = simulation
seed = {seed}
replicates = {n}
[data]
generator = ./sbc.so:mean
[fit right]
fitter = ./sbc.so:exact
formula = y ~ 1
[fit narrow]
fitter = ./sbc.so:exact
formula = y ~ 1
width = 0.7
[fit wide]
fitter = ./sbc.so:exact
formula = y ~ 1
width = 1.5
[fit shifted]
fitter = ./sbc.so:exact
formula = y ~ 1
shift = 0.4
[metrics]
use = {use}
"""


def compile_plugin(work):
    path = work.path / "sbc.c"
    path.write_text(PLUGIN)
    compile_c(work, path, work.path / "sbc.so")


def cells_of(results):
    return {(r["fit"], r["measure"]): r for r in table(results, "cells.csv")
            if r["estimand"] == "intercept"}


def samplers(work):
    """Right ones pass, wrong ones do not; in a row, and by the numbers."""
    compile_plugin(work)
    results = work.path / "r"
    work.run(work.study(STUDY.format(seed=3, n=500, use="rank, bias")),
             results)
    cells = cells_of(results)
    for fit in ("right", "narrow", "wide", "shifted"):
        p = float(cells[fit, "rank__chi2_p"]["value"])
        ecdf = float(cells[fit, "rank__ecdf_p"]["value"])
        inside = cells[fit, "rank__ecdf_inside"]["value"]
        if fit == "right":
            check(p > 0.01 and ecdf > 0.05 and inside == "1",
                  f"right: {p} {ecdf} {inside}")
        else:
            check(p < 1e-4 and ecdf < 1e-3 and inside == "0",
                  f"{fit}: {p} {ecdf} {inside}")
        row = cells[fit, "rank__ecdf_diff"]
        check(row["n_used"] == "500" and row["mcse"] == "" and
              0 < float(row["value"]) < 1, f"{fit}: {row}")
    # the ECDF's largest difference, anew from the ranks
    for fit in ("right", "narrow"):
        ranks = sorted(int(r["rank__by_param__intercept"])
                       for r in table(results) if r["fit"] == fit)
        n, n_ranks = len(ranks), 200
        diff = max(abs(sum(r < k for r in ranks) / n - k / n_ranks)
                   for k in range(1, n_ranks))
        got = float(cells[fit, "rank__ecdf_diff"]["value"])
        check(abs(got - diff) < 1e-12, f"{fit}: {got}, not {diff}")
    # truths vary: errors have a spread of their own, and bayesim's names
    check(float(cells["right", "sd"]["value"]) > 0.8 and
          abs(float(cells["right", "error_sd"]["value"]) -
              1 / math.sqrt(11)) < 0.05, "error_sd")
    run = work.ensrun("export", results, "--names", "bayesim", "--table",
                      "cells")
    check(",mean_error," in run.stdout and ",bias," not in run.stdout,
          run.stdout)
    one = work.path / "one"
    work.run(work.study(STUDY.format(seed=3, n=500, use="rank, bias")),
             one, workers=1)
    check((one / "cells.csv").read_bytes() ==
          (results / "cells.csv").read_bytes(), "other bytes")


def false_alarms(work):
    """Of a right sampler 5 in 100 leave the band, whatever the thinning."""
    compile_plugin(work)
    text = STUDY.format(seed=9, n=100, use="rank")
    text = text.replace("[data]\n", "[data]\nn = 1:150\n")
    text = text[:text.index("[fit narrow]")] + "[metrics]\nuse = rank\n"
    results = work.path / "r"
    work.run(work.study(text), results)
    rows = [r for r in table(results, "cells.csv")
            if r["measure"] == "rank__ecdf_inside"]
    out = sum(r["value"] == "0" for r in rows)
    check(len(rows) == 150 and out <= 18, f"{out} of {len(rows)} outside")
    small = [float(r["value"]) < 0.05 for r in table(results, "cells.csv")
             if r["measure"] == "rank__chi2_p"]
    check(len(small) == 150 and sum(small) <= 18,
          f"{sum(small)} of {len(small)} tests reject")


def fixed_truths(work):
    """Ranks of truths that are always the same are not uniform: no rows."""
    results = work.path / "r"
    work.run(work.study("[study]\nkind = simulation\nseed = 1\n"
                        "replicates = 20\n[data]\ngenerator = linear\n"
                        "[fit]\nfitter = normal_inverse_gamma\n"
                        "formula = y ~ x1\ndraws = 50\n[metrics]\n"
                        "use = rank\n"), results)
    measures = {r["measure"] for r in table(results, "cells.csv")}
    check("rank__by_param" in measures and
          not any(m.startswith("rank__ecdf") for m in measures),
          f"{measures}")


def levels(work):
    """Limits at other levels are quantiles of the draws; asking for one more
    later is refused, as tasks lack it."""
    compile_plugin(work)
    results = work.path / "r"
    text = STUDY.format(seed=4, n=400, use="coverage, coverage(level=0.5), "
                        "width(level=0.8), rejection(alpha=0.05)")
    work.run(work.study(text), results)
    cells = cells_of(results)
    for measure, true in (("coverage", 0.95), ("coverage_0.5", 0.5)):
        row = cells["right", measure]
        check(row["n_used"] == "400" and
              abs(float(row["value"]) - true) < 4 * math.sqrt(
                  true * (1 - true) / 400) + 0.01, f"{row}")
    width = float(cells["right", "width"]["value"])
    check(abs(width - 2 * 1.2816 / math.sqrt(11)) < 0.02, f"width {width}")
    check("limits_0.5__low__intercept" in table(results)[0] and
          "limits_0.95__low__intercept" not in table(results)[0],
          f"columns {list(table(results)[0])}")
    more = text.replace("use = ", "use = coverage(level=0.6), ")
    run = work.ensrun(work.study(more), "--results", results, expect=BAD)
    check("limits(level=0.6)" in run.stderr and "--restart" in run.stderr,
          run.stderr)
    fewer = text.replace("coverage, ", "bias, coverage, ")
    work.run(work.study(fewer), results)


def null_of_tasks(work):
    """Tasks that compute p-values depend on the null; without them it is a
    setting of the end."""
    text = "[study]\nkind = simulation\nseed = 1\nreplicates = 20\n" \
           "[data]\ngenerator = linear\n[fit]\nfitter = ols\n" \
           "formula = y ~ x1\n[metrics]\nuse = {}\nreference = {}\n"
    for use, code in (("rejection", 0), ("rejection, p_value", BAD)):
        results = work.path / f"r{code}"
        work.run(work.study(text.format(use, 0)), results)
        run = work.ensrun(work.study(text.format(use, 1)), "--results",
                          results, expect=code)
        check(code == 0 or "simulation.computed" in run.stderr, run.stderr)


if __name__ == "__main__":
    main(samplers, false_alarms, fixed_truths, levels, null_of_tasks)
