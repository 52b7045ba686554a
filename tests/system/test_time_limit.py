#!/usr/bin/env python3
"""--time-limit, or what a batch system says of its job: ends in time with 85
and a good commit; runs in a row make the bytes of one."""
import os
import signal
import time

from harness import BAD, OK, REQUEUE, check, expect_same, ini, main, table, \
    wait_until

SLEEPS = ini("sleep_us = 20000, 60000\n", "seed = 9\nreplicates = 100\n")


def in_a_row(work):
    study, results = work.study(SLEEPS), work.path / "r"
    work.run(study, work.path / "fresh", workers=16)
    left = 200
    for _ in range(100):
        run = work.run(study, results, "--time-limit", "0.8", workers=4,
                       expect=(OK, REQUEUE))
        if run.code == OK:
            break
        check("time limit: " in run.stderr and "run again" in run.stderr,
              run.stderr)
        now = int(run.stderr.split("time limit: ")[1].split()[0])
        # 0: all had ended, only whether a stage follows was not asked yet
        check(0 <= now <= left, f"{now} left, before {left}")
        check(not (results / "tasks.csv").exists(), "tables were written")
        left = now
    check(left < 200, "the limit was never met")
    check(run.code == OK, "never done")
    expect_same(results, work.path / "fresh", "runs in a row")
    work.verify(results)


def no_limit_met(work):
    """Done in time: as without."""
    study, results = work.study(SLEEPS), work.path / "r"
    work.run(study, results, "--time-limit", "1h 30m", workers=16)
    check(len(table(results)) == 200, "rows")


def grace_is_kept(work):
    """A task that runs at the limit may finish; its result is there."""
    study, results = work.study(ini("sleep_us = 3000000\n",
                                    "replicates = 10\n")), work.path / "r"
    start = time.monotonic()
    run = work.run(study, results, "--time-limit", "1", expect=REQUEUE)
    check(time.monotonic() - start > 2.9, "a running task was cut")
    check("2 ok, 8 left" in run.stderr, run.stderr)
    run = work.run(study, results, "--time-limit", "1", "--set",
                   "run.grace=0.1", expect=REQUEUE)
    check("2 ok, 8 left" in run.stderr, run.stderr)


def parts(work):
    """With --where it is the part that is late, or done."""
    study, results = work.study(SLEEPS), work.path / "r"
    work.run(study, results, "--time-limit", "0.4s", "--where",
             "sleep_us=60000", expect=REQUEUE)
    work.run(study, results, "--time-limit", "1h", "--where",
             "sleep_us=60000", workers=16, expect=OK)


def wrong(work):
    study = work.study(SLEEPS)
    for text in ("", "soon", "-1", "0", "2x", "nan"):
        run = work.run(study, work.path / "r", "--time-limit", text,
                       expect=BAD)
        check("expected a time" in run.stderr, run.stderr)


# Stands in for a system's command: notes how it is asked, prints TEXT.
FAKE = """#!/bin/sh
echo "${0##*/} $*" >>"$FAKE_LOG"
TEXT
"""
SYSTEMS = {
    "squeue": ("Slurm", {"SLURM_JOB_ID": "42"}, "-h -o %L -j 42",
               "echo 0:02", "echo 11:59:59"),
    "qstat": ("PBS", {"PBS_JOBID": "42.server"}, "-f 42.server",
              "echo Job Id: 42; echo '    Walltime.Remaining = 2'",
              "echo Job Id: 42; echo '    Resource_List.walltime = 12:00:00';"
              "echo '    resources_used.walltime = 00:00:01'"),
    "bjobs": ("LSF", {"LSB_JOBID": "42", "LSB_JOBINDEX": "7"},
              "-noheader -o time_left 42[7]", "echo 0:0 X", "echo 11:59 L"),
    "flux": ("Flux", {"FLUX_URI": "local:///flux"}, "job timeleft", "echo 2",
             "echo 43199"),
}
LIMITED = ini("sleep_us = 50000\n", "seed = 9\nreplicates = 200\n")


def asking(work, command, text, more):
    """Environment of a job whose system answers with text."""
    folder = work.path / "bin"
    folder.mkdir(exist_ok=True)
    (folder / command).write_text(FAKE.replace("TEXT", text))
    (folder / command).chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}",
            "FAKE_LOG": str(work.path / "asked"), **more}


def asks_the_system(work):
    for command, (name, more, words, short, long) in SYSTEMS.items():
        results = work.path / command
        log = results / "log.txt"
        run = work.run(work.study(LIMITED), results, expect=REQUEUE,
                       env=asking(work, command, short, more))
        check(f"{name} gives this job 0 h 00 min more" in run.stderr
              and "--time-limit none" in run.stderr, run.stderr)
        check("time limit: " in run.stderr, run.stderr)
        check((work.path / "asked").read_text() == f"{command} {words}\n",
              (work.path / "asked").read_text())
        check(f'by="{name}"' in log.read_text(), log.read_text())
        run = work.run(work.study(LIMITED), results, workers=16,
                       env=asking(work, command, long, more))
        check(f"{name} gives this job 11 h 59 min more" in run.stderr,
              run.stderr)
        (work.path / "asked").unlink()


def needs_no_command(work):
    """Slurm says when the job ends; nobody is asked."""
    env = asking(work, "squeue", "echo 11:00:00", {
        "SLURM_JOB_ID": "42",
        "SLURM_JOB_END_TIME": str(int(time.time()) + 2)})
    run = work.run(work.study(LIMITED), work.path / "r", env=env,
                   expect=REQUEUE)
    check("Slurm gives this job 0 h 00 min more" in run.stderr, run.stderr)
    check(not (work.path / "asked").exists(), "squeue was asked")


def not_asked(work):
    study, results = work.study(SLEEPS), work.path / "r"
    env = asking(work, "squeue", "echo 0:01", {"SLURM_JOB_ID": "42"})
    for limit in ("none", "1h"):
        run = work.run(study, results, "--time-limit", limit, "--restart",
                       workers=16, env=env)
        check("gives this job" not in run.stderr, run.stderr)
    check(not (work.path / "asked").exists(), "it was asked")


def no_answer(work):
    """A command that fails, says nothing that is understood or is not there:
    no limit."""
    study, results = work.study(SLEEPS), work.path / "r"
    job = {"SLURM_JOB_ID": "42"}
    for text in ("exit 1", "echo what?", "yes what", "printf '\\0\\377'",
                 "echo UNLIMITED", "kill -9 $$"):
        run = work.run(study, results, "--restart", workers=16,
                       env=asking(work, "squeue", text, job))
        check("gives this job" not in run.stderr, f"{text}: {run.stderr}")
        check("time_limit_none" in (results / "log.txt").read_text(), text)
        run.expect_no_process(3.0)
    empty = work.path / "empty"
    empty.mkdir()
    run = work.run(study, results, "--restart", workers=16,
                   env={"PATH": str(empty), **job})
    check("time_limit_none" in (results / "log.txt").read_text(), "not there")


def hanging(work):
    """A command that never ends delays nothing and does not outlive the run;
    in a longer run it is killed."""
    env = asking(work, "squeue", "sleep 1000 & wait", {"SLURM_JOB_ID": "42"})
    start = time.monotonic()
    run = work.run(work.study(ini("fields = 1\n", "replicates = 10\n")),
                   work.path / "r", env=env)
    check(time.monotonic() - start < 8, "it waited for squeue")
    run.expect_no_process(3.0)
    results = work.path / "long"
    run = work.start_run(work.study(ini("sleep_us = 100000000\n",
                                        "replicates = 2\n",
                                        "grace = 0.1\n")), results, env=env)
    wait_until(lambda: (results / "log.txt").exists() and "time_limit_none"
               in (results / "log.txt").read_text(), 30, "squeue given up")
    os.kill(run.pid, signal.SIGTERM)
    run.wait(60, expect=REQUEUE)
    run.expect_no_process(3.0)


main(in_a_row, no_limit_met, grace_is_kept, parts, wrong, asks_the_system,
     needs_no_command, not_asked, no_answer, hanging)
