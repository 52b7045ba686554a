#!/usr/bin/env python3
"""A C program that runs a study over its own memory, built from what is
installed alone."""
import os
import pathlib
import shutil
import signal
import subprocess

import plugins
from harness import (BAD, ENVIRONMENT, OK, REQUEUE, SOURCE, check, command_of,
                     digests, expect_same, main, marked, table, wait_until)

ROWS, BLOCKS, RUN = 9_000_000, 256, 40_000
MIB = 1 << 20


def sanitizers():
    for line in (plugins.BUILD / "CMakeCache.txt").read_text().splitlines():
        if line.startswith("ENSRUN_SANITIZE:") and not line.endswith("="):
            return ["-fsanitize=" + line.split("=", 1)[1]]
    return []


def build(work):
    """The example, compiled as its head comments say."""
    shutil.copytree(SOURCE / "launch" / "examples" / "embed", work.path,
                    dirs_exist_ok=True)
    prefix = plugins.installed(work)
    for name in ("mean.c", "blocks.c"):
        n = len((work.path / name).read_text().splitlines())
        check(n < 80, f"{name} has {n} lines")
    plugins.compile_c(work, work.path / "blocks.c", work.path / "blocks.so")
    pc = next(prefix.rglob("ensrun.pc"))
    flags = subprocess.run(
        ["pkg-config", "--cflags", "--libs", "ensrun"], check=True, text=True,
        capture_output=True,
        env={**os.environ, "PKG_CONFIG_PATH": str(pc.parent)}).stdout.split()
    subprocess.run([plugins.compiler(), "-std=c11", "-O2", "-Wall", "-Wextra",
                    "-Wpedantic", "-Werror", *sanitizers(), "-o",
                    work.path / "mean", work.path / "mean.c", *flags],
                   check=True)
    return next(prefix.rglob("libensrun.so")).parent


def start(work, library, *arguments, env=None):
    return work.start(*arguments, program=str(work.path / "mean"),
                      env={"LD_LIBRARY_PATH": str(library), **(env or {})})


def mean(work, library, *arguments, expect=OK, env=None):
    run = start(work, library, *arguments, env=env)
    run.wait(120, expect)
    return run


def exact():
    """Mean and variance over weights of the blocks, which are Dirichlet."""
    n = ROWS // BLOCKS
    means = []
    for block in range(BLOCKS):
        first, last = block * n, (block + 1) * n
        total = 0
        while first < last:
            end = min(last, (first // RUN + 1) * RUN)
            total += (first // RUN % 7) * (end - first)
            first = end
        means.append(total / n)
    m = sum(means) / BLOCKS
    return m, sum((x - m) ** 2 for x in means) / BLOCKS / (BLOCKS + 1)


def results_are_right_and_resume(work):
    library = build(work)
    run = mean(work, library, 300)
    check("300 new tasks, exit status 0" in run.stdout, run.stdout)
    cells = {r["measure"]: float(r["value"])
             for r in table(work.path / "results/mean", "cells.csv")}
    m, variance = exact()
    check(abs(cells["mean"] - m) < 4.5 * (variance / 300) ** .5,
          f"{cells} {m}")
    check(.8 < cells["sd"] / variance ** .5 < 1.2, f"{cells} {variance ** .5}")
    check("sd" in run.stdout, run.stdout)
    run = mean(work, library, 350)  # the same content in another memfd
    check("50 new tasks, exit status 0" in run.stdout, run.stdout)
    run = mean(work, library, 350, 1, expect=BAD)
    check("input X: memory:X has other content" in run.stderr, run.stderr)
    # the folder is an ordinary one, but for its input
    work.verify("results/mean")
    work.ensrun("show", "results/mean")
    run = work.ensrun("run", "results/mean", expect=BAD)
    check("[input X]: memory:X" in run.stderr and
          "only that program can run it" in run.stderr, run.stderr)
    # the same bytes as from a file
    data = bytearray(b"\x93NUMPY\x01\x00\x76\x00" + (
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (%d,), }" % ROWS
        ).ljust(117) + b"\n")
    import array
    for i in range(0, ROWS, RUN):
        data += array.array("d", [i // RUN % 7] * min(RUN, ROWS - i)).tobytes()
    (work.path / "x.npy").write_bytes(data)
    work.study("[study]\nkind = ./blocks.so:blocks\nreplicates = 350\n"
               "[inputs]\nX = x.npy\n[blocks]\ninput = X\n")
    work.run("study.ini", "file")
    expect_same(work.path / "file", digests(work.path / "results/mean"),
                "from a file")


def memory_of(pids):
    """(proportional set size of all, the largest resident sets), bytes."""
    pss, rss = 0, []
    for pid in pids:
        try:
            text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
        except (OSError, ProcessLookupError):
            continue
        sizes = {line.split()[0]: int(line.split()[1]) * 1024
                 for line in text.splitlines()[1:]}
        pss += sizes["Pss:"]
        rss.append(sizes["Rss:"])
    return pss, sorted(rss)


def workers_share_the_array(work):
    library = build(work)
    run = start(work, library, 1_000_000)

    def all_have_it():
        pss, rss = memory_of(marked(run.mark))
        return rss[-3:] if len(rss) > 3 and rss[-3] > 72e6 else None

    wait_until(all_have_it, 60, "two workers that have read it all")
    pss, rss = memory_of(marked(run.mark))
    names = [command_of(p)[:2] for p in marked(run.mark)]
    check(pss < 72e6 + 56 * MIB, f"{pss / MIB:.0f} MiB: {rss} {names}")
    check(sum(rss) > 3 * 72e6, f"{rss}")
    run.process.send_signal(signal.SIGINT)
    run.wait(60, REQUEUE)
    check("exit status 85" in run.stdout, run.stdout)
    check("stopped" in run.stderr, run.stderr)
    run.expect_no_process()


def a_killed_program_leaves_nothing(work):
    library = build(work)
    run = start(work, library, 1_000_000)
    wait_until(lambda: len(run.workers()) == 2, 60, "two workers")
    run.process.kill()
    run.wait(60, -signal.SIGKILL)
    run.expect_no_process(10)


def the_program_is_found_or_asked_for(work):
    library = build(work)
    program = plugins.installed(work) / "bin" / "ensrun"
    away = work.path / "away"
    away.mkdir()
    for name in library.glob("libensrun.so*"):
        shutil.copy(name, away)
    run = mean(work, away, 10, expect=ENVIRONMENT)
    for text in ("cannot find the ensrun program", "away", "ENSRUN_PROGRAM"):
        check(text in run.stderr, run.stderr)
    mean(work, away, 10, env={"ENSRUN_PROGRAM": str(program)})
    run = mean(work, away, 20, expect=ENVIRONMENT,
               env={"ENSRUN_PROGRAM": "/nowhere/ensrun"})
    check("/nowhere/ensrun cannot be run" in run.stderr, run.stderr)
    run = mean(work, away, 20, expect=ENVIRONMENT,
               env={"ENSRUN_PROGRAM": "/bin/true"})
    check("/bin/true: is not the program of this library" in run.stderr,
          run.stderr)


main(results_are_right_and_resume, workers_share_the_array,
     a_killed_program_leaves_nothing, the_program_is_found_or_asked_for)
