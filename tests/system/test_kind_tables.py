#!/usr/bin/env python3
"""Tables that a kind has of its own: written, exported, shown, the same bytes
however the study runs."""
import csv
import io
import json
import math
import pathlib
import struct

import plugins
from harness import (BAD, ENSRUN, SOME_FAILED, check, digests, expect_same,
                     main, table)

STUDY = """[study]
kind = ./heights.so:heights
seed = 3
[heights]
u = 1, 2.5, 4
"""


def build(work):
    here = pathlib.Path(__file__).parent / "heights.c"
    plugins.compile_c(work, here, work.path / "heights.so", "-shared",
                      "-fPIC", "-Werror")


def study(work, more="", name="study.ini"):
    return work.study(STUDY + more, name)


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


def a_written_table_is_a_file_of_the_results(work):
    build(work)
    work.run(study(work, "fail = 2\n"), "a", workers=1, expect=SOME_FAILED)
    sums = table(work.path / "a", "sums.csv")
    tasks = table(work.path / "a")
    check([r["u"] for r in sums] == ["1", "2.5", "4"], str(sums))
    for i, row in enumerate(sums):
        x = [float(r["x"]) for r in tasks
             if r["heights_u"] == row["u"] and r["status"] == "ok"]
        check(len(x) == 3 and row["ok"] == "3", str(row))
        check(math.isclose(float(row["total"]), sum(x), rel_tol=1e-15),
              f"{row['total']}: {x}")
        check(row["note"] == ("odd, \"so\"" if i == 1 else ""), str(row))
        check(row["seconds"] == "", f"facts of the run in sums: {row}")
    check(not (work.path / "a" / "wide.csv").exists()
          and not (work.path / "a" / "times.csv").exists(), "not written")
    about = {r["name"]: r for r in table(work.path / "a", "columns.csv")}
    check(about["sums.total"]["unit"] == "m"
          and about["sums.ok"]["type"] == "integer"
          and about["sums.note"]["meaning"].startswith("remark"), str(about))
    check("wide.w[1]" not in about and "x" in about, str(about))


def the_same_bytes_however_it_runs(work):
    build(work)
    work.run(study(work), "a", workers=1)
    reference = digests(work.path / "a")
    check("sums.csv" in reference, str(reference))
    work.run("study.ini", "b", workers=3)
    expect_same(work.path / "b", reference, "3 workers")
    work.run("study.ini", "c", transport="inline")
    expect_same(work.path / "c", reference, "inline")
    # an edit of the study rewrites them
    work.run("study.ini", "c", "--set",
             "heights.u=1,2.5")
    check(len(table(work.path / "c", "sums.csv")) == 2, "two cells")


def every_format_has_them(work):
    build(work)
    work.run(study(work), "a")
    written = (work.path / "a" / "sums.csv").read_text()

    def export(name, to, *more):
        return work.ensrun("export", "a", "--table", name, "--to", to, *more)

    check(export("sums", "csv").stdout == written, "csv")
    lines = [json.loads(x) for x in export("sums", "jsonl").stdout.split("\n")
             if x]
    check([x["u"] for x in lines] == [1, 2.5, 4] and lines[0]["ok"] == 4
          and lines[0]["note"] is None, str(lines))
    one = rows_of(export("sums", "csv", "--where", "u=2.5", "--columns",
                         "total,u").stdout)
    check(one == [{"total": rows_of(written)[1]["total"], "u": "2.5"}],
          str(one))
    export("wide", "npy", "-o", "wide.npy")
    check_npy(work.path / "wide.npy", export("wide", "csv").stdout)
    run = work.ensrun("export", "a", "--table", "sum", expect=BAD)
    check("sum: no such table; there are tasks," in run.stderr
          and "sums, wide, times" in run.stderr, run.stderr)


def check_npy(path, text):
    """The values of the file, whose columns are all f8, are those of csv."""
    data = path.read_bytes()
    n = struct.unpack("<H", data[8:10])[0]
    head = data[10:10 + n].decode()
    rows = [[float(x) for x in r.values()] for r in rows_of(text)]
    check("'w[2]', '<f8'" in head, head)
    flat = [x for row in rows for x in row]
    check(list(struct.unpack(f"<{len(flat)}d", data[10 + n:])) == flat, head)
    check(len(rows) == 4 and len(rows[0]) == 3, text)


def they_are_shown(work):
    build(work)
    work.run(study(work), "a")
    shown = work.ensrun("show", "a").stdout
    check(shown.startswith("sums: a row per cell\n")
          and "\n\ntimes: a row per stage\n" in shown
          and "estimand" not in shown, shown)
    again = work.run("study.ini", "a")  # finished: prints the same
    check(again.stdout == shown, again.stdout)
    check("w[3]" in work.ensrun("show", "a", "wide", "--head", "1").stdout,
          "wide")
    times = work.ensrun("show", "a", "times").stdout.split("\n")
    check([x.split()[:3] for x in times[1:4]]
          == [["draw", "1", "12"], ["sum", "1", "3"], ["none", "0", "0"]],
          str(times))
    check(float(times[1].split()[3]) > 0, str(times))
    run = work.ensrun("show", "a", "sum", expect=BAD)
    check("neither a table (tasks, cells," in run.stderr
          and "outputs, sums, wide, times)" in run.stderr, run.stderr)
    kinds = work.ensrun("kinds", "./heights.so:heights").stdout
    check("tables of its own" in kinds
          and "a row per cell (a file of the results)" in kinds
          and "a row per stage (facts of the run)" in kinds, kinds)


def laps_are_facts_of_the_run(work):
    build(work)
    work.run(study(work), "a")
    for row in table(work.path / "a", "timings.csv"):
        laps = [float(row["draw_seconds"]), float(row["write_seconds"])]
        check(min(laps) > 0 and sum(laps) <= float(row["seconds"]) * 1.00001,
              str(row))
    rows = rows_of(work.ensrun("export", "a", "--table", "times").stdout)
    total = sum(float(r["draw_seconds"])
                for r in table(work.path / "a", "timings.csv"))
    check(math.isclose(float(rows[0]["draw"]), total, rel_tol=1e-12),
          f"{rows[0]}, {total}")
    check(rows[1]["draw"] == "", "a stage that has no laps")
    task = table(work.path / "a")[5]["task"]
    check("\n  draw " in work.ensrun("show", "a", task).stdout, "show")
    run = work.run("study.ini", "a", "--only", task)  # replayed: compared
    check("differ" not in run.stdout + run.stderr, run.stdout)
    work.verify("a")
    check("draw_seconds" not in work.ensrun("export", "a").stdout, "tasks")
    run = work.run(study(work, "wrong = lap\n", "b.ini"), "b",
                   expect=SOME_FAILED)
    check("lap sleep: the kind declares no such" in run.stderr, run.stderr)


def a_study_that_has_not_finished_gives_what_it_has(work):
    build(work)
    work.run(study(work), "a", "--where", "heights_u=1")
    check(not (work.path / "a" / "sums.csv").exists(), "not written yet")
    sums = rows_of(work.ensrun("export", "a", "--table", "sums").stdout)
    check([r["ok"] for r in sums] == ["4", "", ""]
          and {r["total"] for r in sums} == {""}, str(sums))
    times = rows_of(work.ensrun("export", "a", "--table", "times").stdout)
    check([r["finished"] for r in times] == ["0", "0", "0"]
          and times[0]["tasks"] == "4", str(times))
    work.run("study.ini", "a")
    check(len(table(work.path / "a", "sums.csv")) == 3, "written")


def what_goes_wrong_is_said(work):
    build(work)
    run = work.run(study(work, "wrong = row\n"), "a", expect=SOME_FAILED)
    check("table sums: no row today" in run.stderr, run.stderr)
    check(not (work.path / "a" / "sums.csv").exists(), "none half written")
    check(not list((work.path / "a").glob("*.tmp")), "left behind")
    run = work.run(study(work, "wrong = column\n"), "b", expect=70)
    check("table sums: column total is there twice" in run.stderr, run.stderr)
    run = work.run(study(work, "wrong = more\n"), "c", expect=70)
    check("table sums: 6 columns, and when asked before 5" in run.stderr,
          run.stderr)
    work.run(study(work, "wrong = deaf\n"), "d")
    head = work.ensrun("export", "d", "--table", "sums", "--head", "1").stdout
    check(len(rows_of(head)) == 1, head)
    run = work.start("-c", f"{ENSRUN} export d --table sums > /dev/full",
                     program="/bin/sh")
    run.wait(60, 3)
    check("No space left" in run.stderr, run.stderr)


def bad_declarations_are_refused(work):
    columns = """
static enum ens_status no(const struct ens_host *h, const struct ens_plan *p,
    struct ens_tables_in *in, ens_table_column_fn *sink, void *arg,
    struct ens_error *err)
{ (void)h; (void)p; (void)in; (void)sink; (void)arg; (void)err;
  return ENS_OK; }
static enum ens_status rows(const struct ens_host *h, const struct ens_plan *p,
    struct ens_tables_in *in, ens_table_row_fn *sink, void *arg,
    struct ens_error *err)
{ (void)h; (void)p; (void)in; (void)sink; (void)arg; (void)err;
  return ENS_OK; }
static const struct ens_table_def tables[] = {{%s, .columns = no,
    .rows = rows}, {"two", "h", .columns = no, .rows = rows}};
"""
    for members, text in (
            ('"tasks", "h"', "has the name of one of the program's"),
            ('"a b", "h"', "has no name, or one that is none"),
            ('"one", NULL', "has no help, columns or rows"),
            ('"two", "h"', "is there twice"),
            ('"one", "h", .written = 1, .facts = 1', "is written"),
            ('"one", "h", .shown = 1, .large = 1', "is shown")):
        plugins.plugin(work, MORE=columns % members,
                       KIND=", .tables = tables, .n_tables = 2")
        path = work.study("[study]\nkind = ./toy.so:toy\n[toy]\nu = 1\n")
        run = work.ensrun("plan", path, expect=BAD)
        check(text in run.stderr, f"{members}: {run.stderr}")
    for members, n, text in (
            ('{"fit", "h"}, {"fit", "h"}', 2, "lap fit is there twice"),
            ('{"a", "h"}', 5, "5 laps; it may have 4"),
            ('{"a", NULL}', 1, "lap 1 has no name or help")):
        plugins.plugin(work, MORE="static const struct ens_lap laps[] = {%s};"
                       % members, KIND=f", .laps = laps, .n_laps = {n}")
        run = work.ensrun("plan", path, expect=BAD)
        check(text in run.stderr, f"{members}: {run.stderr}")


main(a_written_table_is_a_file_of_the_results, the_same_bytes_however_it_runs,
     every_format_has_them, they_are_shown,
     laps_are_facts_of_the_run,
     a_study_that_has_not_finished_gives_what_it_has, what_goes_wrong_is_said,
     bad_declarations_are_refused)
