#!/usr/bin/env python3
"""Studies as jobs of a real Slurm, on one host and two: the same bytes as
locally, also after a signal before the limit, a lost node and a requeue, and
from an array of shards."""
import cluster
from cluster import Cluster
from harness import ENSRUN, check, digests, expect_same, ini, marked, \
    table, wait_until
from slurm import Slurm

STUDY = ini("sleep_us = 3000\nstages = 2\narray_rows = 200000\nfields = 2\n",
            "seed = 31\n")
LONG = ini("sleep_us = 20000\nstages = 2\narray_rows = 2000000\nfields = 2\n",
           "seed = 32\n",
           "commit_seconds = 0.1\nheartbeat = 0.2 s\ndead_man = 8 s\n")

# 85 is "not done, run me again"; a launcher that lost a host says anything.
SCRIPT = """#!/bin/sh
#SBATCH --open-mode=append --requeue
echo "run ${{SLURM_RESTART_COUNT:-0}}"
{launcher} {ensrun} run {study} --results {results} --progress none &
job=$!
trap 'kill -USR1 $job' USR1
wait $job
code=$?
trap '' USR1
while kill -0 $job 2>/dev/null; do wait $job; code=$?; done
echo "exit $code"
[ $code = 85 ] && scontrol requeue $SLURM_JOB_ID
exit $code
"""


class Job:
    """A study as a job."""

    def __init__(self, slurm, study, launcher, *options, name="r",
                 script=SCRIPT):
        work = slurm.cluster.work
        self.slurm = slurm
        self.results = work.path / name
        self.log = work.path / f"{name}.out"
        self.mark = name + str(work.path)
        path = work.path / f"{name}.sh"
        path.write_text(script.format(
            launcher=launcher, ensrun=ENSRUN, study=study,
            results=self.results))
        self.id = slurm.submit("-o", self.log, *options, path,
                               env={"ENSRUN_TEST_MARK": self.mark})

    def said(self):
        return self.log.read_text() if self.log.exists() else ""

    def finish(self, seconds=90):
        state = self.slurm.wait_state(self.id, ("COMPLETED", "FAILED",
                                                "NODE_FAIL", "CANCELLED",
                                                "TIMEOUT"), seconds)
        check(state == "COMPLETED", f"{state}: {self.said()}")

    def hosts(self):
        return {host for host in self.slurm.cluster.marked(self) if host}

    def expect_gone(self, seconds=20):
        self.slurm.cluster.expect_gone(self, seconds)


def reference_of(work, text):
    study = work.study(text)
    work.run(study, work.path / "quiet", workers=16)
    return study, digests(work.path / "quiet")


def jobs(work):
    """Without MPI, mpirun and srun; one host and two."""
    study, reference = reference_of(work, STUDY)
    with Cluster(work, 2) as hosts, Slurm(hosts) as slurm:
        for name, launcher, n, ranks, options in (
                ("alone", "", 1, 1, ("-N1",)),
                ("mpirun1", "mpirun", 1, 2, ("-N1", "-n2")),
                ("mpirun2", "mpirun", 2, 4, ("-N2", "-n4")),
                ("srun1", "srun --mpi=pmix", 1, 2, ("-N1", "-n2")),
                ("srun2", "srun --mpi=pmix", 2, 4, ("-N2", "-n4"))):
            job = Job(slurm, study, launcher, *options, name=name)
            job.finish()
            job.expect_gone()
            work.verify(job.results)
            expect_same(job.results, reference, name)
            text = (job.results / "log.txt").read_text()
            check(f"ranks={ranks}" in text or ranks == 1, text[:2000])


cluster.main(jobs)
