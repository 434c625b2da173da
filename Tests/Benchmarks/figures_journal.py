#!/usr/bin/env python3
"""Jobs, for `make bench`: how many are accepted a second, each on the disk before its 202, and how fast they run to their end.

The disk's own rate is measured in the same run: one row a commit, with the same settings of SQLite, in the same directory.
"""

import argparse
import http.client
import json
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

import load
from host import Host, manifest
from processes import Failure, until
from report import figure

CONNECTIONS = 64
SECONDS = 4
SCRIPT = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Prefer"] = "respond-async"
%s
wrk.body = [==[%s]==]
done = function(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format("figures %%d %%d %%d %%d %%d %%d\\n", summary.requests, summary.duration,
        latency:percentile(50), latency:percentile(99), latency:percentile(99.9),
        errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
"""


def single_commits(home):
    """Commits a second of one row each, one after the other."""
    database = sqlite3.connect(home / "single.sqlite", isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("CREATE TABLE jobs (id INTEGER PRIMARY KEY, body BLOB)")
    body, count, end = b"x" * 300, 0, time.monotonic() + 2
    while time.monotonic() < end:
        database.execute("INSERT INTO jobs (body) VALUES (?)", (body,))
        count += 1
    database.close()
    return count / 2


def audited(host, function):
    lines = json.loads(host.asked("/v1/audit"))
    line = next(line for line in lines["lines"] if line["function"] == function)
    if not lines["balanced"]:
        raise Failure(f"the audit does not balance: {lines}")
    return line


def start_latencies(host, count=300):
    """Milliseconds from the request to the begin of the only attempt, at a rate far below the most."""
    connection = http.client.HTTPConnection("127.0.0.1", host.port, timeout=10)
    waits = []
    for _ in range(count):
        began = time.time_ns()
        connection.request("POST", "/work", "{}", {"Prefer": "respond-async", "Content-Type": "application/json"})
        reply = connection.getresponse()
        job = json.loads(reply.read())["job"]["id"]
        if reply.status != 202:
            raise Failure(f"the host answered {reply.status}")
        shown = until(lambda: over(host, job), 5, "a job did not end")
        waits.append((nanoseconds(shown["began"]) - began) / 1e6)
        time.sleep(0.005)
    connection.close()
    return sorted(waits)


def over(host, job):
    shown = json.loads(host.asked(f"/v1/jobs/{job}"))["job"]
    return shown if shown["state"] == "completed" else None


def nanoseconds(text):
    """An instant in RFC 3339, UTC, with up to nine digits after the second."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    return int(time.mktime(time.strptime(whole + "Z", "%Y-%m-%dT%H:%M:%SZ")) - time.timezone) * 10**9 + int(fraction.ljust(9, "0") or 0)


def measure(build, home):
    single = single_commits(home)
    more = "retry: {attempts: 3}\n"
    host = Host(home / "host", build, {"echo": manifest("/work", "{min: 2, max: 2, idle: 600s}", more)})
    try:
        script = home / "jobs.lua"
        host.path = "/work"
        # What is not due yet is on the disk as well, and no worker takes part.
        script.write_text(SCRIPT % ('wrk.headers["Job-Delay"] = "1h"', load.body_of(300).decode()))
        accepted = load.wrk(host, CONNECTIONS, SECONDS, script)
        # What was under way when the load ended is accepted as well.
        time.sleep(1)
        waiting = audited(host, "echo")["pending"]
        script.write_text(SCRIPT % ("", load.body_of(300).decode()))
        both = load.wrk(host, CONNECTIONS, SECONDS, script)
        loaded = time.monotonic()
        first = audited(host, "echo")
        until(lambda: audited(host, "echo")["pending"] <= waiting, 120, "the jobs did not end")
        drained = time.monotonic() - loaded
        done = audited(host, "echo")
        waits = start_latencies(host)
    finally:
        host.stop()
    yield figure("commits/s of one row each, this disk", single, "/s")
    yield figure(
        "jobs accepted/s by HTTP at 64 clients, each on the disk", accepted["rate"], "/s", single * 10, below=False,
        note=f"p50 {accepted['p50'] / 1000:.1f}, p99 {accepted['p99'] / 1000:.1f} ms; {accepted['cpu']:.0f} µs CPU",
    )
    yield figure(
        "the same while two workers run them", both["rate"], "/s", note=f"{first['pending'] - waiting:,} were left at the end",
    )
    yield figure(
        f"jobs/s to the end, {waiting:,} others waiting", done["completed"] / (SECONDS + drained), "/s",
        note=f"{done['accepted']:,} accepted; the audit balances",
    )
    yield figure("from the request to the attempt's begin, one at a time, p50", waits[len(waits) // 2], "ms")
    yield figure("the same, p99", waits[len(waits) * 99 // 100], "ms")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--build", type=Path, required=True, help="where the executables are")
    options = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="swiftlet-jobs-") as folder:
            for entry in measure(options.build.absolute(), Path(folder)):
                print(json.dumps(entry), flush=True)
    except (Failure, OSError) as failure:
        sys.exit(f"figures_journal: {failure}")
