#!/usr/bin/env python3
"""A random walk: how far is it from home after `steps` steps?"""
import array
import os
import random
import sys

steps, drift = int(sys.argv[1]), float(sys.argv[2])
random.seed(int(os.environ["ENSRUN_SEED"]))
at = highest = 0.0
path = array.array("d")
for _ in range(steps):
    at += random.gauss(drift, 1)
    highest = max(highest, at)
    path.append(at)
print(f"end={at}")
print(f"highest={highest}")
with open("path.f8", "wb") as file:  # numbers as they are; or numpy.save
    path.tofile(file)
