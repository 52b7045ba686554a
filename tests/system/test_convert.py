#!/usr/bin/python3
"""`ensrun convert` and the cache of inputs in bad company: kills, signals, two
at a time, folders that cannot be written, files cut anywhere, bombs; and that
memory does not grow with the files."""
import gzip
import pathlib
import signal
import struct
import time
import zlib

import numpy as np

from harness import BAD, ENVIRONMENT, OK, check, dice, digests, expect_same, \
    ini, kill, main, wait_until

ROWS = 400000  # 6 MB of text


def write_table(path, rows=ROWS):
    block = "".join(f"{i},{i * 0.37:.6f},{'abc'[i % 3]}\n"
                    for i in range(rows // 10))
    path.write_text("a,b,c\n" + block * 10)
    return path


def files(folder):
    return sorted(p.name for p in folder.iterdir())


def killed(work):
    """Whatever ends it, and when: OUT is there whole, or nothing is."""
    source = write_table(work.path / "t.csv")
    out = work.path / "out"
    out.mkdir()
    rolls = dice(5)
    ended = set()
    for number in (signal.SIGKILL, signal.SIGINT, signal.SIGTERM):
        for name in ("o.csv", "o.csv.gz"):
            for _ in range(3):
                run = work.start("convert", source, out / name)
                moment = run.start + rolls.uniform(0.02, 0.5)
                wait_until(lambda r=run, m=moment: not r.running
                           or time.monotonic() > m, 30, "the moment")
                kill(run.pid, number)
                code = run.wait(60, (0, -number))
                ended.add(code)
                want = [name] if code == 0 else []
                check(files(out) == want, f"{number} {code}: {files(out)}")
                (out / name).unlink(missing_ok=True)
    check(any(code < 0 for code in ended), f"none was hit: {ended}")


def anonymous(pid):
    """KiB that belong to the process and to no file."""
    try:
        text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in text.splitlines()
               if line.startswith("Anonymous:"))


def most_memory(run):
    most = [0]

    def ended():
        most[0] = max(most[0], anonymous(run.pid))
        return not run.running
    wait_until(ended, 300, "converted")
    check(run.wait() == OK, run.stderr)
    return most[0]


def memory(work):
    """256 MiB of numbers, 400 MB that are packed into 400 kB: tens of MiB."""
    a = np.lib.format.open_memmap(work.path / "a.npy", "w+", "f4",
                                  (1 << 22, 16))
    a[::7, 3] = 1.5
    a.flush()
    del a
    line = b"12345678,0.5\n" * 80000
    pack = zlib.compressobj(9, zlib.DEFLATED, 31)
    with open(work.path / "bomb.csv.gz", "wb") as f:
        f.write(pack.compress(b"a,b\n"))
        for _ in range(100):
            f.write(pack.compress(line))
        f.write(pack.flush())
    for arguments in (("a.npy", "b.npz"), ("a.npy", "t.npy", "--transpose"),
                      ("b.npz", "b.raw", "--transpose"),
                      ("a.npy", "b.csv.gz", "--rows", "1:200000"),
                      ("bomb.csv.gz", "c.npy")):
        run = work.start("convert", *arguments)
        most = most_memory(run)
        check(most < 48 * 1024, f"{arguments}: {most} KiB")
    with np.load(work.path / "b.npz") as z:
        check((z["X"][::7, 3] == 1.5).all() and z["X"].sum() ==
              1.5 * -(-(1 << 22) // 7), "values")
    t = np.load(work.path / "t.npy", mmap_mode="r")
    check(t.shape == (16, 1 << 22) and t[3, 7] == 1.5 and t[3, 8] == 0,
          "transposed")
    c = np.load(work.path / "c.npy", mmap_mode="r")
    check(c.shape == (8000000, 2) and c[-1, 0] == 12345678 and c[-1, 1] == 0.5,
          f"bomb: {c.shape}")


STUDY = ini("fields = 1", "seed = 3\nreplicates = 20",
            more="[inputs]\nX = t.csv")


def cache(work):
    """Two runs that make the same form; a run killed while it makes it; no
    folder to make it in."""
    write_table(work.path / "t.csv")
    study = work.study(STUDY)
    tables = work.path / "cache" / "tables"
    env = {"ENSRUN_CACHE": str(work.path / "cache")}
    run = work.start_run(study, work.path / "killed", env=env)
    wait_until(lambda: tables.is_dir() or not run.running, 30,
               "the form begun")
    kill(run.pid)
    run.wait(30, (0, -9))
    run.expect_no_process(5.0)
    left = files(tables)
    check(all(name.endswith(".col") for name in left), f"left: {left}")
    for name in left:
        (tables / name).unlink()
    runs = [work.start_run(study, work.path / f"r{i}", env=env)
            for i in range(2)]
    for run in runs:
        run.wait(120, OK)
    check(len(files(tables)) == 1, f"{files(tables)}")
    reference = digests(work.path / "r0")
    expect_same(work.path / "r1", reference, "two at a time")
    for name, folder in (("file", "t.csv/cache"), ("proc", "/proc/no")):
        work.run(study, work.path / name, env={"ENSRUN_CACHE": folder})
        expect_same(work.path / name, reference, f"cache {folder}")
    # a form that was damaged is made anew
    np.savez_compressed(work.path / "z.npz", x=np.arange(30.0).reshape(10, 3))
    packed = work.study(STUDY.replace("t.csv", "z.npz"), "packed.ini")
    work.run(packed, work.path / "z0", env=env)
    check(len(files(tables)) == 2, f"{files(tables)}")
    for name in files(tables):
        with open(tables / name, "r+b") as f:
            f.truncate((tables / name).stat().st_size - 8)
    work.run(study, work.path / "r2", env=env)
    expect_same(work.path / "r2", reference, "a damaged form")
    work.run(packed, work.path / "z1", env=env)
    expect_same(work.path / "z1", digests(work.path / "z0"), "damaged, npz")


def cut(work):
    """Every format, cut at any length: an error that names the file, or (text
    cut between its rows) fewer rows."""
    at = work.path
    a = np.arange(12.0).reshape(4, 3)
    np.save(at / "a.npy", a)
    np.savez(at / "a.npz", x=a)
    np.savez_compressed(at / "b.npz", x=a)
    text = b"a,b,c\n" + b"".join(b"%d,%d,%d\n" % (i, i, i) for i in range(4))
    (at / "a.csv.gz").write_bytes(gzip.compress(text))
    work.ensrun("convert", "a.npy", "a.mtx")
    for name in ("a.npy", "a.npz", "b.npz", "a.csv.gz", "a.mtx"):
        data = (at / name).read_bytes()
        step = 1 if len(data) < 150 else len(data) // 75
        for n in [*range(0, len(data), step), len(data) - 1]:
            path = at / f"cut-{name}"
            path.write_bytes(data[:n])
            run = work.ensrun("convert", path, "o.npy", expect=(OK, BAD))
            if run.code == OK:  # without its banner, or within the last number
                check(name == "a.mtx" and (n < 14 or n > len(data) - 3),
                      f"{name}: {n} of {len(data)} bytes are taken")
                (at / "o.npy").unlink()
            else:
                check(path.name in run.stderr, f"{name} {n}: {run.stderr}")


def lies(work):
    """Headers that promise what is not there, or what no file could hold."""
    at = work.path
    np.save(at / "a.npy", np.zeros((4, 3)))
    head = (at / "a.npy").read_bytes()
    for shape, word in ((b"(4, 4)", "truncated"), (b"(4, 2)", "too long"),
                        (b"(-1, )", "negative"),
                        (b"(9999999999999, 9999999999999)", "overflows"),
                        (b"(0, 9999999999999, 9999999999999)", "overflows")):
        new = head.replace(b"(4, 3), }", shape + b", }")
        new = new[:10] + new[10:-97].rstrip(b" ")
        new = new.ljust(127, b" ") + b"\n" + head[-96:]
        (at / "lie.npy").write_bytes(new)
        error = work.ensrun("convert", "lie.npy", "o.csv", expect=BAD).stderr
        check(word in error, f"{shape}: {error}")
    (at / "big.npy").write_bytes(b"\x93NUMPY\2\0" + struct.pack("<I", 1 << 31)
                                 + bytes(1000))
    check("header of 2147483648 bytes" in work.ensrun(
        "convert", "big.npy", "o.csv", expect=BAD).stderr, "long header")
    banner = "%%MatrixMarket matrix coordinate real general\n"
    for text in ("4294967296 4294967296 1\n1 1 1\n", "2 2 1\n3 1 1\n",
                 "2 2 1\n1 1 x\n", "2 2 9\n1 1 1\n", "2147483648 2 0\n"):
        (at / "lie.mtx").write_text(banner + text)
        run = work.ensrun("convert", "lie.mtx", "o.npy",
                          expect=(BAD, ENVIRONMENT))
        check("lie.mtx" in run.stderr, f"{text}: {run.stderr}")
    for i in range(40):
        (at / "noise").write_bytes(dice(i).randbytes(200 + 50 * i))
        for name in ("noise.npz", "noise.csv", "noise.npy", "noise"):
            (at / name).write_bytes((at / "noise").read_bytes())
            run = work.ensrun("convert", name, "o.npy", expect=BAD)
            check(name in run.stderr, run.stderr)
    check(not (at / "o.npy").exists(), "noise became an array")


main(killed, memory, cache, cut, lies)
