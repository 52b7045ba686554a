#!/usr/bin/env python3
"""Hosts that do not see what they need, or have another ensrun: said once,
with host and path. And what they share: one copy of an input on each."""
import os
import pathlib
import shutil
import struct
import subprocess

import cluster
from cluster import Cluster
from harness import BUILD, ENSRUN, OK, Failure, check, ini, wait_until

STUDY = ini("work_us = 50\n", "replicates = 200\n")
X_BYTES = 64 << 20
COLUMNS = 16


def said(job, *words):
    """One message, with all of these words."""
    lines = [line for line in job.stderr.splitlines()
             if line.startswith("ensrun: ")]
    check(len(lines) == 1, f"not one message: {job.stderr}")
    for word in words:
        check(str(word) in lines[0], f"{word!r} is not in: {lines[0]}")


def write_npy(path, n_bytes):
    """Doubles: n_bytes of them in rows of COLUMNS."""
    rows = n_bytes // 8 // COLUMNS
    text = ("{'descr': '<f8', 'fortran_order': False, 'shape': "
            f"({rows}, {COLUMNS}), }}").ljust(117) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)))
        file.write(text.encode())
        block = struct.pack("<d", 1.5) * COLUMNS * 512
        for _ in range(n_bytes // len(block)):
            file.write(block)
    return rows


def fails(work, study, *words, mount=None, program=ENSRUN):
    """mount: on which host what."""
    with Cluster(work, 2) as hosts:
        if mount:
            hosts.on(mount[0], "mount", *mount[1:])
        job = hosts.start_run(study, work.path / "r", program=program)
        job.wait(60, expect=2)
        hosts.expect_gone(job, 10)
        said(job, *words)
    check(not (work.path / "r/tasks.csv").exists(), "tables were written")


def input_missing(work):
    folder = work.path / "data"
    folder.mkdir()
    (folder / "X.csv").write_text("a,b\n" + "1,2\n" * 100)
    fails(work, work.study(f"[inputs]\nX = {folder}/X.csv\n" + STUDY),
          "rank 1 on h2", f"{folder}/X.csv",
          mount=("h2", "-t", "tmpfs", "none", folder))


def input_on_no_host(work):
    folder = work.path / "data"
    folder.mkdir()
    study = work.study(f"[inputs]\nX = {folder}/X.csv\n" + STUDY)
    fails(work, study, f"{folder}/X.csv")


def study_missing(work):
    """Rank 0 reads the study: its host must see it, others need not."""
    folder = work.path / "studies"
    folder.mkdir()
    study = work.study(STUDY, "studies/study.ini")
    fails(work, study, study, mount=("h1", "-t", "tmpfs", "none", folder))


def other_version(work):
    """An ensrun that is another one on one of the hosts."""
    version = subprocess.run([ENSRUN, "--version"], capture_output=True,
                             check=True, text=True).stdout.split()[1]
    other = version[:-1] + chr(ord(version[-1]) + 1)
    for name in ("bin", "other"):
        (work.path / name).mkdir()
        shutil.copytree(BUILD / "modules", work.path / name / "modules")
    data = pathlib.Path(ENSRUN).read_bytes()
    (work.path / "bin/ensrun").write_bytes(data)
    (work.path / "other/ensrun").write_bytes(
        data.replace(version.encode() + b"\0", other.encode() + b"\0"))
    for name in ("bin", "other"):
        (work.path / name / "ensrun").chmod(0o755)
    fails(work, work.study(STUDY), f"rank 1 on h2 runs ensrun {other}",
          f"rank 0 on h1 runs ensrun {version}",
          program=work.path / "bin/ensrun",
          mount=("h2", "--bind", work.path / "other", work.path / "bin"))


def no_program(work):
    """mpirun's own message; it must end."""
    (work.path / "bin").mkdir()
    shutil.copy(ENSRUN, work.path / "bin/ensrun")
    with Cluster(work, 2) as hosts:
        hosts.on("h2", "mount", "-t", "tmpfs", "none", work.path / "bin")
        job = hosts.start_run(work.study(STUDY), work.path / "r",
                              program=work.path / "bin/ensrun")
        check(job.wait(60) != OK, "it ran")
        hosts.expect_gone(job, 10)


def pss_of(pids, path):
    """Bytes of a file that these processes have in memory, shares summed."""
    total = 0
    for pid in pids:
        mine = False
        try:
            text = pathlib.Path(f"/proc/{pid}/smaps").read_text()
        except OSError:
            continue
        for line in text.splitlines():
            words = line.split()
            if "-" in words[0] and not words[0].endswith(":"):
                mine = len(words) > 5 and words[-1].endswith(path)
            elif mine and words[0] == "Pss:":
                total += int(words[1]) * 1024
    return total


def one_copy(work):
    """3 ranks of 2 workers on each of 2 hosts: each host holds the input
    once. Every host has a file of its own, as hosts have a page cache of
    their own."""
    source = work.path / "X.npy"
    rows = write_npy(source, X_BYTES)
    study = work.study(
        f"[inputs]\nX = {work.path}/node/X.npy\n" +
        ini(f"rows = {rows}\nsleep_us = 1000000\n", "replicates = 1000\n"))
    with Cluster(work, 2, slots=3) as hosts:
        for name in hosts.names:
            hosts.on(name, "cp", source, hosts.node / "X.npy")
        job = hosts.start_run(study, work.path / "r", ranks=6, workers=2)

        def all_have_it():
            if not job.running:
                raise Failure(f"ended: {job.stderr}")
            found = hosts.workers(job)
            return [len(found.get(h, ())) for h in hosts.names] == [6, 6] \
                and all(pss_of([p], "node/X.npy") > 0
                        for pids in found.values() for p in pids)

        wait_until(all_have_it, 60, "12 workers with the input", 0.1)
        for name in hosts.names:
            held = pss_of(hosts.marked(job)[name], "node/X.npy")
            check(0.9 * X_BYTES < held < 1.1 * X_BYTES,
                  f"{name} holds {held} bytes of an input of {X_BYTES}")
        os.kill(hosts.ranks(job)[0][1], 15)
        job.wait(60, expect=85)
        hosts.expect_gone(job, 10)


if __name__ == "__main__":
    cluster.main(input_missing, input_on_no_host, study_missing,
                 other_version, no_program, one_copy)
