"""Times what models/ does against XGBoost 1.7.6 and scikit-learn, doing the same work in turn.

    python models.py WORK_BINARY MONTHS [RUNS [WORDS]]

WORK_BINARY is the test binary of ./models with the tag bench. Only works with WORDS in their name are done.
Both sides get the same files and as many threads: two for trees and our vectorizer, one for the rest. Every fit
of trees has a process to itself, and its time is that of the fit alone, from matrices in memory: XGBoost's
includes making its DMatrix, ours whatever stands for that. Neither includes making what predictions are asked
for; XGBoost gets a DMatrix it has not seen each time, since it remembers what it predicted.
"""
import functools
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
from threadpoolctl import threadpool_limits

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

    @functools.cache
    def pair():
        return Pair(train, valid, ["PU_DO", "trip_distance"], scratch)

    @functools.cache
    def zones():
        return Pair(train, valid, ["PULocationID", "DOLocationID", "trip_distance"], scratch)

    @functools.cache
    def large():
        million = f"{scratch}/million.parquet"
        enlarge(train, 1_000_000, million)
        return Pair(million, valid, ["PU_DO", "trip_distance"], scratch)

    def process(args, **env):
        done = subprocess.run(args, env=dict(os.environ, **env), capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{args} {env}: {done.stdout}{done.stderr}")
        return json.loads(done.stdout.splitlines()[0])

    def ours(work, p, threads, rows=""):
        return process([binary, "-test.run", "^TestWork$"], BENCH_WORK=work, BENCH_TRAIN=p().files[0], BENCH_VALID=p().files[1],
                       BENCH_ROWS=str(rows), GOMAXPROCS=str(threads), BENCH_FEATURES="PU_DO" if "PU_DO" in p().columns else "PU,DO")

    def theirs(p):
        return process([sys.executable, __file__, "fit", p().folder, "100"])

    def timed(do):
        began = time.perf_counter()
        do()
        return {"seconds": time.perf_counter() - began}

    @functools.cache
    def booster(p):
        b = fit(p().x, p().y, p().xv, p().yv, 100)
        b.set_param({"nthread": 1})
        return b

    def predict(p):
        fitted, rides = booster(p), xgb.DMatrix(p().xv, nthread=1)
        return timed(lambda: fitted.predict(rides))

    def linear(model):
        with threadpool_limits(1):
            return timed(lambda: model.fit(pair().x, pair().y))

    def vectorize():
        return timed(lambda: DictVectorizer().fit_transform(large().records.to_dict(orient="records")))

    exact = "XGBoost 1.7.6 exact"
    sk = f"scikit-learn {sklearn.__version__}"
    def rides(seconds, p):
        return seconds * 1e6 / len(p().yv)

    # What is done, in which unit, the goal, how we do it, by whom else and how it is done, and what seconds are in the unit.
    plan = [
        (COURSE, "s", 100, lambda: ours("trees", pair, 2), exact, lambda: theirs(pair), float),
        ("100 rounds, PU_DO + distance, 1M rides", "s", 150, lambda: ours("trees", large, 2), exact, lambda: theirs(large), float),
        ("100 rounds, PU, DO + distance, 73,908 rides", "s", 15, lambda: ours("trees", zones, 2), exact, lambda: theirs(zones), float),
        (PREDICT, "µs/ride", 300, lambda: ours("predict", pair, 1), exact, lambda: predict(pair), lambda s: rides(s, pair)),
        ("predict, PU, DO + distance, one core", "µs/ride", 50, lambda: ours("predict", zones, 1), exact, lambda: predict(zones), lambda s: rides(s, zones)),
    ]
    # The answers of the closed form are what scikit-learn iterates to if it is let; by default it stops long before.
    for work, solver, goal, peer, model in [
        ("least squares, exact", "exact", 100, "sparse_cg to 1e-10", Ridge(alpha=0, solver="sparse_cg", tol=1e-10)),
        ("least squares, exact, against the default", "exact", 100, "LinearRegression, which stops early", LinearRegression()),
        ("least squares, lsqr", "lsqr", 3, "LinearRegression", LinearRegression()),
        ("ridge", "ridge", 100, "Ridge to 1e-10", Ridge(tol=1e-10)),
        ("ridge, against the default", "ridge", 100, "Ridge, which stops early", Ridge()),
        ("lasso 0.01", "lasso", 100, "Lasso", Lasso(0.01)),
    ]:
        plan.append((work, "ms", goal, functools.partial(ours, solver, pair, 1), f"{sk} {peer}", functools.partial(linear, model), lambda s: s * 1e3))
    plan.append(("fit and apply the vectorizer, 1M rides", "s", 100, lambda: ours("vectorizer", large, 2), f"{sk} DictVectorizer", vectorize, float))

    names = [work for work, *_ in plan] + [GROWN]
    if not any(words in name for name in names):
        sys.exit(f"no work has {words!r} in its name; there are: " + "; ".join(names))
    print(f"taximeter with {go_version(binary)}; xgboost {xgb.__version__} (a {'debug' if xgb.build_info()['DEBUG'] else 'release'} build), "
          f"scikit-learn {sklearn.__version__}, numpy {np.__version__}, scipy {scipy.__version__}, Python {sys.version.split()[0]}")
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; 2 threads for fits of trees and our vectorizer, 1 for the rest; medians of {runs}", flush=True)
    t = Table("models")
    for work, unit, goal, mine, peer, other, scaled in plan:
        if words not in work:
            continue
        a, b = [], []
        for _ in range(runs):
            a.append(mine())
            b.append(other())
        took, their = [scaled(r["seconds"]) for r in a], [scaled(r["seconds"]) for r in b]
        t.add(work, unit, took, peer, their, goal)
        if "fit_mb" in b[0]:
            if abs(a[0]["rmse"] - b[0]["rmse"]) > 1e-6:
                sys.exit(f"{work}: rmse is {a[0]['rmse']}, XGBoost's is {b[0]['rmse']}")
            t.add(f"{work}: memory of the fit", "MB", [r["fit_mb"] for r in a], peer, [r["fit_mb"] for r in b], 1)
        if "first_seconds" in a[0]:
            t.add(f"{work}: the first time, which compiles", unit, [scaled(r["first_seconds"]) for r in a], peer, their, 1)
        if work == COURSE:
            t.add(f"{work}: memory of the fit", "MB", [r["fit_mb"] for r in a], "limit", [64], 1)
        if work == PREDICT:
            t.add(work, unit, took, "limit", [0.03], 1)
    if words in GROWN:
        grown(t, lambda rows: ours("trees", pair, 1, rows=rows), runs)
    t.finish()


COURSE = "100 rounds, PU_DO + distance, 73,908 rides"
PREDICT = "predict, PU_DO + distance, one core"
GROWN = "processor time of a ride and round as rides grow to 10M, PU_DO + distance"


def grown(t, fit, runs):
    """Ours alone: what a ride costs when there are ten times as many of them, and again."""
    fits = {rows: [] for rows in (100_000, 1_000_000, 10_000_000)}
    for _ in range(runs):
        for rows in fits:
            fits[rows].append(fit(rows))
    cost = {rows: [r["processor_seconds"] / r["rows"] / r["rounds"] * 1e9 for r in done] for rows, done in fits.items()}
    t.add(GROWN, "ns", cost[1_000_000], "1M, and of 100k", cost[100_000], 1)
    t.add(GROWN, "ns", cost[10_000_000], "10M, and of 1M", cost[1_000_000], 1)
    t.add("process that fits 10M rides, with its matrix", "MB", [r["process_mb"] for r in fits[10_000_000]], "limit", [1000], 1)


def go_version(binary):
    return subprocess.run(["go", "version", binary], capture_output=True, text=True, check=True).stdout.split()[-1]


if __name__ == "__main__":
    if sys.argv[1] == "fit":
        fit_alone(*sys.argv[2:])
    else:
        main(*sys.argv[1:])
