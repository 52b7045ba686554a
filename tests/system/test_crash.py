#!/usr/bin/env python3
"""crash_rate: exactly the predicted tasks crash, all others are ok."""
from crashes import crash, same_with_one_worker
from harness import check, count_by, ini, main, predict, table


def sigsegv(work):
    crash(work, 20000)


def any_number_of_workers(work):
    same_with_one_worker(work, 2000, crash(work, 2000))


def every_fate(work):
    """fail, crash, abort and hang in one study."""
    rates = dict(fail=0.05, crash=0.02, abort=0.02, hang=0.01)
    study = work.study(ini(
        "".join(f"{key}_rate = {rate}\n" for key, rate in rates.items()),
        "seed = 8\nreplicates = 300\n",
        "attempts = 2\ntimeout = 0.2\nattempts_timeout = 1\n"))
    work.run(study, work.path / "r", expect=1)
    rows = table(work.path / "r")
    fates = predict(8, rows[0]["cell"], 300, **rates)
    check(set(fates.values()) == {"fail", "crash", "abort", "hang"},
          f"predicted only {set(fates.values())}")
    becomes = {"fail": "failed", "crash": "crashed", "abort": "crashed",
               "hang": "timeout", None: "ok"}
    wrong = [(row["task"], row["status"]) for row in rows
             if row["status"] != becomes[fates.get(int(row["replicate"]))]]
    check(not wrong, f"not as predicted: {wrong[:5]}")


def memory_limit(work):
    """Tasks that leak die at the limit, alone."""
    study = work.study(ini("leak_mb = 1, 200\n", "replicates = 20\n",
                           "memory_limit = 64 M\n"))
    work.run(study, work.path / "r", expect=1)
    for row in table(work.path / "r"):
        big = row["synthetic_leak_mb"] == "200"
        check(row["status"] == ("crashed" if big else "ok"),
              f"{row['task']}: {row['status']} {row['error']}")
        check(not big or row["error"] == "memory limit",
              f"error: {row['error']}")


def memory_adds_up(work):
    """What earlier tasks have kept is not the fault of those behind them."""
    study = work.study(ini("leak_mb = 30\narray_rows = 20000\nstages = 2\n",
                           "seed = 9\n", "memory_limit = 100 M\n"))
    for workers in (1, 3):
        results = work.path / f"r{workers}"
        work.run(study, results, workers=workers)
        rows = table(results)
        check(all(row["status"] == "ok" for row in rows) and len(rows) == 40,
              f"{count_by(rows, 'status')}")
        work.verify(results)


main(sigsegv, any_number_of_workers, every_fate, memory_limit,
     memory_adds_up)
