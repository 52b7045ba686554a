#!/usr/bin/env python3
"""Jobs of a real Slurm: what CI runs of long_slurm.py."""
import cluster
from long_slurm import jobs, shards

cluster.main(jobs, shards)
