"""rstan as a peer: models of posteriordb in stan/, compiled and sampled by
rstan.R."""

import csv
import os
import shutil
import subprocess

from common import ROOT, run

HERE = os.path.join(ROOT, "benchmarks")
REPEATS = 3


def installed():
    rscript = shutil.which("Rscript")
    return rscript is not None and subprocess.run(
        [rscript, "--vanilla", "-e",
         "quit(status = !requireNamespace('rstan', quietly = TRUE))"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        check=False).returncode == 0


def dump(value):
    """A number, a vector or a list of rows, as R writes it."""
    if not isinstance(value, list):
        return repr(value)
    if isinstance(value[0], list):
        flat = ", ".join(repr(v) for column in zip(*value) for v in column)
        return (f"structure(c({flat}), .Dim = c({len(value)}, "
                f"{len(value[0])}))")
    return f"c({', '.join(repr(v) for v in value)})"


def table(path):
    with open(path, encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f))


def measure(s, name, data):
    """Runs (ess, seconds, whole, compiled), and (mean, sd) by parameter."""
    path = os.path.join(s.path, name + ".data.R")
    with open(path, "w", encoding="utf-8") as f:
        f.writelines(f"{k} <- {dump(v)}\n" for k, v in data.items())
    prefix = os.path.join(s.path, name + ".rstan")
    run(["Rscript", "--vanilla", os.path.join(HERE, "rstan.R"),
         os.path.join(HERE, "stan", name + ".stan"), path, str(REPEATS),
         prefix], {"TMPDIR": s.path})
    runs = [{k: float(v) for k, v in row.items()}
            for row in table(prefix + ".runs.csv")]
    return runs, {r["parameter"]: (float(r["mean"]), float(r["sd"]))
                  for r in table(prefix + ".fit.csv")}
