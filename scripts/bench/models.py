"""Times what models/ does against XGBoost 1.7.6 and scikit-learn, doing the same work in turn.

    python models.py WORK_BINARY MONTHS [RUNS]

WORK_BINARY is the test binary of ./models with the tag bench. Both sides get the same files and as many
threads: two for trees, one for the rest.
"""
import json
import os
import subprocess
import sys
import tempfile
import time

os.environ.setdefault("OMP_NUM_THREADS", "2")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np
import pandas as pd
import sklearn
import xgboost as xgb
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import Lasso, LinearRegression, Ridge

from table import Table

PARAMS = {
    "learning_rate": 0.09585355369315604, "max_depth": 30, "min_child_weight": 1.060597050922164,
    "objective": "reg:squarederror", "reg_alpha": 0.018060244040060163, "reg_lambda": 0.011658731377413597,
    "seed": 42, "base_score": 0.5, "tree_method": "exact", "nthread": 2,
}
COLUMNS = ["lpep_pickup_datetime", "lpep_dropoff_datetime", "PULocationID", "DOLocationID", "trip_distance"]


def read(path):
    df = pd.read_parquet(path, columns=COLUMNS)
    df["duration"] = (df.lpep_dropoff_datetime - df.lpep_pickup_datetime).dt.total_seconds() / 60
    df = df[(df.duration >= 1) & (df.duration <= 60)].copy()
    df["PU_DO"] = df.PULocationID.astype(str) + "_" + df.DOLocationID.astype(str)
    df["PULocationID"], df["DOLocationID"] = df.PULocationID.astype(str), df.DOLocationID.astype(str)
    return df


def enlarge(path, rows, out):
    """A month of so many rows: real rows drawn with replacement, distances jittered by a tenth."""
    df = pd.read_parquet(path, columns=COLUMNS)
    rng = np.random.default_rng(1)
    df = df.iloc[rng.integers(0, len(df), rows)].reset_index(drop=True)
    df["trip_distance"] = (df.trip_distance * rng.uniform(0.9, 1.1, rows)).round(2)
    df.to_parquet(out)


class Pair:
    """Two months as matrices of one vectorizer."""

    def __init__(self, train, valid, columns):
        dv = DictVectorizer()
        self.files, self.columns = (train, valid), columns
        t, v = read(train), read(valid)
        self.records = t[columns]
        self.x = dv.fit_transform(t[columns].to_dict(orient="records"))
        self.xv = dv.transform(v[columns].to_dict(orient="records"))
        self.y, self.yv = t.duration.values, v.duration.values


def main(binary, months, runs="5"):
    runs = int(runs)
    scratch = tempfile.mkdtemp(prefix="taximeter-bench-")
    train, valid = (f"{months}/green_tripdata_2021-{m}.parquet" for m in ("01", "02"))
    million = f"{scratch}/million.parquet"
    enlarge(train, 1_000_000, million)
    pair = Pair(train, valid, ["PU_DO", "trip_distance"])
    zones = Pair(train, valid, ["PULocationID", "DOLocationID", "trip_distance"])
    large = Pair(million, valid, ["PU_DO", "trip_distance"])

    def ours(work, p, threads, rounds="100"):
        env = dict(os.environ, BENCH_WORK=work, BENCH_TRAIN=p.files[0], BENCH_VALID=p.files[1], BENCH_ROUNDS=rounds,
                   GOMAXPROCS=str(threads), BENCH_FEATURES="PU_DO" if "PU_DO" in p.columns else "PU,DO")
        out = subprocess.run([os.path.abspath(binary), "-test.run", "^TestWork$"], env=env, capture_output=True, text=True)
        if out.returncode != 0:
            sys.exit(f"{work}: {out.stdout}{out.stderr}")
        return json.loads(out.stdout.splitlines()[0])

    def timed(do):
        began = time.perf_counter()
        result = do()
        return time.perf_counter() - began, result

    boosters = {}

    def fit(p, rounds=100):
        d, dv = xgb.DMatrix(p.x, label=p.y), xgb.DMatrix(p.xv, label=p.yv)
        boosters[p] = xgb.train(PARAMS, d, num_boost_round=rounds, evals=[(dv, "valid")], early_stopping_rounds=20, verbose_eval=False)
        return boosters[p].best_score

    def predict(p):
        booster = boosters[p]
        booster.set_param({"nthread": 1})
        return booster.predict(xgb.DMatrix(p.xv))

    def linear(p, model):
        return lambda: model.fit(p.x, p.y)

    def vectorize(p):
        dv = DictVectorizer()
        return dv.fit_transform(p.records.to_dict(orient="records"))

    exact = "XGBoost 1.7.6 exact"
    sk = f"scikit-learn {sklearn.__version__}"
    plan = [
        ("100 rounds, PU_DO + distance, 73,908 rides", "s", 1, exact, 100, lambda: ours("trees", pair, 2), lambda: fit(pair)),
        ("10 rounds, PU_DO + distance, 1M rides", "s", 1, exact, 150, lambda: ours("trees", large, 2, "10"), lambda: fit(large, 10)),
        ("100 rounds, PU, DO + distance", "s", 1, exact, 15, lambda: ours("trees", zones, 2), lambda: fit(zones)),
        ("predict, PU_DO + distance, one core", "µs/ride", 1e6 / len(pair.yv), exact, 300, lambda: ours("predict", pair, 1), lambda: predict(pair)),
        ("predict, PU, DO + distance, one core", "µs/ride", 1e6 / len(zones.yv), exact, 50, lambda: ours("predict", zones, 1), lambda: predict(zones)),
        ("least squares, exact", "ms", 1e3, sk + " LinearRegression", 100, lambda: ours("exact", pair, 1), linear(pair, LinearRegression())),
        ("least squares, lsqr", "ms", 1e3, sk + " LinearRegression", 3, lambda: ours("lsqr", pair, 1), linear(pair, LinearRegression())),
        ("ridge", "ms", 1e3, sk + " Ridge", 100, lambda: ours("ridge", pair, 1), linear(pair, Ridge())),
        ("lasso 0.01", "ms", 1e3, sk + " Lasso", 100, lambda: ours("lasso", pair, 1), linear(pair, Lasso(0.01))),
        ("fit and apply the vectorizer, 1M rides", "s", 1, sk + " DictVectorizer", 100, lambda: ours("vectorizer", large, 2), lambda: vectorize(large)),
    ]
    print(f"xgboost {xgb.__version__}, scikit-learn {sklearn.__version__}, {os.cpu_count()} cores, load {os.getloadavg()}", flush=True)
    t = Table("models")
    for work, unit, scale, peer, goal, mine, theirs in plan:
        a, b = [], []
        for _ in range(runs):
            a.append(mine()["seconds"] * scale)
            b.append(timed(theirs)[0] * scale)
        t.add(work, unit, a, peer, b, goal)
    t.finish()


if __name__ == "__main__":
    main(*sys.argv[1:])
