"""Times what models/ does against XGBoost 1.7.6 and scikit-learn, doing the same work in turn.

    python models.py WORK_BINARY MONTHS [RUNS [WORDS]]

WORK_BINARY is the test binary of ./models with the tag bench. Only works with WORDS in their name are done.
Both sides get the same files and as many threads: two for trees, one for the rest. Every fit of trees has a
process to itself, and its time is that of the fit alone, from matrices in memory: XGBoost's includes making its
DMatrix, ours whatever stands for that.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

os.environ.setdefault("OMP_NUM_THREADS", "2")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np
import pandas as pd
import scipy.sparse
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

    def __init__(self, train, valid, columns, scratch):
        dv = DictVectorizer()
        self.files, self.columns = (train, valid), columns
        t, v = read(train), read(valid)
        self.records = t[columns]
        self.x = dv.fit_transform(t[columns].to_dict(orient="records"))
        self.xv = dv.transform(v[columns].to_dict(orient="records"))
        self.y, self.yv = t.duration.values, v.duration.values
        self.folder = tempfile.mkdtemp(dir=scratch)
        scipy.sparse.save_npz(f"{self.folder}/x.npz", self.x, compressed=False)
        scipy.sparse.save_npz(f"{self.folder}/xv.npz", self.xv, compressed=False)
        np.savez(f"{self.folder}/y.npz", y=self.y, yv=self.yv)


def fit(x, y, xv, yv, rounds):
    return xgb.train(PARAMS, xgb.DMatrix(x, label=y), num_boost_round=rounds, early_stopping_rounds=20, verbose_eval=False,
                     evals=[(xgb.DMatrix(xv, label=yv), "valid")])


def fit_alone(folder, rounds):
    """One fit of a Pair's matrices, in this process: its seconds, and by how many MB it raised the peak of memory."""
    x, xv = scipy.sparse.load_npz(f"{folder}/x.npz"), scipy.sparse.load_npz(f"{folder}/xv.npz")
    y = np.load(f"{folder}/y.npz")
    y, yv = y["y"], y["yv"]
    with open("/proc/self/clear_refs", "w") as f:
        f.write("5")  # forgets the peak
    before, began = status_mb("VmRSS"), time.perf_counter()
    booster = fit(x, y, xv, yv, int(rounds))
    took = time.perf_counter() - began
    print(json.dumps({"seconds": took, "fit_mb": status_mb("VmHWM") - before, "rmse": booster.best_score}))


def status_mb(name):
    with open("/proc/self/status") as f:
        return next(int(line.split()[1]) * 1024 / 1e6 for line in f if line.startswith(name))


def main(binary, months, runs="5", words=""):
    scratch = tempfile.mkdtemp(prefix="taximeter-bench-")
    try:
        bench(os.path.abspath(binary), months, int(runs), words, scratch)
    finally:
        shutil.rmtree(scratch)


def bench(binary, months, runs, words, scratch):
    train, valid = (f"{months}/green_tripdata_2021-{m}.parquet" for m in ("01", "02"))
    million = f"{scratch}/million.parquet"
    enlarge(train, 1_000_000, million)
    pair = Pair(train, valid, ["PU_DO", "trip_distance"], scratch)
    zones = Pair(train, valid, ["PULocationID", "DOLocationID", "trip_distance"], scratch)
    large = Pair(million, valid, ["PU_DO", "trip_distance"], scratch)

    def process(args, **env):
        done = subprocess.run(args, env=dict(os.environ, **env), capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{args} {env}: {done.stdout}{done.stderr}")
        return json.loads(done.stdout.splitlines()[0])

    def ours(work, p, threads, rounds=100, rows=""):
        return process([binary, "-test.run", "^TestWork$"], BENCH_WORK=work, BENCH_TRAIN=p.files[0], BENCH_VALID=p.files[1],
                       BENCH_ROUNDS=str(rounds), BENCH_ROWS=str(rows), GOMAXPROCS=str(threads),
                       BENCH_FEATURES="PU_DO" if "PU_DO" in p.columns else "PU,DO")

    def theirs(p, rounds=100):
        return process([sys.executable, __file__, "fit", p.folder, str(rounds)])

    def timed(do):
        began = time.perf_counter()
        do()
        return {"seconds": time.perf_counter() - began}

    boosters = {}

    def predict(p):
        if p not in boosters:
            boosters[p] = fit(p.x, p.y, p.xv, p.yv, 100)
            boosters[p].set_param({"nthread": 1})
        return timed(lambda: boosters[p].predict(xgb.DMatrix(p.xv)))

    def linear(p, model):
        return lambda: timed(lambda: model.fit(p.x, p.y))

    def vectorize(p):
        return timed(lambda: DictVectorizer().fit_transform(p.records.to_dict(orient="records")))

    exact = "XGBoost 1.7.6 exact"
    sk = f"scikit-learn {sklearn.__version__}"
    plan = [
        ("100 rounds, PU_DO + distance, 73,908 rides", "s", 1, exact, 100, lambda: ours("trees", pair, 2), lambda: theirs(pair)),
        ("100 rounds, PU_DO + distance, 1M rides", "s", 1, exact, 150, lambda: ours("trees", large, 2), lambda: theirs(large)),
        ("100 rounds, PU, DO + distance, 73,908 rides", "s", 1, exact, 15, lambda: ours("trees", zones, 2), lambda: theirs(zones)),
        ("predict, PU_DO + distance, one core", "µs/ride", 1e6 / len(pair.yv), exact, 300, lambda: ours("predict", pair, 1), lambda: predict(pair)),
        ("predict, PU, DO + distance, one core", "µs/ride", 1e6 / len(zones.yv), exact, 50, lambda: ours("predict", zones, 1), lambda: predict(zones)),
        # The answers of the closed form are what scikit-learn iterates to if it is let; by default it stops long before.
        ("least squares, exact", "ms", 1e3, sk + " sparse_cg to 1e-10", 100, lambda: ours("exact", pair, 1),
         linear(pair, Ridge(alpha=0, solver="sparse_cg", tol=1e-10))),
        ("least squares, exact, against the default", "ms", 1e3, sk + " LinearRegression, which stops early", 100, lambda: ours("exact", pair, 1),
         linear(pair, LinearRegression())),
        ("least squares, lsqr", "ms", 1e3, sk + " LinearRegression", 3, lambda: ours("lsqr", pair, 1), linear(pair, LinearRegression())),
        ("ridge", "ms", 1e3, sk + " Ridge to 1e-10", 100, lambda: ours("ridge", pair, 1), linear(pair, Ridge(tol=1e-10))),
        ("ridge, against the default", "ms", 1e3, sk + " Ridge, which stops early", 100, lambda: ours("ridge", pair, 1), linear(pair, Ridge())),
        ("lasso 0.01", "ms", 1e3, sk + " Lasso", 100, lambda: ours("lasso", pair, 1), linear(pair, Lasso(0.01))),
        ("fit and apply the vectorizer, 1M rides", "s", 1, sk + " DictVectorizer", 100, lambda: ours("vectorizer", large, 2), lambda: vectorize(large)),
    ]
    print(f"taximeter with {go_version(binary)}; xgboost {xgb.__version__}, scikit-learn {sklearn.__version__}, numpy {np.__version__}, "
          f"scipy {scipy.__version__}, Python {sys.version.split()[0]}")
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; 2 threads for fits of trees and the vectorizer, 1 for the rest; medians of {runs}", flush=True)
    t = Table("models")
    for work, unit, scale, peer, goal, mine, other in plan:
        if words not in work:
            continue
        a, b = [], []
        for _ in range(runs):
            a.append(mine())
            b.append(other())
        t.add(work, unit, [r["seconds"] * scale for r in a], peer, [r["seconds"] * scale for r in b], goal)
        if "fit_mb" in b[0]:
            if abs(a[0]["rmse"] - b[0]["rmse"]) > 1e-6:
                sys.exit(f"{work}: rmse is {a[0]['rmse']}, XGBoost's is {b[0]['rmse']}")
            t.add(f"{work}: memory of the fit", "MB", [r["fit_mb"] for r in a], peer, [r["fit_mb"] for r in b], 1)
        if work == plan[0][0]:
            t.add(f"{work}: memory of the fit", "MB", [r["fit_mb"] for r in a], "limit", [64], 1)
    if words in GROWN:
        grown(t, lambda rows: ours("trees", pair, 1, rows=rows), runs)
    t.finish()


GROWN = "processor time of a ride and round of 10M rides, PU_DO + distance"


def grown(t, fit, runs):
    """Ours alone: what a ride costs when there are ten times as many of them."""
    small, great = [], []
    for _ in range(runs):
        small.append(fit(1_000_000))
        great.append(fit(10_000_000))
    cost = lambda fits: [r["processor_seconds"] / r["rows"] / r["rounds"] * 1e9 for r in fits]
    t.add(GROWN, "ns", cost(great), "of 1M rides", cost(small), 1)
    t.add("process that fits 10M rides, with its matrix", "MB", [r["process_mb"] for r in great], "limit", [1000], 1)


def go_version(binary):
    return subprocess.run(["go", "version", binary], capture_output=True, text=True, check=True).stdout.split()[-1]


if __name__ == "__main__":
    if sys.argv[1] == "fit":
        fit_alone(*sys.argv[2:])
    else:
        main(*sys.argv[1:])
