#!/usr/bin/env python3
"""Adaptive replicates under mpirun: the same bytes as with forked workers, also
with ranks that do not see the results folder."""
import mpi
from harness import OK, SOME_FAILED, digests, expect_same, main
from stops import fates, simulation


def same_bytes(work):
    for name, text, code in (("simulation", simulation(), OK),
                             ("fates", fates(), SOME_FAILED)):
        study = work.study(text, f"{name}.ini")
        work.run(study, work.path / name, workers=2, expect=code)
        mpi.run(work, study, work.path / f"{name}-mpi", ranks=3, expect=code)
        expect_same(work.path / f"{name}-mpi", digests(work.path / name),
                    f"{name}: 3 ranks")
        mpi.run(work, study, work.path / f"{name}-far", ranks=3, expect=code,
                env={"ENSRUN_FAR": "1"})
        expect_same(work.path / f"{name}-far", digests(work.path / name),
                    f"{name}: 3 ranks far away")


main(same_bytes)
