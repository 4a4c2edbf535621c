"""Writes reference.json: least squares by numpy and scikit-learn, and a gblinear model by XGBoost.

    pip install scikit-learn==1.2.2 numpy==1.24.2 scipy==1.10.1 xgboost==1.7.6
    OPENBLAS_NUM_THREADS=1 OPENBLAS_CORETYPE=SkylakeX python make_reference.py > reference.json

The CPU must have AVX-512: scikit-learn's unconverged LSQR gives other digits elsewhere.
The problems come from a generator of integers that the test repeats.
"""
import hashlib
import json
import os
import sys

import numpy as np
import scipy
import sklearn
import xgboost
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LinearRegression


class Integers:
    def __init__(self, seed):
        self.x = seed

    def below(self, n):
        self.x = (self.x * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.x >> 33) % n


def problem(p):
    """Keep in step with problemOf in fit_test.go."""
    g = Integers(p["seed"])
    dicts, y = [], []
    for _ in range(p["rows"]):
        row, target = {}, g.below(3000) / 100
        for i, levels in enumerate(p["blocks"]):
            level = g.below(levels)
            if not (p["absent"] and g.below(7) == 0):
                row[f"b{i}"] = str(level)
                target += level % 17
        for i in range(p["numbers"]):
            number = g.below(10000) / 100
            if p["outliers"] and g.below(997) == 0:
                number *= 1000
            if not (p["absent"] and g.below(7) == 0):
                row[f"n{i}"] = number
                target += 0.25 * number
            if p["collinear"] and i + 1 == p["numbers"]:
                row[f"n{p['numbers']}"] = 2 * row.get(f"n{i}", 0)
        dicts.append(row)
        y.append(target)
    return dicts, np.array(y)


def least_squares(p):
    dicts, y = problem(p)
    x = DictVectorizer().fit_transform(dicts)
    out = dict(p)
    if x.shape[1] < 100:
        dense = x.toarray()
        offset = dense.mean(axis=0)
        weights = np.linalg.lstsq(dense - offset, y - y.mean(), rcond=1e-12)[0]
        out["exact"] = {"bias": y.mean() - offset @ weights, "weights": weights.tolist()}
    model = LinearRegression().fit(x, y)
    out["lsqr"] = {
        "bias": model.intercept_,
        "sha256": hashlib.sha256(model.coef_.astype("<f8").tobytes()).hexdigest(),
    }
    return out


def gblinear():
    p = {"seed": 9, "rows": 40, "blocks": [5, 3], "numbers": 1, "absent": True, "collinear": False, "outliers": False}
    dicts, y = problem(p)
    x = DictVectorizer().fit_transform(dicts)
    booster = xgboost.train(
        {"booster": "gblinear", "base_score": 0.5, "updater": "coord_descent"}, xgboost.DMatrix(x, label=y), 7
    )
    booster.save_model("/tmp/gblinear.json")
    with open("/tmp/gblinear.json") as f:
        model = json.load(f)
    bits = booster.predict(xgboost.DMatrix(x)).view(np.uint32).tolist()
    return p | {"model": model, "bits": bits}


def main():
    assert os.environ.get("OPENBLAS_NUM_THREADS") == "1" and os.environ.get("OPENBLAS_CORETYPE") == "SkylakeX"
    base = {"numbers": 1, "absent": False, "collinear": False, "outliers": False}
    problems = [
        base | {"name": "block and number", "seed": 1, "rows": 200, "blocks": [30]},
        base | {"name": "rows without", "seed": 2, "rows": 200, "blocks": [20], "absent": True},
        base | {"name": "block alone", "seed": 3, "rows": 60, "blocks": [9], "numbers": 0},
        base | {"name": "numbers alone", "seed": 4, "rows": 60, "blocks": [], "numbers": 3},
        base | {"name": "block and numbers", "seed": 5, "rows": 300, "blocks": [12], "numbers": 3, "absent": True},
        base | {"name": "collinear numbers", "seed": 6, "rows": 100, "blocks": [8], "numbers": 2, "collinear": True},
        base | {"name": "two blocks", "seed": 7, "rows": 300, "blocks": [11, 13], "numbers": 1},
        base | {"name": "a row a level", "seed": 8, "rows": 12, "blocks": [5000]},
        base | {"name": "large", "seed": 10, "rows": 20011, "blocks": [700], "outliers": True},
        base | {"name": "large, two blocks", "seed": 11, "rows": 17003, "blocks": [90, 77], "outliers": True},
    ]
    json.dump(
        {
            "made_by": f"scikit-learn {sklearn.__version__}, numpy {np.__version__}, scipy {scipy.__version__}, xgboost {xgboost.__version__}",
            "problems": [least_squares(p) for p in problems],
            "gblinear": gblinear(),
        },
        sys.stdout,
        separators=(",", ":"),
    )
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
