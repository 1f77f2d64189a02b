"""Prints as JSON what nilearn.signal.clean makes of time series: the golden clean.json, or of what it reads.

Run in this folder: python clean.py > clean.json (nilearn 0.14.1 and NumPy 2 were used). With the argument "-" it reads
cases from standard input.
"""
import json
import sys
import warnings

import numpy as np
from nilearn.signal import clean

warnings.simplefilter("ignore")


def run(case):
    signals = np.array(case["signals"], dtype=np.float32).astype(np.float64)
    confounds = np.array(case["confounds"], dtype=np.float64).T if case["confounds"] else None
    keep = case["keep"]
    return clean(
        signals,
        detrend=case["detrend"],
        standardize=None,
        confounds=confounds,
        standardize_confounds=True,
        filter="cosine" if case["high_pass"] else False,
        high_pass=case["high_pass"] or None,
        t_r=case["tr"],
        sample_mask=None if keep is None else np.flatnonzero(keep),
        ensure_finite=False,
    ).tolist()


if sys.argv[1:] == ["-"]:
    cases = json.load(sys.stdin)
else:
    rng = np.random.default_rng(8)
    rows, columns = 30, 2
    signals = (rng.standard_normal((rows, columns)).cumsum(0) * 3 + 800).astype("f4").tolist()
    noise = rng.standard_normal((5, rows))
    keep = (rng.random(rows) > 0.2).tolist()
    cases = []
    for name, confounds, high_pass, detrend, mask in (
        ("nothing", [], 0, False, None),
        ("detrend", [], 0, True, None),
        ("cosines", [], 0.02, False, None),
        ("cosines and detrend", [], 0.02, True, None),
        ("confounds", noise, 0, False, None),
        ("confounds and detrend", noise, 0, True, None),
        ("all", noise, 0.02, True, None),
        ("rows left out", noise, 0.02, True, keep),
        ("rows left out, mean kept", noise, 0.02, False, keep),
        ("dependent confounds", np.vstack([noise, noise[0] * 2 + noise[1], noise[2]]), 0.02, True, None),
        ("a constant confound", np.vstack([noise, np.full(rows, 7.0)]), 0.02, True, None),
        ("of other sizes", noise * np.array([1e6, 1e-6, 1, 100, 1e-3])[:, None] + 5, 0.02, True, None),
    ):
        cases.append(
            {
                "name": name,
                "signals": signals,
                "confounds": np.asarray(confounds).tolist(),
                "high_pass": high_pass,
                "detrend": detrend,
                "keep": mask,
                "tr": 1.5,
            }
        )
for case in cases:
    case["want"] = run(case)
json.dump(cases, sys.stdout)
print()
