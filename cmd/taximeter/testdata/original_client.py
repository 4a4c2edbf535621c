"""What the original's staging flow asks of MLflow, asked of a server that taximeter trained on.

    pip install mlflow==3.17.2 xgboost==1.7.6 scikit-learn
    python original_client.py SERVER EXPERIMENT FLOW_RUN_ID RIDES.json

Finds the runs of one flow run as the original did, reads their metrics and their per-round curve,
downloads each run's model directory, loads it with mlflow.xgboost and predicts the rides of
RIDES.json. Prints {"found": [names that pass the gate, best first], "runs": {name: {"run_id",
"rmse_valid", "curve", "predictions"}}, "staged": predictions of the staged version}.
"""
import json
import os
import sys

import mlflow
import xgboost
from mlflow.entities import ViewType

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "..", "models", "testdata"))
import check_model_dir

GATE = "metrics.rmse_valid < 6.5 and metrics.inference_time < 20e-6"


def predict(directory, rides):
    with open(f"{directory}/vectorizer.json") as f:
        saved = json.load(f)
    x = check_model_dir.vectorizer_of(saved["vectorizer"]).transform(
        [check_model_dir.features(saved["features"], r) for r in rides])
    return mlflow.xgboost.load_model(directory).predict(xgboost.DMatrix(x)).tolist()


def main(server, experiment_name, flow_run_id, rides_file):
    mlflow.set_tracking_uri(server)
    client = mlflow.MlflowClient()
    with open(rides_file) as f:
        rides = json.load(f)

    names = [e.name for e in mlflow.search_experiments()]
    assert experiment_name in names, names
    experiment = client.get_experiment_by_name(experiment_name)
    of_flow_run = f"tags.`taximeter.flow_run_id` = '{flow_run_id}'"
    found = client.search_runs([experiment.experiment_id], filter_string=f"{GATE} and {of_flow_run}",
                               run_view_type=ViewType.ACTIVE_ONLY, max_results=5, order_by=["metrics.rmse_valid ASC"])
    by_gate_alone = client.search_runs([experiment.experiment_id], filter_string=GATE,
                                       run_view_type=ViewType.ACTIVE_ONLY, max_results=5, order_by=["metrics.rmse_valid ASC"])
    assert {r.info.run_id for r in found} <= {r.info.run_id for r in by_gate_alone}
    runs = {}
    for run in client.search_runs([experiment.experiment_id], filter_string=f"{of_flow_run} and params.model LIKE '%'"):
        assert run.info.status == "FINISHED", run.info
        assert run.info.artifact_uri.startswith("mlflow-artifacts:/"), run.info.artifact_uri
        assert run.data.tags["mlflow.source.name"] == "taximeter" and run.data.tags["mlflow.parentRunId"], run.data.tags
        assert {d.dataset.name for d in run.inputs.dataset_inputs} == {"green_2021-01", "green_2021-02"}, run.inputs
        directory = mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="model")
        curve = client.get_metric_history(run.info.run_id, "validation-rmse")
        assert [m.step for m in curve] == list(range(len(curve)))
        runs[run.info.run_name] = {
            "run_id": run.info.run_id,
            "rmse_valid": run.data.metrics["rmse_valid"],
            "curve": [m.value for m in curve],
            "predictions": predict(directory, rides),
        }

    latest = client.get_latest_versions("NYCRideDurationModel", stages=["Staging"])[0]
    assert latest.status == "READY" and latest.run_id == found[0].info.run_id, latest
    assert client.get_model_version_by_alias("NYCRideDurationModel", "staging").version == latest.version
    chosen = [a.path for a in client.list_artifacts(latest.run_id)]
    assert "model-2021-03-05.json" in chosen and "dv-2021-03-05.json" in chosen, chosen
    staged = mlflow.artifacts.download_artifacts(artifact_uri="models:/NYCRideDurationModel/Staging")
    json.dump({"found": [r.info.run_name for r in found], "runs": runs, "staged": predict(staged, rides)}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
