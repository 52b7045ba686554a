#!/usr/bin/env python3
"""compare: what differs between two tables, by key, and by how much."""
import json
import random

from harness import BAD, OK, SOME_FAILED, check, ini, main

SAME, DIFFER = 0, 1
HEAD = "cell,replicate,x,note\n"


def compare(work, a, b, *arguments, expect):
    for name, text in (("a.csv", a), ("b.csv", b)):
        (work.path / name).write_text(text)
    return work.ensrun("compare", work.path / "a.csv", work.path / "b.csv",
                       *arguments, expect=expect)


def values(work):
    """Pairs of values, a tolerance, and whether they agree."""
    for a, b, tolerance, expect in (
            ("1.5", "1.5", "0", SAME),
            ("1", "1.0", "0", SAME),
            ("1e3", "1000", "0", SAME),
            ("0", "-0", "0", SAME),
            ("nan", "NaN", "0", SAME),
            ("inf", "inf", "0", SAME),
            ("inf", "-inf", "1e300,1e300", DIFFER),
            ("nan", "1", "1e300,1e300", DIFFER),
            ("nan", "", "1e300,1e300", DIFFER),
            ("1", "", "1e300,1e300", DIFFER),
            ("", '""', "0", DIFFER),
            ("a", '"a"', "0", SAME),
            ("a", "b", "1e300,1e300", DIFFER),
            ("a", "a ", "1e300,1e300", DIFFER),
            ("1", "1.0000000001", "0", DIFFER),
            ("1", "1.0000000001", "1e-9", SAME),
            ("1", "1.0000000001", "1e-11", DIFFER),
            ("1", "1.0000000001", "0,1e-9", SAME),
            ("1e-20", "2e-20", "1e-9", DIFFER),
            ("1e-20", "2e-20", "1e-9,1e-15", SAME),
            ("-100", "-101", "0.01", SAME),
            ("0.1", "0.30000000000000004", "0", DIFFER),
            # beyond doubles
            ("18446744073709551615", "18446744073709551614", "0", DIFFER),
            ("18446744073709551615", "18446744073709551614", "1e-18", SAME)):
        compare(work, f"{HEAD}c,1,{a},t\n", f"{HEAD}c,1,{b},t\n",
                "--tolerance", tolerance, expect=expect)
        compare(work, f"{HEAD}c,1,{b},t\n", f"{HEAD}c,1,{a},t\n",
                "--tolerance", tolerance, expect=expect)


def orders(work):
    """Rows in any order, missing on either side; the worst is named."""
    dice = random.Random(5)
    rows = [(f"{k % 7:016x}", k // 7 + 1, k * 0.25, f'say "{k}", or')
            for k in range(5000)]

    def text(rows):
        return HEAD + "".join(f'{c},{r},{x!r},"{t.replace(chr(34), chr(34) * 2)}"\n'
                              for c, r, x, t in rows)

    mixed = rows[:]
    dice.shuffle(mixed)
    compare(work, text(rows), text(mixed), expect=SAME)
    compare(work, text(mixed), text(rows), expect=SAME)
    worse = [(c, r, x + (1e-3 if k % 1000 == 3 else 0) + (k == 2500), t)
             for k, (c, r, x, t) in enumerate(mixed)]
    gone = [row for k, row in enumerate(rows) if k % 100 != 1]
    run = compare(work, text(gone), text(worse), "--json", expect=DIFFER)
    out = json.loads(run.stdout)["table"]
    check((out["rows"], out["only_a"], out["only_b"])
          == (4950, 0, 50), f"{out}")
    kept = {(c, r) for c, r, _, _ in gone}
    n = sum((c, r) in kept for k, (c, r, _, _) in enumerate(worse)
            if k % 1000 == 3 or k == 2500)
    check(out["differ"] == n, f"{out['differ']} differ, not {n}")
    x = next(c for c in out["columns"] if c["column"] == "x")
    true = {(c, r): v for c, r, v, _ in gone}
    rel, key = max((abs(v - true[c, r]) / max(abs(v), abs(true[c, r]), 1e-300),
                    f"{c} {r}") for c, r, v, _ in worse if (c, r) in kept)
    check(x["row"] == key and abs(x["max_rel"] - rel) < 1e-12,
          f"{x} is not {key}: {rel}")
    check(out["worst"] == "x" and x["differ"] == n, f"{out}")
    run = compare(work, text(rows), text(rows[:-3]), expect=DIFFER)
    check("3 rows only in" in run.stdout, run.stdout)
    run = compare(work, text(rows), text(rows[3:]), expect=DIFFER)
    check("3 rows only in" in run.stdout
          and "4997 rows compared" in run.stdout, run.stdout)


def columns(work):
    run = compare(work, "cell,replicate,x\na,1,2\n",
                  "y,replicate,cell\n3,1,a\n", expect=DIFFER)
    check("only in" in run.stdout and " x" in run.stdout, run.stdout)
    compare(work, "cell,replicate,task,x\na,1,c1,2\n",
            "cell,x,replicate,task\na,2,1,c2\n", expect=SAME)
    compare(work, "id,x\na,2\n", "id,x\na,2\n", expect=BAD)
    compare(work, "id,x\na,2\nb,3\n", "x,id\n3,b\n2,a\n", "--key", "id",
            expect=SAME)
    compare(work, "id,x\na,2\n", "id,x\na,2\n", "--key", "nope", expect=BAD)
    compare(work, "cell,replicate,x\r\na,1,2\r\n", "cell,replicate,x\na,1,2",
            expect=SAME)
    compare(work, HEAD, HEAD, expect=SAME)
    compare(work, HEAD, HEAD + "c,1,1,t\n", expect=DIFFER)


def bad_files(work):
    for text in ("", "\n", f'{HEAD}c,1,"2,t\n', f"{HEAD}c,1,2\n",
                 f"{HEAD}c,1,2,t,u\n", f'{HEAD}c,1,"2"x,t\n'):
        run = compare(work, HEAD, text, expect=BAD)
        check("b.csv" in run.stderr, f"{text!r}: {run.stderr}")
    for tolerance in ("x", "-1", "1,", "1,x", "nan", "", "inf"):
        compare(work, HEAD, HEAD, "--tolerance", tolerance, expect=BAD)
    work.ensrun("compare", work.path / "none", work.path / "a.csv", expect=BAD)
    work.ensrun("compare", work.path, work.path / "a.csv", expect=BAD)
    work.ensrun("compare", work.path, work.path, expect=BAD)
    work.ensrun("compare", work.path / "a.csv", expect=BAD)


def folders(work):
    """A run and a run; another seed; more replicates."""
    text = ini("fields = 2, 3\ntext_bytes = 8\nfail_rate = 0.1\n",
               "seed = {}\nreplicates = {}\n")
    for name, seed, n in (("a", 3, 20), ("b", 3, 20), ("c", 4, 20),
                          ("d", 3, 25)):
        work.run(work.study(text.format(seed, n), f"{name}.ini"),
                 work.path / name, expect=(OK, SOME_FAILED))
    a = work.path / "a"
    run = work.ensrun("compare", a, work.path / "b")
    check("40 rows compared by cell,replicate" in run.stdout
          and "they agree" in run.stdout, run.stdout)
    run = work.ensrun("compare", a, work.path / "c", expect=DIFFER)
    check("seed" in run.stdout and "they differ" in run.stdout, run.stdout)
    run = work.ensrun("compare", a, work.path / "d", "--json", expect=DIFFER)
    out = json.loads(run.stdout)
    check(out["tasks"]["only_b"] == 10 and out["tasks"]["differ"] == 0
          and out["cells"]["differ"] > 0 and not out["same"], run.stdout)


main(values, orders, columns, bad_files, folders)
