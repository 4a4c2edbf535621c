#!/usr/bin/env python3
"""Writes reference.json.gz and small-*.json beside itself: what XGBoost makes of small problems.

    pip install xgboost==1.7.6 scipy && python make_reference.py

reference.json.gz holds, for each of many random problems, the data, the
parameters, the sha256 of the model file that XGBoost saves, its predictions
(as float32 bits) and its evaluation results. One thread, so that XGBoost
itself adds in one order.
"""
import gzip, hashlib, json, os, tempfile
import numpy as np
import scipy.sparse as sp
import xgboost as xgb

assert xgb.__version__.startswith("1.7."), xgb.__version__
HERE = os.path.dirname(os.path.abspath(__file__))


def matrix(levels, codes, numbers):
    """One-hot blocks first, then numbers, as CSR: what is not stored is missing."""
    n = len(numbers[0]) if numbers else len(codes[0])
    rows, cols, vals, at = [], [], [], 0
    for k, c in zip(levels, codes):
        has = np.flatnonzero(c >= 0)
        rows.append(has); cols.append(at + c[has]); vals.append(np.ones(len(has)))
        at += k
    for v in numbers:
        has = np.flatnonzero(~np.isnan(v))
        rows.append(has); cols.append(np.full(len(has), at)); vals.append(v[has])
        at += 1
    return sp.csr_matrix((np.concatenate(vals), (np.concatenate(rows), np.concatenate(cols))), shape=(n, at))


def draw(rng, n, levels, kinds):
    codes = []
    for k in levels:
        p = rng.dirichlet(np.full(k, 0.4))
        c = rng.choice(k, size=n, p=p)
        c[rng.random(n) < 0.05] = -1
        codes.append(c)
    numbers = []
    for kind in kinds:
        if kind == "rounded":      # many ties, as distances have
            v = np.round(rng.gamma(2, 1.5, n), 1)
        elif kind == "continuous":
            v = rng.normal(size=n)
        elif kind == "missing":
            v = np.round(rng.normal(size=n) * 3, 1)
            v[rng.random(n) < 0.3] = np.nan
        elif kind == "constant":   # XGBoost takes it for an indicator
            v = np.full(n, 2.5)
            v[rng.random(n) < 0.4] = np.nan
        elif kind == "close":      # neighbouring float32 values
            v = np.float32(1) + np.float32(2**-23) * rng.integers(0, 6, n).astype(np.float32)
            v = v.astype(float)
            v[rng.random(n) < 0.2] = np.nan
        numbers.append(v)
    return codes, numbers


def label(rng, effects, codes, numbers, n):
    y = 8 + rng.normal(size=n)
    for e, c in zip(effects, codes):
        y += np.where(c >= 0, e[c], 0)
    for i, v in enumerate(numbers):
        v = np.nan_to_num(v, nan=1.5)
        y += (2 - i) * v + np.sin(3 * v)
    return np.round(y, 3)


SHAPES = [
    ([30], ["rounded"]), ([30], ["rounded"]), ([200], ["rounded"]), ([12, 9], ["rounded"]), ([8, 5, 6], ["missing", "rounded"]),
    ([], ["continuous", "missing"]), ([40], []), ([10], ["missing"]), ([5], ["constant", "rounded"]), ([], ["close", "missing"]),
    ([1], ["rounded"]), ([], ["missing", "missing", "continuous"]),
]


def problem(i):
    rng = np.random.default_rng(1000 + i)
    levels, kinds = SHAPES[i % len(SHAPES)]
    n, nv = int(rng.integers(20, 400)), int(rng.integers(10, 120))
    effects = [rng.normal(size=k) * 4 for k in levels]
    sets = []
    for size in (n, nv):
        codes, numbers = draw(rng, size, levels, kinds)
        sets.append((codes, numbers, label(rng, effects, codes, numbers, size)))
    weights = [None, None]
    if i % 4 == 3:
        weights = [np.round(rng.gamma(1, 1, n), 3), np.round(rng.gamma(1, 1, nv), 3)]
        weights[0][rng.random(n) < 0.1] = 0
    params = dict(
        learning_rate=float(rng.choice([0.1, 0.3, 0.5])),
        max_depth=int(rng.choice([1, 3, 6, 12, 30])),
        min_child_weight=float(rng.choice([0, 0.5, 1, 1.0625, 3])),
        gamma=float(rng.choice([0, 0, 0.5, 8])),
        reg_alpha=float(rng.choice([0, 0.018060244040060163, 0.75])),
        reg_lambda=float(rng.choice([0, 0.011658731377413597, 1])),
        base_score=float(rng.choice([0.5, 0.5, 0, 9.25])),
    )
    if i % 3 == 0:  # numbers of many digits, which XGBoost does not read as exactly as Python does
        params.update(
            learning_rate=float(np.exp(rng.uniform(-3, 0))), min_child_weight=float(np.exp(rng.uniform(-1, 3))),
            reg_alpha=float(np.exp(rng.uniform(-13, -1))), reg_lambda=float(np.exp(rng.uniform(-13, -1))))
    rounds, stop = int(rng.choice([1, 5, 12])), int(rng.choice([0, 0, 2]))
    X = [matrix(levels, c, v) for c, v, _ in sets]
    D = [xgb.DMatrix(x, y, weight=w) for x, (_, _, y), w in zip(X, sets, weights)]
    log = {}
    booster = xgb.train(
        dict(params, objective="reg:squarederror", tree_method="exact", nthread=1, seed=42), D[0], rounds,
        evals=[(D[0], "train"), (D[1], "valid")], early_stopping_rounds=stop or None, evals_result=log, verbose_eval=False)
    with tempfile.TemporaryDirectory() as tmp:
        path = os.path.join(tmp, "model.json")
        booster.save_model(path)
        with open(path, "rb") as f:
            model = f.read()

    def stored(codes, numbers, y, w):
        return dict(
            codes=[c.tolist() for c in codes],
            numbers=[[None if np.isnan(x) else x for x in v.tolist()] for v in numbers],
            y=y.tolist(), weights=None if w is None else w.tolist())

    return model, dict(
        name=f"{i:02d} blocks {levels} numbers {','.join(kinds)}", levels=levels,
        params=dict(params, rounds=rounds, early_stopping=stop),
        sets=[stored(*s, w) for s, w in zip(sets, weights)],
        sha256=hashlib.sha256(model).hexdigest(), trees=booster.num_boosted_rounds(),
        rmse=[log["train"]["rmse"], log["valid"]["rmse"]],
        predictions=booster.predict(D[1]).view(np.uint32).tolist())


def main():
    problems = []
    for i in range(60):
        model, p = problem(i)
        problems.append(p)
        if i in (7, 9):
            with open(os.path.join(HERE, f"small-{i}.json"), "wb") as f:
                f.write(model)
    with open(os.path.join(HERE, "reference.json.gz"), "wb") as out, gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as f:
        f.write(json.dumps(problems, separators=(",", ":")).encode())


main()
