"""Writes reference.json: what scikit-learn's DictVectorizer makes of small tables.

    pip install scikit-learn && python make_reference.py > reference.json
"""
import json
import random
import sys

import sklearn
from sklearn.feature_extraction import DictVectorizer


def trips(rng, rows, zones):
    return [
        {
            "PU_DO": f"{rng.choice(zones)}_{rng.choice(zones)}",
            "trip_distance": rng.choice([0.0, 1.01, 2.5, 17.25, 244152.01]),
        }
        for _ in range(rows)
    ]


def ragged(rng, rows, names, values):
    """Rows in which keys come and go, each name with one kind of value."""
    out = []
    for _ in range(rows):
        row = {}
        for name, kind in names:
            if rng.random() < 0.7:
                row[name] = rng.choice(values) if kind == "s" else round(rng.uniform(-3, 3), 3)
        out.append(row)
    return out


def case(name, fit, transform):
    dv = DictVectorizer()
    matrices = {"fit": dv.fit_transform(fit), "transform": dv.transform(transform)}
    return {
        "name": name,
        "fit": fit,
        "transform": transform,
        "names": list(dv.get_feature_names_out()),
        "matrices": {
            k: {
                "indptr": m.indptr.tolist(),
                "indices": m.sorted_indices().indices.tolist(),
                "data": m.sorted_indices().data.tolist(),
            }
            for k, m in matrices.items()
        },
    }


def main():
    rng = random.Random(42)
    zones = [1, 4, 10, 43, 75, 100, 151, 264, 265]
    mixed = [("PULocationID", "s"), ("DOLocationID", "s"), ("trip_distance", "n")]
    # Numbers whose names fall between and before the columns of a block.
    woven = [("a", "s"), ("a=50", "n"), ("a=b", "s"), ("A", "n"), ("a=!", "n"), ("é", "s"), ("z", "n")]
    # Code points order otherwise than UTF-16 does: U+FF5E before U+1F600.
    unicode = ["\uff5e", "\U0001f600", "", " ", "ä", "a\u0308", "<&>", "\u2028", '"\\', "10", "9", "5", "6=7"]
    cases = [
        case("trips", trips(rng, 60, zones), trips(rng, 40, zones + [7, 8])),
        case("two blocks", ragged(rng, 30, mixed, ["43", "151", "7", "-1"]), ragged(rng, 20, mixed, ["43", "8", "-1"])),
        case("woven names", ragged(rng, 40, woven, unicode), ragged(rng, 40, woven, unicode + ["new"])),
        case("numbers only", ragged(rng, 5, [("x", "n"), ("y", "n")], []), ragged(rng, 5, [("y", "n"), ("x", "n")], [])),
    ]
    json.dump({"made_by": f"scikit-learn {sklearn.__version__}", "cases": cases}, sys.stdout, indent=None, separators=(",", ":"))
    sys.stdout.write("\n")


main()
