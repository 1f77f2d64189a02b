"""Makes series_*.nii* and series.json: time series as nibabel writes them, and the numbers that it reads from them.

Run in this folder: python series.py (nibabel 5.3 and NumPy 2 were used).
"""
import json
import nibabel as nib
import numpy as np

rng = np.random.default_rng(5)
shape = (3, 2, 4, 5)
affine = np.diag([-2, 2, 2, 1.0])
bold = rng.standard_normal(shape) * 30 + 800
mask = rng.random(shape[:3]) > 0.5
want = {"mask_z": np.argwhere(mask).tolist(), "mask_x": np.argwhere(mask.T)[:, ::-1].tolist(), "files": {}}
for name, kind, klass, order, unit, tr in (
    ("series_i2.nii.gz", "i2", nib.Nifti1Image, "<", "sec", 1.5),
    ("series_f4.nii", "f4", nib.Nifti1Image, "<", "msec", 1500),
    ("series_f4_2.nii.gz", "f4", nib.Nifti2Image, "<", "usec", 2e6),
    ("series_f8_big.nii", "f8", nib.Nifti1Image, ">", "sec", 2.0045),
    ("series_i2_2_big.nii.gz", "i2", nib.Nifti2Image, ">", "unknown", 0.71),
    ("series_pair.hdr", "f4", nib.Nifti1Pair, "<", "sec", 0),
):
    data = bold.copy()
    if kind != "i2":
        data[1, 1, 2] = np.nan
    header = klass.header_class(endianness=order)
    header.set_data_dtype(np.dtype(kind).newbyteorder(order))
    im = klass(data, affine, header)
    im.header.set_xyzt_units("mm", unit)
    im.header.set_zooms((2, 2, 2, tr))
    nib.save(im, name)
    again = nib.load(name)
    columns = again.get_fdata(dtype=np.float32)[mask].T
    want["files"][name] = {
        "step": float(again.header.get_zooms()[3]),
        "unit": again.header.get_xyzt_units()[1],
        "rows": [[None if np.isnan(v) else float(v) for v in row] for row in columns],
    }
with open("series.json", "w") as out:
    json.dump(want, out, indent=1)
