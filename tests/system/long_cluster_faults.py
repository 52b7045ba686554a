#!/usr/bin/env python3
"""A host lost in the middle of a job, in each way: within SECONDS nothing of
the job is left on any host, cut ones included, and the resume gives the same
bytes. test_cluster_faults runs a sample of it."""
import os
import re
import signal

import cluster
from cluster import KEEPALIVE, Cluster
from harness import OK, SOURCE, check, digests, expect_same, ini, kill, wait_until

# Keepalive acts within 4 s, the dead man's switch at DEAD_MAN; the rest is for
# a busy machine.
DEAD_MAN = 8
SECONDS = 30
RUN = ("commit_seconds = 0.05\nheartbeat = 0.2 s\nlock_wait = 2 s\n"
       f"dead_man = {DEAD_MAN} s\n")

# What job scripts tell Open MPI, and the switch as it is by default.
DEFAULT_RUN = "commit_seconds = 0.05\nlock_wait = 2 s\n"
DEFAULT_SECONDS = 60

# Calls MPI all the time.
SHORT = ini("sleep_us = 3000\nstages = 2\narray_rows = 1200000\nfields = 2\n",
            "seed = 31\n", RUN)

# Some tasks first, then each rank is in one that lasts longer than the test.
PROGRAM = f"""[study]
kind = command
replicates = 40
[run]
{RUN}
[command]
run = /bin/sh -c "echo x={{replicate}}; test {{replicate}} -lt 20 || test -e RELEASE || exec sleep 1000"
"""


def prepare(work, text):
    """RELEASE in the text is a file that is not there yet."""
    release = work.path / "release"
    study = work.study(text.replace("RELEASE", str(release)))
    release.touch()
    work.run(study, work.path / "quiet", workers=8)
    release.unlink()
    return study, digests(work.path / "quiet"), release


def lost(work, text, blow, env=None, started=None, launcher=True,
         again=("h1", "h2", "h3"), seconds=SECONDS):
    """blow(hosts, job) in the middle; then the rest on hosts `again`."""
    study, reference, release = prepare(work, text)
    results = work.path / "r"
    with Cluster(work, 3) as hosts:
        job = hosts.start_run(study, results, ranks=3, env=env)
        wait_until(lambda: len(hosts.workers(job)) == 3 and
                   (not started or started(hosts, job)) and
                   committed(results), 30, "a commit and workers everywhere")
        blow(hosts, job)
        hosts.expect_gone(job, seconds, launcher)
        if launcher:
            check(job.wait(10) != OK, "the job ended well")
        job.close()
        check(not (results / "tasks.csv").exists(), "tables were written")
        for name in hosts.names:
            hosts.join(name) if name in hosts.first else hosts.boot(name)
        release.touch()
        work.verify(results)
        hosts.run(study, results, ranks=len(again), hosts=again)
        work.verify(results)
        expect_same(results, reference, "after the loss")


def committed(results):
    """Something is in the journal."""
    return sum(f.stat().st_size for f in (results / "journal").glob("*.ej")
               ) > 4096 if (results / "journal").is_dir() else False


def sleeping(hosts, job):
    """Every host is in a task that does not end."""
    return all(hosts.processes(h, "sleep") for h in hosts.names)


def daemon(hosts, name):
    pids = hosts.processes(name, "orted")
    check(len(pids) == 1, f"daemons on {name}: {pids}")
    return pids[0]


def daemon_killed(work):
    lost(work, SHORT, lambda hosts, job: kill(daemon(hosts, "h2")))


def daemon_of_rank_0_killed(work):
    lost(work, SHORT, lambda hosts, job: kill(daemon(hosts, "h1")))


def daemon_killed_in_programs(work):
    """Programs that tasks have started end too."""
    lost(work, PROGRAM, lambda hosts, job: kill(daemon(hosts, "h2")),
         started=sleeping)


def host_off(work):
    lost(work, SHORT, lambda hosts, job: hosts.off("h2"))


def host_cut(work):
    lost(work, SHORT, lambda hosts, job: hosts.cut("h2"), KEEPALIVE)


def host_of_rank_0_cut(work):
    lost(work, SHORT, lambda hosts, job: hosts.cut("h1"), KEEPALIVE)


def host_cut_in_programs(work):
    lost(work, PROGRAM, lambda hosts, job: hosts.cut("h2"), KEEPALIVE,
         sleeping)


def host_cut_as_in_job_scripts(work):
    script = (SOURCE / "launch/jobs/hosts.sh").read_text()
    found = dict(re.findall(r"--mca (oob_tcp_keepalive_\w+) (\d+)", script))
    check(found.keys() == {k.removeprefix("OMPI_MCA_") for k in KEEPALIVE},
          f"keepalive in hosts.sh: {found}")
    lost(work, PROGRAM.replace(RUN, DEFAULT_RUN),
         lambda hosts, job: hosts.cut("h2"),
         {f"OMPI_MCA_{k}": v for k, v in found.items()}, sleeping,
         seconds=DEFAULT_SECONDS)


def host_cut_without_keepalive(work):
    """MPI notices nothing; the dead man's switch does, on either side."""
    lost(work, PROGRAM, lambda hosts, job: hosts.cut("h2"), started=sleeping,
         launcher=False)


def cut_and_launcher_killed(work):
    """Nobody is left who could tell the host."""
    def blow(hosts, job):
        hosts.cut("h2")
        os.kill(job.pid, signal.SIGKILL)
    lost(work, PROGRAM, blow, KEEPALIVE, sleeping)


def launcher_killed(work):
    lost(work, PROGRAM, lambda hosts, job: os.kill(job.pid, signal.SIGKILL),
         started=sleeping)


def host_of_rank_0_off(work):
    """Others take the folder over."""
    lost(work, SHORT, lambda hosts, job: hosts.off("h1"), KEEPALIVE,
         again=("h2", "h3"))


def stale_coordinator(work):
    """Rank 0 stands still on a host that is cut; others take over and finish.
    When it goes on it changes nothing but the end of its own segment, which
    the newer epoch has cut off."""
    study, reference, _ = prepare(work, SHORT)
    results = work.path / "r"
    with Cluster(work, 3) as hosts:
        stale = hosts.start_run(study, results, hosts=("h1",), ranks=2)
        wait_until(lambda: committed(results), 30, "a commit")
        on_h1 = hosts.marked(stale)["h1"]
        for pid in on_h1:
            kill(pid, signal.SIGSTOP)
        hosts.cut("h1")
        hosts.run(study, results, ranks=2, hosts=("h2", "h3"))
        expect_same(results, reference, "after the takeover")
        before = folder(results)
        for pid in on_h1:
            kill(pid, signal.SIGCONT)
        hosts.expect_gone(stale, SECONDS, launcher=False)
        after = folder(results)
        changed = [name for name in before.keys() | after.keys()
                   if before.get(name) != after.get(name)]
        check(not changed, f"changed by the stale coordinator: {changed}")
        stale.close()
    work.verify(results)
    work.ensrun("export", results, "--table", "tasks", "--to", "csv", "-o",
                work.path / "tasks.csv")
    check((work.path / "tasks.csv").read_bytes() ==
          (results / "tasks.csv").read_bytes(), "the journal says otherwise")


def folder(results):
    """name -> bytes of what somebody reads back."""
    return {f.relative_to(results).as_posix(): f.read_bytes()
            for f in results.rglob("*") if f.is_file() and
            f.name not in ("log.txt", "status", "000001-01.ej")}


if __name__ == "__main__":
    cluster.main(daemon_killed, daemon_of_rank_0_killed,
                 daemon_killed_in_programs,
                 host_off, host_of_rank_0_off, host_cut, host_of_rank_0_cut,
                 host_cut_in_programs, host_cut_as_in_job_scripts,
                 host_cut_without_keepalive,
                 cut_and_launcher_killed, launcher_killed, stale_coordinator)
