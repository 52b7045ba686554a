#!/usr/bin/env python3
"""status --watch: follows a run to its exit status; from another host by
files alone; a run that stands still, dies or is taken over is told."""
import os
import signal
import subprocess

from harness import BAD, ENSRUN, ENVIRONMENT, OK, REQUEUE, check, ini, kill, \
    main, wait_until

LEFT = 130
SLOW = ini("sleep_us = 100000\n", "replicates = 10000\n")


def says(watch, text, seconds=60):
    wait_until(lambda: text in watch.stdout, seconds, f"{text!r} in the watch")


def start(work, text=SLOW):
    results = work.path / "r"
    run = work.start_run(work.study(text), results)
    wait_until(lambda: (results / "status").exists(), 60, "a status file")
    return run, results


def to_its_end(work):
    """Lines as it goes on, then its exit status, which is the watcher's."""
    run, results = start(work, ini("sleep_us = 50000\nfail_rate = 0.2\n",
                                   "replicates = 60\n"))
    watch = work.start("status", results, "--watch")
    code = run.wait(60)
    check(watch.wait(60) == code == 1, f"{watch.stdout}{watch.stderr}")
    check("tasks, " in watch.stdout, watch.stdout)
    check("epoch 1 ended with exit status 1" in watch.stdout, watch.stdout)
    again = work.ensrun("status", results, "--watch", expect=1)
    check("ended with exit status 1" in again.stdout, again.stdout)


def stopped(work):
    run, results = start(work)
    watch = work.start("status", results, "--watch")
    says(watch, "tasks, ")
    kill(run.pid, signal.SIGTERM)
    run.wait(60, REQUEUE)
    check(watch.wait(60) == REQUEUE, watch.stdout)


def left(work):
    """Ctrl-C ends the watching, not the run."""
    run, results = start(work)
    watch = work.start("status", results, "--watch")
    says(watch, "tasks, ")
    kill(watch.pid, signal.SIGINT)
    check(watch.wait(60) == LEFT, watch.stderr)
    check(run.running, "the run has ended too")
    kill(run.pid, signal.SIGINT)
    run.wait(60, REQUEUE)


def killed(work):
    """On its own host a dead process is known to be dead."""
    run, results = start(work)
    watch = work.start("status", results, "--watch")
    says(watch, "tasks, ")
    kill(run.pid)
    check(watch.wait(60) == ENVIRONMENT, watch.stdout)
    check("died" in watch.stdout, watch.stdout)


class Elsewhere:
    """A run on another host, as its files show it here."""

    def __init__(self, work, pid):
        self.dir = work.path / "far"
        (self.dir / "epochs").mkdir(parents=True)
        (self.dir / "study.ini").write_text("[run]\nheartbeat = 0.1\n")
        self.counter = 0
        self.pid = pid
        self.epoch(1)

    def epoch(self, number):
        self.path = self.dir / "epochs" / f"{number:06}"
        self.path.write_text(
            f"counter={0:020}\nhost=far\nboot=another\npidns=pid:[1]\n"
            f"pid={self.pid}\nstart=17\nrun_id=00000000000000aa\n")

    def beat(self):
        self.counter += 1
        with open(self.path, "r+") as file:
            file.seek(8)
            file.write(f"{self.counter:020}")

    def status(self, epoch, done, more=""):
        (self.dir / "status").write_text(
            f"epoch={epoch}\nstate=running\nstage=fit\ntasks=100\n"
            f"done={done}\nnot_ok=0\ntasks_per_s=2\neta_s=9\n"
            f"efficiency=0.5\npss_bytes=0\n{more}")

    def close(self):
        with open(self.path, "a") as file:
            file.write("closed=4096\n")


def elsewhere(work):
    """No process of that number is here, and nobody asks."""
    far = Elsewhere(work, pid=999999999)
    watch = work.start("status", far.dir, "--watch")
    far.status(1, 10)
    says(watch, "fit: 10/100 tasks")
    says(watch, "stands still: no heartbeat for 2 s (process 999999999 on far")
    check(watch.running, "it gave up")
    far.beat()
    says(watch, "goes on")
    far.status(1, 11, "task=lasso[alpha=0.1] fold 3\ntask_seconds=7\n")
    says(watch, "fit: 11/100 tasks")
    says(watch, "; lasso[alpha=0.1] fold 3 for 7 s")
    far.epoch(2)
    says(watch, "epoch 1 was taken over; following epoch 2")
    far.status(1, 12)  # the old one still writes: not what is followed
    far.status(2, 20)
    says(watch, "fit: 20/100 tasks")
    check("fit: 12/100" not in watch.stdout, watch.stdout)
    far.close()
    far.status(2, 100, "exit=0\n")
    check(watch.wait(60) == OK, watch.stdout)
    check("epoch 2 ended with exit status 0" in watch.stdout, watch.stdout)


def on_a_terminal(work):
    """One line that changes; the last of it stays."""
    far = Elsewhere(work, pid=999999999)
    far.status(1, 10)
    here, there = os.openpty()
    os.set_blocking(here, False)
    watch = subprocess.Popen([ENSRUN, "status", far.dir, "--watch"],
                             stdout=there, stdin=subprocess.DEVNULL)
    said = []

    def shows(text):
        try:
            said.append(os.read(here, 65536).decode())
        except BlockingIOError:
            pass
        return text in "".join(said)

    try:
        wait_until(lambda: shows("fit: 10/100 tasks"), 60, "10 tasks")
        far.status(1, 30)
        wait_until(lambda: shows("fit: 30/100 tasks"), 60, "30 tasks")
        check("\n" not in "".join(said).split("stands")[0], f"{said}")
        far.status(1, 100, "exit=0\n")
        far.close()
        check(watch.wait(60) == OK, "exit status")
        wait_until(lambda: shows("exit status 0"), 60, "its end")
    finally:
        watch.kill()
        watch.wait()
        os.close(here)
        os.close(there)
    lines = "".join(said).split("\r\n")
    check(lines[-1] == "" and "exit status 0" in lines[-2] and
          "fit: 100/100" in lines[-3].rsplit("\r\x1b[K", 1)[-1], f"{lines}")


def torn_files(work):
    """Half-written or odd files are no end of anything."""
    far = Elsewhere(work, pid=999999999)
    text = far.path.read_text()
    for torn in ("", "counter=", text[:60], "\0" * 100):
        far.path.write_text(torn)
        watch = work.start("status", far.dir, "--watch")
        (far.dir / "status").write_bytes(b"epoch=1\nstage=\xff\ndone=x\ntas")
        far.path.write_text(text)
        far.status(1, 5)
        says(watch, "fit: 5/100")
        kill(watch.pid, signal.SIGINT)
        check(watch.wait(60) == LEFT, watch.stdout)
    far.close()  # and no word of how it ended
    watch = work.ensrun("status", far.dir, "--watch", expect=ENVIRONMENT)
    check("not known" in watch.stdout, watch.stdout)


def no_run(work):
    work.ensrun("status", work.path / "nowhere", "--watch", expect=BAD)
    (work.path / "empty").mkdir()
    run = work.ensrun("status", work.path / "empty", "--watch", expect=BAD)
    check("no run has begun" in run.stderr, run.stderr)
    work.ensrun("status", work.path / "empty", "--watch", "--json",
                expect=BAD)


main(to_its_end, stopped, left, killed, elsewhere, on_a_terminal, torn_files, no_run)
