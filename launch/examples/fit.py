#!/usr/bin/python3
"""Data with heavy tails, Huber's robust regression, and how large the residuals
are: for fitters.ini."""
import os
import sys

import numpy

# ensrun.py may as well lie beside the study: copy it
sys.path.insert(0, os.path.join(os.environ["ENSRUN_FOLDER"], "../clients"))
import ensrun


@ensrun.generate
def generate(t):
    rng = numpy.random.default_rng(t.seed)
    x = rng.normal(size=t.values["n"])
    errors = rng.standard_t(t.values["df"], size=len(x))
    return {"x": x, "y": 1 + t.values["slope"] * x + errors}


@ensrun.fit
def huber(t):
    x, y, k = t.x, t.y, t.values["k"]
    n, p = x.shape
    beta = numpy.linalg.solve(x.T @ x, x.T @ y)
    for _ in range(100):
        r = y - x @ beta
        scale = numpy.median(abs(r)) / 0.6745
        w = numpy.minimum(1, k * scale / numpy.maximum(abs(r), 1e-300))
        last, beta = beta, numpy.linalg.solve(x.T * w @ x, x.T * w @ y)
        if abs(beta - last).max() < 1e-10:
            break
    # Huber (1981), Robust Statistics, eq. 6.5: without his finite-sample factor
    psi = numpy.clip(r / scale, -k, k)
    inside = (abs(r / scale) < k).mean()
    var = (psi ** 2).sum() / (n - p) * (scale / inside) ** 2
    cov = var * numpy.linalg.inv(x.T @ x)
    return {"estimate": beta, "std_error": cov.diagonal() ** 0.5, "df": n - p}


@ensrun.metric
def residuals(t):
    return {"mad": numpy.median(abs(t.y - t.x @ t.estimate))}


ensrun.serve()
