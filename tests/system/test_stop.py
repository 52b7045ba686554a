#!/usr/bin/env python3
"""Adaptive replicates: cells stop where a naive reading of their records says,
in the same bytes whatever the workers, transports, kills, resumes, edits and
shards."""
import json
import re
import time

from harness import BAD, OK, REQUEUE, SOME_FAILED, check, dice, digests, \
    expect_same, ini, kill, main, table, wait_until
from stops import bias_and_coverage, by_cell, expect_stops, expected_stops, \
    fates, mean_of_value1, simulation, without_stop

def full_run(work, text, expect=OK):
    work.run(work.study(without_stop(text), "full.ini"), work.path / "full",
             expect=expect)
    return table(work.path / "full")


def done(work, results):
    run = work.ensrun("status", results, "--json", expect=(0, 2))
    return json.loads(run.stdout)["done"] if run.code == OK else 0


# -- tests -------------------------------------------------------------------

def as_a_reader_would(work):
    text = simulation()
    study = work.study(text)
    stops = expected_stops(full_run(work, text), bias_and_coverage, 60, 40,
                           1500)
    check(len({at for at, _ in stops.values()}) > 4, f"too alike: {stops}")
    run = work.run(study, work.path / "a")
    expect_stops(work.path / "a", stops, table(work.path / "full"))
    met = sum(m for _, m in stops.values())
    check(f"{met} of {len(stops)} cells met the rules" in run.stderr,
          run.stderr)
    task = table(work.path / "a")[-1]
    shown = work.ensrun("show", work.path / "a", task["task"]).stdout
    check("status       ok" in shown, shown)
    behind = task["task"][:-5] + f"{int(task['replicate']) + 1:05}"
    shown = work.ensrun("show", work.path / "a", behind, expect=BAD).stderr
    check("behind where its cell stopped" in shown, shown)
    again = work.run(study, work.path / "a")
    check("was finished already" in again.stderr, again.stderr)
    check(f"{met} of {len(stops)} cells met" in again.stderr, again.stderr)


def failed_tasks(work):
    text = fates()
    study = work.study(text)
    full = full_run(work, text, expect=SOME_FAILED)
    stops = expected_stops(full, mean_of_value1(0.028), 40, 15, 400)
    run = work.run(study, work.path / "a", expect=SOME_FAILED)
    expect_stops(work.path / "a", stops, full)
    ok = sum(row["status"] == "ok" for row in table(work.path / "a"))
    check(f" {ok} ok" in run.stderr, run.stderr)
    status = json.loads(work.ensrun("status", work.path / "a",
                                    "--json").stdout)
    check(status["ok"] == ok and status["left"] == 0 and
          status["tasks"] == len(table(work.path / "a")), f"{status}")
    # what is behind a stop is nowhere
    out = work.path / "failures.csv"
    work.ensrun("export", work.path / "a", "--table", "failures", "-o", out)
    check(len(out.read_text().splitlines()) - 1 ==
          len(table(work.path / "a")) - ok, "failures")
    files = work.path / "payloads"
    work.ensrun("export", work.path / "a", "--artifact", "payload", "--files",
                "-o", files)
    check(sum(f.is_file() for f in files.rglob("*")) == ok, "payloads")
    work.verify(work.path / "a")


def same_bytes(work):
    for name, text, code in (("simulation", simulation(), OK),
                             ("fates", fates(), SOME_FAILED)):
        study = work.study(text, f"{name}.ini")
        results = work.path / name
        work.run(study, results, workers=1, expect=code)
        reference = digests(results)
        for workers in (2, 8):
            work.run(study, work.path / f"{name}{workers}", workers=workers,
                     expect=code)
            expect_same(work.path / f"{name}{workers}", reference,
                        f"{name}: {workers} workers")
    study = work.study(simulation(), "simulation.ini")
    work.run(study, work.path / "inline", workers=1, transport="inline")
    expect_same(work.path / "inline", digests(work.path / "simulation"),
                "inline")


def killed(work):
    """kill -9 of coordinator, zygote and workers, until it is through."""
    text = fates(cells="1, 2, 3, 4", below="0.025").replace(
        "sleep_us = 300", "sleep_us = 700")
    study = work.study(text)
    start = time.monotonic()
    work.run(study, work.path / "reference", expect=SOME_FAILED)
    seconds = time.monotonic() - start
    reference = digests(work.path / "reference")
    rng = dice(5)
    kills = {"coordinator": 0, "zygote": 0, "worker": 0}
    folder = 0
    while min(kills.values()) < 2:
        results = work.path / f"r{folder}"
        run = work.start_run(study, results, workers=rng.choice((1, 2, 5)))
        time.sleep(rng.uniform(0, 0.7 * seconds))
        who = rng.choice(list(kills))
        victims = {"coordinator": [run.pid], "zygote": [run.zygote()],
                   "worker": run.workers()}[who] if run.running else []
        if victims and victims[0]:
            kills[who] += kill(rng.choice(victims))
        if who == "coordinator" and victims:
            run.wait()
            run.expect_no_process(5.0)
            continue  # resumed in the same folder
        run.wait(expect=SOME_FAILED)
        expect_same(results, reference, f"after {kills}")
        folder += 1
    work.run(study, results, expect=SOME_FAILED)
    work.verify(results)
    expect_same(results, reference, f"after {kills}")


def loosened_and_tightened(work):
    full = full_run(work, simulation())
    holds = {}
    for bias in (0.02, 0.03, 0.05):
        for every in (40, 25):
            rule = f"mcse(bias, x1) < {bias}, mcse(coverage, *) < 0.012"
            study = work.study(simulation(rule=rule, every=every),
                               f"{bias}-{every}.ini")
            stops = expected_stops(
                full, lambda rows, b=bias: bias_and_coverage(rows, b), 60,
                every, 1500)
            holds[bias, every] = (study, stops)
    results = work.path / "r"
    for key in ((0.03, 40), (0.02, 40), (0.05, 25), (0.03, 25), (0.02, 25),
                (0.05, 40), (0.02, 40)):
        study, stops = holds[key]
        work.run(study, results)
        expect_stops(results, stops, full)
    # a longer, and a shorter run of the same
    for replicates in (1500, 200, 900, 1500):
        study = work.study(simulation(replicates=replicates))
        stops = expected_stops(full, bias_and_coverage, 60, 40, replicates)
        run = work.run(study, results)
        expect_stops(results, stops, full)
        unmet = sum(not met for _, met in stops.values())
        check((unmet > 0) == ("warning:" in run.stderr), run.stderr)
        if unmet:
            check(f"warning: {unmet} cell" in run.stderr, run.stderr)
    # without rules all replicates come, with them again only some
    work.run(work.path / "full.ini", results)
    expect_same(results, work.path / "full", "without [stop]")
    study, stops = holds[0.05, 40]
    work.run(study, results)
    expect_stops(results, stops, full)


def edited(work):
    """Cells come and go; those that stay keep where they stop."""
    results = work.path / "r"
    work.run(work.study(fates(cells="1, 2")), results, expect=SOME_FAILED)
    for cells in ("2, 5, 1", "3", "1, 2, 3, 5"):
        study = work.study(fates(cells=cells))
        work.run(study, results, expect=SOME_FAILED)
        work.run(study, work.path / f"new{cells}", expect=SOME_FAILED)
        expect_same(results, work.path / f"new{cells}", f"cells {cells}")
        work.verify(results)


def gaps(work):
    """Single tasks first, in no order: what is ahead of a gap waits."""
    study = work.study(simulation())
    work.run(study, work.path / "reference")
    results = work.path / "r"
    rng = dice(3)
    for _ in range(4):
        names = {f"d{rng.randint(1, 6):03}_f{rng.randint(1, 2):03}_"
                 f"r{rng.randint(1, 700):05}" for _ in range(40)}
        work.run(study, results, "--only", ",".join(sorted(names)))
    work.run(study, results, "--where", "data_n=20")
    work.run(study, results)
    expect_same(results, work.path / "reference", "after single tasks")


def retried(work):
    """A retry that changes nothing, kills in between."""
    study = work.study(fates())
    work.run(study, work.path / "reference", expect=SOME_FAILED)
    results = work.path / "r"
    work.run(study, results, expect=SOME_FAILED)
    rng = dice(4)
    for _ in range(3):
        run = work.start_run(study, results, "--retry-failed")
        wait_until(lambda: not run.running or done(work, results) > 0, 20,
                   "a commit")
        time.sleep(rng.uniform(0, 0.2))
        kill(run.pid)
        run.wait()
        run.expect_no_process(5.0)
        work.run(study, results, expect=SOME_FAILED)
        expect_same(results, work.path / "reference", "after a retry")
    work.run(study, results, "--retry-failed", expect=SOME_FAILED)
    expect_same(results, work.path / "reference", "after a whole retry")


def repaired(work):
    """Tasks that fail until a file is there: retried, their cells stop where
    those of a run do in which it always was."""
    text = """[study]
kind = command
replicates = 400
[axes]
k = 3, 5, 7
[command]
run = sh -c 'echo y=$(({replicate} * 7919 % 101)); test -e FILE || \
    test $(({replicate} % {k})) -gt 0'
fields = y:int
[stop]
rule = mcse(mean, y) < 3, mcse(sd, *) < 2.5
min = 20
every = 10
""".replace("FILE", str(work.path / "there"))
    study = work.study(text)
    work.run(study, work.path / "a", expect=SOME_FAILED)
    before = by_cell(table(work.path / "a"))
    (work.path / "there").write_text("")
    work.run(study, work.path / "a", "--retry-failed")
    work.run(study, work.path / "b")
    after = by_cell(table(work.path / "b"))
    check({c: len(t) for c, t in before.items()} !=
          {c: len(t) for c, t in after.items()}, "nothing moved")
    expect_same(work.path / "a", work.path / "b", "repaired")
    work.verify(work.path / "a")


def stopped(work):
    """A signal, and --time-limit, leave cells open; a resume ends them."""
    text = fates(below="0.02").replace("sleep_us = 300", "sleep_us = 3000")
    study = work.study(text)
    results = work.path / "r"
    run = work.start_run(study, results)
    wait_until(lambda: done(work, results) > 0, 20, "a commit")
    kill(run.pid, 15)
    run.wait(expect=REQUEUE)
    check("left" in run.stderr, run.stderr)
    limited = work.run(study, results, "--time-limit", "1s",
                       expect=(REQUEUE, SOME_FAILED))
    check(limited.code == SOME_FAILED or "run again" in limited.stderr,
          limited.stderr)
    work.run(study, results, expect=SOME_FAILED)
    work.run(study, work.path / "reference", expect=SOME_FAILED)
    expect_same(results, work.path / "reference", "stopped and resumed")


def shards(work):
    for name, text, code in (("simulation", simulation(), OK),
                             ("fates", fates(), SOME_FAILED)):
        study = work.study(text, f"{name}.ini")
        work.run(study, work.path / f"{name}-one", expect=code)
        folders = []
        for k in range(1, 4):
            folders.append(work.path / f"{name}-{k}")
            work.ensrun("run", study, "--shard", f"{k}/3", "--workers", 2,
                        "--results", folders[-1], "--progress", "none")
        cells = [set(by_cell(rows)) for rows in
                 (json_tasks(work, folder) for folder in folders)]
        check(sum(map(len, cells)) == len(set().union(*cells)),
              f"{name}: a cell is in two shards")
        work.ensrun("merge", *folders, "-o", work.path / f"{name}-all",
                    expect=code)
        expect_same(work.path / f"{name}-all", work.path / f"{name}-one",
                    f"{name}: merged")


def json_tasks(work, results):
    out = work.path / "tasks.jsonl"
    work.ensrun("export", results, "--table", "tasks", "--to", "jsonl", "-o",
                out)
    return [json.loads(line) for line in out.read_text().splitlines()]


def never_far_ahead(work):
    """What is run in vain is bounded by workers and cells at work."""
    text = ini("sleep_us = 2000\njitter = 1\nfields = 1, 2, 3\n",
               "seed = 3\nreplicates = 100000\n", "",
               "[stop]\nrule = mcse(mean, value1) < 0.02\nmin = 50\n"
               "every = 10\n")
    run = work.run(work.study(text), work.path / "r", workers=8)
    new = int(re.search(r"(\d+) now in", run.stderr)[1])
    kept = len(table(work.path / "r"))
    check(kept <= new <= kept + 3 * (4 * 8 + 16), f"{new} run, {kept} kept")


def long_tasks_are_freed(work):
    """Tasks far longer than the rest, behind the stop: not waited for."""
    # Replicates 1..60 are short; the program sleeps from then on.
    text = f"""[study]
kind = command
replicates = 5000
[command]
run = sh -c 'echo y={{replicate}}; [ {{replicate}} -le 60 ] || exec sleep 300'
[stop]
rule = mcse(mean, y) < 1e9
min = 60
every = 60
"""
    run = work.run(work.study(text), work.path / "r", workers=4, seconds=60)
    check(len(table(work.path / "r")) == 60, run.stderr)
    run.expect_no_process(5.0)


def said(work):
    text = simulation()
    plan = work.ensrun("plan", work.study(text)).stdout
    for words in ("at most 18000 in stage fit",
                  "mcse(bias, x1) < 0.02, mcse(coverage, *) < 0.012",
                  "60, 100, 140", "shards   one round"):
        check(words in plan, f"{words}: {plan}")
    pilot = work.ensrun("plan", work.path / "study.ini", "--pilot",
                        5).stdout
    check("at most: cells may stop earlier" in pilot, pilot)
    cases = (
        ("mcse(bais, x1) < 0.1", "no cell has a measure \"bais\"; measures: "
         "mean, sd, model_se, bias"),
        ("mcse(bias, x9) < 0.1", "no cell has a bias of \"x9\"; terms: "
         "intercept, x1, or *"),
        ("bias < 0.1", "mcse(MEASURE, TERM) < NUMBER"),
        ("mcse(bias, x1)", "mcse(MEASURE, TERM) < NUMBER"),
        ("mcse(, x1) < 1", "no measure"),
        ("mcse(bias, ) < 1", "no term"),
        ("mcse(bias, x1) < 0", "not a number above 0"),
        ("mcse(bias, x1) < nan", "not a number above 0"),
        ("mcse(bias, x1) < inf", "not a number above 0"),
        ("mcse(bias, x1) < few", "not a number above 0"),
        ("mcse(bias, x1) < 1, mcse(x", "brackets"),
    )
    for rule, words in cases:
        run = work.ensrun("run", work.study(simulation(rule=rule)),
                          "--results", work.path / "bad", expect=BAD)
        check(words in run.stderr and "study.ini:" in run.stderr and
              "[stop] rule" in run.stderr, f"{rule}: {run.stderr}")
        check(not (work.path / "bad").exists(), "something was written")
    for text, words in (
            (simulation(replicates=59), "min 60"),
            (simulation(first=1), "below 2"),
            (simulation(every=0), "below 1"),
            (simulation().replace("slope = 2", "slope = 2").replace(
                "[stop]", "[metrics]\nuse = bias\n[stop]"),
             "no cell has a measure \"coverage\""),
            (ini("stages = 2", "replicates = 90",
                 more="[stop]\nrule = mcse(mean, value1) < 1"),
             "more than one stage"),
            (ini("array_rows = 2000", "replicates = 90",
                 more="[stop]\nrule = mcse(mean, value1) < 1"),
             "fix the number of tasks"),
    ):
        run = work.ensrun("run", work.study(text), "--results",
                          work.path / "bad", expect=BAD)
        check(words in run.stderr, f"{words}: {run.stderr}")


def many_cells(work):
    """Memory does not grow with cells and tasks, but for some bytes each."""
    peak = {}
    for n in (1000, 100000):
        text = ini(f"fields = 1\ndecide = 1:{n // 100}\n"
                   "jitter = 0:0.99:0.01\n",
                   "seed = 1\nreplicates = 1000\n",
                   "commit_seconds = 1\ntable_rows = 0\n",
                   "[stop]\nrule = mcse(mean, value1) < 0.2\nmin = 3\n"
                   "every = 2\n")
        run = work.start_run(work.study(text, f"{n}.ini"), work.path / str(n))
        high = 0
        while run.running:
            try:
                with open(f"/proc/{run.pid}/status", encoding="ascii") as f:
                    high = max(high, int(re.search(r"RssAnon:\s+(\d+)",
                                                   f.read())[1]))
            except (OSError, TypeError):
                pass
            time.sleep(0.02)
        run.wait(expect=OK)
        peak[n] = high / 1024
        check(f"{n} of {n} cells met" in run.stderr, run.stderr)
        print(f"  {n} cells: {peak[n]:.1f} MiB")
    check(peak[100000] < peak[1000] + 24, f"MiB: {peak}")


main(as_a_reader_would, failed_tasks, same_bytes, killed,
     loosened_and_tightened, edited, gaps, retried, repaired, stopped, shards,
     never_far_ahead, long_tasks_are_freed, said, many_cells)
