#!/usr/bin/env python3
"""How long an entry of a Redis stream waits for its handler when the function is scaled to zero.

An entry carries the time at which it is added; the handler's first act is to take the difference. Between two entries the
worker is let go.
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

from host import Host
from processes import until
from redis_socket import Client, Redis
from report import figure

ROUNDS = 31
MANIFEST = """
triggers: {redis: [{stream: "jobs:timed", operation: timed}]}
scale: {min: 0, max: 1, idle: 100ms}
bindings: [state]
"""


def measure(build, home):
    redis = Redis(home)
    client = Client(redis.port)
    host = Host(
        home / "host", build, {"job": MANIFEST}, f"redis: {{url: \"{redis.url}\"}}\nlog: {{level: info, format: none}}"
    )
    waits = []
    try:
        for round in range(ROUNDS):
            until(lambda: not host.workers("job"), 20, "the worker is not let go")
            time.sleep(0.05)
            client.ask("XADD", "jobs:timed", "*", "sent", time.time_ns(), "flush", 1)
            until(lambda: len(taken(client)) > round, 20, "the entry is not run")
        waits = [wait / 1e6 for wait in taken(client)]
    finally:
        host.stop()
        redis.stop()
    median = statistics.median(waits)
    note = f"p90 {sorted(waits)[ROUNDS * 9 // 10]:.1f} ms; {ROUNDS} entries"
    return figure("XADD to the handler of a function scaled to zero, median", median, "ms", 20, note=note)


def taken(client):
    """What the handlers of operation `timed` have written, in nanoseconds."""
    return [int(word) for words in client.ask("LRANGE", "state:waits", 0, -1) for word in words.split()]


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--build", type=Path, required=True, help="where `swiftlet` and `fixtures` are")
    build = parser.parse_args().build.absolute()
    with tempfile.TemporaryDirectory(prefix="swiftlet-wake-") as folder:
        print(json.dumps(measure(build, Path(folder))))


if __name__ == "__main__":
    main()
