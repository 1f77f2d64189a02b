"""Ceilings, false discovery rates and exact permutation tests computed by NumPy and SciPy, for brain/stats.

    pip install numpy==2.4.6 scipy==1.17.1
    python make_golden.py          # writes brain/stats/testdata/golden.json

The permutation tests are exact: every order of blocks, every swap of blocks, with r from numpy.corrcoef each time.
All in float64, from float32 data.
"""
import itertools
import json
import math
import pathlib

import numpy as np
import scipy
from scipy.stats import false_discovery_control

rng = np.random.default_rng(4)


def rounded(*shape):
    return np.round(rng.standard_normal(shape), 3).astype("float32")


def r(a, b):
    return float(np.corrcoef(a.astype(float), b.astype(float))[0, 1])


def ceilings():
    """Four repeats of five voxels: clear, middling, faint, opposed, and one that is constant in one repeat."""
    n, rows, voxels = 4, 30, 5
    signal = rounded(rows, voxels)
    x = (signal * np.array([2, 1, 0.4, 0, 1], "float32") + rounded(n, rows, voxels) + 3).astype("float32")
    x[2:, :, 3] = 6 - x[:2, :, 3]
    x[1, :, 4] = 0.1
    pred = (1.5 * signal + 0.5 * rounded(rows, voxels)).astype("float32")
    y, z = x.astype(float), pred.astype(float)
    mean = y.mean(0)
    tp, shared = y.var(axis=1).mean(0), mean.var(0)
    sp = (n * shared - tp) / (n - 1)
    raw = shared / tp
    cov = ((mean - mean.mean(0)) * (z - z.mean(0))).mean(0)
    with np.errstate(invalid="ignore"):
        cc_max = 1 / np.sqrt(1 + (tp / sp - 1) / n)
        norm = cov / np.sqrt(sp * z.var(0))
    spe = (shared - (mean - z).var(0)) / sp
    good = [0, 1, 2]
    units = (y - y.mean(1, keepdims=True))[:, :, good]
    units = units / units.std(1, keepdims=True)
    loo = [[r(units[i, :, v], np.delete(units, i, 0).mean(0)[:, v]) for v in good] for i in range(n)]
    upper = [np.mean([r(units[i, :, v], units.mean(0)[:, v]) for i in range(n)]) for v in good]
    pairs = [([0, 1], [2, 3]), ([0, 2], [1, 3]), ([0, 3], [1, 2])]
    halves = [float(np.mean([r(units[a, :, v].mean(0), units[b, :, v].mean(0)) for a, b in pairs])) for v in good]
    return dict(n=n, rows=rows, voxels=voxels, repeats=x.ravel().tolist(), pred=pred.ravel().tolist(),
                defined=[0, 1, 2], tp=tp[:4].tolist(), sp=sp[:4].tolist(), raw=raw[:4].tolist(),
                ev=(raw - (1 - raw) / (n - 1))[:4].tolist(), cc_max=cc_max[good].tolist(),
                r=[r(mean[:, v], z[:, v]) for v in good], cc_norm=norm[good].tolist(), spe=spe[good].tolist(),
                leave_one_out=loo, upper=[float(u) for u in upper], halves=halves)


def discovery():
    p = np.concatenate([rng.uniform(size=12), rng.uniform(0, 0.02, size=6), [0.001, 0.001, 1, 0.5]])
    p = np.round(p, 4)
    return dict(p=p.tolist(), bh=false_discovery_control(p, method="bh").tolist(),
                by=false_discovery_control(p, method="by").tolist())


def orders():
    """Seven blocks of four rows, all 5040 orders, three voxels."""
    size, blocks, voxels = 4, 7, 3
    y = rounded(size * blocks, voxels)
    pred = (y * np.array([0.5, 0.25, 0], "float32") + rounded(size * blocks, voxels)).astype("float32")
    real = np.array([r(pred[:, v], y[:, v]) for v in range(voxels)])
    null = []
    for order in itertools.permutations(range(blocks)):
        rows = np.concatenate([np.arange(b * size, (b + 1) * size) for b in order])
        null.append([r(pred[:, v], y[rows, v]) for v in range(voxels)])
    null = np.array(null)
    assert len(null) == math.factorial(blocks)
    reach = lambda a, b: (a >= b - 1e-12).mean(0).tolist()
    return dict(block=size, voxels=voxels, pred=pred.ravel().tolist(), want=y.ravel().tolist(), r=real.tolist(),
                greater=reach(null, real), two_sided=reach(abs(null), abs(real)),
                max=reach(null.max(1, keepdims=True), real))


def swaps():
    """Nine blocks of four rows, all 512 swaps of two systems, three voxels and their mean."""
    size, blocks, voxels = 4, 9, 3
    rows = size * blocks
    y = rounded(rows, voxels)
    base = (y * np.array([0.3, 0.3, 0.3], "float32") + rounded(rows, voxels)).astype("float32")
    tuned = (y * np.array([1.2, 0.7, 0.3], "float32") + rounded(rows, voxels)).astype("float32") * 5
    a, b = (np.asarray(x, float) for x in (base, tuned))
    a, b = (a - a.mean(0)) / a.std(0), (b - b.mean(0)) / b.std(0)
    null = []
    for bits in itertools.product([0, 1], repeat=blocks):
        swap = np.repeat(bits, size).astype(bool)[:, None]
        p, q = np.where(swap, b, a), np.where(swap, a, b)
        null.append([r(q[:, v], y[:, v]) - r(p[:, v], y[:, v]) for v in range(voxels)])
    null = np.array(null)
    null = np.column_stack([null, null.mean(1)])
    real = null[0]
    reach = lambda x, y: (x >= y - 1e-12).mean(0).tolist()
    return dict(block=size, voxels=voxels, want=y.ravel().tolist(), base=base.ravel().tolist(), tuned=tuned.ravel().tolist(),
                delta=real.tolist(), two_sided=reach(abs(null), abs(real)), greater=reach(null, real),
                max=reach(abs(null[:, :voxels]).max(1, keepdims=True), abs(real[:voxels])))


golden = dict(numpy=np.__version__, scipy=scipy.__version__, ceilings=ceilings(), discovery=discovery(), orders=orders(), swaps=swaps())
out = pathlib.Path(__file__).parents[2] / "brain/stats/testdata/golden.json"
out.write_text(json.dumps(golden, indent=None) + "\n")
