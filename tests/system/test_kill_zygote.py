#!/usr/bin/env python3
"""kill -9 of the zygote, a sample: the run goes on, same bytes; with the same
program, whatever became of its file."""
import shutil

from campaign import kill_zygote
from harness import ENSRUN, OK, check, expect_same, ini, kill, main, \
    run_arguments, wait_until


def sample(work):
    kill_zygote(work, 10, 2)


def program_gone(work):
    study = work.study(ini("sleep_us = 20000", "seed = 3\nreplicates = 100"))
    work.run(study, work.path / "reference")
    for how in ("replaced", "deleted"):
        program = work.path / f"ensrun-{how}"
        results = work.path / how
        shutil.copy(ENSRUN, program)
        run = work.start(*run_arguments(study, results), program=program)
        wait_until(lambda: run.workers(), 20, "a worker")
        if how == "replaced":
            other = work.path / "other"
            other.write_text("#!/bin/sh\nexit 9\n")
            other.chmod(0o755)
            other.rename(program)
        else:
            program.unlink()
        zygote = run.zygote()
        check(zygote and kill(zygote), "the zygote had ended before its kill")
        run.wait(expect=OK)
        check("zygote=1" in (results / "log.txt").read_text(),
              "no worker was lost with its zygote")
        expect_same(results, work.path / "reference", how)


main(sample, program_gone)
