#!/usr/bin/env python3
"""kill -9 of the zygote, a sample: the run goes on, same bytes."""
from campaign import kill_zygote
from harness import main


def sample(work):
    kill_zygote(work, 10, 2)


main(sample)
