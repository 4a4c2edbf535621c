"""Compares the staged model in MLflow's hands with what the server answers.

    pip install mlflow xgboost
    python pyfunc_client.py SERVER MONTH.parquet

Predicts 5,000 rides of the month with mlflow.pyfunc.load_model("models:/NYCRideDurationModel/Staging"),
some of them without a distance, some between zones that nobody has heard of, and posts each to /predict:
the same float32s. Looks at what the training logged, too, as a person would in MLflow's pages.
"""
import http.client
import json
import sys
import urllib.parse

import mlflow
import numpy as np
import pandas as pd

ZONES = ["PULocationID", "DOLocationID"]


def rides_of(path):
    rides = pd.read_parquet(path, columns=ZONES + ["trip_distance"])
    rides = rides.sample(5000, random_state=1).reset_index(drop=True).astype({zone: "int64" for zone in ZONES})
    rides.loc[rides.index % 50 == 0, "trip_distance"] = np.nan
    rides.loc[rides.index % 50 == 1, "PULocationID"] = 999
    rides.loc[rides.index % 50 == 2, "DOLocationID"] = 0
    rides.loc[rides.index % 50 == 3, "trip_distance"] = 0.0
    rides.loc[rides.index % 50 == 4, "trip_distance"] *= 1000
    return rides


def answers(server, rides):
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(server).netloc)
    for ride in rides.to_dict(orient="records"):
        if np.isnan(ride["trip_distance"]):
            del ride["trip_distance"]
        connection.request("POST", "/predict?strict=false", json.dumps(ride), {"Content-Type": "application/json"})
        response = connection.getresponse()
        body = response.read()
        assert response.status == 200, body
        yield json.loads(body)["duration"]


def check_logged(client):
    version = client.get_latest_versions("NYCRideDurationModel", ["Staging"])[0]
    run = client.get_run(version.run_id)
    assert client.get_experiment(run.info.experiment_id).tags["mlflow.experimentKind"] == "custom_model_development"
    data = {i.tags[0].value: i.dataset for i in run.inputs.dataset_inputs}
    assert set(data) == {"training", "validation"}, data
    for dataset in data.values():
        assert [c["name"] for c in json.loads(dataset.schema)["mlflow_colspec"]] == ZONES + ["trip_distance", "duration"]
        assert json.loads(dataset.profile)["num_rows"] > 50000 and dataset.digest
        assert json.loads(dataset.source)["uri"].endswith(".parquet")
    if mlflow.__version__ < "3":
        return
    model = client.get_logged_model(run.outputs.model_outputs[0].model_id)
    assert version.source == f"models:/{model.model_id}", version
    assert model.status == "READY" and model.source_run_id == version.run_id and model.params["model"], model
    measured = {m.key: m for m in model.metrics}
    assert measured["rmse_valid"].dataset_digest == data["validation"].digest, model.metrics
    assert measured["rmse_train"].dataset_name == data["training"].name, model.metrics
    assert measured["rmse_valid"].value == run.data.metrics["rmse_valid"]
    found = mlflow.search_logged_models([run.info.experiment_id], output_format="list")
    assert model.model_id in [m.model_id for m in found]
    assert mlflow.models.get_model_info(f"models:/{model.model_id}").model_id == model.model_id


def main(server, month):
    mlflow.set_tracking_uri(server)
    check_logged(mlflow.MlflowClient())
    rides = rides_of(month)
    staged = "models:/NYCRideDurationModel/Staging"
    model = mlflow.pyfunc.load_model(staged)
    assert model.metadata.signature.inputs.input_names() == ZONES + ["trip_distance"]
    predicted = model.predict(rides)
    answered = np.array(list(answers(server, rides)), dtype=np.float32)
    np.testing.assert_array_equal(predicted, answered)
    mlflow.xgboost.load_model(staged)
    print(f"mlflow {mlflow.__version__}: {len(rides)} rides predicted as /predict does, {len(np.unique(predicted))} values")


if __name__ == "__main__":
    main(*sys.argv[1:])
