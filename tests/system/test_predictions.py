#!/usr/bin/python3
"""`ensrun predict`: new rows by super learners of every shape, from the file
that a run leaves, against what numpy makes of the same fits."""
import csv
import shutil
import signal

import numpy as np

from harness import BAD, ENVIRONMENT, OK, SOME_FAILED, check, kill, main, \
    table, wait_until

NEW = 300


def save(work, seed=1, n=600, p=4):
    r = np.random.RandomState(seed)
    x = r.uniform(size=(n, p))
    y = 3 * x[:, 0] - 2 * x[:, 1] + x[:, 2] ** 2 + 0.1 * r.standard_normal(n)
    new = r.uniform(size=(NEW, p))
    np.save(work.path / "X.npy", x)
    np.save(work.path / "y.npy", y)
    np.save(work.path / "new.npy", new)
    return x, y, new


def study(work, rows, more="", inputs="X = X.npy\ny = y.npy\n"):
    return work.study("[study]\nkind = superlearner\nseed = 3\n[inputs]\n" +
                      inputs + "[superlearner]\nfolds = 3\n" + more + rows)


def predict(work, model, rows, *more, expect=OK):
    """The predictions, from .npy."""
    out = work.path / "p.npy"
    out.unlink(missing_ok=True)
    done = work.ensrun("predict", model, "--input", rows, "-o", out, *more,
                       expect=expect)
    if expect != OK:
        check(not out.exists(), "an error left a file")
        return done.stderr
    return np.load(out)


def lines(work, model, rows, *more):
    text = work.ensrun("predict", model, "--input", rows, *more).stdout
    return list(csv.reader(text.splitlines()))


def near(a, b, text, tol=1e-8):
    check(a.shape == b.shape, f"{text}: {a.shape}, not {b.shape}")
    worst = np.abs(a - b).max()
    check(worst <= tol, f"{text}: {worst}")


def least_squares(x, y, new):
    one = np.column_stack([np.ones(len(x)), x])
    b = np.linalg.lstsq(one, y, rcond=None)[0]
    return np.column_stack([np.ones(len(new)), new]) @ b


OLS = "[learner ols]\nlearner = ols\n"
MEAN = "[learner avg]\nlearner = mean\n"


def weighted_learners(work):
    x, y, new = save(work)
    work.run(study(work, OLS + MEAN + "[meta]\nlearner = average\n"), "s")
    got = predict(work, "s", "new.npy")
    want = (least_squares(x, y, new) + y.mean()) / 2
    near(got, want, "average of ols and mean")
    check(got.dtype == np.float64 and got.shape == (NEW,), str(got.shape))
    # one row, columns of a CSV, the file elsewhere: the same numbers
    np.save(work.path / "one.npy", new[7:8])
    check(predict(work, "s", "one.npy")[0] == got[7], "a row alone")
    np.savetxt(work.path / "new.csv", new, delimiter=",", comments="",
               header="a,b,c,d", fmt="%.17g")
    text = lines(work, "s", "new.csv")
    check(text[0] == ["prediction"], str(text[0]))
    check([float(row[0]) for row in text[1:]] == list(got), "from csv, to csv")
    np.save(work.path / "f4.npy", np.asfortranarray(new.astype("f4")))
    near(predict(work, "s", "f4.npy"), got, "float32, Fortran order", 1e-5)
    (work.path / "away").mkdir()
    shutil.copy(work.path / "s/model.ens", work.path / "away")
    (work.path / "X.npy").unlink()
    check((predict(work, "away/model.ens", "new.npy") == got).all(), "alone")
    check((predict(work, "away", "new.npy") == got).all(), "its folder")


def same_bytes_however_it_runs(work):
    save(work)
    file = study(work, OLS + MEAN + "[learner r]\nlearner = ridge\n"
                 "alpha = 1, 5\n[meta]\nlearner = nnls\n")
    work.run(file, "a", workers=1)
    work.run(file, "b", workers=4)
    check((work.path / "a/model.ens").read_bytes() ==
          (work.path / "b/model.ens").read_bytes(), "1 and 4 workers")
    work.ensrun("a")  # finished: written again from the journal
    work.run(file, "c", transport="inline")
    check((work.path / "a/model.ens").read_bytes() ==
          (work.path / "c/model.ens").read_bytes(), "inline")


def preprocessing_layers_and_learners_that_read_rows(work):
    x, y, new = save(work)
    rows = ("[case pc]\npreprocess = standardise, pca(2)\n" + OLS + MEAN +
            "[learner pcr]\nlearner = ols\ncase = pc\n"
            "[learner near]\nlearner = knn\nk = 3\n"
            "[layer 1]\npropagate = 2\n"
            "[learner second]\nlearner = ols\nlayer = 2\n"
            "[learner flat]\nlearner = mean\nlayer = 2\n"
            "[meta]\nlearner = average\n")
    work.run(study(work, rows), "s")
    z = (x - x.mean(0)) / x.std(0)
    v = np.linalg.svd(z, full_matrices=False)[2][:2].T
    pcr = least_squares(z @ v, y, (new - x.mean(0)) / x.std(0) @ v)
    far = ((new[:, None] - x[None]) ** 2).sum(2)
    near3 = y[np.argsort(far, axis=1)[:, :3]].mean(1)
    first = np.column_stack([new[:, 1], least_squares(x, y, new),
                             np.full(NEW, y.mean()), pcr, near3])
    # layer 2 was fitted on out-of-fold predictions, which are kept
    folds = np.array_split(np.arange(len(y)), 3)
    oof = np.zeros((len(y), 4))
    for k in folds:
        rest = np.setdiff1d(np.arange(len(y)), k)
        t = x[rest]
        s = (t - t.mean(0)) / t.std(0)
        w = np.linalg.svd(s, full_matrices=False)[2][:2].T
        oof[k, 0] = least_squares(t, y[rest], x[k])
        oof[k, 1] = y[rest].mean()
        oof[k, 2] = least_squares(s @ w, y[rest],
                                  (x[k] - t.mean(0)) / t.std(0) @ w)
        d = ((x[k][:, None] - t[None]) ** 2).sum(2)
        oof[k, 3] = y[rest][np.argsort(d, axis=1)[:, :3]].mean(1)
    second = least_squares(np.column_stack([x[:, 1], oof]), y, first)
    near(predict(work, "s", "new.npy"), (second + y.mean()) / 2,
         "two layers", 1e-7)
    (work.path / "X.npy").rename(work.path / "gone.npy")
    text = predict(work, "s", "new.npy", expect=BAD)
    check("learner near of layer 1" in text and "X.npy" in text, text)


def partitions_and_a_learner_as_meta(work):
    x, y, new = save(work)
    rows = OLS + MEAN + "[meta]\nlearner = ols\n"
    work.run(study(work, OLS + MEAN + "[layer 1]\ntype = subsemble\n"
                   "partitions = 2\n[meta]\nlearner = average\n"), "j")
    want = sum(least_squares(x[h], y[h], new) + y[h].mean()
               for h in (slice(0, 300), slice(300, 600))) / 4
    near(predict(work, "j", "new.npy"), want, "subsemble")
    work.run(study(work, rows), "s")
    got = predict(work, "s", "new.npy")
    check(np.corrcoef(got, least_squares(x, y, new))[0, 1] > 0.999, "ols meta")
    # kNN of predictions: reads what layer 1 predicted
    work.run(study(work, OLS + "[meta]\nlearner = knn\nk = 1\n"), "k")
    got = predict(work, "k", "new.npy")
    check(np.isin(got, y).all(), "1-nn predicts responses that there are")
    work.run(study(work, OLS + "[learner tree]\nlearner = tree\n[layer 1]\n"
                   "type = blend\n[meta]\nlearner = average\n"), "b")
    check(np.isfinite(predict(work, "b", "new.npy")).all(), "blend")


def shuffled_partitions_of_learners_that_read_rows(work):
    """Responses are powers of 2, so that means of the run tell which rows a
    partition had."""
    n = 40
    r = np.random.RandomState(8)
    x, new = r.uniform(size=(n, 2)), r.uniform(size=(NEW, 2))
    y = 2.0 ** np.arange(n)
    for name, values in (("X", x), ("y", y), ("new", new)):
        np.save(work.path / f"{name}.npy", values)
    work.run(study(work, MEAN + "[learner near]\nlearner = knn\nk = 1\n"
                   "[layer 1]\nfolds = 2\n[meta]\nlearner = average\n",
                   "type = subsemble\nshuffle = yes\n"), "s")
    cell = next(row["cell"] for row in table(work.path / "s")
                if row["task"].startswith("layer1/avg"))
    means = np.load(work.path / f"s/arrays/predicted1.{cell}.npy")
    want = np.zeros(NEW)
    for j in range(2):
        rows = set()
        for mean in set(means.reshape(n, 2)[:, j]):
            trained = round(mean * n / 4) # half of a half
            rows |= {i for i in range(n) if trained >> i & 1}
        check(len(rows) == n // 2, f"partition {j}: {rows}")
        check(rows not in ({*range(n // 2)}, {*range(n // 2, n)}), "shuffled")
        rows = sorted(rows)
        far = ((new[:, None] - x[rows][None]) ** 2).sum(2)
        want += y[rows][far.argmin(1)] + y[rows].mean()
    got = predict(work, "s", "new.npy")
    check(np.abs(got / (want / 4) - 1).max() < 1e-12, "nearest of a partition")


def rows_before_in_layers_behind(work):
    n, step, lag = 400, 40, 3
    x, y, _ = save(work, n=n)
    new = np.random.RandomState(3).uniform(size=(9000, 4)) # some blocks
    np.save(work.path / "new.npy", new)
    case = f"[case late]\npreprocess = lag({lag})\n"
    more = f"type = temporal\nstep_size = {step}\nburn_in = {step}\n"
    text = ("[study]\nkind = superlearner\n[inputs]\nX = X.npy\ny = y.npy\n"
            f"[superlearner]\ntype = temporal\n[layer 1]\n{more}[layer 2]\n"
            f"{more}{case}{OLS}[learner avg]\nlearner = mean\n"
            "[learner second]\nlearner = ols\nlayer = 2\ncase = late\n"
            "[learner now]\nlearner = ols\nlayer = 2\n"
            "[meta]\nlearner = average\n")
    work.run(work.study(text), "s")
    # layer 1: each step by what was before it
    oof = np.zeros((n - step, 2))
    for at in range(step, n, step):
        oof[at - step:at] = np.column_stack(
            [least_squares(x[:at], y[:at], x[at:at + step]),
             np.full(step, y[:at].mean())])
    now = np.column_stack([least_squares(x, y, new),
                           np.full(len(new), y.mean())])
    y2 = y[step:]
    late = least_squares(oof[:-lag], y2[lag:], now[:-lag])
    want = (late + least_squares(oof, y2, now)[lag:]) / 2
    text = predict(work, "s", "new.npy", expect=BAD)
    check("row 1: a learner reads the row that stands 3 before it" in text,
          text)
    got = predict(work, "s", "new.npy", "--skip-missing")
    check(np.isnan(got[:lag]).all(), str(got[:5]))
    near(got[lag:], want, "lag behind layer 1", 1e-7)
    same = predict(work, "s", "new.npy", "--skip-missing", "--workers", 3)
    check(np.array_equal(got, same, equal_nan=True), "3 workers")
    new[5000, 2] = np.nan
    np.save(work.path / "new.npy", new)
    some = predict(work, "s", "new.npy", "--skip-missing")
    check(list(np.flatnonzero(np.isnan(some[lag:])) + lag) ==
          [5000, 5000 + lag], str(np.flatnonzero(np.isnan(some))))
    np.save(work.path / "few.npy", new[:2])
    check(np.isnan(predict(work, "s", "few.npy", "--skip-missing")).all(),
          "fewer rows than the lag")


def columns_handed_on(work):
    """They are looked at, too, where no learner of layer 1 takes them."""
    _, _, new = save(work)
    work.run(study(work, "[case three]\npreprocess = subset(1:3)\n"
                   "[layer 1]\npropagate = 4\n[learner ols]\ncase = three\n"
                   "[learner last]\nlearner = ols\nlayer = 2\n"
                   "[meta]\nlearner = average\n"), "s")
    whole = predict(work, "s", "new.npy")
    new[7, 3] = np.nan
    np.save(work.path / "new.npy", new)
    text = predict(work, "s", "new.npy", expect=BAD)
    check("new.npy: row 8, column V4: missing or not finite" in text, text)
    some = predict(work, "s", "new.npy", "--skip-missing")
    check(list(np.flatnonzero(np.isnan(some))) == [7], "one row is missing")
    check(np.array_equal(np.delete(some, 7), np.delete(whole, 7)), "the rest")


def workers_share_the_rows(work):
    x, y, _ = save(work)
    work.run(study(work, OLS + MEAN + "[meta]\nlearner = average\n"), "s")
    new = np.random.RandomState(3).uniform(size=(100001, 4))
    np.save(work.path / "new.npy", new)
    got = predict(work, "s", "new.npy")
    near(got, (least_squares(x, y, new) + y.mean()) / 2, "one process")
    whole = (work.path / "p.npy").read_bytes()
    for n in (2, 3, 8):
        predict(work, "s", "new.npy", "--workers", n)
        check((work.path / "p.npy").read_bytes() == whole, f"{n} workers")
    for n in (0, 1, 3): # fewer rows than workers
        np.save(work.path / "few.npy", new[:n])
        check((predict(work, "s", "few.npy", "--workers", 8) == got[:n]).all(),
              f"{n} rows")
    new[99000, 1] = new[50, 3] = np.inf
    np.save(work.path / "bad.npy", new)
    some = predict(work, "s", "bad.npy", "--workers", 3, "--skip-missing")
    check(list(np.flatnonzero(np.isnan(some))) == [50, 99000], "bad rows")
    for rows, text in ((new, "row 51, column V4"),
                       (new[60:], "row 98941, column V2")):
        np.save(work.path / "bad.npy", rows)
        said = predict(work, "s", "bad.npy", "--workers", 3, expect=BAD)
        check(text in said and said.count("ensrun:") == 1, said)
    said = work.ensrun("predict", "s", "--input", "new.npy", "--workers", 2,
                       expect=BAD).stderr
    check("--workers 2" in said and ".npy" in said, said)


def save_table(work):
    r = np.random.RandomState(5)
    cuts = ["Fair", "Good", "Ideal, \"so\""]
    with open(work.path / "d.csv", "w", newline="") as f:
        out = csv.writer(f)
        out.writerow(["carat", "cut", "price", "depth", "kind"])
        for _ in range(400):
            c, k, d = r.uniform(), r.randint(3), r.uniform()
            out.writerow([c, cuts[k], 3 * c + k - d + r.normal(0, 0.05), d,
                          ["no", "yes"][int(c + 0.3 * r.uniform() > 0.6)]])
    return cuts


def table_study(work, y, more, rows):
    return study(work, rows, more,
                 "data = d.csv\nX = data[carat, cut, depth]\n"
                 f"y = data[{y}]\n")


def training_rows_that_changed(work):
    """knn reads X and y again: they must be what it was fitted on."""
    x, y = save(work)[:2]
    work.run(study(work, "[learner knn]\nk = 3\n[meta]\nlearner = nnls\n"), "s")
    np.save(work.path / "new.npy", x[:20])
    before = predict(work, "s", "new.npy")
    np.save(work.path / "X.npy", x)  # the same bytes in a file of its own
    near(predict(work, "s", "new.npy"), before, "touched", 0)
    for name, other in (("X", x + 0.5), ("y", -y)):
        np.save(work.path / f"{name}.npy", other)
        text = predict(work, "s", "new.npy", expect=BAD)
        check(f"input {name}: " in text and "other content" in text, text)
        np.save(work.path / f"{name}.npy", x if name == "X" else y)
    near(predict(work, "s", "new.npy"), before, "put back", 0)


def text_that_no_case_takes(work):
    """Which learner would see it is said."""
    save_table(work)
    run = work.run(table_study(work, "price", "", "[case i]\npreprocess = "
                               "indicators\n[learner ols]\ncase = i\n"
                               "[learner mean]\n[meta]\nlearner = nnls\n"),
                   "s", expect=BAD)
    check("[learner mean]: column \"cut\" of X is text" in run.stderr,
          run.stderr)


def columns_by_name_and_text(work):
    cuts = save_table(work)
    work.run(table_study(work, "price", "", "[case i]\npreprocess = indicators\n"
                         "[learner ols]\nlearner = ols\ncase = i\n"
                         "[meta]\nlearner = nnls\nnormalise = no\n"), "s")
    with open(work.path / "new.csv", "w", newline="") as f:
        out = csv.writer(f)
        out.writerow(["other", "depth", "cut", "carat"])
        for i, k in enumerate([2, 1, 2]): # no Fair: other codes
            out.writerow(["z", 0.5, cuts[k], i / 10])
    got = predict(work, "s", "new.csv")
    near(got, np.array([2 - .5, .3 + 1 - .5, .6 + 2 - .5]), "by name", 0.02)
    (work.path / "bad.csv").write_text(
        "depth,cut,carat\n.5,Good,.1\n.5,Poor,.1\n.5,Good,NA\n.5,Fair,.2\n")
    text = predict(work, "s", "bad.csv", expect=BAD)
    check('bad.csv: row 2, column cut: "Poor" was not in the training data'
          in text, text)
    some = predict(work, "s", "bad.csv", "--skip-missing")
    check(list(np.isnan(some)) == [False, True, True, False], str(some))
    rows = lines(work, "s", "bad.csv", "--skip-missing")
    check([row[0] == "" for row in rows[1:]] == [False, True, True, False],
          str(rows))
    (work.path / "less.csv").write_text("depth,carat\n.5,.1\n")
    text = predict(work, "s", "less.csv", expect=BAD)
    check("less.csv: column cut is missing" in text, text)
    (work.path / "none.csv").write_text("depth,cut,carat\n")
    text = predict(work, "s", "none.csv", expect=BAD)
    check("none.csv: no rows" in text, text)
    np.save(work.path / "n.npy", np.zeros((2, 3)))
    text = predict(work, "s", "n.npy", expect=BAD)
    check("column cut is numbers; it was text" in text, text)
    text = predict(work, "s", "new.csv", "--proba", expect=BAD)
    check("--proba" in text, text)


def classes(work):
    cuts = save_table(work)
    rows = ("[learner lda]\nlearner = lda\n[learner avg]\nlearner = mean\n"
            "[meta]\nlearner = convex\n")
    work.run(study(work, rows, "family = multinomial\n",
                   "data = d.csv\nX = data[carat, depth, price]\n"
                   "y = data[cut]\n"), "m")
    shutil.copy(work.path / "d.csv", work.path / "new.csv")
    p = predict(work, "m", "new.csv", "--proba")
    check(p.shape == (400, 3) and np.abs(p.sum(1) - 1).max() < 1e-9,
          str(p[:3]))
    number = predict(work, "m", "new.csv")
    check(number.dtype == np.int64 and (number == p.argmax(1)).all(), "classes")
    text = lines(work, "m", "new.csv")
    check([row[0] for row in text[1:]] == [cuts[i] for i in number],
          "names of classes")
    head = lines(work, "m", "new.csv", "--proba")[0]
    check(head == [f"prediction[{c}]" for c in cuts], str(head))
    truth = [row["cut"] for row in csv.DictReader(open(work.path / "d.csv"))]
    check(np.mean([cuts[i] == t for i, t in zip(number, truth)]) > 0.9,
          "lda of a line")
    work.run(study(work, rows.replace("convex", "convex_loglik"),
                   "family = binomial\n",
                   "data = d.csv\nX = data[carat, depth]\ny = data[kind]\n"),
             "b")
    one = predict(work, "b", "new.csv", "--proba")
    check(one.shape == (400,) and ((one > 0) & (one < 1)).all(), "binomial")
    text = lines(work, "b", "new.csv")
    check([row[0] for row in text[1:]] == [["no", "yes"][int(v > 0.5)]
                                           for v in one], "yes and no")


def a_learner_that_failed_is_left_out(work):
    x, y, new = save(work)
    # 400 rows train in folds, 600 in all: its last fit alone goes well
    work.run(study(work, OLS + "[learner near]\nlearner = knn\nk = 500\n" +
                   MEAN + "[meta]\nlearner = average\n"), "s",
             expect=SOME_FAILED)
    near(predict(work, "s", "new.npy"),
         (least_squares(x, y, new) + y.mean()) / 2, "the others")


def what_is_wrong_is_said(work):
    save(work)
    work.run(study(work, OLS + MEAN + "[meta]\nlearner = nnls\n"), "s")
    model = work.path / "s/model.ens"
    whole = model.read_bytes()

    def refused(rows, text, *more, model="s", expect=BAD):
        said = predict(work, model, rows, *more, expect=expect)
        check(text in said, f"{text}: {said}")

    refused("nothing.npy", "nothing.npy")
    np.save(work.path / "wide.npy", np.zeros((3, 5)))
    refused("wide.npy", "5 columns; the model was fitted on 4")
    np.save(work.path / "nan.npy", np.array([[1, 2, 3, 4], [1, 2, np.inf, 4]]))
    refused("nan.npy", "nan.npy: row 2, column V3: missing or not finite")
    refused("new.npy", "no model.ens in it", model=".")
    refused("new.npy", "not a model of ensrun", model="X.npy",
            expect=ENVIRONMENT)
    for bad in (whole[:100], whole[:-1], whole[:200] + b"x" + whole[201:]):
        model.write_bytes(bad)
        refused("new.npy", "model", expect=ENVIRONMENT)
        work.verify("s", expect=SOME_FAILED)
    model.write_bytes(whole)
    work.verify("s")
    np.save(work.path / "none.npy", np.zeros((0, 4)))
    check(predict(work, "s", "none.npy").shape == (0,), "no rows")
    (work.path / "p.csv").write_text("mine")
    said = work.ensrun("predict", "s", "--input", "new.npy", "-o", "p.csv",
                       expect=BAD).stderr
    check("--force" in said and (work.path / "p.csv").read_text() == "mine",
          said)
    said = work.ensrun("predict", "s", "--input", "new.npy", "-o", "p.xls",
                       expect=BAD).stderr
    check(".npy or .csv" in said, said)
    said = work.ensrun("predict", "s", expect=BAD).stderr
    check("--input" in said, said)


def stopped_it_leaves_nothing(work):
    save(work)
    work.run(study(work, OLS + "[learner f]\nlearner = knn\n"
                   "[meta]\nlearner = average\n"), "s")
    big = np.random.RandomState(1).uniform(size=(3000000, 4))
    np.save(work.path / "big.npy", big)
    for number in (signal.SIGINT, signal.SIGKILL):
        run = work.start("predict", "s", "--input", "big.npy", "-o", "big.csv")
        wait_until(lambda: run.process.poll() is None and
                   any(p.name.startswith("big.csv") for p in work.path.iterdir())
                   or maps(run, "big.npy"), 20, "reads the rows")
        kill(run.process.pid, number)
        run.wait()
        check(not any(p.name.startswith("big.csv")
                      for p in work.path.iterdir()), "left something")


def maps(run, name):
    try:
        return name in open(f"/proc/{run.process.pid}/maps").read()
    except OSError:
        return False


if __name__ == "__main__":
    main(weighted_learners, same_bytes_however_it_runs,
         preprocessing_layers_and_learners_that_read_rows,
         partitions_and_a_learner_as_meta,
         shuffled_partitions_of_learners_that_read_rows,
         rows_before_in_layers_behind, columns_handed_on,
         workers_share_the_rows, columns_by_name_and_text,
         text_that_no_case_takes, training_rows_that_changed, classes,
         a_learner_that_failed_is_left_out, what_is_wrong_is_said,
         stopped_it_leaves_nothing)
