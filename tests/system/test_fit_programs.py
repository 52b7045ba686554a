#!/usr/bin/env python3
"""Kind simulation: generators, fitters and metrics that are programs."""
import json
import re
import shutil

from harness import BAD, SOME_FAILED, SOURCE, check, command_of, count_by, \
    dice, expect_same, kill, main, marked, table, wait_until

R_MODEL = """#!/usr/bin/Rscript
source(file.path(Sys.getenv("ENSRUN_FOLDER"), "ensrun.R"))
answer <- function(...) stop("the client's own are not disturbed")
fit(function(t) {
  if (t$replicate == 3) warning("a warning of R")
  if (t$replicate == 4) stop("no such fit")
  s <- coef(summary(lm(t$formula, t$data)))
  list(estimate = s[, 1], std_error = s[, 2], df = nrow(t$data) - nrow(s))
})
generate(function(t) {
  set.seed(t$seed31)
  x <- rnorm(t$values$n)
  data.frame(y = 1 + t$values$slope * x + rnorm(t$values$n), x = x)
})
metric(function(t) list(mse = mean((t$y - t$x %*% t$estimate)^2),
                        off = t$truth["x"], n = nrow(t$data)))
serve()
"""

PY_MODEL = """#!/usr/bin/python3
import numpy
import ensrun

@ensrun.generate
def generate(t):
    rng = numpy.random.default_rng(t.seed)
    x = rng.normal(size=t.values["n"])
    y = 1 + t.values["slope"] * x + rng.normal(size=len(x))
    return {"x": x, "y": y} if t.replicate % 2 else numpy.column_stack((y, x))

@ensrun.fit
def fit(t):
    assert isinstance(t.x, numpy.memmap) and not t.x.flags.writeable
    assert (t.data["x"] == t.x[:, 1]).all() and t.formula == "y ~ x"
    if t.replicate == 4:
        raise ValueError("no such fit")
    inverse = numpy.linalg.inv(t.x.T @ t.x)
    beta = inverse @ (t.x.T @ t.y)
    df = len(t.y) - len(beta)
    s2 = ((t.y - t.x @ beta) ** 2).sum() / df
    return {"estimate": beta, "df": df,
            "std_error": dict(zip(t.terms, (s2 * inverse.diagonal()) ** 0.5)),
            "warnings": "a warning" if t.replicate == 3 else []}

@ensrun.metric
def metric(t):
    return {"mse": ((t.y - t.x @ t.estimate) ** 2).mean(), "off": t.truth[1],
            "n": len(t.data["y"])}

ensrun.serve()
"""


def study(work, program, text, replicates=30, run="", name="model"):
    """A study whose programs are ./model."""
    (work.path / name).write_text(program)
    (work.path / name).chmod(0o755)
    for client in ("ensrun.py", "ensrun.R"):
        shutil.copy(SOURCE / "launch/clients" / client, work.path)
    return work.study(f"[study]\nkind = simulation\n"
                      f"replicates = {replicates}\n[run]\n{run}\n{text}\n")


LM = """[data]
generator = program
run = ./model
columns = y, x
truth = intercept = 1, x = slope
n = 20, 40
slope = 0.5
[fit]
formula = y ~ x
[fit ours]
fitter = ols
[fit theirs]
fitter = program
run = ./model
[metrics]
run = ./model
fields = mse, off, n
"""


GIVEN = """[data]
generator = program
run = ./model
columns = y, x
truth = intercept = 1, x, unknown
meta = outliers, none
n = 20
[fit]
formula = y ~ x
fitter = ols
"""

R_GIVEN = """#!/usr/bin/Rscript
source(file.path(Sys.getenv("ENSRUN_FOLDER"), "ensrun.R"))
generate(function(t) {
  stopifnot(identical(t$truth_names, c("x", "unknown")),
            identical(t$meta_names, c("outliers", "none")))
  if (t$replicate == 3) return(list(data = list(x = 1:3, y = 1:3),
                                    truth = c(z = 1)))
  x <- seq_len(t$values$n)
  list(data = data.frame(x = x, y = 1 + t$replicate * x + 1e-3 * sin(x)),
       test = data.frame(y = 1:5, x = 5:1), truth = c(x = t$replicate),
       meta = c(outliers = t$replicate + 0.5))
})
serve()
"""

PY_GIVEN = """#!/usr/bin/python3
import numpy
import ensrun

@ensrun.generate
def generate(t):
    assert t.truth_names == ["x", "unknown"]
    assert t.meta_names == ["outliers", "none"]
    if t.replicate == 3:
        return {"data": {"x": [1, 2, 3], "y": [1, 2, 3]}, "truth": {"z": 1}}
    x = numpy.arange(1.0, t.values["n"] + 1)
    return {"data": {"x": x, "y": 1 + t.replicate * x + 1e-3 * numpy.sin(x)},
            "test": numpy.array([[1, 5], [2, 4.]]), "warnings": "of mine",
            "truth": numpy.array([t.replicate, numpy.nan]),
            "meta": {"outliers": t.replicate + 0.5}}

ensrun.serve()
"""


def numbers_given(work, program):
    """A data set comes with its truths, numbers and rows to predict."""
    work.run(study(work, program, GIVEN, replicates=4), work.path / "w1",
             expect=SOME_FAILED)
    for row in table(work.path / "w1"):
        if row["replicate"] == "3":
            check('truth of "z": no such name' in row["error"], row)
            continue
        check(row["truth__intercept"] == "1"
              and row["truth__x"] == row["replicate"]
              and float(row["meta__outliers"]) == float(row["replicate"]) + 0.5
              and row["meta__none"] == "" and "truth__unknown" not in row, row)
        check(abs(float(row["estimate__x"]) - float(row["replicate"])) < 1e-3,
              row)
    bias = [c for c in table(work.path / "w1", "cells.csv")
            if (c["estimand"], c["measure"]) == ("x", "bias")]
    check(len(bias) == 1 and abs(float(bias[0]["value"])) < 1e-3, bias)


def given_in_r(work):
    numbers_given(work, R_GIVEN)


def given_in_python(work):
    numbers_given(work, PY_GIVEN)


def programs(run, name=b"model"):
    return [p for p in marked(run.mark)
            if any(w.endswith(name) for w in command_of(p))]


def lm(work, program):
    """The same fits as ours; the same bytes whatever dies."""
    path = study(work, program, LM, replicates=60, run="attempts = 60")
    work.run(path, work.path / "w1", workers=1, expect=SOME_FAILED)
    by = {}
    for row in table(work.path / "w1"):
        by.setdefault((row["data_n"], row["replicate"]), {})[row["fit"]] = row
    for (n, replicate), pair in by.items():
        ours, theirs = pair["ours"], pair["theirs"]
        if replicate == "4":
            check(theirs["status"] == "failed"
                  and theirs["error"].endswith("no such fit"), theirs)
            continue
        check(theirs["status"] == "ok" and theirs["n"] == n
              and theirs["off"] == "0.5", theirs)
        check((replicate == "3") == ("a warning" in theirs["warnings"]),
              theirs)
        for column in [c for c in ours if "__" in c] + ["mse"]:
            a, b = float(ours[column]), float(theirs[column])
            check(abs(a - b) < 1e-9 * max(1, abs(a)), f"{column}: {a} {b}")
    cells = table(work.path / "w1", "cells.csv")
    check({"bias", "coverage"} <= {c["measure"] for c in cells
                                   if c["fit"] == "theirs"}, "measures")
    rng = dice(2)
    for workers in (2, 8):
        results = work.path / f"w{workers}"
        run = work.start_run(path, results, workers=workers)
        kills = 0
        while kills < 6 and run.running:
            found = wait_until(lambda: programs(run) or not run.running, 30,
                               "a program")
            if found is not True:
                kills += kill(rng.choice(found))
        run.wait(120, expect=SOME_FAILED)
        check(kills >= 3, f"only {kills} kills")
        expect_same(results, work.path / "w1", f"{workers} workers, killed")
        run.expect_no_process()


def lm_in_r(work):
    lm(work, R_MODEL)


def lm_in_python(work):
    lm(work, PY_MODEL)


# A program in the standard library alone: LINE of `reply` is its answer.
BARE = """#!/usr/bin/python3 -S
import json, os, struct, sys, time
for line in sys.stdin:
    t = json.loads(line)
    def numbers(*x):
        os.pwrite(4, struct.pack(f"<{len(x)}d", *x), 0)
    def reply(**members):
        print(json.dumps({"task": t["task"], **members}), flush=True)
    %s
"""

GENERATED = """[data]
generator = program
run = ./model
columns = y
[fit]
fitter = ols
formula = y ~ 1
"""

FITTED = """[data]
generator = linear
n = 10
[fit]
fitter = program
run = ./model
terms = a, b
"""

MEASURED = """[data]
generator = linear
n = 10
[fit]
fitter = ols
formula = y ~ x1
[metrics]
run = ./model
fields = a
"""


def bad_answers(work):
    """Each is the failure of its task, with a text that says what."""
    for number, (text, reply, error) in enumerate((
            (GENERATED, "reply()", "rows is no integer"),
            (GENERATED, "reply(rows=0)", "no rows"),
            (GENERATED, "reply(rows=-1)", "rows is -1"),
            (GENERATED, "reply(rows=10**12)", "rows is 1000000000000"),
            (GENERATED, "os.ftruncate(4, 12); reply(rows=5)",
             "12 bytes of numbers in the shared file; 40 expected"),
            (GENERATED, "numbers(1, 2, float('inf')); reply(rows=3)",
             "row 3"),
            (GENERATED, "numbers(1, 2, 4); reply(rows=3, warnings=5)",
             "warnings is no text"),
            (FITTED, "reply()", "estimate of 'a' is not finite"),
            (FITTED, "reply(estimate={'a': 1})",
             "estimate of 'b' is not finite"),
            (FITTED, "reply(estimate={'a': 1, 'b': 2, 'c': 3})",
             'estimate of "c"'),
            (FITTED, "reply(estimate=[1])", "estimate has 1 numbers; 2"),
            (FITTED, "reply(estimate=['x', 1])", "estimate of a is no number"),
            (FITTED, "reply(estimate=7)", "neither an object nor a list"),
            (FITTED, "reply(estimate=[1, 2], df=0)", "df is not above 0"),
            (FITTED, "reply(error='my own text')", "my own text"),
            (FITTED, "print('x', flush=True)", "not one JSON object"),
            (FITTED, "print('{\"task\": 1}', flush=True)", "no \"task\""))):
        path = study(work, BARE % reply, text, replicates=2)
        run = work.run(path, work.path / f"r{number}", expect=SOME_FAILED)
        for row in table(work.path / f"r{number}"):
            check(row["status"] == "failed" and error in row["error"],
                  f"{reply}: {row}")
        run.expect_no_process()


def bad_metrics(work):
    """A metric that fails leaves its column empty and says so."""
    for number, (reply, value, text) in enumerate((
            ("reply(a=0.5)", "0.5", ""), ("reply(a=None)", "", ""),
            ("reply()", "", ""), ("reply(b=1)", "", "b is not among"),
            ("reply(a='x')", "", "a is no number"),
            ("reply(error='so')", "", "so"), ("print()", "", "JSON"))):
        path = study(work, BARE % reply, MEASURED, replicates=2)
        work.run(path, work.path / f"r{number}")
        for row in table(work.path / f"r{number}"):
            check(row["a"] == value and text in row["warnings"],
                  f"{reply}: {row}")


def declared_terms(work):
    """Without a formula; limits from the standard error, or as told."""
    path = study(work, BARE % "reply(estimate=[1, 2], std_error={'a': 0.5},"
                 " conf_low=[None, 1], conf_high=[None, 3])", FITTED)
    work.run(path, work.path / "r")
    row = table(work.path / "r")[0]
    check([round(float(row[f"{part}__{term}"] or "nan"), 6)
           if row[f"{part}__{term}"] else None
           for term in "ab" for part in
           ("estimate", "std_error", "conf_low", "conf_high")] ==
          [1, 0.5, 0.020018, 1.979982, 2, None, 1, 3], row)


def what_a_line_says(work):
    """Text columns, levels, missing values, the model matrix, user's keys."""
    (work.path / "d.csv").write_text("g,y\nb,1\na,2\n,4\nb,8\n")
    path = study(work, BARE % (
        "f = open(t['data']['path'], 'rb').read()\n"
        "    open(os.path.join(os.environ['ENSRUN_FOLDER'], 'said'), 'w')"
        ".write(json.dumps([t, struct.unpack(f'<{len(f) // 8}d', f)]))\n"
        "    reply(estimate=[1, 2])"),
        "[inputs]\nd = d.csv\n[data]\ngenerator = bootstrap\ninput = d\n"
        "[fit]\nfitter = program\nrun = ./model {input.d}\n"
        "formula = y ~ g\nk = 1.5\nword = a b\n", replicates=1)
    work.run(path, work.path / "r", expect=(0, SOME_FAILED))
    said, x = json.loads((work.path / "said").read_text())
    check((said["role"], said["values"], said["level"], said["formula"],
           said["terms"]) == ("fit", {"k": 1.5, "word": "a b"}, 0.95,
                              "y ~ g", ["intercept", "gb"]), said)
    data = said["data"]
    check((data["at"], data["rows"], data["columns"], data["levels"]) ==
          (0, 4, ["g", "y"], {"g": ["a", "b"]}), said)
    pairs = set(zip(map(str, x[:4]), x[4:8]))
    check(pairs <= {("1.0", 1), ("0.0", 2), ("nan", 4), ("1.0", 8)}, x)
    rows = said["x"]["rows"]
    complete = [(g, y) for g, y in zip(x[:4], x[4:8]) if g == g]
    check(rows == len(complete) and said["x"]["at"] == 64, said)
    matrix = x[8:8 + 2 * rows]
    check(list(matrix) == [1.0] * rows + [g for g, _ in complete], x)
    check(list(x[8 + 2 * rows:]) == [y for _, y in complete], x)


def one_that_cannot_start(work):
    """Ends the run, with its words; nothing is lost or left."""
    for program, text in (
            ("#!/usr/bin/python3\nimport no_such_module\n",
             "No module named 'no_such_module'"),
            ("#!/bin/sh\nexit 0\n", "exit status 0"),
            ("#!/bin/sh\necho hello; exec sleep 1000\n", 'line: "hello"')):
        for section in (GENERATED, FITTED, MEASURED):
            path = study(work, program, section)
            run = work.run(path, work.path / "r", "--restart", expect=BAD)
            check("before it read its first line" in run.stderr
                  and text in run.stderr, run.stderr)
            run.expect_no_process()
    path = study(work, BARE % "reply(estimate=[1, 2])", FITTED)
    work.run(path, work.path / "r", "--restart")
    check(count_by(table(work.path / "r"), "status") == {"ok": 30}, "rows")


def death_is_the_workers(work):
    path = study(work, BARE % "if t['replicate'] == 2: os._exit(0)\n"
                 "    reply(estimate=[1, 2])", FITTED, replicates=4,
                 run="attempts = 2")
    work.run(path, work.path / "r", expect=SOME_FAILED)
    check([r["status"] for r in table(work.path / "r")] ==
          ["ok", "crashed", "ok", "ok"], table(work.path / "r"))


def timeouts(work):
    path = study(work, BARE % "time.sleep(1000 * (t['replicate'] == 2))\n"
                 "    numbers(1, 2, 4); reply(rows=3)", GENERATED,
                 replicates=4, run="timeout = 1.5 s")
    run = work.run(path, work.path / "r", expect=SOME_FAILED)
    check([r["status"] for r in table(work.path / "r")] ==
          ["ok", "timeout", "ok", "ok"], table(work.path / "r"))
    run.expect_no_process()


def nothing_is_left(work):
    """A generator that answers and a fitter that hangs: both are gone after
    kill -9 of the coordinator, of the zygote, of a worker."""
    text = GENERATED.replace("fitter = ols", "fitter = program\nrun = ./hang")
    (work.path / "hang").write_text(
        "#!/bin/sh\ntrap '' TERM HUP INT\nread line\nsleep 1000\ntrue\n")
    (work.path / "hang").chmod(0o755)
    path = study(work, BARE % "numbers(1, 2, 4); reply(rows=3)", text)
    for number, victim in enumerate(("pid", "zygote", "worker")):
        run = work.start_run(path, work.path / f"r{number}")
        wait_until(lambda: len(programs(run, b"/hang")) >= 2 and
                   len(programs(run)) >= 2, 30, "both programs of two workers")
        before = set(programs(run) + programs(run, b"/hang"))
        if victim == "pid":
            kill(run.pid)
        elif victim == "zygote":
            kill(run.zygote())
        else:
            for worker in run.workers():
                kill(worker)
        wait_until(lambda: not before & set(marked(run.mark)), 15,
                   f"the programs gone after kill -9 of the {victim}")
        kill(run.pid)
        run.wait()
        run.expect_no_process(15)


def mistakes_are_told(work):
    for text, error in (
            (FITTED.replace("terms = a, b", ""), "formula, or terms"),
            (FITTED + "formula = y ~ x1\n", "give one of them"),
            (FITTED.replace("a, b", "a, a"), "a is given twice"),
            (FITTED.replace("./model", "./absent"), "absent"),
            (FITTED.replace("./model", "no_such_program_x"),
             "no program no_such_program_x"),
            (FITTED.replace("./model", "./model {n}"), "started once"),
            (FITTED.replace("./model", "./model {input.X}"), "no input"),
            (FITTED.replace("./model", "./model 'x"), "quote"),
            (GENERATED.replace("columns = y", ""), "columns: missing"),
            (GENERATED + "[data]\n", "given twice"),
            (GENERATED.replace("columns = y", "columns = y\ntruth = =1"),
             "is not TERM=VALUE"),
            (GENERATED.replace("columns = y", "columns = y\ntruth = a=b"),
             'neither a number nor a key'),
            (GENERATED.replace("y ~ 1", "z ~ 1"), "no column 'z'"),
            (MEASURED.replace("fields = a", ""), "fields: missing"),
            (MEASURED.replace("run = ./model", ""), "only with run"),
            (MEASURED.replace("= a", "= a:text"), "all are numbers"),
            (MEASURED.replace("= a", "= status"), "column of every table")):
        path = study(work, BARE % "pass", text)
        done = work.run(path, work.path / "bad", expect=BAD)
        check(error in done.stderr, f"{error}: {done.stderr}")
        check("program" in error or error == "absent" or
              re.search(r"study\.ini:\d+: \[", done.stderr), done.stderr)
        shutil.rmtree(work.path / "bad", ignore_errors=True)


def the_example(work):
    work.run(SOURCE / "launch/examples/fitters.ini", work.path / "r",
             "--set", "study.replicates=4")
    found = table(work.path / "r")
    check(count_by(found, "status") == {"ok": 24}, found)
    for a, b in zip(found, found[4:]):
        if (a["fit"], b["fit"]) == ("ols", "lm"):
            check(abs(float(a["estimate__x"]) - float(b["estimate__x"]))
                  < 1e-9, f"{a} {b}")


main(lm_in_r, lm_in_python, given_in_r, given_in_python, bad_answers,
     bad_metrics, declared_terms, what_a_line_says, one_that_cannot_start, death_is_the_workers, timeouts,
     nothing_is_left, mistakes_are_told, the_example)
