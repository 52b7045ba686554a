#!/usr/bin/env python3
"""What `ensrun run` takes, says and leaves: which study it means, --only,
retained items, run.json, replaced inputs, progress."""
import json
import os
import pty
import select
import shutil
import struct
import subprocess
import sys
import time

from harness import (BAD, ENSRUN, OK, SOME_FAILED, SOURCE, check,
                     digests, ini, kill, main, table, wait_until)

SMALL = ini("fields = 2\n", "replicates = 20\n")
MIXED = ini("fail_rate = 0.2\n", "seed = 3\nreplicates = 30\n")
ARRAYS = ini("array_rows = 20000\nfail_rate = 0.3\n", "seed = 3\n")
WELLS = """[study]
kind = simulation
replicates = 20
[inputs]
wells = wells.csv
[data]
generator = bootstrap
input = wells
[fit]
fitter = glm
family = binomial
formula = switch ~ arsenic
"""


def ensrun_in(folder, *arguments, expect=OK):
    run = subprocess.run([ENSRUN, *map(str, arguments)], cwd=folder,
                         capture_output=True, text=True, timeout=60)
    check(run.returncode == expect, f"{arguments}: {run.returncode}, "
          f"{run.stderr}")
    return run


def which_study(work):
    """config.ini where none is named; ./NAME for a file named as a command;
    a results folder is resumed."""
    ensrun_in(work.path, "--workers", "8", expect=BAD)
    work.study(SMALL, "config.ini")
    run = ensrun_in(work.path, "--workers", "8")
    check("8 workers" in run.stderr, run.stderr)
    check(len(table(work.path / "results/config")) == 20, "config.ini")
    again = ensrun_in(work.path, "results/config")
    check("was finished already" in again.stderr, again.stderr)
    check("value1" in again.stdout, "a finished study prints its table")
    for name in ("run", "status", "kinds"):
        work.study(SMALL, name)
        ensrun_in(work.path, f"./{name}")
        check(len(table(work.path / "results" / name)) == 20, f"./{name}")
    ensrun_in(work.path, "run", "run", "--results", "r")
    check(len(table(work.path / "r")) == 20, "run run")
    ensrun_in(work.path, "run", "--set", "study.name=other")
    check((work.path / "results/other/tasks.csv").exists(), "run alone")


def only(work):
    """A finished task is run again and compared, nothing is written; exit
    status 0 though other tasks failed."""
    study = work.study(MIXED)
    results = work.path / "r"
    work.run(study, results, expect=SOME_FAILED)
    before = digests(results)
    rows = table(results)
    failed = next(r for r in rows if r["status"] == "failed")
    for row in (rows[0], failed):
        run = work.run(study, results, "--only",
                       f'{row["task"]},{row["cell"][:6]}:{row["replicate"]}')
        check(run.stderr.count("equal to the stored result") == 1, run.stderr)
        check("to go on" not in run.stderr, run.stderr)
    run = work.run(study, results, "--only",
                   ",".join(r["task"] for r in rows), workers=1)
    check(run.stderr.count("equal to the stored result") == 30, run.stderr)
    check(digests(results) == before, "--only wrote tables")
    again = work.run(study, results, expect=SOME_FAILED)
    check("was finished already" in again.stderr, again.stderr)
    part = work.path / "part"
    work.run(study, part, "--only", "c0001_r00004,c0001_r00007")
    check(not (part / "tasks.csv").exists(), "tables while tasks are open")
    said = json.loads(work.ensrun("status", part, "--json").stdout)
    check((said["done"], said["left"]) == (2, 28), f"{said}")
    work.run(study, part, expect=SOME_FAILED)
    check(digests(part) == before, "another result after --only")
    work.run(study, results, "--only", "c0009_r00001", expect=BAD)


def retain(work):
    """Profiles and names of items; a name that no item has is refused."""
    study = work.study(ini("payload_bytes = 100\n", "replicates = 10\n"))
    found = {}
    for word in ("minimal", "standard", "debug", "payload"):
        results = work.path / word
        work.run(study, results, "--set", f"run.retain={word}")
        found[word] = sum(p.stat().st_size
                          for p in (results / "artifacts").iterdir())
        check("all is well" in work.verify(results).stdout, word)
    check(found["minimal"] < 100 < 10 * 100 <= found["standard"], f"{found}")
    check(found["standard"] == found["debug"] == found["payload"], f"{found}")
    for command in ("run", "plan"):
        run = work.ensrun(command, study, "--set", "run.retain=payload,lots",
                          expect=BAD)
        for word in ("lots", "minimal, standard, debug, payload"):
            check(word in run.stderr, run.stderr)
    check(not (work.path / "results").exists(), "a folder was made")


def describes_itself(work):
    """run.json: versions, host, CPU class, fingerprint, totals."""
    study = work.study(MIXED)
    results = work.path / "r"
    report = json.loads(work.run(study, results, "--json",
                                 expect=SOME_FAILED).stdout)
    about = json.loads((results / "run.json").read_text())
    rows = table(results)
    n = sum(r["status"] == "failed" for r in rows)
    check(about["totals"] == {"tasks": 30, "ok": 30 - n, "failed": n,
                              "timeout": 0, "crashed": 0, "left": 0},
          f"{about['totals']}")
    check("study.seed=3" in about["fingerprint"], f"{about['fingerprint']}")
    for name in ("gsl", "openblas", "glibc"):
        check(about["libraries"][name], f"{about['libraries']}")
    check(about["host"] and about["cpu"], "host, CPU class")
    check((report["tasks"], report["failed"], report["exit"]) == (30, n, 1),
          f"{report}")
    check(report["peak_pss_bytes"] > 1 << 20, f"{report}")
    check(all(r["meaning"] for r in table(results, "columns.csv")),
          "columns.csv: a column without meaning")
    timings = table(results, "timings.csv")
    check(len(timings) == 30, "rows of timings.csv")
    check(all(float(r["seconds"]) >= 0 and r["attempts"] == "1"
              for r in timings), f"{timings}")


def tells_its_peaks(work):
    """However short: what the largest worker had, and all together."""
    study = work.study(ini("leak_mb = 30", study="replicates = 2"))
    for transport, workers in (("fork", 2), ("inline", 1)):
        run = work.run(study, f"r-{transport}", "--json", workers=workers,
                       transport=transport)
        report = json.loads(run.stdout)
        own = report["worker_private_bytes"]
        check(29e6 < own < 75e6, f"{transport}: {report}")
        check(own < report["peak_pss_bytes"] < 100e6, f"{report}")
        check(f"peak memory {report['peak_pss_bytes'] / 2**20:.1f} MiB (PSS of"
              f" all processes), {own / 2**20:.1f} MiB private in the largest"
              in run.stderr, run.stderr)


def programs_count(work):
    """Memory of the job is that of programs, too: one that has 60 MiB waits
    until the run says so."""
    (work.path / "big.py").write_text("""
import sys, time
x = bytearray(b"1") * (60 << 20)
end = time.monotonic() + 60
while time.monotonic() < end:
    for line in open(sys.argv[1]).read().split("\\n"):
        if line.startswith("pss_bytes=") and int(line[10:]) > 60 << 20:
            sys.exit(0)
    time.sleep(0.01)
sys.exit(9)
""")
    study = work.study("[study]\nkind = command\nreplicates = 1\n[command]\n"
                       f"run = {sys.executable} {work.path}/big.py "
                       f"{work.path}/r/status\n")
    report = json.loads(work.run(study, "r", "--json").stdout)
    check(report["ok"] == 1, f"{report}")
    check(60 << 20 < report["peak_pss_bytes"] < 120 << 20, f"{report}")


def counts_the_study(work):
    """Tasks that left the study are in no count."""
    study = work.study(MIXED)
    results = work.path / "r"
    work.run(study, results, expect=SOME_FAILED)
    work.run(study, results, "--set", "study.replicates=1")
    about = json.loads((results / "run.json").read_text())
    check((about["totals"]["tasks"], about["totals"]["ok"]) == (1, 1),
          f"{about['totals']}")


def blank_blocks(work):
    """verify: the block of a task that failed holds no value."""
    results = work.path / "r"
    work.run(work.study(ARRAYS), results, expect=SOME_FAILED)
    work.verify(results)
    path = next((results / "arrays").glob("*.npy"))
    data = bytearray(path.read_bytes())
    failed = next(int(r["replicate"]) for r in table(results)
                  if r["status"] == "failed")
    at = len(data) - 8 * 20000 + 8 * 1000 * (failed - 1) + 80
    check(data[at:at + 8] == data[at + 8:at + 16], "not a filled block")
    data[at:at + 8] = struct.pack("<d", 1.5)
    path.write_bytes(data)
    run = work.verify(results, expect=SOME_FAILED)
    check(path.name in run.stderr and f"replicate {failed} " in run.stderr,
          run.stderr)


def replaced_input(work):
    """The same content in another file is the same input; other content is
    refused, and the folder is left as it was."""
    data = work.path / "wells.csv"
    source = SOURCE / "launch/examples/wells.csv"
    shutil.copy(source, data)
    study = work.study(WELLS)
    results = work.path / "r"
    work.run(study, results)
    before = digests(results)
    copy = work.path / "copy"
    shutil.copy(source, copy)
    os.replace(copy, data)
    check("was finished already" in work.run(study, results).stderr, "copy")
    data.write_text(source.read_text().replace("2.36", "2.37", 1))
    run = work.run(study, results, expect=BAD)
    for word in ("wells", "20 finished tasks", "--restart"):
        check(word in run.stderr, f"{word} is not in: {run.stderr}")
    check(digests(results) == before, "tables changed")
    shutil.copy(source, data)
    work.run(study, results, "--set", "study.replicates=30")
    check(len(table(results)) == 30, "more replicates after it was put back")


def changed_settings(work):
    """Each differing setting with its line, what was and is; what it would
    cost; the folder is left as it was; --restart keeps it."""
    results = work.path / "r"
    work.run(work.study(SMALL), results)
    before = digests(results)
    study = work.study(SMALL.replace("replicates", "seed = 9\nreplicates"))
    run = work.run(study, results, expect=BAD)
    for word in ("study.ini:3: study.seed: was 1, now 9",
                 "20 finished tasks", "--restart"):
        check(word in run.stderr, f"{word} is not in: {run.stderr}")
    check(digests(results) == before, "the folder changed")
    work.run(study, results, "--restart")
    check(digests(work.path / "r.1") == before, "r.1 is not the old folder")
    check(table(results)[0]["value1"] != table(work.path / "r.1")[0]["value1"],
          "another seed, the same draws")


def errors_once(work):
    """All errors of a study file, each on one line."""
    study = work.study("[study]\nkind = synthetic\nsed = 1\nreplicates = 0\n"
                       "replicates = 2\n[run]\nworkers = -2\n[rum]\n"
                       "[synthetic]\nfields = x\n")
    lines = work.ensrun(study, expect=BAD).stderr.splitlines()
    places = [line.split(":")[2] for line in lines]
    check(places == ["3", "4", "5", "7", "8", "10"], f"{lines}")


def bar(work):
    """On a terminal one line that is drawn over and gone at the end."""
    study = work.study(ini("sleep_us = 25000\n", "replicates = 100\n"))
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [ENSRUN, study, "--results", work.path / "r", "--workers", "1"],
        stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    text = b""
    end = time.monotonic() + 60
    while select.select([ours], [], [], max(0, end - time.monotonic()))[0]:
        try:
            text += os.read(ours, 65536)
        except OSError:  # the other end was closed
            break
    os.close(ours)
    check(process.wait(10) == OK, f"exit {process.returncode}")
    text = text.decode()
    drawn = [part for part in text.split("\r\x1b[K") if "/100 tasks" in part]
    check(drawn and all("\n" not in part for part in drawn), f"{text!r}")
    check("efficiency" in drawn[-1] and "left" in drawn[-1], f"{drawn}")
    check(text.split("\r\x1b[K")[-1].startswith("study: 100 tasks: 100 ok"),
          f"{text!r}")


def long_tasks(work):
    """Progress names the task that has run longest, after a second."""
    study, results = work.study(ini("sleep_us = 60000000\n")), work.path / "r"
    run = work.start("run", study, "--results", results, "--workers", 1,
                     "--progress", "bar")
    wait_until(lambda: "; c0001_r00001 for " in run.stderr, 60, "named")
    wait_until(lambda: "\ntask=c0001_r00001\ntask_seconds="
               in (results / "status").read_text(), 60, "in the status file")
    kill(run.pid)
    study = work.study(ini("sleep_us = 20000\n", "replicates = 130\n"))
    run = work.ensrun("run", study, "--results", work.path / "short",
                      "--workers", 1, "--progress", "bar")
    check("/130 tasks" in run.stderr and " for " not in run.stderr, run.stderr)


def retain_by_end(work):
    """What a task keeps may depend on how it ends."""
    (work.path / "t.csv").write_text("y,x\n0,1\n1,2\n0,3\n1,4\n")
    study = work.study("""[study]
kind = simulation
replicates = 400
[inputs]
t = t.csv
[data]
generator = bootstrap
input = t
[fit]
fitter = glm
family = binomial
formula = y ~ x
[run]
retain = minimal
retain.warning = fit, warnings
retain.error = data
""")
    results = work.path / "r"
    work.run(study, results, expect=SOME_FAILED)
    before = digests(results)
    ends = {"failed": set(), "warned": set(), "well": set()}
    for row in table(results):
        ends["failed" if row["status"] == "failed" else
             "warned" if row["warnings"] else "well"].add(row["task"])
    check(all(ends.values()), f"{ {k: len(v) for k, v in ends.items()} }")
    for end, keeps in (("failed", {"data"}), ("warned", {"fit"}),
                       ("well", set())):
        task = sorted(ends[end])[0]
        shown = work.ensrun("show", results, task).stdout
        kept = {item for item in ("data", "fit", "draws")
                if f"artifact     {item}:" in shown}
        check(kept == keeps, f"{end}: {kept}")
    again = work.path / "all"
    work.run(study, again, "--set", "run.retain=debug", "--set",
             "run.retain.error=debug", expect=SOME_FAILED)
    check(digests(again) == before, "what is kept changes results")
    run = work.ensrun("run", study, "--set", "run.retain.error=lots",
                      expect=BAD)
    check("retain.error" in run.stderr, run.stderr)


main(which_study, only, retain, retain_by_end, describes_itself,
     tells_its_peaks, programs_count, counts_the_study, blank_blocks,
     replaced_input, changed_settings, errors_once, bar, long_tasks)
