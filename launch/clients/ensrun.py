"""A Python function as a persistent program of ensrun (kind `command`).

    import ensrun

    def task(t):
        x = t.input("X")                 # mapped, not copied; needs numpy
        return {"mean": x[:, 0].mean() + t.values["shift"]}

    ensrun.serve(task)

t.values   the values of [axes]        t.seed, t.seed31, t.replicate, t.task
t.inputs   name -> {path, rows, columns, dtype, shape}

What the function returns (a dict of numbers and texts) becomes the fields of
the task; an exception makes it `failed`, with its text. What it prints goes to
standard error. The protocol: README.md beside this file. Copy it freely.
"""
import json
import math
import os
import sys
import traceback

_mapped = {}


def _map(entry):
    import numpy
    if entry["path"].endswith(".npy"):
        return numpy.load(entry["path"], mmap_mode="r")
    raise ValueError(f"{entry['path']}: only .npy files can be mapped; "
                     "read others by their path")


class Task:
    """One task, as its line says."""

    def __init__(self, line):
        said = json.loads(line)
        self.task = said["task"]
        self.seed = int(said["seed"])
        self.seed31 = said["seed31"]
        self.replicate = said["replicate"]
        self.values = said["values"]
        self.inputs = said["inputs"]

    def input(self, name):
        """An input as a read-only numpy array over the file's own pages."""
        if name not in _mapped:
            _mapped[name] = _map(self.inputs[name])
        return _mapped[name]


def _plain(value):
    """numpy's scalars as Python's; nan is missing."""
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and math.isnan(value):
        return None
    return value


def answer(function, line):
    """The line that answers a line."""
    task = Task(line)
    try:
        fields = function(task) or {}
        said = {key: _plain(value) for key, value in fields.items()}
        said["task"] = task.task
        return json.dumps(said, allow_nan=False)
    except Exception as error:  # pylint: disable=broad-except
        traceback.print_exc()
        return json.dumps({"task": task.task,
                           "error": f"{type(error).__name__}: {error}"})


def serve(function):
    """Answer lines until there are no more."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for line in sys.stdin:
        out.write(answer(function, line) + "\n")
        out.flush()
