#!/usr/bin/env python3
"""A random walk: how far is it from home after `steps` steps?"""
import os
import sys
import random

steps, drift = int(sys.argv[1]), float(sys.argv[2])
random.seed(int(os.environ["ENSRUN_SEED"]))
at = highest = 0.0
for _ in range(steps):
    at += random.gauss(drift, 1)
    highest = max(highest, at)
print(f"end={at}")
print(f"highest={highest}")
