#!/usr/bin/env python3
"""Reads what internal/cortex writes with nibabel and nilearn, and hands files that they write to bwlm.

usage: check_exports.py DIR    (DIR from `go run ./tools/cortex/exports DIR`; made with nilearn 0.14.1, nibabel 5.4.2)

DIR holds a made-up brain, maps on it, an atlas, a volume and its columns, as BIDS derivatives; want.json says what is in them.
Files that nilearn and nibabel write go to DIR/back, for `go run ./tools/cortex/exports DIR` to read when called again.
"""
import json
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
from nilearn.maskers import NiftiMasker
from nilearn.surface import SurfaceImage, load_surf_data, load_surf_mesh

root = Path(sys.argv[1])
want = json.loads((root / "want.json").read_text())


def same(a, b):
    assert np.allclose(np.asarray(a, dtype=float), np.asarray(b, dtype=float), atol=1e-6, equal_nan=True)


def read(name):
    return [np.nan if v is None else v for v in want[name]]


for hemi in "LR":
    mesh = load_surf_mesh(root / f"hemi-{hemi}.surf.gii")
    same(mesh.coordinates.ravel(), read(f"points {hemi}"))
    same(mesh.faces.ravel(), read(f"faces {hemi}"))
    same(load_surf_data(root / want[f"map {hemi}"]), read(f"values {hemi}"))
    same(load_surf_data(root / f"hemi-{hemi}.label.gii"), read(f"labels {hemi}"))
    table = nib.load(root / f"hemi-{hemi}.label.gii").labeltable.get_labels_as_dict()
    assert table[1] == f"{hemi}_auditory", table
meshes = {side: load_surf_mesh(root / f"hemi-{h}.surf.gii") for side, h in (("left", "L"), ("right", "R"))}
data = {side: np.array(read(f"values {h}"), dtype="f4") for side, h in (("left", "L"), ("right", "R"))}
image = SurfaceImage(mesh=meshes, data=data)

masker = NiftiMasker(mask_img=nib.load(root / "mask.nii.gz"), standardize=None).fit()
same(masker.transform(nib.load(root / want["volume"])).ravel(), read("columns"))  # the order of columns is nilearn's
description = json.loads((root / "dataset_description.json").read_text())
assert description["DatasetType"] == "derivative" and description["GeneratedBy"][0]["Name"] == "bwlm"

back = root / "back"
back.mkdir(exist_ok=True)
image.data.to_filename(back / "map.gii")
image.mesh.to_filename(back / "mesh.gii")
columns = np.arange(len(want["columns"]), dtype="f4") / 7
masker.inverse_transform(columns).to_filename(back / "volume.nii.gz")
print("nilearn and nibabel read what bwlm writes")
