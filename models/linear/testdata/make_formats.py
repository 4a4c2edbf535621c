#!/usr/bin/env python3
"""Writes formats/ beside itself: one gblinear model as XGBoost saves it, as JSON and UBJSON, and the float32
bits of its predictions for rows in which all, some or no values are there.

    pip install xgboost==1.7.6 && python make_formats.py
    pip install xgboost==3.2.0 && python make_formats.py
"""
import json, os
import numpy as np
import xgboost as xgb

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "formats")
nan = np.nan

rng = np.random.default_rng(3)
x = np.round(rng.normal(size=(60, 4)), 2).astype(np.float32)
y = x @ [3, -1, 0.25, 0] + 7
booster = xgb.train(dict(booster="gblinear", objective="reg:squarederror", updater="coord_descent", reg_lambda=0.1, nthread=1), xgb.DMatrix(x, y), 8)
for ext in ("json", "ubj"):
    booster.save_model(f"{FOLDER}/{xgb.__version__}.{ext}")
rows = np.array([[1, 2, 3, 4], [0, -0.5, nan, 1e6], [nan] * 4], dtype=np.float32)
with open(f"{FOLDER}/{xgb.__version__}.predictions.json", "w") as f:
    json.dump({"rows": [[None if np.isnan(v) else float(v) for v in r] for r in rows],
               "bits": booster.predict(xgb.DMatrix(rows)).view(np.uint32).tolist()}, f)
