"""Archives by numpy 1.24: stored, with 64-bit sizes, compressed."""

import io
import pathlib
import zipfile

import numpy as np

here = pathlib.Path(__file__).parent
x = np.add.outer(10.0 * np.arange(4), np.arange(3)) + 0.5
k = np.array([7, 8, 9], dtype="<i4")
np.savez(here / "stored.npz", x=x, k=k)
np.savez_compressed(here / "packed.npz", x=np.zeros((20, 3)))
npy = io.BytesIO()
np.save(npy, k)
# the sizes and the directory of an archive beyond 4 GiB, in a small one
zipfile.ZIP64_LIMIT = 10
zipfile.ZIP_FILECOUNT_LIMIT = 0
with zipfile.ZipFile(here / "zip64.npz", "w") as z:
    z.writestr("k.npy", npy.getvalue())
