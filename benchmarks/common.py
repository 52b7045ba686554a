"""What the benchmark programs share: running ensrun on a study given as text,
timing it, printing one line per figure. Python's standard library only."""

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ENSRUN = os.environ.get("ENSRUN", os.path.join(ROOT, "build", "ensrun"))


class Scratch:
    """A folder for one benchmark, removed at the end."""

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="ensrun-bench-",
                                     dir=os.environ.get("BENCH_DIR"))
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)

    def study(self, text, name="study"):
        path = os.path.join(self.path, name + ".ini")
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def results(self, name="results"):
        path = os.path.join(self.path, name)
        shutil.rmtree(path, ignore_errors=True)
        return path


def command(study, results, workers, *more):
    return [ENSRUN, "run", study, "--results", results, "--workers",
            str(workers), "--progress", "none", *more]


def run(args, env=None, ok=(0,)):
    """Wall seconds, and CPU seconds of the process and all it waited for."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    done = subprocess.run(args, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False,
                          env=dict(os.environ, **(env or {})))
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in ok:
        sys.exit(f"{' '.join(args)}: exit {done.returncode}\n{done.stderr}")
    cpu = (after.ru_utime + after.ru_stime - before.ru_utime
           - before.ru_stime)
    return wall, cpu, done.stdout


def spread(values):
    v = sorted(values)
    return (f"median {statistics.median(v):.4g} "
            f"(min {v[0]:.4g}, max {v[-1]:.4g}, n {len(v)})")


def figure(name, value, unit="", target=""):
    note = f"   [target {target}]" if target else ""
    print(f"{name:<58} {value:>12.5g} {unit}{note}", flush=True)


def synthetic(replicates, keys, run_keys="", name="bench", inputs=""):
    lines = "\n".join(f"{k} = {v}" for k, v in keys.items())
    return (f"[study]\nkind = synthetic\nname = {name}\nseed = 1\n"
            f"replicates = {replicates}\n\n{inputs}\n[run]\n{run_keys}\n\n"
            f"[synthetic]\n{lines}\n")
