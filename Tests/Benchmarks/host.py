"""A `swiftlet serve` with the fixtures' bundle, in a directory of its own."""

import contextlib
import json
import os
import re
import subprocess
import urllib.request
from pathlib import Path

from processes import Failure, Server

LIMITS = "limits: {timeout: 10s, payload: 1MiB, perWorker: 128, maxInFlight: 256, queue: 256}\n"


class Host(Server):
    """Serves the functions of `manifests`, name to what follows `name:` in its `function.yaml`; the others get an empty one.

    `foreign` has the manifests of functions that are not in the bundle.
    """

    name = "swiftlet"

    def __init__(self, home, build, manifests, settings="", foreign=None):
        super().__init__(home)
        functions = home / "Functions"
        described = subprocess.run(
            [build / "fixtures", "--describe"], capture_output=True, text=True, check=True, timeout=20
        ).stdout
        # A host wants a manifest for every function of its bundle.
        for line in described.splitlines():
            function = json.loads(line)["name"]
            (functions / function).mkdir(parents=True)
            (functions / function / "function.yaml").write_text(f"name: {function}\n{manifests.get(function, '')}")
        for function, text in (foreign or {}).items():
            (functions / function).mkdir(parents=True)
            (functions / function / "function.yaml").write_text(f"name: {function}\n{text}")
        (home / "schedules").mkdir()
        self.data = home / "data"
        config = home / "swiftlet.yaml"
        config.write_text(
            f"gateway: {{port: {self.port}}}\nadmin: {{port: 0}}\n"
            f"data: {self.data}\nbundle: {build / 'fixtures'}\nfunctions: {functions}\nschedules: {home / 'schedules'}\n"
            f"{settings or 'log: {level: info, format: none}'}\n"
        )
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("SWIFTLET_", "OPENAI_", "REDIS_"))}
        self.start(build / "swiftlet", "serve", "--config", config, env=clean)
        self.wait_until_ready(30)

    def answers(self):
        if self.processes[0].poll() is not None:
            raise Failure(f"the host ended with {self.processes[0].returncode}")
        with contextlib.suppress(OSError, ValueError):
            self.admin = json.loads((self.data / "host.json").read_text())["admin"]
            return True

    def asked(self, path):
        with urllib.request.urlopen(self.admin + path, timeout=5) as reply:
            return reply.read().decode()

    def pids(self):
        """The host and its workers; the private Redis and the offline provider have no part in what is measured."""
        return [pid for pid in super().pids() if not any(word in command(pid) for word in ("redis-server", "offline-provider"))]

    def workers(self, function):
        functions = json.loads(self.asked("/v1/functions"))["functions"]
        return next(entry["pids"] for entry in functions if entry["name"] == function)

    def counter(self, name, function):
        found = re.search(rf'^{name}\{{function="{function}"\}} ([0-9.e+]+)', self.asked("/metrics"), re.M)
        return round(float(found[1])) if found else 0


def command(pid):
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text()
    return ""


def manifest(path, scale="{min: 1, max: 1, idle: 600s}", more=""):
    """What follows `name:` in the manifest of a function that is asked by POST."""
    return f"triggers:\n  http:\n    - {{method: POST, path: {path}}}\n{LIMITS}scale: {scale}\n{more}"
