#!/usr/bin/env python3
"""kill -9 of the coordinator, a sample: always resumable, same bytes, no
process left after a second. All of it: long_kill.py."""
from campaign import kill_coordinator
from harness import main


def sample(work):
    kill_coordinator(work, 10, 1)


main(sample)
