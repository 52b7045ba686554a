#!/usr/bin/env python3
"""Standard files that are closed, full or left: no file of a run may take
their number, and the results are the same bytes."""
import subprocess

from harness import ENSRUN, digests, check, expect_same, ini, main, \
    run_arguments

STUDY = ini("work_us = 200\nfail_rate = 0.1\n", "seed = 71\nreplicates = 100\n")


def shell(work, *arguments, files=""):
    """Exit code of the program under a shell that arranges its files."""
    line = '"$@" ' + files + '; exit "${PIPESTATUS[0]}"'
    return subprocess.run(["bash", "-c", line, "bash", ENSRUN,
                           *map(str, arguments)], cwd=work.path, timeout=60,
                          capture_output=True, text=True).returncode


def runs(work):
    study = work.study(STUDY)
    work.run(study, work.path / "quiet", expect=1)
    reference = digests(work.path / "quiet")
    for i, files in enumerate((
            "2>&-", ">&-", "<&-", ">&- 2>&-", "<&- >&- 2>&-", "2>/dev/full",
            "2>&1 | true", "2>&1 | head -c 5")):
        for transport in ("fork", "inline"):
            results = work.path / f"{transport}{i}"
            code = shell(work, *run_arguments(study, results, "--progress",
                                              "lines", transport=transport),
                         files=files)
            check(code == 1, f"{files}, {transport}: exit code {code}")
            expect_same(results, reference, f"{files}, {transport}")
            work.verify(results)


def commands(work):
    """What cannot be printed is an error, not silence."""
    results = work.path / "quiet"
    work.run(work.study(STUDY), results, expect=1)
    for command in (["status", results], ["show", results],
                    ["verify", results], ["export", results], ["kinds"],
                    ["--help"]):
        for files in (">&-", ">/dev/full"):
            code = shell(work, *command, files=files)
            check(code == 3, f"{command[0]} {files}: exit code {code}")


main(runs, commands)
