#!/usr/bin/env python3
"""The Invoke API of AWS Lambda on the admin port: one caller, and sixteen of a function with sixteen workers of one at a time.

A caller keeps its connection, as SDKs do; none signs, for the host does not look at it. AWS's own emulator is asked in the same
rounds, with a handler in Python that gives its event back; by one caller alone, since it dies of several. Rounds take turns.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from host import Host
from load import SCRIPT, body_of, check, wrk
from processes import PROJECT, Failure, Server, free_port
from report import figure
from speed import View

ROUNDS = 5
SECONDS = 2
CALLERS = 16
MANIFEST = """limits: {timeout: 10s, payload: 1MiB, memory: 64MiB, perWorker: 1, maxInFlight: 256, queue: 256}
scale: {min: 16, max: 16, idle: 600s}
"""
VENV = PROJECT / ".venv" / "emulator"
# The emulator is a program in the wheel of SAM, which itself is not run.
PYPI = ["aws-sam-cli==1.170.0", "awslambdaric==4.2.2", "simplejson==4.3.0", "snapshot-restore-py==1.0.0"]
HANDLER = "def handler(event, context):\n    return event\n"


class Emulator(Server):
    """awslambdaric behind AWS's Runtime Interface Emulator."""

    name = "awslambdaric behind AWS's emulator"
    path = "/2015-03-31/functions/function/invocations"

    def __init__(self, home):
        super().__init__(home)
        stamp = VENV / "requirements.txt"
        if not stamp.exists() or stamp.read_text() != "\n".join(PYPI):
            subprocess.run(["python3", "-m", "venv", "--clear", VENV], check=True, timeout=120)
            subprocess.run(
                [VENV / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", *PYPI],
                check=True, timeout=180,
            )
            stamp.write_text("\n".join(PYPI))
        (home / "app.py").write_text(HANDLER)
        program = next(VENV.glob("lib/*/site-packages/samcli/local/rapid/aws-lambda-rie-x86_64"))
        self.start(
            program, "--log-level", "error", "--runtime-interface-emulator-address", f"127.0.0.1:{self.port}",
            "--runtime-api-address", f"127.0.0.1:{free_port()}",
            VENV / "bin" / "python", "-m", "awslambdaric", "app.handler",
            env={**os.environ, "PATH": f"{VENV / 'bin'}:{os.environ['PATH']}"},
        )
        self.wait_until_ready()


def emulator(home, body):
    """The emulator, or nothing where it cannot be had."""
    try:
        server = Emulator(home)
        check(server, body)
        return server
    except (Failure, OSError, StopIteration, subprocess.SubprocessError) as error:
        print(f"left out: {Emulator.name}: {error}", file=sys.stderr)
        return None


def rounds(build, home):
    """By server and callers, what the rounds gave."""
    body = body_of(300)
    script = home / "post.lua"
    script.write_text(SCRIPT % body.decode())
    servers = [Host(home / "host", build, {"echo": MANIFEST})]
    try:
        own = View(servers[0], "swiftlet", "/2015-03-31/functions/echo/invocations")
        own.port = int(servers[0].admin.rpartition(":")[2])
        check(own, body)
        turns = [("one", own, 1), ("many", own, CALLERS)]
        if other := emulator(home / "emulator", body):
            servers.append(other)
            turns.append(("emulator", other, 1))
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
    one, many, other = medians["one"], medians["many"], medians.get("emulator")
    note = f"medians of {ROUNDS} rounds of {SECONDS} s in turns; an echo of 300 bytes"
    yield figure("Invoke API, one caller: half of the calls within", one["p50"], "µs", note=note)
    if other:
        yield figure(f"{Emulator.name}, the same", other["p50"], "µs")
        yield figure("the one to the other", one["p50"] / other["p50"], "×", 0.5)
    yield figure("Invoke API, one caller", one["rate"], "calls/s")
    yield figure(f"Invoke API, {CALLERS} callers, without an error", many["rate"], "calls/s", note="a worker each")
    yield figure(f"{CALLERS} callers to one", many["rate"] / one["rate"], "×", 2.0, below=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--build", type=Path, required=True, help="where `swiftlet` and `fixtures` are")
    build = parser.parse_args().build.absolute()
    with tempfile.TemporaryDirectory(prefix="swiftlet-invoke-") as folder:
        for line in measure(build, Path(folder)):
            print(json.dumps(line))


if __name__ == "__main__":
    main()
