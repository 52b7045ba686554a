#!/usr/bin/env python3
"""Studies as jobs of a real Slurm, on one host and two: the same bytes as
locally, also after a signal before the limit, a lost node and a requeue, and
from an array of shards."""
import re

import cluster
from cluster import KEEPALIVE, Cluster
from harness import ENSRUN, MARK, Failure, check, digests, expect_same, ini, \
    wait_until
from slurm import Slurm

ENDED = ("COMPLETED", "FAILED", "NODE_FAIL", "CANCELLED", "TIMEOUT",
         "BOOT_FAIL", "OUT_OF_MEMORY")

RUN = ("commit_seconds = 0.05\nheartbeat = 0.2 s\ndead_man = 8 s\n"
       "grace = 1 s\nlock_wait = 2 s\n")

STUDY = ini("sleep_us = 3000\nstages = 2\narray_rows = 200000\nfields = 2\n",
            "seed = 31\n", RUN)
LONGER = ini("sleep_us = 3000\nstages = 2\narray_rows = 1500000\nfields = 2\n",
             "seed = 32\n", RUN)

# Half of the tasks do not end before there is a file RELEASE.
PROGRAM = f"""[study]
kind = command
replicates = 40
[run]
{RUN}
[command]
run = /bin/sh -c "echo x={{replicate}}; test {{replicate}} -lt 20 || test -e RELEASE || exec sleep 1000"
"""

# 0, 1, 2, 3 and 70 are ensrun's own last words, 85 asks to be run again; any
# other is that of a launcher that has lost a host. What is cancelled stays so.
SCRIPT = """#!/bin/bash
#SBATCH --requeue --open-mode=append
echo "run ${{SLURM_RESTART_COUNT:-0}} on $SLURM_JOB_NODELIST"
{launcher} {ensrun} run {study} {arguments} --progress none &
job=$!
trap 'kill -USR1 $job' USR1
wait $job; code=$?
while kill -0 $job 2>/dev/null; do wait $job; code=$?; done
echo "exit $code"
case $code in
0|1|2|3|70) ;;
*) scontrol requeue $SLURM_JOB_ID ;;
esac
exit $code
"""


class Job:
    """A study as a job."""

    def __init__(self, slurm, study, launcher, *options, name="r", env=None,
                 arguments=None, script=None):
        work = slurm.cluster.work
        self.slurm = slurm
        self.results = work.path / name
        self.log = work.path / f"{name}.out"
        self.mark = f"{work.path}/{name}"
        path = work.path / f"{name}.sh"
        path.write_text(script or SCRIPT.format(
            launcher=launcher, ensrun=ENSRUN, study=study,
            arguments=arguments or f"--results {self.results}"))
        self.id = slurm.submit("-o", self.log, *options, path,
                               env={MARK: self.mark, **(env or {})})

    def said(self):
        return self.log.read_text() if self.log.exists() else ""

    def finish(self, seconds=90):
        try:
            state = self.slurm.wait_state(self.id, ENDED, seconds)
        except Failure as failure:
            raise Failure(f"{failure}\n{self.said()}") from None
        check(state == "COMPLETED", f"{state}: {self.said()}")

    def wait_said(self, text, seconds=60):
        try:
            wait_until(lambda: text in self.said(), seconds, text, 0.05)
        except Failure as failure:
            raise Failure(f"{failure} but: {self.said()} "
                          f"{self.slurm.state(self.id)}") from None

    def go_on(self):
        """Requeued: at once, not in two minutes."""
        self.slurm.wait_state(self.id, ("PENDING",), 90)
        wait_until(lambda: not self.slurm.is_completing(self.id), 60,
                   "the last run over")
        self.slurm.hurry(self.id)

    def expect_gone(self, seconds=20, launcher=True):
        self.slurm.cluster.expect_gone(self, seconds, launcher)


def printed(slurm, study, launcher, *options, name="r"):
    """A job of two ranks by the script that ensrun prints; a lost host is
    noticed sooner."""
    work = slurm.cluster.work
    text = work.ensrun("jobscript", "--slurm", "--time", "10m", "--nodes", "2",
                       "--cores", "1", "--launcher", launcher, "--set",
                       f"study.results={work.path / name}", study).stdout
    for key, value in KEEPALIVE.items():
        key = key.removeprefix("OMPI_MCA_")
        text = re.sub(f"{key} [0-9]+", f"{key} {value}", text)
    return Job(slurm, study, launcher, *options, name=name, script=text)


def reference_of(work, text):
    """RELEASE in the text is a file that is not there yet."""
    release = work.path / "release"
    study = work.study(text.replace("RELEASE", str(release)))
    release.touch()
    work.run(study, work.path / "quiet", workers=16)
    release.unlink()
    return study, digests(work.path / "quiet")


def expect_result(work, job, reference):
    job.expect_gone()
    work.verify(job.results)
    expect_same(job.results, reference, job.said())


def jobs(work):
    """Without MPI, mpirun and srun; one host and two."""
    study, reference = reference_of(work, STUDY)
    with Cluster(work, 2) as hosts, Slurm(hosts) as slurm:
        for name, launcher, options, transport, workers in (
                ("alone", "", ("-N1", "-c2"), "fork", 2),
                ("mpirun1", "mpirun", ("-N1", "-n2"), "mpi", 2),
                ("mpirun2", "mpirun", ("-N2", "-n4"), "mpi", 4),
                ("srun1", "srun --mpi=pmix", ("-N1", "-n2"), "mpi", 2),
                ("srun2", "srun --mpi=pmix", ("-N2", "-n4"), "mpi", 4),
                ("srun2x2", "srun --mpi=pmix -c2", ("-N2", "-n2", "-c2"),
                 "mpi", 4)):
            job = Job(slurm, study, launcher, "-t10", *options, name=name)
            job.finish(60)
            expect_result(work, job, reference)
            text = (job.results / "log.txt").read_text()
            check(f"workers={workers} transport={transport}" in text,
                  f"{name}: {text}")
            limit = re.search('time_limit_set seconds=([0-9]+) by="Slurm"',
                              text)
            check(limit and 480 < int(limit[1]) <= 571, f"{name}: {text}")


def srun_without_pmi(work):
    """Four processes that know nothing of each other must not all run it."""
    study, _ = reference_of(work, STUDY)
    with Cluster(work, 2) as hosts, Slurm(hosts) as slurm:
        job = Job(slurm, study, "srun --mpi=none", "-N2", "-n4")
        slurm.wait_state(job.id, ("FAILED",))
        job.expect_gone()
        check("--mpi=pmix" in job.said() and "exit 2" in job.said(),
              job.said())
        check(not job.results.exists(), "a results folder was made")


def everywhere(hosts, job, names=("h1", "h2")):
    """On all of these hosts a task is running that does not end."""
    wait_until(lambda: all(hosts.processes(h, "sleep") for h in names), 60,
               f"tasks on {names}", 0.05)


def signal_before_the_limit(work):
    """Of one minute; Slurm looks at limits every 30 s."""
    study, reference = reference_of(work, PROGRAM)
    with Cluster(work, 2) as hosts, Slurm(hosts) as slurm:
        started = [printed(slurm, study, launcher, "-t1",
                           "--signal=B:USR1@50", name=launcher)
                   for launcher in ("mpirun", "srun")]
        for job in started:
            job.wait_said("stopped by a signal")
        (work.path / "release").touch()
        for job in started:
            job.go_on()
        for job in started:
            job.finish()
            expect_result(work, job, reference)


def limit_without_signal(work):
    """Nothing says how long the run may take but Slurm, when it is asked."""
    study, reference = reference_of(work, PROGRAM)
    with Cluster(work, 2) as hosts, Slurm(hosts) as slurm:
        started = [Job(slurm, study, launcher, "-t1", "-N2", "-n2", name=name)
                   for name, launcher in (("mpirun", "mpirun"),
                                          ("srun", "srun --mpi=pmix"))]
        for job in started:
            job.wait_said("exit 85", 120)
            check("Slurm gives this job" in job.said(), job.said())
        (work.path / "release").touch()
        for job in started:
            job.go_on()
        for job in started:
            job.finish()
            expect_result(work, job, reference)


def cancelled(work):
    """Gone from both hosts, not requeued; the same command goes on."""
    study, reference = reference_of(work, PROGRAM)
    with Cluster(work, 2) as hosts, Slurm(hosts) as slurm:
        for launcher in ("mpirun", "srun"):
            job = printed(slurm, study, launcher, name=launcher)
            everywhere(hosts, job)
            slurm.command("scancel", job.id)
            job.expect_gone(30)
            wait_until(lambda: slurm.nodes("idle") == {"h1", "h2"}, 30,
                       "all nodes idle", 0.05)
            check(slurm.state(job.id) == "CANCELLED", slurm.state(job.id))
            work.verify(job.results)
            (work.path / "release").touch()
            again = printed(slurm, study, launcher, name=launcher)
            again.finish()
            expect_result(work, again, reference)
            (work.path / "release").unlink()


def shards(work):
    """A job array, and a job that merges when all of it is done; a round for
    each of the stages."""
    study, reference = reference_of(work, STUDY.replace(
        "[run]", "results = whole\n[run]"))
    whole = work.path / "whole"
    with Cluster(work, 2) as hosts, Slurm(hosts) as slurm:
        for i in range(2):
            array = Job(slurm, study, "", "-N1", "-n1", "--array=1-3",
                        name=f"round{i}",
                        arguments="--shard $SLURM_ARRAY_TASK_ID/3")
            merge = work.path / "merge.sh"
            merge.write_text(f"#!/bin/sh\nexec {ENSRUN} merge "
                             f"{whole}-shard-*-of-3 -o {whole}\n")
            done = slurm.submit(f"--dependency=afterok:{array.id}", "-o",
                                work.path / "merge.out", merge)
            array.finish()
            state = slurm.wait_state(done, ENDED)
            check(state == "COMPLETED",
                  f"{state}: {(work.path / 'merge.out').read_text()}")
    work.verify(whole)
    expect_same(whole, reference, "merged")


def lost(work, launcher, blow, name="h2", left="h[1,3]", cut=False):
    """A node of two is lost, the job goes on with the third."""
    study, reference = reference_of(work, LONGER)
    with Cluster(work, 3) as hosts, Slurm(hosts, node_seconds=5) as slurm:
        job = printed(slurm, study, launcher, "-w", "h1,h2")
        wait_until(lambda: committed(job.results), 60, "a commit", 0.02)
        blow(hosts)
        wait_until(lambda: name in slurm.nodes("down*"), 90,
                   f"{name} is down", 0.1)
        job.expect_gone(30, launcher=not cut)
        # it was asked for only so that the test knows which one to lose
        slurm.wait_state(job.id, ("PENDING",))
        slurm.command("scontrol", "update", f"JobId={job.id}", "ReqNodeList=")
        job.go_on()
        job.finish()
        text = slurm.command("scontrol", "show", "job", job.id)
        check("Restarts=1" in text and f"NodeList={left}" in text, text)
        work.verify(job.results)
        expect_same(job.results, reference, job.said())


def committed(results):
    folder = results / "journal"
    return folder.is_dir() and \
        sum(f.stat().st_size for f in folder.glob("*.ej")) > 4096


def node_off(work):
    """The script asks for another run."""
    lost(work, "mpirun", lambda hosts: hosts.off("h2"))


def node_cut(work):
    lost(work, "mpirun", lambda hosts: hosts.cut("h2"))


def node_cut_under_srun(work):
    """Nobody notices before Slurm, which requeues by itself."""
    lost(work, "srun", lambda hosts: hosts.cut("h2"), cut=True)


def node_of_the_script_off(work):
    """Slurm requeues; rank 0 of the second run takes over."""
    lost(work, "mpirun", lambda hosts: hosts.off("h1"), "h1", "h[2-3]")


def printed_scripts(work):
    """What `ensrun jobscript` prints, as it is."""
    study = work.study(STUDY)
    work.run(study, work.path / "quiet", workers=16)
    with Cluster(work, 2) as hosts, Slurm(hosts) as slurm:
        for name, options in (
                ("alone", ("--cores", "2")),
                ("mpirun", ("--nodes", "2", "--ranks", "4")),
                ("mpirun2x2", ("--nodes", "2", "--cores", "2")),
                ("srun2x2", ("--nodes", "2", "--cores", "2", "--launcher",
                             "srun")),
                ("array", ("--cores", "1", "--array", "3"))):
            script = work.path / f"{name}.sh"
            script.write_text(work.ensrun(
                "jobscript", "--slurm", "--time", "10m", *options, "--set",
                f"study.name={name}", study.name).stdout)
            results = work.path / "results" / name
            slurm.submit(script)
            wait_until(lambda: (results / "tasks.csv").exists() and
                       not slurm.command("squeue", "-h"), 90,
                       f"{name} done, {slurm.command('squeue')}", 0.05)
            work.verify(results)
            expect_same(results, work.path / "quiet", name)


if __name__ == "__main__":
    cluster.main(jobs, printed_scripts, srun_without_pmi,
                 signal_before_the_limit, limit_without_signal, cancelled, shards, node_off, node_cut,
                 node_cut_under_srun, node_of_the_script_off)
