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
static const struct ens_metric m = {0};
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
            ('"metric"', ", .ops = &m", "field, which is required"),
            ('"learner"', ", .ops = &m",
             "allowed: generator, fitter, metric"),
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


main(the_kind_of_the_examples, same_bytes_however_it_runs, a_study_moves_with_its_plugin,
     names_are_checked, files_that_are_no_plugin, plugins_that_do_not_fit,
     parts_that_are_incomplete, threads_are_refused,
     faults_cost_their_task_alone, a_rebuilt_file_is_said,
     a_file_that_changes_while_it_runs, kinds_lists_what_a_file_has)
