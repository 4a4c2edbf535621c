"""Fills a tracking server with everything that the pages of MLflow's web
interface show, with MLflow's own client, and prints the names and ids as JSON.
Usage: ui_content.py http://127.0.0.1:5000
"""

import json
import os
import sys

os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")  # a 5xx shall not hide as a wait

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import mlflow
import numpy as np
import pandas as pd
import xgboost
from mlflow import MlflowClient

mlflow.set_tracking_uri(sys.argv[1])
client = MlflowClient()

experiment = mlflow.set_experiment("pages").experiment_id
other = client.create_experiment("other pages")
empty = client.create_experiment("no pages")
client.set_experiment_tag(experiment, "mlflow.note.content", "An experiment with *everything*.")

data = pd.DataFrame({"distance": np.linspace(0, 5, 50), "minutes": np.linspace(3, 20, 50)})
figure = plt.figure()
plt.plot(data.distance, data.minutes)

runs, model_ids = [], []
for i in range(2):
    with mlflow.start_run(run_name=f"run {i}") as run:
        runs.append(run.info.run_id)
        mlflow.log_params({"max_depth": str(3 + i), "learning_rate": "0.1"})
        mlflow.set_tag("mlflow.note.content", "# A run\n\nwith a note")
        mlflow.log_input(mlflow.data.from_pandas(data, name="rides", targets="minutes"), context="training")
        for step in range(60):
            mlflow.log_metrics({"rmse": 9 / (step + 1 + i), "val/mae": 7 / (step + 1)}, step=step)
        mlflow.log_metrics({"system/cpu_utilization_percentage": 40 + i, "system/system_memory_usage_megabytes": 900}, step=0)
        mlflow.log_metrics({"system/cpu_utilization_percentage": 50 + i, "system/system_memory_usage_megabytes": 910}, step=1)
        mlflow.log_metric("broken", float("nan"))
        booster = xgboost.train({"max_depth": 2}, xgboost.DMatrix(data[["distance"]], data.minutes), 5)
        logged = mlflow.xgboost.log_model(booster, name="model", input_example=data[["distance"]].head(2), model_format="json")
        model_ids.append(logged.model_id)
        if i == 0:
            mlflow.log_text("some notes\nin lines", "notes.txt")
            mlflow.log_dict({"a": [1, 2]}, "conf/conf.json")
            mlflow.log_text(data.head().to_csv(index=False), "table.csv")
            mlflow.log_figure(figure, "plots/fig.png")
            mlflow.log_text("<h1>Hello</h1>", "page.html")
            mlflow.log_table({"ride": [1, 2], "minutes": [3.5, 8.25]}, "tbl.json")
            mlflow.log_image(np.zeros((32, 32, 3), dtype=np.uint8) + 90, key="img", step=0)
            with mlflow.start_run(run_name="child", nested=True) as child:
                mlflow.log_metric("rmse", 1)
with mlflow.start_run(run_name="without artifacts") as bare:
    mlflow.log_metric("rmse", 3)
with mlflow.start_run(experiment_id=other):
    mlflow.log_metric("rmse", 4)
with mlflow.start_run(run_name="deleted") as deleted:
    pass
client.delete_run(deleted.info.run_id)

for model_id in model_ids:
    mlflow.register_model(f"models:/{model_id}", "pages-model")
client.set_registered_model_alias("pages-model", "champion", "1")
client.transition_model_version_stage("pages-model", "2", "Staging")
client.update_registered_model("pages-model", "A model of *pages*")
mlflow.genai.register_prompt("pages-prompt", "Say {{what}}.")

print(json.dumps({
    "E": experiment, "E2": other, "E3": empty, "R0": runs[0], "R1": runs[1], "R2": bare.info.run_id, "R0CHILD": child.info.run_id,
    "M0": model_ids[0], "MODEL": "pages-model", "PROMPT": "pages-prompt",
}))
