#!/usr/bin/env python3
"""Loads what `bwlm export` wrote with nilearn and compares every map with the scores of the run.

usage: check.py RUN OUT --mask MASK                              (made with nilearn 0.14.1, nibabel 5.4.2)
       check.py RUN OUT --left SURFACE --right SURFACE [--vertices FILE]

RUN is the run's directory, OUT what was written; the rest is what the data set says of places. If pybids is there (0.22.0), it must
find the maps, too.
"""
import argparse
import csv
import json
from pathlib import Path

import nibabel as nib
import numpy as np
from nilearn.interfaces.bids import get_bids_files, parse_bids_filename
from nilearn.maskers import NiftiMasker
from nilearn.surface import SurfaceImage, load_surf_data, load_surf_mesh

cli = argparse.ArgumentParser()
cli.add_argument("run", type=Path)
cli.add_argument("out", type=Path)
for name in ("mask", "left", "right", "vertices"):
    cli.add_argument(f"--{name}", type=Path)
args = cli.parse_args()

FILES = {"base": "base_r", "basebestlayer": "base_best_layer_r", "tuned": "tuned_r", "delta": "delta_r", "ceiling": "ceiling"}
test = args.run / "eval" / "test"
subjects = [p["name"] for p in json.loads((test / "layout.json").read_text())["subjects"]]
label = {"".join(c for c in name if c.isalnum() and c.isascii()): name for name in subjects}


def score(subject, stat, desc):
    """What eval/test of the run says."""
    load = lambda file: np.load(test / subject / f"{file}.npy").astype(float)  # noqa: E731
    if stat == "r":
        return load(FILES[desc])
    if stat == "percentofceiling":
        ceiling = load("ceiling")
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(ceiling > 0, 100 * load(FILES[desc]) / ceiling, np.nan)
    return load(f"{ {'gain': 'delta'}.get(desc, desc) }_{stat}")


description = json.loads((args.out / "dataset_description.json").read_text())
assert description["DatasetType"] == "derivative" and description["GeneratedBy"][0]["Name"] == "bwlm"

if args.mask:
    mask = nib.load(args.mask)
    ext = "nii.gz"

    def columns(path):
        """The columns of a map, in nilearn's order."""
        image = nib.load(path)
        assert np.allclose(image.affine, mask.affine, atol=1e-5) and image.shape == mask.shape
        inside = np.asarray(mask.dataobj) != 0
        assert np.isnan(image.get_fdata()[~inside]).all(), "something lies outside the mask"
        # nilearn's masker makes 0 of NaN, so it says of the other voxels where they are
        masked = NiftiMasker(mask_img=mask, standardize=None).fit().transform(image).ravel()
        values = image.get_fdata()[inside]
        assert np.array_equal(np.nan_to_num(values).astype("f4"), masked.astype("f4"))
        return values
else:
    meshes = {"left": load_surf_mesh(args.left), "right": load_surf_mesh(args.right)}
    vertices = np.loadtxt(args.vertices, dtype=int) if args.vertices else None
    ext = "func.gii"

    def columns(path):
        if "hemi-R" in path.name:  # with its left
            return None
        pair = {"left": path, "right": Path(str(path).replace("hemi-L", "hemi-R"))}
        image = SurfaceImage(mesh=meshes, data={side: str(p) for side, p in pair.items()})
        for side, p in pair.items():
            assert np.array_equal(load_surf_data(p), image.data.parts[side].ravel(), equal_nan=True)
        values = np.concatenate([image.data.parts[side].ravel() for side in ("left", "right")])
        if vertices is None:
            return values
        assert np.isnan(np.delete(values, vertices)).all(), "something lies where no voxel is"
        return values[vertices]


found = {}
for path in sorted(args.out.rglob(f"*_statmap.{ext}")):
    name = parse_bids_filename(path)
    entities = name["entities"]
    assert name["suffix"] == "statmap" and name["extension"] == ext, name
    got = columns(path)
    if got is None:
        continue
    side = path.with_name(path.name.replace("_hemi-L", "").removesuffix(ext) + "json")
    assert json.loads(side.read_text())["Description"], side
    found.setdefault((entities["stat"], entities["desc"]), {})[entities.get("sub", "")] = got
count = 0
for (stat, desc), maps in found.items():
    for sub, got in maps.items():
        if sub:
            tolerance = 1e-6 if stat == "percentofceiling" else 0  # which is computed, in 32 bits
            assert np.allclose(got, score(label[sub], stat, desc), rtol=tolerance, atol=0, equal_nan=True), (sub, stat, desc)
        elif stat == "r":
            several = np.array([m for s, m in maps.items() if s])
            known = np.maximum(np.isfinite(several).sum(axis=0), 1e-9)
            mean = np.where(known >= 1, np.nansum(several, axis=0) / known, np.nan)
            assert np.allclose(got, mean, atol=1e-6, equal_nan=True), (stat, desc)
        count += 1
assert count > 0, "there are no maps"
for sub in label:
    if sub in {s for maps in found.values() for s in maps}:
        assert get_bids_files(args.out, file_tag="statmap", file_type=ext, sub_label=sub, modality_folder="func", filters=[("stat", "r"), ("desc", "base")])

if (args.out / "rois.csv").exists():
    with (args.out / "rois.csv").open(newline="") as f:
        rows = list(csv.DictReader(f))
    rois = json.loads((args.out / "rois.json").read_text())["rois"]
    assert len(rows) == len(rois)
    for row, roi in zip(rows, rois):
        for key, value in roi.items():
            if value is None or key == "voxels" and value == 0:
                assert row[key] == "", (key, row)
            else:
                assert row[key] == value if isinstance(value, str) else float(row[key]) == value, (key, row)
    for subject in subjects:
        row = next(r for r in rows if r["subject"] == subject and r["roi"] == "[all voxels]")
        if len(subjects) > 1:
            assert np.isclose(float(row["base_r"]), np.nanmean(score(subject, "r", "base")), atol=1e-6)

try:
    from bids import BIDSLayout
except ImportError:
    BIDSLayout = None
if BIDSLayout:
    layout = BIDSLayout(args.out, validate=False, is_derivative=True, config=["bids", "derivatives"])
    assert set(layout.get_subjects()) == {s for maps in found.values() for s in maps if s}, layout.get_subjects()
    assert layout.get(suffix="statmap", extension="." + ext, desc="base")
print(f"nilearn reads {count} maps of {len(label)} subjects")
