"""Times what an engine does all day: ours, DBOS Go and go-workflows on SQLite, and Prefect, in turn and in one run;
then what only ours promises, against its goal.

    python engine.py TAXIMETER HELLO HISTORY_BENCH ENGINES [ROUNDS [WORDS]]

HISTORY_BENCH is the test binary of ./engine/history, ENGINES the program of scripts/bench/engines; this Python has
Prefect. Only works with all WORDS in their name are done: "process no-op" is our race with DBOS Go.
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
SYNCED = 200, 1000  # DBOS Go's where it waits for the disk each time
SLOW = 100, 200  # go-workflows' and Prefect's, which are slow
DBOS, GO_WORKFLOWS, PREFECT = "DBOS Go 1.0.0", "go-workflows 1.4.1", "Prefect"


def ours(binary, name, parts, times):
    """The metrics of one Go benchmark, by the part and the unit, where it has parts of those only."""
    pattern = f"^{name}$" + (f"/^({'|'.join(parts)})$" if parts else "")
    out = subprocess.run([binary, "-test.run", "^$", "-test.bench", pattern, "-test.benchtime", times],
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


def lateness(_, hello, seconds=40):
    """How late runs begin, in ms, p99, of a schedule each two seconds, each run in a process of its own."""
    server = Server(hello)
    subprocess.run([hello, "deploy", "hello", "-n", "often", "--interval", "2", "--home", server.home], check=True, capture_output=True)
    time.sleep(seconds)
    out = subprocess.run([hello, "flow-run", "ls", "--limit", "1000", "--json", "--home", server.home], check=True, capture_output=True, text=True).stdout
    server.stop()
    at = lambda text: time.mktime(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")) + float("0" + (re.search(r"\.\d+", text) or re.match("", "")).group(0) or 0)
    late = sorted((at(r["start_time"]) - max(at(r["expected_start_time"]), at(r["created"]))) * 1000 for r in json.loads(out)["flow_runs"] if r["start_time"])
    return late[min(len(late) - 1, len(late) * 99 // 100)]


def idle(taximeter, _):
    """What a server that has nothing to do keeps in memory, in MB."""
    server = Server(taximeter)
    time.sleep(3)
    rss = server.resident()
    server.stop()
    return rss


# What is timed: the work, its unit, our benchmark and which metric of it, by how much that is divided, the goal (the most
# that it may be, or with a rate the least) and what the peers call it.
WORKS = [
    ("no-op task after no-op task, p50, process", "ms", "Sequential/process", "p50-µs", 1000, 0.3, "sequential_ms"),
    ("no-op task after no-op task, p50, power", "ms", "Sequential/power", "p50-µs", 1000, None, "power_sequential_ms"),
    ("fan-out of 10,000, process", "tasks/s", "FanOut/process", "tasks/s", 1, 10_000, "fanout_rate"),
    ("fan-out of 10,000, power", "tasks/s", "FanOut/power", "tasks/s", 1, None, "power_fanout_rate"),
    ("fan-out of 10,000, memory it takes", "MB", "FanOut/process", "MB-more", 1, 60, None),
    ("cached hit, p50", "ms", "CachedHit", "p50-µs", 1000, 0.5, "cached_ms"),
    ("ad-hoc start, p50, process", "ms", "AdHocStart/process", "p50-µs", 1000, 20, "start_ms"),
    ("ad-hoc start, p50, power", "ms", "AdHocStart/power", "p50-µs", 1000, 20, "power_start_ms"),
    ("ad-hoc start, p95, process", "ms", "AdHocStart/process", "p95-µs", 1000, 20, None),
    ("ad-hoc start, p95, power", "ms", "AdHocStart/power", "p95-µs", 1000, 20, None),
    ("schedule lateness, p99", "ms", lateness, None, 1, 250, None),
    ("restart with 100 running runs", "ms", "Restart", "ns/op", 1e6, 1000, None),
    *((f"list of 100,000 runs, {which}, p95", "ms", f"ListOf100000/{which}", "p95-µs", 1000, 50, None)
      for which in ("all", "flow", "scheduled", "window", "before", "subflows")),
    ("log lines", "lines/s", "LogLines", "lines/s", 1, 20_000, None),
    ("idle server", "MB", idle, None, 1, 60, None),
]
TIMES = {"Sequential": f"{SEQUENTIAL}x", "FanOut": "1x", "CachedHit": "2000x", "AdHocStart": "300x", "Restart": "1x", "LogLines": "100000x", "ListOf100000": "100x"}
# Each peer, how it is run, and what its figures are called. DBOS Go and Prefect set SQLite to synchronous=NORMAL, which is our
# process; go-workflows leaves it at FULL, which is our power, and DBOS Go can be told to.
PEERS = [
    (DBOS, "dbos", (SEQUENTIAL, FANOUT), lambda key: key),
    (DBOS, "dbos-power", SYNCED, lambda key: "power_" + key),
    (GO_WORKFLOWS, "go-workflows", SLOW, lambda key: "power_" + key),
    (PREFECT, None, SLOW, lambda key: key),
]


def main():
    taximeter, hello, bench, engines = map(os.path.abspath, sys.argv[1:5])
    rounds = int(sys.argv[5]) if len(sys.argv) > 5 else 5
    words = sys.argv[6].split() if len(sys.argv) > 6 else []
    works = [w for w in WORKS if all(word in w[0] for word in words)]
    shared = {w[6] for w in works if w[6]}
    mine, theirs, version = {}, {}, ""

    parts = {}
    for name, _, part in (w[2].partition("/") for w in works if isinstance(w[2], str)):
        parts.setdefault(name, set()).update([part] if part else [])
    for n in range(rounds):
        for name in parts:
            for (part, unit), value in ours(bench, "Benchmark" + name, sorted(parts[name]), TIMES[name]).items():
                mine.setdefault((f"{name}/{part}".strip("/"), unit), []).append(value)
        for peer, command, sizes, called in PEERS:
            sizes = [str(n) for n in sizes]
            if not shared & {called(key) for key in ("sequential_ms", "fanout_rate", "start_ms", "cached_ms")}:
                continue
            if command is None and n < 2:  # most of a minute each
                found = rival(sys.executable, os.path.join(HERE, "engine_prefect.py"), *sizes)
                version = found.pop("version")
            elif command is None:
                continue
            else:
                with tempfile.TemporaryDirectory() as d:
                    found = rival(engines, command, os.path.join(d, "db"), *sizes)
            for key, value in found.items():
                theirs.setdefault(called(key), {}).setdefault(peer, []).append(value)
        print(f"round {n + 1} of {rounds}", flush=True)

    rows = []
    for work, unit, by, metric, divisor, goal, key in works:
        value = by(taximeter, hello) if callable(by) else statistics.median(mine[by, metric]) / divisor
        more = unit.endswith("/s")
        held = goal is None or (value >= goal if more else value <= goal)
        row = {"work": work, "unit": unit, "ours": value, "peer": "", "theirs": None, "ratio": None, "goal": goal, "held": held}
        for peer, values in theirs.get(key, {}).items():
            other = statistics.median(values)
            rows.append(dict(row, peer=peer, theirs=other, ratio=value / other if more else other / value))
        if key not in theirs:
            rows.append(row)

    print(f"\n{os.cpu_count()} processors, {rounds} rounds, medians; Prefect {version or 'not run'}; "
          f"sequential {SEQUENTIAL:,} and fan-out {FANOUT:,}, of DBOS Go at power {SYNCED[0]} and {SYNCED[1]:,}, of go-workflows and Prefect {SLOW[0]} and {SLOW[1]}")
    head = ["work", "unit", "ours", "theirs", "ratio", "goal", ""]
    lines = [head]
    for r in rows:
        more = r["unit"].endswith("/s")
        goal = "" if r["goal"] is None else ("≥ " if more else "≤ ") + f"{r['goal']:,}"
        lines.append([r["work"], r["unit"], f"{r['ours']:,.4g}" if r["ours"] < 1000 else f"{r['ours']:,.0f}",
                      f"{r['theirs']:.4g} ({r['peer']})" if r["theirs"] else "", ratio(r["ratio"]), goal,
                      ", ".join(["MISSED"] * (not r["held"]) + ["BEHIND"] * bool(r["ratio"] and r["ratio"] < 1))])
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    for line in lines:
        print("  ".join(cell.ljust(w) for cell, w in zip(line, widths)).rstrip())
    os.makedirs("build/bench", exist_ok=True)
    with open("build/bench/engine.jsonl", "w") as f:
        for r in rows:
            f.write(json.dumps(r, ensure_ascii=False) + "\n")


main()
