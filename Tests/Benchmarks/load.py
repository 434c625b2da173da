"""Rounds of load by wrk, and a client of one request at a time."""

import http.client
import json
import socket
import subprocess
import time

from processes import Failure, processor_seconds

SCRIPT = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = [==[%s]==]
done = function(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format("figures %%d %%d %%d %%d %%d %%d\\n", summary.requests, summary.duration,
        latency:percentile(50), latency:percentile(99), latency:percentile(99.9),
        errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
"""


def body_of(size):
    """An order as JSON of so many bytes; the fixtures' `typed-echo` reads and writes the same."""
    order = {
        "id": "order-1000001", "created": "2026-01-31T09:30:00Z", "channel": "app",
        "customer": {
            "id": 4712, "name": "Mara Österreicher", "email": "mara@example.org", "street": "Hauptstraße 12",
            "city": "Wien", "returning": True,
        },
        "items": [], "total": 389.15, "currency": "EUR", "note": "",
    }
    text = json.dumps(order, separators=(",", ":"), ensure_ascii=False)
    order["note"] = "x" * (size - len(text.encode()))
    return json.dumps(order, separators=(",", ":"), ensure_ascii=False).encode()


def check(server, body):
    """Refuses a server that does not answer with what it was sent."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        connection.request("POST", server.path, body, {"Content-Type": "application/json"})
        reply = connection.getresponse()
        answer = reply.read()
    finally:
        connection.close()
    try:
        same = reply.status == 200 and json.loads(answer) == json.loads(body)
    except ValueError:
        same = False
    if not same:
        raise Failure(f"{server.name} answered {reply.status} {answer[:200]!r}{server.words()}")


def wrk(server, connections, seconds, script):
    """One round: requests a second, microseconds at three percentiles, processor microseconds a request."""
    pids = server.pids()
    before = processor_seconds(pids)
    result = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", script, f"http://127.0.0.1:{server.port}{server.path}"],
        capture_output=True, text=True, timeout=seconds + 60,
    )
    used = processor_seconds(pids) - before
    line = next((line for line in result.stdout.splitlines() if line.startswith("figures ")), None)
    if result.returncode or not line:
        raise Failure(f"wrk against {server.name} failed: {result.stderr}{result.stdout}")
    requests, duration, p50, p99, p999, errors = (int(word) for word in line.split()[1:])
    if errors or not requests:
        raise Failure(f"{server.name} gave {errors} errors to {requests} requests:\n{result.stdout}{server.words()}")
    return {
        "rate": requests / duration * 1e6, "p50": p50, "p99": p99, "p999": p999, "cpu": used / requests * 1e6,
    }


class Client:
    """One kept connection; as little of Python as can be in the measured time."""

    def __init__(self, port, path, body):
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.request = (
            f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        )
        self.body = body

    def milliseconds(self):
        """How long a request took whose reply is its own body."""
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
