#!/usr/bin/env python3
"""kill -9 of any rank of an MPI job, a sample: always resumable, same bytes,
nothing acknowledged is lost, no process left. All of it: long_mpi_kill.py."""
from campaign import kill_rank
from harness import main


def sample(work):
    kill_rank(work, 6, 1)


def far(work):
    """Ranks that do not see the results folder."""
    kill_rank(work, 3, 2, far=True)


main(sample, far)
