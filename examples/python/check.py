"""Compares what bwlm.load_run reads with the numbers of the program: python check.py DEMO, DEMO being the folder of bwlm demo."""

import json
import math
import os
import sys

import bwlm
import numpy as np


def close(a, b):
    return math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-6)


def check(directory):
    run = bwlm.load_run(directory)
    with open(os.path.join(directory, "eval", "summary.json")) as f:
        test = json.load(f)["test"]
    scores = run.scores()
    assert run.subjects == test["subjects"], run.subjects
    for model in ("base", "tuned"):
        of = scores[scores.model == model]
        mean = of[of.roi == "all"].r.mean()
        assert close(mean, test[model]["mean_r"]), (directory, model, mean, test[model]["mean_r"])
        assert test[model]["rois"], model
        for roi, r in test[model]["rois"].items():
            assert close(of[of.roi == roi].r.mean(), r), (directory, model, roi)
    subject = run.subjects[0]
    voxels = run.voxels(subject)
    assert np.allclose(voxels.tuned_r - voxels.base_r, voxels.delta_r, atol=1e-6, equal_nan=True)
    # r anew from predictions and responses
    predicted, measured = run.array(subject, "tuned_pred"), run.array(subject, "responses")
    assert predicted.shape == measured.shape == (len(run.rows(subject)), len(voxels))
    with np.errstate(invalid="ignore", divide="ignore"):
        z = [(x - x.mean(0)) / x.std(0) for x in (predicted.astype(float), measured.astype(float))]
        r = (z[0] * z[1]).mean(0)
    assert np.allclose(r, voxels.tuned_r, atol=1e-4, equal_nan=True), np.nanmax(abs(r - voxels.tuned_r))
    metrics = run.metrics()
    assert metrics.loss.notna().sum() > 0 and metrics.val_r.notna().sum() > 0
    assert run.manifest["seed"] >= 0
    print(run)


if __name__ == "__main__":
    for arm in ("whole_cortex", "auditory_cortex"):
        check(os.path.join(sys.argv[1], arm))
