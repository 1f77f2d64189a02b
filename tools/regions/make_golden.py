#!/usr/bin/env python3
"""Makes a small subject for the tests of internal/regions, and the regions that pycortex finds in it.

usage: make_golden.py ROOT    (the root of the project; writes internal/regions/testdata)

Made with pycortex 1.4.0, nibabel 5.4.2, numpy 2.4.6, scipy 1.17.1, matplotlib 3.11, Python 3.11. All content is drawn
here; no file of anyone else is used. pycortex has no labels of annotations: these are taken to its vertices with scipy,
and to its voxels with its own distances.
"""
import json
import shutil
import sys
import tempfile
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel import gifti
from nibabel.freesurfer import io as fs
from scipy.spatial import cKDTree

out = Path(sys.argv[1]) / "internal" / "regions" / "testdata"
shutil.rmtree(out, ignore_errors=True)
rng = np.random.default_rng(20260301)
store = Path(tempfile.mkdtemp())
subject = store / "S1"
for folder in ("surfaces", "transforms/auto", "anatomicals", "surface-info", "views"):
    (subject / folder).mkdir(parents=True)

N = 18
u, v = [a.ravel() for a in np.meshgrid(np.linspace(-1, 1, N), np.linspace(-1, 1, N), indexing="ij")]
grid = np.arange(N * N).reshape(N, N)
a, b, c, d = grid[:-1, :-1], grid[1:, :-1], grid[:-1, 1:], grid[1:, 1:]
faces = np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([b, d, c], -1).reshape(-1, 3)]).astype(np.int32)


def write(name, points, triangles):
    image = gifti.GiftiImage(darrays=[
        gifti.GiftiDataArray(np.float32(points), "NIFTI_INTENT_POINTSET", datatype="NIFTI_TYPE_FLOAT32"),
        gifti.GiftiDataArray(np.int32(triangles), "NIFTI_INTENT_TRIANGLE", datatype="NIFTI_TYPE_INT32")])
    nib.save(image, subject / "surfaces" / name)


white = {}
for side, sign in (("lh", -1), ("rh", 1)):
    wm = np.stack([sign * (22 + 5 * np.sin(2.5 * u) + 3 * v**2), 26 * u, 24 * v + 3 * np.cos(3 * u)], -1)
    wm += rng.normal(0, .2, wm.shape)
    away = np.stack([np.full(N * N, sign), .3 * u, .2 * v], -1)
    pia = wm + away * (2 + .7 * np.sin(4 * u + 2 * v) + .5)[:, None]
    flat = np.stack([30 * u + sign * 40, 28 * v, 0 * u], -1) + rng.normal(0, .3, wm.shape) * [1, 1, 0]
    # a cut: vertices along half a row are in no triangle, and have no place, as after FreeSurfer's flattening
    cut = grid[9, :8]
    kept = faces[~np.isin(faces, cut).any(1)]
    flat[cut] = 0
    write(f"wm_{side}.gii", wm, faces)
    write(f"pia_{side}.gii", pia, faces)
    write(f"flat_{side}.gii", flat, kept)
    white[side] = np.float32(wm), np.float32(pia)

shape = (26, 24, 22)
turn, tilt = np.deg2rad(8), np.deg2rad(-5)
affine = np.eye(4)
affine[:3, :3] = (np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
                  @ np.array([[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]])
                  @ np.diag([-2.6, 2.6, 2.7]))
affine[:3, 3] = [35, -30, -29]
nib.save(nib.Nifti1Image(rng.normal(size=shape).astype(np.float32), affine), subject / "transforms/auto/reference.nii.gz")
magnet = np.eye(4)
magnet[:3, 3] = [.4, -.7, .3]
(subject / "transforms/auto/matrices.xfm").write_text(json.dumps(
    {"coord": (np.linalg.inv(affine) @ magnet).tolist(), "magnet": magnet.tolist()}, sort_keys=True, indent=4))

W, H = 1433, 1024
ROIS = {
    "AC": ["m 180,300 c 60,-90 170,-60 210,40 40,100 -50,220 -140,180 -90,-40 -130,-130 -70,-220 z",
           "M 1000.5,330.2 C 1060,250 1180,260 1200,380 C 1220,500 1120,560 1040,520 L 960,420 Z"],
    "V1": ["m 20,620 150,-30 90,150 -60,190 -170,10 z M 820,640 l 170,-10 20,200 -210,30 z"],
    "ring": ["M 400,120 L 640,120 L 640,450 L 400,450 Z M 460,180 L 580,180 L 580,400 L 460,400 Z"],
    "cut": ["M 250,700 L 400,700 L 400,900 L 250,900 Z"],
    "M1/hand": ["m 300,10 250,40 -30,80 -260,-20 z"],
    "between": ["m 333,811 1,0 0,1 z"],
    "none": [],
}
group = "".join(
    f'<g inkscape:groupmode="layer" inkscape:label="{name}" id="g{i}" style="display:inline">' +
    "".join(f'<path d="{p}" style="fill:none" id="p{i}_{j}" />' for j, p in enumerate(paths)) + "</g>\n"
    for i, (name, paths) in enumerate(ROIS.items()))
(subject / "overlays.svg").write_text(f"""<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<svg xmlns:svg="http://www.w3.org/2000/svg" xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"
 xmlns:sodipodi="http://sodipodi.sourceforge.net/DTD/sodipodi-0.dtd"
 xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape" width="{W}" height="{H}" id="svgoverlay" version="1.1">
<defs id="defs4"><clipPath id="edgeclip"><path id="clippath" d="M 0 0 L 1433 0, 1433 1024Z" /></clipPath></defs>
<g inkscape:label="data" inkscape:groupmode="layer" id="datalayer" transform="translate(0,0)">
<g inkscape:label="img_curvature" inkscape:groupmode="layer"><image xlink:href="data:image/png;base64,iVBORw0KGgo=" width="{W}"
 height="{H}" /></g></g>
<g inkscape:label="sulci" inkscape:groupmode="layer" id="sulci" style="display:none">
<g inkscape:label="shapes" inkscape:groupmode="layer" id="sulci_shapes"><g inkscape:label="STS"
 inkscape:groupmode="layer"><path d="M 1,1 L 2,2 L 3,3" /></g></g><g inkscape:label="labels" id="sulci_labels" /></g>
<g inkscape:label="rois" inkscape:groupmode="layer" id="rois" transform="translate(0,0)" style="display:inline;">
<g inkscape:label="shapes" inkscape:groupmode="layer" id="rois_shapes" transform="translate(0,0)" clip-path="url(#edgeclip)">
{group}</g>
<g inkscape:label="labels" inkscape:groupmode="layer" id="rois_labels" transform="translate(0,0)"><text x="1" y="2">AC</text></g>
</g>
</svg>
""")

import cortex  # noqa: E402

cortex.db.filestore = str(store)
cortex.database.default_filestore = str(store)
cortex.db.reload_subjects()
from cortex.utils import get_roi_masks, get_roi_verts, get_vox_dist  # noqa: E402

drawn = [name for name in ROIS if ROIS[name]]
copy = str(store / "copy.svg")
shutil.copy(subject / "overlays.svg", copy)  # pycortex adds layers to the file that it reads
verts = get_roi_verts("S1", drawn, overlay_file=copy)
thick = cortex.db.get_mask("S1", "auto", "thick")
distance, nearest = get_vox_dist("S1", "auto")
cortical = cortex.db.get_mask("S1", "auto", "cortical")
named = [name for name in drawn if len(verts[name])]
golden = {"columns": int(thick.sum()), "vertices": {n: np.asarray(verts[n]).astype(int).tolist() for n in drawn},
          "cortex": np.flatnonzero(cortical[thick]).tolist(), "cortical": {}, "nearest": {}}
by = get_roi_masks("S1", "auto", named, "cortical", allow_overlap=True, overlay_file=copy)
golden["cortical"] = {n: np.flatnonzero(m[thick]).tolist() for n, m in by.items()}
by = get_roi_masks("S1", "auto", named, "cortical-conservative", allow_overlap=True, threshold=.5, overlay_file=copy)
golden["nearest"] = {n: np.flatnonzero(m[thick]).tolist() for n, m in by.items()}

# FreeSurfer: the same surfaces in its own coordinates, an annotation of the subject, and one of an average.
free, average = out / "freesurfer" / "S1", out / "freesurfer" / "fsaverage"
for folder in (free / "surf", free / "label", average / "surf", average / "label"):
    folder.mkdir(parents=True)
cras = np.array([1.5, -20.25, 13])
volume = {"head": np.array([2, 0, 20], np.int32), "valid": "1  # volume info valid", "filename": "../mri/orig.mgz",
          "volume": np.array([256, 256, 256]), "voxelsize": np.ones(3), "xras": np.array([-1., 0, 0]),
          "yras": np.array([0., 0, -1]), "zras": np.array([0., 1, 0]), "cras": cras}
areas = {"HCPMMP1": ["???", "A1_ROI", "LBelt_ROI", "MBelt_ROI", "PBelt_ROI", "RI_ROI", "A4_ROI", "A5_ROI", "V1_ROI"],
         "aparc.a2009s": ["Unknown", "G_temp_sup-G_T_transv", "S_temporal_transverse", "G_temp_sup-Plan_tempo",
                          "G_temp_sup-Lateral", "Pole_occipital"]}
kept_areas = {"HCPMMP1": 8, "aparc.a2009s": 5}


def unit(p):
    return p / np.linalg.norm(p, axis=1, keepdims=True)


def annotate(where, side, atlas, place):
    """Voronoi cells of a few places, by the coordinates of vertices."""
    names = areas[atlas]
    mark = np.array([[.1, -.3], [.3, -.2], [-.1, -.1], [.2, .1], [-.3, .1], [.4, .2], [.1, .4], [-.8, .8], [.8, -.8]])
    label = cKDTree(mark[:len(names)]).query(place if side == "lh" else place[:, ::-1])[1]  # the sides differ
    table = np.array([[10 + 20 * i, 7 * i, 3 + i, 0, 0] for i in range(len(names))], np.int32)
    mark = "" if atlas != "HCPMMP1" else ("L_" if side == "lh" else "R_")
    fs.write_annot(str(where / "label" / f"{side}.{atlas}.annot"), label.astype(np.int32), table,
                   [n if i == 0 else mark + n for i, n in enumerate(names)], fill_ctab=True)
    return label


area_verts = {atlas: {} for atlas in areas}
for k, (side, sign) in enumerate((("lh", -1), ("rh", 1))):
    for name, points in zip(("white", "pial"), white[side]):
        fs.write_geometry(str(free / "surf" / f"{side}.{name}"), points - cras, faces, "made for a test", volume)
    own = unit(np.stack([u, v, np.full_like(u, .8)], -1) + rng.normal(0, .02, (N * N, 3)))
    fs.write_geometry(str(free / "surf" / f"{side}.sphere.reg"), 100 * own, faces, "made for a test", volume)
    M = 15
    s, t = [x.ravel() for x in np.meshgrid(np.linspace(-1, 1, M), np.linspace(-1, 1, M), indexing="ij")]
    there = unit(np.stack([s, t, np.full_like(s, .8)], -1))
    few = np.array([[0, 1, M], [1, M + 1, M]], np.int32)
    fs.write_geometry(str(average / "surf" / f"{side}.sphere.reg"), 100 * there, few, "made for a test", volume)
    labels = {"HCPMMP1": annotate(average, side, "HCPMMP1", np.stack([s, t], -1))[cKDTree(100 * there).query(100 * own)[1]],
              "aparc.a2009s": annotate(free, side, "aparc.a2009s", np.stack([u, v], -1))}
    for atlas, label in labels.items():
        for i, name in list(enumerate(areas[atlas]))[1:]:
            area_verts[atlas].setdefault(name.removesuffix("_ROI"), []).extend((np.flatnonzero(label == i) + k * N * N).tolist())
golden["areas"] = {atlas: {n: {"vertices": w, "columns": np.flatnonzero((np.isin(nearest, w) & cortical)[thick]).tolist()}
                           for n, w in by.items()} for atlas, by in area_verts.items()}
for cached in ("cache", "anatomicals", "surface-info", "views"):
    shutil.rmtree(subject / cached, ignore_errors=True)
(subject / "transforms/auto/reference.nii.gz").unlink()
shutil.copytree(subject, out / "pycortex" / "S1")
(out / "golden.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
for name in golden["cortical"]:
    print(name, len(verts[name]), len(golden["cortical"][name]), len(golden["nearest"][name]))
print("columns", golden["columns"], "cortex", len(golden["cortex"]))
