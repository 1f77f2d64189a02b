"""Writes protocol2.pkl to protocol5.pkl by Python's own pickle. Run: python make.py (Python 3.11.7 made those here)"""
import collections
import pickle

value = {
    "a": [1, -2, 300, 70000, 2**40, -(2**40), 1.5, None, True, False, (), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), "é", "x" * 300],
    "b": {"c": b"bytes", "long": b"y" * 300, "d": bytearray(b"z")},
    7: collections.OrderedDict([("k", [])]),
}
for protocol in (2, 3, 4, 5):
    with open("protocol%d.pkl" % protocol, "wb") as f:
        pickle.dump(value, f, protocol)
