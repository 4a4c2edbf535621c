"""Predicts with a model directory through the real mlflow, xgboost and scikit-learn.

    pip install mlflow==3.17.2 xgboost==1.7.6 scikit-learn scipy
    python check_model_dir.py DIRECTORY RIDES.json

RIDES.json is a list of {"PULocationID": 43, "DOLocationID": 151, "trip_distance": 1.01},
where trip_distance may be absent. Prints {"predictions": […], "example": […], …}: the predictions
of mlflow.xgboost.load_model, one a ride, and those for the directory's own input example by
mlflow.pyfunc.load_model, which reads rides as they are. Fails when that predicts the others otherwise.
"""
import json
import sys

import mlflow
import numpy as np
import pandas as pd
import xgboost
from sklearn.feature_extraction import DictVectorizer


def features(encoding, ride):
    if encoding == "PU_DO":
        out = {"PU_DO": f"{ride['PULocationID']}_{ride['DOLocationID']}"}
    elif encoding == "PU,DO":
        out = {k: str(ride[k]) for k in ("PULocationID", "DOLocationID")}
    else:
        raise ValueError(f"unknown features {encoding!r}")
    if "trip_distance" in ride:
        out["trip_distance"] = ride["trip_distance"]
    return out


def vectorizer_of(v):
    """scikit-learn's vectorizer with the columns of vectorizer.json."""
    names = sorted([f"{b['name']}={level}" for b in v["blocks"] for level in b["levels"]] + v["numbers"])
    assert len(names) == v["width"], (len(names), v["width"])
    dv = DictVectorizer()
    dv.feature_names_ = names
    dv.vocabulary_ = {name: i for i, name in enumerate(names)}
    return dv


def main(directory, rides_file):
    with open(f"{directory}/vectorizer.json") as f:
        saved = json.load(f)
    with open(rides_file) as f:
        rides = json.load(f)
    x = vectorizer_of(saved["vectorizer"]).transform([features(saved["features"], r) for r in rides])

    booster = mlflow.xgboost.load_model(directory)
    predictions = booster.predict(xgboost.DMatrix(x))

    pyfunc = mlflow.pyfunc.load_model(directory)
    frame = pd.DataFrame(rides, columns=["PULocationID", "DOLocationID", "trip_distance"])
    np.testing.assert_array_equal(pyfunc.predict(frame), predictions)
    example = mlflow.models.Model.load(directory).load_input_example(directory)
    info = mlflow.models.get_model_info(directory)
    assert info.signature is not None and "xgboost" in info.flavors

    json.dump(
        {
            "predictions": predictions.tolist(),
            "example": pyfunc.predict(example).tolist(),
            "run_id": info.run_id,
            "attributes": booster.attributes(),
            "versions": {"mlflow": mlflow.__version__, "xgboost": xgboost.__version__},
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
