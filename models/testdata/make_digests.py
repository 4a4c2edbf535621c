#!/usr/bin/env python3
"""Writes digests.json beside itself: what XGBoost makes of months that our own program synthesises.

    make build && pip install xgboost==1.7.6 scikit-learn pandas pyarrow && python make_digests.py

(TAXIMETER names another binary than build/taximeter.)

"taximeter months make" writes the months; all that follows, from Parquet to trees, is pandas,
scikit-learn and XGBoost. Of each fit it keeps the error of every round, the best iteration, and of every
tree one digest an array, in the order of ARRAYS: the first 8 hex digits of the sha256 of its numbers,
little-endian, in 4 bytes each. One thread, so that XGBoost itself adds in one order.
"""
import hashlib, json, os, subprocess, tempfile
import numpy as np
import pandas as pd
import xgboost as xgb
from sklearn.feature_extraction import DictVectorizer

assert xgb.__version__ == "1.7.6", xgb.__version__
HERE = os.path.dirname(os.path.abspath(__file__))
TAXIMETER = os.environ.get("TAXIMETER", os.path.join(HERE, "..", "..", "build", "taximeter"))
PAIRS = [("2021-01", "2021-02"), ("2023-01", "2023-02")]
ROWS, SEED = 2400, 11
ARRAYS = ["children", "features", "thresholds", "defaults", "leaves", "weights", "gains", "hessians"]
SHAPES = ["PU_DO", "PU,DO", "ids", "numbers", "PU_DO, distances missing", "PU,DO, distances missing",
          "ids, distances missing", "numbers, distances missing"]

COURSE = dict(learning_rate=0.09585355369315604, max_depth=30, min_child_weight=1.060597050922164,
              reg_alpha=0.018060244040060163, reg_lambda=0.011658731377413597)
FITS = [  # max_depth 0 is no limit, which XGBoost's exact wants spelled as a depth that none reaches
    dict(COURSE, base_score=0.5, rounds=6, early_stopping=20),
    dict(learning_rate=0.3, max_depth=6, min_child_weight=1, reg_lambda=1, base_score="mean", rounds=6, early_stopping=2),
    dict(learning_rate=0.5, max_depth=3, min_child_weight=3, gamma=40, reg_alpha=0.75, base_score=9.25, rounds=6, early_stopping=2),
    dict(learning_rate=0.1, max_depth=0, min_child_weight=4, gamma=2, reg_lambda=0.5, base_score="mean", rounds=4, early_stopping=3),
    dict(learning_rate=1, max_depth=6, min_child_weight=0, base_score=0, rounds=8, early_stopping=2),
    dict(COURSE, learning_rate=0.8, gamma=15, reg_alpha=8, base_score="mean", rounds=8, early_stopping=2),
]


def digest(*arrays):
    h = hashlib.sha256()
    for a in arrays:
        h.update(np.ascontiguousarray(a).tobytes())
    return h.hexdigest()[:8]


def rides(path):
    df = pd.read_parquet(path)
    seconds = (df.lpep_dropoff_datetime - df.lpep_pickup_datetime).dt.total_seconds()
    df["minutes"] = seconds / 60
    df = df[(df.minutes >= 1) & (df.minutes <= 60)].reset_index(drop=True)
    df["since"] = df.lpep_pickup_datetime.dt.hour * 60 + df.lpep_pickup_datetime.dt.minute
    return df


def records(shape, df):
    """The features of each ride, as DictVectorizer wants them."""
    shape, _, missing = shape.partition(", distances ")
    out = []
    for i, (pu, do, miles, since) in enumerate(zip(df.PULocationID, df.DOLocationID, df.trip_distance, df.since)):
        r = {
            "PU_DO": {"PU_DO": f"{pu}_{do}"}, "PU,DO": {"PULocationID": str(pu), "DOLocationID": str(do)},
            "ids": {"PULocationID": pu, "DOLocationID": do}, "numbers": {"PULocationID": pu, "since_midnight": since},
        }[shape]
        if not missing or i % 7 != 3:
            r["trip_distance"] = miles
        out.append(r)
    return out


def tree_digests(t):
    def ints(key):
        return np.array(t[key], dtype="<i4")

    def floats(key):
        return np.array(t[key], dtype="<f4")

    left, conditions = ints("left_children"), floats("split_conditions")
    return " ".join([
        digest(left, ints("right_children")), digest(ints("split_indices")), digest(conditions[left >= 0]), digest(ints("default_left")),
        digest(conditions[left < 0]), digest(floats("base_weights")), digest(floats("loss_changes")), digest(floats("sum_hessian"))])


def fit(params, train, valid, mean):
    asked = {k: v for k, v in params.items() if k not in ("rounds", "early_stopping")}
    asked = {"gamma": 0, "reg_alpha": 0, "reg_lambda": 0, **asked}
    if asked["base_score"] == "mean":
        asked["base_score"] = mean
    asked["max_depth"] = asked["max_depth"] or 1000
    log = {}
    booster = xgb.train(dict(asked, objective="reg:squarederror", tree_method="exact", nthread=1), train, params["rounds"],
                        evals=[(valid, "valid")], early_stopping_rounds=params["early_stopping"], evals_result=log, verbose_eval=False)
    model = json.loads(booster.save_raw("json"))["learner"]
    return dict(
        params=params, base_score=float(model["learner_model_param"]["base_score"]), rmse=log["valid"]["rmse"],
        best_iteration=booster.best_iteration,
        trees=[tree_digests(t) for t in model["gradient_booster"]["model"]["trees"]])


def main():
    problems = []
    with tempfile.TemporaryDirectory() as tmp:
        for i, pair in enumerate(PAIRS):
            subprocess.run([TAXIMETER, "months", "make", "green", *pair, "--rows", str(ROWS), "--seed", str(SEED), "--out", tmp], check=True)
            train, valid = (rides(f"{tmp}/green_tripdata_{m}.parquet") for m in pair)
            for shape in SHAPES[:4] if i else SHAPES:
                dv = DictVectorizer()
                x, xv = dv.fit_transform(records(shape, train)), dv.transform(records(shape, valid))
                y, yv = train.minutes.to_numpy(), valid.minutes.to_numpy()
                d, dv = xgb.DMatrix(x, y), xgb.DMatrix(xv, yv)
                mean = float(np.float32(y.astype(np.float32).astype(float).mean()))
                problems.append(dict(
                    train=pair[0], valid=pair[1], shape=shape,
                    matrix=digest(x.indptr.astype("<i4"), x.indices.astype("<i4"), x.data.astype("<f4"), y.astype("<f4")),
                    fits=[fit(p, d, dv, mean) for p in FITS]))
    with open(os.path.join(HERE, "digests.json"), "w") as f:
        json.dump(dict(rows=ROWS, seed=SEED, arrays=ARRAYS, problems=problems), f, indent=1)
        f.write("\n")


main()
