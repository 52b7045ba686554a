#!/usr/bin/env python3
"""A fault-injecting write layer (ENSRUN_FAULT, src/store/io.c): short writes
change nothing; EIO, a full disk and failing syncs end the run with 3, and the
resume gives the same bytes."""
import shutil

from harness import ENVIRONMENT, OK, Failure, check, digests, expect_same, \
    ini, kill, main, wait_until

STUDY = ini("work_us = 100\nstages = 2\narray_rows = 20000\nfields = 2\n"
            "payload_bytes = 500\ntext_bytes = 20\nschema_varies = yes\n",
            "seed = 51\n",
            "commit_every = 10\ncommit_seconds = 0.01\ndisk_wait = 0.2\n")


def faulty(work, specs, transports=("inline", "fork"), expect=None):
    """Run with each fault, then resume without; count the ends by code."""
    study = work.study(STUDY)
    work.run(study, work.path / "quiet")
    reference = digests(work.path / "quiet")
    codes = {OK: 0, ENVIRONMENT: 0}
    for number, spec in enumerate(specs):
        for transport in transports:
            results = work.path / f"{transport}{number}"
            run = work.run(study, results, transport=transport,
                           expect=expect or (OK, ENVIRONMENT),
                           env={"ENSRUN_FAULT": spec}, seconds=30)
            run.expect_no_process(1.0)
            codes[run.code] += 1
            if run.code != OK:
                check(run.stderr.strip() != "", f"{spec}: no message")
                work.run(study, results)
            work.verify(results)
            expect_same(results, reference, f"{spec}, {transport}")
    return codes


def short_writes(work):
    faulty(work, ["short"], expect=OK)


def input_output_errors(work):
    codes = faulty(work, [f"eio@{n}" for n in (1, 2, 3, 5, 9, 15, 30, 100000)])
    check(codes[OK] >= 2 and codes[ENVIRONMENT] >= 10, f"ends: {codes}")


def full_disk(work):
    sizes = (1, 1000, 10000, 50000, 200000, 1000000000)
    codes = faulty(work, [f"enospc@{n}" for n in sizes])
    check(codes[OK] >= 2 and codes[ENVIRONMENT] >= 6, f"ends: {codes}")


def full_for_a_while(work):
    """Space comes back before disk_wait is over: nothing is lost."""
    faulty(work, ["enospc@20000+1"], expect=OK)


def failing_syncs(work):
    codes = faulty(work, [f"syncfail@{n}" for n in (1, 2, 3, 5, 8, 100000)])
    check(codes[OK] >= 2 and codes[ENVIRONMENT] >= 6, f"ends: {codes}")


def killed_journal(work, study, results):
    """A journal with several commits and a tail: the run was killed."""
    def n_commits():
        found = sorted((results / "journal").glob("*.ej"))
        return count_commits(found[-1].read_bytes()) if found else 0

    for _ in range(10):  # a busy machine may end the run first
        shutil.rmtree(results, ignore_errors=True)
        run = work.start_run(study, results)
        wait_until(lambda: n_commits() >= 6 or not run.running, 20,
                   "six commits")
        if kill(run.pid) == 1 and run.wait() == -9:
            return sorted((results / "journal").glob("*.ej"))[-1]
    raise Failure("every run ended before it was killed")


def count_commits(data):
    """COMMIT frames (type 7) of a segment; see src/record/frame.h."""
    at = n = 0
    while data[at:at + 4] == b"ENSF":
        n += data[at + 5] == 7
        length = int.from_bytes(data[at + 8:at + 12], "little")
        at += 24 + (length + 7) // 8 * 8 + 8
    return n


def truncated(work):
    """The journal of a killed run, cut anywhere or with one bit flipped: the
    rest counts or is refused, but a result is never wrong."""
    study = work.study(STUDY.replace("work_us = 100", "sleep_us = 5000"))
    work.run(study, work.path / "quiet", workers=8)
    reference = digests(work.path / "quiet")
    journal = killed_journal(work, study, work.path / "broken")
    whole = journal.read_bytes()
    used = len(whole.rstrip(b"\0"))  # extended ahead with zeros
    ends = {"cut": {OK: 0, ENVIRONMENT: 0}, "flip": {OK: 0, ENVIRONMENT: 0}}
    for i in range(60):
        data = bytearray(whole)
        at = i * used // 60
        if i % 2:
            data[at] ^= 1 << i % 8
        else:
            del data[at:]
        code = resume_copy(work, study, journal, bytes(data), i, reference)
        ends["flip" if i % 2 else "cut"][code] += 1
    print(f"  ends: {ends}")
    check(ends["cut"][ENVIRONMENT] == 0, "a cut is a tail, not corruption")
    check(ends["flip"][ENVIRONMENT] >= 15, "flips before a commit went by")


def resume_copy(work, study, journal, data, i, reference):
    results = work.path / f"copy{i}"
    shutil.copytree(work.path / "broken", results)
    (results / "journal" / journal.name).write_bytes(data)
    run = work.run(study, results, expect=(OK, ENVIRONMENT), workers=8)
    if run.code == OK:
        expect_same(results, reference, f"journal changed, copy {i}")
    else:
        check(journal.name in run.stderr, f"no place in: {run.stderr}")
    shutil.rmtree(results)
    return run.code


main(short_writes, input_output_errors, full_disk, full_for_a_while,
     failing_syncs, truncated)
