"""Writes the files of this folder by NumPy. Run: python make.py (NumPy 2.4.6 made those here)"""
import numpy as np

X = np.arange(15.0).reshape(5, 3) / 4
kinds = {"a": X, "fortran": np.asfortranarray(X), "repeats": np.stack([X, X + 4]), "swapped": X.astype(">f4"), "half": X.astype("f2"),
         "whole": (X * 4).astype("i2"), "mask": X > 1, "vector": X[:, 0], "objects": X.astype(object), "text": np.array(["ab", "c"]),
         "complex": X + 1j, "records": np.zeros(2, [("x", "i4"), ("y", "f8")]), "dates": np.array(["2020-01-01"], "M8[D]")}
np.savez("stored.npz", **kinds)
np.savez_compressed("deflated.npz", **kinds)
np.savez("one.npz", X)
np.savez_compressed("one_deflated.npz", X)
