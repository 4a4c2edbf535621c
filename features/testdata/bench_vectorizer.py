"""Times scikit-learn's DictVectorizer for bench_sklearn_test.go.

    python bench_vectorizer.py TRIPS

TRIPS holds the trips' pickup zones, drop-off zones (int32) and distances (float64), column by column. For each
line on standard input, one JSON line goes out: the seconds that to_dict and fit_transform took, and what came of it.
"""
import json
import sys
import time

import numpy as np
import pandas as pd
import sklearn
from sklearn.feature_extraction import DictVectorizer

raw = open(sys.argv[1], "rb").read()
rows = len(raw) // 16
pickup = np.frombuffer(raw, "<i4", rows)
dropoff = np.frombuffer(raw, "<i4", rows, 4 * rows)
miles = np.frombuffer(raw, "<f8", rows, 8 * rows)
df = pd.DataFrame(
    {
        "PU_DO": pd.Series(pickup.astype(str)) + "_" + pd.Series(dropoff.astype(str)),
        "trip_distance": miles,
    }
)
df["PU_DO"] = df["PU_DO"].astype(object)

for _ in sys.stdin:
    begin = time.perf_counter()
    dicts = df.to_dict(orient="records")
    vectorizer = DictVectorizer()
    x = vectorizer.fit_transform(dicts)
    seconds = time.perf_counter() - begin
    names = vectorizer.get_feature_names_out()
    print(
        json.dumps(
            {
                "seconds": seconds,
                "versions": f"scikit-learn {sklearn.__version__}, pandas {pd.__version__}, numpy {np.__version__}",
                "names": [names[0], names[len(names) // 2], names[-1]],
                "width": x.shape[1],
                "stored": x.nnz,
                "columns": int(x.indices.sum(dtype=np.int64)),
            }
        ),
        flush=True,
    )
    del dicts, x
