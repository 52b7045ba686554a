"""For tests of kind superlearner: data, studies, results as numpy arrays, and
an independent computation of folds and of what is simple to fit."""
import numpy as np

from harness import check, table

P = 5


def data(n=103, seed=6):
    """X (n, P), and y of each family. RandomState: its stream is frozen."""
    draw = np.random.RandomState(seed)
    x = draw.uniform(-1, 1, size=(n, P))
    x[:, 1] = 10 * x[:, 1] + 50
    x[:, 2] += 0.5 * x[:, 0]
    signal = 2 * np.sin(3 * x[:, 0]) + 0.1 * (x[:, 1] - 50) + x[:, 2] ** 2
    noise = draw.standard_normal(n)
    u = draw.uniform(size=n)
    return {"X": x, "gaussian": signal + 0.5 * noise,
            "binomial": (signal + noise > 0.5) * 1.0,
            "multinomial": np.digitize(signal + 0.5 * noise, [-1, 1]) * 1.0,
            "poisson": np.floor(np.exp(0.4 * signal) + 2 * u),
            "weights": np.floor(4 * draw.uniform(size=n)) + 1,
            "id": np.floor(30 * draw.uniform(size=n)),
            "strata": np.floor(3 * draw.uniform(size=n))}


def save(work, family="gaussian", n=103, more=()):
    """X.npy, y.npy and others in the test's folder; what they hold."""
    all_of = data(n)
    np.save(work.path / "X.npy", all_of["X"])
    np.save(work.path / "y.npy", all_of[family])
    for name in more:
        np.save(work.path / f"{name}.npy", all_of[name])
    return all_of["X"], all_of[family], all_of


def study(settings="", rows="", family="gaussian", inputs="", meta="nnls",
          run=""):
    """The text of a study; rows: its [layer N], [case], [learner] sections."""
    last = f"[meta]\nlearner = {meta}\n" if meta else ""
    return (f"[study]\nkind = superlearner\nname = stack\nseed = 5\n[run]\n{run}\n"
            f"[inputs]\nX = X.npy\ny = y.npy\n{inputs}\n"
            f"[superlearner]\nfamily = {family}\n{settings}\n{rows}\n{last}")


def learners(results):
    """'layer1/scaled.ols' -> cell, in the order of tasks.csv."""
    found = {}
    for row in table(results):
        if row["fold"] != "" and row["task"].startswith("layer"):
            found.setdefault(row["task"].rsplit("/", 1)[0], row["cell"])
    return found


def predicted(results, learner):
    layer = learner[len("layer"):learner.index("/")]
    cell = learners(results)[learner]
    return np.load(results / f"arrays/predicted{layer}.{cell}.npy")


def left_out(results, learner, sample, y):
    """Rows that an outer sample leaves out: learner mean says the mean of all
    others of them."""
    cell = learners(results)[learner]
    name = learner[len("layer"):learner.index("/")]
    p = np.load(results / f"arrays/outer{name}.{cell}.npy")[sample]
    for v in np.unique(p):
        out = p == v
        if abs(v - y[~out].mean()) < 1e-9:
            return tuple(np.flatnonzero(out))
    return ()


def one(results, stem):
    """weights or risks: (1 + outer folds, members, 3)."""
    found = list((results / "arrays").glob(f"{stem}.*.npy"))
    check(len(found) == 1, f"{len(found)} arrays {stem}")
    return np.load(found[0])


def weights(results, sample=0):
    return one(results, "weights")[sample, :, 0]


def near(found, expected, text, tolerance=1e-8):
    found, expected = np.asarray(found), np.asarray(expected)
    check(found.shape == expected.shape,
          f"{text}: shape {found.shape}, expected {expected.shape}")
    if not np.array_equal(np.isnan(found), np.isnan(expected)):
        check(False, f"{text}: NaN at {np.argwhere(np.isnan(found))[:5]}")
    worst = np.nanmax(np.abs(found - expected) / (1 + np.abs(expected)))
    check(worst <= tolerance, f"{text}: off by {worst:.3g}")


# -- folds and fits, written from their definition ----------------------------

def blocks(first, end, m):
    """Rows first .. end in m blocks; the first ones have one more."""
    n, found = end - first, []
    for i in range(m):
        size = n // m + (i < n % m)
        found.append(np.arange(first, first + size))
        first += size
    return found


def mean(x, y, new, w=None):
    return np.full(len(new), np.average(y, weights=w))


def ols(x, y, new, w=None):
    w = np.sqrt(np.ones(len(y)) if w is None else w)
    a = np.column_stack([np.ones(len(x)), x]) * w[:, None]
    b = np.linalg.lstsq(a, y * w, rcond=None)[0]
    return b[0] + new @ b[1:]


def shares(x, y, new, w=None, classes=3):
    """What learner mean says of classes."""
    w = np.ones(len(y)) if w is None else w
    p = np.array([w[y == k].sum() for k in range(classes)]) / w.sum()
    return np.tile(p, (len(new), 1))


def by_folds(fit, x, y, folds, w=None):
    """Each row by a fit without its fold. folds: lists of rows."""
    out = None
    for test in folds:
        train = np.setdiff1d(np.arange(len(y)), test)
        p = fit(x[train], y[train], x[test], None if w is None else w[train])
        if out is None:
            out = np.full((len(y), *p.shape[1:]), np.nan)
        out[test] = p
    return out


def nnls(z, y, w=None):
    """By Lawson and Hanson; divided by the sum."""
    from scipy.optimize import nnls as solve
    r = np.sqrt(np.ones(len(y)) if w is None else w)
    found = solve(z * r[:, None], y * r)[0]
    return found / found.sum()
