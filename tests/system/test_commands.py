#!/usr/bin/env python3
"""What plan, show, export, status, verify, checkpoints and kinds print."""
import csv
import io
import json
import pathlib

from harness import BAD, SOME_FAILED, check, ini, main, table

STUDY = ini("fields = 2, 3\ntext_bytes = 12\nfail_rate = 0.2\n",
            "seed = 3\nreplicates = 10\n")
ARRAYS = ini("array_rows = 3000, 2500\npayload_bytes = 300\nstages = 2\n",
             "seed = 3\n")


def lines(run):
    return run.stdout.splitlines()


def exports(work):
    """Every format has the rows of tasks.csv."""
    results = work.path / "r"
    work.run(work.study(STUDY), results, expect=SOME_FAILED)
    written = (results / "tasks.csv").read_text()
    check(work.ensrun("export", results).stdout == written, "csv to stdout")
    work.ensrun("export", results, "-o", work.path / "t.csv")
    check((work.path / "t.csv").read_text() == written, "csv to a file")
    rows = table(results)
    out = [json.loads(line) for line in
           lines(work.ensrun("export", results, "--to", "jsonl"))]
    check(len(out) == len(rows) == 20, f"{len(out)} rows of jsonl")
    for a, b in zip(out, rows):
        check(a.keys() == b.keys(), f"keys of jsonl: {sorted(a)}")
        for key, text in b.items():
            check(a[key] is None if text == "" else
                  (a[key] == text if isinstance(a[key], str)
                   else float(a[key]) == float(text)),
                  f"{key}: {a[key]!r} is not {text!r}")
    failures = list(csv.DictReader(io.StringIO(
        work.ensrun("export", results, "--table", "failures").stdout)))
    check([r["task"] for r in failures]
          == [r["task"] for r in rows if r["status"] != "ok"], "failures")
    head = work.ensrun("export", results, "--columns", "status,task",
                       "--where", "status=failed", "--head", "1")
    check(lines(head)[0] == "status,task" and len(lines(head)) == 2,
          head.stdout)
    work.ensrun("export", results, "--to", "npy", "-o", work.path / "t.npy")
    data = (work.path / "t.npy").read_bytes()
    check(data[:6] == b"\x93NUMPY" and b"'shape': (20,)" in data[:2000], "npy")
    work.ensrun("export", results, "--to", "xls", expect=BAD)
    work.ensrun("export", results, "-o", work.path / "t.xls", expect=BAD)
    work.ensrun("export", results, "--table", "task", expect=BAD)
    work.ensrun("export", results, "--columns", "nope", expect=BAD)
    check(not (work.path / "t.xls").exists(), "t.xls was begun")


def shows(work):
    results = work.path / "r"
    work.run(work.study(STUDY), results, expect=SOME_FAILED)
    rows = table(results)
    failed = next(r for r in rows if r["status"] == "failed")
    ok = next(r for r in rows if r["status"] == "ok")
    names = (ok["task"], f'{ok["cell"]}:{ok["replicate"]}',
             f'stage1/{ok["cell"]}:{ok["replicate"]}',
             f'{ok["cell"][:8]}:{ok["replicate"]}')
    texts = {work.ensrun("show", results, name).stdout for name in names}
    check(len(texts) == 1, f"one task under {names}: {texts}")
    text = texts.pop()
    for word in (ok["seed"], ok["value1"], ok["note"], "stage1/" + ok["cell"]):
        check(word in text, f"{word} is not in {text}")
    check(failed["error"] in work.ensrun("show", results,
                                         failed["task"]).stdout, "its error")
    for bad in ("nope", "0:1", f'{ok["cell"]}:0', f'{ok["cell"]}:11',
                f'nope/{ok["cell"]}:1', ":1"):
        work.ensrun("show", results, bad, expect=BAD)
    shown = lines(work.ensrun("show", results, "tasks", "--head", "3",
                              "--columns", "task,status"))
    check([x.split() for x in shown] == [["task", "status"]]
          + [[r["task"], r["status"]] for r in rows[:3]], f"{shown}")
    cells = lines(work.ensrun("show", results, "cells"))
    check(cells[0].split()[0] == "cell" and len(cells) > 4, f"{cells}")


def wide(work):
    """Measures side by side: the values of cells.csv, cut by their errors."""
    results = work.path / "r"
    work.run(work.study(STUDY), results, expect=SOME_FAILED)
    tidy = list(csv.DictReader(open(results / "cells.csv")))
    shown = lines(work.ensrun("show", results))
    check(shown[0].split() == ["cell", "synthetic_fields", "estimand", "mean",
                               "sd", "n_used", "n_missing"], shown[0])
    rows = [x.replace("(", "").replace(")", "").split()
            for x in shown[1:shown.index("")]]
    check(len(rows) == len(tidy) / 2 == 5, f"{len(rows)} rows")
    check(max(map(len, shown)) <= 100, "wider than 100")
    for row, mean, sd in zip(rows, tidy[::2], tidy[1::2]):
        check(mean["cell"].startswith(row[0]) and row[2] == mean["estimand"],
              f"{row} {mean}")
        for told, have in ((row[3:5], mean), (row[5:7], sd)):
            value, mcse = float(have["value"]), float(have["mcse"])
            check(abs(float(told[0]) - value) <= mcse / 10, f"{row} {have}")
            check(abs(float(told[1]) - mcse) <= mcse / 10, f"{row} {have}")
        check(row[7:] == [mean["n_used"], mean["n_missing"]], f"{row}")
    head = work.ensrun("show", results, "--head", "1")
    check(len(lines(head)) == 2 + 2, head.stdout)
    check("first 1 rows" in head.stderr, head.stderr)
    one = lines(work.ensrun("show", results, "--where", "synthetic_fields=3"))
    check(len(one) == 3 + 3, f"{one}")
    tidy = work.ensrun("show", results, "--columns", "measure,value")
    check(lines(tidy)[0].split() == ["measure", "value"], tidy.stdout)


def no_value(work):
    """A cell without a task that is ok has a row, without figures."""
    results = work.path / "r"
    study = work.study(ini("fail_rate = 1, 0\n", "replicates = 3\n"))
    work.run(study, results, expect=SOME_FAILED)
    shown = lines(work.ensrun("show", results))
    check(shown[1].split()[1:] == ["1", "value1", "0", "3"], f"{shown}")
    check(len(shown[2].split()) == 9, f"{shown}")
    none = work.path / "none"
    work.run(study, none, "--set", "synthetic.fail_rate=1", expect=SOME_FAILED)
    run = work.ensrun("show", none)
    check(run.stdout == "" and "show DIR failures" in run.stderr, f"{run}")


def any_digits(work):
    """Small, large and exact figures."""
    results = work.path / "r"
    study = work.path / "study.ini"
    study.write_text("""[study]
kind = simulation
replicates = 40
[data]
n = 30
generator = linear
intercept = 1e12
slope = 1e-15
sigma = 0, 1e-18
[fit]
fitter = ols
formula = y ~ x1
""")
    work.run(study, results)
    for line in lines(work.ensrun("show", results))[1:]:
        check("nan" not in line and "-0 " not in line, line)


def replayed(work):
    """A task run again and compared leaves nothing to go on with."""
    results = work.path / "r"
    study = work.study(ini("fields = 2\n", "replicates = 5\n"))
    work.run(study, results)
    run = work.run(study, results, "--only", table(results)[0]["task"],
                   "--progress", "lines")
    check("equal to the stored result" in run.stderr, run.stderr)
    check("go on" not in run.stderr, run.stderr)


def counts(work):
    results = work.path / "r"
    work.run(work.study(STUDY), results, expect=SOME_FAILED)
    said = json.loads(work.ensrun("status", results, "--json").stdout)
    n = sum(r["status"] == "failed" for r in table(results))
    check((said["tasks"], said["done"], said["failed"], said["ok"],
           said["left"]) == (20, 20, n, 20 - n, 0), f"{said}")
    check(said["state"] == "finished", said["state"])
    check("finished" in work.ensrun("status", results).stdout, "state")
    empty = work.path / "empty"
    empty.mkdir()
    for command in ("status", "show", "export", "verify", "checkpoints"):
        for folder in (empty, work.path / "absent", work.path / "study.ini"):
            run = work.ensrun(command, folder, expect=BAD)
            check(run.stderr.startswith("ensrun: "), run.stderr)
            check(run.stdout == "", run.stdout)


def plans(work):
    out = work.ensrun("plan", work.study(STUDY)).stdout
    for word in ("cells    2", "tasks    20", "value1", "note"):
        check(word in out, f"{word} is not in {out}")
    out = work.ensrun("plan", work.study(STUDY), "--set",
                      "study.replicates=7").stdout
    check("tasks    14" in out, out)
    check(not (work.path / "results").exists(), "plan made a folder")
    run = work.ensrun("plan", work.study(ini("feilds = 2\nwork_us = x\n")),
                      expect=BAD)
    check("feilds" in run.stderr and "work_us" in run.stderr, run.stderr)
    check(len(run.stderr.splitlines()) == 2, f"said twice: {run.stderr}")
    run = work.ensrun("plan", work.study(ini("fields = 2\nfields = 3\n")),
                      expect=BAD)
    check(len(run.stderr.splitlines()) == 1 and "twice" in run.stderr,
          run.stderr)


def flip(path, offset):
    data = bytearray(path.read_bytes())
    data[offset] ^= 1
    path.write_bytes(data)


def finds_damage(work):
    """A bit flipped anywhere that counts is found, and the file is named."""
    results = work.path / "r"
    work.run(work.study(ARRAYS), results)
    check("all is well" in work.verify(results).stdout, "verify")
    files = [sorted((results / "arrays").glob("*.npy"))[0],
             sorted((results / "artifacts").iterdir())[0],
             sorted((results / "journal").iterdir())[0]]
    for path in files:
        size = path.stat().st_size
        # arrays: not in the header; packs: in the first artifact
        first = 200 if path.suffix == ".npy" else 0
        last = 299 if path.suffix == ".pack" else size - 1
        for offset in (first, (first + last) // 2, last):
            flip(path, offset)
            run = work.verify(results, expect=1)
            check(path.name in run.stderr, f"{path.name} at {offset}: "
                  f"{run.stderr}")
            flip(path, offset)
    work.verify(results)
    files[0].unlink()
    check(files[0].name in work.verify(results, expect=1).stderr, "array gone")


def checkpoints(work):
    results = work.path / "r"
    work.run(work.study(STUDY), results, expect=SOME_FAILED)
    n = len(list((results / "checkpoints").glob("*.ckpt")))
    listed = lines(work.ensrun("checkpoints", results))
    check(len(listed) == (n + 1 if n else 0), f"{n} files: {listed}")
    work.ensrun("checkpoints", results, "--keep", "0")
    check(not list((results / "checkpoints").glob("*.ckpt")), "--keep 0")
    work.ensrun("checkpoints", results, "--keep", "x", expect=BAD)


def helps(work):
    out = work.ensrun("--help").stdout
    commands = [line.split()[0] for line in out.splitlines()
                if line.startswith("  ") and not line.startswith("   ")]
    for command in commands:
        text = work.ensrun(command, "--help").stdout
        check(text.startswith(f"usage: ensrun {command}"), text)
    check(pathlib.Path(work.path / "results").exists() is False, "help ran")
    check("did you mean status" in
          work.ensrun("staus", expect=BAD).stderr, "staus")
    check("synthetic" in work.ensrun("kinds").stdout, "kinds")
    for part, word in (("retain", "1.6 MB"), ("ols", "delivers estimates"),
                       ("metrics", "rejection(alpha)"), ("linear", "slope"),
                       ("crps", "metric = crps")):
        said = work.ensrun("kinds", "simulation", part).stdout
        check(word in said, f"{part}: {said}")
    check("no such section" in
          work.ensrun("kinds", "simulation", "nut", expect=BAD).stderr, "nut")
    check("did you mean synthetic" in
          work.ensrun("kinds", "sinthetic", expect=BAD).stderr, "sinthetic")


main(exports, shows, wide, no_value, any_digits, replayed, counts, plans,
     finds_damage, checkpoints, helps)
