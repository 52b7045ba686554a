#!/usr/bin/env python3
"""The kill campaigns in full: 100 moments each."""
from campaign import kill_coordinator, kill_worker, kill_zygote
from harness import main


def coordinator(work):
    kill_coordinator(work, 100, 101)


def zygote(work):
    kill_zygote(work, 100, 102)


def worker(work):
    kill_worker(work, 100, 103)


main(coordinator, zygote, worker)
