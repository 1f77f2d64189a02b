"""Cross-validated and banded ridge of himalaya on small data, for brain/ridge/golden_test.go and the script ridge.txtar.

    pip install himalaya==0.4.11 scikit-learn==1.9.1 numpy==2.4.6
    python make_cv_golden.py ../../brain/ridge/testdata/cv.json

Folds are scikit-learn's KFold(5) without shuffling, of rows that 5 does not divide; penalties are lambdas. RidgeCV and
KernelRidgeCV run in the dtype of the case, GroupRidge's and multiple-kernel ridge's random searches in float64 with the weights
that are written here. Held-out scores and the product measure are himalaya's own. scikit-learn's Ridge must agree with
the coefficients.
"""
import json
import pathlib
import sys
import warnings

import himalaya
import numpy as np
import sklearn
from himalaya.backend import set_backend
from himalaya.kernel_ridge import KernelRidgeCV, solve_multiple_kernel_ridge_random_search
from himalaya.ridge import RidgeCV, solve_group_ridge_random_search
from himalaya.scoring import correlation_score, r2_score, r2_score_split
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold

set_backend("numpy")
warnings.filterwarnings("ignore", category=UserWarning)
LAMBDAS = np.array([0.3, 3, 30, 300, 3000])
SCORES = dict(r=correlation_score, r2=r2_score)
WEIGHTS = np.array([[1, 1], [1.9, 0.1], [0.02, 1.98], [1.5, 0.5], [0.6, 1.4]])


def data(seed, rows, features, voxels, bands=None):
    """Training and test rows of slow features of different sizes; voxels from clear to noise, or each of one band."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((2 * rows, features)) @ rng.standard_normal((features, features)) / features**0.5
    x[1:] += 0.5 * x[:-1]
    w = rng.standard_normal((features, voxels)) / features**0.5
    for b, (start, end) in enumerate(bands or []):
        w[start:end, b :: len(bands) + 1] *= 0.02
    y = x @ w + np.linspace(0.3, 4, voxels) * rng.standard_normal((2 * rows, voxels))
    if not bands:
        x, y = x + 0.4, y - 0.7
    x, y = np.round(x, 3), np.round(y, 3)
    return x[:rows], y[:rows], x[rows:], y[rows:]


def flat(**arrays):
    return {k: np.round(np.asarray(v, float), 8).ravel().tolist() for k, v in arrays.items()}


def case(name, seed, rows, features, intercept, dtype, select):
    voxels = 7
    x, y, x2, y2 = (a.astype(dtype) for a in data(seed, rows, features, voxels))
    model = RidgeCV if rows >= features else KernelRidgeCV
    model = model(alphas=LAMBDAS.astype(dtype), fit_intercept=intercept, cv=KFold(5), solver_params=dict(score_func=SCORES[select])).fit(x, y)
    coef = model.coef_ if rows >= features else (x - x.mean(0) if intercept else x).T @ model.dual_coef_
    want = Ridge(alpha=model.best_alphas_.astype(float), fit_intercept=intercept).fit(x.astype(float), y.astype(float))
    assert np.allclose(want.coef_.T, coef, atol=1e-4 if dtype == "float32" else 1e-8), name
    pred = want.predict(x2.astype(float))
    assert np.allclose(pred, model.predict(x2), atol=1e-4 if dtype == "float32" else 1e-8), name
    return dict(name=name, data=seed, intercept=intercept, select=select,
                **flat(lambdas=model.best_alphas_, cv=model.cv_scores_, coef=coef,
                       intercepts=model.intercept_ if intercept else np.zeros(voxels),
                       r=correlation_score(y2, model.predict(x2)), r2=r2_score(y2, model.predict(x2))))


def banded(name, seed, rows, bands, intercept, select):
    features, voxels = bands[-1][1], 9
    x, y, x2, y2 = data(seed, rows, features, voxels, bands)
    kw = dict(n_iter=WEIGHTS, alphas=LAMBDAS, cv=KFold(5), score_func=SCORES[select], progress_bar=False)
    if rows >= features:
        deltas, coef, cv, *b = solve_group_ridge_random_search(
            [x[:, s:e] for s, e in bands], y, fit_intercept=intercept, return_weights=True, **kw)
    else:
        assert not intercept
        kernels = np.stack([x[:, s:e] @ x[:, s:e].T for s, e in bands])
        deltas, dual, cv = solve_multiple_kernel_ridge_random_search(kernels, y, return_weights="dual", **kw)
        coef, b = np.concatenate([np.exp(d) * (x[:, s:e].T @ dual) for d, (s, e) in zip(deltas, bands)]), []
    offset, centre = (y.mean(0), x.mean(0)) if intercept else (0, 0)
    parts = np.stack([(x2 - centre)[:, s:e] @ coef[s:e] for s, e in bands])
    for v in range(voxels):  # the ordinary ridge of features by the root of their penalties
        root = np.concatenate([np.full(e - s, np.exp(d / 2)) for d, (s, e) in zip(deltas[:, v], bands)])
        want = Ridge(alpha=1, fit_intercept=intercept).fit(x * root, y[:, v]).coef_ * root
        assert np.allclose(want, coef[:, v], atol=1e-8), (name, v)
    joint = parts.sum(0) + offset
    return dict(name=name, rows=rows, intercept=intercept, select=select, bands=bands, weights=WEIGHTS.tolist(),
                **flat(x=x, y=y, x2=x2, y2=y2, lambdas=np.exp(-deltas), cv=cv.max(0), coef=coef,
                       r=correlation_score(y2, joint), r2=r2_score(y2, joint), split=r2_score_split(y2 - offset, parts)))


forms = [("primal", 63, 8), ("dual", 32, 41)]
shared = [dict(rows=rows, **flat(**dict(zip(["x", "y", "x2", "y2"], data(seed, rows, features, 7)))))
          for seed, (_, rows, features) in enumerate(forms)]
cases = [case(f"{form} {dtype} {select}" + (" intercept" if intercept else ""), seed, rows, features, intercept, dtype, select)
         for seed, (form, rows, features) in enumerate(forms)
         for dtype in ["float32", "float64"] for intercept in [False, True] for select in ["r", "r2"]]
bands = [banded("primal", 5, 63, [(0, 4), (4, 9)], False, "r"), banded("primal intercept r2", 6, 63, [(0, 4), (4, 9)], True, "r2"),
         banded("dual", 7, 32, [(0, 15), (15, 40)], False, "r"), banded("dual r2", 8, 32, [(0, 15), (15, 40)], False, "r2")]
versions = dict(himalaya=himalaya.__version__, sklearn=sklearn.__version__, numpy=np.__version__)
out = dict(versions=versions, grid=LAMBDAS.tolist(), data=shared, cases=cases, banded=bands)
pathlib.Path(sys.argv[1]).write_text(json.dumps(out) + "\n")
