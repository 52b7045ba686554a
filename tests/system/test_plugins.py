#!/usr/bin/env python3
"""Plugins: what a study can name, and what is said when that goes wrong."""
import json
import shutil
import struct
import subprocess

import plugins
from harness import (BAD, OK, SOME_FAILED, check, count_by, digests,
                     expect_same, main, table, wait_until)

STUDY = """[study]
kind = ./{}
seed = 3
replicates = 20
[run]
{}
[toy]
u = 1, 2
"""


def study(work, kind="toy.so:toy", run="", name="study.ini"):
    return work.study(STUDY.format(kind, run), name)


def expect_error(work, path, *texts, command="plan"):
    run = work.ensrun(command, path, expect=BAD)
    for text in texts:
        check(text in run.stderr, f"no {text!r} in: {run.stderr}")
    check("Segmentation" not in run.stderr, run.stderr)


def same_bytes_however_it_runs(work):
    plugins.plugin(work)
    work.run(study(work), "a", workers=1)
    reference = digests(work.path / "a")
    check(len(table(work.path / "a")) == 40, "40 tasks")
    work.run("study.ini", "b", workers=3)
    expect_same(work.path / "b", reference, "3 workers")
    work.run("study.ini", "c", transport="inline")
    expect_same(work.path / "c", reference, "inline")
    # the folder resumes by itself, and reads without the study file
    work.run("study.ini", "d", "--set", "study.replicates=7")
    work.ensrun("run", "d", "--set", "study.replicates=20")
    expect_same(work.path / "d", reference, "resumed")
    for command in ("show", "status", "verify", "plan"):
        work.ensrun(command, "d" if command != "plan" else "d/study.ini")
    work.ensrun("export", "d", "--to", "jsonl", "-o", "out.jsonl")


def a_study_moves_with_its_plugin(work):
    plugins.plugin(work)
    work.run(study(work), "a")
    before = table(work.path / "a")
    moved = work.path / "elsewhere"
    moved.mkdir()
    for name in ("study.ini", "toy.so"):
        shutil.move(work.path / name, moved / name)
    run = work.run(moved / "study.ini", "a", "--set", "study.replicates=21",
                   "--json")
    check(json.loads(run.stdout)["new"] == 2, run.stdout)
    after = table(work.path / "a")
    check([r["x"] for r in after if r["replicate"] != "21"]
          == [r["x"] for r in before], "the same results")


def names_are_checked(work):
    plugins.plugin(work)
    expect_error(work, study(work, "toy.so:tpy"), "study.ini:2: [study] kind",
                 "toy.so has no kind tpy; it has kind toy")
    expect_error(work, study(work, "toy.so"), "expected FILE.so:NAME")
    expect_error(work, study(work, "none.so:toy"), "none.so: cannot open",
                 "No such file")
    path = work.study("[study]\nkind = simulation\n[data]\ngenerator = "
                      "./toy.so:x\n[fit]\nfitter = ./none.so:y\n"
                      "formula = y ~ x\n[metrics]\nuse = bias, ./toy.so:z(1)\n")
    expect_error(work, path, "study.ini:4: [data] generator",
                 "has no generator x; it has kind toy",
                 "study.ini:6: [fit] fitter", "none.so: cannot open",
                 "study.ini:9: [metrics] use", "has no metric z")
    # keys of a plugin that cannot be read are not blamed
    path = work.study("[study]\nkind = simulation\n[data]\ngenerator = "
                      "./none.so:x\nmystery = 1\n[fit]\nlambda = 2\n"
                      "[fit a]\nfitter = ./none.so:y\nformula = y ~ x\n")
    run = work.ensrun("plan", path, expect=BAD)
    check(run.stderr.count("\n") == 2, run.stderr)


def files_that_are_no_plugin(work):
    good = plugins.plugin(work).read_bytes()
    bad = work.path / "bad.so"
    path = study(work, "bad.so:toy")
    machine = 183 if struct.unpack_from("<H", good, 18)[0] != 183 else 62
    for content, text in (
            (b"#!/bin/sh\n" * 9, "is not a shared library"),
            (b"", "is empty"),
            (good[:40], "cut short"),
            (good[:len(good) // 3], "cut short"),
            (good[:18] + struct.pack("<H", machine) + good[20:],
             "is built for"),
            (good[:4] + b"\x01" + good[5:], "is built for"),
            (good[:16] + struct.pack("<H", 2) + good[18:], "is a program")):
        bad.write_bytes(content)
        expect_error(work, path, "bad.so", text)
    bad.unlink()
    bad.mkdir()
    expect_error(work, path, "is no file")
    bad.rmdir()
    plugins.compile_c(work, work.path / "toy.c", bad, "-c", link=())
    expect_error(work, path, "an object file", "-shared")


def plugins_that_do_not_fit(work):
    path = study(work)
    for parts, texts in (
            ({"PLUGIN": ", .abi = 77"},
             ("interface 77, this program has 0", "rebuild it against "
              "include/ensrun of version")),
            ({"PLUGIN": ", .layout = 1"}, ("layout 1,", "rebuild")),
            ({"MORE": "#define ensrun_plugin other\n"
                      "extern const struct ens_plugin other;"},
             ("no symbol ensrun_plugin",)),
            ({"MORE": "extern int nowhere(void);", "TASK": "x += nowhere()"},
             ("undefined symbol: nowhere",)),
            ({"KIND": ", .run = NULL"}, ("kind toy: run, which is required",)),
            ({"KIND": ", .plan = NULL"}, ("plan, which is required",)),
            ({"KIND": ", .abi = 5"}, ("abi is 5",)),
            ({"KIND": ", .help = NULL"}, ("help, which is required",)),
            ({"KIND": ", .n_settings = 2000000"}, ("a table of 2000000",)),
            ({"KIND": ", .roles = NULL"}, ("roles, which is required",)),
            ({"KIND": ", .n_roles = 0"}, ("[toy] must be a role",)),
            ({"KIND": ", .name = \"a b\""}, ("kind 1 has no name",)),
            ({"PLUGIN": ", .kinds = NULL"}, ("tables of 1 kinds",)),
            ({"PLUGIN": ", .n_parts = 3"}, ("tables of 1 kinds, 3 parts",))):
        plugins.plugin(work, "toy", "-shared", "-fPIC", "-Wno-override-init",
                       "-Wno-initializer-overrides", "-Wno-extra", **parts)
        expect_error(work, path, "toy.so", *texts)


PARTS = """
static const struct ens_generator g = {0};
static const struct ens_fitter f = {0};
static enum ens_status density(const struct ens_job *job,
    const struct ens_fit_options *o, const struct ens_fit_problem *problem,
    struct ens_density *to, struct ens_error *err) { return ENS_OK; }
static const struct ens_fitter d = {.density = density};
static const struct ens_metric m = {0};
static enum ens_status learn(const struct ens_learn_job *job,
    const struct ens_rows *train, struct ens_error *err) { return ENS_OK; }
static const struct ens_learner l = {0};
static const struct ens_learner no_fit = {.families = ENS_LEARN_ALL};
static const struct ens_learner no_predict = {.families = ENS_LEARN_ALL,
    .fit = learn};
static const struct ens_setting fit[] = {ENS_FIT_SETTING_FORMULA,
                                         ENS_FIT_SETTING_LEVEL};
static const struct ens_setting stray[] = {{.section = "other", .key = "k",
    .help = ""}};
static const struct ens_setting twice[] = {{.section = "data", .key = "k",
    .help = ""}, {.section = "data", .key = "k", .help = ""}};
static const struct ens_setting wild[] = {{.section = "data", .key = "k",
    .type = (enum ens_type)99, .help = ""}};
static const struct ens_setting line[] = {{.section = "data", .key = "k",
    .type = ENS_T_LINE, .help = ""}};
static const struct ens_plugin_part parts[] = {{@, {.name = "p", .help = ""
    @}}};
"""


def parts_that_are_incomplete(work):
    path = work.study("[study]\nkind = simulation\n[data]\n"
                      "generator = ./toy.so:p\n[fit]\nfitter = ols\n"
                      "formula = y ~ x\n")
    for key, rest, text in (
            ('"generator"', "", "ops is NULL"),
            ('"generator"', ", .ops = &g", "shape, which is required"),
            ('"fitter"', ", .ops = &f", "ENS_FIT_SETTING_FORMULA"),
            ('"fitter"', ", .ops = &f, .settings = fit, .n_settings = 2",
             "fit, which is required"),
            ('"fitter"', ", .ops = &d, .settings = fit, .n_settings = 2",
             "ENS_FIT_SETTINGS_NUTS, which is required"),
            ('"metric"', ", .ops = &m", "field, which is required"),
            ('"learner"', ", .ops = &l", "a family of ENS_LEARN_ALL, which"),
            ('"learner"', ", .ops = &no_fit", "fit, which is required"),
            ('"learner"', ", .ops = &no_predict",
             "predict, which is required"),
            ('"learner"',
             ", .ops = &l, .settings = stray, .n_settings = 1",
             "is of section other, not learner"),
            ('"exporter"', ", .ops = &m",
             "allowed: generator, fitter, metric, learner"),
            ("NULL", ", .ops = &m", "its key is NULL"),
            ('"generator"', ", .ops = &g, .settings = stray, .n_settings = 1",
             "is of section other, not data"),
            ('"generator"', ", .ops = &g, .settings = twice, .n_settings = 2",
             "is there twice"),
            ('"generator"', ", .ops = &g, .settings = wild, .n_settings = 1",
             "type that does not exist"),
            ('"generator"', ", .ops = &g, .settings = line, .n_settings = 1",
             "only kinds may have")):
        first, second, third = PARTS.split("@")
        plugins.plugin(work, "toy", "-shared", "-fPIC", "-w",
                       MORE=first + key + second + rest + third,
                       PLUGIN=", .parts = parts, .n_parts = 1")
        expect_error(work, path, "toy.so: part 1", text)


THREAD = """
static void *nothing(void *p) { for (;;) pause(); return p; }
__attribute__((constructor)) static void begin(void)
{
    pthread_t t;
    pthread_create(&t, NULL, nothing, NULL);
}
"""


def threads_are_refused(work):
    plugins.plugin(work, MORE=THREAD, link=("-lm", "-pthread"))
    run = work.run(study(work), "r", expect=BAD)
    for text in ("toy.so", "starts 1 thread when it is loaded"):
        check(text in run.stderr, f"no {text!r} in: {run.stderr}")
    run.expect_no_process()


def faults_cost_their_task_alone(work):
    """Replicate 7 of each cell goes wrong; the others have their results."""
    fault = "if (task->replicate == 7) {{ {} }}"
    for what, status, run_keys in (
            ("raise(SIGSEGV);", "crashed", ""),
            ("*(volatile int *)16 = 1;", "crashed", ""),
            ("abort();", "crashed", ""),
            ("exit(0);", "crashed", ""),
            ("_exit(3);", "crashed", ""),
            ("for (;;) pause();", "timeout", "timeout = 0.3 s"),
            ("for (;;) memset(malloc(1 << 22), 1, 1 << 22);", "crashed",
             "memory_limit = 64 MiB\ntimeout = 60 s"),
            ('return host->fail(err, ENS_EDOMAIN, "no %d", 7);', "failed",
             "")):
        plugins.plugin(work, "toy", "-shared", "-fPIC", "-w",
                       TASK=fault.format(what))
        run = work.run(study(work, run=run_keys), "r", "--restart",
                       expect=SOME_FAILED)
        rows = table(work.path / "r")
        check(count_by(rows, "status") == {"ok": 38, status: 2},
              f"{what} {count_by(rows, 'status')}")
        check(all(r["replicate"] == "7" for r in rows
                  if r["status"] == status), what)
        run.expect_no_process()


def a_version_of_a_part_is_that_of_its_cells(work):
    """A generator whose results change: its cells are others, the rest stay."""
    path = work.study(
        "[study]\nkind = simulation\nreplicates = 3\n[data mine]\ngenerator = "
        "./toy.so:g\n[data other]\ngenerator = linear\n[fit]\nfitter = ols\n"
        "formula = y ~ 1\n[metrics]\nuse = bias, ./toy.so:m\n")
    more = SPOILT
    for name in ("SHAPE", "GENERATE", "FIT", "METRIC"):
        more = more.replace(f"@{name}@", "")

    def build(text):
        plugins.plugin(work, "toy", "-shared", "-fPIC", "-w", MORE=text,
                       PLUGIN=", .parts = parts, .n_parts = 4")

    build(more)
    work.run(path, "r")
    before = {r["cell"] for r in table(work.path / "r")}
    build(more.replace("&g, 0, 0", "&g, 2, 0"))
    run = work.run(path, "r", "--json")
    check(json.loads(run.stdout)["new"] == 3, run.stdout)
    rows = table(work.path / "r")
    check({r["data"] for r in rows if r["cell"] in before} == {"other"},
          f"{before} {rows}")
    # of a metric: the study's
    build(more.replace("&g, 0, 0", "&g, 2, 0").replace("&m, 0, 0", "&m, 1, 0"))
    run = work.run(path, "r", expect=BAD)
    check("metrics.use: was toy.so:m, now toy.so:m@1" in run.stderr,
          run.stderr)


def a_rebuilt_file_is_said(work):
    plugins.plugin(work)
    work.run(study(work), "r")
    plugins.plugin(work, MORE="int more;")
    run = work.run("study.ini", "r", "--set", "study.replicates=21")
    check("is not the file that earlier tasks ran" in run.stderr, run.stderr)
    run = work.run("study.ini", "r", "--set", "study.replicates=22")
    check("is not the file" not in run.stderr, run.stderr)
    # a version that is raised is a change of the study
    plugins.plugin(work, "toy", "-shared", "-fPIC", "-w",
                   KIND=", .results_version = 2")
    run = work.run("study.ini", "r", expect=BAD)
    check("results_version: was 1, now 2" in run.stderr, run.stderr)
    (work.path / "toy.so").unlink()
    run = work.ensrun("run", "r", expect=BAD)
    check("toy.so: cannot open" in run.stderr, run.stderr)


def a_file_that_changes_while_it_runs(work):
    """A zygote that has to be started again must load the same file."""
    plugins.plugin(work, TASK="if (task->replicate > 5) pause()")
    run = work.start_run(study(work), "r")
    zygote = wait_until(lambda: len(run.workers()) == 2 and run.zygote(), 30,
                        "two workers")
    first = work.path / "toy.so"
    first.unlink()
    plugins.plugin(work, MORE="int more;")
    subprocess.run(["kill", "-9", str(zygote)], check=True)
    run.wait(60, BAD)
    check("was changed while the study ran" in run.stderr, run.stderr)
    run.expect_no_process()


def kinds_lists_what_a_file_has(work):
    plugins.plugin(work, PLUGIN=', .help = "toys"')
    run = work.ensrun("kinds", "./toy.so", expect=OK)
    for text in ("toy.so: toys", "kind = ./toy.so:toy", "a toy"):
        check(text in run.stdout, run.stdout)
    run = work.ensrun("kinds", "toy.so:toy", expect=OK)
    check("a number" in run.stdout and "u " in run.stdout, run.stdout)
    run = work.ensrun("kinds", "./toy.so:u", expect=BAD)
    check("it has kind toy" in run.stderr, run.stderr)


def the_kind_of_the_examples(work):
    work.run(plugins.example(work, "walk"), "r")
    rows = table(work.path / "r")
    check(count_by(rows, "status") == {"ok": 600}, "600 walks")
    for steps in (10, 100, 1000):
        ends = [float(r["end"]) for r in rows if r["walk_steps"] == str(steps)
                and r["walk_drift"] == "0"]
        check(len(ends) == 100, f"{len(ends)} ends")
        # mean 0 and variance steps; chi-squared of 100, far in its tails
        z = sum(ends) / (steps * 100) ** 0.5
        v = sum(e * e for e in ends) / steps
        check(abs(z) < 4 and 45 < v < 180, f"{steps}: {z} {v}")


def the_parts_of_the_examples(work):
    """Against what they must be: see each head comment."""
    for name in ("ar1", "lasso", "probit", "residuals"):
        path = plugins.example(work, name)
        work.run(path, name)
        reference = digests(work.path / name)
        work.run(path, name + "1", workers=1)
        expect_same(work.path / (name + "1"), reference, name)
    cells = cells_of(work, "ar1")
    rho = {r["cell"]: r["data_rho"] for r in table(work.path / "ar1")}
    for (cell, term, measure), value in cells.items():
        # 400 replicates: least squares is unbiased, its intervals hold only
        # when errors are independent
        if measure == "bias":
            check(abs(value) < 4 * cells[cell, term, "sd"] / 20, term)
        if measure == "coverage":
            check(value > .92 if rho[cell] == "0" else value < .85,
                  f"{rho[cell]} {term}: {value}")
    check_lasso(work)
    check_probit(work)
    check_residuals(work)


def cells_of(work, name):
    return {(r["cell"], r["estimand"], r["measure"]): float(r["value"] or "nan")
            for r in table(work.path / name, "cells.csv")}


def check_lasso(work):
    rows = table(work.path / "lasso")
    plain = {r["replicate"]: r for r in rows if r["fit"] == "plain"}
    weak = [r for r in rows if r["fit_lambda"] == "1"]
    # the same data; a penalty of 1 moves an estimate by about 1/n
    for row in weak:
        for term in ("x1", "x2"):
            key = f"estimate__{term}"
            check(abs(float(row[key]) - float(plain[row["replicate"]][key]))
                  < .05, f"{row} {plain[row['replicate']]}")
        check(row["std_error__x1"] == "" and row["conf_low__x1"] == "",
              "what the fitter does not say is missing")
    strong = [float(r["estimate__x3"]) for r in rows if r["fit_lambda"] == "50"]
    check(sum(e == 0 for e in strong) > 190, "x3 is left out")


def check_probit(work):
    """The same data: slopes in the ratio of the links (Amemiya 1981: 1.6;
    pi / sqrt 3 = 1.81), and as sure of themselves."""
    rows = table(work.path / "probit")
    logit = {r["replicate"]: r for r in rows if r["fit"] == "logit"}
    ours = [r for r in rows if r["fit"] == "probit"]
    check(len(ours) == 20, f"{len(ours)} fits")
    for row in ours:
        check(row["warnings"] == "", row["warnings"])
        for term in ("x1", "x2"):
            a, sd = (float(row[f"{k}__{term}"])
                     for k in ("estimate", "std_error"))
            b, other = (float(logit[row["replicate"]][f"{k}__{term}"])
                        for k in ("estimate", "std_error"))
            check(1.5 < b / a < 1.9, f"{term}: {b} {a}")
            check(abs(a / sd / (b / other) - 1) < .2, f"{term}: {row}")
            check(float(row[f"conf_low__{term}"]) < a, f"{row}")


def a_wrong_gradient_is_a_warning(work):
    path = plugins.example(work, "probit")
    source = path.with_suffix(".c")
    line = "sign * slope * d->x[i + j * d->n];"
    check(line in source.read_text(), "the line that is made wrong")
    source.write_text(source.read_text().replace(line, "0.9 * " + line))
    plugins.example(work, "probit")
    work.run(path, "wrong")
    for row in table(work.path / "wrong"):
        check(("wrong gradient: along intercept it is " in row["warnings"])
              == (row["fit"] == "probit"), row["warnings"])


def check_residuals(work):
    rows = table(work.path / "residuals")
    cells = cells_of(work, "residuals")
    for row in rows:
        z = ((float(row["estimate__x1"]) - 1) / float(row["std_error__x1"]))
        check(abs(z - float(row["z__x1"])) < 1e-9, f"{row}")
    for cell in {r["cell"] for r in rows}:
        for column, key in (("mad", ("mad", "mean")),
                            ("mad__largest", ("mad__largest", "mean")),
                            ("z__x1", ("x1", "z"))):
            values = [float(r[column]) for r in rows if r["cell"] == cell]
            check(abs(cells[(cell, *key)] - sum(values) / 200) < 1e-9, column)
    # a metric is part of the study: its columns cannot be added later
    path = work.path / "examples" / "residuals.ini"
    text = path.read_text()
    path.write_text(text.replace(", ./residuals.so:z", ""))
    run = work.run(path, "residuals", expect=BAD)
    check("metrics.use: was residuals.so:mad, residuals.so:z, now "
          "residuals.so:mad" in run.stderr, run.stderr)
    path.write_text(text.replace("bias, ", "rmse, "))  # a measure can
    work.run(path, "residuals")
    check(any(m == "rmse" for _, _, m in cells_of(work, "residuals")), "rmse")
    path.write_text(text.replace(":mad,", ":mad(scale=1),"))
    work.run(path, "scaled")
    first = table(work.path / "scaled")[0]
    check(abs(float(first["mad"]) * 1.4826 - float(rows[0]["mad"])) < 1e-9,
          "scale")
    for use, text in ((":mad(scala=1),", "unknown argument scala"),
                      (":mad, ./residuals.so:mad(1),", "mad is there twice"),
                      (":mad(1, 2),", "at most 1 argument"),
                      (":mad(scale=x),", "scale")):
        work.study((work.path / "examples" / "residuals.ini").read_text()
                   .replace(":mad(scale=1),", use), "examples/bad.ini")
        run = work.ensrun("plan", "examples/bad.ini", expect=BAD)
        check(text in run.stderr, run.stderr)


SPOILT = """
static enum ens_status shape(const struct ens_setup *s,
    const struct ens_cell *cell, struct ens_data *d, struct ens_error *err)
{
    static const char *const names[] = {"x", "y"};
    d->n = 10;
    d->n_columns = 2;
    d->name = names;
    @SHAPE@
    return ENS_OK;
}
static enum ens_status generate(const struct ens_job *job,
    const struct ens_data *d, struct ens_generated *out, struct ens_error *err)
{
    static double v[20];
    static struct ens_data_column c[2] = {{.values = v}, {.values = v + 10}};
    struct ens_rng *g = job->host->rng(job->result, "data");
    for (int i = 0; i < 20; i++)
        v[i] = job->host->normal(g);
    out->data = *d;
    out->data.column = c;
    @GENERATE@
    return ENS_OK;
}
static enum ens_status fit(const struct ens_job *job,
    const struct ens_fit_options *o, const struct ens_fit_problem *d,
    double *work, struct ens_fit_result *r, struct ens_error *err)
{
    for (size_t j = 0; j < d->p; j++)
        r->estimate[j] = (double)j;
    @FIT@
    return ENS_OK;
}
static enum ens_status compute(const struct ens_job *job,
    const struct ens_metric_input *in, double *value, struct ens_error *err)
{
    value[0] = 1;
    @METRIC@
    return ENS_OK;
}
static const struct ens_setting fit_settings[] = {ENS_FIT_SETTING_FORMULA,
                                                  ENS_FIT_SETTING_LEVEL};
static const struct ens_generator g = {.shape = shape, .generate = generate};
static const struct ens_fitter f = {.fit = fit};
static const struct ens_metric_field field = {"v", "", "one", 0};
static const struct ens_metric m = {.n_fields = 1, .field = &field,
                                    .compute = compute};
static const struct ens_metric n = {.n_fields = 1, .field = &field,
                                    .compute = compute, .required = 1};
static const struct ens_plugin_part parts[] = {
    {"generator", {"g", "", NULL, 0, &g, 0, 0}},
    {"fitter", {"f", "", fit_settings, 2, &f, 0, 0}},
    {"metric", {"m", "", NULL, 0, &m, 0, 0}},
    {"metric", {"n", "", NULL, 0, &n, 0, 0}}};
"""


def parts_that_go_wrong(work):
    """What a task says, or the study when it cannot be planned."""
    path = work.study(
        "[study]\nkind = simulation\nreplicates = 3\n[data]\ngenerator = "
        "./toy.so:g\n[fit]\nfitter = ./toy.so:f\nformula = y ~ x\n"
        "[metrics]\nuse = ./toy.so:m, ./toy.so:n\n")
    fails = 'return job->host->fail(err, ENS_EDOMAIN, "no %s", "luck");'
    for part, code, expect, text in (
            ("", "", OK, ""),
            ("SHAPE", "d->n_columns = 0;", BAD, "10 rows, 0 columns"),
            ("SHAPE", "d->name = NULL;", BAD, "2 columns"),
            ("SHAPE", "return host->fail(err, ENS_ESTUDY, \"odd\");", BAD,
             "[data]: odd"),
            ("GENERATE", "out->data.n_columns = 1;", SOME_FAILED,
             "1 columns of the 2"),
            ("GENERATE", "out->data.column = NULL;", SOME_FAILED,
             "0 columns of the 2"),
            ("GENERATE", "c[1].values = NULL;", SOME_FAILED,
             "no values of column 'y'"),
            ("GENERATE", "v[3] = 0.0 / 0.0;", OK, ""),
            ("GENERATE", "v[3] = 1 / 0.0;", SOME_FAILED,
             "row 4: x is inf"),
            ("GENERATE", "out->data.n = 0;", SOME_FAILED, "0 complete rows"),
            ("GENERATE", fails, SOME_FAILED, "no luck"),
            ("FIT", "r->estimate[1] = 0.0 / 0.0;", SOME_FAILED,
             "estimate of 'x' is not finite"),
            ("FIT", fails, SOME_FAILED, "no luck"),
            ("METRIC", fails, SOME_FAILED, "metric n: no luck")):
        more = SPOILT
        for name in ("SHAPE", "GENERATE", "FIT", "METRIC"):
            more = more.replace(f"@{name}@", code if name == part else "")
        plugins.plugin(work, "toy", "-shared", "-fPIC", "-w", MORE=more,
                       PLUGIN=", .parts = parts, .n_parts = 4")
        run = work.run(path, "r", "--restart", transport="inline",
                       expect=expect)
        if expect == BAD:
            check(text in run.stderr, f"no {text!r} in: {run.stderr}")
            continue
        rows = table(work.path / "r")
        check(all(text in r["error"] for r in rows), f"{part} {code} {rows}")
        if part == "":
            check(all(r["estimate__x"] == "1" and r["m__v"] == "1" and
                      r["std_error__x"] == "" for r in rows), f"{rows}")
    # an optional metric costs its own columns
    work.study(path.read_text().replace(", ./toy.so:n", ""))
    run = work.run(path, "r", "--restart")
    for row in table(work.path / "r"):
        check(row["m__v"] == "" and row["estimate__x"] == "1" and
              "metric m: no luck" in row["warnings"] and
              row["metric_error"] == "m: value out of domain", f"{row}")


main(the_kind_of_the_examples, the_parts_of_the_examples,
     a_wrong_gradient_is_a_warning, parts_that_go_wrong,
     same_bytes_however_it_runs, a_study_moves_with_its_plugin,
     names_are_checked, files_that_are_no_plugin, plugins_that_do_not_fit,
     parts_that_are_incomplete, threads_are_refused,
     faults_cost_their_task_alone, a_version_of_a_part_is_that_of_its_cells,
     a_rebuilt_file_is_said, a_file_that_changes_while_it_runs,
     kinds_lists_what_a_file_has)
