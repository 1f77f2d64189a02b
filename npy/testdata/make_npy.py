"""Makes npy/*.npy, the files that NumPy's own writer makes of known arrays (python make_npy.py).

Made with numpy 2.4.6. Every array holds 0, 1, 2, ... row by row, booleans hold whether that number is odd.
The name says dtype, byte order, storage order and shape.
"""
import os

import numpy as np
from numpy.lib import format as npy

here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "npy")
os.makedirs(here, exist_ok=True)


def save(name, a, version=None):
    with open(os.path.join(here, name + ".npy"), "wb") as f:
        npy.write_array(f, a, version=version, allow_pickle=False)


def ramp(dtype, shape):
    n = np.arange(int(np.prod(shape)))
    return (n % 2 == 1 if dtype == "?" else n).astype(dtype).reshape(shape)


for order, word in (("<", "little"), (">", "big")):
    for kind in ("f2", "f4", "f8", "i2", "i4", "i8"):
        save(f"{kind}_{word}_rows_2x3", ramp(order + kind, (2, 3)))
        save(f"{kind}_{word}_columns_2x3x4", np.asfortranarray(ramp(order + kind, (2, 3, 4))))
for kind, name in (("u1", "u1"), ("?", "b1")):
    save(f"{name}_little_rows_2x3", ramp(kind, (2, 3)))
    save(f"{name}_little_columns_2x3x4", np.asfortranarray(ramp(kind, (2, 3, 4))))
save("f4_little_rows_scalar", ramp("<f4", ()))
save("f4_little_rows_5", ramp("<f4", (5,)))
save("f4_little_rows_0x3", ramp("<f4", (0, 3)))
save("i4_little_columns_5x1x2x3", np.asfortranarray(ramp("<i4", (5, 1, 2, 3))))
save("f4_little_rows_3x2_version2", ramp("<f4", (3, 2)), (2, 0))
save("f4_little_rows_3x2_version3", ramp("<f4", (3, 2)), (3, 0))
