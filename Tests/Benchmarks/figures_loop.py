#!/usr/bin/env python3
"""The developer's loop: the emulator's start, what it takes at rest, and how soon a saved file is served.

The emulator of this project is started with everything built, on a data directory that is there; the edits are made in a
package of one's own (`swiftlet new project`), whose debug bundle is built before the clock runs.
"""

import argparse
import contextlib
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from processes import PROJECT, Failure, free_port, until
from report import figure

STARTS = 7
EDITS = 5


class Emulator:
    """`swiftlet dev` in a folder; the time from its start to the first good reply is `started`, in seconds."""

    def __init__(self, build, folder, data, path, *flags, patience=60):
        self.port, self.note = free_port(), Path(data) / "host.json"
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("SWIFTLET_", "OPENAI_", "REDIS_"))}
        begin = time.monotonic()
        self.process = subprocess.Popen(
            [build / "swiftlet", "dev", "--port", str(self.port), "--admin-port", "0", "--data", data, *flags],
            cwd=folder, env=clean, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT,
        )
        self.url = f"http://127.0.0.1:{self.port}"
        while self.get(path) is None:
            if self.process.poll() is not None:
                raise Failure(f"the emulator ended with {self.process.returncode}")
            if time.monotonic() - begin > patience:
                self.stop()
                raise Failure("the emulator does not answer")
            time.sleep(0.002)
        self.started = time.monotonic() - begin

    def get(self, path):
        """The body of a good reply, or None."""
        with contextlib.suppress(OSError, urllib.error.HTTPError):
            with urllib.request.urlopen(self.url + path, timeout=5) as reply:
                return reply.read().decode()

    def build_state(self):
        # Written once the host is ready, which may be after its first reply.
        until(self.note.exists, 10, "the host writes no host.json")
        with urllib.request.urlopen(json.loads(self.note.read_text())["admin"] + "/v1/build", timeout=5) as reply:
            return json.load(reply)["state"]

    def memory(self):
        """What the host's process holds, in MiB."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", text)[1]) / 1024

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()


def starts(build, home):
    path, times = "/v1/questionnaires", []
    for _ in range(STARTS + 1):
        emulator = Emulator(build, PROJECT, home / "data", path, "--no-build")
        times.append(emulator.started * 1000)
        if len(times) <= STARTS:
            emulator.stop()
    # The first one makes the data directory and copies the bundle.
    first, times = times[0], sorted(times[1:])
    time.sleep(5)
    memory = emulator.memory()
    emulator.stop()
    yield figure(
        "start of the emulator to its first reply, everything built, median", statistics.median(times), "ms", 300,
        note=f"{times[0]:.0f} to {times[-1]:.0f} in {STARTS} starts; {first:.0f} with a new data directory",
    )
    yield figure("memory of the emulator's host at rest", memory, "MiB", 40, note="resident, five seconds after the start")


def project(build, home):
    """A package of one's own with what this project has fetched."""
    subprocess.run([build / "swiftlet", "new", "project", "shop", "--swiftlet", PROJECT], cwd=home, check=True, capture_output=True)
    scratch = home / "shop/.swiftlet/build"
    scratch.mkdir(parents=True)
    for name in ["repositories", "checkouts"]:
        shutil.copytree(PROJECT / ".build" / name, scratch / name, symlinks=True)
    shutil.copy(PROJECT / ".build/workspace-state.json", scratch)
    return home / "shop"


def edits(build, home):
    shop = project(build, home)
    emulator = Emulator(build, shop, shop / ".swiftlet", "/v1/hello/Ada", patience=280)
    try:
        until(lambda: emulator.build_state() == "done", 120, "the first build does not end")
        source, saved = shop / "Functions/Hello/HelloFunction.swift", []
        for round in range(EDITS):
            source.write_text(re.sub(r"return Output\(greeting: \"[^\\]*", f'return Output(greeting: "Hello {round}, ', source.read_text()))
            saved.append(taken(lambda: f"Hello {round}, Ada" in (emulator.get("/v1/hello/Ada") or "")))
        manifest, applied = shop / "Functions/Hello/function.yaml", []
        for round in range(EDITS):
            manifest.write_text(re.sub(r"/v1/\w+/", f"/v1/hello{round}/", manifest.read_text()))
            applied.append(taken(lambda: emulator.get(f"/v1/hello{round}/Ada")))
    finally:
        emulator.stop()
    yield figure(
        "a changed line saved, until it is served, median", statistics.median(saved), "s", 10,
        note=f"{min(saved):.1f} to {max(saved):.1f} in {EDITS} edits",
    )
    yield figure(
        "a changed manifest saved, until it is in force, median", statistics.median(applied) * 1000, "ms", 200,
        note=f"{min(applied) * 1000:.0f} to {max(applied) * 1000:.0f} in {EDITS} edits",
    )


def taken(holds):
    begin = time.monotonic()
    while not holds():
        if time.monotonic() - begin > 60:
            raise Failure("what was saved is not served")
        time.sleep(0.002)
    return time.monotonic() - begin


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--build", type=Path, required=True, help="where `swiftlet` and `functions` are")
    build = parser.parse_args().build.absolute()
    with tempfile.TemporaryDirectory(prefix="swiftlet-loop-") as folder:
        for entry in [*starts(build, Path(folder)), *edits(build, Path(folder))]:
            print(json.dumps(entry), flush=True)


if __name__ == "__main__":
    main()
