#!/usr/bin/env python3
"""kill -9 of a rank, a daemon or the launcher at random moments from the start
until tasks run, while inputs are copied to hosts that do not see them: nothing
is left on any host, and in the end the bytes are those of a local run."""
import time

import cluster
from cluster import Cluster
from harness import check, dice, digests, expect_same, kill
from test_cluster_staging import expect_nothing_left, hide, prepare, used

KILLS = 50
SECONDS = 2.5  # from the start; copies are made in the middle of that


def victim(hosts, job, random):
    """A process of the job that is there now: (name, pid)."""
    ranks = hosts.ranks(job)
    found = [(f"rank {r} on {h}", pid) for r, (h, pid) in ranks.items()]
    found += [(f"daemon on {h}", pid) for h in hosts.names
              for pid in hosts.processes(h, "orted")]
    found.append(("launcher", job.pid))
    return random.choice(sorted(found))


def random_kills(work):
    study, folder = prepare(work, "sleep_us = 20000\n", n_bytes=150 << 20,
                            replicates=200)
    work.run(study, work.path / "local", workers=8)
    reference = digests(work.path / "local")
    seed = 20261122
    random = dice(seed)
    killed = {}
    with Cluster(work, 3) as hosts:
        before = {h: used(hosts, h) for h in hosts.names}
        hide(hosts, folder, "h2", "h3")
        for name in ("h2", "h3"):
            hosts.slow(name)
        for n in range(KILLS):
            job = hosts.start_run(study, work.path / f"r{n // 5}",
                                  "--set", "run.lock_wait=2 s", ranks=6)
            moment = random.uniform(0.2, SECONDS)
            time.sleep(moment)
            name, pid = victim(hosts, job, random)
            kill(pid)
            job.wait(60)
            hosts.expect_gone(job, 20)
            expect_nothing_left(hosts, before)
            killed[name.split()[0]] = killed.get(name.split()[0], 0) + 1
            job.close()
            if n % 5 == 4:
                hosts.run(study, work.path / f"r{n // 5}", "--set",
                          "run.lock_wait=2 s", ranks=6)
                expect_same(work.path / f"r{n // 5}", reference,
                            f"after kill {n}, seed {seed}")
    print(f"  kills: {killed}", flush=True)
    check(len(killed) == 3, "not all sorts of processes were killed")


cluster.main(random_kills)
