"""Python functions as persistent programs of ensrun.

    import ensrun

    @ensrun.task                         # kind command, persistent = yes
    def task(t):
        x = t.input("X")                 # mapped, not copied; needs numpy
        return {"mean": x[:, 0].mean() + t.values["shift"]}

    @ensrun.generate                     # [data] generator = program
    def generate(t):
        rng = numpy.random.default_rng(t.seed)
        x = rng.normal(size=t.values["n"])
        return {"x": x, "y": 1 + 2 * x + rng.normal(size=len(x))}

    @ensrun.fit                          # [fit] fitter = program
    def fit(t):
        beta, cov = least_squares(t.x, t.y)
        return {"estimate": beta, "std_error": cov.diagonal() ** 0.5,
                "df": len(t.y) - len(beta)}

    @ensrun.metric                       # [metrics] run = ...
    def metric(t):
        return {"mse": ((t.y - t.x @ t.estimate) ** 2).mean()}

    ensrun.learner(                      # [learner] learner = program
        lambda t: Ridge(alpha=t.values["alpha"]).fit(t.x, t.y))

    ensrun.serve()                       # one or more of them in one program

t.values   the keys of [axes], or your own in the row
t.seed, t.seed31, t.replicate, t.task, t.role
t.inputs   name -> {path, rows, columns, dtype, shape}

generate returns columns by their names (`t.columns`), or one array with the
columns in that order; or {"data": either, "test": rows to predict, likewise,
"truth": {"x": 2.1}, "meta": {"k": 3}}, the numbers that the study asks for in
`truth` (`t.truth_names`) and `meta` (`t.meta_names`), and "warnings". fit and metric see the data, t.data["y"], as read-only
arrays over the shared memory itself (columns of text: places in
t.levels["name"]); where the model has a formula also t.x, t.y and t.offset, its
model matrix; t.terms, t.level, t.formula. metric also sees t.estimate,
t.std_error, t.conf_low, t.conf_high and t.truth, arrays in the order of
t.terms. estimate, std_error, conf_low and conf_high are arrays in that order,
or dicts by term; only estimate must be there. Warnings: a text, or a list of
texts, under "warnings".

A learner is a function of the training rows that gives a model, anything that
can be pickled: t.x (one piece of the file's own pages is mapped, several are
put together), t.y (of classes their numbers), t.w (None without weights),
t.columns, t.family, t.n_classes. A second function predicts, predict(model, t)
of t.x: an array of rows, of multinomial rows x n_classes probabilities.
Without it model.predict is called, of classes model.predict_proba, as
scikit-learn's estimators have them. Python's warnings become the task's.

An exception makes the task `failed`, with its text. What is printed goes to
standard error. The protocol: README.md beside this file. Copy it freely.
"""
import json
import math
import os
import pickle
import sys
import traceback
import warnings

_mapped = {}


def _map(entry):
    import numpy
    if entry["path"].endswith(".npy"):
        return numpy.load(entry["path"], mmap_mode="r")
    raise ValueError(f"{entry['path']}: only .npy files can be mapped; "
                     "read others by their path")


def _block(entry):
    """Numbers of a request: a read-only array over the pages themselves."""
    import numpy
    shape = (entry["rows"], len(entry["columns"]))
    if shape[0] == 0 or shape[1] == 0:
        return numpy.zeros(shape)
    return numpy.memmap(entry["path"], "<f8", "r", entry["at"], shape, "F")


def _rows(entry):
    """Rows of a file, each `stride` numbers behind the last: pieces, or an
    index."""
    import numpy
    p, stride = len(entry["columns"]), entry["stride"]
    if entry["rows"] == 0 or p == 0:
        return numpy.zeros((entry["rows"], p))
    if "index" in entry:
        index = _block(entry["index"])[:, 0].astype(numpy.int64)
        end = int(index.max()) + 1
    else:
        end = max(first + n for first, n in entry["ranges"])
    flat = numpy.memmap(entry["path"], "<f8", "r", entry["at"],
                        ((end - 1) * stride + p,))
    x = numpy.lib.stride_tricks.as_strided(flat, (end, p), (8 * stride, 8),
                                           writeable=False)
    if "index" in entry:
        return x[index]
    pieces = [x[first:first + n] for first, n in entry["ranges"]]
    return pieces[0] if len(pieces) == 1 else numpy.concatenate(pieces)


class Task:
    """One task, as its line says."""

    def __init__(self, line):
        said = json.loads(line)
        self.said = said
        self.task = said["task"]
        self.role = said.get("role", "task")
        self.seed = int(said["seed"])
        self.seed31 = said["seed31"]
        self.replicate = said["replicate"]
        self.values = said["values"]
        self.inputs = said["inputs"]
        self.columns = said.get("columns", [])
        if "stride" in said.get("x", {}):
            self.columns = said["x"]["columns"]
        self.family = said.get("family")
        self.n_classes = said.get("n_classes")
        self.truth_names = said.get("truth_names", [])
        self.meta_names = said.get("meta_names", [])
        self.terms = said.get("terms", [])
        self.level = said.get("level")
        self.formula = said.get("formula")
        self.levels = said.get("data", {}).get("levels", {})

    def input(self, name):
        """An input as a read-only numpy array over the file's own pages."""
        if name not in _mapped:
            _mapped[name] = _map(self.inputs[name])
        return _mapped[name]

    def __getattr__(self, name):
        """Numbers are looked at when they are asked for."""
        said = self.__dict__["said"]
        if name not in said:
            if name in ("x", "y", "offset", "w"):
                return None  # without a formula, an offset or weights
            raise AttributeError(name)
        if name == "data":
            block = _block(said[name])
            value = {column: block[:, i]
                     for i, column in enumerate(said[name]["columns"])}
        elif name == "x":
            value = _rows(said[name]) if "stride" in said[name] \
                else _block(said[name])
        elif name in ("y", "offset", "w"):
            value = _block(said[name])[:, 0]
        else:
            value = _numbers(said[name])
        setattr(self, name, value)
        return value


def _numbers(values):
    import numpy
    return numpy.array([math.nan if v is None else v for v in values])


def _plain(value):
    """numpy's scalars and arrays as Python's; nan is missing."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, dict):
        return {str(key): _plain(v) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, float) and math.isnan(value):
        return None
    return value


def _columns(task, data):
    import numpy
    if isinstance(data, dict) or hasattr(data, "columns"):
        columns = [data[name] for name in task.columns]
        if len(data) > len(columns) and isinstance(data, dict):
            raise ValueError("columns that the study does not name: "
                             + ", ".join(sorted(set(data) - set(task.columns))))
    else:
        data = numpy.asarray(data, "<f8")
        if data.ndim != 2 or data.shape[1] != len(task.columns):
            raise ValueError(f"an array of shape {data.shape}; "
                             f"{len(task.columns)} columns expected")
        columns = data.T
    columns = [numpy.ascontiguousarray(c, "<f8") for c in columns]
    rows = {c.shape for c in columns}
    if len(rows) != 1 or len(columns[0].shape) != 1:
        raise ValueError("columns are not vectors of one length")
    return columns


def _write(task, *parts):
    """Into the file of the answer, from its beginning."""
    with open(task.said["answer"], "r+b", buffering=0) as file:
        for part in parts:
            left = memoryview(part).cast("B")
            while left:
                left = left[file.write(left):]


def _learn(fit, task):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        model = pickle.dumps(fit(task), protocol=4)
    _write(task, model)
    return {"bytes": len(model),
            "warnings": list(dict.fromkeys(str(w.message) for w in said))}


_model = [None, None]  # the last one, and its key


def _load(entry):
    if entry["key"] != _model[0]:
        with open(entry["path"], "rb") as file:
            file.seek(entry["at"])
            _model[1] = pickle.loads(file.read(entry["bytes"]))
        _model[0] = entry["key"]
    return _model[1]


def _estimate(model, task):
    """What scikit-learn's estimators say."""
    import numpy
    if not task.n_classes:
        return model.predict(task.x)
    shares = numpy.zeros((len(task.x), task.n_classes))
    if hasattr(model, "predict_proba"):
        shares[:, numpy.asarray(model.classes_, int)] = \
            model.predict_proba(task.x)
    else:
        classes = numpy.asarray(model.predict(task.x), int)
        shares[numpy.arange(len(classes)), classes] = 1
    return shares[:, 1] if task.family == "binomial" else shares


def _predict(predict, task):
    import numpy
    n, width = task.said["x"]["rows"], task.said["n_out"]
    out = numpy.asarray(predict(_load(task.said["model"]), task), "<f8")
    if out.shape not in ((n, width), (n,) if width == 1 else None):
        raise ValueError(f"predictions of shape {out.shape}; "
                         f"{n} x {width} expected")
    _write(task, numpy.ascontiguousarray(out.reshape(n, width).T))
    return {"rows": n}


def _write_data(task, result):
    more = {}
    if isinstance(result, dict) and "data" in result \
            and "data" not in task.columns:
        more = dict(result)
        result = more.pop("data")
    data = _columns(task, result)
    test = more.pop("test", None)
    test = [c[:0] for c in data] if test is None else _columns(task, test)
    _write(task, *(column for pair in zip(data, test) for column in pair))
    return dict(_plain(more), rows=len(data[0]), test_rows=len(test[0]))


def _run(functions, task):
    if task.role not in functions:
        raise ValueError(f"this program has no function for {task.role}")
    if task.role == "learn":
        return _learn(functions["learn"], task)
    if task.role == "predict":
        return _predict(functions["predict"], task)
    result = functions[task.role](task)
    if task.role == "generate":
        return _write_data(task, result)
    return _plain(result or {})


def answer(functions, line):
    """The line that answers a line."""
    task = Task(line)
    try:
        said = dict(_run(functions, task))
        said["task"] = task.task
        return json.dumps(said, allow_nan=False)
    except Exception as error:  # pylint: disable=broad-except
        traceback.print_exc()
        return json.dumps({"task": task.task,
                           "error": f"{type(error).__name__}: {error}"})


_functions = {}


def task(function):
    """Answers the tasks of kind command."""
    _functions["task"] = function
    return function


def generate(function):
    """Makes data sets."""
    _functions["generate"] = function
    return function


def fit(function):
    """Fits models."""
    _functions["fit"] = function
    return function


def metric(function):
    """Measures fits."""
    _functions["metric"] = function
    return function


def learner(fit, predict=_estimate):
    """Learns rows, and predicts others."""
    _functions["learn"] = fit
    _functions["predict"] = predict
    return fit


def serve(function=None):
    """Answer lines until there are no more. function: as by task()."""
    if function is not None:
        task(function)
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for line in sys.stdin:
        out.write(answer(_functions, line) + "\n")
        out.flush()
