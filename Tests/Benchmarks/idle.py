#!/usr/bin/env python3
"""Measures what idle and slow connections cost a running host.

    Tests/Benchmarks/idle.py PORT PID           the gateway's port and the host's process id
    Tests/Benchmarks/idle.py --help             what can be changed

Opens connections to the gateway and reads the host's memory at each stage: none; all open and silent; each with one request
answered and kept alive; each in the midst of a request's head. Then it waits for the host to end the slow ones by itself. The
connections come from several addresses of loopback, so that ports suffice. Nothing but the connections is started here.
"""

import argparse
import re
import resource
import socket
import time
from pathlib import Path


def memory(pid):
    """Resident KiB of the host, private and shared."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(found) for found in re.findall(r"^Private_(?:Clean|Dirty):\s+(\d+)", text, re.M))


def connect(port, count):
    connections = []
    for number in range(count):
        connection = socket.socket()
        connection.bind((f"127.0.0.{2 + number // 20000}", 0))
        connection.settimeout(30)
        connection.connect(("127.0.0.1", port))
        connections.append(connection)
    return connections


def answered(connections, request):
    for start in range(0, len(connections), 500):
        some = connections[start:start + 500]
        for connection in some:
            connection.sendall(request)
        for connection in some:
            reply = connection.recv(65536)
            if not reply.startswith(b"HTTP/1.1 "):
                raise SystemExit(f"idle: a connection got {reply[:100]!r}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("port", type=int)
    parser.add_argument("pid", type=int)
    parser.add_argument("--connections", type=int, default=10000, help="how many (10,000; the host's own limit is 16,384)")
    parser.add_argument("--path", default="/", help="what is asked once on each (/)")
    options = parser.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, options.connections + 100), hard))
    request = f"GET {options.path} HTTP/1.1\r\nHost: idle\r\n\r\n".encode()

    # The first requests of a host's life fill its caches.
    warm = connect(options.port, 100)
    answered(warm, request)
    for connection in warm:
        connection.close()
    time.sleep(1)
    before = memory(options.pid)
    print(f"{'':34}{'private KiB':>12}{'KiB each':>10}")
    print(f"{'no connection':34}{before:12d}")

    def stage(name):
        time.sleep(1)
        now = memory(options.pid)
        print(f"{name:34}{now:12d}{(now - before) / options.connections:10.2f}")

    connections = connect(options.port, options.connections)
    stage(f"{options.connections} open, silent")
    answered(connections, request)
    stage("each with a request answered")
    for connection in connections:
        connection.sendall(b"GET /slow HTTP/1.1\r\nHost: i")
    stage("each in the midst of a head")
    began = time.monotonic()
    ended = 0
    for connection in connections:
        connection.settimeout(60)
        reply = connection.recv(65536)
        ended += reply.startswith(b"HTTP/1.1 408")
    print(f"{ended} of {options.connections} were ended with 408, the last after {time.monotonic() - began:.0f} s")
    for connection in connections:
        connection.close()
    stage("all closed")


if __name__ == "__main__":
    main()
