"""Makes a small store with something of every kind in it, with whatever MLflow this Python has.

    python make_store.py DIRECTORY             a mlflow.db and a mlruns folder, with artifacts, in DIRECTORY
    python make_store.py DIRECTORY TESTDATA    the same, and writes them as text to TESTDATA, DIRECTORY being @DIR@
"""
import os
import sqlite3
import sys

os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag

NOW = 1_700_000_000_000
TABLES = """alembic_version experiments experiment_tags runs metrics latest_metrics params tags datasets inputs input_tags registered_models
registered_model_tags registered_model_aliases model_versions model_version_tags logged_models logged_model_metrics logged_model_params
logged_model_tags""".split()


def fill(uri, artifacts, note):
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    c = MlflowClient()
    green = c.create_experiment("taxi é", artifact_location=artifacts + "/green", tags={"team": "green"})
    gone = c.create_experiment("gone", artifact_location=artifacts + "/gone")
    c.create_experiment("store", artifact_location="s3://bucket/store")
    first = c.create_run(green, start_time=NOW, tags={"mlflow.user": "me", "k/é": "v"}, run_name="first").info.run_id
    c.log_batch(first, [Metric("rmse", 6.5, NOW, 1), Metric("rmse", 6.4, NOW + 1, 2), Metric("val/nan", float("nan"), NOW, 0), Metric("inf", float("inf"), NOW, -3)],
                [Param("depth", "30"), Param("empty", "")], [RunTag("note", 'a "quoted"\ntext')])
    c.log_artifact(first, note, "dir")
    c.log_artifact(first, note)
    c.set_terminated(first, "FINISHED", NOW + 1000)
    c.log_inputs(first, [DatasetInput(Dataset("green_2021-01", "abc123", "http", '{"url": "x"}', '{"s": 1}', '{"rows": 3}'), [InputTag("mlflow.data.context", "training")])])
    child = c.create_run(green, start_time=NOW + 2000, tags={"mlflow.parentRunId": first}, run_name="child").info.run_id
    c.log_metric(child, "rmse", 7.0, NOW + 2500, 0)
    c.delete_run(c.create_run(green, start_time=NOW + 3000, run_name="deleted").info.run_id)
    c.create_run(gone, start_time=1, run_name="of the deleted")
    c.delete_experiment(gone)
    c.create_registered_model("Ride", tags={"a": "b"}, description="rides")
    for i, run in enumerate([first, child, first]):
        c.create_model_version("Ride", c.get_run(run).info.artifact_uri + "/dir", run, tags={"i": str(i)}, description="v")
    c.transition_model_version_stage("Ride", "1", "Staging")
    c.set_registered_model_alias("Ride", "best", "1")
    c.delete_model_version("Ride", "3")
    if hasattr(c, "create_logged_model"):
        from mlflow.entities import LoggedModelInput, LoggedModelOutput
        m = c.create_logged_model(green, name="model", source_run_id=first, params={"depth": "30"}, tags={"t": "u"}, model_type="tree").model_id
        c.log_batch(first, [Metric("valid", 5.5, NOW, 3, model_id=m, dataset_name="green", dataset_digest="abc", run_id=first)])
        os.makedirs(f"{artifacts}/green/models/{m}/artifacts")
        with open(f"{artifacts}/green/models/{m}/artifacts/MLmodel", "w") as f:
            f.write("flavors:\n")
        c.finalize_logged_model(m, "READY")
        c.log_outputs(first, [LoggedModelOutput(m, 3)])
        c.log_inputs(child, models=[LoggedModelInput(m)])
        c.create_model_version("Ride", "models:/" + m, model_id=m)


def main(directory, testdata=None):
    directory = os.path.abspath(directory)
    os.makedirs(directory)
    note = directory + "/note.txt"
    with open(note, "w") as f:
        f.write("hello")
    os.chdir(directory)
    fill(f"sqlite:///{directory}/mlflow.db", directory + "/of-db", note)
    fill(f"file://{directory}/mlruns", directory + "/of-mlruns", note)
    if not testdata:
        return
    version = ".".join(mlflow.__version__.split(".")[:2])
    db = sqlite3.connect(directory + "/mlflow.db")
    lines = [line for line in db.iterdump()
             if any(line.startswith((f"CREATE TABLE {t} ", f"CREATE TABLE IF NOT EXISTS \"{t}\"", f'CREATE TABLE "{t}"', f'INSERT INTO "{t}" ')) for t in TABLES)]
    with open(f"{testdata}/mlflow-{version}.sql", "w") as f:
        f.write("\n".join(lines).replace(directory, "@DIR@") + "\n")
    with open(f"{testdata}/files-{version}.txtar", "w") as f:
        f.write(f"Made by make_store.py with MLflow {mlflow.__version__}.\n")
        for root, dirs, files in os.walk(directory):
            dirs.sort()
            for name in sorted(files):
                path = os.path.join(root, name)
                if name == "mlflow.db":
                    continue
                with open(path) as text:
                    f.write(f"-- {os.path.relpath(path, directory)} --\n" + text.read().replace(directory, "@DIR@") + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
