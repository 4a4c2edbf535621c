"""Drives a tracking server with MLflow's own Python client and checks what it
says. Usage: client_check.py http://127.0.0.1:5000

Made for mlflow 3.17.2. Ends with status 0 and "client check: ok", or with the
first thing that is wrong.
"""

import json
import math
import os
import sys
import tempfile
import uuid

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")  # a 5xx shall not hide as a wait

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag, ViewType
from mlflow.exceptions import MlflowException

url = sys.argv[1]
mlflow.set_tracking_uri(url)
client = MlflowClient(url)
unique = uuid.uuid4().hex[:8]


def check(what, got, want):
    if got != want:
        sys.exit(f"{what}: got {got!r}, want {want!r}")


def refused(what, code, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except MlflowException as e:
        check(what, e.error_code, code)
    else:
        sys.exit(f"{what}: not refused")


# Experiments
name = f"check-{unique}"
mlflow.set_experiment(name)
experiment = client.get_experiment_by_name(name)
check("location", experiment.artifact_location, f"mlflow-artifacts:/{experiment.experiment_id}")
refused("taken name", "RESOURCE_ALREADY_EXISTS", client.create_experiment, name)
client.set_experiment_tag(experiment.experiment_id, "k", "v")
check("experiment tags", client.get_experiment(experiment.experiment_id).tags, {"k": "v"})
found = client.search_experiments(filter_string=f"name LIKE 'check-{unique}%' AND tags.k = 'v'", order_by=["name ASC"])
check("experiments", [e.name for e in found], [name])
check("default experiment", client.get_experiment("0").name, "Default")

# Runs
with mlflow.start_run(run_name="parent") as parent:
    mlflow.log_params({"max_depth": 30, "objective": "reg:squarederror"})
    mlflow.log_param("learning_rate", 0.09585355369315604)
    refused("changed param", "INVALID_PARAMETER_VALUE", client.log_param, parent.info.run_id, "max_depth", 31)
    for step in range(5):
        mlflow.log_metric("rmse", 7 - step / 4, step=step)
    mlflow.log_metrics({"rmse_valid": 6.25, "inference_time": 1e-6, "nan": math.nan, "inf": math.inf})
    mlflow.set_tags({"model": "xgboost", "taximeter.key": f"flow/{unique}/trial-1"})
    mlflow.log_dict({"a": 1}, "config/a.json")
    mlflow.log_text("hello", "notes/hello 1+é.txt")
    with tempfile.TemporaryDirectory() as d:
        os.makedirs(f"{d}/model/deep")
        for file, text in {"MLmodel": "flavors: {}\n", "model.json": "{}", "deep/empty": ""}.items():
            with open(f"{d}/model/{file}", "w") as f:
                f.write(text)
        mlflow.log_artifacts(f"{d}/model", "model")
    with mlflow.start_run(run_name="child", nested=True) as child:
        client.log_batch(child.info.run_id,
                         metrics=[Metric("rmse_valid", 7.5, 1, 0), Metric("inference_time", 3e-5, 1, 0)],
                         params=[Param("max_depth", "3")], tags=[RunTag("model", "linear")])
run_id = parent.info.run_id
run = client.get_run(run_id)
check("status", run.info.status, "FINISHED")
check("name", run.info.run_name, "parent")
check("params", run.data.params, {"max_depth": "30", "objective": "reg:squarederror", "learning_rate": "0.09585355369315604"})
check("latest rmse", run.data.metrics["rmse"], 6.0)
check("inf", run.data.metrics["inf"], sys.float_info.max)
check("nan", math.isnan(run.data.metrics["nan"]), True)
check("child's parent", client.get_run(child.info.run_id).data.tags["mlflow.parentRunId"], run_id)
check("history", [(m.step, m.value) for m in client.get_metric_history(run_id, "rmse")],
      [(s, 7 - s / 4) for s in range(5)])
client.log_batch(run_id, metrics=[Metric("nan", math.nan, 1, 0)] * 2)
client.log_batch(run_id, metrics=[Metric("nan", math.nan, 1, 0)])


def search(filter_string, order_by=None, **kwargs):
    return [r.info.run_name for r in client.search_runs([experiment.experiment_id], filter_string, order_by=order_by, **kwargs)]


check("gate", search("metrics.rmse_valid < 6.5 and metrics.inference_time < 20e-6"), ["parent"])
check("by key", search(f"tags.`taximeter.key` = 'flow/{unique}/trial-1'"), ["parent"])
check("by param", search("params.max_depth = '3' AND attributes.status = 'FINISHED'"), ["child"])
check("order", search("", ["metrics.rmse_valid DESC"]), ["child", "parent"])
check("null", search("params.objective IS NULL"), ["child"])
check("in", search(f"run_id IN ('{run_id}')"), ["parent"])
check("pages", len(client.search_runs([experiment.experiment_id], max_results=1).token) > 0, True)
frame = mlflow.search_runs(experiment_names=[name], filter_string="metrics.rmse_valid < 6.5")
check("frame", list(frame["metrics.rmse_valid"]), [6.25])
refused("bad filter", "INVALID_PARAMETER_VALUE", search, "metrics.a > 1 OR metrics.b > 1")
refused("missing run", "RESOURCE_DOES_NOT_EXIST", client.get_run, "0" * 32)

# Artifacts
check("artifacts", [(f.path, f.is_dir) for f in client.list_artifacts(run_id)], [("config", True), ("model", True), ("notes", True)])
check("model files", [(f.path, f.file_size) for f in client.list_artifacts(run_id, "model") if not f.is_dir],
      [("model/MLmodel", 12), ("model/model.json", 2)])
with open(client.download_artifacts(run_id, "notes/hello 1+é.txt")) as f:
    check("downloaded", f.read(), "hello")
check("dict", mlflow.artifacts.load_dict(f"runs:/{run_id}/config/a.json"), {"a": 1})
folder = client.download_artifacts(run_id, "model")
check("folder", sorted(os.listdir(folder)), ["MLmodel", "deep", "model.json"])
try:
    client.download_artifacts(run_id, "missing.txt")
    sys.exit("a missing artifact was downloaded")
except Exception as e:  # which one differs by the way it takes
    check("missing artifact is told at once", "missing.txt" in str(e) or "No such artifact" in str(e), True)

# Datasets
import pandas as pd

with mlflow.start_run(run_name="data") as data_run:
    mlflow.log_input(mlflow.data.from_pandas(pd.DataFrame({"trip_distance": [1.0, 2.0]}), name="green_2021-01"), context="training")
inputs = client.get_run(data_run.info.run_id).inputs.dataset_inputs
check("dataset", [(i.dataset.name, {t.key: t.value for t in i.tags}) for i in inputs],
      [("green_2021-01", {"mlflow.data.context": "training"})])
check("by dataset", search("datasets.name = 'green_2021-01'"), ["data"])

# Registry
model = f"NYCRideDurationModel-{unique}"
client.create_registered_model(model, description="rides")
refused("taken model", "RESOURCE_ALREADY_EXISTS", client.create_registered_model, model)
for want in ("1", "2"):
    version = client.create_model_version(model, f"runs:/{run_id}/model", run_id=run_id)
    check("version", version.version, want)
registered = mlflow.register_model(f"runs:/{run_id}/model", model)
check("registered", str(registered.version), "3")
client.transition_model_version_stage(model, "1", "Staging")
moved = client.transition_model_version_stage(model, "2", "Staging", archive_existing_versions=True)
check("stage", moved.current_stage, "Staging")
check("archived", client.get_model_version(model, "1").current_stage, "Archived")
check("latest", [v.version for v in client.get_latest_versions(model, ["Staging"])], ["2"])
client.update_model_version(model, "2", description="staged by the check")
client.set_model_version_tag(model, "2", "k", "v")
client.set_registered_model_tag(model, "task", "regression")
client.set_registered_model_alias(model, "staging", "2")
check("alias", client.get_model_version_by_alias(model, "staging").version, "2")
check("aliases", client.get_registered_model(model).aliases, {"staging": "2"})
check("versions", sorted(v.version for v in client.search_model_versions(f"name='{model}'")), ["1", "2", "3"])
check("models", [m.name for m in client.search_registered_models(f"name ILIKE '%{unique}'")], [model])
for uri in (f"models:/{model}/Staging", f"models:/{model}@staging", f"models:/{model}/2"):
    folder = mlflow.artifacts.download_artifacts(uri)
    check(uri, sorted(f for f in os.listdir(folder) if f != "registered_model_meta"), ["MLmodel", "deep", "model.json"])
copy = client.copy_model_version(f"models:/{model}/2", f"{model}-copy")
check("copy", (copy.version, copy.run_id), ("1", run_id))
client.rename_registered_model(f"{model}-copy", f"{model}-renamed")
client.delete_model_version(f"{model}-renamed", "1")
client.delete_registered_model(f"{model}-renamed")
refused("deleted model", "RESOURCE_DOES_NOT_EXIST", client.get_registered_model, f"{model}-renamed")
client.delete_registered_model_alias(model, "staging")

# A model logged by MLflow 3, if xgboost is at hand
import numpy as np
import xgboost

matrix = xgboost.DMatrix(np.array([[1.0], [2.0], [3.0]]), label=np.array([1.0, 2.0, 3.0]), feature_names=["trip_distance"])
booster = xgboost.train({"objective": "reg:squarederror", "base_score": 0.5}, matrix, 3)
want = booster.predict(matrix)
with mlflow.start_run(run_name="logged") as logged:
    mlflow.log_metric("nan", math.nan)
    mlflow.log_metric("rmse", 1.5)
    info = mlflow.xgboost.log_model(booster, name="model", model_format="json", registered_model_name=model,
                                    input_example=pd.DataFrame({"trip_distance": [1.0]}))
check("logged model", client.get_logged_model(info.model_id).status, "READY")
check("version of the logged model", [v.version for v in client.search_model_versions(f"run_id='{logged.info.run_id}'")], ["4"])
check("outputs", [o.model_id for o in client.get_run(logged.info.run_id).outputs.model_outputs], [info.model_id])
found = client.search_logged_models([experiment.experiment_id], filter_string="name = 'model'")
check("logged models", [m.model_id for m in found], [info.model_id])
for uri in (f"runs:/{logged.info.run_id}/model", f"models:/{info.model_id}", f"models:/{model}/4"):
    got = mlflow.xgboost.load_model(uri).predict(matrix)
    check(uri, bool(np.array_equal(got, want)), True)
got = mlflow.pyfunc.load_model(f"models:/{model}/4").predict(pd.DataFrame({"trip_distance": [1.0, 2.0, 3.0]}))
check("pyfunc", bool(np.array_equal(got, want)), True)

# Life cycle
client.delete_run(child.info.run_id)
check("after deletion", search("tags.model != 'nothing'"), ["parent"])
check("deleted", search("", run_view_type=ViewType.DELETED_ONLY), ["child"])
refused("write to a deleted run", "INVALID_PARAMETER_VALUE", client.set_tag, child.info.run_id, "k", "v")
client.restore_run(child.info.run_id)
client.set_terminated(child.info.run_id, "KILLED")
check("killed", client.get_run(child.info.run_id).info.status, "KILLED")
client.rename_experiment(experiment.experiment_id, f"{name}-renamed")
client.delete_experiment(experiment.experiment_id)
check("deleted experiment", client.get_experiment(experiment.experiment_id).lifecycle_stage, "deleted")
client.restore_experiment(experiment.experiment_id)
check("restored experiment", client.get_experiment(experiment.experiment_id).lifecycle_stage, "active")
print("client check: ok")
