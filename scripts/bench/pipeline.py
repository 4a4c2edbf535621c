"""Times the whole job, Parquet to staged model, as a process: ours against the original stack, of its
time and of today. The sides take turns.

    python pipeline.py TAXIMETER MONTHS ORIGINAL_PYTHON TODAY_PYTHON [RUNS]
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

from table import Table

HERE = os.path.dirname(os.path.abspath(__file__))
QUIET = {"DO_NOT_TRACK": "1", "MLFLOW_DISABLE_TELEMETRY": "true", "PREFECT_LOGGING_LEVEL": "WARNING",
         "GIT_PYTHON_REFRESH": "quiet", "OMP_NUM_THREADS": "2", "PYTHONWARNINGS": "ignore"}


def timed(args, home, env):
    """Wall seconds and the last line of stdout. Fails with the process."""
    environment = dict(os.environ, **QUIET, **env)
    environment.pop("MLFLOW_TRACKING_URI", None)
    began = time.perf_counter()
    done = subprocess.run(args, env=environment, cwd=home, capture_output=True, text=True)
    took = time.perf_counter() - began
    if done.returncode != 0:
        sys.exit(f"{args}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}")
    return took, json.loads(done.stdout.strip().splitlines()[-1])


def main(binary, months, original, today, runs="5"):
    binary, months = os.path.abspath(binary), os.path.abspath(months)
    train, valid = (f"{months}/green_tripdata_2021-{m}.parquet" for m in ("01", "02"))
    times = {"ours": [], "original": [], "today": []}
    errors = {}
    print(f"load average {os.getloadavg()}, {os.cpu_count()} cores", flush=True)
    for i in range(int(runs)):
        for side in times:
            home = tempfile.mkdtemp(prefix="taximeter-bench-")
            if side == "ours":
                took, out = timed([binary, "train", "--train", train, "--valid", valid, "--params", "best", "--no-cache",
                                   "--baseline", "lsqr", "--home", home, "--json"], home, {})
                errors[side] = [r["rmse_valid"] for r in out["runs"]]
            else:
                python = original if side == "original" else today
                took, out = timed([python, f"{HERE}/original.py", train, valid, f"{home}/work"], home, {"PREFECT_HOME": f"{home}/prefect"})
                errors[side] = [out["linear"], out["trees"]]
            shutil.rmtree(home)
            times[side].append(took)
            print(f"run {i + 1} {side}: {took:.3f} s, rmse {errors[side]}", flush=True)
    t = Table("pipeline")
    work = "Parquet to staged model, course's parameters"
    t.add(work, "s", times["ours"], "Prefect 2.10 + MLflow 2.9 + XGBoost 1.7.6", times["original"], 70)
    t.add(work, "s", times["ours"], "Prefect 3.8 + MLflow 3.17 + XGBoost 3.2", times["today"], 100)
    t.finish()


if __name__ == "__main__":
    main(*sys.argv[1:])
