#!/usr/bin/env python3
"""Adaptive replicates under kill -9: 40 kills of the coordinator, of zygotes
and of workers; same bytes each time. A sample runs in test_stop.py."""
from harness import main
from stops import kill_anyone


def campaign(work):
    kill_anyone(work, 40, 17)


main(campaign)
