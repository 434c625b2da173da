#!/usr/bin/env python3
"""Memory: of an idle worker, started plainly and forked from the template, and of a host with many functions that nobody calls."""

import argparse
import json
import shutil
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from host import Host, manifest
from processes import Failure, memory, until
from report import figure

WORKERS = [("echo", "synchronous"), ("echo-async", "async")]
FUNCTIONS = 200


def ask(host, path):
    request = urllib.request.Request(f"http://127.0.0.1:{host.port}{path}", b"{}", method="POST")
    with urllib.request.urlopen(request, timeout=20) as reply:
        reply.read()


def workers(home, build, template):
    """Private memory in MiB of a worker that has served and is idle, by its function."""
    manifests = {name: manifest(f"/{name}", "{min: 0, max: 4, idle: 600s}") for name, _ in WORKERS}
    settings = f"log: {{level: info, format: none}}\nworkers: {{template: {'on' if template else 'off'}}}"
    host = Host(home, build, manifests, settings)
    try:
        if template:
            until(lambda: json.loads(host.asked("/readyz"))["template"] == "on", 10, "the template is not ready")
        found = {}
        for name, _ in WORKERS:
            ask(host, f"/{name}")
        # All of them are there before one is weighed: what a lone process maps of its executable passes for private.
        pids_of = {name: until(lambda: host.workers(name), 10, "there is no worker") for name, _ in WORKERS}
        time.sleep(0.5)
        for name, pids in pids_of.items():
            used = [memory([pid]) for pid in pids]
            found[name] = {key: sum(each[key] for each in used) / len(used) for key in used[0]}
        return found
    finally:
        host.stop()


def idle_host(home, build, count):
    """Private memory in MiB of a host with so many functions, none of which is called."""
    tools = home.with_name(f"{home.name}-build")
    tools.mkdir()
    shutil.copy(build / "swiftlet", tools / "swiftlet")
    names = "\n".join(f'{{"name":"function-{number}","protocol":4}}' for number in range(count))
    bundle = tools / "fixtures"
    bundle.write_text(f"#!/bin/sh\n[ \"$1\" = --describe ] && cat <<'END'\n{names}\nEND\n")
    bundle.chmod(0o755)
    manifests = {f"function-{number}": manifest(f"/v1/function-{number}", "{min: 0, max: 4, idle: 60s}") for number in range(count)}
    host = Host(home, tools, manifests, "log: {level: info, format: none}\nworkers: {template: off}")
    try:
        time.sleep(2)
        return memory([host.processes[0].pid])["private"]
    finally:
        host.stop()


def measure(home, build):
    figures = []
    for template in (True, False):
        way = "forked from the template" if template else "started plainly"
        found = workers(home / way.split()[0], build, template)
        for name, kind in WORKERS:
            used = found[name]
            note = f"RSS {used['rss']:.1f}, PSS {used['pss']:.2f}"
            what = f"private memory of an idle worker, {kind} handler, {way}"
            figures.append(figure(what, used["private"], "MiB", 1, note=note))
    one, many = (idle_host(home / f"host-{count}", build, count) for count in (1, FUNCTIONS + 1))
    note = f"{many:.1f} after {one:.1f}"
    figures.append(figure(f"{FUNCTIONS} idle functions more cost the host", many - one, "MiB", 20, note=note))
    return figures


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, required=True, help="where the executables are")
    options = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="swiftlet-density-") as folder:
            for entry in measure(Path(folder), options.build.absolute()):
                print(json.dumps(entry), flush=True)
    except Failure as failure:
        sys.exit(f"figures_density: {failure}")
