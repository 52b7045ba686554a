#!/usr/bin/env python3
"""crash_rate over 100,000 tasks."""
from crashes import crash
from harness import main


def sigsegv(work):
    crash(work, 100000)


main(sigsegv)
