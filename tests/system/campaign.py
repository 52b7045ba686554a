"""Kill campaigns, shared by the samples in CI (test_*) and the long ones
(long_*)."""
import json
import time

import mpi
from harness import OK, check, dice, digests, expect_same, ini, kill, \
    wait_until

# Three stages, arrays, artifacts, several schemas, text; about half a second
# of work, committed every few milliseconds.
STUDY = ini(
    "work_us = 2000\njitter = 0.8\nstages = 3\narray_rows = 30000, 45500\n"
    "fields = 2\npayload_bytes = 3000\ntext_bytes = 40\n"
    "schema_varies = yes\n",
    "seed = 99\n", "commit_every = 10\ncommit_seconds = 0.02\n")


def reference_of(work):
    """(study, digests, seconds of an undisturbed run)."""
    study = work.study(STUDY)
    start = time.monotonic()
    work.run(study, work.path / "reference")
    return study, digests(work.path / "reference"), time.monotonic() - start


def acknowledged(work, results):
    """Finished tasks by stage, as another process reads them; {} before the
    first commit."""
    run = work.ensrun("status", results, "--json", expect=(0, 2))
    if run.code != OK:
        return {}
    return {s["stage"]: s["done"] for s in json.loads(run.stdout)["stages"]}


def expect_not_less(now, before):
    lost = {key: (n, now.get(key, 0)) for key, n in before.items()
            if now.get(key, 0) < n}
    check(not lost, f"acknowledged and lost (stage: before, after): {lost}")


def kill_coordinator(work, n_kills, seed):
    """kill -9 at random moments, resumed each time, until n_kills hit."""
    study, reference, seconds = reference_of(work)
    rng = dice(seed)
    kills = folder = seen = 0
    results = work.path / "r0"
    while kills < n_kills:
        run = work.start_run(study, results, workers=rng.choice((1, 2, 3)))
        time.sleep(rng.uniform(0, 0.8 * seconds))
        before = acknowledged(work, results)
        hit = run.running and kill(run.pid)
        code = run.wait()
        run.expect_no_process(1.0)
        work.expect_no_shm()
        if hit and code == -9:
            kills += 1
            seen += sum(before.values()) > 0
            expect_not_less(acknowledged(work, results), before)
            if any((results / "journal").glob("*.ej")):
                work.verify(results)
            continue
        check(code == OK, f"exit code {code}: {run.stderr}")
        expect_same(results, reference, f"after {kills} kills")
        folder += 1
        results = work.path / f"r{folder}"
    work.run(study, results)
    work.verify(results)
    expect_same(results, reference, f"after {kills} kills")
    check(2 * seen > n_kills, f"only {seen} of {kills} kills came late enough")


def kill_zygote(work, n_kills, seed):
    """The zygote dies at random moments: the run goes on by itself."""
    study, reference, seconds = reference_of(work)
    rng = dice(seed)
    kills = folder = 0
    while kills < n_kills:
        results = work.path / f"z{folder}"
        folder += 1
        run = work.start_run(study, results)
        for _ in range(2):  # three in a minute are too many for one run
            time.sleep(rng.uniform(0, 0.7 * seconds))
            zygote = run.zygote()
            if zygote:
                kills += kill(zygote)
        run.wait(expect=OK)
        run.expect_no_process(1.0)
        work.expect_no_shm()
        work.verify(results)
        expect_same(results, reference, f"after {kills} kills of the zygote")


def kill_worker(work, n_kills, seed):
    """Workers killed from outside: replaced, their tasks run again."""
    study, reference, seconds = reference_of(work)
    rng = dice(seed)
    kills = folder = 0
    slowest = 0.0
    while kills < n_kills:
        results = work.path / f"w{folder}"
        folder += 1
        run = work.start_run(study, results)
        wait_until(lambda: len(run.workers()) == 2 or not run.running, 10,
                   "two workers")
        for _ in range(2):
            time.sleep(rng.uniform(0, 0.4 * seconds))
            before = run.workers()
            if len(before) < 2:
                break
            victim = rng.choice(before)
            start = time.monotonic()
            kills += kill(victim)
            while run.running and time.monotonic() - start < 1:
                now = run.workers()
                if victim not in now and len(now) == 2:
                    slowest = max(slowest, time.monotonic() - start)
                    break
        run.wait(expect=OK)
        run.expect_no_process(1.0)
        work.verify(results)
        expect_same(results, reference, f"after {kills} kills of workers")
    print(f"  slowest replacement: {slowest * 1e3:.0f} ms")
    # 50 ms by measurement on an idle machine; a loaded one gets more.
    check(slowest < 0.5, f"a worker was replaced after {slowest:.3f} s")


def kill_rank(work, n_kills, seed, far=False):
    """kill -9 of a rank of an MPI job, rank 0 as often as any other, resumed
    each time, until n_kills hit."""
    study, reference, seconds = reference_of(work)
    scratch = work.path / "scratch"
    scratch.mkdir()
    env = {"TMPDIR": str(scratch), **({"ENSRUN_FAR": "1"} if far else {})}
    rng = dice(seed)
    kills = folder = seen = 0
    hit = {}
    results = work.path / "r0"
    while kills < n_kills:
        job = mpi.start_run(work, study, results, ranks=3, env=env)
        victim = rng.randrange(3)
        ranks = wait_until(lambda: mpi.ranks(job), 20, "ranks")
        wait_until(lambda: (results / "journal").is_dir() or not job.running,
                   20, "a run that has begun")
        time.sleep(rng.uniform(0.1, 0.9) * seconds)
        before = acknowledged(work, results)
        ranks = mpi.ranks(job)
        killed = job.running and victim in ranks and kill(ranks[victim])
        code = job.wait()
        job.expect_no_process(10.0)
        left = [p.name for p in scratch.iterdir() if "ensrun" in p.name]
        check(not left, f"left in TMPDIR: {left}")
        if killed and code not in (0, 1):
            kills += 1
            hit[victim] = hit.get(victim, 0) + 1
            seen += sum(before.values()) > 0
            expect_not_less(acknowledged(work, results), before)
            if any((results / "journal").glob("*.ej")):
                work.verify(results)
            continue
        check(code == OK, f"exit code {code}: {job.stderr}")
        expect_same(results, reference, f"after {kills} kills of ranks")
        folder += 1
        results = work.path / f"r{folder}"
    mpi.run(work, study, results, ranks=2, env=env)
    work.verify(results)
    expect_same(results, reference, f"after {kills} kills of ranks")
    print(f"  kills by rank: {dict(sorted(hit.items()))}")
    check(4 * seen >= n_kills or n_kills < 5,
          f"only {seen} of {kills} kills came late enough")
