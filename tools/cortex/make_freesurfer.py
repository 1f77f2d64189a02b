#!/usr/bin/env python3
"""Makes small files of FreeSurfer's formats with nibabel, and what nibabel reads in them.

usage: make_freesurfer.py ROOT    (the root of the project; writes internal/freesurfer/testdata)

Made with nibabel 5.4.2 and numpy 2.4.6, Python 3.11. All content is drawn here; no file of anyone else is used.
"""
import json
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.freesurfer import io as fs

out = Path(sys.argv[1]) / "internal" / "freesurfer" / "testdata"
out.mkdir(exist_ok=True)
rng = np.random.default_rng(20260301)
points = rng.normal(scale=40, size=(9, 3)).astype("f4")
faces = rng.integers(0, 9, (14, 3)).astype("i4")
sulc = rng.normal(size=9).astype("f4")
geometry = {"head": np.array([2, 0, 20], dtype="i4"), "valid": "1  # volume info valid", "filename": "../mri/filled.mgz", "volume": np.array([256, 256, 256]),
            "voxelsize": np.ones(3), "xras": np.array([-1.0, 0, 0]), "yras": np.array([0.0, 0, -1]), "zras": np.array([0.0, 1, 0]), "cras": np.array([3.0, -5, 7])}
fs.write_geometry(str(out / "lh.plain"), points, faces, create_stamp="created by a test on a day")
fs.write_geometry(str(out / "lh.tail"), points, faces, create_stamp="created by a test on a day", volume_info=geometry)
fs.write_morph_data(str(out / "lh.sulc"), sulc, fnum=14)
want = {}
for name in ("lh.plain", "lh.tail"):
    p, f = fs.read_geometry(str(out / name))
    want[name] = {"points": p.astype("f4").ravel().tolist(), "faces": f.ravel().tolist()}
want["lh.sulc"] = {"values": fs.read_morph_data(str(out / "lh.sulc")).astype("f4").tolist()}
(out / "want.json").write_text(json.dumps(want, separators=(",", ":")) + "\n")
print("nibabel", nib.__version__, "numpy", np.__version__)
