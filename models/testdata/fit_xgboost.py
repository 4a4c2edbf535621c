"""Fits the course's trees with the real XGBoost, on two months, and saves the model.

    pip install xgboost==1.7.6 scikit-learn pandas pyarrow
    python fit_xgboost.py TRAIN.parquet VALID.parquet MODEL.json

Prints the error of each round as a JSON list, and the version. With one thread: with more, XGBoost adds
up its evaluations in another order, and the last digits of the recorded best_score move.
"""
import json
import sys

import pandas as pd
import xgboost as xgb
from sklearn.feature_extraction import DictVectorizer

PARAMS = {
    "learning_rate": 0.09585355369315604, "max_depth": 30, "min_child_weight": 1.060597050922164,
    "objective": "reg:squarederror", "reg_alpha": 0.018060244040060163, "reg_lambda": 0.011658731377413597,
    "seed": 42, "base_score": 0.5, "tree_method": "exact", "nthread": 1,
}


def read(path):
    df = pd.read_parquet(path)
    minutes = (df.lpep_dropoff_datetime - df.lpep_pickup_datetime).dt.total_seconds() / 60
    keep = (minutes >= 1) & (minutes <= 60)
    df, minutes = df[keep], minutes[keep]
    pairs = df.PULocationID.astype(str) + "_" + df.DOLocationID.astype(str)
    return [{"PU_DO": p, "trip_distance": d} for p, d in zip(pairs, df.trip_distance)], minutes.to_numpy()


def main(train, valid, out):
    rides, minutes = read(train)
    rides_valid, minutes_valid = read(valid)
    dv = DictVectorizer()
    d = xgb.DMatrix(dv.fit_transform(rides), label=minutes)
    d_valid = xgb.DMatrix(dv.transform(rides_valid), label=minutes_valid)
    log = {}
    booster = xgb.train(PARAMS, d, num_boost_round=100, evals=[(d_valid, "validation")], early_stopping_rounds=20,
                        evals_result=log, verbose_eval=False)
    booster.save_model(out)
    json.dump({"rmse": log["validation"]["rmse"], "version": xgb.__version__}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
