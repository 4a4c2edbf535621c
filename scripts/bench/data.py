"""Times reading months against pyarrow, and making design matrices of them against pandas and
scikit-learn, in turn and with two threads each.

    python data.py TAXIMETER WORK_BINARY MONTHS [RUNS]

WORK_BINARY is the test binary of ./features with the tag bench. Both sides are one process that lives as
long as the benchmark, and both have read each file once before it is timed. The large month is made
once, by taximeter and pyarrow, and kept in build/bench.
"""
import json
import os
import subprocess
import sys
import time

os.environ["OMP_NUM_THREADS"] = "2"

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import sklearn
from sklearn.feature_extraction import DictVectorizer

from table import Table

COLUMNS = ["lpep_pickup_datetime", "lpep_dropoff_datetime", "PULocationID", "DOLocationID", "trip_distance"]
LARGE, MILLION = "build/bench/five-million.parquet", "build/bench/one-million.parquet"


def make_large(taximeter):
    """Five million synthesised rides in all of TLC's columns, as pyarrow writes them: zstd, dictionaries,
    row groups of a million; and the first million of them."""
    if os.path.exists(LARGE) and os.path.exists(MILLION):
        return
    os.makedirs("build/bench", exist_ok=True)
    subprocess.run([taximeter, "months", "make", "green", "2023-03", "--rows", "5000000", "--out", "build/bench", "--force"], check=True)
    month = "build/bench/green_tripdata_2023-03.parquet"
    rides = pq.read_table(month)
    pq.write_table(rides, LARGE, compression="zstd")
    pq.write_table(rides.slice(0, 1_000_000), MILLION, compression="zstd")
    os.remove(month)


class Ours:
    """Our side, in a process of its own."""

    def __init__(self, binary):
        self.process = subprocess.Popen([os.path.abspath(binary), "-test.run", "^TestDataWork$"], text=True, bufsize=1,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=dict(os.environ, GOMAXPROCS="2"))

    def __call__(self, work, path):
        self.process.stdin.write(json.dumps({"work": work, "path": os.path.abspath(path)}) + "\n")
        line = self.process.stdout.readline()
        if not line.startswith("{"):
            sys.exit(f"{work} {path}: {line}{self.process.stdout.read()}")
        return json.loads(line)


def read(path):
    began = time.perf_counter()
    rides = pq.read_table(path, columns=COLUMNS)
    took = time.perf_counter() - began
    pickup, dropoff, pu, do, miles = (rides[c].to_numpy() for c in COLUMNS)
    lasted = (dropoff - pickup).astype("timedelta64[us]").astype(np.int64)
    return {"seconds": took, "rows": rides.num_rows, "zones": int(pu.sum() + 1000 * do.sum()), "micros": int(lasted.sum()),
            "miles": pc.sum(rides["trip_distance"]).as_py()}


def matrix(path):
    began = time.perf_counter()
    df = pd.read_parquet(path, columns=COLUMNS)
    minutes = (df.lpep_dropoff_datetime - df.lpep_pickup_datetime).dt.total_seconds() / 60
    df = df[(minutes >= 1) & (minutes <= 60)].copy()
    df["PU_DO"] = df.PULocationID.astype(str) + "_" + df.DOLocationID.astype(str)
    x = DictVectorizer().fit_transform(df[["PU_DO", "trip_distance"]].to_dict(orient="records"))
    return {"seconds": time.perf_counter() - began, "rows": x.shape[0], "columns": x.shape[1]}


def same(ours, theirs):
    for key in theirs:
        if key != "seconds" and not np.isclose(ours[key], theirs[key], rtol=1e-9, atol=0):
            sys.exit(f"ours is {ours}, theirs {theirs}")


def main(taximeter, binary, months, runs="7"):
    pa.set_cpu_count(2)
    pa.set_io_thread_count(2)
    make_large(taximeter)
    ours = Ours(binary)
    old, new = (f"{months}/green_tripdata_{m}.parquet" for m in ("2021-01", "2023-02"))
    arrow, stack = f"pyarrow {pa.__version__}", f"pandas {pd.__version__} + scikit-learn {sklearn.__version__}"
    plan = [
        ("read five columns, 5M rides, zstd", "read", LARGE, arrow, 1, read),
        ("read five columns, 2021-01, 76,518 rides, gzip", "read", old, arrow, 1, read),
        ("read five columns, 2023-02, 64,809 rides, zstd", "read", new, arrow, 1, read),
        ("Parquet to design matrix, 2021-01", "matrix", old, stack, 10, matrix),
        ("Parquet to design matrix, 1M rides", "matrix", MILLION, stack, 30, matrix),
    ]
    print(f"{arrow}, {stack}, 2 threads of {os.cpu_count()} cores, load {os.getloadavg()}", flush=True)
    t = Table("data")
    for name, work, path, peer, goal, theirs in plan:
        same(ours(work, path), theirs(path))
        a, b = [], []
        for _ in range(max(int(runs), 5)):
            a.append(ours(work, path)["seconds"] * 1e3)
            b.append(theirs(path)["seconds"] * 1e3)
        t.add(name, "ms", a, peer, b, goal)
    t.finish()


if __name__ == "__main__":
    main(*sys.argv[1:])
