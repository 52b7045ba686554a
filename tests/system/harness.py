"""Helpers of the system tests: run the program, find and kill its processes,
compare results folders. Standard library only.

Environment, set by CTest: ENSRUN (the program), BUILD (folder of the build),
SOURCE (the repository)."""
import csv
import hashlib
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCE = pathlib.Path(os.environ.get("SOURCE", ROOT))
BUILD = pathlib.Path(os.environ.get("BUILD", ROOT / "build"))
ENSRUN = os.environ.get("ENSRUN", str(BUILD / "ensrun"))

OK, SOME_FAILED, BAD, ENVIRONMENT, REQUEUE = 0, 1, 2, 3, 85
SKIP = 77  # CTest shows it as skipped
TABLES = ("tasks.csv", "cells.csv", "columns.csv")

# Every process of a run inherits this: that is how leftovers are found.
MARK = "ENSRUN_TEST_MARK"


class Failure(Exception):
    """What a test expected and did not find."""


def check(condition, text):
    if not condition:
        raise Failure(text)


def tail(data, n=2000):
    text = data if isinstance(data, str) else data.decode(errors="replace")
    return text[-n:]


def wait_until(condition, seconds, text, pause=0.002):
    """Poll until condition() is true; its value."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failure(f"after {seconds} s: not {text}")
        time.sleep(pause)


def skip(text):
    """Shown as skipped; in CI nothing may be missing."""
    print(f"skipped: {text}")
    sys.exit(1 if os.environ.get("CI") else SKIP)


def need_namespaces():
    """Tests that stand one host for several."""
    if subprocess.run(["unshare", "--map-root-user", "--mount", "--pid",
                       "--fork", "--mount-proc", "true"],
                      capture_output=True, check=False).returncode != 0:
        skip("no user namespaces here")


# -- processes ---------------------------------------------------------------

def stat_of(pid):
    """(parent, state) of a process; None when it is gone."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text[text.rindex(")") + 2:].split()
    return int(fields[1]), fields[0]


def children(pid):
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            stat = stat_of(name)
            if stat and stat[0] == pid and stat[1] not in "ZX":
                found.append(int(name))
    return found


def marked(mark):
    """Live processes that inherited the mark."""
    want = f"{MARK}={mark}".encode()
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            environ = pathlib.Path(f"/proc/{name}/environ").read_bytes()
        except (OSError, ProcessLookupError):
            continue
        stat = stat_of(name)
        if want in environ.split(b"\0") and stat and stat[1] not in "ZX":
            found.append(int(name))
    return found


def command_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ProcessLookupError):
        return []


def kill(pid, number=signal.SIGKILL):
    """1 when there was a process to signal."""
    try:
        os.kill(pid, number)
        return 1
    except ProcessLookupError:
        return 0


class Run:
    """One run of the program in the background."""

    def __init__(self, arguments, env, cwd, program=None):
        self.mark = uuid.uuid4().hex
        self.out = tempfile.TemporaryFile()
        self.err = tempfile.TemporaryFile()
        self.start = time.monotonic()
        self.process = subprocess.Popen(
            [program or ENSRUN, *map(str, arguments)], cwd=cwd,
            stdin=subprocess.DEVNULL, stdout=self.out, stderr=self.err,
            env={**os.environ, **env, MARK: self.mark},
            start_new_session=True)
        self.pid = self.process.pid

    @property
    def running(self):
        return self.process.poll() is None

    def zygote(self):
        """Its pid, or 0."""
        for pid in children(self.pid):
            if b"--zygote" in command_of(pid):
                return pid
        return 0

    def workers(self):
        zygote = self.zygote()
        return children(zygote) if zygote else []

    def text(self, file):
        file.seek(0)
        return file.read().decode(errors="replace")

    @property
    def stdout(self):
        return self.text(self.out)

    @property
    def stderr(self):
        return self.text(self.err)

    def wait(self, seconds=120, expect=None):
        """Exit code (negative: the signal)."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            for pid in marked(self.mark):
                kill(pid)
            self.process.wait()
            raise Failure(f"still running after {seconds} s: "
                          f"{self.process.args}\n{tail(self.stderr)}") from None
        if expect is not None and code not in (
                expect if isinstance(expect, tuple) else (expect,)):
            raise Failure(f"exit code {code}, expected {expect}: "
                          f"{' '.join(self.process.args)}\n"
                          f"{tail(self.stdout)}{tail(self.stderr)}")
        return code

    def expect_no_process(self, seconds=1.0):
        """Nothing of the run may be left after that long."""
        self.process.poll()
        wait_until(lambda: not marked(self.mark), seconds,
                   "all processes of the run gone: "
                   f"{[(p, command_of(p)) for p in marked(self.mark)]}")

    def close(self):
        for pid in marked(self.mark):
            kill(pid)
        if self.running:
            self.process.wait()
        self.out.close()
        self.err.close()


# -- a test's folder ---------------------------------------------------------

class Work:
    """A temporary folder with studies and results; with Work() as work."""

    def __enter__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="ensrun-test-"))
        self.shm = set(os.listdir("/dev/shm"))
        self.runs = []
        return self

    def __exit__(self, kind, value, trace):
        for run in self.runs:
            run.close()
        if kind is not None and os.environ.get("ENSRUN_TEST_KEEP"):
            print(f"kept: {self.path}")
        else:
            shutil.rmtree(self.path, ignore_errors=True)

    def study(self, text, name="study.ini"):
        path = self.path / name
        path.write_text(text)
        return path

    def start(self, *arguments, env=None, program=None):
        run = Run(arguments, env or {}, self.path, program)
        self.runs.append(run)
        return run

    def ensrun(self, *arguments, expect=OK, env=None, seconds=120):
        """Run to the end; the Run, whose exit code must be as expected."""
        run = self.start(*arguments, env=env)
        run.code = run.wait(seconds, expect)
        return run

    def run(self, study, results, *arguments, workers=2, transport="fork",
            expect=OK, env=None, seconds=120):
        return self.ensrun(*run_arguments(study, results, *arguments,
                                          workers=workers,
                                          transport=transport),
                           expect=expect, env=env, seconds=seconds)

    def start_run(self, study, results, *arguments, workers=2,
                  transport="fork", env=None):
        return self.start(*run_arguments(study, results, *arguments,
                                         workers=workers,
                                         transport=transport), env=env)

    def verify(self, results, expect=OK):
        return self.ensrun("verify", results, expect=expect)

    def expect_no_shm(self):
        left = set(os.listdir("/dev/shm")) - self.shm
        check(not left, f"left in /dev/shm: {sorted(left)}")


def run_arguments(study, results, *arguments, workers=2, transport="fork"):
    return ["run", study, "--results", results, "--workers", workers,
            "--transport", transport, "--progress", "none", *arguments]


# -- results -----------------------------------------------------------------

def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def digests(results):
    """What promise 2 speaks of: name -> sha256."""
    results = pathlib.Path(results)
    files = [results / name for name in TABLES]
    files += sorted(f for f in results.glob("*.csv")  # those of its kind
                    if f.name not in (*TABLES, "timings.csv"))
    files += sorted((results / "arrays").glob("*.npy"))
    return {f.relative_to(results).as_posix(): sha256(f) for f in files}


def expect_same(results, reference, text):
    """reference: a results folder, or its digests."""
    if not isinstance(reference, dict):
        reference = digests(reference)
    found = digests(results)
    differ = sorted(name for name in found.keys() | reference.keys()
                    if found.get(name) != reference.get(name))
    check(not differ, f"{text}: {', '.join(differ)} differ"
          + (first_difference(results, differ[0]) if differ else ""))


def first_difference(results, name):
    path = pathlib.Path(results) / name
    if not path.is_file():
        return f" ({name} is missing in {results})"
    return f" ({path}: {path.stat().st_size} bytes)"


def table(results, name="tasks.csv"):
    with open(pathlib.Path(results) / name, newline="",
              encoding="utf-8") as file:
        return list(csv.DictReader(file))


def count_by(rows, key):
    counts = {}
    for row in rows:
        counts[row[key]] = counts.get(row[key], 0) + 1
    return counts


def ini(synthetic, study="", run="", more=""):
    """A study of kind synthetic from the lines of its sections."""
    return (f"[study]\nkind = synthetic\n{study}\n[run]\n{run}\n"
            f"[synthetic]\n{synthetic}\n{more}\n")


def predict(seed, cell, n, stage="stage1", fail=0, crash=0, abort=0, hang=0):
    """replicate -> fate of those that will not be ok."""
    lines = subprocess.run(
        [BUILD / "predict_synthetic", str(seed), cell, stage, str(n),
         *map(str, (fail, crash, abort, hang))],
        check=True, capture_output=True, text=True).stdout.split("\n")
    return {int(a): b for a, b in (line.split() for line in lines if line)}


def main(*tests):
    """Run tests (functions of a Work); print a line for each."""
    wanted = sys.argv[1:]
    failed = 0
    for test in tests:
        if wanted and test.__name__ not in wanted:
            continue
        start = time.monotonic()
        try:
            with Work() as work:
                test(work)
            text = "ok"
        except Failure as failure:
            failed += 1
            text = f"FAILED: {failure}"
        print(f"{test.__name__}: {text} "
              f"({time.monotonic() - start:.1f} s)", flush=True)
    sys.exit(1 if failed else 0)


def dice(seed):
    """Random moments: the same in every run of a test."""
    return random.Random(seed)
