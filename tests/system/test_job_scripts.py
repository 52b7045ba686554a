#!/usr/bin/env python3
"""ensrun jobscript: launch/jobs holds what it prints; its scripts, run beside
commands of batch systems that only note what they are asked, stop on USR1,
are queued again while work is left and only then, and end with the bytes of
one run; and options that make no sense are refused."""
import os
import shlex
import shutil
import signal
import subprocess

import mpi
from harness import BAD, ENSRUN, ENVIRONMENT, OK, REQUEUE, SOURCE, check, \
    expect_same, ini, kill, main, tail, wait_until

CANCELLED = 143
STUDY = ini("sleep_us = 10000\nfields = 2\n", "seed = 5\nreplicates = 120\n",
            "commit_seconds = 0.02\n")
STAGES = ini("stages = 2\narray_rows = 8000, 20000\nfields = 2\n",
             "seed = 6\nname = stages\n")
FOLDER = "a b's $HOME `id` \u00fc"  # of the study

# Notes its command line; what is more than that to do, its environment says.
FAKE = """#!/bin/bash
echo "${0##*/} $*" >>"$FAKE_LOG"
case "${0##*/} $1 $2" in
"flux job last") echo 7 ;;
"flux job kill") kill -s "$4" "$(cat "$FAKE_LOG.pid")" ;;
"srun "* | "flux run "*)
    while [ "${1##*/}" != ensrun ]; do shift; done
    echo $$ >"$FAKE_LOG.pid"
    exec mpirun -n 2 --bind-to none "$@"
    ;;
esac
"""

ONE = ("--time", "1h", "--cores", "1")
TWO = ("--time", "1h", "--ranks", "2", "--cores", "2", "--workers", "1")

# system, options, what asks for another time (None: the status does)
SYSTEMS = {
    "slurm": (("--slurm", *ONE), "scontrol requeue 42"),
    "slurm mpirun": (("--slurm", *TWO), "scontrol requeue 42"),
    "slurm srun": (("--slurm", "--launcher", "srun", *TWO),
                   "scontrol requeue 42"),
    "pbs": (("--pbs", *ONE), "qsub -v ENSRUN_RESTARTS=1 job.sh"),
    "pbs mpirun": (("--pbs", *TWO), "qsub -v ENSRUN_RESTARTS=1 job.sh"),
    "lsf": (("--lsf", *ONE), None),
    "lsf mpirun": (("--lsf", *TWO), None),
    "flux": (("--flux", *ONE), "flux --parent batch job.sh"),
    "flux run": (("--flux", *TWO), "flux --parent batch job.sh"),
    "hosts": (("--hosts", "hosts", "--ranks", "2", "--cores", "2",
               "--workers", "1"), None),
}


def printed(work, *arguments, expect=OK, study=None):
    run = work.ensrun("jobscript", *arguments, *([study] if study else []),
                      expect=expect)
    return run.stdout if expect == OK else run.stderr


def lint(path):
    subprocess.run(["bash", "-n", path], check=True)
    check(shutil.which("shellcheck"), "no shellcheck (its Debian package)")
    # SC2016: a name with $ in single quotes is meant as it is
    done = subprocess.run(["shellcheck", "-e", "SC2016", path],
                          capture_output=True, text=True)
    check(done.returncode == 0, f"{path}: {done.stdout}")


def environment(work, more=None):
    """What a batch system gives, its commands on PATH."""
    folder = work.path / "bin"
    folder.mkdir(exist_ok=True)
    for name in ("scontrol", "sbatch", "srun", "qsub", "flux"):
        (folder / name).write_text(FAKE)
        (folder / name).chmod(0o755)
    (work.path / "hosts").write_text("localhost slots=2\n")
    (work.path / "nodes").write_text("localhost\nlocalhost\n")
    return {**mpi.ENV, "PATH": f"{folder}:{os.environ['PATH']}",
            "OMPI_MCA_rmaps_base_oversubscribe": "1",
            "OMPI_MCA_btl_vader_backing_directory": str(work.path),
            "FAKE_LOG": str(work.path / "asked"), "SLURM_JOB_ID": "42",
            "PBS_O_WORKDIR": str(work.path),
            "PBS_NODEFILE": str(work.path / "nodes"),
            "LSB_DJOB_HOSTFILE": str(work.path / "nodes"), **(more or {})}


def asked(work):
    """What the fake commands were asked since the last time."""
    path = work.path / "asked"
    lines = path.read_text().splitlines() if path.exists() else []
    path.unlink(missing_ok=True)
    return [line for line in lines
            if not line.startswith(("srun ", "flux run ", "flux job "))]


def put(work, text, *options):
    """The study in a folder of a hard name, its script as job.sh."""
    folder = work.path / FOLDER
    folder.mkdir(exist_ok=True)
    (folder / "s.ini").write_text(text)
    script = work.path / "job.sh"
    script.write_text(printed(work, *options, study=f"{FOLDER}/s.ini"))
    lint(script)
    return folder / "results"


def start(work, more=None):
    return work.start("job.sh", program="/bin/bash",
                      env=environment(work, more))


def journal_bytes(results):
    return sum(f.stat().st_size for f in results.glob("*/journal/*"))


def signalled(work, results, number, expect, more=None):
    """Start, signal the script alone once tasks are journaled."""
    before = journal_bytes(results)
    job = start(work, more)
    wait_until(lambda: journal_bytes(results) > before + 200 or
               not job.running, 60, f"tasks: {job.stderr}")
    kill(job.pid, number)
    job.wait(60, expect=expect)
    job.expect_no_process(10.0)
    return job


# -- tests -------------------------------------------------------------------

def launch_holds_what_is_printed(work):
    """Each file names the command that prints it."""
    files = sorted((SOURCE / "launch/jobs").glob("*.sh"))
    check(len(files) >= 8, f"few job scripts: {files}")
    for path in files:
        text = path.read_text()
        command = shlex.split(text.split("# Printed by: ")[1].split("\n")[0])
        check(command[0] == "ensrun", f"{path}: {command}")
        done = subprocess.run(command, executable=ENSRUN, text=True,
                              cwd=SOURCE / "launch/examples",
                              capture_output=True)
        check(done.returncode == 0 and done.stdout == text,
              f"{path} is not what {' '.join(command)} prints: {done.stderr}")
        lint(path)
        check(f"`{path.name}`" in (SOURCE / "launch/README.md").read_text(),
              f"launch/README.md does not name {path.name}")


def stops_and_is_queued_again(work):
    reference = work.path / "reference"
    work.run(work.study(STUDY), reference)
    for system, (options, again) in SYSTEMS.items():
        results = put(work, STUDY, *options)
        job = signalled(work, results, signal.SIGUSR1, REQUEUE)
        check("to go on: ensrun" in job.stderr, f"{system}: {job.stderr}")
        found = asked(work)
        check(found == ([again] if again else []), f"{system}: {found}")
        job = start(work, {"SLURM_RESTART_COUNT": "1"})
        job.wait(60, expect=OK)
        check(asked(work) == [], f"{system}: queued again when done")
        work.verify(results / "s")
        expect_same(results / "s", reference, system)
        shutil.rmtree(results)


def cancelled(work):
    """TERM is somebody's wish to end it; a job killed a hundred times, or
    whose study is wrong, is not queued again either."""
    for system, (options, _) in SYSTEMS.items():
        results = put(work, STUDY, *options)
        signalled(work, results, signal.SIGTERM, CANCELLED)
        check(asked(work) == [], f"{system}: a cancelled job is queued again")
        work.verify(results / "s")
        shutil.rmtree(results)
    results = put(work, STUDY, "--slurm", *ONE)
    signalled(work, results, signal.SIGUSR1, REQUEUE,
              {"SLURM_RESTART_COUNT": "100"})
    check(asked(work) == [], "queued again for the 101st time")
    (work.path / FOLDER / "s.ini").write_text("[study]\nkind = none\n")
    start(work).wait(60, expect=BAD)
    check(asked(work) == [], "a wrong study is queued again")


def lost(work):
    """A rank, or a host, that is gone: mpirun says 137 or 205."""
    put(work, STUDY, "--slurm", "--time", "1h", "--nodes", "2", "--cores", "1")
    for code, again in ((137, True), (205, True), (ENVIRONMENT, True),
                        (1, False), (70, False)):
        environ = environment(work)
        fake = work.path / "bin/mpirun"
        fake.write_text(f"#!/bin/sh\nexit {code}\n")
        fake.chmod(0o755)
        work.start("job.sh", program="/bin/bash",
                   env=environ).wait(60, expect=code)
        found = asked(work)
        check(found == ["scontrol requeue 42"] * again, f"{code}: {found}")


def shards(work):
    """An array: each round all shards, then the merge, which sends the next
    round while a stage is open."""
    work.run(work.study(STAGES), work.path / "reference")
    results = put(work, STAGES, "--slurm", "--time", "1h", "--array", "3",
                  "--cores", "2")
    for round_ in (1, 2):
        for k in (1, 2, 3):
            job = start(work, {"SLURM_ARRAY_TASK_ID": str(k),
                               "SLURM_ARRAY_JOB_ID": "77"})
            job.wait(60, expect=OK)
            found = asked(work)
            check((k == 1) == (found != []), f"shard {k} asks for {found}")
            check(k > 1 or ("--array=0 " in found[0] and
                            "--dependency=afterok:77 job.sh" in found[0]),
                  f"{found}")
        job = start(work, {"SLURM_ARRAY_TASK_ID": "0",
                           "SLURM_ARRAY_JOB_ID": "78"})
        job.wait(60, expect=OK)
        found = asked(work)
        check(found == ["sbatch job.sh"] * (round_ == 1),
              f"round {round_}: {found}")
    expect_same(results / "stages", work.path / "reference", "shards")


def a_shard_is_queued_alone(work):
    """SLURM_JOB_ID of the last one is that of the whole array."""
    results = put(work, STUDY, "--slurm", *ONE, "--array", "2")
    signalled(work, results, signal.SIGUSR1, REQUEUE,
              {"SLURM_ARRAY_TASK_ID": "2", "SLURM_ARRAY_JOB_ID": "42"})
    found = asked(work)
    check(found == ["scontrol requeue 42_2"], f"{found}")


def refused(work):
    study = work.study(STUDY)
    for options, text in (
            ((), "for which batch system"),
            (("--slurm", "--pbs"), "does not go with"),
            (("--slurm", "--cores", "4"), "--time TIME is missing"),
            (("--slurm", "--time", "1h"), "--cores N is missing"),
            (("--slurm", "--time", "noon", "--cores", "4"), "expected a time"),
            (("--slurm", "--time", "12:00", "--cores", "4"),
             "expected a time"),
            (("--slurm", "--time", "3m", "--cores", "4"), "no time to work"),
            (("--slurm", "--time", "1s", "--cores", "4"),
             "less than a minute"),
            (("--slurm", *ONE, "--nodes", "0"), "at least 1"),
            (("--slurm", *ONE, "--nodes", "2", "--ranks", "3"),
             "not the same number"),
            (("--slurm", *ONE, "--nodes", "18446744073709551615"),
             "at most 1000000"),
            (("--slurm", *ONE, "--array", "0"), "at least 1"),
            (("--slurm", *ONE, "--array", "121"), "the study has 120 tasks"),
            (("--pbs", *ONE, "--array", "2"), "--array is for --slurm"),
            (("--lsf", *ONE, "--launcher", "srun"),
             "--launcher is for --slurm"),
            (("--slurm", *ONE, "--account", "a b"), "expected letters"),
            (("--slurm", *ONE, "--queue", "a\n#SBATCH -x"),
             "expected letters"),
            (("--slurm", *ONE, "--set", "run.cores=4"), "[run] cores = 4"),
            (("--slurm", *ONE, "--set", "run.grace=2h"), "no time to work"),
            (("--slurm", *ONE, "--set", "run.grace=1 d"), "[run] grace"),
            (("--slurm", *ONE, "--set", "study.replicates=x"), "replicates"),
            (("--slurm", *ONE, "--nodse", "2"), "did you mean --nodes")):
        text_ = printed(work, *options, expect=BAD, study=study)
        check(text in text_, f"{options}: {tail(text_)}")
    text = printed(work, "--slurm", *ONE, expect=BAD, study="none.ini")
    check("none.ini" in text, text)


def follows_the_study(work):
    """Workers by [run] cores and workers, the warning by [run] grace; a results folder
    is a study too."""
    study = work.study(STUDY)
    text = printed(work, "--slurm", "--time", "10h", "--cores", "16", "--set",
                   "run.cores=4", "--set", "run.grace=10m", study=study)
    for part in ("--workers 4 ", "B:USR1@660\n", "--time-limit 35340s"):
        check(part in text, f"no {part} in {text}")
    text = printed(work, "--slurm", *ONE, "--set", "run.workers=3",
                   study=study)
    check("--workers 3 " in text, text)
    work.run(study, work.path / "r")
    text = printed(work, "--pbs", *ONE, study="r")
    check("run r \\\n" in text, text)


main(launch_holds_what_is_printed, stops_and_is_queued_again, cancelled, lost,
     shards, a_shard_is_queued_alone, refused, follows_the_study)
