#!/usr/bin/python3
"""A full disk: exit 3 with a clear message; after space is freed the run
resumes and gives the same bytes. Mounts a small tmpfs, so it needs root or
user namespaces."""
import os
import shutil
import subprocess
import sys

import stacking
from harness import ENVIRONMENT, check, digests, expect_same, ini, main, skip

STUDY = ini("work_us = 200\npayload_bytes = 20000\nfields = 3\n",
            "seed = 21\nreplicates = 400\n",
            "commit_every = 20\ncommit_seconds = 0.05\ndisk_wait = 1\n")
ARRAYS = ini("array_rows = 2000000\nfields = 1\n", "seed = 22\n",
             "disk_wait = 1\n")


def mount(path, size, *options):
    path.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o",
                    ",".join((f"size={size}", *options)), "tmpfs", path],
                   check=True, capture_output=True)


def full_while_running(work):
    study = work.study(STUDY)
    work.run(study, work.path / "plenty")
    small = work.path / "small"
    mount(small, "3m")
    try:
        results = small / "r"
        run = work.run(study, results, expect=ENVIRONMENT)
        check("no space left" in run.stderr.lower(),
              f"message: {run.stderr}")
        check("small" in run.stderr, f"no path in: {run.stderr}")
        run.expect_no_process(1.0)
        # again, still full: nothing acknowledged is lost
        work.run(study, results, expect=ENVIRONMENT)
        work.verify(results)
        subprocess.run(["mount", "-o", "remount,size=64m", small], check=True)
        work.run(study, results)
        work.verify(results)
        expect_same(results, digests(work.path / "plenty"),
                    "after space was freed")
    finally:
        subprocess.run(["umount", "-l", small], check=True)


def full_from_the_start(work):
    """Arrays are allocated when created: an error before any task."""
    study = work.study(ARRAYS)
    small = work.path / "small"
    mount(small, "8m")
    try:
        run = work.run(study, small / "r", expect=ENVIRONMENT)
        check("no space left" in run.stderr.lower(),
              f"message: {run.stderr}")
    finally:
        subprocess.run(["umount", "-l", small], check=True)


def full_at_any_stage(work):
    """A super learner, whose stages make and remove arrays, with less room
    than the journal is extended by: whatever is full, the run goes on when
    there is space, to the same bytes."""
    stacking.save(work, n=3000)
    study = work.study(stacking.study(
        "shuffle = yes\nouter_folds = 2\nfolds = 3",
        "[learner mean]\n[learner ols]\nlayer = 1, 2\n[learner boost]\n"
        "rounds = 10\n", run="disk_wait = 0.1"))
    work.run(study, work.path / "plenty")
    reference = digests(work.path / "plenty")
    room = sum(f.stat().st_size for f in (work.path / "plenty").rglob("*")
               if f.is_file())
    for share in (0.2, 0.5, 0.8, 0.95):
        small = work.path / f"small{share}"
        mount(small, int(share * room))
        try:
            run = work.run(study, small / "r", expect=ENVIRONMENT)
            check("no space left" in run.stderr.lower(), run.stderr)
            work.run(study, small / "r", expect=ENVIRONMENT)
            subprocess.run(["mount", "-o", "remount,size=64m", small],
                           check=True)
            work.run(study, small / "r")
            work.verify(small / "r")
            expect_same(small / "r", reference, f"{share} of the room")
        finally:
            subprocess.run(["umount", "-l", small], check=True)


def full_while_converting(work):
    """No half file; a cache that is full is done without."""
    rows = "".join(f"{i},{i * 0.37},x{i % 7}\n" for i in range(50000))
    (work.path / "t.csv").write_text("a,b,c\n" + rows * 4)
    study = work.study(ini("fields = 1", "seed = 2\nreplicates = 10",
                           more="[inputs]\nX = t.csv"))
    work.run(study, work.path / "plenty")
    work.ensrun("convert", "t.csv", "t.npy", "--columns", "a,b")
    small = work.path / "small"
    mount(small, "2m")
    try:
        for source, name in (("t.csv", "o.npy"), ("t.csv", "o.csv"),
                             ("t.npy", "o.npz"), ("t.npy", "o.raw"),
                             ("t.npy", "o.csv"), ("t.npy", "o.mtx")):
            options = ["--columns", "a,b"] if source == "t.csv" else []
            run = work.ensrun("convert", source, small / name, *options,
                              expect=ENVIRONMENT)
            check("no space left" in run.stderr.lower()
                  and "small" in run.stderr, run.stderr)
            check(os.listdir(small) == [], f"left: {os.listdir(small)}")
        work.run(study, work.path / "full", env={"ENSRUN_CACHE": str(small)})
        expect_same(work.path / "full", digests(work.path / "plenty"),
                    "a cache without room")
    finally:
        subprocess.run(["umount", "-l", small], check=True)


def can_mount():
    """Whether we may mount; else start again in a user namespace."""
    probe = os.path.join(os.environ.get("TMPDIR", "/tmp"),
                         f"ensrun-probe-{os.getpid()}")
    os.mkdir(probe)
    try:
        done = subprocess.run(["mount", "-t", "tmpfs", "tmpfs", probe],
                              capture_output=True)
        if done.returncode == 0:
            subprocess.run(["umount", probe], check=True)
            return True
    finally:
        shutil.rmtree(probe)
    if os.environ.get("ENSRUN_TEST_UNSHARED") is None and subprocess.run(
            ["unshare", "-Urm", "true"], capture_output=True).returncode == 0:
        os.environ["ENSRUN_TEST_UNSHARED"] = "1"
        os.execvp("unshare", ["unshare", "-Urm", sys.executable, *sys.argv])
    return False


if not can_mount():
    skip("neither root nor user namespaces: cannot mount a small tmpfs")
main(full_while_running, full_from_the_start, full_at_any_stage,
     full_while_converting)
