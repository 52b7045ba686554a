"""Studies with [stop], and where their cells stop as a reader of their records
would work it out."""
import math
import time

from harness import SOME_FAILED, check, dice, digests, expect_same, ini, \
    kill, table

Z = 1.959963984540054

SIMULATION = """[study]
kind = simulation
seed = 95
replicates = {replicates}
[run]
commit_seconds = 0.02
[data]
generator = linear
n = 20, 50
intercept = 1
slope = 2
sigma = 1, 1.5, 3
[fit full]
fitter = ols
formula = y ~ x1
[fit null]
fitter = ols
formula = y ~ 1
[stop]
rule = {rule}
min = {min}
every = {every}
"""
RULE = "mcse(bias, x1) < 0.02, mcse(coverage, *) < 0.012"


def simulation(rule=RULE, replicates=1500, first=60, every=40):
    return SIMULATION.format(rule=rule, replicates=replicates, min=first,
                             every=every)


def without_stop(text):
    return text[:text.index("[stop]")]


# Fates of tasks, some long, cells that differ in how soon they stop.
def fates(below="0.028", replicates=400, first=40, every=15, cells="1, 2, 3"):
    return ini(f"sleep_us = 300\njitter = 1\nfields = {cells}\n"
               "fail_rate = 0.05, 0.3\ncrash_rate = 0.01\n"
               "schema_varies = yes\npayload_bytes = 50\n",
               f"seed = 8\nreplicates = {replicates}\n",
               "attempts = 2\ncommit_seconds = 0.02\n",
               f"[stop]\nrule = mcse(mean, value1) < {below}\n"
               f"min = {first}\nevery = {every}\n")


def by_cell(rows):
    cells = {}
    for row in rows:
        cells.setdefault(row["cell"], []).append(row)
    return cells


def points(first, every, maximum):
    return [*range(first, maximum, every), maximum]


def mcse_mean(values):
    n = len(values)
    mean = sum(values) / n
    return math.sqrt(sum((v - mean) ** 2 for v in values) / (n - 1) / n)


def mcse_share(hits):
    n = len(hits)
    share = sum(hits) / n
    if share in (0, 1):
        return Z / (2 * (n + Z * Z))
    return math.sqrt(share * (1 - share) / n)


def bias_and_coverage(rows, bias=0.02, coverage=0.012):
    """The rules of simulation(), as its reader would work them out."""
    rows = [row for row in rows if row["status"] == "ok"]
    if len(rows) < 2:
        return False
    truth = {"intercept": 1, "x1": 2}
    for term in truth:
        if f"estimate__{term}" not in rows[0] or not \
                rows[0][f"estimate__{term}"]:
            continue
        estimates = [float(row[f"estimate__{term}"]) for row in rows]
        hits = [float(row[f"conf_low__{term}"]) <= truth[term]
                <= float(row[f"conf_high__{term}"]) for row in rows]
        if term == "x1" and not mcse_mean(estimates) < bias:
            return False
        if not mcse_share(hits) < coverage:
            return False
    return True


def mean_of_value1(below):
    def holds(rows):
        values = [float(row["value1"]) for row in rows
                  if row["status"] == "ok" and row["value1"]]
        return len(values) > 1 and mcse_mean(values) < below
    return holds


def expected_stops(rows, holds, first, every, maximum):
    """From the tasks of a run without [stop]: cell -> (replicate, met)."""
    stops = {}
    for cell, tasks in by_cell(rows).items():
        for r in points(first, every, maximum):
            if holds(tasks[:r]) or r == maximum:
                stops[cell] = (r, holds(tasks[:r]))
                break
    return stops


def expect_stops(results, stops, full):
    """Tables hold just those tasks, equal to those of the full run."""
    rows = table(results)
    found = {cell: len(tasks) for cell, tasks in by_cell(rows).items()}
    check(found == {cell: at for cell, (at, _) in stops.items()},
          f"stops {found}, expected {stops}")
    wanted = [row for row in full
              if int(row["replicate"]) <= stops[row["cell"]][0]]
    check(rows == wanted, "tasks differ from those of the full run")
    cells = {}
    for row in table(results, "cells.csv"):
        if row["estimand"] == "replicates":
            cells.setdefault(row["cell"], {})[row["measure"]] = row
    for cell, (at, met) in stops.items():
        check(int(cells[cell]["stop"]["value"]) == at, "replicates: stop")
        check(int(cells[cell]["rules_met"]["value"]) == met, "rules_met")
        n_ok = sum(row["status"] == "ok" for row in rows
                   if row["cell"] == cell)
        check(int(cells[cell]["stop"]["n_used"]) == n_ok, "n_used")


def kill_anyone(work, n_kills, seed):
    """kill -9 of coordinator, zygote and workers, n_kills times each; resumed
    until it is through."""
    text = fates(cells="1, 2, 3, 4", below="0.025").replace(
        "sleep_us = 300", "sleep_us = 700")
    study = work.study(text)
    start = time.monotonic()
    work.run(study, work.path / "reference", expect=SOME_FAILED)
    seconds = time.monotonic() - start
    reference = digests(work.path / "reference")
    rng = dice(seed)
    kills = {"coordinator": 0, "zygote": 0, "worker": 0}
    folder = 0
    while min(kills.values()) < n_kills:
        results = work.path / f"r{folder}"
        run = work.start_run(study, results, workers=rng.choice((1, 2, 5)))
        time.sleep(rng.uniform(0, 0.7 * seconds))
        who = rng.choice(list(kills))
        victims = {"coordinator": [run.pid], "zygote": [run.zygote()],
                   "worker": run.workers()}[who] if run.running else []
        if victims and victims[0]:
            kills[who] += kill(rng.choice(victims))
        if who == "coordinator" and victims:
            run.wait()
            run.expect_no_process(5.0)
            continue  # resumed in the same folder
        run.wait(expect=SOME_FAILED)
        expect_same(results, reference, f"after {kills}")
        folder += 1
    work.run(study, results, expect=SOME_FAILED)
    work.verify(results)
    expect_same(results, reference, f"after {kills}")
