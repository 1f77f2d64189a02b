"""Ridge solutions of himalaya and scikit-learn on small data, for brain/ridge/fit_test.go.

    pip install himalaya==0.4.11 scikit-learn==1.9.1 numpy==2.4.6
    python make_golden.py ../../brain/ridge/testdata/golden.json

himalaya's and scikit-learn's penalty is lambda = alpha**2 of the alphas written here. Cross-validated scores are
himalaya's correlation score averaged over the folds. All in float64, from float32 data.
"""
import json
import pathlib
import sys

import himalaya
import numpy as np
import sklearn
from himalaya.backend import set_backend
from himalaya.kernel_ridge import KernelRidgeCV
from himalaya.ridge import RidgeCV
from himalaya.scoring import correlation_score
from sklearn.linear_model import Ridge

set_backend("numpy")
ALPHAS = np.array([0.5, 1.5, 4.0, 10.0, 30.0])


def data(seed, rows, features, voxels):
    """Features of different sizes and means; responses from quite clear to all noise."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((rows, features)) @ rng.standard_normal((features, features)) / features**0.5 + 3
    w = rng.standard_normal((features, voxels)) / features**0.5
    y = (x - 3) @ w + np.linspace(0.3, 6, voxels) * rng.standard_normal((rows, voxels)) - 2
    return np.round(x, 3).astype("float32"), np.round(y, 3).astype("float32")


def folds(rows, chunk):
    """Contiguous held-out rows, and all others."""
    return [(np.setdiff1d(np.arange(rows), held), held) for held in np.array_split(np.arange(rows), rows // chunk)]


def case(name, seed, rows, features, voxels, intercept):
    x, y = data(seed, rows, features, voxels)
    cv = folds(rows, 10)
    X, Y = x.astype(float), y.astype(float)
    if rows >= features:
        model = RidgeCV(alphas=ALPHAS**2, fit_intercept=intercept, cv=cv,
                        solver_params=dict(score_func=correlation_score)).fit(X, Y)
        weights = model.coef_
    else:
        model = KernelRidgeCV(alphas=ALPHAS**2, fit_intercept=intercept, cv=cv,
                              solver_params=dict(score_func=correlation_score)).fit(X, Y)
        weights = (X - X.mean(0) if intercept else X).T @ model.dual_coef_
    chosen = Ridge(alpha=model.best_alphas_, fit_intercept=intercept).fit(X, Y)
    assert np.allclose(chosen.coef_.T, weights, atol=1e-8), name
    fixed = Ridge(alpha=ALPHAS[2] ** 2, fit_intercept=intercept).fit(X, Y)
    return dict(name=name, rows=rows, intercept=intercept, x=x.ravel().tolist(), y=y.ravel().tolist(),
                held=[held.tolist() for _, held in cv], alphas=ALPHAS.tolist(),
                best=np.sqrt(model.best_alphas_).tolist(), scores=model.cv_scores_.tolist(),
                weights=np.round(weights, 9).ravel().tolist(),
                intercepts=(Y.mean(0) - X.mean(0) @ weights if intercept else np.zeros(voxels)).tolist(),
                fixed=np.round(fixed.coef_.T, 9).ravel().tolist())


cases = [case("primal", 0, 60, 7, 6, True), case("primal through the origin", 1, 60, 7, 6, False),
         case("dual", 2, 30, 45, 6, True), case("dual through the origin", 3, 30, 45, 6, False)]
out = dict(versions=dict(himalaya=himalaya.__version__, sklearn=sklearn.__version__, numpy=np.__version__), cases=cases)
path = pathlib.Path(sys.argv[1])
path.write_text(json.dumps(out) + "\n")
