"""Times what an engine does all day: ours, DBOS Go and go-workflows on SQLite, and Prefect, in turn and in one run;
then what only ours promises, against its goal.

    python engine.py TAXIMETER HELLO HISTORY_BENCH ENGINES [ROUNDS]

HISTORY_BENCH is the test binary of ./engine/history, ENGINES the program of scripts/bench/engines; this Python has
Prefect.
"""
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SEQUENTIAL, FANOUT = 2000, 10_000  # ours, and DBOS Go's
SLOW = 100, 200  # go-workflows' and Prefect's, which are slow
DBOS, GO_WORKFLOWS, PREFECT = "DBOS Go 1.0.0", "go-workflows 1.4.1", "Prefect"


def ours(binary, name, times):
    """The metrics of one Go benchmark: its name's last part, if it has one, and the unit."""
    out = subprocess.run([binary, "-test.run", "^$", "-test.bench", f"^{name}$", "-test.benchtime", times],
                         capture_output=True, text=True, check=True, env=dict(os.environ, GOMAXPROCS="2"), cwd=tempfile.mkdtemp()).stdout
    found = {}
    for line in out.splitlines():
        if line.startswith("Benchmark"):
            part = re.match(r"Benchmark\w+?(?:/(\w+))?(?:-\d+)?\s", line).group(1) or ""
            for value, unit in re.findall(r"([\d.e+]+) ([\w/µ-]+)", line.split("\t", 1)[1]):
                found[part, unit] = float(value)
    return found


def rival(*command):
    out = subprocess.run(command, capture_output=True, text=True)
    if out.returncode:
        sys.exit(f"{command[0]}: {out.stderr[-2000:]}")
    return json.loads(out.stdout.strip().splitlines()[-1])


def ratio(value):
    """How many times as good ours is: below 1, theirs is better."""
    return "" if value is None else f"{value:,.0f}×" if value >= 10 else f"{value:.2f}×"


class Server:
    """A server of ours on a home of its own."""

    def __init__(self, program):
        self.home = tempfile.mkdtemp()
        self.process = subprocess.Popen([program, "server", "--home", self.home, "--addr", "127.0.0.1:0", "--json"],
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.url = json.loads(self.process.stdout.readline())["url"]

    def resident(self):
        with open(f"/proc/{self.process.pid}/status") as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1)) / 1024

    def stop(self):
        self.process.terminate()
        self.process.wait()


def lateness(hello, seconds=40):
    """How late runs begin, in ms, of a schedule each two seconds, each run in a process of its own."""
    server = Server(hello)
    subprocess.run([hello, "deploy", "hello", "-n", "often", "--interval", "2", "--home", server.home], check=True, capture_output=True)
    time.sleep(seconds)
    out = subprocess.run([hello, "flow-run", "ls", "--limit", "1000", "--json", "--home", server.home], check=True, capture_output=True, text=True).stdout
    server.stop()
    at = lambda text: time.mktime(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")) + float("0" + (re.search(r"\.\d+", text) or re.match("", "")).group(0) or 0)
    return [(at(r["start_time"]) - max(at(r["expected_start_time"]), at(r["created"]))) * 1000 for r in json.loads(out)["flow_runs"] if r["start_time"]]


def main():
    taximeter, hello, bench, engines = map(os.path.abspath, sys.argv[1:5])
    rounds = int(sys.argv[5]) if len(sys.argv) > 5 else 5
    peers = {DBOS: [], GO_WORKFLOWS: [], PREFECT: []}
    mine = {}

    def keep(found):
        for key, value in found.items():
            mine.setdefault(key, []).append(value)

    for n in range(rounds):
        for name, times in [("Sequential", f"{SEQUENTIAL}x"), ("FanOut", "1x"), ("CachedHit", "2000x"), ("AdHocStart", "300x"), ("Restart", "1x"), ("LogLines", "100000x")]:
            keep({(name, *key): value for key, value in ours(bench, "Benchmark" + name, times).items()})
        for peer, name, sizes in [(DBOS, "dbos", (SEQUENTIAL, FANOUT)), (GO_WORKFLOWS, "go-workflows", SLOW)]:
            with tempfile.TemporaryDirectory() as d:
                peers[peer].append(rival(engines, name, os.path.join(d, "db"), *map(str, sizes)))
        if n < 2:  # most of a minute each
            peers[PREFECT].append(rival(sys.executable, os.path.join(HERE, "engine_prefect.py"), *map(str, SLOW)))
        print(f"round {n + 1} of {rounds}", flush=True)
    for key, value in ours(bench, "BenchmarkListOf100000", "100x").items():
        mine["List", *key] = [value]
    late = sorted(lateness(hello))
    server = Server(taximeter)
    time.sleep(3)
    rss = server.resident()
    server.stop()

    m = {key: statistics.median(values) for key, values in mine.items()}
    rows = []

    def add(work, unit, value, goal, key=None, more=False, without=()):
        """goal is the most that value may be, or with more the least. without are the peers that have another durability."""
        held = value >= goal if more else value <= goal
        if not key:
            rows.append({"work": work, "unit": unit, "ours": value, "peer": "", "theirs": None, "ratio": None, "goal": goal, "held": held})
        for peer, found in peers.items():
            if key and key in found[0] and peer not in without:
                theirs = statistics.median(f[key] for f in found)
                rows.append({"work": work, "unit": unit, "ours": value, "peer": peer, "theirs": theirs,
                             "ratio": value / theirs if more else theirs / value, "goal": goal, "held": held})

    # go-workflows leaves SQLite at synchronous=FULL, which is our power; DBOS Go and Prefect set NORMAL, our process.
    process, power = (DBOS, PREFECT), (GO_WORKFLOWS,)
    add("no-op task after no-op task, p50, process", "ms", m["Sequential", "process", "p50-µs"] / 1000, 0.3, "sequential_ms", without=power)
    add("the same, p50, power", "ms", m["Sequential", "power", "p50-µs"] / 1000, float("inf"), "sequential_ms", without=process)
    add("fan-out of 10,000, process", "tasks/s", m["FanOut", "process", "tasks/s"], 10_000, "fanout_rate", more=True, without=power)
    add("the same, power", "tasks/s", m["FanOut", "power", "tasks/s"], 0, "fanout_rate", more=True, without=process)
    add("cached hit, p50", "ms", m["CachedHit", "", "p50-µs"] / 1000, 0.5, "cached_ms")
    add("ad-hoc start, p50, process", "ms", m["AdHocStart", "process", "p50-µs"] / 1000, 20, "start_ms", without=power)
    add("the same, power", "ms", m["AdHocStart", "power", "p50-µs"] / 1000, 20, "start_ms", without=process)
    add("ad-hoc start, p95, process", "ms", m["AdHocStart", "process", "p95-µs"] / 1000, 20)
    add("the same, power", "ms", m["AdHocStart", "power", "p95-µs"] / 1000, 20)
    add(f"schedule lateness, p99 of {len(late)}", "ms", late[min(len(late) - 1, len(late) * 99 // 100)], 250)
    add("restart with 100 running runs", "ms", m["Restart", "", "ns/op"] / 1e6, 1000)
    add("list of runs, 100,000 rows, p95", "ms", m["List", "", "p95-µs"] / 1000, 50)
    add("log lines", "lines/s", m["LogLines", "", "lines/s"], 20_000, more=True)
    add("idle server", "MB", rss, 60)

    print(f"\n{os.cpu_count()} processors, {rounds} rounds, medians; Prefect {peers[PREFECT][0]['version']}; "
          f"sequential {SEQUENTIAL:,} and fan-out {FANOUT:,}, of go-workflows and Prefect {SLOW[0]} and {SLOW[1]}")
    head = ["work", "unit", "ours", "theirs", "ratio", "goal", ""]
    lines = [head]
    for r in rows:
        more = r["unit"].endswith("/s")
        goal = "" if r["goal"] in (0, float("inf")) else ("≥ " if more else "≤ ") + f"{r['goal']:,}"
        lines.append([r["work"], r["unit"], f"{r['ours']:,.4g}" if r["ours"] < 1000 else f"{r['ours']:,.0f}",
                      f"{r['theirs']:.4g} ({r['peer']})" if r["theirs"] else "", ratio(r["ratio"]), goal,
                      ", ".join(["MISSED"] * (not r["held"]) + ["BEHIND"] * bool(r["ratio"] and r["ratio"] < 1))])
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    for line in lines:
        print("  ".join(cell.ljust(w) for cell, w in zip(line, widths)).rstrip())
    os.makedirs("build/bench", exist_ok=True)
    with open("build/bench/engine.jsonl", "w") as f:
        for r in rows:
            r["goal"] = None if r["goal"] == float("inf") else r["goal"]
            f.write(json.dumps(r, ensure_ascii=False) + "\n")


main()
