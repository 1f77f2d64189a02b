"""Makes series_*.gii* and series.json: time series as nibabel writes them, and the numbers that it reads from them.

Run in this folder: python series.py (nibabel 5.4 and NumPy 2 were used).
"""
import gzip
import json
import nibabel as nib
import numpy as np
from nibabel.gifti import GiftiDataArray, GiftiImage, GiftiMetaData

rng = np.random.default_rng(7)
rows, vertices = 6, 9
want = {}


def save(name, arrays, step=None, encoding="B64GZ"):
    meta = {"AnatomicalStructurePrimary": "CortexLeft"}
    if step is not None:
        meta["TimeStep"] = step
    im = GiftiImage(
        darrays=[
            GiftiDataArray(a, "NIFTI_INTENT_TIME_SERIES", "NIFTI_TYPE_" + kind, encoding=encoding, ordering=order)
            for a, kind, order in arrays
        ],
        meta=GiftiMetaData(meta),
    )
    plain = name.removesuffix(".gz")
    nib.save(im, plain)
    again = [a.data for a in nib.load(plain).darrays]
    if name != plain:
        with open(plain, "rb") as f, gzip.GzipFile(name, "wb", mtime=0) as out:
            out.write(f.read())
        import os
        os.remove(plain)
    data = np.array(again) if len(again) > 1 else again[0]
    if data.shape[-1] != vertices:
        data = data.T
    want[name] = [[None if np.isnan(v) else float(v) for v in row] for row in data.reshape(rows, vertices)]


data = rng.standard_normal((rows, vertices)).astype("f4")
data[:, 7:] = np.nan  # as on the medial wall
whole = rng.integers(-500, 500, (rows, vertices)).astype("i4")
save("series_rows.func.gii", [(r, "FLOAT32", "C") for r in data], "1500.0")
save("series_rows_ascii.func.gii", [(r, "FLOAT32", "C") for r in data], None, "ASCII")
save("series_rows_plain.func.gii.gz", [(r, "FLOAT32", "C") for r in data], "1500.0", "B64BIN")
save("series_whole.func.gii", [(r, "INT32", "C") for r in whole])
save("series_tv.func.gii", [(data, "FLOAT32", "C")])
save("series_vt.func.gii", [(data.T.copy(), "FLOAT32", "C")])
save("series_tv_f.func.gii", [(np.asfortranarray(data), "FLOAT32", "F")])
save("series_vt_f.func.gii", [(np.asfortranarray(data.T), "FLOAT32", "F")])
with open("series.json", "w") as out:
    json.dump(want, out, indent=1)
