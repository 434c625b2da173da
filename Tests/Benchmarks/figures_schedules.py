#!/usr/bin/env python3
"""Schedules, for `make bench`: 100,000 loaded from the store and armed, how late 1,000 of one second are, a simulated year."""

import argparse
import json
import re
import subprocess
import tempfile
import time
from pathlib import Path

from processes import PROJECT, Failure
from report import figure

SCHEDULES = 100_000
FIRING = 1_000


def run(program, *words, timeout=120):
    done = subprocess.run([program, *map(str, words)], capture_output=True, text=True, timeout=timeout, cwd=PROJECT)
    if done.returncode:
        raise Failure(f"{Path(program).name} {words[0]} ended with {done.returncode}: {done.stderr[-500:]}")
    return done.stdout


def armed(program):
    with tempfile.TemporaryDirectory(prefix="swiftlet-bench-") as home:
        run(program, "load", SCHEDULES, home)
        told = json.loads(run(program, "arm", SCHEDULES, home))
    if told["known"] != SCHEDULES:
        raise Failure(f"the store knew {told['known']} schedules")
    note = f"store {told['load_ms']:.0f} ms, arming {told['arm_ms']:.0f} ms in {told['ticks']} ticks"
    memory = f"of these {told['plan_mib']:.0f} MiB the definitions"
    return [
        figure("100,000 schedules loaded and armed", (told["load_ms"] + told["arm_ms"]) / 1000, "s", 1, note=note),
        figure("100,000 schedules in memory", told["memory_mib"], "MiB", 60, note=memory),
    ]


def lateness(program, spread, what, aim=None):
    """The 99th percentile as the host's histogram tells it: the upper bound of its bucket."""
    with tempfile.TemporaryDirectory(prefix="swiftlet-bench-") as home:
        text = run(program, "fire", FIRING, spread, home)
    buckets = {}
    for bound, count in re.findall(r'_bucket\{[^}]*le="([^"]+)"\} (\d+)', text):
        buckets[float(bound)] = buckets.get(float(bound), 0) + int(count)
    total = buckets[float("inf")]
    within = {bound: count / total for bound, count in sorted(buckets.items())}
    p99 = next(bound for bound, share in within.items() if share >= 0.99) * 1000
    p50 = next(bound for bound, share in within.items() if share >= 0.5) * 1000
    share = f"{within.get(0.005, 0):.1%} within 5 ms, half within {p50:g} ms; {total} runs"
    return figure(what, p99, "ms", aim, note=share)


def year(program):
    begin = time.monotonic()
    text = run(program, "schedule", "simulate", "--from", "2026-01-01", "--to", "2026-12-31")
    took = time.monotonic() - begin
    return figure("a year simulated", took, "s", 2, note=f"{text.count(chr(10)):,} lines")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default=".build/release")
    build = Path(parser.parse_args().build).resolve()
    bench, swiftlet = build / "schedulebench", build / "swiftlet"
    figures = armed(bench)
    figures.append(lateness(bench, 1000, "lateness of 1,000 spread over a second, on the disk, p99", 5))
    figures.append(lateness(bench, 0, "lateness of 1,000 at one instant, on the disk, p99"))
    figures.append(year(swiftlet))
    for line in figures:
        print(json.dumps(line))


if __name__ == "__main__":
    main()
