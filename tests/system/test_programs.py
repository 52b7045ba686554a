#!/usr/bin/env python3
"""Kind command: any program per task. What it is given, what it prints, how
it ends, what it leaves behind."""
import csv
import io
import os

from harness import BAD, OK, SOME_FAILED, SOURCE, check, count_by, digests, \
    expect_same, kill, main, marked, table, wait_until


def study(work, run, study="", axes="", command="", more="", runs=""):
    """A study of one command line."""
    return work.study(f"[study]\nkind = command\n{study}\n[axes]\n{axes}\n"
                      f"[command]\nrun = {run}\n{command}\n[run]\n{runs}\n"
                      f"{more}\n")


def python(work, name, text):
    """A program beside the study: a script."""
    path = work.path / name
    path.write_text("#!/usr/bin/python3 -S\n" + text)
    path.chmod(0o755)


def rows(work, run, expect=OK, results="r", **keys):
    """The task table of a study of one command line."""
    work.run(study(work, run, **keys), work.path / results, expect=expect)
    return table(work.path / results)


def one(work, run, expect=OK, **keys):
    """The only row of a study of one task, in a folder of its own."""
    name = f"one{len(os.listdir(work.path))}"
    return rows(work, run, expect, results=name, **keys)[0]


def no_output(work):
    found = rows(work, "/bin/true", study="replicates = 20")
    check(count_by(found, "status") == {"ok": 20}, found)
    check(not (work.path / "r" / "work").exists(), "the work folder is left")


def key_value_lines(work):
    found = rows(work, "printf 'x=%s\\ny=%s\\nz=hello there\\n' {n} {b}",
                 axes='n = 1, 2\nb = 0.5, "a \'b\' $c"')
    check([(r["axes_n"], r["x"], r["y"], r["z"]) for r in found] ==
          [(n, n, b, "hello there") for n in "12"
           for b in ("0.5", "a 'b' $c")], found)


def json_object(work):
    row = one(work, "echo '{{\"a\": 1, \"b\": 0.5, \"c\": \"t\", \"d\": null}'")
    check((row["a"], row["b"], row["c"], row["d"]) == ("1", "0.5", "t", ""),
          row)


def shell_line(work):
    row = one(work, "echo a=$(echo {t} | tr b-c x-y) && echo n=$ENSRUN_AXIS_n",
              command="shell = yes", axes='t = "b\'c d"\nn = 7')
    check((row["a"], row["n"]) == ("x'y d", "7"), row)


def what_it_is_given(work):
    python(work, "tell", "import os, sys\n"
           "for k in ('TASK', 'SEED', 'SEED31', 'REPLICATE', 'AXIS_n',\n"
           "          'INPUT_X', 'FOLDER'):\n"
           "    print(f'{k}={os.environ[\"ENSRUN_\" + k]}')\n"
           "print('threads=' + os.environ['OMP_NUM_THREADS'])\n"
           "print('argv=' + ' '.join(sys.argv[1:]))\n"
           "print('input=' + repr(sys.stdin.read()))\n"
           "print('files=' + str(len(os.listdir('/proc/self/fd'))))\n"
           "print('ignored=' + [l for l in open('/proc/self/status')\n"
           "                    if l.startswith('SigIgn')][0].split()[1])\n")
    (work.path / "x.csv").write_text("a\n1\n")
    row = one(work, "./tell {task} {seed} {replicate} {n} {input.X} ./tell",
              axes="n = 5", runs="cores = 3", more="[inputs]\nX = x.csv\n")
    path = str(work.path / "x.csv")
    task = row["cell"] + ":1"
    check(row["argv"] == f"{task} {row['seed']} 1 5 {path} "
          f"{work.path}/tell", row)
    check((row["TASK"], row["SEED"], row["REPLICATE"], row["AXIS_n"],
           row["INPUT_X"], row["FOLDER"], row["threads"]) ==
          (task, row["seed"], "1", "5", path, str(work.path), "3"), row)
    check(int(row["SEED31"]) == int(row["seed"]) >> 33, row)
    check((row["input"], row["files"]) == ("''", "4"), row)
    # Python itself ignores SIGPIPE and SIGXFSZ, posix_spawn 32 and 33
    check(int(row["ignored"], 16) & ~0x181001000 == 0, row)


def declared_fields(work):
    row = one(work, "printf 'b=2\\nc=3\\n'", command="fields = a, b:int, c:text")
    check((row["a"], row["b"], row["c"]) == ("", "2", "3"), row)
    row = one(work, "/bin/true", command="fields = a")
    check((row["status"], row["a"]) == ("ok", ""), row)
    row = one(work, "echo z=1", SOME_FAILED, command="fields = a")
    check(row["error"] == "output: z is not among the declared fields", row)


def changing_fields(work):
    found = rows(work, "echo v{replicate}=1", study="replicates = 3")
    check([[r[f"v{k}"] for k in (1, 2, 3)] for r in found] ==
          [["1", "", ""], ["", "1", ""], ["", "", "1"]], found)


# program -> the error of its task
BAD_ENDS = {
    "exit 3": "exit status 3",
    "echo a=1; echo first >&2; echo 'no such thing' >&2; exit 4":
        "exit status 4: no such thing",
    "kill -SEGV $$": "ended by signal 11 SIGSEGV",
    "echo oh >&2; kill -9 $$": "ended by signal 9 SIGKILL: oh",
    "echo starting": 'output, line 1: neither key=value nor JSON: "starting"',
    "printf 'a=1\\nb'": 'output, line 2: neither key=value nor JSON: "b"',
    "printf 'a=\\377\\n'":
        "output, line 1: byte 0xff at place 3 is not UTF-8 text",
    "head -c 20000000 /dev/zero": "output: more than 1048576 bytes",
    "head -c 3000000 /dev/zero >&2; printf '\\377end' >&2; exit 1":
        "exit status 1: ",
}


def bad_ends(work):
    for number, (line, error) in enumerate(BAD_ENDS.items()):
        row = rows(work, line.replace("{", "{{"), SOME_FAILED, f"bad{number}",
                   command="shell = yes")[0]
        check(row["status"] == "failed" and row["error"].startswith(error),
              f"{line}: {row}")
        if "first" in line:
            check(row["warnings"] == "stderr: first\nno such thing", row)
        if "\\377end" in line:
            check(row["error"].endswith("?end"), row["error"][-20:])


def a_gigabyte_of_output(work):
    row = one(work, "head -c 1000000000 /dev/zero", SOME_FAILED)
    check(row["error"] == "output: more than 1048576 bytes", row)


def stderr_of_success_is_not_kept(work):
    row = one(work, "echo x=1; echo loud >&2", command="shell = yes")
    check((row["status"], row["x"], row["warnings"]) == ("ok", "1", ""), row)


def cores_divide_the_workers(work):
    """As many workers as tasks of that many cores fit, at least one."""
    path = study(work, "printf 'x=%s' $OMP_NUM_THREADS",
                 command="shell = yes", runs=f"cores = {os.cpu_count() + 1}")
    run = work.ensrun("run", path, "--results", work.path / "r",
                      "--progress", "lines")
    check(", 1 worker," in run.stderr + run.stdout, run.stderr + run.stdout)
    check(table(work.path / "r")[0]["x"] == str(os.cpu_count() + 1), "x")


def odd_but_fine(work):
    row = one(work, "printf 'a=nan\\nb=1.5\\nc='", command="shell = yes")
    check((row["status"], row["a"], row["b"], row["c"]) ==
          ("ok", "", "1.5", ""), row)
    row = one(work, "echo '{{\"a\": NaN}'", SOME_FAILED)
    check(row["error"].startswith("output: not one JSON object"), row)


def working_folder(work):
    """Its own and empty, whatever the task before left there."""
    found = rows(work, "echo n=$(ls -A | wc -l); mkdir -p a/b; touch a/b/c d; "
                 "ln -s /etc e; test -d $TMPDIR/a || exit 1",
                 command="shell = yes", study="replicates = 30")
    check([r["n"] for r in found] == ["0"] * 30, found)
    check(os.path.isdir("/etc"), "a link was followed")
    check(not (work.path / "r" / "work").exists(), "the work folder is left")


def same_bytes(work):
    python(work, "draw", "import os, random\n"
           "random.seed(int(os.environ['ENSRUN_SEED']))\n"
           "x = random.random()\n"
           "if x < 0.2:\n    raise SystemExit(f'too small: {x}')\n"
           "print(f'x={x}')\nif x < 0.5: print('small=yes')\n")
    path = study(work, "./draw", study="replicates = 30", axes="n = 1:3")
    work.run(path, work.path / "w1", workers=1, expect=SOME_FAILED)
    check(set(count_by(table(work.path / "w1"), "status")) ==
          {"ok", "failed"}, "both outcomes")
    reference = digests(work.path / "w1")
    for workers in (2, 8):
        results = work.path / f"w{workers}"
        work.run(path, results, workers=workers, expect=SOME_FAILED)
        expect_same(results, reference, f"{workers} workers")
    work.run(path, work.path / "in", transport="inline", expect=SOME_FAILED)
    expect_same(work.path / "in", reference, "inline")


def an_edit_runs_new_tasks_only(work):
    work.run(study(work, "echo x={n}", axes="n = 1, 2"), work.path / "r")
    run = work.run(study(work, "echo x={n}", axes="n = 2, 3"),
                   work.path / "r", "--progress", "lines")
    check("1 now" in run.stderr + run.stdout, run.stderr + run.stdout)
    check([r["x"] for r in table(work.path / "r")] == ["2", "3"], "rows")
    work.run(study(work, "echo x=1{n}", axes="n = 2, 3"), work.path / "r")
    check([r["x"] for r in table(work.path / "r")] == ["12", "13"],
          "a changed command line is another cell")


def daemons_end(work):
    """In its group, out of it, holding the pipe open: all are gone, and
    nobody waits for them."""
    path = study(work, "sleep 1000 & setsid sleep 1000 & "
                 "setsid sh -c 'trap \"\" TERM HUP; sleep 1000; true' & "
                 "echo x=1", command="shell = yes", study="replicates = 10")
    run = work.run(path, work.path / "r", seconds=60)
    check(count_by(table(work.path / "r"), "x") == {"1": 10}, "rows")
    run.expect_no_process()


def timeouts_are_not_argued_with(work):
    path = study(work, "trap '' TERM INT HUP; sleep 1000 & sleep 1000; true",
                 command="shell = yes", runs="timeout = 0.3 s",
                 study="replicates = 2")
    run = work.run(path, work.path / "r", expect=SOME_FAILED, seconds=60)
    check(count_by(table(work.path / "r"), "status") == {"timeout": 2},
          "rows")
    run.expect_no_process()


def hanging(work):
    """A run whose tasks all hang, and two of its programs."""
    path = study(work, "echo $$ > {dir}/pid{replicate}; trap '' TERM HUP; "
                 "sleep 1000; true", command="shell = yes",
                 axes=f"dir = {work.path}", study="replicates = 4")
    run = work.start_run(path, work.path / "r")
    pids = [int(wait_until(lambda f=work.path / f"pid{k}":
                           f.exists() and f.read_text(), 20, "a program"))
            for k in (1, 2)]
    check(set(pids) <= set(marked(run.mark)), f"{pids} are not of the run")
    return run, pids


def a_killed_worker_takes_its_program_along(work):
    run, pids = hanging(work)
    for pid in run.workers():
        kill(pid)
    wait_until(lambda: not set(pids) & set(marked(run.mark)), 10,
               "the programs gone")
    check(run.running, "the run goes on")
    kill(run.pid)
    run.wait()
    run.expect_no_process(10)


def a_killed_coordinator_leaves_nothing(work):
    run, _ = hanging(work)
    kill(run.pid)
    run.wait()
    run.expect_no_process(10)


def a_killed_zygote_leaves_no_daemon(work):
    """Programs that left their group and their parent go on with nobody."""
    python(work, "daemon", "import os, pathlib, signal, time\n"
           "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
           "if os.fork() == 0:\n"
           "    os.setsid()\n"
           "    if os.fork() == 0:\n"
           "        os.setsid()\n"
           f"        here = pathlib.Path('{work.path}')\n"
           "        (here / f'd{os.getpid()}').touch()\n"
           "        time.sleep(1000)\n"
           "    os._exit(0)\n"
           "time.sleep(1000)\n")
    run = work.start_run(study(work, "./daemon", study="replicates = 2"),
                         work.path / "r", workers=2)
    wait_until(lambda: len([*work.path.glob("d[0-9]*")]) >= 2, 20, "daemons")
    first = {int(p.name[1:]) for p in work.path.glob("d[0-9]*")}
    check(first <= set(marked(run.mark)), f"{first} are not of the run")
    kill(run.zygote())
    wait_until(lambda: not first & set(marked(run.mark)), 10, "they are gone")
    check(run.running, "the run goes on")
    kill(run.pid)
    run.wait()
    run.expect_no_process(10)


def a_killed_zygote_leaves_nothing(work):
    run, pids = hanging(work)
    kill(run.zygote())
    wait_until(lambda: not set(pids) & set(marked(run.mark)), 10,
               "the programs gone")
    kill(run.pid)
    run.wait()
    run.expect_no_process(10)


def mistakes_are_told(work):
    for run, keys, text in (
            ("no_such_program_anywhere", {}, "no program no_such_program"),
            ("./absent", {}, "absent"),
            ("echo {m}", {"axes": "n = 1"}, "study.ini:7: [command] run: {m}: "
             "[axes] has no such key"),
            ("echo {input.X}", {}, "study.ini:7: [command] run: {input.X}: no "
             "input of that name"),
            ("echo 'a", {}, "study.ini:7: [command] run: 'a: the quote"),
            ("echo {seed}", {"axes": "seed = 1"},
             "study.ini:5: [axes] seed: every task has"),
            ("echo", {"command": "fields = a:float"},
             "study.ini:8: [command] fields: \"a:float\": the type is num")):
        path = study(work, run, **keys)
        done = work.run(path, work.path / "bad", expect=BAD)
        check(text in done.stderr, f"{run}: {done.stderr}")


def several_programs(work):
    path = work.study("[study]\nkind = command\n[axes]\nn = 1, 2\n"
                      "[command plain]\nrun = echo x={n}\n"
                      "[command double]\nrun = echo x={n}{n}\n")
    work.run(path, work.path / "r")
    check([(r["command"], r["x"]) for r in table(work.path / "r")] ==
          [("plain", "1"), ("plain", "2"), ("double", "11"),
           ("double", "22")], table(work.path / "r"))


JOBS = """# what to do
echo x=1 n={n}

  printf "x=%s" "two words"\r
echo x=1 n={n}
nowhere_to_be_found
"""


def a_file_of_command_lines(work):
    """A task per line; equal lines are tasks of their own."""
    (work.path / "jobs.txt").write_bytes(b"\xef\xbb\xbf" + JOBS.encode())
    path = study(work, "@jobs.txt", axes="n = 1, 2")
    work.run(path, work.path / "r", expect=SOME_FAILED)
    found = table(work.path / "r")
    check([(r["command_run"], r["axes_n"], r["x"]) for r in found] ==
          [(line, n, x if x != "1" else f"1 n={n}") for line, x in
           (("echo x=1 n={n}", "1"),
            ('printf "x=%s" "two words"', "two words"),
            ("echo x=1 n={n}", "1"), ("nowhere_to_be_found", ""))
           for n in "12"], found)
    check(len({r["seed"] for r in found}) == 8, "seeds repeat")
    check("cannot run nowhere_to_be_found" in found[7]["error"], found[7])
    for workers in (1, 8):
        results = work.path / f"w{workers}"
        work.run(path, results, workers=workers, expect=SOME_FAILED)
        expect_same(results, work.path / "r", f"{workers} workers")


def an_edited_file_of_command_lines(work):
    """Only new lines run; without the file the folder goes on by itself."""
    jobs = work.path / "jobs.txt"
    jobs.write_text("".join(f"echo x={k % 40}\n" for k in range(50)))
    path = study(work, "@jobs.txt")
    work.run(path, work.path / "r")
    before = {r["cell"]: r["x"] for r in table(work.path / "r")}
    check(len(before) == 50, "cells")
    lines = jobs.read_text().splitlines()
    jobs.write_text("\n".join(["echo x=100", *reversed(lines[5:])]))
    run = work.run(path, work.path / "r", "--progress", "lines")
    # lines 41 to 45 were the second of their kind and are now the only ones
    check("1 now" in run.stderr, run.stderr)
    after = table(work.path / "r")
    check([r["x"] for r in after] ==
          ["100"] + [str(k % 40) for k in range(49, 4, -1)], after)
    check(all(before[r["cell"]] == r["x"] for r in after[1:]), "results")
    jobs.unlink()
    run = work.run(path, work.path / "r", expect=BAD)
    check("jobs.txt: No such file" in run.stderr, run.stderr)
    work.ensrun(work.path / "r", "--progress", "none")
    check(table(work.path / "r") == after, "the folder alone")


def a_long_file_of_command_lines(work):
    (work.path / "jobs.txt").write_text(
        "".join(f"echo x={k}\n" for k in range(100000)))
    path = study(work, "@jobs.txt")
    shown = work.ensrun("plan", path, seconds=60).stdout
    check("100000 in stage run" in shown, shown)
    work.run(path, work.path / "r", "--only", "c99999_r00001")
    row = [r for r in csv.DictReader(io.StringIO(work.ensrun(
        "export", work.path / "r").stdout)) if r["x"]]
    check([r["x"] for r in row] == ["99998"], row)


def mistakes_in_a_file_of_command_lines(work):
    for text, error in (
            ("echo\necho 'a\n", "jobs.txt:2: 'a: the quote does not end"),
            ("\n\necho {m}\n", "jobs.txt:3: {m}: [axes] has no such key"),
            ("echo {\n", "jobs.txt:1: \"{\": expected {NAME}"),
            ("# only\n\n", "jobs.txt: no line but"),
            ("echo\n" + "x" * 40000, "jobs.txt:2: a line of 40000 bytes"),
            ("echo\necho \x01\n", "jobs.txt:2: byte 0x01 at place 6")):
        (work.path / "jobs.txt").write_text(text)
        done = work.run(study(work, "@jobs.txt"), work.path / "bad",
                        expect=BAD)
        check(error in done.stderr, f"{text[:50]}: {done.stderr}")
    (work.path / "jobs.txt").write_text("cat\ncat\n")
    done = work.run(study(work, "@jobs.txt", command="persistent = yes"),
                    work.path / "bad", expect=BAD)
    check(":8: [command] persistent: takes one program" in done.stderr, done.stderr)


def the_example(work):
    work.run(SOURCE / "launch/examples/command.ini", work.path / "r",
             "--set", "study.replicates=2")
    found = table(work.path / "r")
    check(len(found) == 12 and all(float(r["highest"]) >= 0 for r in found),
          found)
    paths = work.ensrun("export", work.path / "r", "--artifact", "path.f8",
                        "--dtype", "f8", "--where", "axes_steps=100").stdout
    ends = [line.split(",")[-1] for line in paths.split() if ",100," in line]
    check(ends == [r["end"] for r in found if r["axes_steps"] == "100"], ends)


main(no_output, key_value_lines, json_object, shell_line, what_it_is_given,
     declared_fields, changing_fields, bad_ends, a_gigabyte_of_output,
     stderr_of_success_is_not_kept, cores_divide_the_workers, odd_but_fine,
     working_folder, same_bytes, an_edit_runs_new_tasks_only, daemons_end,
     timeouts_are_not_argued_with, a_killed_worker_takes_its_program_along,
     a_killed_coordinator_leaves_nothing, a_killed_zygote_leaves_nothing,
     a_killed_zygote_leaves_no_daemon,
     mistakes_are_told, several_programs, a_file_of_command_lines,
     an_edited_file_of_command_lines, a_long_file_of_command_lines,
     mistakes_in_a_file_of_command_lines, the_example)
