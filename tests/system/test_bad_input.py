#!/usr/bin/env python3
"""Bad studies and inputs: exit 2 before any worker starts, with a message
that names the file, the place and what was expected."""
import struct

from harness import BAD, check, ini, main

GOOD = ini("rows = 2\n", "replicates = 3\n", more="[inputs]\nX = x.npy\n")


def npy(shape=(4,), descr="<f8", data=None, fortran=False, version=(1, 0),
        head=None):
    """Bytes of an .npy file, good unless told otherwise."""
    if head is None:
        head = f"{{'descr': '{descr}', 'fortran_order': {fortran}, " \
               f"'shape': {shape!r}, }}"
    size = 10 if version[0] == 1 else 12
    head += " " * (64 - (size + len(head) + 1) % 64) + "\n"
    length = struct.pack("<H" if version[0] == 1 else "<I", len(head))
    if data is None:
        data = bytes(8 * 4)
    return b"\x93NUMPY" + bytes(version) + length + head.encode() + data


def refused(work, study, *words, name="study.ini"):
    """The study is refused; the message holds all the words."""
    path = work.study(study, name) if isinstance(study, str) else study
    results = work.path / "r"
    run = work.run(path, results, expect=BAD, seconds=20)
    run.expect_no_process(1.0)
    for word in words:
        check(word in run.stderr, f"{word!r} is not in: {run.stderr}")
    check(not (results / "journal").exists() or
          not any((results / "journal").iterdir()),
          "a journal was begun")
    return run


def studies(work):
    refused(work, work.path / "absent.ini", "absent.ini")
    refused(work, "", "study.ini", "kind")
    refused(work, "[study]\nkind = sinthetic\n", "study.ini:2", "synthetic")
    refused(work, ini("fail_rate = 1.5\n"), "study.ini:", "fail_rate", "1.5")
    refused(work, ini("fail_rat = 0.5\n"), "study.ini:", "fail_rate")
    refused(work, ini("fields = many\n"), "study.ini:", "fields", "many")
    refused(work, ini("fields = 1\nfields = 2\n"), "study.ini:", "fields")
    refused(work, ini("", more="[synthetik]\n"), "study.ini:", "synthetic")
    refused(work, ini("", "replicates = 0\n"), "study.ini:", "replicates")
    refused(work, ini("fields = 1,1\n"), "study.ini")
    refused(work, ini("rows = 5\n"), "X")
    both = refused(work, ini("fields = -1\nwork_us = -2\n"), "fields",
                   "work_us")
    check(both.stderr.count("study.ini:") >= 2, "not all errors at once")


def bytes_of_a_study(work):
    for data in (b"\xff\xfe\x00", b"[study]\nkind = \xc3\n", b"\x00" * 100,
                 b"[study", b"kind = synthetic\n", b"=\n", b"[]\n"):
        path = work.path / "study.ini"
        path.write_bytes(data)
        refused(work, path, "study.ini")


def arrays(work):
    path = work.path / "x.npy"
    path.write_bytes(npy())
    work.run(work.study(GOOD), work.path / "good")
    bad = {
        "empty": b"",
        "garbage": b"garbage" * 20,
        "cut in the magic": npy()[:5],
        "cut in the header": npy()[:30],
        "cut in the data": npy()[:-1],
        "one row": npy(shape=(1,), data=bytes(8)),
        "huge header": b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + b" " * 100,
        "huge shape": npy(shape=(1 << 62, 1 << 62)),
        "objects": npy(descr="|O"),
        "structures": npy(head="{'descr': [('a', '<f8')], "
                               "'fortran_order': False, 'shape': (4,), }"),
        "negative shape": npy(shape=(-4,)),
        "no shape": npy(head="{'descr': '<f8', 'fortran_order': False, }"),
        "unknown version": npy(version=(9, 0)),
    }
    for what, data in bad.items():
        path.write_bytes(data)
        run = refused(work, work.study(GOOD), "x.npy")
        print(f"  {what}: {run.stderr.strip().splitlines()[0][:120]}")
    path.unlink()
    refused(work, work.study(GOOD), "x.npy")
    path.mkdir()
    refused(work, work.study(GOOD), "x.npy")


def tables(work):
    study = GOOD.replace("x.npy", "x.csv")
    path = work.path / "x.csv"
    path.write_text("a,b\n1,2\n3,4\n5,6\n")
    work.run(work.study(study), work.path / "good")
    bad = {
        "empty": "",
        "only a header": "a,b\n",
        "too few columns": "a,b\n1,2\n3\n",
        "too many columns": "a,b\n1,2\n3,4,5\n",
        "open quote": 'a,b\n1,"2\n',
        "zero bytes": "a,b\n1,\0\n",
        "equal names": "a,a\n1,2\n3,4\n",
    }
    for what, text in bad.items():
        path.write_text(text)
        run = refused(work, work.study(study), "x.csv")
        print(f"  {what}: {run.stderr.strip().splitlines()[0][:120]}")


main(studies, bytes_of_a_study, arrays, tables)
