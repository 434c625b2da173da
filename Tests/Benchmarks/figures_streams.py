#!/usr/bin/env python3
"""Memory of a thousand idle clients on one worker, for `make bench`; `idle_streams.py` measures it."""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import idle_streams
from processes import Failure
from report import figure

CLIENTS = 1000


def measure(build, home):
    found = idle_streams.measure(build, home, CLIENTS)
    for kind, what, aim in (("streams", "event streams", 64), ("sockets", "WebSocket clients", None)):
        each = found[kind]
        note = f"host {each['host']}, worker {each['worker']} MiB"
        yield figure(f"private memory of {CLIENTS:,} idle {what}, host and worker", each["sum"], "MiB", aim, note=note)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, required=True, help="where the executables are")
    options = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="swiftlet-streams-") as folder:
            for entry in measure(options.build.absolute(), Path(folder)):
                print(json.dumps(entry), flush=True)
    except (Failure, OSError) as failure:
        sys.exit(f"figures_streams: {failure}")
