#!/usr/bin/env python3
"""Trees, forests and boosting of kind superlearner beside scikit-learn's and
XGBoost's, on the same rows: 5 fits without a fold, predictions of that fold,
one fit of all rows; one worker, one thread. Ratios of CPU time and private
memory, and what the out-of-fold predictions are off.

    trees.py [NAME ...]    (default: all)"""

import glob
import json
import os
import re
import resource
import subprocess
import sys
import time

from common import ENSRUN, Scratch, command, figure

FOLDS = 5

# name: learner and its settings, rows, columns, family, peer (a Python
# expression)
CASES = {
    "tree": ("tree\nmin_leaf = 20", 100_000, 20, "gaussian",
             "sklearn.tree.DecisionTreeRegressor(min_samples_leaf=20)"),
    "forest": ("forest\ntrees = 20", 50_000, 20, "gaussian",
               "sklearn.ensemble.RandomForestRegressor(20, max_features=6,"
               " min_samples_leaf=5, n_jobs=1)"),
    "forest of classes": (
        "forest\ntrees = 20", 50_000, 20, "binomial",
        "sklearn.ensemble.RandomForestClassifier(20, n_jobs=1)"),
    "boost": ("boost", 100_000, 20, "gaussian",
              "sklearn.ensemble.HistGradientBoostingRegressor("
              "early_stopping=False)"),
    "boost of classes": (
        "boost", 100_000, 20, "binomial",
        "sklearn.ensemble.HistGradientBoostingClassifier("
        "early_stopping=False)"),
    "boost, xgboost": (
        "boost\nleaves = 0\ndepth = 6\nl2 = 1\nmin_leaf = 1\n"
        "min_child_weight = 1", 100_000, 20, "gaussian",
        "xgboost.XGBRegressor(n_estimators=100, learning_rate=0.1,"
        " max_depth=6, tree_method='hist', n_jobs=1, base_score=14.4)"),
    "boost, xgboost, 500,000 x 50": (
        "boost\nrounds = 20\nleaves = 0\ndepth = 6\nl2 = 1\nmin_leaf = 1\n"
        "min_child_weight = 1", 500_000, 50, "gaussian",
        "xgboost.XGBRegressor(n_estimators=20, learning_rate=0.1,"
        " max_depth=6, tree_method='hist', n_jobs=1, base_score=14.4)"),
}

STUDY = """[study]
kind = superlearner
name = learners
[inputs]
X = X.npy
y = y.npy
[superlearner]
family = {family}
folds = {folds}
[learner peer]
learner = {learner}
[meta]
learner = mean
"""


def make(folder, rows, p, family):
    import numpy as np
    from sklearn.datasets import make_friedman1
    x, y = make_friedman1(n_samples=rows, n_features=p, noise=1.0,
                          random_state=2017)
    if family == "binomial":
        y = (y > 14).astype(float)
    np.save(os.path.join(folder, "X.npy"), x)
    np.save(os.path.join(folder, "y.npy"), y)


def off(folder, family, out):
    import numpy as np
    y = np.load(os.path.join(folder, "y.npy"))
    if family == "gaussian":
        return float(np.sqrt(np.mean((y - out) ** 2)))
    p = np.clip(np.where(y > 0, out, 1 - out), 1e-3, 1)
    return float(-np.mean(np.log(p)))


def peer(name, folder):
    """In a process of its own: seconds, bytes, what predictions are off."""
    _, _, _, family, make_model = CASES[name]
    import numpy as np
    import sklearn.ensemble  # pylint: disable=unused-import
    import sklearn.tree  # pylint: disable=unused-import
    from sklearn.model_selection import KFold, cross_val_predict
    if "xgboost" in make_model:
        import xgboost  # pylint: disable=unused-import
    x = np.load(os.path.join(folder, "X.npy"))
    y = np.load(os.path.join(folder, "y.npy"))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    model = eval(make_model)  # pylint: disable=eval-used
    method = "predict" if family == "gaussian" else "predict_proba"
    out = cross_val_predict(model, x, y, cv=KFold(FOLDS), method=method)
    model.fit(x, y)
    seconds = time.process_time() - start
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    out = out if family == "gaussian" else out[:, 1]
    json.dump({"seconds": seconds, "bytes": grown * 1024,
               "off": off(folder, family, out)}, sys.stdout)


def ours(name, scratch):
    import numpy as np
    learner, _, _, family, _ = CASES[name]
    study = scratch.study(STUDY.format(learner=learner, family=family,
                                       folds=FOLDS))
    results = scratch.results()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    text = subprocess.run(command(study, results, 1), check=True, text=True,
                          stderr=subprocess.PIPE).stderr
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = (after.ru_utime + after.ru_stime - before.ru_utime
           - before.ru_stime)
    private = re.search(r"([\d.]+) (KiB|MiB|GiB) private", text)
    size = float(private[1]) * {"KiB": 2**10, "MiB": 2**20,
                                "GiB": 2**30}[private[2]]
    array, = glob.glob(os.path.join(results, "arrays", "predicted1.*.npy"))
    return {"seconds": cpu, "bytes": size,
            "off": off(scratch.path, family, np.load(array).ravel())}


def compare(name):
    _, rows, p, family, make_model = CASES[name]
    env = dict(os.environ, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    with Scratch() as scratch:
        make(scratch.path, rows, p, family)
        a = ours(name, scratch)
        b = json.loads(subprocess.run(
            [sys.executable, __file__, "--peer", name, scratch.path],
            env=env, check=True, stdout=subprocess.PIPE).stdout)
    what = f"{name} ({rows:,} x {p})"
    peer_name = make_model.split("(")[0].split(".")[-1]
    figure(f"{what}: CPU time", a["seconds"], "s")
    figure(f"  {peer_name} / ours", b["seconds"] / a["seconds"], "x", "1x")
    figure("  private memory", a["bytes"] / 2**20, "MiB")
    figure(f"  {peer_name} / ours", b["bytes"] / a["bytes"], "x", "1x")
    figure("  off (rmse, log loss)", a["off"])
    figure(f"  {peer_name} / ours", b["off"] / a["off"], "x", "1x")


def main():
    if sys.argv[1:2] == ["--peer"]:
        peer(sys.argv[2], sys.argv[3])
        return
    if not os.path.exists(ENSRUN):
        sys.exit(f"{ENSRUN}: build it first")
    for name in sys.argv[1:] or CASES:
        if name not in CASES:
            sys.exit(f"{name}: none of {', '.join(CASES)}")
        compare(name)


if __name__ == "__main__":
    main()
