"""Predicts rides with model directories through the real mlflow.pyfunc.

    pip install mlflow xgboost
    python check_pyfunc.py RIDES DIRECTORY...

RIDES is a folder with pickup.i32, dropoff.i32 and miles.f64. Into each DIRECTORY goes pyfunc.f32:
what mlflow.pyfunc.load_model predicts of them. Prints the versions.
"""
import sys

import mlflow
import numpy as np
import pandas as pd
import xgboost


def main(rides, *directories):
    frame = pd.DataFrame({
        "PULocationID": np.fromfile(f"{rides}/pickup.i32", dtype="<i4"),
        "DOLocationID": np.fromfile(f"{rides}/dropoff.i32", dtype="<i4"),
        "trip_distance": np.fromfile(f"{rides}/miles.f64", dtype="<f8"),
    })
    for directory in directories:
        model = mlflow.pyfunc.load_model(directory)
        predictions = model.predict(frame)
        assert predictions.dtype == np.float32 and predictions.shape == (len(frame),), predictions
        predictions.astype("<f4").tofile(f"{directory}/pyfunc.f32")

        # A table says no more than its columns: without distances, all are missing.
        first = frame.head(100)
        np.testing.assert_array_equal(
            model.predict(first[["DOLocationID", "PULocationID"]]), model.predict(first.assign(trip_distance=np.nan)))
        example = mlflow.models.Model.load(directory).load_input_example(directory)
        assert model.predict(example).shape == (1,)
        assert type(mlflow.xgboost.load_model(directory)) is xgboost.Booster
    print(f"mlflow {mlflow.__version__}, xgboost {xgboost.__version__}")


main(*sys.argv[1:])
