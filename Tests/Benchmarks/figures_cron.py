#!/usr/bin/env python3
"""How long the next time of a cron expression takes to find, against croniter and APScheduler from PyPI.

Each of the three goes over the same expressions within one process of its own, and times the search alone: reading
the expression, the start of the process and printing are not in it. An expression's figure is the time of so many occurrences
after each other, divided by their number; a round's is the median over the expressions. The rounds take turns.
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

from peers import VENV, program
from processes import Failure
from report import figure

PYPI = ["croniter==6.0.0", "apscheduler==3.11.0"]
ROUNDS = 7
OURS, THEIRS = 20_000, 200
# What all three read alike; among them every minute, workdays, days of the month, a rare date, two with changes of the clock.
EXPRESSIONS = [
    ("* * * * *", "UTC"), ("*/15 * * * *", "America/New_York"), ("30 9 * * 1-5", "America/New_York"),
    ("0 8-18 * * mon-fri", "Europe/Vienna"), ("0 0 * * *", "Asia/Tokyo"), ("0 0 1 * *", "Europe/London"),
    ("15 2 1,15 1-6 *", "Australia/Lord_Howe"), ("5-50/15 */6 * * *", "America/New_York"), ("0 12 31 * *", "UTC"),
    ("0 0 29 2 *", "Europe/Vienna"), ("30 2 * * sun", "America/New_York"),
]

PEERS = '''
import datetime, json, sys, time, zoneinfo
from apscheduler.triggers.cron import CronTrigger
from croniter import croniter

def croniter_next(expression, zone, start, count):
    search = croniter(expression, start)
    begin = time.perf_counter_ns()
    for _ in range(count):
        search.get_next(datetime.datetime)
    return time.perf_counter_ns() - begin

def apscheduler_next(expression, zone, start, count):
    # Weekdays as words: APScheduler numbers them from Monday.
    trigger = CronTrigger.from_crontab(expression.replace("1-5", "mon-fri") if expression.endswith("1-5") else expression, zone)
    now = start
    begin = time.perf_counter_ns()
    for _ in range(count):
        # As its scheduler asks: the last time, and a moment after it.
        last, now = now, trigger.get_next_fire_time(now, now + datetime.timedelta(microseconds=1))
    return time.perf_counter_ns() - begin

for line in sys.stdin:
    request = json.loads(line)
    zone = zoneinfo.ZoneInfo(request["zone"])
    start = datetime.datetime.fromisoformat(request["from"].replace("Z", "+00:00")).astimezone(zone)
    measure = {"croniter": croniter_next, "APScheduler": apscheduler_next}[request["peer"]]
    count = request["count"]
    print(json.dumps({"nanoseconds": measure(request["expr"], zone, start, count) / count}), flush=True)
'''


def install():
    if list(VENV.glob("lib/*/site-packages/croniter")) and list(VENV.glob("lib/*/site-packages/apscheduler")):
        return
    print(f"installing {', '.join(PYPI)} into {VENV}", file=sys.stderr)
    try:
        if not (VENV / "bin" / "pip").exists():
            subprocess.run([program("python3"), "-m", "venv", VENV], check=True, capture_output=True, timeout=120)
        command = [VENV / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", *PYPI]
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=180)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise Failure(f"the schedulers could not be installed from PyPI: {(error.stderr or str(error))[-300:]}") from None


class Asked:
    """A process that answers a line by a line."""

    def __init__(self, *command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

    def median(self, count, **more):
        found = []
        for expression, zone in EXPRESSIONS:
            request = {"expr": expression, "zone": zone, "from": "2026-01-01T00:00:00Z", "count": count, **more}
            # The rare date ends with the range of its searchers.
            if expression.startswith("0 0 29"):
                request["count"] = 20
            self.process.stdin.write(json.dumps(request) + "\n")
            answer = json.loads(self.process.stdout.readline())
            if "error" in answer:
                raise Failure(f"{expression}: {answer['error']}")
            found.append(answer["nanoseconds"] / 1000)
        return statistics.median(found)

    def end(self):
        self.process.stdin.close()
        self.process.wait(10)


def measure(build):
    install()
    ours, peers = Asked(build / "cronnext"), Asked(VENV / "bin" / "python", "-c", PEERS)
    rounds = {"swiftlet": [], "croniter": [], "APScheduler": []}
    try:
        for _ in range(ROUNDS):
            rounds["swiftlet"].append(ours.median(OURS))
            for peer in ("croniter", "APScheduler"):
                rounds[peer].append(peers.median(THEIRS, peer=peer))
    finally:
        ours.end()
        peers.end()
    figures = {name: statistics.median(each) for name, each in rounds.items()}
    spread = f"{min(rounds['swiftlet']):.3f} to {max(rounds['swiftlet']):.3f} in {ROUNDS} rounds"
    yield figure(f"next time of a cron expression, median of {len(EXPRESSIONS)}", figures["swiftlet"], "µs", 1, note=spread)
    for peer in ("croniter", "APScheduler"):
        note = f"{figures[peer]:.0f} µs"
        yield figure(f"{peer} takes so many times as long", figures[peer] / figures["swiftlet"], "", 50, below=False, note=note)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--build", type=Path, required=True, help="where `cronnext` is")
    for entry in measure(parser.parse_args().build.absolute()):
        print(json.dumps(entry), flush=True)


if __name__ == "__main__":
    main()
