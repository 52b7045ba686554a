#!/usr/bin/env python3
"""Kind command, persistent = yes: one program per worker, a line per task."""
import json
import shutil
import struct

from harness import BAD, SOME_FAILED, SOURCE, check, count_by, dice, digests, \
    expect_same, kill, main, marked, table, wait_until, command_of

# Standard library only: no input, no numpy.
MODEL = """#!/usr/bin/python3
import os, random, signal, sys, time
import ensrun

def model(t):
    random.seed(t.seed)
    what = t.values.get("what", "")
    if what == "raise" and t.replicate == 2:
        print("printed")
        raise ValueError("no such thing")
    if what == "die" and t.replicate == 2:
        os.kill(os.getpid(), signal.SIGSEGV)
    if what == "exit" and t.replicate == 2:
        os._exit(0)
    if what == "hang" and t.replicate == 2:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(1000)
    time.sleep(t.values.get("sleep", 0))
    return {"x": random.random(), "n": t.values["n"], "nan": float("nan")}

ensrun.serve(model)
"""


def study(work, program=MODEL, axes="n = 1, 2.5", study="", run="", more=""):
    (work.path / "model").write_text(program)
    (work.path / "model").chmod(0o755)
    shutil.copy(SOURCE / "launch/clients/ensrun.py", work.path)
    return work.study(f"[study]\nkind = command\n{study}\n[axes]\n{axes}\n"
                      f"[command]\nrun = ./model\npersistent = yes\n"
                      f"[run]\n{run}\n{more}\n")


def same_bytes(work):
    path = study(work, study="replicates = 200")
    work.run(path, work.path / "w1", workers=1)
    found = table(work.path / "w1")
    check(len(set(r["x"] for r in found)) == 400, "draws repeat")
    check(count_by(found, "n") == {"1": 200, "2.5": 200}, "values")
    check(count_by(found, "nan") == {"": 400}, "nan is missing")
    for workers in (2, 8):
        run = work.run(path, work.path / f"w{workers}", workers=workers)
        run.expect_no_process()
        expect_same(work.path / f"w{workers}", digests(work.path / "w1"),
                    f"{workers} workers")


def programs(run):
    return [p for p in marked(run.mark)
            if any(w.endswith(b"/model") for w in command_of(p))]


def killed_at_random(work):
    """Programs die of SIGKILL; no task and no byte is lost."""
    path = study(work, axes="n = 1\nsleep = 0.01", study="replicates = 300",
                 run="attempts = 20")
    work.run(path, work.path / "quiet")
    run = work.start_run(path, work.path / "r")
    rng = dice(1)
    n_killed = 0
    for _ in range(8):
        found = wait_until(lambda: programs(run) or not run.running, 20,
                           "a program")
        if found is True:
            break
        n_killed += kill(rng.choice(found))
    run.wait(100, expect=0)
    check(n_killed >= 4, f"only {n_killed} kills")
    expect_same(work.path / "r", work.path / "quiet", "after kills")
    run.expect_no_process()


def ends_of_a_task(work):
    for what, status, error in (
            ("raise", "failed", "ValueError: no such thing"),
            ("die", "crashed", "SIGSEGV"), ("exit", "crashed", "SIGABRT"),
            ("hang", "timeout", "")):
        path = study(work, axes=f"n = 1\nwhat = {what}",
                     study="replicates = 4",
                     run="timeout = 1.5 s\nattempts = 2")
        results = work.path / what
        run = work.run(path, results, expect=SOME_FAILED)
        run.expect_no_process()
        found = table(results)
        check([r["status"] for r in found] == ["ok", status, "ok", "ok"],
              f"{what}: {found}")
        check(error in found[1]["error"], f"{what}: {found[1]}")
    row = table(work.path / "raise")[1]
    check(row["warnings"].startswith("stderr: ") and
          "printed" in row["warnings"], row)


def one_that_cannot_start(work):
    """Is no task's fault: the run ends with its words."""
    path = study(work, "#!/usr/bin/python3\nimport no_such_module\n")
    run = work.run(path, work.path / "r", expect=BAD)
    check("before it read its first line: exit status 1: "
          "ModuleNotFoundError: No module named 'no_such_module'"
          in run.stderr, run.stderr)
    run.expect_no_process()
    path = study(work)
    work.run(path, work.path / "r")
    check(count_by(table(work.path / "r"), "status") == {"ok": 2}, "rows")


def bad_answers(work):
    for number, (answer, error) in enumerate((
            ("print('{')", "output: not one JSON object"),
            ("print('{}')", "output: the answer to task"),
            ("print('{\"task\": \"a\"}')", "output: the answer to task"),
            ("sys.stdout.write(ok + ok)", "output: one line expected"),
            ("sys.stdout.write(ok.replace('}', ', \"error\": \"so\"}'))",
             "so"),
            ("sys.stdout.write(ok.replace('}', ', \"error\": 5}'))",
             "output: error is no text"),
            ("print('x' * 2000000)", "output: more than 1048576 bytes"))):
        path = study(work, "#!/usr/bin/python3 -S\nimport sys, json\n"
                     "for line in sys.stdin:\n"
                     "    ok = json.dumps({'task': json.loads(line)['task']})"
                     " + '\\n'\n"
                     f"    {answer}\n"
                     "    sys.stdout.flush()\n", axes="n = 1",
                     study="replicates = 3")
        run = work.run(path, work.path / f"r{number}", expect=SOME_FAILED)
        for row in table(work.path / f"r{number}"):
            check(row["status"] == "failed" and
                  row["error"].startswith(error), f"{answer}: {row}")
        run.expect_no_process()


def what_it_leaves_ends(work):
    """Daemons out of its group that ignore TERM, while it stays itself."""
    path = study(work, "#!/usr/bin/python3 -S\nimport sys, json, os\n"
                 "for line in sys.stdin:\n"
                 "    os.system(\"setsid sh -c 'trap \\\"\\\" TERM HUP;\"\n"
                 "              \" sleep 1000; true' >&2 &\")\n"
                 "    print(json.dumps({'task': json.loads(line)['task']}),\n"
                 "          flush=True)\n", study="replicates = 3")
    run = work.run(path, work.path / "r", seconds=60)
    check(count_by(table(work.path / "r"), "status") == {"ok": 6}, "rows")
    run.expect_no_process()


def what_a_line_says(work):
    data = struct.pack("<6d", *range(6))
    head = b"{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2), }"
    head += b" " * (127 - 10 - len(head)) + b"\n"
    (work.path / "X.npy").write_bytes(
        b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + data)
    path = study(work, "#!/usr/bin/python3 -S\nimport sys, json\n"
                 "for line in sys.stdin:\n"
                 "    print(json.dumps({'task': json.loads(line)['task'],\n"
                 "                      'line': line}), flush=True)\n",
                 axes='n = 1\ntext = "a \\"b\\" \\\\ ü"\nbig = inf, 1e300',
                 more="[inputs]\nX = X.npy\n")
    work.run(path, work.path / "r")
    row = table(work.path / "r")[1]
    said = json.loads(row["line"])
    check(said == {"role": "task", "task": row["cell"] + ":1", "replicate": 1,
                   "seed": row["seed"], "seed31": int(row["seed"]) >> 33,
                   "values": {"n": 1, "text": 'a "b" \\ ü', "big": 1e300},
                   "inputs": {"X": {"path": str(work.path / "X.npy"),
                                    "rows": 3, "columns": 2, "dtype": "<f8",
                                    "shape": [3, 2]}}}, said)


def a_value_in_the_line_of_words(work):
    path = study(work)
    path.write_text(path.read_text().replace("./model", "./model {n}"))
    done = work.run(path, work.path / "r", expect=BAD)
    check("started once" in done.stderr, done.stderr)


main(same_bytes, killed_at_random, ends_of_a_task, one_that_cannot_start,
     bad_answers, what_it_leaves_ends, what_a_line_says,
     a_value_in_the_line_of_words)
