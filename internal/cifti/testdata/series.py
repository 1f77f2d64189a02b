"""Makes series*.dtseries.nii and series.json: dense time series as nibabel writes them, and what it reads from them.

Run in this folder: python series.py (nibabel 5.3 and NumPy 2 were used).
"""
import json
import nibabel as nib
import numpy as np
from nibabel.cifti2 import BrainModelAxis, SeriesAxis

rng = np.random.default_rng(6)
affine = np.diag([-2, 2, 2, 1.0])
mask = rng.random((3, 2, 4)) > 0.6
left = BrainModelAxis.from_surface(np.array([0, 2, 3]), 5, "CortexLeft")
right = BrainModelAxis.from_surface(np.arange(1, 5), 6, "CortexRight")
thalamus = BrainModelAxis.from_mask(mask, "ThalamusLeft", affine)
want = {}
for name, models, start, step, rows in (
    ("series.dtseries.nii", left + right + thalamus, 0.355, 0.71, 7),
    ("series_surface.dtseries.nii", left + right, 0.0, 1.49, 4),
    ("series_volume.dtseries.nii", thalamus, 0.0, 2.0, 3),
):
    data = rng.standard_normal((rows, len(models))).astype("f4")
    nib.save(nib.Cifti2Image(data, (SeriesAxis(start, step, rows, "SECOND"), models)), name)
    again = nib.load(name)
    axis = again.header.get_axis(1)
    structures = []
    for structure, part, model in axis.iter_structures():
        first = len(range(*part.indices(len(axis)))) and part.indices(len(axis))[0]
        surface = structure in axis.nvertices
        structures.append({
            "Name": structure,
            "First": first,
            "Count": len(model),
            "Vertices": model.vertex.tolist() if surface else None,
            "Surface": int(axis.nvertices[structure]) if surface else 0,
            "Voxels": None if surface else model.voxel.tolist(),
        })
    want[name] = {
        "start": float(again.header.get_axis(0).start),
        "step": float(again.header.get_axis(0).step),
        "rows": again.get_fdata(dtype=np.float32).tolist(),
        "structures": structures,
    }
with open("series.json", "w") as out:
    json.dump(want, out, indent=1)
