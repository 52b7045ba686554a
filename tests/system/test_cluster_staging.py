#!/usr/bin/env python3
"""[run] stage_inputs = node on several hosts: from a folder that all see, and
from rank 0 to those that do not. The same bytes, one copy on each host, and
nothing on its disk when the job has ended, in whatever way."""
import os
import pathlib
import signal

import cluster
from cluster import Cluster
from harness import ENVIRONMENT, BAD, REQUEUE, Failure, check, digests, \
    expect_same, ini, kill, wait_until
from test_cluster_start import pss_of, said, write_npy

X_BYTES = 48 << 20
STAGED = "stage_inputs = node\n"


def prepare(work, more="", replicates=300, n_bytes=X_BYTES, run=STAGED):
    """A study whose inputs are in a folder of their own."""
    folder = work.path / "data"
    folder.mkdir()
    rows = write_npy(folder / "X.npy", n_bytes)
    (folder / "Y.csv").write_text("a,b\n" + "".join(
        f"{i},{i * 7 % 11}\n" for i in range(5000)))
    return work.study(
        f"[inputs]\nX = {folder}/X.npy\nY = {folder}/Y.csv\n"
        "part = X[1, 3]\n" +
        ini(f"rows = {rows}\nfields = 2\n{more}",
            f"seed = 3\nreplicates = {replicates}\n", run)), folder


def hide(hosts, folder, *names):
    """These hosts have another, empty folder there."""
    for name in names:
        hosts.on(name, "mount", "-t", "tmpfs", "none", folder)


def used(hosts, name):
    """Bytes on a host's own disk; files without a name count."""
    words = hosts.on(name, "stat", "-f", "-c", "%S %b %f",
                     hosts.node).stdout.split()
    size, blocks, free = map(int, words)
    return size * (blocks - free)


def expect_nothing_left(hosts, before):
    for name in hosts.names:
        # a daemon that is killed leaves MPI's files
        hosts.on(name, "sh", "-c", f"rm -rf '{hosts.node}'/ompi.*")
        found = hosts.on(name, "ls", "-A", hosts.node).stdout.split()
        found = [f for f in found if "ensrun" in f]
        check(not found, f"left on {name}: {found}")
    wait_until(lambda: all(used(hosts, h) <= before[h] + (1 << 20)
                           for h in hosts.names), 10,
               "room on the hosts' disks as before")


def wait_for_some(hosts, before):
    """Some of a copy is on h2; MPI takes a few MiB, too."""
    wait_until(lambda: used(hosts, "h2") > before["h2"] + (30 << 20), 60,
               "some of a copy on h2")


def copies(pid, node):
    """inode -> bytes that this process has of files without a name there."""
    found, inode = {}, None
    for line in pathlib.Path(f"/proc/{pid}/smaps").read_text().splitlines():
        words = line.split()
        if not words[0].endswith(":"):
            inode = words[4] if f"{node}/#" in line and \
                line.endswith("(deleted)") else None
        elif inode and words[0] == "Pss:":
            found[inode] = found.get(inode, 0) + int(words[1]) * 1024
    return found


def same_bytes(work):
    """3 hosts, 6 ranks, all and only rank 0 of them with the files."""
    study, folder = prepare(work, run="")
    work.run(study, work.path / "local")
    reference = digests(work.path / "local")
    more = ("--set", "run.stage_inputs=node")
    with Cluster(work, 3) as hosts:
        before = {h: used(hosts, h) for h in hosts.names}
        for name, hidden in (("shared", ()), ("mixed", ("h3",)),
                             ("alone", ("h2",))):
            hide(hosts, folder, *hidden)
            hosts.run(study, work.path / name, *more, ranks=6)
            expect_same(work.path / name, reference, name)
            expect_nothing_left(hosts, before)


def one_copy(work):
    """Workers of all ranks of a host map the same files, without a name."""
    study, folder = prepare(work, "sleep_us = 1000000\n")
    with Cluster(work, 2, slots=3) as hosts:
        before = {h: used(hosts, h) for h in hosts.names}
        hide(hosts, folder, "h2")
        job = hosts.start_run(study, work.path / "r", ranks=6, workers=2)

        def maps():
            if not job.running:
                raise Failure(f"ended: {job.stderr}")
            found = {h: [copies(p, hosts.node) for p in pids]
                     for h, pids in hosts.workers(job).items()}
            return [len(found.get(h, ())) for h in hosts.names] == [6, 6] and \
                all(sum(m.values()) > X_BYTES / 12 for all_of in found.values()
                    for m in all_of) and found

        for name, found in wait_until(maps, 60, "12 workers with copies",
                                      0.1).items():
            inodes = {inode for m in found for inode in m}
            check(len(inodes) == 2, f"{name}: files {inodes} for X and Y")
            held = sum(sum(copies(p, hosts.node).values())
                       for p in hosts.marked(job)[name])
            check(0.9 * X_BYTES < held < 1.1 * X_BYTES + (1 << 20),
                  f"{name} holds {held} bytes of inputs of {X_BYTES}")
            held = pss_of(hosts.marked(job)[name], f"{folder}/X.npy")
            check(held < 0.1 * X_BYTES, f"{name} has {held} bytes of the "
                  "original in memory besides")
            check(used(hosts, name) - before[name] < 1.7 * X_BYTES,
                  f"{name}: {used(hosts, name)} bytes on its disk")
        kill(hosts.ranks(job)[0][1], signal.SIGUSR1)
        job.wait(60, expect=REQUEUE)
        hosts.expect_gone(job, 10)
        expect_nothing_left(hosts, before)


def killed(work):
    """The rank that copies is killed in the middle of a file; so is rank 0."""
    study, folder = prepare(work, n_bytes=180 << 20)
    with Cluster(work, 2, slots=3) as hosts:
        before = {h: used(hosts, h) for h in hosts.names}
        hide(hosts, folder, "h2")
        hosts.slow("h2")
        for victim in (1, 0):
            job = hosts.start_run(study, work.path / f"r{victim}", ranks=4,
                                  workers=1)
            wait_for_some(hosts, before)
            host, pid = hosts.ranks(job)[victim]
            check(host == ("h1", "h2")[victim], f"rank {victim} is on {host}")
            kill(pid)
            check(job.wait(60) != 0, "the job ended well")
            hosts.expect_gone(job, 10)
            expect_nothing_left(hosts, before)
        hosts.run(study, work.path / "r1", ranks=4)
        expect_nothing_left(hosts, before)


def stopped(work):
    """A signal while copies are made: nothing is lost, requeue."""
    study, folder = prepare(work, n_bytes=180 << 20)
    with Cluster(work, 2) as hosts:
        before = {h: used(hosts, h) for h in hosts.names}
        hide(hosts, folder, "h2")
        hosts.slow("h2")
        job = hosts.start_run(study, work.path / "r")
        wait_for_some(hosts, before)
        kill(hosts.ranks(job)[0][1], signal.SIGUSR1)
        job.wait(30, expect=REQUEUE)
        hosts.expect_gone(job, 10)
        expect_nothing_left(hosts, before)


def no_room(work):
    """On a host that copies, then on that of rank 0."""
    study, folder = prepare(work)
    with Cluster(work, 2) as hosts:
        hide(hosts, folder, "h2")
        for name in ("h2", "h1"):
            hosts.on(name, "fallocate", "-l", str(220 << 20),
                     hosts.node / "filler")
            before = {h: used(hosts, h) for h in hosts.names}
            job = hosts.start_run(study, work.path / name)
            job.wait(60, expect=ENVIRONMENT)
            hosts.expect_gone(job, 10)
            said(job, "input X: no room for a copy of", f"{hosts.node} on {name}")
            expect_nothing_left(hosts, before)
            hosts.on(name, "rm", hosts.node / "filler")


def shrinks(work):
    """Rank 0's file loses its end while it is sent."""
    study, folder = prepare(work, n_bytes=180 << 20)
    with Cluster(work, 2) as hosts:
        before = {h: used(hosts, h) for h in hosts.names}
        hide(hosts, folder, "h2")
        hosts.slow("h2")
        job = hosts.start_run(study, work.path / "r")
        wait_for_some(hosts, before)
        os.truncate(folder / "X.npy", 1 << 20)
        job.wait(60, expect=BAD)
        hosts.expect_gone(job, 10)
        said(job, "input X", f"{folder}/X.npy shrank")
        expect_nothing_left(hosts, before)


def not_asked_for(work):
    """Without the setting: the host, the path, and what would help."""
    study, folder = prepare(work, run="")
    with Cluster(work, 2) as hosts:
        hide(hosts, folder, "h2")
        job = hosts.start_run(study, work.path / "r")
        job.wait(60, expect=BAD)
        hosts.expect_gone(job, 10)
        said(job, "rank 1 on h2", f"{folder}/X.npy", "stage_inputs = node")


def programs(work):
    """They read files by their paths: a host where there is none is told of,
    one that has the file takes part."""
    study, folder = prepare(work)
    study = work.study(
        f"[study]\nkind = command\nreplicates = 2000\n[run]\n{STAGED}"
        f"[inputs]\nY = {folder}/Y.csv\n[command]\n"
        "run = /bin/sh -c \"sleep 0.02; echo x=$(wc -l < $0)\" {input.Y}\n")
    with Cluster(work, 2) as hosts:
        hosts.run(study, work.path / "seen", "--set", "study.replicates=8")
        hide(hosts, folder, "h2")
        job = hosts.start_run(study, work.path / "r")
        job.wait(60, expect=BAD)
        hosts.expect_gone(job, 10)
        said(job, "rank 1 on h2", "input Y: a program is given its path",
             f"{folder}/Y.csv")


if __name__ == "__main__":
    cluster.main(same_bytes, one_copy, killed, stopped, no_room, shrinks,
                 not_asked_for, programs)
