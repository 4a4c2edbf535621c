"""Writes hyperopt.json: estimates, splits and search results of hyperopt.

    pip install hyperopt==0.2.7 'numpy<1.24' 'setuptools<70' 'networkx<3'
    python make_hyperopt.py > hyperopt.json
"""
import json
import math
import sys

import hyperopt
import numpy as np
from hyperopt import Trials, fmin, hp, rand, tpe

BUDGET, SEEDS = 100, 20


def estimates(rng):
    # hyperopt leaves it to numpy which of equal values comes first; here the older does.
    unstable, np.argsort = np.argsort, lambda a: unstable(a, kind="stable")
    out = []
    for kind, low, high, q in [("uniform", -2, 7, 0), ("loguniform", -5, -1, 0), ("quniform", 4, 100, 1), ("quniform", 0, 10, 2.5)]:
        for n in (0, 1, 2, 3, 10, 24, 25, 26, 27, 40, 90):
            obs = rng.uniform(low, high, n)
            if kind == "quniform":
                obs = np.round(obs / q) * q
            weights, mus, sigmas = tpe.adaptive_parzen_normal(obs, 1.0, 0.5 * (low + high), high - low)
            points = np.linspace(low, high, 9)[:-1]
            if kind == "quniform":
                points = np.unique(np.round(points / q) * q)
            log_density = tpe.GMM1_lpdf(points, weights, mus, sigmas, low=low, high=high, q=q or None)
            seen = np.exp(obs) if kind == "loguniform" else obs
            at = np.exp(points) if kind == "loguniform" else points
            out.append(
                {
                    "kind": kind, "low": low, "high": high, "q": q, "seen": seen.tolist(),
                    "shares": weights.tolist(), "means": mus.tolist(), "widths": sigmas.tolist(),
                    "points": at.tolist(), "log_density": log_density.tolist(),
                }
            )
    np.argsort = unstable
    return out


def splits(rng):
    out = []
    for n in (1, 4, 5, 16, 17, 20, 64, 65, 300, 12000):
        losses = rng.permutation(n)
        ids = np.arange(n)
        best, _ = tpe.ap_split_trials(ids, ids, ids, losses, 0.25)
        out.append({"losses": losses.tolist() if n <= 300 else [], "trials": n, "best": len(best), "first": best[:30].tolist()})
    return out


def branin(p):
    x, y = p["x"], p["y"]
    a = y - 5.1 / (4 * math.pi**2) * x * x + 5 / math.pi * x - 6
    return a * a + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10


def sphere(p):
    return sum((p[f"x{i}"] - c) ** 2 for i, c in enumerate((0.3, -1.2, 2.5, 0.9, -2.2)))


def ackley(p):
    x = [p[f"x{i}"] for i in range(4)]
    return (
        -20 * math.exp(-0.2 * math.sqrt(sum(v * v for v in x) / 4))
        - math.exp(sum(math.cos(2 * math.pi * v) for v in x) / 4)
        + 20
        + math.e
    )


def rates(p):
    depth = 0.05 * abs(p["depth"] - 23)
    return depth + math.log(p["rate"] / 0.07) ** 2 + 0.3 * math.log(p["alpha"] / 0.002) ** 2 + 0.5 * (p["leaves"] - 6) ** 2 / 25


def conditional(p):
    c = p["kind"]
    if c["name"] == "line":
        return 3 + (c["slope"] - 1) ** 2
    if c["name"] == "tree":
        return 1 + 0.02 * abs(c["depth"] - 12) + math.log(c["rate"] / 0.1) ** 2
    return 2 + (c["u"] ** 2 + c["v"] ** 2)


# Keep in step with functions_test.go.
FUNCTIONS = {
    "branin": (branin, {"x": hp.uniform("x", -5, 10), "y": hp.uniform("y", 0, 15)}),
    "sphere": (sphere, {f"x{i}": hp.uniform(f"x{i}", -5, 5) for i in range(5)}),
    "ackley": (ackley, {f"x{i}": hp.uniform(f"x{i}", -10, 15) for i in range(4)}),
    "rates": (
        rates,
        {
            "depth": hp.quniform("depth", 4, 100, 1), "rate": hp.loguniform("rate", -6, 0),
            "alpha": hp.loguniform("alpha", -9, 0), "leaves": hp.quniform("leaves", -0.5, 30.5, 1),
        },
    ),
    "conditional": (
        conditional,
        {
            "kind": hp.choice(
                "kind",
                [
                    {"name": "line", "slope": hp.uniform("slope", -5, 5)},
                    {"name": "tree", "depth": hp.quniform("depth", 1, 40, 1), "rate": hp.loguniform("rate", -7, 0)},
                    {"name": "net", "u": hp.uniform("u", -5, 5), "v": hp.uniform("v", -5, 5)},
                ],
            )
        },
    ),
}


def searches():
    out = {}
    for name, (f, space) in FUNCTIONS.items():
        out[name] = {}
        for algo, suggest in (("tpe", tpe.suggest), ("random", rand.suggest)):
            best = []
            for seed in range(SEEDS):
                trials = Trials()
                fmin(f, space, algo=suggest, max_evals=BUDGET, trials=trials, rstate=np.random.default_rng(seed), show_progressbar=False, verbose=False)
                best.append(min(trials.losses()))
            out[name][algo] = float(np.median(best))
    return out


def main():
    rng = np.random.default_rng(1)
    json.dump(
        {
            "made_by": f"hyperopt {hyperopt.__version__}, numpy {np.__version__}",
            "estimates": estimates(rng), "splits": splits(rng),
            "budget": BUDGET, "seeds": SEEDS, "medians": searches(),
        },
        sys.stdout,
        separators=(",", ":"),
    )
    sys.stdout.write("\n")


main()
