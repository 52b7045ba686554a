#!/usr/bin/python3
"""Makes scores.inc for test_score.c: scores by scikit-learn 1.2.1, weighted
and not; risks with standard errors by the formulas of R's CV.SuperLearner.

    tests/oracle/scores.py > tests/oracle/scores.inc
"""
import numpy
from sklearn import metrics

N = 500
state = 11


def u():
    """Park and Miller (1988)."""
    global state
    state = 16807 * state % 2147483647
    return state / 2147483647


y, p, w, c, q, k, m, h = (numpy.zeros(N) for _ in range(8))
three, prob = numpy.zeros(N, int), numpy.zeros((N, 3))
for i in range(N):
    t = 2 * u() - 1
    y[i] = t + u()  # near 0, too
    p[i] = t + 0.5 * u()
    w[i] = int(4 * u())
    c[i] = 1 if t + u() > 0.5 else 0
    q[i] = int(20 * (t + 1) / 2 + 2 * u()) / 22  # ties, 0
    k[i] = int(5 * u())
    m[i] = k[i] + 3 * u() + 0.1
    three[i] = int(3 * u())
    row = [u() + (0.5 if three[i] == j else 0) for j in range(3)]
    prob[i] = [v / (row[0] + row[1] + row[2]) for v in row]
    h[i] = 1 if q[i] > 0.5 else 0


def put(name, *values):
    print(f"static const double {name}[] = {{" +
          ", ".join(repr(float(v)) for v in values) + "};")


def risk(name, loss):
    put(name, (w * loss).mean(), (w * loss).std(ddof=1) / N**0.5)


def of(f, truth, prediction, **kw):
    return [f(truth, prediction, sample_weight=s, **kw) for s in (None, w)]


M = metrics
put("mse", *of(M.mean_squared_error, y, p))
put("rmse", *of(M.mean_squared_error, y, p, squared=False))
put("mae", *of(M.mean_absolute_error, y, p))
put("mape", *of(M.mean_absolute_percentage_error, y, p))
put("wape", *(numpy.sum(s * abs(y - p)) / numpy.sum(s * abs(y))
              for s in (numpy.ones(N), w)))
put("r2", *of(M.r2_score, y, p))
put("logloss", *of(M.log_loss, c, q))
put("deviance", *(2 * v for v in of(M.log_loss, c, q)))
put("poisson_deviance", *of(M.mean_poisson_deviance, k, m))
put("brier", *of(M.brier_score_loss, c, q))
put("auc", *of(M.roc_auc_score, c, q))
put("accuracy", *of(M.accuracy_score, c, h))
put("error", *(1 - v for v in of(M.accuracy_score, c, h)))
put("logloss3", *of(M.log_loss, three, prob))
put("accuracy3", *of(M.accuracy_score, three, prob.argmax(1)))
put("brier3", *(numpy.average(
    ((numpy.eye(3)[three] - prob) ** 2).sum(1), weights=s)
    for s in (None, w)))
risk("risk_squared", (y - p) ** 2)
risk("risk_absolute", abs(y - p))

# Influence of a row on the weighted area, by the definition in LeDell et al.
# (2015), with weights of 1 on average.
v = w / w.mean()
share = [(v * (c == a)).mean() for a in (0, 1)]
below = [sum(v[j] * ((q[j] < q[i]) + (q[j] == q[i]) / 2) for j in range(N)
             if c[j] == 0) / N / share[0] for i in range(N)]
above = [sum(v[j] * ((q[j] > q[i]) + (q[j] == q[i]) / 2) for j in range(N)
             if c[j] == 1) / N / share[1] for i in range(N)]
area = M.roc_auc_score(c, q, sample_weight=w)
ic = numpy.where(c == 1, v * (numpy.array(below) - area) / share[1],
                 v * (numpy.array(above) - area) / share[0])
put("risk_auc", 1 - area, ((ic**2).mean() / N) ** 0.5)
