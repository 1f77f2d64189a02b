"""Writes one array in many layouts of HDF5 with h5py, each next to what it holds as .npy.

python layouts.py small DIR      the files of testdata/small, a few kilobytes each
python layouts.py all DIR SEED   every layout, and arrays of random shapes
python layouts.py save DIR FILE...  every array of numbers in files, as DIR/0.npy and so on; prints their files and paths
"""

import ctypes
import glob
import itertools
import os
import sys

import h5py
import numpy as np

LIBVERS = {"earliest": ("earliest", "latest"), "v108": ("v108", "latest"), "v110": ("v110", "v110"), "latest": "latest"}
FILTERS = {
    "none": {},
    "gzip": dict(compression="gzip", shuffle=True),
    "lzf": dict(compression="lzf"),
    "sum": dict(compression="gzip", shuffle=True, fletcher32=True),
}
# shape, chunks, maxshape
SHAPES = {
    "contiguous": ((12, 7), None, None),
    "onechunk": ((12, 7), (12, 7), None),
    "edges": ((12, 7), (5, 3), None),
    "rank1": ((40,), (7,), None),
    "rank3": ((3, 12, 7), (2, 5, 4), None),
    "rank4": ((2, 3, 4, 5), (1, 2, 3, 2), None),
    "bounded": ((12, 7), (5, 3), (31, 20)),
    "paged": ((2200, 3), (1, 2), None),
    "rows": ((40, 7), (3, 7), (None, 7)),
    "manyrows": ((3000, 2), (1, 2), (None, 2)),
    "columns": ((4, 90), (2, 3), (4, None)),
    "columns3": ((2, 30, 4), (1, 3, 2), (2, None, 8)),
    "both": ((40, 33), (3, 2), (None, None)),
    "bothmany": ((90, 80), (1, 2), (None, None)),
}
SMALL = [
    ("earliest", "contiguous", "none"), ("earliest", "edges", "sum"), ("earliest", "rows", "lzf"),
    ("v108", "rank3", "gzip"), ("v110", "edges", "gzip"), ("latest", "onechunk", "gzip"),
    ("latest", "edges", "sum"), ("latest", "bounded", "none"), ("latest", "rows", "gzip"),
    ("latest", "columns3", "none"), ("latest", "both", "gzip"),
]


class Writer:
    def __init__(self, folder):
        self.folder = folder
        self.random = np.random.default_rng(0)

    def open(self, name, version):
        return h5py.File(os.path.join(self.folder, name + ".h5"), "w", libver=LIBVERS[version])

    def truth(self, name, array):
        np.save(os.path.join(self.folder, name + ".npy"), array)

    def layout(self, version, shape, filters, dtype="f4"):
        name = "%s_%s_%s" % (shape, version, filters)
        size, chunks, most = SHAPES[shape]
        array = self.random.integers(-99, 99, size).astype(dtype)
        with self.open(name, version) as f:
            f.create_dataset("data", data=array, chunks=chunks, maxshape=most, **FILTERS[filters])
        self.truth(name, array)

    def low(self, name, version, array, chunks, change, most=None):
        """A data set by the low-level interface; change sets properties."""
        with self.open(name, version) as f:
            p = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            if chunks:
                p.set_chunk(chunks)
            change(p)
            space = h5py.h5s.create_simple(array.shape, most or array.shape)
            d = h5py.Dataset(h5py.h5d.create(f.id, b"data", h5py.h5t.py_create(array.dtype), space, p))
            d[...] = array
        self.truth(name, array)

    def early(self, version):
        array = self.random.normal(size=(12, 7))
        early = lambda p: p.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
        self.low("implicit_" + version, version, array, (5, 3), early)
        self.low("implicitbounded_" + version, version, array, (5, 3), early, (20, 13))
        self.low("compact_" + version, version, array, None, lambda p: p.set_layout(h5py.h5d.COMPACT))

    def raw_edges(self, version):
        """Chunks beyond the edge without filters, which h5py has no call for."""
        library = glob.glob(os.path.join(os.path.dirname(h5py.__file__), "..", "h5py.libs", "libhdf5-*"))
        if not library or version in ("earliest", "v108"):
            return

        def change(p):
            p.set_deflate(4)
            lib = ctypes.CDLL(library[0])
            lib.H5Pset_chunk_opts.argtypes = [ctypes.c_int64, ctypes.c_uint]
            assert lib.H5Pset_chunk_opts(p.id, 2) >= 0
        for most in ((12, 7), (None, 7), (None, None)):
            name = "rawedges%d_%s" % (sum(m is None for m in most), version)
            unlimited = tuple(h5py.h5s.UNLIMITED if m is None else m for m in most)
            self.low(name, version, self.random.normal(size=(12, 7)), (5, 3), change, unlimited)

    def masked(self, version):
        """Chunks whose filters were left out."""
        name, array = "masked_" + version, self.random.normal(size=(8, 4)).astype("f4")
        with self.open(name, version) as f:
            d = f.create_dataset("data", shape=(8, 4), dtype="f4", chunks=(4, 4), compression="gzip", shuffle=True)
            d[0:4] = array[0:4]
            d.id.write_direct_chunk((4, 0), array[4:8].tobytes(), filter_mask=3)
        self.truth(name, array)

    def holes(self, version, most, shape=(60, 9), chunks=(2, 3)):
        """Chunks that were not written, in every index."""
        name, array = "holes%s_%s" % ("".join("u" if m is None else "b" for m in most), version), np.full(shape, 2.5)
        with self.open(name, version) as f:
            d = f.create_dataset("data", shape=shape, dtype="f8", chunks=chunks, maxshape=most, fillvalue=2.5)
            for row in (0, 7, 33, 58):
                d[row, 1:5] = array[row, 1:5] = self.random.normal(size=4)
        self.truth(name, array)

    def types(self, version, dtypes=("<f2", "<f8", ">f4", ">f8", "<i2", ">i2", "<i8", "<u1", ">u4", "?")):
        for dtype in dtypes:
            for filters in ("none", "gzip"):
                name = "type_%s_%s_%s" % (dtype.replace("<", "l").replace(">", "b").replace("?", "bool"), version, filters)
                array = self.random.integers(0, 2, (12, 7)).astype(dtype)
                with self.open(name, version) as f:
                    f.create_dataset("data", data=array, chunks=(5, 3), **FILTERS[filters])
                self.truth(name, array)

    def scaled(self):
        """Integers that attributes say to multiply and to shift."""
        name, array = "scaled_earliest", self.random.integers(-99, 99, (3, 2)).astype("i2")
        with self.open(name, "earliest") as f:
            f["data"] = array
            f["data"].attrs["scale_factor"] = .5
            f["data"].attrs["add_offset"] = 3.
        self.truth(name, array)

    def groups(self, version, many):
        """A group with many links, and the last array below it."""
        name, array = "group%d_%s" % (many, version), self.random.normal(size=(2, 3))
        with self.open(name, version) as f:
            g = f.create_group("nested/stories")
            first = g.create_dataset("a_rather_long_name_of_a_story_0000", data=array + 1)
            for i in range(1, many):
                g["a_rather_long_name_of_a_story_%04d" % i] = first
            f["data"] = array
            for i in range(20):
                f["data"].attrs["attribute%02d" % i] = i
            f["data"].attrs["units"] = "percent"
            f["data"].attrs["MATLAB_class"] = np.bytes_("double")
        self.truth(name, array)

    def random_arrays(self, n, seed):
        g = np.random.default_rng(seed)
        for i in range(n):
            rank = int(g.integers(1, 5))
            shape = tuple(int(v) for v in g.integers(1, (2000, 60, 14, 8)[rank - 1], rank))
            chunks = tuple(int(g.integers(1, 1 + min(n, 40))) for n in shape)
            most = tuple(None if g.random() < .3 else int(n + g.integers(0, 30)) for n in shape)
            version = list(LIBVERS)[int(g.integers(4))]
            filters = list(FILTERS)[int(g.integers(4))]
            dtype = ("<f4", "<f8", ">f4", "<i2", "<f2")[int(g.integers(5))]
            array = g.integers(-99, 99, shape).astype(dtype)
            name = "random%03d_%s_%s" % (i, version, filters)
            with self.open(name, version) as f:
                if g.random() < .1:
                    f.create_dataset("data", data=array)
                else:
                    f.create_dataset("data", data=array, chunks=chunks, maxshape=most, **FILTERS[filters])
            self.truth(name, array)


def save(folder, *files):
    count = 0
    for file in files:
        with h5py.File(file) as f:
            def visit(path, d):
                nonlocal count
                try:
                    if not isinstance(d, h5py.Dataset) or d.shape is None or d.dtype.kind not in "biuf" or d.dtype.itemsize > 8:
                        return
                    np.save(os.path.join(folder, "%d.npy" % count), d[...])
                except (OSError, TypeError, ValueError):  # a filter or a type that h5py does not read
                    return
                print(file, path, sep="\t")
                count += 1
            f.visititems(visit)


def main(kind, folder, seed=0):
    os.makedirs(folder, exist_ok=True)
    w = Writer(folder)
    if kind == "small":
        for case in SMALL:
            w.layout(*case)
        w.masked("latest")
        w.types("latest", (">f8", "?"))
        w.groups("latest", 12)
        w.groups("earliest", 12)
        w.scaled()
        return
    for version, shape, filters in itertools.product(LIBVERS, SHAPES, FILTERS):
        if shape != "contiguous" or filters == "none":
            w.layout(version, shape, filters)
    for version in LIBVERS:
        w.early(version)
        w.raw_edges(version)
        w.masked(version)
        w.types(version)
        w.groups(version, 40)
        for most in ((60, 9), (None, 9), (60, None), (None, None)):
            w.holes(version, most)
    w.groups("earliest", 3000)
    w.groups("latest", 20000)  # a fractal heap with a table of tables
    SHAPES["pagedblocks"] = ((150000, 1), (1, 1), (None, 1))  # data blocks in pages
    w.layout("latest", "pagedblocks", "none", "i1")
    w.layout("v110", "pagedblocks", "none", "i1")
    w.random_arrays(150, int(seed))


if __name__ == "__main__":
    if sys.argv[1] == "save":
        save(*sys.argv[2:])
    else:
        main(*sys.argv[1:])
