#!/usr/bin/env python3
"""Starting under a launcher: what is said when it cannot work, by rank 0
alone where one of them can speak for all."""
import os
import pathlib
import shutil
import subprocess

import mpi
from harness import BUILD, ENSRUN, ENVIRONMENT, check, digests, expect_same, \
    ini, main, need_namespaces, table

STUDY = ini("work_us = 50\n", "replicates = 200\n")


def said(job, *words):
    lines = [line for line in job.stderr.splitlines()
             if line.startswith("ensrun: ")]
    text = "\n".join(lines)
    for word in words:
        check(word in text, f"{word!r} is not in: {job.stderr}")
    return lines


def installed(work):
    """The module is found beside an installed program, with nothing of the
    build folder about."""
    subprocess.run(["cmake", "--install", BUILD, "--prefix",
                    work.path / "opt"], check=True, capture_output=True)
    program = work.path / "opt/bin/ensrun"
    study = work.study(STUDY)
    job = mpi.start_run(work, study, work.path / "r", program=program)
    job.wait(60, expect=0)
    work.run(study, work.path / "fork")
    expect_same(work.path / "r", work.path / "fork", "installed")


def no_module(work):
    """Locally the program alone does; under mpirun it says what is missing."""
    program = work.path / "ensrun"
    shutil.copy(ENSRUN, program)
    study = work.study(STUDY)
    run = work.start("run", study, "--results", work.path / "fork",
                     program=program)
    run.wait(60, expect=0)
    job = mpi.start_run(work, study, work.path / "r", program=program,
                        ranks=3)
    job.wait(60, expect=ENVIRONMENT)
    lines = said(job, "without MPI", "mpi.so", "libopenmpi-dev", "rank 0 on")
    check(len(lines) == 1, f"not one message: {lines}")


def no_open_mpi(work):
    """A module whose MPI cannot be loaded."""
    program = work.path / "bin" / "ensrun"
    module = work.path / "bin" / "modules" / "mpi.so"
    module.parent.mkdir(parents=True)
    shutil.copy(ENSRUN, program)
    data = (BUILD / "modules" / "mpi.so").read_bytes()
    check(b"libmpi.so" in data, "the module does not name libmpi.so")
    module.write_bytes(data.replace(b"libmpi.so", b"libMPI.so"))
    job = mpi.start_run(work, work.study(STUDY), work.path / "r",
                        program=program)
    job.wait(60, expect=ENVIRONMENT)
    said(job, "cannot load the MPI module", "libMPI.so", "openmpi-bin")


def versions(work):
    """Another ensrun on one of the ranks."""
    version = subprocess.run([ENSRUN, "--version"], capture_output=True,
                             check=True, text=True).stdout.split()[1]
    other = version[:-1] + chr(ord(version[-1]) + 1)
    program = work.path / "bin" / "ensrun"
    program.parent.mkdir()
    data = pathlib.Path(ENSRUN).read_bytes()
    program.write_bytes(data.replace(version.encode() + b"\0",
                                     other.encode() + b"\0"))
    program.chmod(0o755)
    shutil.copytree(BUILD / "modules", program.parent / "modules")
    words = ["run", work.study(STUDY), "--results", work.path / "r",
             "--progress", "none"]
    job = mpi.start(work, "-n", 2, ENSRUN, *words, ":", "-n", 1, program,
                    *words)
    job.wait(60, expect=2)
    lines = said(job, f"rank 2 on {os.uname().nodename} runs ensrun {other}",
                 f"runs ensrun {version}")
    check(len(lines) == 1, f"not one message: {lines}")
    check(not (work.path / "r").exists(), "a results folder was made")


def bare(work):
    """Several processes that know nothing of each other (srun without PMI);
    a batch script alone is none of them."""
    study = work.study(STUDY)
    slurm = {"SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "4"}
    words = ("run", study, "--results", work.path / "r", "--progress", "none")
    run = work.ensrun(*words, env=slurm, expect=2)
    check("4 processes" in run.stderr and "--mpi=pmix" in run.stderr,
          run.stderr)
    run = work.ensrun(*words, env={**slurm, "SLURM_PROCID": "3"},
                      expect=0)
    check(run.stderr == "", f"not rank 0 alone speaks: {run.stderr}")
    work.ensrun(*words, env={"SLURM_PROCID": "0", "SLURM_NTASKS": "4"})
    work.ensrun(*words, "--transport", "fork", env=slurm)


def other_mpi(work):
    """A launcher of four processes whose MPI is not that of the module."""
    run = work.ensrun(
        "run", work.study(STUDY), "--results", work.path / "r",
        env={**mpi.ENV, "PMI_RANK": "0", "PMI_SIZE": "4"},
        expect=ENVIRONMENT)
    check("started 4 processes, but MPI knows of 1" in run.stderr, run.stderr)


def bad_study(work):
    """Said once, and the job ends."""
    study = work.study(STUDY + "[nothing]\n")
    job = mpi.run(work, study, work.path / "r", ranks=3, expect=2, seconds=60)
    lines = said(job, "nothing")
    check(len(lines) == 1, f"not one message: {lines}")
    job = mpi.start(work, "-n", 3, ENSRUN, "run", study, "--nonsense")
    job.wait(60, expect=2)
    check(len(said(job, "--nonsense")) == 1, job.stderr)
    job = mpi.start(work, "-n", 3, ENSRUN, "--version")
    job.wait(60, expect=0)
    check(len(job.stdout.splitlines()) == 1, job.stdout)


def missing_input(work):
    """An input that one rank does not see: the host and the path are named."""
    folder = work.path / "only here"
    folder.mkdir()
    (folder / "X.csv").write_text("a,b\n" + "1,2\n" * 100)
    study = work.study(f"[inputs]\nX = {folder}/X.csv\n" + STUDY)
    words = ["run", study, "--results", work.path / "r", "--progress", "none"]
    hide = f'mount -t tmpfs none "{folder}" && exec "$0" "$@"'
    job = mpi.start(work, "-n", 1, ENSRUN, *words, ":", "-n", 1, "unshare",
                    "--map-root-user", "--mount", "/bin/sh", "-c", hide,
                    ENSRUN, *words)
    job.wait(60, expect=2)
    lines = said(job, f"rank 1 on {os.uname().nodename}: ",
                 f"{folder}/X.csv")
    check(len(lines) == 1, f"not one message: {lines}")
    # another file under the same path
    other = hide.replace(
        "&&", f"&& (echo a,b; yes 7,8 | head -100) > '{folder}/X.csv' &&", 1)
    job = mpi.start(work, "-n", 1, ENSRUN, *words, ":", "-n", 1, "unshare",
                    "--map-root-user", "--mount", "/bin/sh", "-c", other,
                    ENSRUN, *words)
    job.wait(60, expect=2)
    said(job, f"rank 1 on {os.uname().nodename}: input X: ",
         f"{folder}/X.csv is not the file that rank 0 has")


def binding(work):
    """More workers than the launcher lets a rank have cores."""
    study = work.study(STUDY)
    job = mpi.start(work, "--bind-to", "core", "-n", 2, ENSRUN, "run", study,
                    "--results", work.path / "r", "--workers", 3)
    job.wait(60, expect=0)
    said(job, "rank 0 on", "may use 1 core for 3 workers", "--bind-to none")


def one_rank(work):
    """mpirun -n 1 is a local run."""
    study = work.study(STUDY)
    mpi.run(work, study, work.path / "r", ranks=1)
    check(len(table(work.path / "r")) == 200, "not 200 tasks")
    check("transport=fork" in (work.path / "r/log.txt").read_text(),
          "one rank did not run locally")
    mpi.run(work, study, work.path / "q", "--transport", "mpi", ranks=1)
    expect_same(work.path / "q", digests(work.path / "r"), "--transport mpi")


need_namespaces()
main(installed, no_module, no_open_mpi, versions, bare, other_mpi, bad_study,
     missing_input, binding, one_rank)
