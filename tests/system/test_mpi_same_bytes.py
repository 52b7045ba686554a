#!/usr/bin/env python3
"""Tables and arrays are the same bytes under mpirun, for any number of ranks
and workers of each, as with one worker of the transport fork."""
import mpi
from harness import SOURCE, check, count_by, digests, expect_same, ini, main, \
    table

SHAPES = ((1, 1), (2, 1), (3, 1), (2, 2), (8, 1))  # ranks, workers of each
KINDS = ((1, 1), (2, 1), (3, 1), (8, 1), (64, 1))  # one study of each kind

ONE_STAGE = ini(
    "work_us = 50\njitter = 0.5\nfields = 1, 3\ntext_bytes = 12\n"
    "fail_rate = 0.05\npayload_bytes = 100\nschema_varies = yes\n",
    "seed = 11\nreplicates = 400\n", "commit_every = 100\n")

# Scratch arrays are read by the next stage, `next` hands on stage data.
ARRAYS = ini(
    "work_us = 200\nstages = 3\narray_rows = 7500, 20000\nfields = 2\n"
    "payload_bytes = 64\ntext_bytes = 5\nfail_rate = 0.03\n"
    "schema_varies = yes\n", "seed = 13\n")

# Tasks read arrays of other cells, and of cells that are not in their stage.
READS_ALL = ini("array_rows = 1500, 4000\nstages = 4\nreads_all = yes\n"
                "alone = 2\nparts = 128\nfail_rate = 0.1\n", "seed = 15\n")

DECIDE = ini("array_rows = 3000\nstages = 4\ndecide = 1e5, 1e6, 1e30\n",
             "seed = 14\n")

FATES = ini("fail_rate = 0.05\ncrash_rate = 0.02\nhang_rate = 0.01\n",
            "seed = 8\nreplicates = 200\n",
            "attempts = 2\ntimeout = 0.2\nattempts_timeout = 1\n")

MEMORY = ini("leak_mb = 1, 200\n", "replicates = 20\n", "memory_limit = 64 M\n")

SIMULATION = (SOURCE / "launch/examples/simulation.ini").read_text()
WELLS = (SOURCE / "launch/examples/wells.ini").read_text()

COMMAND = """[study]
kind = command
replicates = 30
[axes]
n = 1, 2
[command]
run = /bin/sh -c "echo x={replicate}; echo y={n}; test {replicate} != 7"
"""


# Every rank but 0 does as if it were on another host that does not see the
# results folder (see src/transport/supervisor.c).
FAR = {"ENSRUN_FAR": "1"}


def same(work, text, expect=0, shapes=SHAPES, arguments=()):
    study = work.study(text)
    work.run(study, work.path / "fork", *arguments, workers=1, expect=expect)
    reference = digests(work.path / "fork")
    for ranks, workers in shapes:
        results = work.path / f"mpi{ranks}x{workers}"
        job = mpi.run(work, study, results, *arguments, ranks=ranks,
                      workers=workers, expect=expect)
        job.expect_no_process(5.0)
        work.verify(results)
        expect_same(results, reference, f"{ranks} ranks of {workers} workers")
    scratch = work.path / "scratch"
    scratch.mkdir()
    results = work.path / "far"
    job = mpi.run(work, study, results, *arguments, ranks=3, expect=expect,
                  env={**FAR, "TMPDIR": str(scratch)})
    job.expect_no_process(5.0)
    work.verify(results)
    expect_same(results, reference, "ranks on other hosts")
    left = [p.name for p in scratch.iterdir() if p.name.startswith("ensrun")]
    check(not left, f"left in TMPDIR: {left}")
    return work.path / "mpi{}x{}".format(*shapes[-1])


def one_stage(work):
    same(work, ONE_STAGE, 1, (*SHAPES, (64, 1)))
    for ranks, least in ((8, 6), (64, 8)):
        used = count_by(table(work.path / f"mpi{ranks}x1", "timings.csv"),
                        "worker")
        check(len(used) >= least,
              f"of {ranks} ranks only workers {sorted(used)} had tasks")


def arrays(work):
    same(work, ARRAYS, 1)


def reads_all(work):
    same(work, READS_ALL, 1, shapes=((2, 1), (2, 2)))


def decide(work):
    same(work, DECIDE)


def fates(work):
    """Crashes, hangs and failures on any rank end as they do locally."""
    results = same(work, FATES, 1, ((2, 1), (3, 1)))
    counts = count_by(table(results), "status")
    check({"ok", "failed", "crashed", "timeout"} == set(counts), f"{counts}")


def memory_limit(work):
    same(work, MEMORY, 1, ((3, 1),))


def simulation(work):
    same(work, SIMULATION, shapes=KINDS,
         arguments=("--set", "study.replicates=50"))


def wells(work):
    (work.path / "wells.csv").write_bytes(
        (SOURCE / "launch/examples/wells.csv").read_bytes())
    same(work, WELLS, shapes=((2, 1), (3, 1)),
         arguments=("--set", "study.replicates=200"))


def command(work):
    same(work, COMMAND, 1, KINDS)


main(one_stage, arrays, reads_all, decide, fates, memory_limit, simulation, wells, command)
