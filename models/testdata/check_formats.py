"""Predicts with model files, and saves them again, through the real xgboost.

    pip install xgboost scipy
    python check_formats.py DIRECTORY WIDTH

DIRECTORY holds indptr.i64, indices.i32 and data.f64, the parts of a sparse matrix of that width, and
model files. Beside each file NAME.EXT it writes NAME.EXT.f32, the predictions, and
NAME.EXT.again.json and NAME.EXT.again.ubj. Prints the version.
"""
import glob
import sys

import numpy as np
import scipy.sparse
import xgboost


def main(directory, width):
    indptr = np.fromfile(f"{directory}/indptr.i64", dtype="<i8")
    x = scipy.sparse.csr_matrix(
        (np.fromfile(f"{directory}/data.f64", dtype="<f8"), np.fromfile(f"{directory}/indices.i32", dtype="<i4"), indptr),
        shape=(len(indptr) - 1, width),
    )
    rows = xgboost.DMatrix(x)
    for path in sorted(glob.glob(f"{directory}/*.json") + glob.glob(f"{directory}/*.ubj")):
        booster = xgboost.Booster(model_file=path)
        booster.predict(rows).astype("<f4").tofile(path + ".f32")
        for ext in ("json", "ubj"):
            booster.save_model(f"{path}.again.{ext}")
    print(xgboost.__version__)


main(sys.argv[1], int(sys.argv[2]))
