#!/usr/bin/python3
"""Centres of scikit-learn 1.2.1 for tests/oracle/test_clusters.c:

    /usr/bin/python3 tests/oracle/clusters.py > tests/oracle/clusters.inc

300 rows about 4 points; Lloyd's algorithm from the first J rows, until no row
changes (tol = 0).
"""
import numpy as np
from sklearn.cluster import KMeans

rng = np.random.RandomState(3)
at = rng.uniform(-10, 10, size=(4, 3))
X = (at[rng.randint(0, 4, 300)] + rng.normal(size=(300, 3)) * 2).round(3)


def numbers(name, a):
    print(f"static const double {name}[] = {{")
    for v in np.asarray(a, float).ravel():
        print(f"    {float(v)!r},")
    print("};")


print("/* Written by clusters.py: scikit-learn 1.2.1. */")
numbers("data_x", X)
for J in (2, 3, 4, 7):
    k = KMeans(J, init=X[:J], n_init=1, max_iter=300, tol=0,
               algorithm="lloyd").fit(X)
    numbers(f"centres_{J}", k.cluster_centers_)
    print(f"static const int labels_{J}[] = {{")
    print("    " + ", ".join(str(int(v)) for v in k.labels_))
    print("};")
