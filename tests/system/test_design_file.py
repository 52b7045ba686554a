#!/usr/bin/env python3
"""grid = @file: the bytes of the crossed form; resumes when the file is gone
or edited; errors name the file."""
import shutil

from harness import BAD, check, digests, expect_same, ini, main, sha256, table

CROSSED = ini("fields = 1, 2, 3\nwork_us = 0, 2.5\ntext_bytes = 3\n",
              "seed = 3\nreplicates = 20\n")
DESIGN = ini("grid = @designs/d.csv\ntext_bytes = 3\n",
             "seed = 3\nreplicates = 20\n")
FULL = "fields,work_us\n1,0\n1,2.5\n2,0\n2,2.5\n3,0\n3,2.50\n"


def design(work, text):
    (work.path / "designs").mkdir(exist_ok=True)
    (work.path / "designs" / "d.csv").write_text(text)


def full_cross(work):
    """The same tables, byte for byte."""
    design(work, FULL)
    work.run(work.study(CROSSED, "a.ini"), work.path / "a")
    work.run(work.study(DESIGN, "b.ini"), work.path / "b", workers=4)
    expect_same(work.path / "b", work.path / "a", "a full cross")
    work.run(work.study(CROSSED, "a.ini"), work.path / "b", "--json")
    expect_same(work.path / "b", work.path / "a", "the other way to write it")


def without_the_file(work):
    """A folder resumes without its design, moved elsewhere too."""
    design(work, FULL)
    study, results = work.study(DESIGN), work.path / "r"
    work.run(study, work.path / "fresh")
    work.run(study, results, "--where", "fields=2")
    shutil.rmtree(work.path / "designs")
    results.rename(work.path / "moved")
    results = work.path / "moved"
    work.ensrun(results, "--progress", "none")
    expect_same(results, work.path / "fresh", "without the design")
    for command in ("status", "show", "verify"):
        work.ensrun(command, results)


def edited(work):
    """New combinations run; those that left stay out of the tables."""
    design(work, FULL)
    study, results = work.study(DESIGN), work.path / "r"
    work.run(study, results)
    before = table(results)
    design(work, "work_us;fields\n2.5;3\n7;1\n")
    # what the folder holds does not change by itself
    work.ensrun(results, "--progress", "none")
    check(table(results) == before, "the folder followed the file")
    run = work.run(study, results, "--json")
    check('"new": 20' in run.stdout, run.stdout)
    rows = table(results)
    check(len(rows) == 40, f"{len(rows)} rows")
    old = {row["cell"]: row for row in before if row["replicate"] == "7"}
    kept = [row for row in rows if row["cell"] in old
            and row["replicate"] == "7"]
    check(len(kept) == 1 and kept[0]["value1"]
          == old[kept[0]["cell"]]["value1"], "a result has changed")
    work.run(study, work.path / "fresh")
    expect_same(results, work.path / "fresh", "edited")


def axes(work):
    """Of kind command: typed by form, each value one word."""
    (work.path / "d.csv").write_text('name,x\n"a b; #c",1\nd,2.5\n')
    study = work.study("[study]\nkind = command\n[axes]\ngrid = @d.csv\n"
                       "y = 1, 2\n[command]\n"
                       "run = /bin/echo n={name}|{x}|{y}\n")
    results = work.path / "r"
    work.run(study, results)
    rows = [(r["axes_name"], r["axes_x"], r["axes_y"], r["n"])
            for r in table(results)]
    check(rows == [("a b; #c", "1", "1", "a b; #c|1|1"),
                   ("a b; #c", "1", "2", "a b; #c|1|2"),
                   ("d", "2.5", "1", "d|2.5|1"),
                   ("d", "2.5", "2", "d|2.5|2")], f"{rows}")
    before = digests(results)
    (work.path / "d.csv").unlink()
    work.ensrun(results, "--progress", "none")
    expect_same(results, before, "without the file")
    sha = sha256(results / "study.ini")
    work.ensrun(results, "--restart", "--progress", "none")
    check(sha256(results / "study.ini") == sha, "study.ini has changed")
    expect_same(results, before, "once more from study.ini")


def wrong(work):
    study = work.study(DESIGN)
    for text, says in (
            (None, "designs/d.csv: cannot open"),
            ("fields\n1\n-2\n", "designs/d.csv:3: fields: -2 is below"),
            ("fields,text_bytes\n1,2\n", "text_bytes: given twice"),
            ("fields,nope\n1,2\n", "nope: is no key of the section"),
            ("fields,work_us\n1\n", "line 2: 1 fields, the header has 2"),
            ("", "is empty")):
        if text is not None:
            design(work, text)
        run = work.ensrun("plan", study, expect=BAD)
        check(says in run.stderr, f"{says}: {run.stderr}")
        check("study.ini:" in run.stderr, run.stderr)


main(full_cross, without_the_file, edited, axes, wrong)
