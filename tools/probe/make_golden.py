"""Makes brain/probe/testdata/logistic.json: small problems and what scikit-learn's LogisticRegression makes of them.

Development-time only; the result is committed. Needs numpy and scikit-learn; their versions are in the file.

    python make_golden.py > ../../brain/probe/testdata/logistic.json
"""
import json

import numpy as np
import sklearn
from sklearn.linear_model import LogisticRegression


def problem(seed, n, width, classes, c):
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % classes
    x = (rng.normal(size=(classes, width))[labels] + 1.5 * rng.normal(size=(n, width))).round(3)  # float64: in float32 it stops 1e-4 away
    m = LogisticRegression(C=c, solver="newton-cholesky", tol=1e-10, max_iter=10000).fit(x, labels)
    if classes == 2:  # scikit-learn gives one column of differences; its penalty is that of half as much on each side
        raise ValueError("three classes or more")
    return {"n": n, "width": width, "classes": classes, "lambda": 1 / c, "x": x.ravel().tolist(), "labels": labels.tolist(),
            "coef": m.coef_.T.ravel().round(7).tolist(), "bias": m.intercept_.round(7).tolist(),
            "p": m.predict_proba(x).ravel().round(7).tolist()}


print(json.dumps({"made_by": "tools/probe/make_golden.py", "scikit-learn": sklearn.__version__, "numpy": np.__version__,
                  "problems": [problem(1, 60, 4, 3, 1.0), problem(2, 40, 6, 4, .05), problem(3, 30, 8, 3, 50.0)]}))
