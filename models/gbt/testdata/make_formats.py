#!/usr/bin/env python3
"""Writes formats/ beside itself: small models as XGBoost saves them, and what it predicts with them.

    pip install xgboost==1.7.6 && python make_formats.py
    pip install xgboost==3.2.0 && python make_formats.py

Each version writes NAME-VERSION.json and .ubj, and VERSION.predictions.json with the rows (null: missing)
and, for each model, the predictions as float32 bits. All is done in one thread.
"""
import json, os
import numpy as np
import xgboost as xgb

VERSION = xgb.__version__
FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "formats")
ROWS = 80
NAMES, TYPES = ["zone", "kind", 'miles "m" \\ é\n', "hour"], ["c", "c", "float", "int"]


def draw():
    rng = np.random.default_rng(7)
    x = np.column_stack([
        rng.integers(0, 70, ROWS), rng.integers(0, 3, ROWS), np.round(rng.gamma(2, 1.5, ROWS), 1), rng.integers(0, 24, ROWS),
    ]).astype(np.float32)
    y = x[:, 0] % 5 + 2 * x[:, 1] + 3 * x[:, 2] + rng.normal(size=ROWS)
    x[rng.random(x.shape) < 0.1] = np.nan
    return x, y.astype(np.float32)


def main():
    x, y = draw()
    plain = dict(objective="reg:squarederror", tree_method="exact", nthread=1, max_depth=3, base_score=0.5)
    categorical = dict(plain, tree_method="hist", max_depth=4)
    mean = {k: v for k, v in plain.items() if k != "base_score"}
    jobs = {  # name: parameters, categorical columns, names, early stopping
        "plain": (plain, False, None, None),
        "names": (plain, False, NAMES, None),
        "stopped": (plain, False, None, 1),
        "pruned": (dict(plain, gamma=30, max_depth=5), False, None, None),
        "empty": (dict(plain, gamma=1e6), False, None, None),
        "mean": (mean, False, None, None),
        "onehot": (dict(categorical, max_cat_to_onehot=1000), True, NAMES, None),
        "sets": (dict(categorical, max_cat_to_onehot=1), True, NAMES, None),
        "hist": (dict(plain, tree_method="hist", subsample=0.5, colsample_bytree=0.5), False, None, None),
        "forest": (dict(plain, tree_method="hist", num_parallel_tree=3, subsample=0.5), False, None, 1),
        "nameless": (dict(categorical, max_cat_to_onehot=1), True, [], None),
        "untyped": (plain, False, [*NAMES], None),
        "noted": (plain, False, None, None),
    }
    # Rows to predict also hold what training had not: categories too great, or none at all.
    odd = np.array([[69, 9, 1.25, 3], [200, -1, 0, np.nan], [1 << 25, 1.9, -0.0, 1], [0.5, 2.999, 1e30, 5], [np.nan] * 4], dtype=np.float32)
    rows = np.concatenate([x, odd])
    out = {"rows": [[None if np.isnan(v) else float(v) for v in r] for r in rows], "predictions": {}}
    for name, (params, cats, names, stop) in jobs.items():
        types = None if names is None or name == "untyped" else TYPES if cats else ["q", "q", "float", "int"]
        def matrix(data, label=None):
            return xgb.DMatrix(data, label, feature_names=names or None, feature_types=types, enable_categorical=cats)
        train = matrix(x, y)
        booster = xgb.train(params, train, 4, evals=[(matrix(x[:20], -y[:20]), "valid")] if stop else [], early_stopping_rounds=stop, verbose_eval=False)
        if name == "noted":
            booster.set_attr(best_score="of \"all\"", note="é\n", best_iteration="7")
        for ext in ("json", "ubj"):
            booster.save_model(os.path.join(FOLDER, f"{name}-{VERSION}.{ext}"))
        out["predictions"][name] = booster.predict(matrix(rows)).view(np.uint32).tolist()
    with open(os.path.join(FOLDER, f"{VERSION}.predictions.json"), "w") as f:
        json.dump(out, f, separators=(",", ":"))


main()
