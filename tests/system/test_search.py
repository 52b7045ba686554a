#!/usr/bin/python3
"""Model selection: a grid and random draws of settings, in every preprocessing
case; scores against numpy; more draws fit nothing again."""
import csv
import json

import numpy as np

from harness import BAD, SOME_FAILED, check, expect_same, main, table

FOLDS = 4


def save(work, n=203, p=4):
    r = np.random.RandomState(8)
    x = r.uniform(-1, 1, size=(n, p))
    y = np.sin(3 * x[:, 0]) + x[:, 1] ** 2 + 0.3 * r.standard_normal(n)
    np.save(work.path / "X.npy", x)
    np.save(work.path / "y.npy", y)
    return x, y


def study(work, draws, scorer="rmse", more="", name="study.ini"):
    return work.study(
        "[study]\nkind = superlearner\nname = s\nseed = 11\n[inputs]\n"
        "X = X.npy\ny = y.npy\n[superlearner]\ntype = select\n"
        f"folds = {FOLDS}\nscorer = {scorer}\n"
        "[case plain]\n[case poly]\npreprocess = poly(2)\n"
        "[learner drawn]\nlearner = ridge\ncase = plain, poly\n"
        f"grid = random({draws}, alpha = loguniform(1e-3, 1e4))\n"
        "[learner listed]\nlearner = ridge\ncase = plain\n"
        f"alpha = 0.5, 50\n{more}", name)


def search(work, results):
    text = work.ensrun("export", results, "--table", "search", "--to",
                       "csv").stdout
    return list(csv.DictReader(text.splitlines()))


def ridge(x, y, new, alpha):
    xm, ym = x.mean(0), y.mean()
    a = (x - xm).T @ (x - xm) + alpha * np.eye(x.shape[1])
    return ym + (new - xm) @ np.linalg.solve(a, (x - xm).T @ (y - ym))


def score(y, p, scorer):
    mse = np.mean((y - p) ** 2)
    return np.sqrt(mse) if scorer == "rmse" else 1 - mse / np.var(y)


def by_hand(x, y, case, alpha, scorer):
    """Mean and sd of test, then of train scores."""
    found = []
    if case == "poly":
        i, j = np.triu_indices(x.shape[1])
        x = np.column_stack([x, x[:, i] * x[:, j]])
    for test in np.array_split(np.arange(len(y)), FOLDS):
        train = np.setdiff1d(np.arange(len(y)), test)
        found.append([score(y[rows], ridge(x[train], y[train], x[rows], alpha),
                            scorer) for rows in (test, train)])
    found = np.array(found)
    return np.column_stack([found.mean(0), found.std(0)]).ravel()


def number(row, *keys):
    return np.array([float(row[key]) for key in keys])


def scores(work, scorer):
    x, y = save(work)
    results = work.path / scorer
    work.run(study(work, 6, scorer), results)
    rows = search(work, results)
    check(len(rows) == 2 * 6 + 2, f"{len(rows)} rows")
    alphas = set()
    for row in rows:
        alpha = float(row["learner"].split("=")[1][:-1])
        alphas.add(alpha)
        expected = by_hand(x, y, row["case"], alpha, scorer)
        found = number(row, "score", "score_sd", "train_score",
                       "train_score_sd")
        check(np.allclose(found, expected, rtol=1e-8), f"{row}: {expected}")
    check(len(alphas) == 8 and all(1e-3 <= a <= 1e4 for a in alphas),
          f"{alphas}")
    value = number_of(rows, "score") * (1 if scorer == "rmse" else -1)
    check(all(np.diff(value) >= 0), f"not in order: {value}")
    check([int(row["rank"]) for row in rows] == list(range(1, 15)), f"{rows}")
    for section, n in (("drawn", 12), ("listed", 2)):
        own = [int(row["rank_in_section"]) for row in rows
               if row["learner"].startswith(section)]
        check(own == list(range(1, n + 1)), f"{section}: {own}")
    shown = work.ensrun("show", results).stdout
    check("search: " in shown and rows[0]["learner"] in shown, shown)
    check("risks: " not in shown, shown)


def number_of(rows, key):
    return np.array([float(row[key]) for row in rows])


def smaller_is_better(work):
    scores(work, "rmse")


def larger_is_better(work):
    scores(work, "r2")


def fits(results):
    return {(row["cell"], row["replicate"]): row["score"]
            for row in table(results) if row["fold"] != ""}


def more_draws(work):
    """Each draw is tasks of its own, and stays when there are more."""
    save(work)
    results = work.path / "r"
    work.run(study(work, 5), results)
    before = fits(results)
    check(len(before) == (2 * 5 + 2) * FOLDS, f"{len(before)} fits")
    run = work.run(study(work, 9), results, "--json")
    new = json.loads(run.stdout)["new"]
    check(new == 2 * 4 * FOLDS, f"{new} new tasks")
    after = fits(results)
    check(before.items() <= after.items(), "a draw has changed")
    check(len(after) == (2 * 9 + 2) * FOLDS, f"{len(after)} fits")
    for workers in (1, 3):
        fresh = work.path / f"fresh{workers}"
        work.run(study(work, 9), fresh, workers=workers)
        expect_same(results, fresh, f"{workers} workers, all at once")
    text = (results / "study.ini").read_text()
    check("random(" not in text and "grid = (alpha)" in text, text)
    work.ensrun(results, "--progress", "none")
    expect_same(results, work.path / "fresh1", "by its own study.ini")


def in_parts(work):
    """The fits of one case, then the others."""
    save(work)
    results, path = work.path / "r", study(work, 6)
    new = [json.loads(work.run(path, results, "--json", *more).stdout)["new"]
           for more in (("--where", "case=plain"), (), ())]
    fresh = work.run(path, work.path / "fresh", "--json")
    check(new[0] >= 8 * FOLDS and new[1] >= 6 * FOLDS
          and new == [new[0], json.loads(fresh.stdout)["ok"] - new[0], 0],
          f"{new}: {fresh.stdout}")
    expect_same(results, work.path / "fresh", "in two parts")


def drawn_case(work):
    """Preprocessing is drawn as other settings are."""
    x, y = save(work)
    path, results = study(work, 8), work.path / "r"
    path.write_text(path.read_text().replace("case = plain, poly\n", "").replace(
        "random(8, ", "random(8, case = choice(plain, poly), "))
    work.run(path, results)
    rows = [row for row in search(work, results)
            if row["learner"].startswith("drawn")]
    check(len(rows) == 8 and {row["case"] for row in rows}
          == {"plain", "poly"}, f"{rows}")
    for row in rows:
        alpha = float(row["learner"].split("=")[1][:-1])
        expected = by_hand(x, y, row["case"], alpha, "rmse")
        check(np.allclose(number(row, "score", "train_score"), expected[::2],
                          rtol=1e-8), f"{row}: {expected}")


def failing(work):
    """A learner of which fits fail has no rank and comes last."""
    save(work)
    results = work.path / "r"
    work.run(study(work, 3, more="[learner knn]\nk = 100000, 5\n"), results,
             expect=SOME_FAILED)
    rows = search(work, results)
    check([row["rank"] for row in rows]
          == [*map(str, range(1, 3 * 2 + 2 + 2)), ""], f"{rows}")
    check(rows[-1]["learner"] == "knn[k=100000]"
          and rows[-1]["failed"] == str(FOLDS)
          and rows[-1]["score"] == "", f"{rows[-1]}")


def wrong(work):
    save(work)
    for grid, says in (
            ("random(3, aplha = uniform(0, 1))", "did you mean alpha?"),
            ("random(3, alpha = uniform(1, 0))", "not below the second"),
            ("random(3, alpha = loguniform(0, 1))", "above 0"),
            ("random(2, alpha = uniform(-2, -1))", "combination 1: alpha: -"),
            ("random(3)", "no key is drawn"),
            ("random(x, alpha = uniform(0, 1))", "number of combinations"),
            ("random(3, alpha = choice(1, 2))", "only 2 different")):
        path = study(work, 3)
        path.write_text(path.read_text().replace(
            "grid = random(3, alpha = loguniform(1e-3, 1e4))",
            f"grid = {grid}"))
        run = work.ensrun("plan", path, expect=BAD)
        check(says in run.stderr and "study.ini:" in run.stderr
              and "[learner drawn] grid:" in run.stderr, run.stderr)


main(smaller_is_better, larger_is_better, more_draws, in_parts, drawn_case,
     failing, wrong)
