"""Writes the files of this folder by joblib. Run: python make.py (joblib 1.6.0, NumPy 2.4.6, lz4 4.4.5 made those here)"""
import collections
import pickle
import sys
import types

import joblib
import numpy as np

X = np.arange(15.0).reshape(5, 3) / 4
stories = {"souls": X, "avatar": X[:2].copy()}
for name, how in (("plain", 0), ("zlib", ("zlib", 3)), ("gzip", ("gzip", 3)), ("bzip2", ("bz2", 3)), ("lzma", ("lzma", 3)),
                  ("xz", ("xz", 3)), ("lz4", ("lz4", 3))):
    joblib.dump(stories, "stories_%s.jbl" % name, compress=how)

# every type of numbers and order, nested keys, and what is not read but passed over
types_ = {t: (X * 4).astype(t) for t in ("i1", "u1", "<i2", ">i2", "<u4", ">i8", "<f2", "<f4", ">f4", ">f8")}
joblib.dump({"types": types_, "b1": X > 1, "fortran": np.asfortranarray(X), "runs": [X, (X[:1], 5)], 7: X[:, 0],
             "empty": np.zeros((0, 3)), "scalar": np.array(5.0), "text": np.array(["ab", "c"]), "bytes": np.array([b"abc"]),
             "complex": X + 1j, "dates": np.array(["2020-01-01"], "M8[D]"), "wide": X.astype("f16"), "none": None,
             "number": np.float32(2.5), "ordered": collections.OrderedDict(a=X)}, "kinds.jbl")
joblib.dump(X, "one.jbl")
joblib.dump({"a": X.astype(object)}, "objects.jbl")
joblib.dump({"a": np.rec.array([(1, 2.0)], dtype=[("x", "i4"), ("y", "f8")])}, "records.jbl")
joblib.dump({"a": np.ma.masked_array(X, X > 1)}, "masked.jbl")
joblib.dump(types.SimpleNamespace(a=X), "namespace.jbl")
for protocol in (2, 3, 4, 5):
    with open("pickle%d.pkl" % protocol, "wb") as f:
        pickle.dump({"souls": X, "fortran": np.asfortranarray(X), "same": [X], "empty": X[:0]}, f, protocol)

# LZ4 with everything that a frame may have: blocks that refer back, and checksums of blocks and content
with open("linked.jbl", "wb") as f:
    import io

    import lz4.frame

    plain = io.BytesIO()
    joblib.dump({"souls": np.arange(30000).reshape(10000, 3) % 7 / 4}, plain)
    f.write(lz4.frame.compress(plain.getvalue(), block_size=lz4.frame.BLOCKSIZE_MAX64KB, block_linked=True, compression_level=9,
                               content_checksum=True, block_checksum=True, store_size=True))


class TRFile:
    def __init__(self, times):
        self.trtimes, self.soundstarttime, self.soundstoptime = times, 10.0, -1
        self.otherlabels, self.expectedtr = [], np.float64(2.0)


TRFile.__module__ = "ridge_utils.stimulus_utils"
TRFile.__qualname__ = "TRFile"
module = types.ModuleType("ridge_utils.stimulus_utils")
module.TRFile = TRFile
sys.modules["ridge_utils"], sys.modules[TRFile.__module__] = types.ModuleType("ridge_utils"), module
joblib.dump({"souls": [TRFile(list(np.arange(4) * 2.0)), TRFile([0, 2, 4])], "avatar": [TRFile(np.arange(3) * 2.0)]}, "clocks.jbl")
