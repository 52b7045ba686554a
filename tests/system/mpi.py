"""Helpers of the tests under mpirun."""
import os
import pathlib
import shutil

from harness import ENSRUN, OK, children, skip

ENV = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}


def mpirun():
    program = shutil.which("mpirun")
    if program is None:
        skip("no mpirun (Debian package openmpi-bin)")
    return program


def start(work, *words, env=None):
    """mpirun WORDS in the background."""
    # a killed rank leaves its shared memory behind: not in /dev/shm
    shared = {"OMPI_MCA_btl_vader_backing_directory": str(work.path)}
    return work.start("--oversubscribe", *words,
                      env={**ENV, **shared, **(env or {})}, program=mpirun())


def start_run(work, study, results, *arguments, ranks=2, workers=1, env=None,
              program=ENSRUN):
    return start(work, "-n", ranks, program, "run", study, "--results",
                 results, "--workers", workers, "--progress", "none",
                 *arguments, env=env)


def run(work, study, results, *arguments, ranks=2, workers=1, expect=OK,
        env=None, seconds=120):
    """Run to the end; the Run."""
    job = start_run(work, study, results, *arguments, ranks=ranks,
                    workers=workers, env=env)
    job.code = job.wait(seconds, expect)
    return job


def environ(pid, name):
    try:
        text = pathlib.Path(f"/proc/{pid}/environ").read_bytes()
    except (OSError, ProcessLookupError):
        return None
    for line in text.split(b"\0"):
        if line.startswith(name.encode() + b"="):
            return line.split(b"=", 1)[1].decode()
    return None


def ranks(job):
    """rank -> pid of the processes that mpirun has started."""
    found = {}
    for pid in children(job.pid):
        rank = environ(pid, "OMPI_COMM_WORLD_RANK")
        if rank is not None and os.path.basename(
                os.readlink(f"/proc/{pid}/exe")) == "ensrun":
            found[int(rank)] = pid
    return found


def workers(job):
    """Workers of all ranks."""
    return [worker for rank in ranks(job).values()
            for zygote in children(rank) for worker in children(zygote)]
