#!/usr/bin/env python3
"""export --names bayesim: the reference's columns, one row for every task of
the design, its statuses."""
import csv
import io

from harness import BAD, check, ini, main, table

STUDY = """[study]
kind = simulation
seed = 1
replicates = 100
[data]
generator = linear
n = 20, 50
intercept = 1
slope = 2
sigma = 3
[fit ols]
formula = y ~ x1
[fit short]
fitter = ols
formula = y ~ 1
"""


def export(work, results, *arguments):
    run = work.ensrun("export", results, "--names", "bayesim", *arguments)
    return list(csv.DictReader(io.StringIO(run.stdout)))


def columns(work):
    """Values are those of tasks.csv, under other names."""
    results = work.path / "r"
    work.run(work.study(STUDY), results)
    rows, tasks = export(work, results), table(results)
    check(list(rows[0]) == [
        "task_id", "status", "stop_reason",
        "posterior_summary__mean__intercept", "posterior_summary__mean__x1",
        "posterior_summary__sd__intercept", "posterior_summary__sd__x1",
        "posterior_summary__q_lower__intercept",
        "posterior_summary__q_lower__x1",
        "posterior_summary__q_upper__intercept",
        "posterior_summary__q_upper__x1", "truth__intercept", "truth__x1",
        "error_class", "error_message", "timing_total", "rep_idx", "data_n",
        "fit_name"], f"columns {list(rows[0])}")
    check(len(rows) == len(tasks) == 400, f"{len(rows)} rows")
    for row, task in zip(rows, tasks):
        for ours, theirs in (
                ("task", "task_id"), ("replicate", "rep_idx"),
                ("estimate__x1", "posterior_summary__mean__x1"),
                ("conf_low__intercept",
                 "posterior_summary__q_lower__intercept"),
                ("truth__x1", "truth__x1"), ("fit", "fit_name"),
                ("data_n", "data_n")):
            check(row[theirs] == task[ours], f"{theirs} of {task['task']}")
        check(row["status"] == "success" and row["error_class"] == "" and
              float(row["timing_total"]) >= 0, f"{row}")
    cells = export(work, results, "--table", "cells")
    check(list(cells[0]) == ["data_n", "fit_name", "estimand", "measure",
                             "value", "mcse", "n_sim"], f"{list(cells[0])}")
    ours = table(results, "cells.csv")
    check([(r["measure"], r["value"]) for r in cells] ==
          [("emp_se" if r["measure"] == "sd" else r["measure"], r["value"])
           for r in ours], "other measures")


def statuses(work):
    """Failed, not run yet, stopped early: each task of the design has one."""
    results = work.path / "failed"
    work.run(work.study(ini("work_us = 0\nfields = 1\nfail_rate = 0.3\n",
                            "seed = 3\nreplicates = 50\n")), results, expect=1)
    rows, tasks = export(work, results), table(results)
    for row, task in zip(rows, tasks):
        ok = task["status"] == "ok"
        check(row["status"] == ("success" if ok else "failed") and
              row["error_class"] == ("" if ok else "failed") and
              row["error_message"] == task["error"], f"{row}")
    results = work.path / "open"
    work.run(work.study(STUDY), results, "--where", "fit=ols")
    rows = export(work, results)
    check(len(rows) == 400, f"{len(rows)} rows")
    for row in rows:
        check(row["status"] == ("success" if row["fit_name"] == "ols"
                                else "pending"), f"{row}")
    results = work.path / "stopped"
    work.run(work.study(STUDY + "[stop]\nrule = mcse(bias, intercept) < 0.1\n"
                        "min = 20\n"), results)
    rows, tasks = export(work, results), table(results)
    check(len(rows) == 400 and len(tasks) < 400, "not stopped")
    kinds = {(r["status"], r["stop_reason"]) for r in rows}
    check(kinds == {("success", ""), ("skipped", "adaptive_stop")},
          f"{kinds}")
    check([r["task_id"] for r in rows if r["status"] == "success"] ==
          [t["task"] for t in tasks], "other tasks")


def refusals(work):
    results = work.path / "r"
    work.run(work.study(STUDY), results)
    for arguments, word in ((["--names", "bayesim", "--table", "timings"],
                             "tasks and cells"),
                            (["--names", "other"], "ensrun|bayesim"),
                            (["--names", "bayesim", "--columns", "replicate"],
                             "it has task_id, status")):
        run = work.ensrun("export", results, *arguments, expect=BAD)
        check(word in run.stderr, f"{arguments}: {run.stderr}")


if __name__ == "__main__":
    main(columns, statuses, refusals)
