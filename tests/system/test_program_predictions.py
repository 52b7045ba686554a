#!/usr/bin/python3
"""`ensrun predict` by learners that are programs: to the bit what the program's
own function makes of the same rows, an error when it dies, nothing left behind
whatever ends it."""
import math
import os
import shutil
import signal

import numpy as np

from harness import BAD, ENVIRONMENT, OK, SOME_FAILED, SOURCE, check, \
    children, main, table, wait_until

ROWS, NEW = 3000, 150000  # new rows: three blocks

# One pass over columns in a fixed order: the same bits wherever it runs.
SLOPES = """
def fit_slopes(x, y, shrink):
    return [shrink * math.fsum(x[:, j] * y) / math.fsum(x[:, j] * x[:, j])
            for j in range(x.shape[1])]

def slopes_of(model, x):
    y = numpy.zeros(len(x))
    for j, b in enumerate(model):
        y = y + x[:, j] * b
    return y
"""

PROGRAM = """#!/usr/bin/python3
import math
import os
import signal
import sys
import time
import numpy
import ensrun
""" + SLOPES + """
here = os.environ["ENSRUN_FOLDER"]

def fit(t):
    return fit_slopes(t.x, t.y, t.values.get("shrink", 1))

def predict(model, t):
    what = None
    if os.path.exists(here + "/what"):
        what = open(here + "/what").read()
    open("left_behind", "w").close()
    if what == "kill":
        print("so long", file=sys.stderr)
        sys.stderr.flush()
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "exit":
        raise SystemExit(3)
    if what == "raise":
        raise ValueError("no such prediction")
    if what == "short":
        return numpy.zeros(len(t.x) - 1)
    if what == "hang":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        open(here + "/hangs", "w").close()
        while True:
            time.sleep(1)
    return slopes_of(model, t.x)

ensrun.learner(fit, predict)
ensrun.serve()
"""

own = {"math": math, "numpy": np}
exec(SLOPES, own)  # the test's own copy
fit_slopes, slopes_of = own["fit_slopes"], own["slopes_of"]


def study(work, rows, more="", program=PROGRAM, y="y.npy"):
    rng = np.random.default_rng(11)
    x = rng.normal(size=(ROWS, 3))
    np.save(work.path / "X.npy", x)
    np.save(work.path / "y.npy", x @ [1, -2, 0.5] + rng.normal(size=ROWS))
    np.save(work.path / "new.npy", rng.normal(size=(NEW, 3)))
    shutil.copy(SOURCE / "launch/clients/ensrun.py", work.path)
    (work.path / "model").write_text(program)
    (work.path / "model").chmod(0o755)
    (work.path / "tmp").mkdir(exist_ok=True)
    return work.study("[study]\nkind = superlearner\nseed = 4\n[inputs]\n"
                      f"X = X.npy\ny = {y}\n[superlearner]\nfolds = 3\n"
                      f"{more}\n{rows}")


def load(work, *names):
    return [np.load(work.path / f"{name}.npy") for name in names]


def predict(work, model="s", rows="new.npy", *more, expect=OK):
    """The predictions; of an error what was said. Nothing may be left."""
    out = work.path / "p.npy"
    out.unlink(missing_ok=True)
    done = work.ensrun("predict", model, "--input", rows, "-o", out, *more,
                       expect=expect, env={"TMPDIR": str(work.path / "tmp")})
    nothing_left(work, done)
    if expect != OK:
        check(not out.exists(), "an error left a file")
        return done.stderr
    return np.load(out)


def nothing_left(work, done):
    done.expect_no_process(20)
    left = os.listdir(work.path / "tmp")
    check(not left, f"left behind: {left}")
    check(not list(work.path.glob("p.npy*.tmp*")), "half a file is there")


def same(got, want, text):
    check(got.shape == want.shape, f"{text}: {got.shape}, not {want.shape}")
    check((got == want).all(), f"{text}: {np.abs(got - want).max()} away")


ONE = "[learner a]\nlearner = program\nrun = ./model\n"
AVERAGE = "[meta]\nlearner = average\n"


def to_the_bit(work):
    """Two learners of one program, of which either's model is sent again for
    every block; the run's own predictions are those of the same function."""
    work.run(study(work, ONE + "shrink = 1, 0.75\n" + AVERAGE), "s")
    x, y, new = load(work, "X", "y", "new")
    cells = {row["learner_shrink"]: row["cell"]
             for row in table(work.path / "s")
             if row["task"].startswith("layer1/")}
    for shrink, cell in (("1", cells["1"]), ("0.75", cells["0.75"])):
        found = np.load(work.path / f"s/arrays/predicted1.{cell}.npy").ravel()
        for fold in np.array_split(np.arange(ROWS), 3):
            rest = np.setdiff1d(np.arange(ROWS), fold)
            same(found[fold],
                 slopes_of(fit_slopes(x[rest], y[rest], float(shrink)),
                           x[fold]), "out of fold")
    models = [fit_slopes(x, y, shrink) for shrink in (1, 0.75)]
    for name, rows in (("new", new), ("X", x)):
        first, second = (slopes_of(model, rows) for model in models)
        same(predict(work, "s", f"{name}.npy"), (first + second) / 2, name)
    same(predict(work, "s", "new.npy", "--workers", 3), predict(work),
         "a program in each of 3 workers")
    np.save(work.path / "one.npy", new[5:6])
    same(predict(work, "s", "one.npy"), predict(work)[5:6], "a row alone")
    # the file alone, elsewhere, and X gone: the program is where it was
    (work.path / "away").mkdir()
    shutil.copy(work.path / "s/model.ens", work.path / "away")
    got = predict(work)
    (work.path / "X.npy").unlink()
    same(predict(work, "away/model.ens"), got, "model.ens alone")


def layers_partitions_and_meta(work):
    rows = (ONE + "layer = 1, 2\n[learner flat]\nlearner = mean\n[layer 1]\n"
            "type = subsemble\npartitions = 2\n[meta]\nlearner = program\n"
            "run = ./model\n")
    work.run(study(work, rows), "s")
    x, y, new = load(work, "X", "y", "new")
    halves = (slice(0, ROWS // 2), slice(ROWS // 2, ROWS))

    def layer1(train, rows):
        parts = [np.intersect1d(np.arange(ROWS)[h], train) for h in halves]
        return np.column_stack(
            [slopes_of(fit_slopes(x[h], y[h], 1), rows) for h in parts]
            + [np.full(len(rows), y[h].mean()) for h in parts])

    oof1 = np.zeros((ROWS, 4))
    folds = [np.array_split(np.arange(ROWS)[h], 3) for h in halves]
    for k in range(3):
        fold = np.r_[folds[0][k], folds[1][k]]
        oof1[fold] = layer1(np.setdiff1d(np.arange(ROWS), fold), x[fold])
    oof2 = np.zeros((ROWS, 1))
    for fold in np.array_split(np.arange(ROWS), 3):
        rest = np.setdiff1d(np.arange(ROWS), fold)
        oof2[fold, 0] = slopes_of(fit_slopes(oof1[rest], y[rest], 1),
                                  oof1[fold])
    second = slopes_of(fit_slopes(oof1, y, 1), layer1(np.arange(ROWS), new))
    want = slopes_of(fit_slopes(oof2, y, 1), second[:, None])
    got = predict(work)
    # means of partitions are added in another order than numpy's
    check(np.abs(got - want).max() < 1e-12, np.abs(got - want).max())


SHARES = """#!/usr/bin/python3
import numpy
import ensrun

def predict(model, t):
    return numpy.column_stack([(1 + k) * numpy.abs(t.x[:, 0]) for k in range(3)]
                              ) / (6 * numpy.abs(t.x[:, :1]))

ensrun.learner(lambda t: [t.n_classes, t.family], predict)
ensrun.serve()
"""


def classes(work):
    path = study(work, ONE + AVERAGE, "family = multinomial\nclasses = 3\n",
                 SHARES, "classes.npy")
    np.save(work.path / "classes.npy", np.arange(ROWS) % 3)
    work.run(path, "s")
    new, = load(work, "new")
    one = np.abs(new[:, 0])
    same(predict(work, "s", "new.npy", "--proba"),
         np.column_stack([(1 + k) * one / (6 * one) for k in range(3)]), "")
    check((predict(work) == 2).all(), "the likeliest class")


def what_a_program_does_wrong(work):
    work.run(study(work, ONE + AVERAGE), "s")
    for what, text in (
            ("kill", "learner a of layer 1: ./model: the program died: ended "
             "by signal 9 SIGKILL: so long"),
            ("exit", "learner a of layer 1: ./model: the program died: exit "
             "status 3"),
            ("raise", "learner a of layer 1: ./model: ValueError: no such prediction"),
            ("short", "learner a of layer 1: ./model: ValueError: predictions of shape")):
        (work.path / "what").write_text(what)
        said = predict(work, expect=SOME_FAILED)
        check(text in said, f"{what}: {said}")
        said = predict(work, "s", "new.npy", "--workers", 2, expect=SOME_FAILED)
        check(text in said, f"{what}, 2 workers: {said}")
    (work.path / "what").unlink()
    (work.path / "model").write_text("#!/bin/sh\necho dear me >&2\nexit 4\n")
    said = predict(work, expect=BAD)
    check("./model: the program ended before it read its first line: exit "
          "status 4: dear me" in said, said)
    (work.path / "model").write_text("#!/bin/sh\nread a\necho nonsense\ncat\n")
    said = predict(work, expect=SOME_FAILED)
    check("learner a of layer 1: ./model" in said, said)
    (work.path / "model").unlink()
    said = predict(work, expect=BAD)
    check("learner a of layer 1" in said and "model: No such file" in said,
          said)


def inputs_that_it_names(work):
    work.run(study(work, ONE.replace("./model", "./model {input.X}") +
                   AVERAGE), "s")
    check(len(predict(work)) == NEW, "with X")
    (work.path / "X.npy").rename(work.path / "gone.npy")
    said = predict(work, expect=BAD)
    check("learner a of layer 1" in said and "input X" in said and
          "X.npy: No such file" in said, said)


WARNS = """#!/usr/bin/python3
import json
import sys
for line in sys.stdin:
    t = json.loads(line)
    answer = {"task": t["task"], "warnings": "mind the " + t["role"]}
    if t["role"] == "learn":
        open(t["answer"], "wb").write(b"model")
        answer["bytes"] = 5
    else:
        n = t["x"]["rows"]
        open(t["answer"], "wb").write(bytes(8 * n))
        answer["rows"] = n
    print(json.dumps(answer), flush=True)
"""


def warnings_are_told_once(work):
    work.run(study(work, ONE + MEAN + AVERAGE, program=WARNS), "s")
    done = work.ensrun("predict", "s", "--input", "new.npy")
    check(done.stderr == "ensrun: warning: learner a: mind the predict\n",
          done.stderr)


MEAN = "[learner avg]\nlearner = mean\n"


def start_hanging(work, workers):
    (work.path / "hangs").unlink(missing_ok=True)
    run = work.start("predict", "s", "--input", "new.npy", "-o", "p.npy",
                     "--workers", workers,
                     env={"TMPDIR": str(work.path / "tmp")})
    wait_until(lambda: (work.path / "hangs").exists(), 60, "hangs")
    return run


def stopped_while_it_hangs(work):
    work.run(study(work, ONE + AVERAGE), "s")
    (work.path / "what").write_text("hang")
    for number, workers in ((signal.SIGINT, 1), (signal.SIGTERM, 1),
                            (signal.SIGHUP, 1), (signal.SIGINT, 2),
                            (signal.SIGTERM, 2)):
        run = start_hanging(work, workers)
        os.kill(run.pid, number)
        check(run.wait(30) == -number, "ends by the signal")
        check("stopped" in run.stderr and "died" not in run.stderr, run.stderr)
        nothing_left(work, run)
        check(not (work.path / "p.npy").exists(), "an output")


def a_worker_is_killed(work):
    work.run(study(work, ONE + AVERAGE), "s")
    (work.path / "what").write_text("hang")
    run = start_hanging(work, 2)
    os.kill(children(run.pid)[0], signal.SIGKILL)
    run.wait(30, ENVIRONMENT)
    check("a worker ended by signal 9" in run.stderr, run.stderr)
    nothing_left(work, run)
    check(not (work.path / "p.npy").exists(), "an output")


main(to_the_bit, layers_partitions_and_meta, classes,
     what_a_program_does_wrong, inputs_that_it_names, warnings_are_told_once,
     stopped_while_it_hangs, a_worker_is_killed)
