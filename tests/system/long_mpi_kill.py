#!/usr/bin/env python3
"""kill -9 of any rank of an MPI job, a long campaign: always resumable, same bytes,
nothing acknowledged is lost, no process left."""
from campaign import kill_rank
from harness import main


def any_rank(work):
    kill_rank(work, 50, 3)


def far(work):
    """Ranks that do not see the results folder."""
    kill_rank(work, 20, 4, far=True)


main(any_rank, far)
