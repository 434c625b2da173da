#!/usr/bin/env python3
"""Measures what idle server-sent event streams and WebSocket connections cost in memory.

    Tests/Benchmarks/idle_streams.py [--clients 1000] [--build .build/release]

One host with one worker of the fixtures holds the clients; each gets one event, or says one message, and is silent from then on.
Printed is the private memory of the host and of the worker, before and with the clients, as smaps_rollup of the kernel has it.
"""

import argparse
import asyncio
import base64
import json
import os
import resource
import tempfile
from pathlib import Path

from host import Host
from processes import PROJECT, Failure, memory

MANIFESTS = {
    "ticker": "triggers: {http: [{method: GET, path: /ticker}]}\n"
    "limits: {timeout: 1h, perWorker: 1000, maxInFlight: 2000, queue: 2000}\nscale: {min: 1, max: 1}\n",
    "socket": "triggers: {websocket: [{path: '/socket/{room}', maxConnections: 2000}]}\n"
    "limits: {perWorker: 100, queue: 2000}\nscale: {min: 1, max: 1}\n",
}
STREAM = b"GET /ticker?idle=1 HTTP/1.1\r\nHost: test\r\nAccept: text/event-stream\r\n\r\n"
SOCKET = (
    b"GET /socket/all HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: " + base64.b64encode(bytes(16)) + b"\r\n\r\n"
)
# The text `hello` in a frame with a mask of zeros.
HELLO = b"\x81\x85\0\0\0\0hello"


async def connect(port, request, answer):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    await asyncio.wait_for(reader.readuntil(answer), 30)
    return writer


async def hold(host, function, count, request, answer):
    """The memory of host and worker before, and with `count` clients."""
    warm = await connect(host.port, request, answer)
    await asyncio.sleep(1)
    pids = {"host": [host.processes[0].pid], "worker": host.workers(function)}
    before = {name: memory(pids[name])["private"] for name in pids}
    clients = [warm]
    while len(clients) < count:
        clients += await asyncio.gather(
            *(connect(host.port, request, answer) for _ in range(min(50, count - len(clients))))
        )
    await asyncio.sleep(2)
    after = {name: memory(pids[name])["private"] for name in pids}
    if host.workers(function) != pids["worker"]:
        raise Failure("there is not one worker")
    for writer in clients:
        writer.close()
    grown = {name: round(after[name] - before[name], 1) for name in pids}
    return grown | {"sum": round(sum(grown.values()), 1), "before": {name: round(before[name], 1) for name in pids}}


def measure(build, home, count=1000):
    """MiB that `count` idle clients take, of either kind: `{"streams": {"host", "worker", "sum", ...}, "sockets": ...}`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, 4 * count + 1000), hard), hard))
    figures = {}
    kinds = {"streams": ("ticker", STREAM, b"\n\n\r\n"), "sockets": ("socket", SOCKET + HELLO, b"\x05hello")}
    for kind, (function, request, answer) in kinds.items():
        host = Host(home / kind, build, MANIFESTS)
        try:
            figures[kind] = asyncio.run(hold(host, function, count, request, answer))
        finally:
            host.stop()
    return figures


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--clients", type=int, default=1000, help="1 to 1000, which is what one worker takes")
    parser.add_argument("--build", type=Path, default=PROJECT / ".build/release")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        print(json.dumps(measure(options.build.resolve(), Path(directory), options.clients), indent=2))


if __name__ == "__main__":
    main()
