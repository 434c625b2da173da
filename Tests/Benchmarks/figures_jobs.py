#!/usr/bin/env python3
"""Jobs a second end to end, and how long one waits, against dramatiq, arq, celery and rq: a job that does nothing, one redis-server.

The jobs are in Redis before the worker starts. The rate is that from the first acknowledgements to the last one, by each one's own
book in Redis. Then each is given a fifth of its own rate, and every job says how long it waited from the moment before it was
added to the start of its handler.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

from host import Host
from processes import until
from queues import LEFT, SOURCES, Queue, install
from redis_socket import Client, Redis, encoded
from report import figure

OURS, THEIRS = 200_000, 4_000
PACED_SECONDS = 8
PAYLOAD = "x" * 100
MANIFEST = """
triggers:
  redis:
    - {stream: jobs, batch: 200, concurrency: 4}
    - {stream: "jobs:timed", operation: timed, batch: 50, concurrency: 8}
limits: {perWorker: 16}
scale: {min: 1, max: 1, idle: 600s}
bindings: [state]
"""


def percentiles(waits):
    waits = sorted(waits)
    return waits[len(waits) // 2] / 1e6, waits[len(waits) * 99 // 100] / 1e6


def swiftlet(build, home, redis):
    client = Client(redis.port)
    client.ask("FLUSHALL")
    add = encoded(("XADD", "jobs", "*", "data", json.dumps({"payload": PAYLOAD})))
    for _ in range(OURS // 1000):
        client.socket.sendall(add * 1000)
        for _ in range(1000):
            client.reply()
    settings = f"redis: {{url: \"{redis.url}\"}}\nlog: {{level: info, format: none}}"
    host = Host(home / "host", build, {"job": MANIFEST}, settings)
    try:
        def done():
            return int(client.ask("HGET", "swiftlet:counts:{jobs}:job", "completed") or 0)

        before = until(done, 30, "no job is run")
        start = time.monotonic()
        until(lambda: done() >= OURS, 120, "the jobs are not all run")
        rate = (OURS - before) / (time.monotonic() - start)
        paced(client, rate / 5)
        waits = client.ask("LRANGE", "state:waits", 0, -1)
        return rate, *percentiles([int(word) for words in waits for word in words.split()])
    finally:
        host.stop()


def paced(client, rate):
    """Adds entries at a rate, in the steps of a millisecond that a busy machine allows."""
    count, start = 0, time.monotonic()
    while (now := time.monotonic()) < start + PACED_SECONDS:
        due = int((now - start) * rate) - count
        if due:
            client.ask_all([("XADD", "jobs:timed", "*", "sent", time.time_ns())] * due)
            count += due
        time.sleep(0.0002)
    until(
        lambda: int(client.ask("HGET", "swiftlet:counts:{jobs:timed}:job", "completed") or 0) >= count,
        60, "the timed jobs are not all run",
    )
    # Whatever the worker remembers.
    client.ask("XADD", "jobs:timed", "*", "flush", 1)
    until(lambda: client.ask("LLEN", "state:waits") * 1000 >= count, 20, "the waits are not told")


def other(name, home, redis):
    client = Client(redis.port)
    client.ask("FLUSHALL")
    queue = Queue(name, home, redis.url)
    queue.add(THEIRS)
    with queue:
        def done():
            return THEIRS - sum(client.ask_all(LEFT[name]))

        before = until(done, 30, f"{name} runs no job")
        start = time.monotonic()
        until(lambda: done() == THEIRS, 120, f"{name} has not run the jobs")
        rate = (THEIRS - before) / (time.monotonic() - start)
        count = max(100, int(rate / 5 * PACED_SECONDS))
        time.sleep(1)
        queue.add(count, "timed", rate / 5)
        until(lambda: client.ask("LLEN", "waits") >= count, 120, f"{name} has not run the timed jobs")
        return rate, *percentiles(map(int, client.ask("LRANGE", "waits", 0, -1)))


def measure(build, home):
    install()
    redis = Redis(home)
    try:
        ours = swiftlet(build, home, redis)
        others = {name: other(name, home, redis) for name in SOURCES}
    finally:
        redis.stop()
    best = max(rate for rate, _, _ in others.values())
    said = "; ".join(f"{name} {rate:,.0f}/s, p50 {p50:.1f} ms, p99 {p99:.1f} ms" for name, (rate, p50, p99) in others.items())
    rate, p50, p99 = ours
    return [
        figure("jobs of a Redis stream, no-op, to their acknowledgement", rate, "jobs/s", note="batches of 200, one worker"),
        figure("  to the best of the others", rate / best, "×", 10, below=False, note=said),
        figure("  from adding to the handler's start at a fifth of that rate, p50", p50, "ms", 1.0, note=f"p99 {p99:.2f} ms"),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--build", type=Path, required=True, help="where `swiftlet` and `fixtures` are")
    build = parser.parse_args().build.absolute()
    with tempfile.TemporaryDirectory(prefix="swiftlet-jobs-") as folder:
        for line in measure(build, Path(folder)):
            print(json.dumps(line))


if __name__ == "__main__":
    main()
