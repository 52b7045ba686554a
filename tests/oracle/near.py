#!/usr/bin/env python3
# Predictions of scikit-learn for test_near.c: prints near.inc.
#   /usr/bin/python3 near.py > near.inc        (made with scikit-learn 1.2.1)
# Data are made here and there by the same generator.
import warnings

import numpy as np
from sklearn.discriminant_analysis import (LinearDiscriminantAnalysis,
                                           QuadraticDiscriminantAnalysis)
from sklearn.linear_model import (LogisticRegression, PoissonRegressor,
                                  Ridge)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import SplineTransformer
from sklearn.svm import SVC, SVR, LinearSVC, LinearSVR

N, M, P, CLASSES = 150, 20, 4, 3


def data():
    seed = 12345
    x = np.empty((N + M, P))
    e = np.empty(N + M)
    for i in range(N + M):
        for j in range(P + 1):
            seed = (seed * 1664525 + 1013904223) % 2**32
            v = (seed >> 8) / 2**24
            if j < P:
                x[i, j] = v * (j + 1) + (2 if j == 3 else 0)
            else:
                e[i] = v
    y = 3 * x[:, 0] - x[:, 1] * x[:, 2] + x[:, 3] / 4 + e
    score = x[:, 0] + x[:, 1] - 0.5 * x[:, 2] + e
    binary = (score > 1).astype(float)
    classes = np.minimum(2, np.maximum(0, np.floor(score + 0.5)))
    return x, {"GAUSSIAN": y, "BINOMIAL": binary, "MULTINOMIAL": classes,
               "POISSON": np.maximum(0, np.floor(2 * score))}


X, Y = data()


def show(learner, family, settings, model, what):
    model.fit(X[:N], Y[family][:N])
    new = X[N:]
    if what == "predict":
        out = model.predict(new)
    elif what == "decide":
        out = np.eye(CLASSES)[model.predict(new).astype(int)]
        out = out if family == "MULTINOMIAL" else out[:, 1]
    else:
        out = model.predict_proba(new)
        out = out if family == "MULTINOMIAL" else out[:, 1]
    values = ", ".join("%.17g" % v for v in np.ravel(out))
    text = ", ".join('"%s"' % s for s in settings)
    print('{"%s", ENS_OUTCOME_%s, {%s}, {%s}},' %
          (learner, family, text + ", NULL" if text else "NULL", values))


def knn():
    for weights in "uniform", "distance":
        for p, metric in (2, "euclidean"), (1, "manhattan"):
            for k in 1, 5, 30:
                settings = ["k=%d" % k, "weights=" + weights,
                            "metric=" + metric]
                how = {"n_neighbors": k, "weights": weights, "p": p}
                show("knn", "GAUSSIAN", settings,
                     KNeighborsRegressor(**how), "predict")
                for family in "BINOMIAL", "MULTINOMIAL":
                    show("knn", family, settings,
                         KNeighborsClassifier(**how), "proba")


def densities():
    for family in "BINOMIAL", "MULTINOMIAL":
        priors = [0.3, 0.7] if family == "BINOMIAL" else [0.2, 0.5, 0.3]
        text = "priors=" + " ".join("%g" % v for v in priors)
        show("naive_bayes", family, [], GaussianNB(), "proba")
        show("naive_bayes", family, ["var_smoothing=0.1", text],
             GaussianNB(var_smoothing=0.1, priors=priors), "proba")
        show("lda", family, [], LinearDiscriminantAnalysis(), "proba")
        show("lda", family, [text], LinearDiscriminantAnalysis(priors=priors),
             "proba")
        show("qda", family, [], QuadraticDiscriminantAnalysis(), "proba")
        show("qda", family, ["reg_param=0.25", text],
             QuadraticDiscriminantAnalysis(reg_param=0.25, priors=priors),
             "proba")


def machines():
    tight = "tol=1e-10"
    for kernel, how in (("rbf", {}), ("rbf", {"gamma": "auto"}),
                        ("rbf", {"gamma": 0.5}), ("linear", {}),
                        ("poly", {"degree": 2, "coef0": 1.5}),
                        ("sigmoid", {"gamma": 1e-4})):
        settings = ["kernel=" + kernel, tight] + ["%s=%s" % v
                                                  for v in how.items()]
        how = dict(how, kernel=kernel, tol=1e-10, C=0.7)
        settings.append("C=0.7")
        show("svm", "GAUSSIAN", settings, SVR(epsilon=0.1, **how), "predict")
        for family in "BINOMIAL", "MULTINOMIAL":
            show("svm", family, settings + ["probability=no"], SVC(**how),
                 "decide")
    for loss in "squared", "linear":
        how = {"C": 0.1, "tol": 1e-12, "max_iter": 10000000}
        settings = ["loss=" + loss, "C=0.1", "tol=1e-12", "solver=primal"]
        if loss == "linear":
            settings[2:] = ["tol=1e-8"]
            how["tol"] = 1e-9
        name = "epsilon_insensitive"
        show("svm_linear", "GAUSSIAN", settings + ["epsilon=0.2"],
             LinearSVR(epsilon=0.2, dual=loss == "linear",
                       loss="squared_" * (loss == "squared") + name, **how),
             "predict")
        for family in "BINOMIAL", "MULTINOMIAL":
            show("svm_linear", family, settings,
                 LinearSVC(dual=loss == "linear",
                           loss="squared_" * (loss == "squared") + "hinge",
                           **how), "decide")


def splines():
    for knots, alpha in (2, 1), (5, 0.5), (9, 20):
        for family, model, what in (
                ("GAUSSIAN", Ridge(alpha=alpha), "predict"),
                ("BINOMIAL", LogisticRegression(
                    C=1 / alpha, tol=1e-13, max_iter=10000,
                    solver="newton-cholesky"), "proba"),
                ("POISSON", PoissonRegressor(
                    alpha=alpha / N, tol=1e-13, max_iter=10000,
                    solver="newton-cholesky"), "predict")):
            basis = SplineTransformer(n_knots=knots, knots="quantile",
                                      include_bias=False)
            show("spline", family, ["knots=%d" % knots, "alpha=%g" % alpha],
                 make_pipeline(basis, model), what)


warnings.simplefilter("error")
print("/* Made by near.py: do not edit. */")
knn()
densities()
machines()
splines()
