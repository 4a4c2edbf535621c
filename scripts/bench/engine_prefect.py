"""Does the no-op work of bench-engine on Prefect, in a home of its own. Prints one JSON object.

    python engine_prefect.py SEQUENTIAL FANOUT
"""
import json
import os
import statistics
import sys
import tempfile
import time

os.environ.update(PREFECT_HOME=tempfile.mkdtemp(), DO_NOT_TRACK="1", PREFECT_LOGGING_LEVEL="ERROR", PREFECT_SERVER_LOGGING_LEVEL="ERROR",
                  PREFECT_SERVER_ANALYTICS_ENABLED="false")

import prefect  # noqa: E402

SEQUENTIAL, FANOUT = int(sys.argv[1]), int(sys.argv[2])


@prefect.task
def noop(n):
    return n


@prefect.task(cache_key_fn=lambda context, args: f"n-{args['n']}", persist_result=True)
def kept(n):
    return n


def timed(do, n):
    times = []
    for i in range(n):
        begun = time.perf_counter()
        do(i)
        times.append((time.perf_counter() - begun) * 1000)
    return times


@prefect.flow
def sequential():
    return timed(noop, SEQUENTIAL)


@prefect.flow
def fanout():
    begun = time.perf_counter()
    for f in [noop.submit(i) for i in range(FANOUT)]:
        f.result()
    return FANOUT / (time.perf_counter() - begun)


@prefect.flow
def cached():
    kept(1)
    return timed(lambda _: kept(1), 100)


@prefect.flow
def nothing(begun):
    return (time.perf_counter() - begun) * 1000


nothing(time.perf_counter())  # the first starts its server
starts = [nothing(time.perf_counter()) for _ in range(10)]
print(json.dumps({"version": prefect.__version__, "sequential_ms": statistics.median(sequential()), "fanout_rate": fanout(),
                  "cached_ms": statistics.median(cached()), "start_ms": statistics.median(starts)}))
