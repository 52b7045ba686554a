#!/usr/bin/env python3
"""launch/clients: functions of R and of Python with numpy as persistent
programs, over a mapped input."""
import pathlib
import shutil
import struct

from harness import SOME_FAILED, SOURCE, check, digests, expect_same, kill, \
    main, marked, table, wait_until, command_of

R_MODEL = """#!/usr/bin/Rscript
source(file.path(Sys.getenv("ENSRUN_FOLDER"), "ensrun.R"))
serve(function(t) {
  set.seed(t$seed31)
  x <- rnorm(t$values$n)
  y <- 1 + 2 * x + rnorm(t$values$n)
  print(summary(y))
  if (t$replicate == 3) stop("no such thing")
  if (t$replicate == 5) return(list(slope = 1, both = x))
  if (t$replicate == 6) return(c(1, 2))
  fit <- lm(y ~ x)
  list(slope = coef(fit)[["x"]], n = length(y), pi = pi, none = NA, null = NULL,
       word = t$values$word)
})
"""

NUMPY_MODEL = """#!/usr/bin/python3
import ensrun, numpy

def model(t):
    x = t.input("X")
    assert isinstance(x, numpy.memmap) and not x.flags.writeable
    rows = numpy.random.default_rng(t.seed).integers(len(x), size=len(x))
    return {"mean": x[rows, 1].mean(), "rows": numpy.int64(len(x)),
            "nan": numpy.nan}

ensrun.serve(model)
"""


def study(work, program, client, axes, more=""):
    (work.path / "model").write_text(program)
    (work.path / "model").chmod(0o755)
    shutil.copy(SOURCE / "launch/clients" / client, work.path)
    return work.study(f"[study]\nkind = command\nreplicates = 40\n[axes]\n"
                      f"{axes}\n[command]\nrun = ./model\npersistent = yes\n"
                      f"{more}\n")


def r_function(work):
    path = study(work, R_MODEL, "ensrun.R", 'n = 50, 100\nword = "a \\"b\\" ü"')
    work.run(path, work.path / "w1", workers=1, expect=SOME_FAILED)
    found = table(work.path / "w1")
    check([r["status"] for r in found[:4]] == ["ok", "ok", "failed", "ok"],
          found[:4])
    check(found[2]["error"] == "no such thing", found[2])
    check(found[4]["error"] == "both is not one number or one text", found[4])
    check(found[5]["error"] == "fields without names", found[5])
    row = found[0]
    check((row["n"], row["pi"], row["none"], row["null"], row["word"]) ==
          ("50", "3.141592653589793", "", "", 'a "b" ü'), row)
    check(1 < float(row["slope"]) < 3, row)
    run = work.start_run(path, work.path / "w2", workers=2)
    victim = wait_until(lambda: [p for p in marked(run.mark) if any(
        w.endswith(b"/model") or w.endswith(b"=./model")
        or w.endswith(b"/model\n") for w in command_of(p))] or
        not run.running, 20, "a program")
    if victim is not True:
        kill(victim[0])
    run.wait(60, expect=SOME_FAILED)
    expect_same(work.path / "w2", digests(work.path / "w1"), "2 workers")
    run.expect_no_process()


def numpy_input(work):
    values = [i * i / 7 for i in range(400)]
    head = b"{'descr': '<f8', 'fortran_order': False, 'shape': (200, 2), }"
    head += b" " * (127 - 10 - len(head)) + b"\n"
    pathlib.Path(work.path / "X.npy").write_bytes(
        b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head
        + struct.pack("<400d", *values))
    path = study(work, NUMPY_MODEL, "ensrun.py", "n = 1",
                 "[inputs]\nX = X.npy")
    work.run(path, work.path / "r")
    found = table(work.path / "r")
    check(len({r["mean"] for r in found}) == 40, "means repeat")
    check({(r["rows"], r["nan"]) for r in found} == {("200", "")}, found[0])
    average = sum(float(r["mean"]) for r in found) / 40
    check(abs(average / (sum(values[1::2]) / 200) - 1) < 0.1, average)


main(r_function, numpy_input)
