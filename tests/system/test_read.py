#!/usr/bin/env python3
"""launch/examples/read.py and read.R open every file of a results folder; the
values they read are those that the files hold."""
import csv
import json
import math
import shutil
import struct
import subprocess

from harness import SOME_FAILED, SOURCE, check, ini, main, table

EXAMPLES = SOURCE / "launch/examples"
STUDY = ini("array_rows = 3500\nstages = 2\nfields = 2\ntext_bytes = 20\n"
            "payload_bytes = 64\n"
            "fail_rate = 0.2\ngrid = (work_us, sleep_us), (0, 1), (1.5, 2)\n",
            "seed = 4\n")

# What is asked of both, as one JSON object.
PYTHON = """
import json, read
r = read.read(DIR)
a = [k for k in sorted(r) if k.startswith("arrays/")]
print(json.dumps({
    "files": sorted(r), "rows": len(r["tasks"]),
    "seed": r["tasks"][-1]["seed"], "note": [t["note"] for t in r["tasks"]],
    "value1": [float(t["value1"] or "nan") for t in r["tasks"]],
    "cells": [float(t["value"] or "nan") for t in r["cells"]],
    "columns": [t["name"] for t in r["columns"]],
    "seconds": sum(float(t["seconds"]) for t in r["timings"]),
    "names": [k[7:-4] for k in a],
    "sums": [float(r[k].sum()) for k in a],
    "last": [float(r[k][-1]) for k in a],
    "jsonl": [t["value1"] for t in r["tasks.jsonl"]],
    "npy": [float(v) for v in r["tasks.npy"]["value1"]],
    "payload": [int(v) for v in r["payload.npy"].flat],
    "rows_of_it": [int(t["value"]) for t in r["payload"]],
    "index": [t["cell"] for t in r["payload.tasks"]],
    "tasks": r["run.json"]["totals"]["tasks"],
    "kind": r["study.ini"]["study"]["kind"],
    "stages": r["study.ini"]["synthetic"]["stages"],
    "grid": r["study.ini"]["synthetic"]["grid"],
    "exit": r["status"]["exit"],
    "event": r["log.txt"][0]["event"]}))
"""
R = """
source(file.path(EXAMPLES, "read.R"))
r <- read(DIR)
cat(toJSON(list(
    rows = nrow(r$tasks), seed = tail(r$tasks$seed, 1), note = r$tasks$note,
    value1 = r$tasks$value1, cells = r$cells$value, columns = r$columns$name,
    seconds = sum(r$timings$seconds), names = names(r$arrays),
    sums = sapply(r$arrays, sum, USE.NAMES = FALSE),
    last = sapply(r$arrays, tail, 1, USE.NAMES = FALSE),
    jsonl = r$exported$tasks$value1,
    payload = as.vector(t(r$exported$payload)), rows_of_it = r$payload$value,
    index = r$payload.tasks$cell, tasks = r$run$totals$tasks,
    kind = r$study[["study.kind"]], stages = r$study[["synthetic.stages"]],
    grid = r$study[["synthetic.grid"]],
    exit = r$status[["exit"]], event = sub(".*event=([a-z]+).*", "\\\\1",
    r$log[1])), auto_unbox = TRUE, digits = NA, na = "null"))
"""


def folder(work):
    results = work.path / "r"
    work.run(work.study(STUDY), results, expect=SOME_FAILED)
    for name in ("tasks.jsonl", "tasks.npy"):
        work.ensrun("export", results, "-o", results / name)
    for name in ("payload.npy", "payload.csv"):
        work.ensrun("export", results, "--artifact", "payload", "--dtype",
                    "i4", "-o", results / name)
    return results


def run(command, cwd):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True,
                          timeout=120)
    check(done.returncode == 0, f"{command[0]}: {done.stderr}")
    return done.stdout


def doubles(path):
    """Of an .npy file of one dimension, by hand."""
    data = path.read_bytes()
    head = 10 + struct.unpack("<H", data[8:10])[0]
    return struct.unpack(f"<{(len(data) - head) // 8}d", data[head:])


def close(a, b):
    """Equal to the digits that JSON of R has; missing is None or NaN."""
    a, b = (math.nan if x in (None, "NaN") else float(x) for x in (a, b))
    return math.isnan(a) and math.isnan(b) or \
        math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-12)


def same(found, key, expected):
    check(len(found[key]) == len(expected) and
          all(map(close, found[key], expected)),
          f"{key}: {found[key][:5]} ..., expected {expected[:5]} ...")


def compare(found, results):
    """With what the files hold, read without either of them."""
    rows = table(results)
    arrays = sorted((results / "arrays").glob("*.npy"))
    held = [doubles(p) for p in arrays]
    check(len(arrays) == 4 and len(held[0]) == 3500, f"{arrays}")
    check(found["rows"] == len(rows) > 10, f"rows {found['rows']}")
    check(found["seed"] == rows[-1]["seed"], f"seed {found['seed']}")
    check([n or "" for n in found["note"]] == [r["note"] for r in rows], "note")
    value1 = [float(r["value1"] or "nan") for r in rows]
    check(any(map(math.isnan, value1)), "nothing is missing")
    same(found, "value1", value1)
    same(found, "jsonl", value1)
    kept = [r for r in rows if r["status"] == "ok"]
    words = struct.unpack(f"<{16 * len(kept)}i", (results / "payload.npy")
                          .read_bytes()[-64 * len(kept):])
    same(found, "payload", words)
    same(found, "rows_of_it", words)
    check(found["index"] == [r["cell"] for r in kept], "payload.tasks.csv")
    same(found, "cells", [float(r["value"] or "nan")
                          for r in table(results, "cells.csv")])
    check(found["columns"] == [r["name"] for r in
                               table(results, "columns.csv")], "columns")
    check(close(found["seconds"], sum(float(r["seconds"]) for r in
                                      table(results, "timings.csv"))),
          "seconds")
    check(found["names"] == [p.name[:-4] for p in arrays],
          f"{found['names']}")
    same(found, "last", [a[-1] for a in held])
    same(found, "sums", [math.fsum(a) for a in held])
    run_json = json.loads((results / "run.json").read_text())
    check(found["tasks"] == run_json["totals"]["tasks"], "run.json")
    check((found["kind"], found["stages"]) == ("synthetic", "2"), "study.ini")
    check(" ".join(found["grid"].split())
          == "(work_us, sleep_us), (0, 1), (1.5, 2)", found["grid"])
    check((found["exit"], found["event"]) == ("1", "start"), "status, log")


def python(work):
    results = folder(work)
    text = run(["/usr/bin/python3", "-B", "-c",
                PYTHON.replace("DIR", repr(str(results)))], EXAMPLES)
    found = json.loads(text)
    compare(found, results)
    same(found, "npy", found["value1"])
    there = {str(p.relative_to(results)) for p in results.rglob("*")
             if p.is_file() and p.parent.name not in
             ("journal", "epochs", "checkpoints", "artifacts")}
    opened = {f if f in there else f + ".csv" for f in found["files"]}
    check(opened == there, f"not opened: {sorted(there ^ opened)}")
    text = run(["/usr/bin/python3", "-B", EXAMPLES / "read.py", results],
               work.path)
    check("tasks.npy (" in text and "tasks 16" in text, text)


def r_language(work):
    check(shutil.which("Rscript"), "Rscript is not installed")
    results = folder(work)
    text = run(["Rscript", "-e", R.replace("DIR", json.dumps(str(results)))
                .replace("EXAMPLES", json.dumps(str(EXAMPLES)))], work.path)
    compare(json.loads(text), results)
    text = run(["Rscript", EXAMPLES / "read.R", results], work.path)
    for name in ("tasks", "cells", "columns", "timings", "arrays", "exported",
                 "run", "study", "status", "log"):
        check(f"\n $ {name}" in text, f"{name}: {text}")


def r_arrays(work):
    """Two dimensions, integers beyond 32 bits and negative, missing ones."""
    for code in ("<i8", "<f8", "<i4", "<f4", "|i1", "|u1"):
        path = work.path / "a.npy"
        values = [[1, -2, 3], [2**40, -2**40 - 5, 2**31]] if "8" in code \
            else [[1, 2, 3], [4, 5, 127 if "i" in code else 200]]
        run(["/usr/bin/python3", "-c",
             f"import numpy; numpy.save({str(path)!r}, "
             f"numpy.array({values}, dtype={code!r}))"], work.path)
        text = run(["Rscript", "-e",
                    f'source({json.dumps(str(EXAMPLES / "read.R"))}); '
                    f'cat(toJSON(read_npy({json.dumps(str(path))}), '
                    f'digits = NA))'], work.path)
        check(json.loads(text) == values, f"{code}: {text}")


def r_tables(work):
    """Text that looks like a number in places, T and NA as words."""
    path = work.path / "t.csv"
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([
            ["cell", "seed", "a", "b", "c", "d"],
            ["0012345678901234", "18446744073709551615", "1", "T", "inf", ""],
            ["12e4", "7", "x", "NA", "-2.5", ""]])
    text = run(["Rscript", "-e",
                f'source({json.dumps(str(EXAMPLES / "read.R"))}); '
                f't <- read_table({json.dumps(str(path))}); '
                f'stopifnot(identical(t$cell, c("0012345678901234", "12e4")), '
                f'identical(t$seed[1], "18446744073709551615"), '
                f'identical(t$a, c("1", "x")), identical(t$b, c("T", "NA")), '
                f'identical(t$c, c(Inf, -2.5)), all(is.na(t$d))); cat("ok")'],
               work.path)
    check(text == "ok", text)


main(python, r_language, r_arrays, r_tables)
