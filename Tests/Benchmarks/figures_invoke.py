#!/usr/bin/env python3
"""The Invoke API of AWS Lambda on the admin port: one caller, and sixteen of a function with sixteen workers of one at a time.

A caller keeps its connection, as SDKs do; none signs, for the host does not look at it. Rounds take turns.
"""

import argparse
import json
import statistics
import tempfile
from pathlib import Path

from host import Host
from load import SCRIPT, body_of, check, wrk
from report import figure
from speed import View

ROUNDS = 5
SECONDS = 2
CALLERS = 16
MANIFEST = """limits: {timeout: 10s, payload: 1MiB, memory: 64MiB, perWorker: 1, maxInFlight: 256, queue: 256}
scale: {min: 16, max: 16, idle: 600s}
"""


def measure(build, home):
    host = Host(home / "host", build, {"echo": MANIFEST})
    try:
        port = int(host.admin.rpartition(":")[2])
        view = View(host, "invoke", "/2015-03-31/functions/echo/invocations")
        view.port = port
        body = body_of(300)
        check(view, body)
        script = home / "post.lua"
        script.write_text(SCRIPT % body.decode())
        rounds = {1: [], CALLERS: []}
        for _ in range(ROUNDS):
            for callers, rows in rounds.items():
                rows.append(wrk(view, callers, SECONDS, script))
    finally:
        host.stop()
    median = {callers: {key: statistics.median(row[key] for row in rows) for key in ("rate", "p50")}
              for callers, rows in rounds.items()}
    note = f"medians of {ROUNDS} rounds of {SECONDS} s in turns; an echo of 300 bytes"
    one, many = median[1], median[CALLERS]
    return [
        figure("Invoke API, one caller: half of the calls within", one["p50"] / 1000, "ms", 0.4, note=note),
        figure("Invoke API, one caller", one["rate"], "calls/s"),
        figure(f"Invoke API, {CALLERS} callers", many["rate"], "calls/s"),
        figure(f"Invoke API, {CALLERS} callers against one", many["rate"] / one["rate"], "×", 2.0, below=False,
               note=f"a worker each; no error in {ROUNDS} rounds"),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, required=True, help="where `swiftlet` and `fixtures` are")
    build = parser.parse_args().build.absolute()
    with tempfile.TemporaryDirectory() as home:
        for line in measure(build, Path(home)):
            print(json.dumps(line))


if __name__ == "__main__":
    main()
