#!/usr/bin/env python3
"""The same Python function by AWS's own runtime, behind Swiftlet and behind AWS's own emulator.

Both run `awslambdaric` with a handler that gives its event back, and are asked by the Invoke API. The emulator dies of several
callers, so it has one; Swiftlet has one, and sixteen with a worker each. Rounds take turns.
"""

import argparse
import json
import statistics
import tempfile
from pathlib import Path

from figures_invoke import CALLERS, HANDLER, ROUNDS, SECONDS, VENV, Emulator
from host import Host
from load import SCRIPT, body_of, check, wrk
from report import figure
from speed import View

MANIFEST = """runtime: lambda
command: [%s, -m, awslambdaric, app.handler]
environment: {PYTHONPATH: %s}
limits: {timeout: 10s, payload: 1MiB, memory: 128MiB, perWorker: 1, maxInFlight: 256, queue: 256}
scale: {min: 16, max: 16, idle: 600s}
"""
# Python and its folders belong to whoever measures.
SETTINGS = "workers: {users: off}\nlog: {level: info, format: none}"


def rounds(build, home):
    """By server and callers, what the rounds gave."""
    body = body_of(300)
    script = home / "post.lua"
    script.write_text(SCRIPT % body.decode())
    (home / "app.py").write_text(HANDLER)
    servers = [Emulator(home / "emulator")]
    try:
        python = VENV / "bin" / "python"
        servers.append(Host(home / "host", build, {}, SETTINGS, {"py": MANIFEST % (python, home)}))
        own = View(servers[1], "awslambdaric behind swiftlet", "/2015-03-31/functions/py/invocations")
        own.port = int(servers[1].admin.rpartition(":")[2])
        turns = [("emulator", servers[0], 1), ("one", own, 1), ("many", own, CALLERS)]
        for server in (servers[0], own):
            check(server, body)
        rows = {name: [] for name, _, _ in turns}
        for _ in range(ROUNDS):
            for name, server, callers in turns:
                rows[name].append(wrk(server, callers, SECONDS, script))
    finally:
        for server in servers:
            server.stop()
    return {name: {key: statistics.median(row[key] for row in some) for key in ("rate", "p50")} for name, some in rows.items()}


def measure(build, home):
    medians = rounds(build, home)
    one, many, other = medians["one"], medians["many"], medians["emulator"]
    note = f"medians of {ROUNDS} rounds of {SECONDS} s in turns; an echo of 300 bytes"
    yield figure("awslambdaric behind swiftlet, one caller: half of the calls within", one["p50"], "µs", note=note)
    yield figure(f"{Emulator.name}, the same", other["p50"], "µs")
    yield figure("the one to the other", one["p50"] / other["p50"], "×")
    yield figure("awslambdaric behind swiftlet, one caller", one["rate"], "calls/s")
    yield figure(f"the same, {CALLERS} callers, without an error", many["rate"], "calls/s", note="a worker each")
    yield figure(f"{Emulator.name}, one caller", other["rate"], "calls/s", note="two callers end it")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--build", type=Path, required=True, help="where `swiftlet` and `fixtures` are")
    build = parser.parse_args().build.absolute()
    with tempfile.TemporaryDirectory(prefix="swiftlet-lambda-") as folder:
        for line in measure(build, Path(folder)):
            print(json.dumps(line))


if __name__ == "__main__":
    main()
