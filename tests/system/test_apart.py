#!/usr/bin/env python3
"""chains_as_tasks: chains as tasks of their own give the bytes that they give
inside of a task, on any workers, killed or not; and it is the chains of
those tasks that the fits are made of."""
import json

import mpi
import plugins
from harness import BAD, ENVIRONMENT, SOME_FAILED, check, count_by, dice, \
    digests, expect_same, kill, main, sha256, table, wait_until

# Groups, two numbers of chains, metrics of draws, a fit without chains, and
# data sets that cannot be fitted; with APART in place of yes or no.
STUDY = """[study]
kind = simulation
name = chains
seed = 7
replicates = 8
[data plain]
generator = linear
n = 30
slope = 1 0.5, 1e200 1
[data groups]
generator = hierarchical
n = 30
groups = 5
[fit]
draws = 120
warmup = 80
formula = y ~ x1
[fit a]
fitter = nuts
chains = 3, 2
chains_as_tasks = APART
[fit least]
fitter = ols
[metrics]
use = bias, coverage, diagnostics, elpd_loo
[run]
retain = debug
commit_seconds = 0.02
"""
N_CHAINS, N_FITS = 3 * 8 * (3 + 2), 3 * 8 * 3  # ols is one

# A density that few starting points are in: some chains find none.
NARROW = """
#include <ensrun/plugin.h>
#include <math.h>
#include <stdlib.h>
static const struct ens_host *host;
static const struct ens_setting settings[] = {
    ENS_FIT_SETTING_FORMULA, ENS_FIT_SETTING_LEVEL, ENS_FIT_SETTINGS_NUTS};
static double at(void *model, const double *q, double *gradient)
{
    (void)model;
    if (fabs(q[0]) > WILD)
        abort();
    gradient[0] = -q[0] / 1e-6;
    return fabs(q[0]) < 0.02 ? 0.5 * q[0] * gradient[0] : -INFINITY;
}
static enum ens_status density(const struct ens_job *job,
                               const struct ens_fit_options *o,
                               const struct ens_fit_problem *problem,
                               struct ens_density *to, struct ens_error *err)
{
    (void)job; (void)o; (void)problem; (void)err;
    *to = (struct ens_density){.dim = 1, .at = at};
    return ENS_OK;
}
static const struct ens_fitter narrow = {.density = density};
static const struct ens_plugin_part parts[] = {
    {"fitter", {"narrow", "a spike", settings, 10, &narrow, 0, 0}}};
const struct ens_plugin ensrun_plugin = {ENS_PLUGIN_HEAD, .host = &host,
                                         .parts = parts, .n_parts = 1};
"""

SPIKE = """[study]
kind = simulation
seed = 3
replicates = 40
[data]
generator = linear
n = 10
slope = 1
[fit]
fitter = narrow.so:narrow
formula = y ~ 0 + x1
chains = 4
draws = 50
warmup = 50
chains_as_tasks = APART
"""


def study(work, apart, text=STUDY):
    return work.study(text.replace("APART", apart), f"{apart}.ini")


def draws(work, results):
    """Digest of all draws, stacked."""
    work.ensrun("export", results, "--artifact", "draws", "--to", "csv", "-o",
                work.path / "draws.csv")
    return sha256(work.path / "draws.csv")


def stages(work, results):
    run = work.ensrun("status", results, "--json")
    return {s["stage"]: s for s in json.loads(run.stdout)["stages"]}


def reference_of(work, text=STUDY):
    work.run(study(work, "no", text), "no", expect=SOME_FAILED)
    check("chains" not in stages(work, "no"), "a stage of chains")
    return digests(work.path / "no")


def expect_both(work, results, reference, text):
    work.verify(results)
    expect_same(work.path / results, reference, text)
    found = stages(work, results)
    check(found["chains"]["ok"] == N_CHAINS, f"{text}: {found['chains']}")
    check(found["fit"]["done"] == N_FITS, f"{text}: {found['fit']}")


def same_bytes(work):
    reference = reference_of(work)
    kept = draws(work, "no")
    path = study(work, "yes")
    for workers, transport in ((1, "fork"), (2, "fork"), (8, "fork"),
                               (1, "inline")):
        results = f"yes{workers}{transport}"
        work.run(path, results, workers=workers, transport=transport,
                 expect=SOME_FAILED)
        expect_both(work, results, reference, results)
        check(draws(work, results) == kept, f"{results}: other draws")
    errors = {r["error"] for r in table(work.path / "no")}
    check(len(errors) == 3, f"{errors}")


def same_bytes_under_mpi(work):
    """Also where ranks do not see the results folder."""
    reference = reference_of(work)
    path = study(work, "yes")
    for name, env in (("near", {}), ("far", {"ENSRUN_FAR": "1",
                                             "TMPDIR": str(work.path)})):
        mpi.run(work, path, name, ranks=3, expect=SOME_FAILED, env=env)
        expect_both(work, name, reference, name)


def kept_bytes(results):
    return sum(p.stat().st_size for p in results.glob("artifacts/*.pack"))


def killed(work):
    """kill -9 of workers and of the coordinator, in both stages."""
    longer = STUDY.replace("draws = 120", "draws = 2000")
    reference = reference_of(work, longer)
    path = study(work, "yes", longer)
    work.run(path, "all", expect=SOME_FAILED)
    all_bytes = kept_bytes(work.path / "all")
    rng = dice(5)
    hits, folder = 0, 0
    results = work.path / "r0"
    while hits < 12:
        run = work.start_run(path, results, workers=rng.choice((1, 2, 3)))
        want = kept_bytes(results) + rng.uniform(0, 0.6) * all_bytes
        wait_until(lambda: not run.running or kept_bytes(results) >= want, 60,
                   "so far", 0.0005)
        for worker in run.workers()[:rng.choice((0, 1))]:
            kill(worker)
        hits += run.running and kill(run.pid)
        code = run.wait()
        run.expect_no_process(2.0)
        if code != -9:
            check(code == SOME_FAILED, f"exit code {code}: {run.stderr}")
            expect_both(work, results.name, reference, f"after {hits} kills")
            folder += 1
            results = work.path / f"r{folder}"
    work.run(path, results, expect=SOME_FAILED)
    expect_both(work, results.name, reference, f"after {hits} kills")


def spike(work, wild):
    path = work.path / "narrow.c"
    path.write_text(NARROW)
    plugins.compile_c(work, path, work.path / "narrow.so", "-shared", "-fPIC",
                      f"-DWILD={wild}")
    reference = reference_of(work, SPIKE)
    work.run(study(work, "yes", SPIKE), "yes", expect=SOME_FAILED)
    expect_same(work.path / "yes", reference, "chains that end badly")
    return table(work.path / "yes"), stages(work, "yes")["chains"]


def a_failing_chain_fails_the_fit(work):
    """With its text, and the chain's task is not another that failed."""
    rows, chains = spike(work, "1e9")
    check(chains["ok"] == 160, f"{chains}")
    first = {r["error"].split(":")[0] for r in rows}
    check({"", "chain 1", "chain 2"} <= first, f"{first}")


def a_chain_that_kills_its_worker(work):
    rows, chains = spike(work, "1.999")
    check(chains["crashed"] > 0 and chains["ok"] > 0, f"{chains}")
    counts = count_by(rows, "status")
    check(set(counts) == {"ok", "failed", "crashed"}, f"{counts}")


def fits_are_made_of_the_chains(work):
    """A bit of what a chain kept is another: the fit finds it, near and far,
    and no other task does."""
    path = study(work, "yes")
    for name, shard in (("one", "1/2"), ("two", "2/2")):
        work.run(path, name, "--shard", shard)
    work.ensrun("merge", "one", "two", "-o", "all")
    pack = max((work.path / "all" / "artifacts").glob("*.pack"),
               key=lambda p: p.stat().st_size)
    data = bytearray(pack.read_bytes())
    data[len(data) // 2] ^= 1
    pack.write_bytes(data)
    run = work.run(path, "all", expect=ENVIRONMENT)
    check(pack.name in run.stderr, run.stderr)
    job = mpi.run(work, path, "all", ranks=3, expect=ENVIRONMENT,
                  env={"ENSRUN_FAR": "1", "TMPDIR": str(work.path)})
    check(pack.name in job.stderr, job.stderr)
    data[len(data) // 2] ^= 1
    pack.write_bytes(data)
    work.run(path, "all", expect=SOME_FAILED)
    expect_both(work, "all", reference_of(work), "from shards")


def one_by_one(work):
    """--only and a pilot run a task as a whole; a chain has a name, too."""
    reference = reference_of(work)
    path = study(work, "yes")
    work.run(path, "yes", "--only", "d001_f001_r00003")
    found = stages(work, "yes")
    check(found["chains"]["done"] == 0, f"{found}")
    work.run(path, "yes", expect=SOME_FAILED)
    expect_both(work, "yes", reference, "after --only")
    cell = table(work.path / "yes")[0]["cell"]
    for task in ("d001_f001_r00003", f"fit/{cell}:3", f"chains/{cell}:24"):
        run = work.run(path, "yes", "--only", task)
        check("equal to the stored result" in run.stderr, run.stderr)
        name = "d001_f001_r00008_c03" if "chains" in task \
            else "d001_f001_r00003"
        check(name in run.stderr, run.stderr)
    plan = work.ensrun("plan", path, "--pilot", "9").stdout
    for text in (f"9 of {N_FITS} tasks", "from profile debug"):
        check(text in plan, f"no {text!r} in: {plan}")
    check("further stages are not" not in plan and "chain  " not in plan, plan)


def changes_of_mind(work):
    """The setting is of class run: it may change, and so may replicates."""
    reference = reference_of(work)
    no, yes = study(work, "no"), study(work, "yes")
    work.run(yes, "r", "--set", "study.replicates=3", expect=SOME_FAILED)
    work.run(no, "r", "--set", "study.replicates=5", expect=SOME_FAILED)
    work.run(yes, "r", expect=SOME_FAILED)
    expect_both(work, "r", reference, "more replicates")
    run = work.run(no, "r", expect=SOME_FAILED)
    check(" 0 now in" in run.stderr, run.stderr)
    expect_same(work.path / "r", reference, "in one task again")


def refusals(work):
    path = study(work, "yes")
    for override, text in (
            ("stop.rule=mcse(bias, x1) < 0.5", "cells cannot stop early"),
            ("study.replicates=2000000000", "more than 2^32 chains"),
            ("data plain.n=30:2500", "take turns"),
            ("fit least.chains_as_tasks=yes", "not of ols")):
        run = work.run(path, "r", "--set", override, expect=BAD)
        check(text in run.stderr, f"no {text!r} in: {run.stderr}")


main(same_bytes, same_bytes_under_mpi, killed, a_failing_chain_fails_the_fit,
     a_chain_that_kills_its_worker, fits_are_made_of_the_chains, one_by_one,
     changes_of_mind, refusals)
