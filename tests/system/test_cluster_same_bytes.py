#!/usr/bin/env python3
"""The same bytes as with one worker on one host, from ranks on two and three
hosts; the results folder on a shared path and on one that rank 0 alone
sees."""
import cluster
from cluster import Cluster
from harness import SOURCE, check, count_by, digests, expect_same, ini, table

# Scratch arrays are read by the next stage, `next` hands on stage data.
ARRAYS = ini(
    "work_us = 200\nstages = 3\narray_rows = 7500, 20000\nfields = 2\n"
    "payload_bytes = 64\ntext_bytes = 5\nfail_rate = 0.03\n"
    "schema_varies = yes\n", "seed = 13\n")

FATES = ini("fail_rate = 0.05\ncrash_rate = 0.02\nhang_rate = 0.01\n",
            "seed = 8\nreplicates = 200\n",
            "attempts = 2\ntimeout = 0.5\nattempts_timeout = 1\n")

SIMULATION = (SOURCE / "launch/examples/simulation.ini").read_text()

COMMAND = """[study]
kind = command
replicates = 30
[axes]
n = 1, 2
[command]
run = /bin/sh -c "echo x={replicate}; echo y={n}; test {replicate} != 7"
"""


def same(work, text, *arguments, expect=0, shapes=((2, 2, 1), (3, 6, 2))):
    """shapes: hosts, ranks, workers of each."""
    study = work.study(text)
    work.run(study, work.path / "fork", *arguments, workers=1, expect=expect)
    reference = digests(work.path / "fork")
    with Cluster(work, 3) as hosts:
        for n, ranks, workers in shapes:
            for folder in (work.path, hosts.node):
                results = folder / f"r{n}"
                job = hosts.run(study, results, *arguments, ranks=ranks,
                                workers=workers, hosts=hosts.names[:n],
                                expect=expect)
                if folder == hosts.node:
                    check(not results.exists(), "the head sees the results")
                    results = fetch(hosts, job, results)
                work.verify(results)
                expect_same(results, reference,
                            f"{ranks} ranks on {n} hosts, in {folder}")
                used = count_by(table(results, "timings.csv"), "worker")
                check(len(used) >= n, f"only workers {sorted(used)} had tasks")
        left = {h: hosts.on(h, "ls", hosts.node).stdout.split()
                for h in hosts.names}
        check(not any(name.startswith("ensrun") for names in left.values()
                      for name in names), f"left on the hosts: {left}")


def fetch(hosts, job, results):
    """A folder that only rank 0's host (the first) has, for the head."""
    copy = hosts.work.path / f"copy-{results.name}"
    hosts.on(hosts.names[0], "cp", "-a", results, copy)
    for other in hosts.names[1:]:
        found = hosts.on(other, "ls", results, check=False)
        check(found.returncode != 0, f"{other} has {results}: {found.stdout}")
    return copy


def arrays(work):
    same(work, ARRAYS, expect=1)


def fates(work):
    """Crashes, hangs and failures on any host end as they do locally."""
    same(work, FATES, expect=1, shapes=((3, 3, 1),))


def simulation(work):
    same(work, SIMULATION, "--set", "study.replicates=20000",
         shapes=((2, 4, 1),))


def command(work):
    same(work, COMMAND, expect=1, shapes=((3, 3, 1),))


cluster.main(arrays, fates, simulation, command)
