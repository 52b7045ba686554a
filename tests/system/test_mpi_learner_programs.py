#!/usr/bin/python3
"""Learners that are programs, under mpirun: same bytes as by forked workers,
also on hosts that do not see the results folder; and after kill -9 of the
programs and of a rank."""
import shutil

import mpi
from harness import SOURCE, check, command_of, dice, expect_same, kill, \
    main, marked, wait_until
from stacking import save, study

PYTHON = """#!/usr/bin/python3
import time
import numpy
import ensrun
def fit(t):
    x = numpy.c_[numpy.ones(len(t.x)), t.x]
    time.sleep({pause})
    return numpy.linalg.solve(x.T @ x + numpy.eye(len(x.T)), x.T @ t.y)
ensrun.learner(fit, lambda b, t: b[0] + t.x @ b[1:])
ensrun.serve()
"""
R = """#!/usr/bin/Rscript
source(file.path(Sys.getenv("ENSRUN_FOLDER"), "ensrun.R"))
learner(function(t) lm(y ~ ., data.frame(t$x, y = t$y)),
        function(model, t) predict(model, data.frame(t$x)))
serve()
"""
ROWS = """[case scaled]
preprocess = standardise
[learner mean]
[learner python]
learner = program
run = ./python
layer = 1, 2
[learner scaled]
learner = program
case = scaled
run = ./python
"""
WITH_R = """[learner r]
learner = program
run = ./lm
"""


def prepare(work, rows=ROWS, settings="", pause=0):
    save(work)
    for client in ("ensrun.py", "ensrun.R"):
        shutil.copy(SOURCE / "launch/clients" / client, work.path)
    for name, text in (("python", PYTHON.format(pause=pause)), ("lm", R)):
        (work.path / name).write_text(text)
        (work.path / name).chmod(0o755)
    path = work.study(study(settings, rows))
    work.run(path, work.path / "reference", workers=1)
    return path


def same(work, results, text):
    work.verify(results)
    expect_same(results, work.path / "reference", text)
    model = [(r / "model.ens").read_bytes()
             for r in (results, work.path / "reference")]
    check(model[0] == model[1], f"{text}: another model")


def ranks(work):
    path = prepare(work, ROWS + WITH_R)
    mpi.run(work, path, work.path / "near", ranks=3)
    same(work, work.path / "near", "mpirun -n 3")
    scratch = work.path / "tmp"
    scratch.mkdir()
    mpi.run(work, path, work.path / "far", ranks=3,
            env={"ENSRUN_FAR": "1", "TMPDIR": str(scratch)})
    same(work, work.path / "far", "far ranks")
    check(not list(scratch.iterdir()), "something is left of far ranks")


def shuffled(work):
    path = prepare(work, settings="shuffle = yes\nouter_folds = 2\nfolds = 3")
    mpi.run(work, path, work.path / "r", ranks=3)
    same(work, work.path / "r", "shuffled")


def programs(job):
    return [pid for pid in marked(job.mark)
            if str(command_of(pid)).find("/python") >= 0]


def program_killed(work):
    """It is started again, the fit tried again."""
    path = prepare(work, pause=0.02)
    job = mpi.start_run(work, path, work.path / "r", ranks=3)
    random, n = dice(3), 0
    while n < 2:
        seen = []  # they come and go
        wait_until(lambda: not job.running or seen.extend(programs(job)) or seen,
                   30, "a program")
        check(job.running, "the run ended too early")
        n += kill(random.choice(seen))
    job.wait(60, 0)
    job.expect_no_process(5.0)
    same(work, work.path / "r", "programs killed")


def rank_killed(work):
    path = prepare(work, pause=0.02)
    for rank in (1, 0):
        results = work.path / f"r{rank}"
        job = mpi.start_run(work, path, results, ranks=3)
        wait_until(lambda: programs(job), 30, "a program")
        check(kill(mpi.ranks(job)[rank]), f"rank {rank} was not there")
        job.wait(60)
        job.expect_no_process(10.0)
        mpi.run(work, path, results, ranks=2)
        same(work, results, f"rank {rank} killed")


main(ranks, shuffled, program_killed, rank_killed)
