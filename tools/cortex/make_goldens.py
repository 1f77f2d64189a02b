#!/usr/bin/env python3
"""Makes the small brain files that the tests of internal/annot, cifti, gifti and nifti read, with nibabel, and what nibabel reads in them.

usage: make_goldens.py ROOT    (the root of the project; writes testdata of internal/annot, cifti, gifti and nifti)

Made with nibabel 5.4.2 and numpy 2.4.6, Python 3.11. All content is drawn here; no file of anyone else is used.
"""
import base64
import gzip
import json
import sys
import zlib
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel import cifti2, gifti
from nibabel.freesurfer import io as fs

root = Path(sys.argv[1]) / "internal"
rng = np.random.default_rng(20260101)


def save(path, value):
    path.write_text(json.dumps(value, separators=(",", ":")) + "\n")


def numbers(a):
    return [None if isinstance(v, float) and np.isnan(v) else v for v in np.asarray(a).ravel().tolist()]


# FreeSurfer annotations: version 2 by nibabel, the old table by hand; vertex 0 of the first has no label.
out = root / "annot" / "testdata"
ctab = np.array([[20, 30, 40, 0, 0], [220, 20, 10, 0, 0], [1, 255, 3, 0, 0]], dtype=np.int32)
labels = rng.integers(0, 3, 50)
labels[0] = -1
fs.write_annot(str(out / "new.annot"), labels, ctab, ["unknown", "L_A1_ROI", "9-46d"], fill_ctab=True)
got, table, names = fs.read_annot(str(out / "new.annot"))
save(out / "new.json", {"labels": got.tolist(), "names": [n.decode() for n in names], "colours": table[:, :3].tolist()})


def be(*values):
    return np.array(values, dtype=">i4").tobytes()


old = be(6)
for v, colour in enumerate([0x140A00, 0x140A00, 0x0A141E, 0, 0x0A141E, 0x140A00]):
    old += be(v, colour)
old += be(1, 2, 4) + b"old\0"
for name, colour in [("one", (0, 10, 20)), ("two", (30, 20, 10))]:
    text = name.encode() + b"\0"
    old += be(len(text)) + text + be(*colour, 0)
(out / "old.annot").write_bytes(old)
got, table, names = fs.read_annot(str(out / "old.annot"))
save(out / "old.json", {"labels": got.tolist(), "names": [n.decode() for n in names], "colours": table[:, :3].tolist()})

# GIFTI
out = root / "gifti" / "testdata"
points = rng.normal(size=(8, 3)).astype(np.float32)
faces = rng.integers(0, 8, (12, 3)).astype(np.int32)
ENC = {"ascii": "GIFTI_ENCODING_ASCII", "base64": "GIFTI_ENCODING_B64BIN", "gzip": "GIFTI_ENCODING_B64GZ"}
for name, encoding in ENC.items():
    arrays = [gifti.GiftiDataArray(data, intent=intent, encoding=encoding, meta={"Name": intent.lower()})
              for data, intent in ((points, "NIFTI_INTENT_POINTSET"), (faces, "NIFTI_INTENT_TRIANGLE"))]
    nib.save(gifti.GiftiImage(darrays=arrays), out / f"surface_{name}_little.gii")
for name, pack in (("base64", lambda b: b), ("gzip", zlib.compress)):  # nibabel reads the other byte order but does not write it
    text = (out / f"surface_{name}_little.gii").read_text().replace("LittleEndian", "BigEndian")
    for data in (points, faces):
        swapped = base64.b64encode(pack(data.astype(data.dtype.newbyteorder(">")).tobytes())).decode()
        was = base64.b64encode(pack(data.tobytes())).decode()
        assert text.count(was) == 1
        text = text.replace(was, swapped)
    (out / f"surface_{name}_big.gii").write_text(text)
again = nib.load(out / "surface_gzip_big.gii")
save(out / "surface.json", {"points": numbers(again.darrays[0].data), "faces": numbers(again.darrays[1].data)})
a = gifti.GiftiDataArray(np.asfortranarray(points), intent="NIFTI_INTENT_POINTSET", ordering="ColumnMajorOrder", encoding=ENC["base64"])
nib.save(gifti.GiftiImage(darrays=[a]), out / "column_major.gii")
save(out / "column_major.json", numbers(nib.load(out / "column_major.gii").darrays[0].data))
table = gifti.GiftiLabelTable()
for key, name, colour in ((0, "???", (0, 0, 0, 0)), (300, "R_A1_ROI", (1, 0, 0.5, 1)), (70000, "R_A4_ROI", (0, 0.25, 0, 1))):
    label = gifti.GiftiLabel(key, *colour)
    label.label = name
    table.labels.append(label)
keys = np.array([0, 300, 300, 70000, 0, 70000, 300, 0], dtype=np.int32)
a = gifti.GiftiDataArray(keys, intent="NIFTI_INTENT_LABEL", encoding=ENC["gzip"])
nib.save(gifti.GiftiImage(darrays=[a], labeltable=table), out / "label.gii")
values = rng.normal(size=8)
maps = [gifti.GiftiDataArray(v, intent="NIFTI_INTENT_NONE", datatype=t, encoding=ENC["gzip"])
        for v, t in ((values.astype(np.float32), "NIFTI_TYPE_FLOAT32"), (np.arange(8, dtype=np.uint8), "NIFTI_TYPE_UINT8"))]
nib.save(gifti.GiftiImage(darrays=maps), out / "func.gii")
save(out / "func.json", [numbers(d.data) for d in nib.load(out / "func.gii").darrays])

# NIfTI: each type, both byte orders, both versions, pairs, scaling, both forms of affine.
out = root / "nifti" / "testdata"
affine = np.array([[-2.0, 0.1, 0, 90], [0.05, 2, 0.2, -126], [0, -0.1, 2.5, -72], [0, 0, 0, 1]])
want = {}


def record(name, image):
    image = nib.load(out / name)
    want[name] = {"dim": list(image.shape), "affine": numbers(image.affine[:3]),
                  "values": numbers(np.asarray(image.dataobj, dtype=np.float64).ravel(order="F"))}


def write(name, data, kind=nib.Nifti1Image, endian="<", slope=None, sform=1, qform=1, aff=affine):
    header = kind.header_class(endianness=endian)
    header.set_data_dtype(data.dtype)
    image = kind(data, aff, header)
    image.set_sform(aff if sform else None, code=sform)
    image.set_qform(aff if qform else None, code=qform)
    if slope:
        image.header.set_slope_inter(*slope)
    image.to_filename(out / name)
    record(name, image)


shape = (3, 2, 4)
for dtype in "u1 i1 i2 u2 i4 u4 i8 u8 f4 f8".split():
    data = rng.integers(0, 100, shape).astype(dtype) if dtype[0] != "f" else rng.normal(size=shape).astype(dtype)
    write(f"{dtype}.nii", data)
    write(f"{dtype}_big.nii.gz", data, endian=">")
    write(f"{dtype}_2.nii", data, kind=nib.Nifti2Image)
wide = rng.integers(-300, 300, shape).astype("i2")
write("pair.img", wide, kind=nib.Nifti1Pair)
write("pair_big.img.gz", wide, kind=nib.Nifti1Pair, endian=">")
write("pair2.img", wide, kind=nib.Nifti2Pair)
write("scaled.nii", rng.normal(size=shape), slope=None)
h = nib.Nifti1Header()
h.set_data_dtype("i2")
image = nib.Nifti1Image(np.linspace(-1, 3, 24).reshape(shape), affine, h)
image.to_filename(out / "scaled_i2.nii.gz")
record("scaled_i2.nii.gz", image)
rotation = np.array([[0.0, -3, 0, 5], [2, 0, 0, 6], [0, 0, -4, 7], [0, 0, 0, 1]])
write("qform.nii", wide, sform=0, aff=rotation)
write("qform_2.nii", wide, sform=0, aff=rotation, kind=nib.Nifti2Image)
write("pixdim.nii", wide, sform=0, qform=0, aff=np.diag([3.0, 2, 1, 1]))
# A vector as FreeSurfer writes it: its length does not fit dim and stands in glmin.
h = nib.Nifti1Header()
h.set_data_dtype("u1")
h.set_data_shape((40000, 1, 1))
b = bytearray(h.binaryblock)
b[344:348] = b"n+1\0"
b[108:112] = np.float32(352).tobytes()
with gzip.GzipFile(out / "long_vector.nii.gz", "wb", mtime=0) as f:
    f.write(bytes(b) + bytes(4) + (np.arange(40000) % 7).astype("u1").tobytes())
image = nib.load(out / "long_vector.nii.gz")
assert image.shape == (40000, 1, 1) and np.asarray(image.dataobj).sum() == (np.arange(40000) % 7).sum()
save(out / "want.json", want)

# CIFTI-2
out = root / "cifti" / "testdata"
left = cifti2.BrainModelAxis.from_surface(np.array([0, 2, 3, 5]), 7, name="CortexLeft")
right = cifti2.BrainModelAxis.from_surface(np.array([1, 2, 6]), 7, name="CortexRight")
mask = np.zeros((2, 2, 2), bool)
mask[0, 1, :] = True
sub = cifti2.BrainModelAxis.from_mask(mask, affine=np.eye(4), name="thalamus_left")
models = left + right + sub
want = {}
scalars = rng.normal(size=(2, len(models))).astype("f4")
cifti2.Cifti2Image(scalars, (cifti2.ScalarAxis(["r", "r <tuned> & more"]), models)).to_filename(out / "maps.dscalar.nii")
keys = np.array([[1, 1, 200, 0, 201, 201, 0, 0, 0]], dtype="f4")
names = {0: ("???", (0, 0, 0, 0)), 1: ("L_A1_ROI", (1, 0, 0, 1)), 200: ("L_A4_ROI", (0, 1, 0, 1)), 201: ("R_A1_ROI", (0, 0, 1, 1))}
cifti2.Cifti2Image(keys, (cifti2.LabelAxis(["atlas"], [names]), models)).to_filename(out / "atlas.dlabel.nii")
for name in ("maps.dscalar.nii", "atlas.dlabel.nii"):
    image = nib.load(out / name)
    axis, places = image.header.get_axis(0), image.header.get_axis(1)
    data = np.asarray(image.dataobj)
    entry = {"maps": axis.name.tolist()}
    for structure, where, model in places.iter_structures():
        if model.surface_mask.all():
            full = np.full((len(data), 7), np.nan)
            full[:, model.vertex] = data[:, where]
            entry[structure] = [numbers(row) for row in full]
    want[name] = entry
save(out / "want.json", want)
print("nibabel", nib.__version__, "numpy", np.__version__)
