"""Predicts how many minutes taxi rides last, from their two zones and their distance.

This file lies in every model directory that taximeter writes. MLflow's python_function flavor
loads the directory with it:

    model = mlflow.pyfunc.load_model("models:/NYCRideDurationModel/Staging")
    model.predict(pandas.DataFrame({"PULocationID": [43], "DOLocationID": [151], "trip_distance": [1.01]}))

It makes of the rides the matrix that the model was fitted on, as vectorizer.json says, and has
XGBoost predict it. The predictions are those of taximeter's own server, bit for bit.
"""
import json
import os

import numpy as np
import pandas as pd
import scipy.sparse
import xgboost

MAX_MILES = 50  # to which encodings that end in +clip50 reduce longer distances
NO_ZONE = -1  # a zone that is missing


def _load_pyfunc(directory):
    return Model(directory)


class Model:
    def __init__(self, directory):
        with open(os.path.join(directory, "vectorizer.json"), encoding="utf-8") as f:
            saved = json.load(f)
        self.zones, _, clip = saved["features"].partition("+")
        self.clipped = clip == "clip50"
        if self.zones not in ("PU_DO", "PU,DO", "ids") or clip not in ("", "clip50"):
            raise ValueError(f"unknown features {saved['features']!r}")
        vectorizer = saved["vectorizer"]
        self.blocks = {b["name"]: pd.Index([f"{b['name']}={level}" for level in b["levels"]], dtype=object)
                       for b in vectorizer["blocks"]}
        names = sorted([name for levels in self.blocks.values() for name in levels] + vectorizer["numbers"])
        self.column = {name: i for i, name in enumerate(names)}
        self.booster = xgboost.Booster(model_file=os.path.join(directory, "model.json"))

    def predict(self, rides, params=None):
        """The minutes of each ride. A column or value that is missing is not known: it is not 0."""
        return self.booster.predict(xgboost.DMatrix(self.matrix(rides)))

    def matrix(self, rides):
        """What the model reads of the rides: a row each, and nothing stored for what is not known."""
        rows, columns, values = [], [], []

        def store(row, column, value):
            rows.append(row)
            columns.append(column)
            values.append(value)

        for name, feature in self.features(rides).items():
            if name in self.blocks:
                levels = self.blocks[name]
                code = levels.get_indexer(pd.Index(np.char.add(f"{name}=", feature), dtype=object))
                known = np.flatnonzero(code >= 0)  # a level that training has not seen is nothing
                of_level = np.array([self.column[level] for level in levels], dtype=np.int64)
                store(known, of_level[code[known]], np.ones(len(known)))
            else:
                known = np.flatnonzero(~np.isnan(feature))
                store(known, np.full(len(known), self.column[name]), feature[known])
        matrix = scipy.sparse.csr_matrix((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))),
                                         shape=(len(rides), len(self.column)))
        matrix.sort_indices()
        return matrix

    def features(self, rides):
        """Categories as strings, numbers as floats, NaN for those that are missing."""
        pickup, dropoff = zone(rides, "PULocationID"), zone(rides, "DOLocationID")
        miles = number(rides, "trip_distance")
        if self.zones == "PU_DO":
            out = {"PU_DO": np.char.add(np.char.add(pickup.astype(str), "_"), dropoff.astype(str))}
        elif self.zones == "PU,DO":
            out = {"PULocationID": pickup.astype(str), "DOLocationID": dropoff.astype(str)}
        else:
            out = {"PULocationID": np.where(pickup == NO_ZONE, np.nan, pickup),
                   "DOLocationID": np.where(dropoff == NO_ZONE, np.nan, dropoff)}
        if self.clipped:
            out["trip_distance_clip50"] = np.minimum(miles, MAX_MILES)
        else:
            out["trip_distance"] = miles
        return out


def number(rides, name):
    if name not in rides:
        return np.full(len(rides), np.nan)
    return pd.to_numeric(rides[name]).to_numpy(dtype=np.float64, na_value=np.nan)


def zone(rides, name):
    ids = number(rides, name)
    ids = np.where(np.isnan(ids), NO_ZONE, ids)
    if np.any(ids != np.trunc(ids)):
        raise ValueError(f"{name} is a taxi zone: a whole number")
    return np.clip(ids, -2**31, 2**31 - 1).astype(np.int64)
