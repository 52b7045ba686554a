#!/usr/bin/env python3
"""Kind command, collect: files that programs leave, kept as they are, and
unpacked again by `export --files`."""
import hashlib
import os
import shutil
import signal
import subprocess

from harness import BAD, ENSRUN, ENVIRONMENT, OK, SOME_FAILED, SOURCE, check, \
    dice, kill, main, table, wait_until


def program(work, text, name="leave"):
    path = work.path / name
    path.write_text("#!/usr/bin/python3 -S\n" + text)
    path.chmod(0o755)


def study(work, collect, run="./leave {replicate}", study="", runs="", more=""):
    return work.study(f"[study]\nkind = command\n{study}\n[command]\n"
                      f"run = {run}\n{collect}\n[run]\n{runs}\n{more}\n")


def tree(folder):
    """name (bytes) -> digest of all files below."""
    folder = os.fsencode(folder)
    found = {}
    for root, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(root, name)
            with open(path, "rb") as file:
                digest = hashlib.sha256(file.read()).hexdigest()
            found[os.path.relpath(path, folder)] = digest
    return found


def unpacked(work, results, name):
    work.verify(results)
    work.ensrun("export", results, "--files", "-o", work.path / name)
    return tree(work.path / name)


NAMES = [b"plain.txt", b"with space", b"two\nlines", b"-rf", b"--", b"a;b$c'\"",
         "\u00e4\u20ac\U0001f600".encode(), b"\xff\xfe\xe4", b"x" * 255,
         b"sub/in.txt", b"sub/deep/er.txt", b"*", b"a\\b", b"~", b"#x", b"..."]


def any_name_any_bytes(work):
    program(work, "import os, random\n"
            f"for i, name in enumerate({NAMES!r}):\n"
            "    if b'/' in name:\n"
            "        os.makedirs(os.path.dirname(name), exist_ok=True)\n"
            "    random.seed(i)\n"
            "    with open(name, 'wb') as f:\n"
            "        f.write(random.randbytes(3 ** min(i, 11)))\n"
            "open('.hidden', 'w').write('x')\n"
            "open('empty', 'w')\n")
    results = work.path / "r"
    work.run(study(work, "collect = **/*, ..."), results)
    found = unpacked(work, results, "out")
    import random
    want = {}
    for i, name in enumerate(NAMES):
        random.seed(i)
        data = random.randbytes(3 ** min(i, 11))
        want[b"c0001_r00001/" + name] = hashlib.sha256(data).hexdigest()
    want[b"c0001_r00001/empty"] = hashlib.sha256(b"").hexdigest()
    check(found == want, sorted(found.keys() ^ want.keys()))
    shown = work.ensrun("show", results, "c0001_r00001").stdout
    for text in ("two\\x0alines", "\\xff\\xfe\\xe4", "sub/deep/er.txt",
                 "\u00e4\u20ac", "  -rf ", "a\\x5cb"):
        check(text in shown, f"{text} not in {shown}")
    check(".hidden" not in shown, shown)
    run = work.ensrun(results, "--only", "c0001_r00001", "--progress", "none")
    check("equal to the stored result" in run.stdout + run.stderr, run.stdout)


# what a task does, what collect says -> its error; "" for none
OUTCOMES = [
    ("touch a.csv", "collect = a.csv", ""),
    ("true", "collect = a.csv",
     "collect: a.csv matches no file that the program left"),
    ("touch a.csv", "collect = *.csv, *.txt",
     "collect: *.txt matches no file that the program left"),
    ("touch a.csv", "collect = *.csv\ncollect_optional = *.txt, no/*", ""),
    ("true", "collect_optional = *", ""),
    ("mkdir a", "collect = a",
     "collect: a matches no file that the program left"),
    ("mkdir a; touch a/b", "collect = *",
     "collect: * matches no file that the program left"),
    ("ln -s /etc/passwd p", "collect = *", "collect: p: a link, not a file"),
    ("ln -s /etc p", "collect = p/*",
     "collect: p/* matches no file that the program left"),
    ("ln -s /etc p", "collect = **/passwd",
     "collect: **/passwd matches no file that the program left"),
    ("mkfifo p", "collect = *", "collect: p: a pipe, not a file"),
    ("mkfifo p; touch q.csv", "collect = *.csv", ""),
    ("python3 -c 'import socket; socket.socket(1).bind(\"s\")'",
     "collect = s", "collect: s: a socket, not a file"),
    ("touch a b c", "collect = *\ncollect_files = 3", ""),
    ("touch a b c", "collect = *\ncollect_files = 2",
     "collect: more than 2 files match (collect_files)"),
    ("truncate -s 1T a", "collect = *",
     "collect: more than 1073741824 bytes in files that match "
     "(collect_bytes)"),
    ("head -c 600 /dev/zero > a; cp a b", "collect = *\ncollect_bytes = 1000",
     "collect: more than 1000 bytes"),
    ("head -c 500 /dev/zero > a; cp a b", "collect = *\ncollect_bytes = 1000",
     ""),
    ("d=.; for i in 1 2 3 4 5 6 7 8 9; do d=$d/d$i/d$i/d$i/d$i/d$i/d$i/d$i/d$i"
     "; done; mkdir -p $d; touch $d/x", "collect = **/x",
     "too many folders in one another"),
    ("touch a; exit 3", "collect = a", "exit status 3"),
    ("touch a; echo nonsense", "collect = a",
     "output, line 1: neither key=value"),
]


def documented_outcomes(work):
    for number, (line, collect, error) in enumerate(OUTCOMES):
        results = work.path / f"r{number}"
        work.run(study(work, f"shell = yes\n{collect}", line), results,
                 expect=SOME_FAILED if error else OK)
        row = table(results)[0]
        check(error in row["error"] and
              row["status"] == ("failed" if error else "ok"),
              f"{line}, {collect}: {row}")
        work.verify(results)


def refused_patterns(work):
    for pattern, text in (("/etc/passwd", "not a path from the root"),
                          ("../x", 'without ".."'), ("a/../../x", "\"..\""),
                          ("a//b", "expected a name or a pattern")):
        run = work.run(study(work, f"collect = {pattern}", "true"),
                       work.path / "r", expect=BAD)
        check(text in run.stderr and ".ini:6: [command] collect" in run.stderr,
              run.stderr)


def thousands_of_files(work):
    program(work, "import os\nfor i in range(3000):\n"
            "    os.makedirs(f'd{i % 7}', exist_ok=True)\n"
            "    open(f'd{i % 7}/file number {i} of many.txt', 'w')"
            ".write(str(i))\nprint('n=3000')\n")
    results = work.path / "r"
    work.run(study(work, "collect = */*.txt", study="replicates = 2"), results)
    found = unpacked(work, results, "out")
    check(len(found) == 6000, len(found))
    name = b"c0001_r00002/d1/file number 8 of many.txt"
    check(found[name] == hashlib.sha256(b"8").hexdigest(), found[name])
    files = sum(len(f) for _, _, f in os.walk(results / "artifacts"))
    check(files <= 2, f"{files} packs")


BIG = 200_000_000


def peak_of(work, *arguments):
    """Peak memory of a command, in MB, of whatever kind."""
    pid = os.posix_spawn(ENSRUN, [ENSRUN, *map(str, arguments)], os.environ)
    _, status, usage = os.wait4(pid, 0)
    check(status == 0, f"{arguments[0]}: status {status}")
    return usage.ru_maxrss / 1024


def larger_than_memory(work):
    results = work.path / "r"
    work.run(study(work, "shell = yes\ncollect = big",
                   f"yes 0123456789abcde | head -c {BIG} > big",
                   runs="memory_limit = 16 M"), results, workers=1)
    out = work.path / "out"
    for arguments in (("verify", results),
                      ("export", results, "--files", "-o", out),
                      ("export", results, "--artifact", "big", "--dtype", "u1",
                       "-o", work.path / "big.npy")):
        peak = peak_of(work, *arguments)
        check(peak < 60, f"{arguments[0]}: {peak} MB")
    want = subprocess.run(f"yes 0123456789abcde | head -c {BIG} | sha256sum",
                          shell=True, capture_output=True, check=True).stdout
    for path, skip in ((out / "c0001_r00001/big", 0),
                       (work.path / "big.npy", 128)):
        got = subprocess.run(["sh", "-c", f"tail -c +{skip + 1} | sha256sum"],
                             stdin=open(path, "rb"), capture_output=True,
                             check=True).stdout
        check(got == want, f"{path}: {got} {want}")
    shutil.rmtree(out)


# A megabyte in three files, from the seed; half of it written late.
PARTS = ("import os, random, sys, time\n"
         "random.seed(os.environ['ENSRUN_SEED'])\n"
         "data = random.randbytes(1 << 20)\n"
         "open('a.bin', 'wb').write(data[:500000])\n"
         "os.mkdir('sub')\n"
         "open('sub/b.bin', 'wb').write(data[500000:])\n"
         "open('c', 'w').write(sys.argv[1])\n"
         "print('last=%d' % data[-1])\n")


def parts(work, runs=""):
    program(work, PARTS)
    return study(work, "collect = *.bin, sub/*, c", study="replicates = 60",
                 runs=f"commit_every = 5\ncommit_seconds = 0.01\n{runs}")


def same_bytes_by_any_workers(work):
    text = parts(work)
    trees = []
    for n in (1, 2, 8):
        results = work.path / f"r{n}"
        work.run(text, results, workers=n)
        trees.append(unpacked(work, results, f"out{n}"))
    work.run(text, work.path / "inline", workers=1, transport="inline")
    trees.append(unpacked(work, work.path / "inline", "out_inline"))
    check(len(trees[0]) == 180 and all(t == trees[0] for t in trees),
          [len(t) for t in trees])


def killed_while_collecting(work):
    text = parts(work, "attempts = 100")
    work.run(text, work.path / "reference")
    want = unpacked(work, work.path / "reference", "want")
    rng = dice(11)
    results = work.path / "r"
    hits = 0
    for _ in range(6):
        run = work.start_run(text, results, workers=2)
        for _ in range(3):  # a worker whose pack grows
            size = pack_bytes(results)
            wait_until(lambda: pack_bytes(results) > size or not run.running,
                       60, "packs growing", pause=0.0005)
            workers = run.workers()
            hits += sum(kill(pid) for pid in
                        rng.sample(workers, min(1, len(workers))))
        size = pack_bytes(results)
        wait_until(lambda: pack_bytes(results) > size or not run.running,
                   60, "packs growing", pause=0.0005)
        hits += run.running and kill(run.pid)
        run.wait(expect=(0, -9))
        run.expect_no_process(2.0)
    check(hits > 3, f"{hits} kills")
    work.run(text, results)
    check(unpacked(work, results, "got") == want, "other bytes after kills")


def pack_bytes(results):
    return sum(p.stat().st_size for p in (results / "artifacts").glob("*"))


PERSISTENT = """#!/usr/bin/python3
import random
import ensrun

def model(t):
    random.seed(t.seed)
    with open("x.bin", "wb") as f:
        f.write(random.randbytes(1000 * t.replicate))
    return {"n": t.replicate}

ensrun.serve(model)
"""


def persistent_programs_too(work):
    (work.path / "model").write_text(PERSISTENT)
    (work.path / "model").chmod(0o755)
    shutil.copy(SOURCE / "launch/clients/ensrun.py", work.path)
    text = study(work, "persistent = yes\ncollect = x.bin", "./model",
                 study="replicates = 40")
    trees = []
    for n in (1, 3):
        work.run(text, work.path / f"r{n}", workers=n)
        trees.append(unpacked(work, work.path / f"r{n}", f"out{n}"))
    sizes = [os.path.getsize(work.path / f"out1/c0001_r{i:05d}/x.bin")
             for i in (1, 7, 40)]
    check(sizes == [1000, 7000, 40000], sizes)
    check(trees[0] == trees[1] and len(trees[0]) == 40, len(trees[0]))


def a_full_disk(work):
    """Nothing that was acknowledged is lost, and nothing half of an export
    is left."""
    text = parts(work, "disk_wait = 0")
    work.run(text, work.path / "reference")
    want = unpacked(work, work.path / "reference", "want")
    results = work.path / "r"
    run = work.run(text, results, expect=ENVIRONMENT,
                   env={"ENSRUN_FAULT": "enospc@6000000"})
    check("no space left" in run.stderr.lower(), run.stderr)
    work.run(text, results)
    check(unpacked(work, results, "got") == want, "other bytes")
    full = {"ENSRUN_FAULT": "enospc@3000000"}
    out = work.path / "full"
    run = work.ensrun("export", results, "--files", "-o", out,
                      expect=ENVIRONMENT, env=full)
    check("no space left" in run.stderr.lower(), run.stderr)
    found = tree(out)
    check(found and found.items() <= want.items(), "half a file is left")
    before = sorted(os.listdir(work.path))
    work.ensrun("export", results, "--artifact", "a.bin", "--dtype", "u1",
                "-o", work.path / "a.npy", expect=ENVIRONMENT, env=full)
    check(sorted(os.listdir(work.path)) == before, os.listdir(work.path))
    check(unpacked(work, results, "full") == want, "not gone on")


def interrupted_unpacking_goes_on(work):
    results = work.path / "r"
    work.run(study(work, "shell = yes\ncollect = *",
                   "for i in 1 2 3 4 5 6 7 8; do yes $i | "
                   "head -c 30000000 > f$i; done"), results)
    want = unpacked(work, results, "want")
    out = work.path / "out"
    for number, code in ((signal.SIGINT, -2), (signal.SIGTERM, -15),
                         (signal.SIGKILL, -9)):
        run = work.start("export", results, "--files", "-o", out)
        done = len(tree(out)) if out.exists() else 0
        wait_until(lambda: not run.running or os.path.isdir(out) and
                   len(os.listdir(out / "c0001_r00001")
                       if (out / "c0001_r00001").exists() else []) > done,
                   60, "a file unpacked", pause=0.0005)
        kill(run.pid, number)
        check(run.wait() in (code, 0), run.stderr)
        found = tree(out)
        if number == signal.SIGKILL:
            found.pop(b".ensrun.part", None)
            (out / ".ensrun.part").write_text("half a file")
        check(found.items() <= want.items(), "half a file is left")
    check(unpacked(work, results, "out") == want, "not gone on")


def what_is_there_is_kept(work):
    program(work, "import sys\nopen('a', 'w').write(sys.argv[1])\n")
    results = work.path / "r"
    work.run(study(work, "collect = a", study="replicates = 3"), results)
    out = work.path / "out"
    one = out / "c0001_r00002"
    one.mkdir(parents=True)
    (one / "a").write_text("mine")
    run = work.ensrun("export", results, "--files", "-o", out, expect=BAD)
    check("c0001_r00002/a is there already" in run.stderr and
          "--force" in run.stderr, run.stderr)
    check((one / "a").read_text() == "mine", "lost")
    work.ensrun("export", results, "--files", "-o", out, "--force")
    check((one / "a").read_text() == "2", "not replaced")
    # links lead nowhere
    shutil.rmtree(one)
    outside = work.path / "outside"
    outside.mkdir()
    one.symlink_to(outside)
    run = work.ensrun("export", results, "--files", "-o", out, "--force",
                      expect=ENVIRONMENT)
    check(not os.listdir(outside), "escaped")
    one.unlink()
    one.mkdir()
    (outside / "a").write_text("mine")
    (one / "a").symlink_to(outside / "a")
    work.ensrun("export", results, "--files", "-o", out, expect=BAD)
    work.ensrun("export", results, "--files", "-o", out, "--force")
    check((outside / "a").read_text() == "mine", "written through a link")
    check((one / "a").read_text() == "2", "not replaced")


def damage_is_found(work):
    program(work, "open('a', 'w').write('some text of ours')\n")
    results = work.path / "r"
    work.run(study(work, "collect = a"), results)
    pack = next((results / "artifacts").iterdir())
    data = bytearray(pack.read_bytes())
    data[data.index(b"some text")] ^= 1
    pack.write_bytes(data)
    run = work.verify(results, expect=1)
    check("artifact files" in run.stderr, run.stderr)
    run = work.ensrun("export", results, "--files", "-o", work.path / "out",
                      expect=(BAD, ENVIRONMENT, 70))
    check("checksum does not match" in run.stderr and
          "c0001_r00001/a" in run.stderr, run.stderr)
    check(not tree(work.path / "out"), "damaged bytes were unpacked")
    pack.write_bytes(data[:30])
    work.verify(results, expect=1)
    work.ensrun("export", results, "--files", "-o", work.path / "out",
                expect=(BAD, ENVIRONMENT, 70))


main(any_name_any_bytes, documented_outcomes, refused_patterns,
     thousands_of_files, larger_than_memory, same_bytes_by_any_workers,
     killed_while_collecting, persistent_programs_too, a_full_disk,
     interrupted_unpacking_goes_on, what_is_there_is_kept, damage_is_found)
