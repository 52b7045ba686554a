#!/usr/bin/env python3
"""Least squares over 100 rows in R (lm) and in numpy: a fitter that stays
beside a program started for every task, in one run. Debian's r-base-core,
r-cran-jsonlite, python3-numpy."""

import os
import shutil

from common import ROOT, Scratch, command, figure, run

STAYS, STARTS = 8000, 30  # tasks
WORKERS = 2

FITTER = """[study]
kind = simulation
replicates = {n}
[data]
generator = linear
n = 100
slope = 1
[fit]
fitter = program
run = ./stays
formula = y ~ x1
"""

COMMAND = """[study]
kind = command
replicates = {n}
[command]
run = ./starts
"""

PROGRAMS = {
    "R": ("""#!/usr/bin/Rscript
source(file.path(Sys.getenv("ENSRUN_FOLDER"), "ensrun.R"))
fit(function(t) {
  s <- coef(summary(lm(t$formula, t$data)))
  list(estimate = s[, 1], std_error = s[, 2])
})
serve()
""", """#!/usr/bin/Rscript
set.seed(as.integer(Sys.getenv("ENSRUN_SEED31")))
x <- rnorm(100)
s <- coef(summary(lm(x + rnorm(100) ~ x)))
cat(sprintf("x=%.17g\\nse=%.17g\\n", s[2, 1], s[2, 2]))
"""),
    "Python": ("""#!/usr/bin/python3
import numpy, ensrun
@ensrun.fit
def fit(t):
    inverse = numpy.linalg.inv(t.x.T @ t.x)
    beta = inverse @ (t.x.T @ t.y)
    s2 = ((t.y - t.x @ beta) ** 2).sum() / (len(t.y) - len(beta))
    return {"estimate": beta, "std_error": (s2 * inverse.diagonal()) ** 0.5}
ensrun.serve()
""", """#!/usr/bin/python3
import os, numpy
rng = numpy.random.default_rng(int(os.environ["ENSRUN_SEED"]))
x = numpy.column_stack((numpy.ones(100), rng.normal(size=100)))
y = x[:, 1] + rng.normal(size=100)
inverse = numpy.linalg.inv(x.T @ x)
beta = inverse @ (x.T @ y)
s2 = ((y - x @ beta) ** 2).sum() / 98
print(f"x={beta[1]}\\nse={(s2 * inverse[1, 1]) ** 0.5}")
"""),
}


def rate(scratch, text, n):
    study = scratch.study(text.format(n=n))
    wall, _, _ = run(command(study, scratch.results(), WORKERS))
    return n / wall


def main():
    for language, programs in PROGRAMS.items():
        with Scratch() as s:
            for name, text in zip(("stays", "starts"), programs):
                path = os.path.join(s.path, name)
                with open(path, "w", encoding="utf-8") as f:
                    f.write(text)
                os.chmod(path, 0o755)
            for client in ("ensrun.R", "ensrun.py"):
                shutil.copy(os.path.join(ROOT, "launch", "clients", client),
                            s.path)
            stays = rate(s, FITTER, STAYS)
            starts = rate(s, COMMAND, STARTS)
        figure(f"least squares in {language}, one that stays, fits per s",
               stays)
        figure("one process per task, fits per s", starts)
        figure("ratio", stays / starts, target=">= 100")


if __name__ == "__main__":
    main()
