#!/usr/bin/env python3
"""Measures the gateway and a worker against nginx, and cold starts.

    make bench                          builds, and runs this
    Tests/Benchmarks/bench.py --help    what can be changed

The function is `echo` of the fixtures: synchronous, raw bytes in, the same bytes out, one worker with many requests in flight.
nginx answers the same requests with as many bytes by `return 200`, without a log. All listen on loopback, on ports of their own;
the rounds take turns, so that a slow minute of the machine meets everybody. Processor time is what the kernel counts for the
host and its workers (or for nginx' processes) over a round, divided by the requests of the round; the load generator's own is
not in it. Everything that is started here is ended here, by its process id.
"""

import argparse
import contextlib
import json
import os
import platform
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
TICK = os.sysconf("SC_CLK_TCK")


class Failure(Exception):
    """Why there is no figure, in a sentence."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(condition, seconds, message):
    """What `condition` returns once it is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.005)
    raise Failure(message)


def processor_seconds(pids):
    """User and system time of the processes that are still there."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
    return total / TICK


def stop(process, seconds=15):
    """Asks a process of ours to end, and makes it if it does not."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Host:
    """A `swiftlet serve` with the fixtures' bundle in a directory of its own."""

    def __init__(self, build, name, home, scale, level):
        self.name = name
        home.mkdir()
        functions = home / "Functions"
        described = subprocess.run(
            [build / "fixtures", "--describe"], capture_output=True, text=True, check=True, timeout=20
        ).stdout
        # A host wants a manifest for every function of its bundle.
        for line in described.splitlines():
            function = json.loads(line)["name"]
            (functions / function).mkdir(parents=True)
            (functions / function / "function.yaml").write_text(f"name: {function}\n")
        (functions / "echo" / "function.yaml").write_text(
            "name: echo\n"
            "triggers:\n  http:\n    - {method: POST, path: /echo}\n"
            f"limits: {{timeout: 10s, payload: 1MiB, perWorker: 128, maxInFlight: 256, queue: 256}}\n"
            f"scale: {scale}\n"
        )
        (home / "schedules").mkdir()
        self.data = home / "data"
        config = home / "swiftlet.yaml"
        config.write_text(
            "gateway: {port: 0}\nadmin: {port: 0}\n"
            f"data: {self.data}\nbundle: {build / 'fixtures'}\nfunctions: {functions}\nschedules: {home / 'schedules'}\n"
            f"log: {{level: {level}, format: none}}\n"
        )
        self.output = (home / "output").open("w+")
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("SWIFTLET_", "OPENAI_", "REDIS_"))}
        self.process = subprocess.Popen(
            [build / "swiftlet", "serve", "--config", config],
            stdin=subprocess.DEVNULL, stdout=self.output, stderr=subprocess.STDOUT, env=clean, cwd=home,
        )
        try:
            note = until(self.ready, 30, "the host was not ready within 30 s")
        except Failure as failure:
            stop(self.process)
            self.output.seek(0)
            raise Failure(f"{failure}: {self.output.read()[-2000:]}") from None
        self.admin = note["admin"]
        self.port = int(note["gateway"].rpartition(":")[2])
        self.path = "/echo"

    def ready(self):
        if self.process.poll() is not None:
            raise Failure(f"the host ended with {self.process.returncode}")
        with contextlib.suppress(OSError, ValueError):
            return json.loads((self.data / "host.json").read_text())

    def workers(self):
        with urllib.request.urlopen(f"{self.admin}/v1/functions", timeout=5) as reply:
            functions = json.load(reply)["functions"]
        return next(function["pids"] for function in functions if function["name"] == "echo")

    def cold_starts(self):
        with urllib.request.urlopen(f"{self.admin}/metrics", timeout=5) as reply:
            text = reply.read().decode()
        found = re.search(r'^swiftlet_cold_starts_total\{function="echo"\} ([0-9.e+]+)', text, re.M)
        return round(float(found[1])) if found else 0

    def pids(self):
        return [self.process.pid] + self.workers()

    def stop(self):
        stop(self.process)
        self.output.close()


class Nginx:
    """One worker process of Debian's nginx, answering by itself."""

    name = "nginx return 200"

    def __init__(self, home, size):
        program = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
        if not program:
            raise Failure("nginx is not installed; run deploy/install-packages bench")
        home.mkdir()
        self.port = free_port()
        self.path = "/echo"
        config = home / "nginx.conf"
        temporary = "".join(
            f"    {kind}_temp_path {home}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        config.write_text(
            f"{'user root;' if os.getuid() == 0 else ''}\n"
            f"daemon off; worker_processes 1; pid {home}/pid; error_log {home}/error.log;\n"
            "events { worker_connections 1024; }\n"
            "http {\n    access_log off; keepalive_requests 100000000; keepalive_timeout 600s;\n" + temporary +
            f"    server {{ listen 127.0.0.1:{self.port}; default_type application/octet-stream;\n"
            f"        location / {{ return 200 \"{'x' * size}\"; }} }}\n}}\n"
        )
        self.process = subprocess.Popen(
            [program, "-p", home, "-c", config, "-e", home / "error.log"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )
        until(self.answers, 10, "nginx does not answer")

    def answers(self):
        if self.process.poll() is not None:
            raise Failure(f"nginx ended: {self.process.stderr.read()[-1000:]}")
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True

    def pids(self):
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [self.process.pid] + [int(pid) for pid in children]

    def stop(self):
        stop(self.process)


def load(server, connections, seconds, script):
    """One round of wrk: requests a second, microseconds at the median, processor microseconds a request."""
    pids = server.pids()
    before = processor_seconds(pids)
    result = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", script,
         f"http://127.0.0.1:{server.port}{server.path}"],
        capture_output=True, text=True, timeout=seconds + 30,
    )
    used = processor_seconds(pids) - before
    text = result.stdout
    requests = re.search(r"(\d+) requests in", text)
    median = re.search(r"50%\s+([0-9.]+)(us|ms|s)", text)
    if result.returncode or not requests or not median or not int(requests[1]):
        raise Failure(f"wrk against {server.name} failed: {result.stderr}{text}")
    if "Non-2xx" in text or "Socket errors" in text:
        raise Failure(f"{server.name} gave errors:\n{text}")
    rate = float(re.search(r"Requests/sec:\s+([0-9.]+)", text)[1])
    return rate, float(median[1]) * {"us": 1, "ms": 1e3, "s": 1e6}[median[2]], used / int(requests[1]) * 1e6


class Client:
    """One kept connection; as little of Python as can be in the measured time."""

    def __init__(self, port, body):
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.request = (
            f"POST /echo HTTP/1.1\r\nHost: bench\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        )
        self.body = body

    def milliseconds(self):
        began = time.perf_counter_ns()
        self.socket.sendall(self.request)
        reply = b""
        while not reply.endswith(self.body):
            piece = self.socket.recv(65536)
            if not piece:
                raise Failure("the host closed the connection")
            reply += piece
        ended = time.perf_counter_ns()
        if not reply.startswith(b"HTTP/1.1 200"):
            raise Failure(f"the host answered {reply[:200]!r}")
        return (ended - began) / 1e6


def cold_starts(build, home, count, body):
    """Each request finds no worker: the last one was retired for its idleness. The same with a worker that is there."""
    host = Host(build, "cold", home, "{min: 0, max: 1, idle: 100ms}", "info")
    try:
        client = Client(host.port, body)
        cold, warm = [], []
        for _ in range(count + 1):
            until(lambda: not host.workers(), 10, "an idle worker is not retired")
            before = host.cold_starts()
            cold.append(client.milliseconds())
            if host.cold_starts() != before + 1:
                raise Failure("a request that should have been cold was not")
            client.milliseconds()
            warm.append(client.milliseconds())
        # The first start reads the executable from disk.
        return cold[1:], warm[1:]
    finally:
        host.stop()


def spread(values):
    return f"{min(values):.1f}–{max(values):.1f}"


def report(results, servers, cold, warm, options):
    def median(name, connections, index):
        return statistics.median(row[index] for row in results[name, connections])

    print(f"\nmachine: {os.cpu_count()} processors, {processor_name()}, {platform.system()} {platform.release()}")
    print(f"load: wrk, 1 thread, POST of {options.size} bytes, {options.rounds} rounds of {options.seconds} s each, in turns; medians\n")
    print(f"{'':26}{'connections':>12}{'requests/s':>12}{'p50 µs':>10}{'CPU µs/req':>12}{'from–to':>14}{'× nginx p50':>13}{'× nginx CPU':>13}")
    for connections in options.connections:
        base = [median(Nginx.name, connections, index) for index in range(3)]
        for server in servers:
            rate, p50, used = (median(server, connections, index) for index in range(3))
            each = spread([row[2] for row in results[server, connections]])
            ratio = f"{used / base[2]:13.1f}" if base[2] else f"{'-':>13}"
            print(f"{server:26}{connections:12d}{rate:12.0f}{p50:10.0f}{used:12.1f}{each:>14}{p50 / base[1]:13.1f}{ratio}")
        print()
    if cold:
        print(
            f"cold start, request to reply with the spawn of a worker in between: median {statistics.median(cold):.1f} ms "
            f"({spread(cold)}, {len(cold)} times); the same with a worker at hand: median {statistics.median(warm):.2f} ms"
        )


def processor_name():
    found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return found[1] if found else platform.machine()


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each (5)")
    parser.add_argument("--seconds", type=int, default=2, help="seconds a round (2)")
    parser.add_argument("--size", type=int, default=128, help="bytes of a body (128)")
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 64], help="connections (1 64)")
    parser.add_argument("--cold", type=int, default=20, help="cold starts (20)")
    parser.add_argument("--json", type=Path, help="write all figures to this file as well")
    parser.add_argument(
        "--build", type=Path, default=PROJECT / ".build" / "release", help="where the executables are (.build/release)"
    )
    options = parser.parse_args()
    options.build = options.build.absolute()
    for program in ("swiftlet", "fixtures"):
        if not os.access(options.build / program, os.X_OK):
            raise Failure(f"there is no {program} in {options.build}; run make bench")
    if not shutil.which("wrk"):
        raise Failure("wrk is not installed; run deploy/install-packages bench")

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="swiftlet-bench-") as folder, contextlib.ExitStack() as stack:
        home = Path(folder)
        script = home / "post.lua"
        script.write_text(f'wrk.method = "POST"\nwrk.body = string.rep("x", {options.size})\n')
        servers = [Nginx(home / "nginx", options.size)]
        stack.callback(servers[0].stop)
        for name, level in (("swiftlet", "info"), ("swiftlet, no log line", "error")):
            host = Host(options.build, name, home / level, "{min: 1, max: 1, idle: 600s}", level)
            servers.append(host)
            stack.callback(host.stop)
        results = {}
        for server in servers:
            load(server, max(options.connections), 1, script)
        for number in range(options.rounds):
            print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
            for connections in options.connections:
                for server in servers:
                    row = load(server, connections, options.seconds, script)
                    results.setdefault((server.name, connections), []).append(row)
        stack.close()
        cold, warm = cold_starts(options.build, home / "cold", options.cold, b"x" * options.size) if options.cold else ([], [])
        report(results, [server.name for server in servers], cold, warm, options)
        if options.json:
            rows = [
                {"server": name, "connections": connections, "rate": row[0], "p50_us": row[1], "cpu_us": row[2]}
                for (name, connections), all_rows in results.items() for row in all_rows
            ]
            options.json.write_text(json.dumps({"rounds": rows, "cold_ms": cold, "warm_ms": warm}, indent=1) + "\n")


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"bench: {failure}")
