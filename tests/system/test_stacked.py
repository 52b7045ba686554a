#!/usr/bin/env python3
"""export --artifact: artifacts of all tasks as one array or one table, beside
what numpy makes of the same files."""
import os
import signal
import subprocess

from harness import BAD, ENSRUN, ENVIRONMENT, OK, SOME_FAILED, check, ini, \
    kill, main, table, wait_until

# Debian's Python, which has numpy, does what needs numpy.
PYTHON = "/usr/bin/python3"

# For each shape an array a0.npy, a1.npy ... whose values tell its task;
# replicate 3 fails, replicate 4 leaves none.
LEAVE = """#!/usr/bin/python3
import sys
import numpy as np
r = int(sys.argv[1])
if r == 3:
    sys.exit(1)
for i, (shape, dtype, order) in enumerate(SHAPES if r != 4 else []):
    shape = eval(shape, {"r": r})
    a = np.arange(int(np.prod(shape)), dtype="f8").reshape(shape) + 1000 * r
    a = a.astype(dtype)
    np.save(f"a{i}.npy", np.asfortranarray(a) if order == "F" else a)
    if i == 0:
        a.tofile("a.raw")
        open("note.txt", "w").write("no array")
"""


def results_of(work, *shapes, axes=""):
    path = work.path / "leave"
    path.write_text(LEAVE.replace("SHAPES", repr(shapes)))
    path.chmod(0o755)
    text = work.study(
        f"[study]\nkind = command\nreplicates = 6\n[axes]\n{axes}\n"
        "[command]\nrun = ./leave {replicate}\n"
        "collect_optional = *.npy, a.raw, note.txt\n")
    work.run(text, work.path / "r", expect=SOME_FAILED)
    return work.path / "r"


def python(work, text):
    done = subprocess.run([PYTHON, "-c", "import csv, glob\nimport numpy as np"
                           f"\n{text}"], cwd=work.path, capture_output=True,
                          text=True)
    check(done.returncode == 0, done.stderr)


def export(work, results, *arguments, expect=OK):
    return work.ensrun("export", results, *arguments, expect=expect)


SHAPES = [("(2, 3)", "<f8", "C"), ("(2, 3)", "<f8", "F"), ("(4,)", "<i4", "C"),
          ("()", "<f4", "C"), ("(2, 3, 4)", ">f8", "F"),
          ("(2, 3, 4, 2)", "<i2", "F"), ("(1, 5)", "|u1", "F"),
          ("(3, 2)", "<c16", "F"), ("(0, 3)", "<f8", "C"),
          ("(3, 0)", "<f8", "F"), ("(2,)", "|b1", "C"),
          ("(400, 900)", "<f8", "F"), ("(3, 70000)", "<f4", "C")]


def stacks_as_numpy_does(work):
    results = results_of(work, *SHAPES)
    export(work, results, "--files", "-o", "files")
    test = ""
    for number, (shape, dtype, order) in enumerate(SHAPES):
        run = export(work, results, "--artifact", f"a{number}.npy", "-o",
                     f"a{number}.npy")
        check("4 tasks" in run.stderr and
              "2 tasks without it, 1 of them not ok" in run.stderr, run.stderr)
        join = shape != "()"
        if join:
            export(work, results, "--artifact", f"a{number}.npy", "--join",
                   "-o", f"j{number}.npy")
        test += f"""
names = sorted(glob.glob('files/*/a{number}.npy'))
one = [np.load(n) for n in names]
a = np.load('a{number}.npy')
assert len(one) == 4
assert a.dtype == one[0].dtype == np.dtype('{dtype}'), a.dtype
assert a.shape == (4,) + one[0].shape, a.shape
assert a.flags.c_contiguous and (a == np.stack(one)).all()
rows = list(csv.DictReader(open('a{number}.tasks.csv')))
assert [r['replicate'] for r in rows] == list('1256'), rows
for r, o in zip(rows, one):
    f, n = int(r['first']), int(r['rows'])
    assert n == 1 and (a[f] == o).all()
if {join}:
    j = np.load('j{number}.npy')
    assert (j == np.concatenate(one)).all() and j.dtype == a.dtype
    for r, o in zip(csv.DictReader(open('j{number}.tasks.csv')), one):
        f, n = int(r['first']), int(r['rows'])
        assert n == len(o) and (j[f:f + n] == o).all()
"""
    python(work, test)


def csv_as_numpy_has_it(work):
    results = results_of(
        work, ("(2, 3)", "<f4", "F"), ("(r, 2)", "<i8", "C"),
        ("()", ">f8", "C"), ("(5,)", "|u1", "C"), ("(2, 3, 4)", "<f8", "F"),
        ("(2, r)", "<f8", "C"))
    export(work, results, "--files", "-o", "files")
    test = ""
    for number in range(6):
        export(work, results, "--artifact", f"a{number}.npy", "-o",
               f"a{number}.csv")
        test += f"""
one = [np.load(f'files/c0001_r0000{{i}}/a{number}.npy') for i in (1, 2, 5, 6)]
one = [a.reshape(1, 1) if a.ndim == 0 else a.reshape(len(a), -1) for a in one]
rows = list(csv.reader(open('a{number}.csv')))
width = max(a.shape[1] for a in one)
names = ['value'] if width == 1 else [f'v{{i + 1}}' for i in range(width)]
assert rows[0] == ['task', 'cell', 'replicate', 'row'] + names, rows[0]
at = 1
for r, a in zip('1256', one):
    for i, line in enumerate(a):
        got = rows[at]
        assert (got[0][-1], got[2], got[3]) == (r, r, str(i + 1)), got
        have = np.array(got[4:4 + len(line)], dtype=a.dtype)
        assert (have == line).all(), (have, line)
        assert not any(got[4 + len(line):]), got
        at += 1
assert at == len(rows)
"""
    python(work, test)


def shapes_that_differ(work):
    results = results_of(work, ("(r, 2)", "<f8", "C"),
                         ("(2, r)", "<f8", "F"), ("()", "<f8", "C"))
    run = export(work, results, "--artifact", "a0.npy", "-o", "a.npy",
                 expect=BAD)
    for text in ("f8 (1, 2) in task c0001_r00001",
                 "f8 (2, 2) in task c0001_r00002", "--join", "--to csv"):
        check(text in run.stderr, run.stderr)
    check(not (work.path / "a.npy").exists(), "half an array is left")
    export(work, results, "--artifact", "a0.npy", "-o", "a.npy", "--join")
    python(work, "assert np.load('a.npy').shape == (14, 2)")
    run = export(work, results, "--artifact", "a1.npy", "-o", "w.npy", "--join",
                 expect=BAD)
    check("--join" not in run.stderr and "(2, 5)" not in run.stderr,
          run.stderr)
    run = export(work, results, "--artifact", "a2.npy", "-o", "w.npy", "--join",
                 expect=BAD)
    check("no first axis" in run.stderr, run.stderr)


def what_is_no_array(work):
    results = results_of(work, ("(2, 3)", "<f8", "C"))
    run = export(work, results, "--artifact", "a.raw", expect=BAD)
    check("a.raw of task c0001_r00001: not a .npy array" in run.stderr and
          "--dtype" in run.stderr and "--files" in run.stderr, run.stderr)
    export(work, results, "--artifact", "a.raw", "--dtype", "f8", "-o",
           "raw.npy")
    export(work, results, "--artifact", "a0.npy", "-o", "a.npy")
    python(work, "a = np.load('a.npy')\n"
           "assert (np.load('raw.npy') == a.reshape(4, 6)).all()")
    run = export(work, results, "--artifact", "note.txt", "--dtype", "f4",
                 expect=OK)
    run = export(work, results, "--artifact", "note.txt", "--dtype", "c16",
                 expect=BAD)
    check("8 bytes are no whole number of elements of 16" in run.stderr,
          run.stderr)
    run = export(work, results, "--artifact", "a.npz", expect=BAD)
    check("no task keeps an artifact a.npz; there are: a.raw, a0.npy, note.txt"
          in run.stderr, run.stderr)
    run = export(work, results, "--artifact", "a0.npy", "--where",
                 "status=failed", expect=BAD)
    check("none of the tasks chosen keeps an artifact" in run.stderr,
          run.stderr)


def a_choice_of_tasks(work):
    results = results_of(work, ("(2,)", "<f8", "C"), axes="n = 10, 20")
    run = export(work, results, "--artifact", "a0.npy", "--where", "axes_n=20",
                 "--columns", "axes_n,task", "--head", "5")
    lines = run.stdout.split("\n")
    check(lines[0] == "axes_n,task,row,value" and
          lines[1] == "20,c0002_r00001,1,1000" and len(lines) == 8, lines)
    check("3 tasks, 6 rows; 2 tasks without it" in run.stderr, run.stderr)
    run = export(work, results, "--files", "-o", "out", "--artifact",
                 "note.txt", "--where", "replicate=2")
    found = sorted(str(p.relative_to(work.path / "out"))
                   for p in (work.path / "out").rglob("*.txt"))
    check(found == ["c0001_r00002/note.txt", "c0002_r00002/note.txt"], found)


def usage(work):
    results = results_of(work, ("(2,)", "<f8", "C"))
    for arguments, text in (
            (("--artifact", "a.npy", "--to", "npy"), "npy needs -o FILE"),
            (("--artifact", "a.npy", "--to", "jsonl"), "to npy or csv"),
            (("--artifact", "a.npy", "-o", "a.dat"), "neither .npy nor .csv"),
            (("--artifact", "a.npy", "--join"), "--join is for npy"),
            (("--artifact", "a.npy", "--table", "cells"), "--table does not"),
            (("--artifact", "a.npy", "--dtype", "f9"), "--dtype f9: expected"),
            (("--artifact", "a0.npy", "--where", "z=1"), "no column z"),
            (("--files",), "--files needs -o DIR"),
            (("--files", "-o", "x", "--to", "csv"), "--to does not go with"),
            (("--force",), "--force goes with"),
            (("--dtype", "f8"), "--dtype goes with")):
        run = export(work, results, *arguments, expect=BAD)
        check(text in run.stderr, f"{arguments}: {run.stderr}")
    check(not (work.path / "x").exists(), "made a folder")


def of_other_kinds(work):
    text = work.study(ini("payload_bytes = 1600", "replicates = 50\n"))
    work.run(text, work.path / "s")
    export(work, work.path / "s", "--artifact", "payload", "--dtype", "<u8",
           "-o", "p.npy")
    export(work, work.path / "s", "--files", "-o", "p")
    python(work, "a = np.load('p.npy')\nassert a.shape == (50, 200)\n"
           "names = sorted(glob.glob('p/*/payload'))\n"
           "assert (a == [np.fromfile(n, '<u8') for n in names]).all()")
    text = work.study("[study]\nkind = simulation\nreplicates = 7\n[data]\n"
                      "generator = linear\nn = 12\nintercept = 1\nslope = 1\n"
                      "sigma = 1\n[fit]\nfitter = ols\nformula = y ~ x1\n"
                      "[run]\nretain = debug\n")
    work.run(text, work.path / "sim")
    export(work, work.path / "sim", "--artifact", "fit", "-o", "fit.npy")
    fits = [(float(r["estimate__intercept"]), float(r["estimate__x1"]))
            for r in table(work.path / "sim")]
    python(work, f"a = np.load('fit.npy')\nassert a.shape == (7, 2, 3)\n"
           f"assert (a[:, :, 0] == {fits}).all()\n"
           "assert (a[:, :, 1:] == a[:, :, 1:].transpose(0, 2, 1)).all()")


def memory_and_interrupts(work):
    """Ten arrays of 32 MB in Fortran order, with little memory; a signal at
    any time leaves nothing."""
    path = work.path / "leave"
    path.write_text("#!/usr/bin/python3\nimport numpy as np\n"
                    "a = np.arange(4e6).reshape(4, 1000000)\n"
                    "np.save('a.npy', np.asfortranarray(a.T))\n")
    path.chmod(0o755)
    results = work.path / "r"
    work.run(work.study("[study]\nkind = command\nreplicates = 5\n[command]\n"
                        "run = ./leave\ncollect = a.npy\n"), results)
    before = sorted(os.listdir(work.path))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        run = work.start("export", results, "--artifact", "a.npy", "-o",
                         "a.npy")
        wait_until(lambda: not run.running or written(run.pid) > 1 << 20, 60,
                   "writing")
        check(kill(run.pid, number) and run.wait(expect=-number), "too late")
        check(sorted(os.listdir(work.path)) == before, os.listdir(work.path))
    pid = os.posix_spawn(ENSRUN, [ENSRUN, "export", str(results), "--artifact",
                                  "a.npy", "-o", str(work.path / "a.npy")],
                         os.environ)
    _, status, used = os.wait4(pid, 0)
    check(status == 0 and used.ru_maxrss < 60 * 1024,
          f"status {status}, {used.ru_maxrss} kB")
    python(work, "a = np.load('a.npy', mmap_mode='r')\n"
           "assert a.shape == (5, 1000000, 4)\n"
           "assert (a[4] == np.arange(4e6).reshape(4, 1000000).T).all()")
    run = work.ensrun("export", results, "--artifact", "a.npy", "-o", "a.csv",
                      expect=ENVIRONMENT,
                      env={"ENSRUN_FAULT": "enospc@50000000"})
    check("no space left" in run.stderr.lower(), run.stderr)
    check(not [n for n in os.listdir(work.path) if "csv" in n and
               not n.endswith("tasks.csv")], os.listdir(work.path))


def written(pid):
    """Bytes that a process has written; 0 when it is gone."""
    try:
        with open(f"/proc/{pid}/io", encoding="ascii") as file:
            return int(file.read().split("wchar: ")[1].split()[0])
    except (OSError, IndexError):
        return 0


main(stacks_as_numpy_does, csv_as_numpy_has_it, shapes_that_differ,
     what_is_no_array, a_choice_of_tasks, usage, of_other_kinds,
     memory_and_interrupts)
