#!/usr/bin/python3
"""Every file of a results folder, in Python with numpy.

  read.py DIR            lists what there is
  r = read.read("DIR")   r["tasks"][0]["seed"], r["arrays/sum.ab12..."] ...
"""
import configparser
import csv
import json
import pathlib
import shlex
import sys

import numpy


def pairs(line):
    return dict(word.split("=", 1) for word in shlex.split(line))


def study(path):
    """The study as it was run: sections of texts."""
    ini = configparser.ConfigParser(delimiters="=", interpolation=None,
                                    default_section=None)
    ini.optionxform = str  # keys differ in case
    ini.read(path)
    return {name: dict(ini[name]) for name in ini.sections()}


READERS = {
    ".csv": lambda p: list(csv.DictReader(open(p, newline=""))),  # or pandas
    ".npy": lambda p: numpy.load(p, mmap_mode="r"),  # arrays, export --to npy
    ".jsonl": lambda p: [json.loads(line) for line in open(p)],
    ".json": lambda p: json.load(open(p)),
    ".ini": study,
    ".txt": lambda p: [pairs(line) for line in open(p)],  # log.txt
    "": lambda p: pairs(p.read_text()),  # status
}


def read(folder):
    files = [*pathlib.Path(folder).glob("*.*"),
             *pathlib.Path(folder).glob("arrays/*.npy"),
             pathlib.Path(folder) / "status"]
    return {str(p.relative_to(folder).with_suffix("")) if p.suffix == ".csv"
            else str(p.relative_to(folder)): READERS[p.suffix](p)
            for p in sorted(files) if p.is_file() and p.suffix in READERS}


if __name__ == "__main__":
    for name, value in read(sys.argv[1]).items():
        print(name, getattr(value, "shape", len(value)))
