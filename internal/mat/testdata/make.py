"""Writes the files of this folder by scipy.io.savemat. Run: python make.py (scipy 1.17.1, NumPy 2.4.6 made those here)"""
import numpy as np
import scipy.io
import scipy.sparse

X = np.arange(15.0).reshape(5, 3) / 4
kinds = {t: (X * 4).astype(t) for t in ("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8")}
kinds = {"t_" + k: v for k, v in kinds.items()}
values = {"a": X, "repeats": np.stack([X, X + 4]), "mask": X > 1, "text": "story", "cells": np.array([X, 1], dtype=object),
          "z": X + 1j, "sp": scipy.sparse.csc_array(X), "s": {"resp": X, "tr": 2.0, "in": {"deep": X[:2]}, "name": "x"},
          "many": np.zeros(2, [("x", object)]), "nothing": np.zeros((0, 3)), **kinds}
scipy.io.savemat("plain.mat", values)
scipy.io.savemat("compressed.mat", values, do_compression=True)
scipy.io.savemat("version4.mat", {k: values[k] for k in ("a", "z", "sp", "text", "t_i2", "t_u1", "t_f4", "t_i4", "t_u2")}, format="4")
scipy.io.savemat("one.mat", {"a": X, "text": "story"}, do_compression=True)

# As files of words with their times are: characters filled up with spaces, and cells.
words = ["\u8bdd", "story", "na\u00efve", "\U0001f600x"]
scipy.io.savemat("words.mat", {"word": np.array(words), "cells": np.array(words, dtype=object), "start": np.array([[10.9, 11.5, 12, 13]]),
                 "end": np.array([[11.5, 12, 12.25, 14]]), "mixed": np.array(["a", 1.5], dtype=object)})
