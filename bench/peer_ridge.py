"""The peer of `bwlm ridge`: himalaya's RidgeCV, or KernelRidgeCV where rows are fewer than features, on .npy files.

    python bench/peer_ridge.py --x X.npy --y Y.npy --lambdas 1e2,1e4 --folds 5 [--backend torch]

A lambda per column of Y by r on contiguous folds, as bwlm chooses it. Prints one JSON object with the time of the fit, the mean
score on the held-out folds and the most memory that the process ever had.
"""

import argparse
import json
import resource
import time

import numpy as np
from himalaya.backend import set_backend
from himalaya.kernel_ridge import KernelRidgeCV
from himalaya.ridge import RidgeCV
from himalaya.scoring import correlation_score
from sklearn.model_selection import KFold


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--x", required=True)
    parser.add_argument("--y", required=True)
    parser.add_argument("--lambdas", required=True)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--backend", default="torch")
    parser.add_argument("--targets-batch", type=int, help="columns of Y at once, n_targets_batch; all without")
    args = parser.parse_args()

    backend = set_backend(args.backend)
    x, y = np.load(args.x), np.load(args.y)
    kind = RidgeCV if len(x) >= x.shape[1] else KernelRidgeCV
    lambdas = np.array([float(text) for text in args.lambdas.split(",")])
    solver = dict(score_func=correlation_score, n_targets_batch=args.targets_batch)
    model = kind(alphas=lambdas, cv=KFold(args.folds), solver_params=solver)
    x, y = backend.asarray(x), backend.asarray(y)
    start = time.perf_counter()
    model.fit(x, y)
    seconds = time.perf_counter() - start
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({"seconds": seconds, "mean_cv_score": float(model.cv_scores_.mean()), "peak_rss_mb": used.ru_maxrss // 1024,
                      "cpu_seconds": used.ru_utime + used.ru_stime}))


if __name__ == "__main__":
    main()
