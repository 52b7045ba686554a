#!/usr/bin/env python3
"""Hosts that are lost in the middle of a job: what CI runs of
long_cluster_faults.py."""
import cluster
from long_cluster_faults import daemon_killed, daemon_of_rank_0_killed, \
    host_off, launcher_killed

cluster.main(daemon_killed, daemon_of_rank_0_killed, host_off,
             launcher_killed)
