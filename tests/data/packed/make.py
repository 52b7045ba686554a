"""Packed tables: those of ../formula/data.csv (needs the program zstd)."""

import gzip
import pathlib
import subprocess

here = pathlib.Path(__file__).parent
text = (here / "../formula/data.csv").read_bytes()
# two members, as `cat a.gz b.gz` makes them
half = len(text) // 2
packed = gzip.compress(text[:half], mtime=0) + gzip.compress(text[half:], mtime=0)
(here / "data.csv.gz").write_bytes(packed)
packed = b"".join(
    subprocess.run(["zstd", "-c"], input=part, check=True, capture_output=True).stdout
    for part in (text[:half], text[half:])
)
(here / "data.csv.zst").write_bytes(packed)
