#!/usr/bin/env python3
"""What a function whose handlers all take a second does to another function of the same host.

wrk asks `echo` over 4 connections, in rounds without and with `doze` saturated: all its 4 workers busy with handlers of one
second, and its queue full. Rounds take turns; the figure is the ratio of the medians of the 99th percentiles.
"""

import argparse
import http.client
import json
import statistics
import tempfile
import threading
from pathlib import Path

from host import Host, manifest
from load import SCRIPT, body_of, wrk
from report import figure
from speed import View

ROUNDS = 7
SECONDS = 2
CONNECTIONS = 4
CALLERS = 16


class Saturation:
    """So many callers of `doze`, each asking again when it is answered."""

    def __init__(self, port):
        self.port = port
        self.over = threading.Event()
        self.answers = 0
        self.threads = [threading.Thread(target=self.ask) for _ in range(CALLERS)]

    def ask(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        while not self.over.is_set():
            connection.request("POST", "/doze", b'{"ms": 1000}')
            connection.getresponse().read()
            self.answers += 1
        connection.close()

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        # Cold starts are not what is measured.
        self.over.wait(3)
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()


def measure(build, home):
    host = Host(
        home / "host", build,
        {
            "echo": manifest("/echo"),
            "doze": "triggers: {http: [{method: POST, path: /doze}]}\nlimits: {timeout: 30s}\nscale: {max: 4}\n",
        },
    )
    script = home / "post.lua"
    script.write_text(SCRIPT % body_of(300).decode())
    alone, beside = [], []
    try:
        echo = View(host, "echo", "/echo")
        wrk(echo, CONNECTIONS, 1, script)
        for _ in range(ROUNDS):
            alone.append(wrk(echo, CONNECTIONS, SECONDS, script)["p99"])
            with Saturation(host.port) as saturation:
                beside.append(wrk(echo, CONNECTIONS, SECONDS, script)["p99"])
            assert saturation.answers > 0, "doze was not under way"
    finally:
        host.stop()
    quiet, loaded = statistics.median(alone), statistics.median(beside)
    note = f"{loaded:.0f} µs against {quiet:.0f} µs; {ROUNDS} rounds of {SECONDS} s each"
    return figure("p99 beside a function saturated with 1 s handlers, to p99 without", loaded / quiet, "×", 1.2, note=note)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--build", type=Path, required=True, help="where `swiftlet` and `fixtures` are")
    build = parser.parse_args().build.absolute()
    with tempfile.TemporaryDirectory(prefix="swiftlet-fairness-") as folder:
        print(json.dumps(measure(build, Path(folder))))


if __name__ == "__main__":
    main()
