"""Tasks that kill their workers: exactly the predicted ones."""
from harness import check, count_by, digests, expect_same, ini, predict, table

SEED = 5


def crash(work, n_tasks):
    study = work.study(ini("crash_rate = 0.01\nfields = 2\n",
                           f"seed = {SEED}\nreplicates = {n_tasks}\n",
                           "attempts = 2\n"))
    results = work.path / "r"
    work.run(study, results, expect=1, seconds=1800)
    rows = table(results)
    check(len(rows) == n_tasks, f"{len(rows)} rows, not {n_tasks}")
    predicted = predict(SEED, rows[0]["cell"], n_tasks, crash=0.01)
    check(len(predicted) > 0, "nothing predicted")
    wrong = [row["task"] for row in rows
             if (row["status"] == "crashed")
             != (int(row["replicate"]) in predicted)
             or row["status"] not in ("ok", "crashed")]
    check(not wrong, f"{len(wrong)} tasks not as predicted: {wrong[:5]}; "
          f"{count_by(rows, 'status')}, predicted {len(predicted)}")
    texts = {row["error"] for row in rows if row["status"] == "crashed"}
    check(len(texts) == 1, f"texts of crashes: {texts}")
    work.verify(results)
    work.run(study, results, expect=1)  # all final: nothing runs again
    return digests(results)


def same_with_one_worker(work, n_tasks, reference):
    results = work.path / "one"
    work.run(work.path / "study.ini", results, workers=1, expect=1,
             seconds=1800)
    expect_same(results, reference, "one worker")
