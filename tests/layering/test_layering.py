#!/usr/bin/env python3
"""Every #include of src/ obeys src/LAYERS, and every header compiles alone.

Environment: SOURCE (the repository; default: two folders up), CC (default
cc)."""
import os
import pathlib
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

SOURCE = pathlib.Path(
    os.environ.get("SOURCE") or pathlib.Path(__file__).parents[2]).resolve()
SRC = SOURCE / "src"
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]')
PACKAGES = "libuv gsl openblas lapacke libxxhash jansson roaring".split()


errors = []


def complain(text):
    errors.append(text)


def read_layers():
    """folder -> folders whose headers it may include."""
    layers = {}
    for number, line in enumerate((SRC / "LAYERS").read_text().splitlines(), 1):
        words = line.split("#")[0].split()
        if not words:
            continue
        folder, allowed = words[0], words[1:]
        for name in allowed:
            if name not in layers:
                complain(f"src/LAYERS:{number}: {name} is not a folder above")
        layers[folder] = set(allowed) | {folder}
    return layers


def layer_of(path):
    return path.parent.relative_to(SRC).as_posix()


def check_file(path, layers):
    folder = layer_of(path)
    where = path.relative_to(SOURCE)
    if folder not in layers:
        complain(f"{where}: folder {folder} is not in src/LAYERS")
        return 0
    n = 0
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        quote, name = match.groups()
        target = SRC / name
        if quote == "<":
            if name.startswith("ensrun/") and not (
                    SOURCE / "include" / name).is_file():
                complain(f"{where}:{number}: no header {name}")
            if target.is_file():
                complain(f'{where}:{number}: write "{name}", not <{name}>')
            continue
        n += 1
        if not target.is_file():
            complain(f"{where}:{number}: {name} is not a path below src/")
        elif layer_of(target) not in layers[folder]:
            complain(f"{where}:{number}: {folder} may not include {name} "
                        "(src/LAYERS)")
    return n


def pkg_config(*arguments):
    answer = subprocess.run(["pkg-config", *arguments], capture_output=True,
                            text=True)
    return answer.stdout.split() if answer.returncode == 0 else []


def compiles_alone(header, flags):
    base = SRC if header.is_relative_to(SRC) else SOURCE / "include"
    name = header.relative_to(base).as_posix()
    code = f'#include "{name}"\n#include "{name}"\n' \
           "typedef int ensrun_not_empty;\n"
    answer = subprocess.run(
        [os.environ.get("CC", "cc"), "-x", "c", "-std=c11", "-D_GNU_SOURCE",
         "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
         f"-I{SRC}", f"-I{SOURCE}/include", *flags, "-"],
        input=code, capture_output=True, text=True)
    if answer.returncode == 0:
        return None
    return f"{header.relative_to(SOURCE)} does not compile alone:\n" \
           f"{answer.stderr}"


def main():
    layers = read_layers()
    sources = sorted(p for p in SRC.rglob("*")
                     if p.suffix in (".c", ".h", ".def") and p.is_file())
    n = sum(check_file(path, layers) for path in sources)
    headers = [p for p in sources if p.suffix == ".h"]
    headers += sorted((SOURCE / "include").rglob("*.h"))
    flags = pkg_config("--cflags", *[p for p in PACKAGES
                                     if pkg_config("--modversion", p)])
    with ThreadPoolExecutor(max_workers=2) as pool:
        for text in pool.map(lambda h: compiles_alone(h, flags), headers):
            if text:
                complain(text)
    if n == 0 or not headers:
        complain("nothing to check: is SOURCE right?")
    for text in errors:
        print(text)
    print(f"{len(sources)} files, {n} includes, {len(headers)} headers, "
          f"{len(errors)} errors")
    return 1 if errors else 0


sys.exit(main())
