"""Starts and ends the servers that tracking.py compares, on fresh files each."""
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

QUIET = {"DO_NOT_TRACK": "1", "MLFLOW_DISABLE_TELEMETRY": "true", "GIT_PYTHON_REFRESH": "quiet"}


class Server:
    def __init__(self, name, port, process, home, start_up):
        self.name, self.port, self.process, self.home, self.start_up = name, port, process, home, start_up

    def tree(self):
        """The ids of the server's process and of all below it."""
        parents = {}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/stat") as f:
                    parents[int(pid)] = int(f.read().rsplit(")", 1)[1].split()[1])
            except FileNotFoundError:
                pass
        tree, grown = {self.process.pid}, True
        while grown:
            below = {p for p, parent in parents.items() if parent in tree}
            grown = not below <= tree
            tree |= below
        return tree

    def megabytes(self):
        """Resident memory, the parts that processes share counted once (PSS)."""
        total = 0
        for pid in self.tree():
            with open(f"/proc/{pid}/smaps_rollup") as f:
                total += next(int(line.split()[1]) for line in f if line.startswith("Pss:"))
        return total / 1024


class Servers:
    """Ends what it started."""

    def __enter__(self):
        self.running = []
        return self

    def __exit__(self, *_):
        for server in list(self.running):
            self.stop(server)

    def start(self, name, binary, floor, python, filled=None):
        """Starts a server on a fresh home, or ours on one that the program filled fills."""
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        home = tempfile.mkdtemp(prefix="taximeter-bench-")
        if filled:
            subprocess.run([filled, home], check=True, stdout=subprocess.DEVNULL)
        command = {
            "ours": [binary, "mlflow-server", "--backend-store-uri", f"sqlite:///{home}/registry.db",
                     "--artifacts-destination", f"{home}/artifacts", "--host", "127.0.0.1", "--port", str(port)],
            "theirs": [python, "-m", "mlflow", "server", "--backend-store-uri", f"sqlite:///{home}/mlflow.db",
                       "--artifacts-destination", f"{home}/artifacts", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"],
            "floor": [floor, "-addr", f"127.0.0.1:{port}"],
        }[name]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("MLFLOW_")} | QUIET
        log = open(f"{home}/log", "w")
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=home, env=environment, stdout=log, stderr=log, start_new_session=True)
        server = Server(name, port, process, home, 0)
        self.running.append(server)
        while not healthy(port):
            if process.poll() is not None or time.perf_counter() - began > 300:
                sys.exit(f"{command} does not answer:\n{open(f'{home}/log').read()}")
            time.sleep(.002)
        server.start_up = time.perf_counter() - began
        return server

    def stop(self, server):
        os.killpg(server.process.pid, signal.SIGKILL)
        server.process.wait()
        self.running.remove(server)
        shutil.rmtree(server.home, ignore_errors=True)


def healthy(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as s:
            s.sendall(f"GET /health HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
            return b" 200 " in s.recv(100)
    except OSError:
        return False
