"""Writes penalised.json: ridge and lasso by scikit-learn, iterated to convergence.

    pip install scikit-learn==1.2.2 numpy==1.24.2 scipy==1.10.1 xgboost==1.7.6
    python make_penalised.py > penalised.json
"""
import json
import sys

import numpy as np
import scipy
import sklearn
from make_reference import problem
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import Lasso, Ridge


def penalised(p):
    dicts, y = problem(p)
    x = DictVectorizer().fit_transform(dicts).toarray()
    fits = []
    for solver, alphas in (("ridge", (1e-3, 1.0, 50.0)), ("lasso", (0.02, 0.5, 10.0))):
        for alpha in alphas:
            if solver == "ridge":
                model = Ridge(alpha=alpha, solver="svd")
            else:
                model = Lasso(alpha=alpha, tol=1e-11, max_iter=200_000)
            model.fit(x, y)
            residual = y - model.predict(x)
            if solver == "ridge":
                cost = residual @ residual + alpha * model.coef_ @ model.coef_
            else:
                cost = residual @ residual / (2 * len(y)) + alpha * np.abs(model.coef_).sum()
            fits.append(
                {
                    "solver": solver,
                    "alpha": alpha,
                    "bias": model.intercept_,
                    "weights": [float(f"{w:.12g}") for w in model.coef_],
                    "cost": cost,
                }
            )
    return p | {"fits": fits}


def main():
    base = {"numbers": 1, "absent": False, "collinear": False, "outliers": False}
    problems = [
        base | {"name": "block and number", "seed": 1, "rows": 200, "blocks": [30]},
        base | {"name": "rows without", "seed": 2, "rows": 200, "blocks": [20], "absent": True},
        base | {"name": "block alone", "seed": 3, "rows": 60, "blocks": [9], "numbers": 0},
        base | {"name": "numbers alone", "seed": 4, "rows": 60, "blocks": [], "numbers": 3},
        base | {"name": "block and numbers", "seed": 5, "rows": 300, "blocks": [12], "numbers": 3, "absent": True},
        base | {"name": "two blocks", "seed": 7, "rows": 300, "blocks": [11, 13], "numbers": 1},
        base | {"name": "rare levels", "seed": 14, "rows": 150, "blocks": [60], "absent": True},
        base | {"name": "outliers", "seed": 10, "rows": 2011, "blocks": [40], "outliers": True},
        base | {"name": "two blocks, no numbers", "seed": 13, "rows": 400, "blocks": [9, 17], "numbers": 0},
    ]
    json.dump(
        {
            "made_by": f"scikit-learn {sklearn.__version__}, numpy {np.__version__}, scipy {scipy.__version__}",
            "problems": [penalised(p) for p in problems],
        },
        sys.stdout,
        separators=(",", ":"),
    )
    sys.stdout.write("\n")


main()
