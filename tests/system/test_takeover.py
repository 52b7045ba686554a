#!/usr/bin/env python3
"""A results folder whose owner cannot be asked (another PID namespace stands
for another host): taken over when its heartbeat stands still, refused while
it moves; an owner that wakes up later stops and changes nothing."""
import os
import signal
import time

from harness import ENSRUN, ENVIRONMENT, OK, REQUEUE, check, children, \
    command_of, digests, expect_same, ini, main, need_namespaces, sha256, wait_until

STUDY = ini("sleep_us = 2000\nwork_us = 1000\nstages = 2\narray_rows = 300000\n"
            "fields = 2\npayload_bytes = 200\nfail_rate = 0.05\n",
            "seed = 71\n",
            "heartbeat = 0.2 s\nlock_wait = 2 s\ncommit_seconds = 0.05\n")


def elsewhere(work, study, results, *arguments, env=None):
    """A run in a PID namespace of its own."""
    return work.start("--map-root-user", "--pid", "--fork", "--kill-child",
                      "--mount-proc", ENSRUN, "run", study, "--results",
                      results, "--workers", 2, "--progress", "none",
                      *arguments, program="unshare", env=env)


def coordinator(run):
    for pid in children(run.pid):
        if b"--results" in command_of(pid):
            return pid
    return 0


def below(pid):
    found = [pid]
    for child in children(pid):
        found += below(child)
    return found


def begun(work, study, results):
    """It runs, and has committed something."""
    run = elsewhere(work, study, results)
    pid = wait_until(lambda: coordinator(run), 20, "a coordinator")
    wait_until(lambda: sum(f.stat().st_size for f in results.glob(
        "journal/*.ej")) > 0 and len(below(pid)) == 4, 20, "two workers")
    time.sleep(0.3)
    check(run.running, f"ended too early: {run.stderr}")
    return run, pid


def all_files(results):
    """All but what is advisory."""
    return {f.relative_to(results).as_posix(): sha256(f)
            for f in sorted(results.rglob("*"))
            if f.is_file() and f.name not in ("log.txt", "status")
            and f.parent.name != "epochs"}


def taken_over(work):
    study = work.study(STUDY)
    work.run(study, work.path / "quiet", expect=1)
    reference = digests(work.path / "quiet")
    results = work.path / "r"
    stale, pid = begun(work, study, results)
    frozen = below(pid)
    for each in frozen:
        os.kill(each, signal.SIGSTOP)
    start = time.monotonic()
    taker = work.run(study, results, expect=1)
    check(time.monotonic() - start > 2, "it did not wait")
    check("may still be in use" in taker.stderr and "for 2 s" in taker.stderr,
          taker.stderr)
    expect_same(results, reference, "taken over")
    before = all_files(results)
    # as a host whose cable is back: the workers go on first
    for each in reversed(frozen):
        os.kill(each, signal.SIGCONT)
    stale.wait(30, expect=ENVIRONMENT)
    check("taken over by epoch 2" in stale.stderr, stale.stderr)
    stale.expect_no_process(3.0)
    work.verify(results)
    after = all_files(results)
    differ = sorted(n for n in before.keys() | after.keys()
                    if before.get(n) != after.get(n)
                    # its own files, which nobody reads beyond their end
                    and "000001" not in n)
    check(not differ, f"a stale owner changed {differ}")
    again = work.run(study, results, expect=1)
    check("nothing to do" in again.stderr, again.stderr)
    expect_same(results, reference, "after the stale owner's end")


def in_the_middle(work):
    """The stale owner wakes up while the new one is at work."""
    study = work.study(STUDY)
    work.run(study, work.path / "quiet", expect=1)
    results = work.path / "r"
    stale, pid = begun(work, study, results)
    frozen = below(pid)
    for each in frozen:
        os.kill(each, signal.SIGSTOP)
    taker = work.start_run(study, results)
    wait_until(lambda: (results / "epochs/000002").exists(), 20, "a takeover")
    for each in reversed(frozen):
        os.kill(each, signal.SIGCONT)
    stale.wait(30, expect=ENVIRONMENT)
    taker.wait(60, expect=1)
    work.verify(results)
    expect_same(results, work.path / "quiet", "with a stale owner about")


def heartbeat_moves(work):
    study = work.study(STUDY)
    results = work.path / "r"
    owner, pid = begun(work, study, results)
    run = work.run(study, results, expect=ENVIRONMENT)
    check("its heartbeat goes on" in run.stderr, run.stderr)
    os.kill(pid, signal.SIGTERM)
    owner.wait(30, expect=REQUEUE)


def interrupted_wait(work):
    """Ctrl-C while it waits."""
    study = work.study(STUDY)
    results = work.path / "r"
    owner, pid = begun(work, study, results)
    for each in below(pid):
        os.kill(each, signal.SIGSTOP)
    run = work.start_run(study, results, "--set", "run.lock_wait=60")
    wait_until(lambda: "may still be in use" in run.stderr, 20, "a message")
    os.kill(run.pid, signal.SIGINT)
    run.wait(5, expect=REQUEUE)
    check(not (results / "epochs/000002").exists(), "it took the folder")


def heartbeat_moves_at_the_end(work):
    """Tables that take longer than lock_wait to write: nobody takes over."""
    study = work.study(ini("text_bytes = 4000\nfields = 1\n",
                           "replicates = 1000\n",
                           "heartbeat = 0.2 s\nlock_wait = 2 s\n"))
    results = work.path / "r"
    owner = elsewhere(work, study, results,
                      env={"ENSRUN_FAULT": "slow@1000000"})
    log = results / "log.txt"
    wait_until(lambda: log.exists() and "event=stop" in log.read_text(), 60,
               "all tasks ended")
    check(owner.running, owner.stderr)
    run = work.run(study, results, expect=ENVIRONMENT)
    check("its heartbeat goes on" in run.stderr, run.stderr)
    owner.wait(60, expect=OK)
    work.run(study, work.path / "quiet", expect=OK)
    expect_same(results, work.path / "quiet", "written slowly")


need_namespaces()
main(taken_over, in_the_middle, heartbeat_moves, heartbeat_moves_at_the_end,
     interrupted_wait)
