#!/usr/bin/env python3
"""A sample of long_cluster_faults: a daemon killed, hosts off and cut, and a
coordinator that wakes up on a cut host behind another run."""
import cluster
from long_cluster_faults import daemon_killed, host_cut, host_off, \
    stale_coordinator

cluster.main(daemon_killed, host_off, host_cut, stale_coordinator)
