"""The job of "taximeter train --params best", done with the original stack: of its time, or of today.

    python original.py TRAIN.parquet VALID.parquet WORKDIR

Reads two months, keeps rides of 1 to 60 minutes, fits a DictVectorizer on PU_DO and trip_distance, fits
LinearRegression and XGBoost with the course's parameters, logs both to MLflow in SQLite, chooses by the
original's filter, registers the model and stages it: as one Prefect flow. Prints one line of JSON with
the errors.
"""
import json
import os
import pathlib
import pickle
import sys
import time

import mlflow
import numpy as np
import pandas as pd
import xgboost as xgb
from mlflow.entities import ViewType
from prefect import flow, task
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LinearRegression
from sklearn.metrics import mean_squared_error

EXPERIMENT = "nyc-taxi-experiment"
MODEL = "NYCRideDurationModel"
PARAMS = {
    "learning_rate": 0.09585355369315604, "max_depth": 30, "min_child_weight": 1.060597050922164,
    "objective": "reg:squarederror", "reg_alpha": 0.018060244040060163, "reg_lambda": 0.011658731377413597,
    "seed": 42, "base_score": 0.5, "tree_method": "exact",
}


@task(name="Read taxi data", retries=3, retry_delay_seconds=2)
def read(path):
    df = pd.read_parquet(path)
    df["duration"] = (df.lpep_dropoff_datetime - df.lpep_pickup_datetime).dt.total_seconds() / 60
    df = df[(df.duration >= 1) & (df.duration <= 60)].copy()
    df["PU_DO"] = df.PULocationID.astype(str) + "_" + df.DOLocationID.astype(str)
    return df


@task
def add_features(train, valid):
    dv = DictVectorizer()
    columns = ["PU_DO", "trip_distance"]
    x = dv.fit_transform(train[columns].to_dict(orient="records"))
    xv = dv.transform(valid[columns].to_dict(orient="records"))
    return x, xv, train.duration.values, valid.duration.values, dv


def log(model, params, x, xv, y, yv, dv, log_model):
    with mlflow.start_run():
        began = time.perf_counter()
        predicted, predicted_valid = model.predict(x), model.predict(xv)
        inference = (time.perf_counter() - began) / (len(y) + len(yv))
        rmse = np.sqrt(mean_squared_error(yv, predicted_valid))
        mlflow.log_params(params)
        mlflow.log_metrics({"rmse_train": np.sqrt(mean_squared_error(y, predicted)), "rmse_valid": rmse,
                            "rmse": rmse, "inference_time": inference})
        pathlib.Path("models").mkdir(exist_ok=True)
        with open("models/preprocessor.b", "wb") as f:
            pickle.dump(dv, f)
        mlflow.log_artifact("models/preprocessor.b", artifact_path="preprocessor")
        log_model(model)
        return rmse


@task
def fit_linear(x, xv, y, yv, dv):
    model = LinearRegression().fit(x, y)
    return log(model, {"model": "linear"}, x, xv, y, yv, dv, lambda m: mlflow.sklearn.log_model(m, "model"))


@task
def fit_trees(x, xv, y, yv, dv):
    train, valid = xgb.DMatrix(x, label=y), xgb.DMatrix(xv, label=yv)
    booster = xgb.train(PARAMS, train, num_boost_round=100, evals=[(valid, "validation")],
                        early_stopping_rounds=20, verbose_eval=False)

    class Model:
        def predict(self, matrix):
            return booster.predict(train if matrix is x else valid)

    return log(Model(), PARAMS, x, xv, y, yv, dv, lambda _: mlflow.xgboost.log_model(booster, "model"))


@task
def stage():
    client = mlflow.MlflowClient()
    experiment = client.get_experiment_by_name(EXPERIMENT)
    best = client.search_runs(
        [experiment.experiment_id], "metrics.rmse_valid < 6.5 and metrics.inference_time < 1",
        run_view_type=ViewType.ACTIVE_ONLY, max_results=5, order_by=["metrics.rmse_valid ASC"])[0]
    version = mlflow.register_model(f"runs:/{best.info.run_id}/model", MODEL)
    client.transition_model_version_stage(MODEL, version.version, "Staging")
    return version.version


@flow(name="train")
def train(train_path, valid_path):
    mlflow.set_tracking_uri("sqlite:///mlflow.db")
    mlflow.set_experiment(EXPERIMENT)
    months = [read.submit(train_path), read.submit(valid_path)]
    x, xv, y, yv, dv = add_features(months[0], months[1])
    linear = fit_linear(x, xv, y, yv, dv)
    trees = fit_trees(x, xv, y, yv, dv)
    return {"linear": linear, "trees": trees, "version": stage(wait_for=[trees])}


if __name__ == "__main__":
    paths = [os.path.abspath(p) for p in sys.argv[1:3]]
    os.makedirs(sys.argv[3], exist_ok=True)
    os.chdir(sys.argv[3])
    print(json.dumps(train(*paths)))
