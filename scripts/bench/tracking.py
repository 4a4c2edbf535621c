"""Times what an MLflow tracking server does all day: ours, MLflow's own, and a floor that answers canned
bytes. All three run at once and take turns, round by round; a row is the median of the rounds' medians.

    python tracking.py TAXIMETER FLOOR LARGE MLFLOW_PYTHON [ROUNDS]

LARGE is the program of tracking_large.go: searches among 100,000 runs of 20 metrics are held to a limit, as MLflow
would need an hour to be filled.
"""
import json
import multiprocessing
import os
import random
import statistics
import subprocess
import sys
import time

import tracking_servers
from table import Table
from tracking_client import Connection

API = "/api/2.0/mlflow/"
FILLED = 1000  # runs with 10 metrics, 10 params and 5 tags to search over
NOW = 1_700_000_000_000


class Side:
    """One server with what was made on it: an experiment, runs, requests."""

    def __init__(self, server):
        self.server, self.c = server, Connection(server.port)
        self.floor = server.name == "floor"
        self.answers = {}  # work: bytes of an answer
        if not self.floor:
            self.experiment = self.call("POST", "experiments/create", {"name": f"bench {time.time()}"})["experiment_id"]

    def call(self, method, path, body=None):
        return self.c.call(method, API + path, body)

    def run(self):
        if self.floor:
            return "0" * 32
        return self.call("POST", "runs/create", {"experiment_id": self.experiment, "start_time": NOW})["run"]["info"]["run_id"]

    def fill(self):
        """Makes the runs that are searched and read."""
        rng = random.Random(6)
        self.runs = []
        for _ in range(FILLED):
            run = self.run()
            self.runs.append(run)
            self.call("POST", "runs/log-batch", {
                "run_id": run,
                "metrics": [{"key": f"m{j}", "value": rng.random(), "timestamp": NOW, "step": 0} for j in range(10)],
                "params": [{"key": f"p{j}", "value": str(rng.randint(0, 9))} for j in range(10)],
                "tags": [{"key": f"t{j}", "value": "x"} for j in range(5)]})
        self.long = []
        for _ in range(5):
            run = self.run()
            self.long.append(run)
            for b in range(10):
                self.call("POST", "runs/log-batch", {"run_id": run, "metrics": [
                    {"key": "loss", "value": rng.random(), "timestamp": NOW, "step": b * 1000 + j} for j in range(1000)]})


def metrics(keys, step=0, points=1):
    return [{"key": k, "value": random.random(), "timestamp": NOW, "step": step + i} for k in keys for i in range(points)]


def requests(side, work, n, first):
    """n requests of a kind of work; first makes those of one round unlike another's."""
    experiment, run = getattr(side, "experiment", "1"), side.run()
    runs, long = getattr(side, "runs", ["0" * 32]), getattr(side, "long", ["0" * 32])
    search = {"experiment_ids": [experiment], "max_results": 100}
    interval = API + "metrics/get-history-bulk-interval?" + "&".join("run_ids=" + r for r in long) + "&metric_key=loss&max_results=320"
    make = {
        "runs/create": lambda i: ("POST", "runs/create", {"experiment_id": experiment, "start_time": NOW, "tags": [{"key": "mlflow.user", "value": "b"}]}),
        "log-metric": lambda i: ("POST", "runs/log-metric", {"run_id": run, "key": "m", "value": i * .5, "timestamp": NOW + i, "step": i}),
        "log-parameter": lambda i: ("POST", "runs/log-parameter", {"run_id": run, "key": f"p{i}", "value": "v"}),
        "log-batch, 1,000 points of one key": lambda i: ("POST", "runs/log-batch", {"run_id": run, "metrics": metrics(["loss"], i * 1000, 1000)}),
        "log-batch, 1,000 keys": lambda i: ("POST", "runs/log-batch", {"run_id": run, "metrics": metrics([f"k{j}" for j in range(1000)], i)}),
        "runs/search, first 100": lambda i: ("POST", "runs/search", {**search, "order_by": ["attributes.start_time DESC"]}),
        "runs/search, filter metric and param": lambda i: ("POST", "runs/search", {**search, "filter": "metrics.m1 > 0.5 AND params.p1 = '3'"}),
        "runs/search, order by metric": lambda i: ("POST", "runs/search", {**search, "order_by": ["metrics.m2 ASC"]}),
        "runs/search, 1,000 on one page": lambda i: ("POST", "runs/search", {**search, "max_results": 50000}),
        "runs/get": lambda i: ("GET", "runs/get?run_id=" + random.choice(runs), None),
        "bulk-interval, 5 runs x 10,000 to 320": lambda i: ("GET", interval[len(API):], None),
        "get-history, 10,000 points": lambda i: ("GET", f"metrics/get-history?run_id={long[0]}&metric_key=loss&max_results=25000", None),
    }[work]
    out = []
    for i in range(first, first + n):
        method, path, body = make(i)
        out.append(side.c.request(method, API + path, body, side.answers.get(work, 0)))
    return out


# Work, requests a round on (ours and the floor, theirs), and the ratio we want.
WORK = [
    ("runs/create", 100, 40, 20),
    ("log-metric", 200, 60, 25),
    ("log-parameter", 200, 60, 20),
    ("log-batch, 1,000 points of one key", 8, 4, 15),
    ("log-batch, 1,000 keys", 8, 4, 15),
    ("runs/search, first 100", 20, 6, 20),
    ("runs/search, filter metric and param", 20, 6, 20),
    ("runs/search, order by metric", 20, 6, 20),
    ("runs/search, 1,000 on one page", 3, 1, 20),
    ("runs/get", 100, 40, 20),
    ("bulk-interval, 5 runs x 10,000 to 320", 10, 4, 50),
    ("get-history, 10,000 points", 10, 3, 25),
]


def crowd(port, batches, begin, done):
    """One of eight clients, a process of its own."""
    c = Connection(port)
    begin.wait()
    for b in batches:
        c.exchange(b)
    done.release()


def eight(side, n):
    """Seconds a batch of 10 metrics takes when eight clients send n each."""
    begin, done = multiprocessing.Event(), multiprocessing.Semaphore(0)
    clients = []
    for _ in range(8):
        run = side.run()
        batches = [side.c.request("POST", API + "runs/log-batch", {"run_id": run, "metrics": metrics([f"k{j}" for j in range(10)], i)}) for i in range(n)]
        clients.append(multiprocessing.Process(target=crowd, args=(side.server.port, batches, begin, done)))
        clients[-1].start()
    time.sleep(.3)
    began = time.perf_counter()
    begin.set()
    for _ in clients:
        done.acquire()
    took = time.perf_counter() - began
    for c in clients:
        c.join()
    return took / (8 * n)


def large(table, server):
    """What a page of a search takes at 100,000 runs, sorted: the 95th of a hundred, and the median of the first pages."""
    c = Connection(server.port)
    search = {"experiment_ids": ["1"], "max_results": 100}
    took = {"filter": [], "first": []}
    for i in range(100):
        rng = random.Random(i)
        metric, bound = rng.randrange(20), rng.random()
        for work, body in (("filter", {**search, "filter": f"metrics.m{metric} > {bound}"}), ("first", search)):
            took[work] += c.timed([c.request("POST", API + "runs/search", body)])
    table.add("a page by a metric's filter of 100,000 runs x 20 metrics, p95", "ms", [sorted(took["filter"])[94] * 1e3], "the limit", [50], 1)
    table.add("the first page of 100,000 runs x 20 metrics, p95", "ms", [sorted(took["first"])[94] * 1e3], "the limit", [20], 1)


def main(binary, floor, fill, python, rounds="5"):
    binary, floor, fill, rounds = os.path.abspath(binary), os.path.abspath(floor), os.path.abspath(fill), int(rounds)
    print(f"load average {os.getloadavg()}, {os.cpu_count()} cores; {subprocess.check_output([python, '-m', 'mlflow', '--version'], text=True).strip()}, one worker; "
          f"{subprocess.check_output([binary, 'version'], text=True).split()[1]}", flush=True)
    table = Table("tracking")
    starts = {"ours": [], "theirs": []}
    with tracking_servers.Servers() as servers:
        for i in range(rounds):
            for side in starts:
                if side == "theirs" and i >= 3:
                    continue  # seconds each
                server = servers.start(side, binary, floor, python)
                starts[side].append(server.start_up)
                servers.stop(server)
        table.add("start to first /health", "s", starts["ours"], "mlflow 3.17.2", starts["theirs"], 40)
        sides = {name: Side(servers.start(name, binary, floor, python)) for name in ("ours", "theirs", "floor")}
        for side in sides.values():
            if not side.floor:
                began = time.perf_counter()
                side.fill()
                print(f"filled {side.server.name} in {time.perf_counter() - began:.1f} s", flush=True)
        for work, n, theirs, goal in WORK:
            sides["floor"].answers[work] = len(sides["ours"].c.exchange(requests(sides["ours"], work, 1, 0)[0]))
            took = {name: [] for name in sides}
            for i in range(rounds):
                for name, side in sides.items():
                    k = theirs if name == "theirs" else n
                    took[name].append(statistics.median(side.c.timed(requests(side, work, k, 1 + i * n))) * 1e3)
            table.add(work, "ms", took["ours"], "mlflow 3.17.2", took["theirs"], goal, floor=took["floor"])
        took = {name: [] for name in sides}
        for i in range(rounds):
            for name, side in sides.items():
                took[name].append(eight(side, 12 if name == "theirs" else 100) * 1e3)
        table.add("log-batch, 10 metrics, 8 clients: a batch", "ms", took["ours"], "mlflow 3.17.2", took["theirs"], 20, floor=took["floor"])
        memory = {name: [side.server.megabytes()] for name, side in sides.items()}
        table.add("memory of the whole process tree, after all this", "MB", memory["ours"], "mlflow 3.17.2", memory["theirs"], 20, floor=memory["floor"])
        for side in sides.values():
            servers.stop(side.server)
        large(table, servers.start("ours", binary, floor, python, filled=fill))
    table.finish()


if __name__ == "__main__":
    main(*sys.argv[1:])
