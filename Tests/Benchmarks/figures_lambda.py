#!/usr/bin/env python3
"""A Python function of AWS's own runtime, invoked by the Invoke API: behind Swiftlet, and behind the AWS Runtime Interface Emulator.

Both run `awslambdaric` from PyPI and echo 300 bytes. The emulator is the static program that the wheel of aws-sam-cli holds. It
ends when two calls come at once, so it has one caller; Swiftlet has one, and sixteen with a worker each. Rounds take turns.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from host import Host
from load import SCRIPT, body_of, check, wrk
from processes import PROJECT, Server, free_port
from report import figure
from speed import View

sys.path.insert(0, str(PROJECT / "Tests" / "EndToEnd"))
import in_venv  # noqa: E402

SAM = "aws-sam-cli==1.170.0"
EMULATOR = "samcli/local/rapid/aws-lambda-rie-x86_64"
ROUNDS = 5
SECONDS = 2
CALLERS = 16
CODE = "def handler(event, context):\n    return event\n"
MANIFEST = """runtime: lambda
command: [%s, -m, awslambdaric, app.handler]
environment: {PYTHONPATH: %s}
limits: {timeout: 10s, payload: 1MiB, memory: 128MiB, perWorker: 1, maxInFlight: 256, queue: 256}
scale: {min: 16, max: 16, idle: 600s}
"""


class Emulator(Server):
    """AWS's emulator with the function's runtime below it."""

    name = "AWS RIE"
    path = "/2015-03-31/functions/function/invocations"

    def __init__(self, home, python, code):
        super().__init__(home)
        subprocess.run(
            [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--target", home / "sam", SAM],
            check=True, timeout=200,
        )
        program = home / "sam" / EMULATOR
        program.chmod(0o755)
        self.start(
            program, "--runtime-interface-emulator-address", f"127.0.0.1:{self.port}",
            "--runtime-api-address", f"127.0.0.1:{free_port()}", "--log-level", "error",
            python, "-m", "awslambdaric", "app.handler", cwd=code,
        )
        self.wait_until_ready(30)


def measure(build, home):
    python = in_venv.environment(PROJECT / "Tests" / "EndToEnd" / "Lambda" / "awslambdaric.txt") / "bin" / "python"
    code = home / "code"
    code.mkdir()
    (code / "app.py").write_text(CODE)
    body = body_of(300)
    script = home / "post.lua"
    script.write_text(SCRIPT % body.decode())
    running = []
    try:
        emulator = Emulator(home / "emulator", python, code)
        running.append(emulator)
        # Python and its folders belong to whoever measures.
        settings = "workers: {users: off}\nlog: {level: info, format: none}"
        host = Host(home / "host", build, {}, settings, {"py": MANIFEST % (python, code)})
        running.append(host)
        view = View(host, "Swiftlet", "/2015-03-31/functions/py/invocations")
        view.port = int(host.admin.rpartition(":")[2])
        rounds = {(emulator, 1): [], (view, 1): [], (view, CALLERS): []}
        for server in (emulator, view):
            check(server, body)
        for _ in range(ROUNDS):
            for (server, callers), rows in rounds.items():
                rows.append(wrk(server, callers, SECONDS, script))
    finally:
        for server in running:
            server.stop()
    theirs, one, many = (
        {key: statistics.median(row[key] for row in rows) for key in ("rate", "p50")} for rows in rounds.values()
    )
    note = f"medians of {ROUNDS} rounds of {SECONDS} s in turns; awslambdaric echoes 300 bytes"
    return [
        figure("awslambdaric behind AWS RIE, one caller: half of the calls within", theirs["p50"] / 1000, "ms", note=note),
        figure("awslambdaric behind Swiftlet, one caller: half of the calls within", one["p50"] / 1000, "ms"),
        figure("the second against the first", one["p50"] / theirs["p50"], "×", 0.5),
        figure("awslambdaric behind AWS RIE, one caller", theirs["rate"], "calls/s"),
        figure("awslambdaric behind Swiftlet, one caller", one["rate"], "calls/s"),
        figure(f"awslambdaric behind Swiftlet, {CALLERS} callers", many["rate"], "calls/s",
               note="a worker each, no error; two calls at once end RIE"),
        figure(f"{CALLERS} callers against one", many["rate"] / one["rate"], "×", 2.0, below=False),
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
