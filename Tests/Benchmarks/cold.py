"""Cold starts: each request finds no worker, as the last one was retired for its idleness."""

import statistics

from host import Host, manifest
from load import Client, body_of
from processes import Failure, until
from report import figure

SCALE = "{min: 0, max: 1, idle: 100ms}"
FUNCTIONS = [("echo", "synchronous", 1), ("echo-async", "async", 2)]


def starts(host, function, body, count):
    """Milliseconds of requests that find no worker, and of others just after them."""
    client = Client(host.port, f"/{function}", body)
    cold, warm = [], []
    for _ in range(count + 1):
        until(lambda: not host.workers(function), 10, "an idle worker is not retired")
        before = host.counter("swiftlet_cold_starts_total", function)
        cold.append(client.milliseconds())
        if host.counter("swiftlet_cold_starts_total", function) != before + 1:
            raise Failure("a request that should have been cold was not")
        client.milliseconds()
        warm.append(client.milliseconds())
    # The first start reads the executable from disk.
    return cold[1:], warm[1:]


def measure(home, options):
    manifests = {name: manifest(f"/{name}", SCALE) for name, _, _ in FUNCTIONS}
    host = Host(home / "cold", options.build, manifests)
    figures = []
    try:
        for name, kind, aim in FUNCTIONS:
            cold, warm = starts(host, name, body_of(options.size), options.cold)
            note = f"{min(cold):.1f} to {max(cold):.1f} ms; with a worker at hand {statistics.median(warm):.2f} ms"
            figures.append(figure(f"cold start by HTTP, {kind} handler, median", statistics.median(cold), "ms", aim, note=note))
    finally:
        host.stop()
    return figures
