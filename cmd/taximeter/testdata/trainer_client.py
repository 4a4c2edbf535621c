"""Does what trainers do with MLflow's Python client, and checks what comes back.

    pip install mlflow xgboost scikit-learn matplotlib psutil
    python trainer_client.py SERVER [COMMAND...]

Made for mlflow 3.17.2 and 2.22.4, each against a server of its own kind or ours. COMMAND is what
collects the garbage of the server: without it that is left out. Ends with status 0, or with the
first thing that is wrong.
"""
import json
import math
import os
import subprocess
import sys
import tempfile
import time
import uuid
import warnings

warnings.filterwarnings("ignore")

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import mlflow
import numpy as np
import pandas as pd
import sklearn.linear_model
import sklearn.model_selection
import xgboost
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag, ViewType
from mlflow.exceptions import MlflowException
from mlflow.models import infer_signature
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID
from PIL import Image

THREE = int(mlflow.__version__.split(".")[0]) >= 3
UNIQUE = uuid.uuid4().hex[:8]
RIDES = pd.DataFrame({"PULocationID": np.arange(60) % 7, "trip_distance": np.arange(60) * 0.5}).astype("float64")
MINUTES = RIDES["trip_distance"] * 3 + RIDES["PULocationID"]


def named(name):
    """What log_model calls a model's name."""
    return {"name": name} if THREE else {"artifact_path": name}


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


def same(what, got, want):
    np.testing.assert_array_equal(np.asarray(got), np.asarray(want), err_msg=what)


def experiments(client):
    names = [f"trainer-{UNIQUE}-{i}" for i in range(3)]
    for i, name in enumerate(names):
        client.create_experiment(name, tags={"number": str(i), "team": UNIQUE})
    refused("taken name", "RESOURCE_ALREADY_EXISTS", client.create_experiment, names[0])
    ours = f"tags.team = '{UNIQUE}'"
    first = client.search_experiments(filter_string=ours, order_by=["name DESC"], max_results=2)
    rest = client.search_experiments(filter_string=ours, order_by=["name DESC"], max_results=2, page_token=first.token)
    check("pages of experiments", [[e.name for e in first], [e.name for e in rest], rest.token], [[names[2], names[1]], [names[0]], None])
    check("by tag", [e.name for e in mlflow.search_experiments(filter_string=f"{ours} AND tags.number != '1'", order_by=["name ASC"])], [names[0], names[2]])
    check("by name", len(client.search_experiments(filter_string=f"name ILIKE 'TRAINER-{UNIQUE}%'")), 3)
    gone = client.get_experiment_by_name(names[1]).experiment_id
    client.delete_experiment(gone)
    check("deleted", [e.name for e in client.search_experiments(ViewType.DELETED_ONLY, filter_string=ours)], [names[1]])
    refused("in a deleted experiment", "INVALID_PARAMETER_VALUE", client.create_run, gone)
    client.restore_experiment(gone)
    client.rename_experiment(gone, names[1] + "-again")
    check("restored", client.get_experiment(gone).name, names[1] + "-again")
    refused("missing experiment", "RESOURCE_DOES_NOT_EXIST", client.get_experiment, "987654321")
    check("default experiment", client.get_experiment("0").name, "Default")
    experiment = mlflow.set_experiment(names[0])
    check("location", experiment.artifact_location, f"mlflow-artifacts:/{experiment.experiment_id}")
    mlflow.set_experiment_tags({"note": "é"})
    check("experiment", client.get_experiment(experiment.experiment_id).tags["note"], "é")
    return experiment


def log_everything(client):
    with mlflow.start_run(run_name="parent", description="all kinds", tags={"kind": "parent"}) as run:
        mlflow.log_param("depth", 30)
        mlflow.log_params({"rate": 0.1, "objective": "reg:squarederror", "nothing": None, "long": "x" * 6000})
        mlflow.log_param("depth", 30)  # again
        refused("changed param", "INVALID_PARAMETER_VALUE", mlflow.log_param, "depth", 31)
        for step in range(5):
            mlflow.log_metric("rmse", 7 - step / 4, step=step)
        mlflow.log_metric("at", 1.5, step=-3, timestamp=1700000000000)
        mlflow.log_metrics({"nan": math.nan, "inf": math.inf, "low": -math.inf, "a/b c.d-e_f": 1}, step=2)
        for step in range(3):
            mlflow.log_metrics({"later": step}, step=step, synchronous=False)
        mlflow.flush_async_logging()
        now = int(time.time() * 1000)
        client.log_batch(run.info.run_id, metrics=[Metric("many", i, now, i) for i in range(998)],
                         params=[Param("batched", "yes")], tags=[RunTag("batched", "yes")])
        mlflow.set_tag("gone", "soon")
        mlflow.set_tags({"a": 1, "b": "two"})
        mlflow.delete_tag("gone")
        log_files()
        log_data(client, run)
        with mlflow.start_run(run_name="child", nested=True) as child:
            mlflow.log_metric("rmse", 3)
            with mlflow.start_run(run_name="grandchild", nested=True) as grandchild:
                mlflow.log_param("depth", 3)
    other = client.create_run(run.info.experiment_id, run_name="by hand", tags={MLFLOW_PARENT_RUN_ID: run.info.run_id})
    client.set_terminated(other.info.run_id, "KILLED")
    client.update_run(other.info.run_id, name="by client")
    check("last run", mlflow.last_active_run().info.run_id, run.info.run_id)
    check("parent", mlflow.get_parent_run(grandchild.info.run_id).info.run_id, child.info.run_id)
    check_everything(client, run.info.run_id)
    children = client.search_runs([run.info.experiment_id], f"tags.`mlflow.parentRunId` = '{run.info.run_id}'", order_by=["attributes.start_time ASC"])
    check("children", [(r.info.run_name, r.info.status) for r in children], [("child", "FINISHED"), ("by client", "KILLED")])
    return run.info.run_id


def log_files():
    mlflow.log_dict({"a": [1, "é"]}, "config/a.json")
    mlflow.log_dict({"a": 1}, "config/a.yaml")
    mlflow.log_text("# hello\n", "notes/hello 1+é%.md")
    figure, axes = plt.subplots()
    axes.plot([1, 2, 3])
    mlflow.log_figure(figure, "plots/line.png")
    plt.close(figure)
    mlflow.log_table({"ride": [1, 2], "minutes": [3.5, None]}, "table.json")
    mlflow.log_table(pd.DataFrame({"ride": [3], "minutes": [4.5]}), "table.json")
    mlflow.log_image(np.zeros((8, 8, 3), dtype=np.uint8), "image.png")
    for step in range(2):
        mlflow.log_image(Image.new("RGB", (8, 8), (step, 0, 0)), key="map", step=step)
    with tempfile.TemporaryDirectory() as folder:
        os.makedirs(f"{folder}/deep/er")
        for name, size in {"one": 1, "deep/er/two": 2, "empty": 0, "large": 3 << 20}.items():
            with open(f"{folder}/{name}", "wb") as f:
                f.write(b"x" * size)
        mlflow.log_artifact(f"{folder}/one")
        mlflow.log_artifact(f"{folder}/one", "single")
        mlflow.log_artifacts(folder, "folder")


def log_data(client, run):
    frame = RIDES.assign(duration=MINUTES)
    mlflow.log_input(mlflow.data.from_pandas(frame, source="https://example.com/green_2021-01.parquet", targets="duration", name="green_2021-01"),
                     context="training", tags={"month": "2021-01"})
    mlflow.log_input(mlflow.data.from_numpy(np.ones((3, 2)), name="ones"), context="testing")
    client.log_inputs(run.info.run_id, [DatasetInput(Dataset("by hand", "d1", "local", '{"uri": "x"}'), [InputTag("mlflow.data.context", "validation")])])


def check_everything(client, run_id):
    run = mlflow.get_run(run_id)
    check("status", (run.info.status, run.info.run_name, run.info.lifecycle_stage), ("FINISHED", "parent", "active"))
    params = dict(run.data.params)
    check("long param", params.pop("long"), "x" * 6000)
    check("params", params, {"depth": "30", "rate": "0.1", "objective": "reg:squarederror", "nothing": "None", "batched": "yes"})
    metrics = dict(run.data.metrics)
    check("nan", math.isnan(metrics.pop("nan")), True)
    check("metrics", metrics, {"rmse": 6, "at": 1.5, "inf": sys.float_info.max, "low": -sys.float_info.max, "a/b c.d-e_f": 1, "later": 2, "many": 997})
    check("history", [(m.step, m.value) for m in client.get_metric_history(run_id, "rmse")], [(s, 7 - s / 4) for s in range(5)])
    check("point", [(m.step, m.value, m.timestamp) for m in client.get_metric_history(run_id, "at")], [(-3, 1.5, 1700000000000)])
    check("batch", [m.step for m in client.get_metric_history(run_id, "many")], list(range(998)))
    tags = {k: v for k, v in run.data.tags.items() if not k.startswith("mlflow.")}
    check("tags", tags, {"kind": "parent", "a": "1", "b": "two", "batched": "yes"})
    check("note", run.data.tags["mlflow.note.content"], "all kinds")

    listed = {f.path: f.is_dir for f in client.list_artifacts(run_id)}
    check("artifacts", listed, {"config": True, "folder": True, "image.png": False, "images": True, "notes": True, "one": False,
                                "plots": True, "single": True, "table.json": False})
    check("folder", [(f.path, f.file_size or 0) for f in client.list_artifacts(run_id, "folder")],
          [("folder/deep", 0), ("folder/empty", 0), ("folder/large", 3 << 20), ("folder/one", 1)])
    uri = f"runs:/{run_id}/"
    check("json", mlflow.artifacts.load_dict(uri + "config/a.json"), {"a": [1, "é"]})
    check("text", mlflow.artifacts.load_text(uri + "notes/hello 1+é%.md"), "# hello\n")
    check("image", mlflow.artifacts.load_image(uri + "image.png").size, (8, 8))
    check("figure", mlflow.artifacts.load_image(uri + "plots/line.png").format, "PNG")
    check("images", len([f for f in client.list_artifacts(run_id, "images") if f.path.endswith(".png")]), 2)
    with tempfile.TemporaryDirectory() as to:
        got = client.download_artifacts(run_id, "folder", to)
        check("downloaded", sorted(os.path.relpath(os.path.join(d, n), got) for d, _, names in os.walk(got) for n in names), ["deep/er/two", "empty", "large", "one"])
        check("large", os.path.getsize(f"{got}/large"), 3 << 20)
    try:
        client.download_artifacts(run_id, "missing.txt")
        sys.exit("a missing artifact was downloaded")
    except Exception as e:  # which one differs by the way it takes
        check(f"a missing artifact: {e}", "missing.txt" in str(e), True)
    table = mlflow.load_table("table.json", run_ids=[run_id], extra_columns=["run_id"])
    check("table", (list(table["ride"]), set(table["run_id"])), ([1, 2, 3], {run_id}))

    inputs = {i.dataset.name: (i.dataset, {t.key: t.value for t in i.tags}) for i in run.inputs.dataset_inputs}
    check("datasets", {name: tags["mlflow.data.context"] for name, (_, tags) in inputs.items()},
          {"green_2021-01": "training", "ones": "testing", "by hand": "validation"})
    check("by dataset", [r.info.run_id for r in client.search_runs([run.info.experiment_id], "datasets.name = 'green_2021-01'")], [run_id])
    dataset, tags = inputs["green_2021-01"]
    check("dataset", (tags["month"], json.loads(dataset.profile)["num_rows"], len(json.loads(dataset.schema)["mlflow_colspec"])), ("2021-01", 60, 3))
    check("source", mlflow.data.get_source(dataset).url, "https://example.com/green_2021-01.parquet")


def search(client, experiment):
    ids = []
    for i in range(7):
        run = client.create_run(experiment.experiment_id, start_time=1700000000000 + i, run_name=f"s{i}", tags={"group": "search"})
        ids.append(run.info.run_id)
        client.log_metric(run.info.run_id, "score", math.nan if i == 6 else i % 3)
        client.log_param(run.info.run_id, "p q", f"v{i}")
        client.set_tag(run.info.run_id, "trainer.key", f"flow/{i}")
        if i != 5:
            client.set_terminated(run.info.run_id, "FINISHED" if i % 2 else "FAILED", 1700000001000)

    def found(more="", order_by=("attributes.start_time ASC",), **kwargs):
        where = "tags.group = 'search'" + (f" AND {more}" if more else "")
        return [r.info.run_name for r in client.search_runs([experiment.experiment_id], where, order_by=list(order_by), **kwargs)]

    for more, want in {
        "": "s0 s1 s2 s3 s4 s5 s6", "metrics.score >= 1": "s1 s2 s4 s5", "metrics.score = 1 and params.`p q` != 'v4'": "s1",
        "params.\"p q\" LIKE 'v%'": "s0 s1 s2 s3 s4 s5 s6", "params.`p q` ILIKE '%V1'": "s1", "attributes.status = 'RUNNING'": "s5",
        "attributes.run_name LIKE 's%' and status != 'FAILED'": "s1 s3 s5", "start_time > 1700000000004": "s5 s6",
        f"run_id IN ('{ids[2]}', '{ids[4]}')": "s2 s4", "tags.`mlflow.user` = 'nobody'": "",
        "metrics.score < 20e-1 and metrics.score > 0": "s1 s4", "tags.`trainer.key` = 'flow/3'": "s3",
    }.items():
        check(f"search {more}", found(more), want.split())
    if THREE:
        check("search IS NULL", found("params.nothing IS NULL and params.`p q` IS NOT NULL", max_results=2), ["s0", "s1"])
    check("by metric", found(order_by=["metrics.score DESC", "attributes.run_name ASC"]), "s2 s5 s1 s4 s0 s3 s6".split())
    check("by param", found(order_by=["params.`p q` DESC"], max_results=3), "s6 s5 s4".split())
    pages, token = [], None
    while True:
        page = client.search_runs([experiment.experiment_id], "tags.group = 'search'", max_results=3, order_by=["attributes.run_name"], page_token=token)
        pages.append([r.info.run_name for r in page])
        token = page.token
        if not token:
            break
    check("pages", [p for p in pages if p], ["s0 s1 s2".split(), "s3 s4 s5".split(), ["s6"]])
    frame = mlflow.search_runs([experiment.experiment_id], "tags.group = 'search'", order_by=["start_time ASC"])
    check("frame", (list(frame["params.p q"]), list(frame["metrics.score"])[:6]), ([f"v{i}" for i in range(7)], [0, 1, 2, 0, 1, 2]))
    for bad in ("metrics.a > 1 OR metrics.b > 1", "metrics.a LIKE 'x'", "params.a > 1", "nothing", "attributes.nothing = 'x'"):
        refused(bad, "INVALID_PARAMETER_VALUE", found, bad)

    client.delete_run(ids[0])
    check("deleted", (found(), found(run_view_type=ViewType.DELETED_ONLY), len(found(run_view_type=ViewType.ALL))), ("s1 s2 s3 s4 s5 s6".split(), ["s0"], 7))
    refused("write to a deleted run", "INVALID_PARAMETER_VALUE", client.log_metric, ids[0], "score", 1)
    client.restore_run(ids[0])
    check("restored", found(max_results=1), ["s0"])
    refused("missing run", "RESOURCE_DOES_NOT_EXIST", client.get_run, "0" * 32)
    return ids


def autolog(client):
    mlflow.xgboost.autolog(model_format="json")
    train = xgboost.DMatrix(RIDES[:40], MINUTES[:40])
    valid = xgboost.DMatrix(RIDES[40:], MINUTES[40:])
    with mlflow.start_run(run_name="xgboost") as run:
        booster = xgboost.train({"max_depth": 3, "objective": "reg:squarederror", "eval_metric": "rmse"}, train, 15,
                                evals=[(train, "train"), (valid, "validation")], early_stopping_rounds=5, verbose_eval=False)
    mlflow.xgboost.autolog(disable=True)
    logged = client.get_run(run.info.run_id)
    check("autologged params", {k: logged.data.params[k] for k in ("max_depth", "num_boost_round", "early_stopping_rounds")},
          {"max_depth": "3", "num_boost_round": "15", "early_stopping_rounds": "5"})
    curve = client.get_metric_history(run.info.run_id, "validation-rmse")
    rounds = booster.num_boosted_rounds()
    check("curve", sorted({m.step for m in curve})[:rounds], list(range(rounds)))
    check("best", logged.data.metrics["best_iteration"], booster.best_iteration)
    check("importance", {f.path for f in client.list_artifacts(run.info.run_id)} >= {"feature_importance_weight.json", "feature_importance_weight.png"}, True)
    same("autologged booster", mlflow.xgboost.load_model(f"runs:/{run.info.run_id}/model").predict(valid), booster.predict(valid))

    mlflow.sklearn.autolog()
    with mlflow.start_run(run_name="sklearn") as run:
        line = sklearn.linear_model.Ridge(alpha=0.5).fit(RIDES, MINUTES)
        line.score(RIDES, MINUTES)
    mlflow.sklearn.autolog(log_models=False)
    with mlflow.start_run(run_name="grid") as grid:
        sklearn.model_selection.GridSearchCV(sklearn.linear_model.Ridge(), {"alpha": [0.1, 1.0]}, cv=2).fit(RIDES, MINUTES)
    mlflow.sklearn.autolog(disable=True)
    logged = client.get_run(run.info.run_id)
    check("ridge", (logged.data.params["alpha"], logged.data.tags["estimator_name"]), ("0.5", "Ridge"))
    check("ridge's metrics", {"training_mean_squared_error", "training_r2_score", "Ridge_score_unknown_dataset"} - logged.data.metrics.keys(), set())
    check("ridge's data", [i.dataset.name for i in logged.inputs.dataset_inputs], ["dataset"])
    same("ridge", mlflow.pyfunc.load_model(f"runs:/{run.info.run_id}/model").predict(RIDES), line.predict(RIDES))
    children = client.search_runs([run.info.experiment_id], f"tags.`mlflow.parentRunId` = '{grid.info.run_id}'")
    check("grid's children", sorted(c.data.params["alpha"] for c in children), ["0.1", "1.0"])


def models(client):
    name = f"Trainer-{UNIQUE}"
    matrix = xgboost.DMatrix(RIDES, MINUTES)
    boosters, runs = [], []
    for i, depth in enumerate((2, 3, 4)):
        booster = xgboost.train({"max_depth": depth}, matrix, 3)
        with mlflow.start_run(run_name=f"model-{i}") as run:
            mlflow.log_metric("rmse", 3 - i)
            mlflow.xgboost.log_model(booster, **named("model"), model_format=("json", "ubj", "xgb")[i], input_example=RIDES.head(2),
                                     signature=infer_signature(RIDES, booster.predict(matrix)), pip_requirements=["xgboost"], registered_model_name=name if i else None)
        boosters.append(booster)
        runs.append(run.info.run_id)
    registered = mlflow.register_model(f"runs:/{runs[0]}/model", name, tags={"by": "hand"})
    check("versions", [(str(v.version), v.run_id, v.status) for v in sorted(client.search_model_versions(f"name = '{name}'"), key=lambda v: int(v.version))],
          [("1", runs[1], "READY"), ("2", runs[2], "READY"), ("3", runs[0], "READY")])
    check("tags of a version", client.get_model_version(name, str(registered.version)).tags["by"], "hand")
    of = {1: boosters[1], 2: boosters[2], 3: boosters[0]}

    client.transition_model_version_stage(name, 1, "Staging")
    client.transition_model_version_stage(name, 2, "Production")
    client.transition_model_version_stage(name, 3, "production", archive_existing_versions=True)
    stages = {int(v.version): v.current_stage for v in client.search_model_versions(f"name = '{name}'")}
    check("stages", stages, {1: "Staging", 2: "Archived", 3: "Production"})
    refused("unknown stage", "INVALID_PARAMETER_VALUE", client.transition_model_version_stage, name, 1, "Nowhere")
    client.set_registered_model_alias(name, "champion", "2")
    client.set_registered_model_alias(name, "old", "1")
    client.delete_registered_model_alias(name, "old")
    check("aliases", client.get_registered_model(name).aliases, {"champion": "2"})
    for uri, version in {f"models:/{name}/1": 1, f"models:/{name}/Staging": 1, f"models:/{name}/Production": 3, f"models:/{name}@champion": 2,
                         f"models:/{name}/latest": 3, f"runs:/{runs[2]}/model": 2}.items():
        want = of[version].predict(matrix)
        same(uri, mlflow.xgboost.load_model(uri).predict(matrix), want)
        same(uri + " by pyfunc", mlflow.pyfunc.load_model(uri).predict(RIDES), want)
    info = mlflow.models.get_model_info(f"models:/{name}/1")
    check("signature", (info.signature.inputs.input_names(), info.run_id), (list(RIDES), runs[1]))

    client.update_registered_model(name, "of rides")
    client.update_model_version(name, "1", "the first")
    client.set_registered_model_tag(name, "task", "regression")
    client.set_model_version_tag(name, "1", "ok", "yes")
    client.set_model_version_tag(name, "2", "ok", "no")
    client.delete_model_version_tag(name, "2", "ok")
    check("by tag", [v.version for v in client.search_model_versions(f"name = '{name}' AND tags.ok = 'yes'")], [client.get_model_version(name, 1).version])
    check("by run", [int(v.version) for v in client.search_model_versions(f"run_id = '{runs[2]}'")], [2])
    pages = client.search_model_versions(f"name = '{name}'", max_results=2, order_by=["version_number ASC"])
    rest = client.search_model_versions(f"name = '{name}'", max_results=2, order_by=["version_number ASC"], page_token=pages.token)
    check("pages of versions", [[int(v.version) for v in p] for p in (pages, rest)], [[1, 2], [3]])
    check("models", [(m.name, m.description, m.tags["task"]) for m in client.search_registered_models(f"name ILIKE '%{UNIQUE}'")], [(name, "of rides", "regression")])
    check("latest", sorted((v.current_stage, int(v.version)) for v in client.get_latest_versions(name)), [("Archived", 2), ("Production", 3), ("Staging", 1)])
    copied = client.copy_model_version(f"models:/{name}@champion", name + "-copy")
    check("copy", (int(copied.version), copied.run_id), (1, runs[2]))
    same("copy", mlflow.xgboost.load_model(f"models:/{name}-copy/1").predict(matrix), of[2].predict(matrix))
    client.rename_registered_model(name + "-copy", name + "-renamed")
    same("renamed", mlflow.xgboost.load_model(f"models:/{name}-renamed/1").predict(matrix), of[2].predict(matrix))
    client.delete_model_version(name + "-renamed", 1)
    refused("deleted version", "RESOURCE_DOES_NOT_EXIST", client.get_model_version, name + "-renamed", 1)
    client.delete_registered_model(name + "-renamed")
    refused("deleted model", "RESOURCE_DOES_NOT_EXIST", client.get_registered_model, name + "-renamed")
    refused("missing alias", "INVALID_PARAMETER_VALUE", client.get_model_version_by_alias, name, "nobody")

    with mlflow.start_run(run_name="line") as run:
        line = sklearn.linear_model.LinearRegression().fit(RIDES, MINUTES)
        mlflow.sklearn.log_model(line, **named("line"), serialization_format="cloudpickle", pip_requirements=["scikit-learn"], registered_model_name=name + "-line")
    same("sklearn", mlflow.sklearn.load_model(f"models:/{name}-line/1").predict(RIDES), line.predict(RIDES))

    class Twice(mlflow.pyfunc.PythonModel):
        def predict(self, context, model_input, params=None):
            return model_input["trip_distance"] * 2

    with mlflow.start_run(run_name="twice") as run:
        mlflow.pyfunc.log_model(**named("twice"), python_model=Twice(), input_example=RIDES.head(1), pip_requirements=["pandas"])
    same("python model", mlflow.pyfunc.load_model(f"runs:/{run.info.run_id}/twice").predict(RIDES), RIDES["trip_distance"] * 2)
    return runs


def logged_models(client, experiment, runs):
    """What is new in MLflow 3."""
    model = mlflow.initialize_logged_model(name="external", params={"depth": "3"}, tags={"k": "v"}, model_type="xgboost")
    check("pending", model.status, "PENDING")
    with mlflow.start_run(run_name="of a model"):
        mlflow.log_metric("rmse", 1.25, model_id=model.model_id, dataset=mlflow.data.from_pandas(RIDES, name="rides"))
        mlflow.log_model_params({"rate": "0.1"}, model_id=model.model_id)
    mlflow.finalize_logged_model(model.model_id, "READY")
    mlflow.set_logged_model_tags(model.model_id, {"more": "é"})
    mlflow.delete_logged_model_tag(model.model_id, "k")
    got = mlflow.get_logged_model(model.model_id)
    check("logged model", (got.status, got.params, got.tags.get("more"), "k" in got.tags, [(m.key, m.value, m.dataset_name) for m in got.metrics]),
          ("READY", {"depth": "3", "rate": "0.1"}, "é", False, [("rmse", 1.25, "rides")]))
    found = mlflow.search_logged_models([experiment.experiment_id], "metrics.rmse < 2.5", order_by=[{"field_name": "metrics.rmse"}], output_format="list")
    check("by metric", [m.metrics[0].value for m in found], [1, 1.25, 2])
    page = client.search_logged_models([experiment.experiment_id], max_results=2)
    check("pages of logged models", (len(page), bool(page.token)), (2, True))
    check("of runs", [found[0].source_run_id, found[2].source_run_id], [runs[2], runs[1]])
    check("outputs", [o.model_id for o in client.get_run(runs[2]).outputs.model_outputs], [found[0].model_id])
    mlflow.xgboost.load_model(f"models:/{found[0].model_id}")
    client.delete_logged_model(model.model_id)
    refused("deleted logged model", "RESOURCE_DOES_NOT_EXIST", client.get_logged_model, model.model_id)


def system_metrics(client):
    mlflow.set_system_metrics_sampling_interval(0.2)
    mlflow.set_system_metrics_samples_before_logging(1)
    with mlflow.start_run(run_name="system", log_system_metrics=True) as run:
        for key in ("system/cpu_utilization_percentage", "system/system_memory_usage_megabytes"):
            began = time.time()
            while len(client.get_metric_history(run.info.run_id, key)) < 2:
                check(f"samples of {key} within five minutes", time.time() - began < 300, True)
                time.sleep(0.1)


def garbage(client, experiment, keep, collect):
    with mlflow.start_run(run_name="waste") as run:
        mlflow.log_text("waste", "waste.txt")
    client.delete_run(run.info.run_id)
    check("deleted", client.get_run(run.info.run_id).info.lifecycle_stage, "deleted")
    subprocess.run(collect, check=True, stdout=subprocess.DEVNULL)
    refused("collected run", "RESOURCE_DOES_NOT_EXIST", client.get_run, run.info.run_id)
    check("kept", client.get_run(keep).info.run_name, "parent")
    check("kept text", mlflow.artifacts.load_text(f"runs:/{keep}/notes/hello 1+é%.md"), "# hello\n")
    for model in client.search_registered_models(f"name LIKE 'Trainer-{UNIQUE}%'"):
        client.delete_registered_model(model.name)  # ours keeps what a version needs
    client.delete_experiment(experiment.experiment_id)
    subprocess.run(collect + ["--experiment-ids", experiment.experiment_id], check=True, stdout=subprocess.DEVNULL)
    refused("collected experiment", "RESOURCE_DOES_NOT_EXIST", client.get_experiment, experiment.experiment_id)


def main(server, *collect):
    mlflow.set_tracking_uri(server)
    client = MlflowClient(server)
    took = []

    def timed(do, *args):
        began = time.time()
        out = do(*args)
        took.append(f"{do.__name__} {time.time() - began:.1f} s")
        return out

    experiment = timed(experiments, client)
    parent = timed(log_everything, client)
    timed(search, client, experiment)
    timed(autolog, client)
    runs = timed(models, client)
    if THREE:
        timed(logged_models, client, experiment, runs)
    timed(system_metrics, client)
    if collect:
        timed(garbage, client, experiment, parent, list(collect))
    print(f"mlflow {mlflow.__version__}, xgboost {xgboost.__version__}: {', '.join(took)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
