#!/usr/bin/env python3
"""ensrun monitor: a program and all that it starts, over time."""
import os
import pathlib
import pty
import re
import resource
import signal
import sys

from harness import (BAD, ENSRUN, ENVIRONMENT, OK, check, kill, main, table,
                     wait_until)

# A program waits until the monitor has seen what it is to see: rows(f) is true
# for some row of the file.
SEEN = """
import csv, os, signal, sys, time
def seen(f, path="mem.csv", seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with open(path, newline="") as file:
            lines = file.read().split("\\n")
        if any(f(r) for r in csv.DictReader(lines[:-1])):
            return
        time.sleep(0.01)
    sys.exit(9)
"""


def python(work, text, name="cmd.py"):
    (work.path / name).write_text(SEEN + text)
    return [sys.executable, name]


def watch(work, *command, expect=OK, every="0.02s"):
    run = work.ensrun("monitor", "-o", "mem.csv", "--every", every, "--",
                      *command, expect=expect)
    return run, table(work.path, "mem.csv")


def figures(text):
    """The summary's numbers by name."""
    found = {}
    for name, unit in (("peak PSS", "MiB"), ("peak private", "MiB"),
                       ("wall", "s"), ("CPU", "s"), ("mean", "%")):
        match = re.search(rf"{name} ([0-9.]+) {unit}", text)
        check(match, f"no {name} in: {text}")
        found[name] = float(match[1])
    return found


def shared_memory_counts_once(work):
    """100 MiB, in a child too, which changes 10 MiB of them."""
    run, rows = watch(work, *python(work, """
x = bytearray(b"1") * (100 << 20)
ready, go = os.pipe(), os.pipe()
if os.fork() == 0:
    x[:10 << 20] = b"2" * (10 << 20)
    os.write(ready[1], b"r")
    os.read(go[0], 1)
    os._exit(0)
os.read(ready[0], 1)
seen(lambda r: int(r["rss_bytes"]) > 200 << 20
     and int(r["private_bytes"]) > 19 << 20)
os.write(go[1], b"g")
os.wait()
"""))
    both = next(r for r in rows if int(r["rss_bytes"]) > 200 << 20
                and int(r["private_bytes"]) > 19 << 20)
    pss, own = int(both["pss_bytes"]), int(both["private_bytes"])
    check(105 << 20 <= pss < 140 << 20, f"PSS: {both}")
    check(own < 45 << 20, f"10 MiB in each are its own: {both}")
    check(figures(run.stderr)["peak PSS"] >= pss / 2**20 - 0.1, run.stderr)
    check("2 processes at most" in run.stderr, run.stderr)
    times = [float(r["seconds"]) for r in rows]
    check(times == sorted(times) and times[0] < 5, str(times))
    check(list(rows[0]) == ["seconds", "processes", "pss_bytes",
                            "private_bytes", "rss_bytes", "cpu_percent"],
          str(rows[0]))


def the_exit_status_is_the_programs(work):
    for command, code in ((["true"], 0), (["sh", "-c", "exit 3"], 3),
                          (["sh", "-c", "kill -9 $$"], 137),
                          (["sh", "-c", "kill -15 $$"], 143),
                          (["./nosuch"], 127), (["/"], 126)):
        run = work.ensrun("monitor", "--", *command, expect=code)
        if code in (126, 127):
            check(f"cannot run {command[0]}: " in run.stderr, run.stderr)
        else:
            check("wall" in run.stderr, run.stderr)
    run = work.ensrun("monitor", "echo", "two", "words")
    check(run.stdout == "two words\n", run.stdout)


def signals_are_passed_on(work):
    command = python(work, """
def end(number, frame):
    sys.exit(number)
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
    signal.signal(number, end)
open("ready", "w").close()
while True:
    signal.pause()
""")
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP,
                   signal.SIGUSR1):
        run = work.start("monitor", "--", *command)
        wait_until((work.path / "ready").exists, 60, "ready")
        (work.path / "ready").unlink()
        kill(run.pid, number)
        run.wait(60, int(number))
        run.expect_no_process()


def a_key_of_the_terminal_counts_once(work):
    """Ctrl-C goes to both: passed on it would come twice."""
    command = python(work, """
n = 0
def count(number, frame):
    global n
    n += 1
    open("got", "w").close()
signal.signal(signal.SIGINT, count)
signal.signal(signal.SIGUSR1, lambda number, frame: sys.exit(n))
open("ready", "w").close()
while True:
    signal.pause()
""")
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(work.path)
        os.execv(ENSRUN, [ENSRUN, "monitor", "--", *command])
    wait_until((work.path / "ready").exists, 60, "ready")
    os.write(terminal, b"\x03")
    wait_until((work.path / "got").exists, 60, "Ctrl-C seen")
    kill(pid, signal.SIGUSR1)  # behind what the monitor passes on
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(terminal)
    check(status == 1, f"{status} signals")


def orphans_are_followed_and_not_waited_for(work):
    run, rows = watch(work, *python(work, """
if os.fork() == 0:
    if os.fork() == 0:
        os.setsid()
        x = bytearray(b"1") * (30 << 20)
        open("pid", "w").write(str(os.getpid()))
        signal.pause()
    os._exit(0)
os.wait()
seen(lambda r: int(r["processes"]) == 2 and int(r["pss_bytes"]) > 30 << 20)
"""))
    left = int((work.path / "pid").read_text())
    check(pathlib.Path(f"/proc/{left}").exists(), "the monitor ends with CMD")
    kill(left)
    check(figures(run.stderr)["peak private"] > 30, run.stderr)


def cpu_time_is_that_of_all(work):
    """Of processes that have ended as well; the program knows better."""
    run, rows = watch(work, *python(work, """
import resource
def burn(seconds):
    while time.process_time() < seconds:
        pass
for _ in range(2):
    if os.fork() == 0:
        burn(0.3)
        os._exit(0)
    os.wait()
burn(0.4)
seen(lambda r: float(r["cpu_percent"]) > 0)
for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
    u = resource.getrusage(who)
    print(u.ru_utime + u.ru_stime)
"""))
    spent = sum(float(x) for x in run.stdout.split())
    got = figures(run.stderr)
    check(spent <= got["CPU"] + 0.01 and got["CPU"] < spent + 0.3,
          f"{spent} s: {run.stderr}")
    check(abs(got["mean"] - 100 * got["CPU"] / got["wall"]) < 2, run.stderr)
    over = sum(float(r["cpu_percent"]) * (float(r["seconds"])
                                          - float(before["seconds"])) / 100
               for before, r in zip(rows, rows[1:]))
    check(abs(over - got["CPU"]) < 0.35, f"sum of the rows: {over}")


def processes_that_come_and_go_are_harmless(work):
    run, rows = watch(work, "sh", "-c", "i=0; while [ $i -lt 400 ]; do "
                      "(:) & /bin/true; i=$((i + 1)); done; wait",
                      every="0.001s")
    check(len(rows) > 5 and all(int(r["processes"]) >= 0
                                and int(r["pss_bytes"]) >= 0
                                and float(r["cpu_percent"]) >= 0
                                for r in rows), str(rows))


def output_goes_where_it_is_told(work):
    run = work.ensrun("monitor", "-o", "-", "--", "sh", "-c", "exit 4",
                      expect=4)
    check(run.stdout.startswith("seconds,processes,"), run.stdout)
    run = work.ensrun("monitor", "-o", "/dev/full", "--", "sh", "-c",
                      "exit 4", expect=4)
    check("cannot write /dev/full: No space left on device; CMD goes on"
          in run.stderr, run.stderr)
    work.ensrun("monitor", "-o", "none/mem.csv", "--", "touch", "ran",
                expect=ENVIRONMENT)
    check(not (work.path / "ran").exists(), "was run without its file")


def bad_words_are_refused(work):
    for words, text in (([], "usage: ensrun monitor"),
                        (["--every", "0", "true"], "--every 0: expected a"),
                        (["--every", "1e-9s", "true"], "--every 1e-9s"),
                        (["-x", "true"], "unknown option")):
        run = work.ensrun("monitor", *words, expect=BAD)
        check(text in run.stderr, f"{words}: {run.stderr}")


def a_run_is_measured(work):
    """What the run's own report says, from outside."""
    study = work.study("[study]\nkind = synthetic\nreplicates = 4\n"
                       "[synthetic]\nleak_mb = 20\nsleep_us = 150000\n")
    run, rows = watch(work, ENSRUN, "run", study,
                      "--results", "r", "--workers", "2", "--json")
    check('"ok": 4' in run.stdout, run.stdout)
    check(figures(run.stderr)["peak private"] > 40, run.stderr)
    check(max(int(r["processes"]) for r in rows) >= 4, "coordinator, zygote, "
          "two workers")


resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
main(shared_memory_counts_once, the_exit_status_is_the_programs,
     signals_are_passed_on, a_key_of_the_terminal_counts_once,
     orphans_are_followed_and_not_waited_for,
     cpu_time_is_that_of_all, processes_that_come_and_go_are_harmless,
     output_goes_where_it_is_told, bad_words_are_refused, a_run_is_measured)
