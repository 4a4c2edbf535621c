"""Fits every problem of a file with XGBoost's tree_method=exact: one process for all.

    pip install xgboost scipy && python fit_problems.py PROBLEMS.json DIRECTORY

Each problem has parameters, rounds, early_stopping, and two sets as sparse matrices with labels and
perhaps weights. Into DIRECTORY go I.json, the model of problem I, and logs.json: of each problem the
errors of both sets in every round, and the predictions for the second set as float32 bits. One thread,
so that XGBoost itself adds in one order. Prints the version.
"""
import json
import os
import sys

import numpy as np
import scipy.sparse
import xgboost as xgb


def matrix(s, width):
    x = scipy.sparse.csr_matrix(
        (np.array(s["values"], dtype=float), np.array(s["columns"], dtype=np.int32), np.array(s["starts"])), shape=(len(s["y"]), width))
    return xgb.DMatrix(x, s["y"], weight=s["weights"])


def fit(p, path):
    train, valid = (matrix(s, p["width"]) for s in p["sets"])
    log = {}
    booster = xgb.train(
        dict(p["params"], objective="reg:squarederror", tree_method="exact", nthread=1, verbosity=0), train, p["rounds"],
        evals=[(train, "train"), (valid, "valid")], early_stopping_rounds=p["early_stopping"] or None, evals_result=log, verbose_eval=False)
    booster.save_model(path)
    return dict(rmse=[log["train"]["rmse"], log["valid"]["rmse"]], predictions=booster.predict(valid).view(np.uint32).tolist())


def main(problems, directory):
    with open(problems) as f:
        logs = [fit(p, f"{directory}/{i}.json") for i, p in enumerate(json.load(f))]
    with open(os.path.join(directory, "logs.json"), "w") as f:
        json.dump(logs, f)
    print(xgb.__version__)


main(*sys.argv[1:])
