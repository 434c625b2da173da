"""The soak: minutes of load at half of the maximum rate, while a worker is killed at random every second.

Every request must be answered: those to a function that is declared idempotent with its own body, whatever dies; those to the
other one with that or, if they were under way on a killed worker, with 502. The host's memory at the end must be what it
was after the first minute, within 5 %.
"""

import contextlib
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

from host import Host, manifest
from load import SCRIPT, body_of, wrk
from peers import program
from processes import Failure, descendants, memory, stop
from report import figure

# They take two milliseconds, so that there is something under way when a worker is killed.
PLAIN, REPEATED = "echo-slowly", "echo-slowly-again"
SCALE = "{min: 2, max: 4, idle: 600s}"
CONNECTIONS = 64
# How long after a kill the last of its 502s may come: a shared machine can hold a process up.
AFTERMATH = 2.0


def generator(home):
    built = home / "soak_load"
    source = Path(__file__).resolve().parent / "soak_load.c"
    subprocess.run([program("gcc"), "-O2", "-o", built, source], check=True, timeout=60)
    return built


def half_of_maximum(host, home):
    """Half of what the host does of both functions in turns, measured now."""
    script = home / "soak.lua"
    script.write_text(SCRIPT % body_of(300).decode())
    rates = []
    for function in (PLAIN, REPEATED):
        host.path = f"/{function}"
        rates.append(wrk(host, CONNECTIONS, 3, script)["rate"])
    return 0.5 * len(rates) / sum(1 / rate for rate in rates)


class Killer(threading.Thread):
    """Kills a worker of the host's every second, and notes what the host weighs."""

    def __init__(self, host, seed):
        super().__init__(daemon=True)
        self.host, self.source, self.over = host, random.Random(seed), threading.Event()
        self.kills, self.weights, self.error = [], [], None

    def run(self):
        try:
            while not self.over.wait(1):
                self.weights.append(memory([self.host.processes[0].pid])["rss"])
                function = self.source.choice((PLAIN, REPEATED))
                own = set(descendants(self.host.processes[0].pid))
                pids = [pid for pid in self.host.workers(function) if pid in own]
                if pids:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(self.source.choice(pids), signal.SIGKILL)
                        self.kills.append((time.monotonic(), function))
        except (OSError, ValueError, Failure) as error:
            self.error = error

    def end(self):
        self.over.set()
        self.join()
        if self.error:
            raise Failure(f"the killing of workers ended early: {self.error}")


def measure(home, options):
    seconds = options.minutes * 60
    home = home / "soak"
    host = Host(home / "host", options.build, {
        PLAIN: manifest(f"/{PLAIN}", SCALE), REPEATED: manifest(f"/{REPEATED}", SCALE, "idempotent: true\n"),
    })
    load, killer = None, Killer(host, seed=5)
    try:
        rate = half_of_maximum(host, home)
        print(f"{rate:,.0f} requests/s for {options.minutes:g} minutes", file=sys.stderr)
        load = subprocess.Popen(
            [str(word) for word in (
                generator(home), host.port, round(rate), round(seconds), CONNECTIONS, f"/{PLAIN}", f"/{REPEATED}",
            )],
            stdout=subprocess.PIPE, text=True,
        )
        killer.start()
        output, _ = load.communicate(timeout=seconds + 90)
        killer.end()
    finally:
        killer.over.set()
        if load:
            stop(load)
        host.stop()
    lines = output.splitlines()
    if load.returncode or not lines or not lines[-1].startswith("{"):
        raise Failure(f"the load ended with {load.returncode}: {output[-500:]}")
    return verdict(json.loads(lines[-1]), lines[:-1], killer, rate)


def verdict(sums, lines, killer, rate):
    others = [line.split(" ", 4) for line in lines if line.startswith("other ")]
    unexplained = [line for line in others if not is_explained(line, killer.kills)]
    for line in unexplained[:5] + [line for line in lines if line.startswith("broken")][:5]:
        print(f"soak: {line if isinstance(line, str) else ' '.join(line)}", file=sys.stderr)
    plain_kills = sum(function == PLAIN for _, function in killer.kills)
    weights = killer.weights
    first = statistics.median(weights[60:70] if len(weights) > 90 else weights[len(weights) // 4:][:10])
    last = statistics.median(weights[-10:])
    unanswered = sums["requests"] - sums["answered"]
    figures = [
        figure("soak: requests", sums["requests"], note=f"{rate:,.0f} a second"),
        figure("soak: workers killed", len(killer.kills), "", round(0.8 * len(weights)), below=False),
        figure("soak: requests without an answer, or with another's", unanswered + sums["mismatched"], "", 0),
        figure(
            "soak: 502s of the function that may not be run again", sums["other"][0], "", plain_kills * CONNECTIONS,
            note=f"{plain_kills} of its workers killed, with {CONNECTIONS} under way at most",
        ),
        figure("soak: other answers than 200 of the idempotent function", sums["other"][1], "", 0),
        figure("soak: answers that no kill explains", len(unexplained), "", 0),
        figure("soak: host memory at the end, to that after the first minute", last / first, "×", 1.05, note=f"{first:.1f} to {last:.1f} MiB"),
        figure("soak: p50", sums["p50_us"] / 1000, "ms"),
        figure("soak: p99", sums["p99_us"] / 1000, "ms"),
        figure("soak: p99.9", sums["p999_us"] / 1000, "ms", note=f"the longest {sums['longest_us'] / 1000:.0f} ms"),
    ]
    holds = all(entry["reached"] is not False for entry in figures)
    print(f"soak: {'holds' if holds else 'does NOT hold'}", file=sys.stderr)
    return [entry | {"part": "soak"} for entry in figures]


def is_explained(line, kills):
    """Whether an answer is a 502 of the plain function just after one of its workers was killed."""
    _, nanoseconds, path, status, _ = line
    moment = int(nanoseconds) / 1e9
    return path == f"/{PLAIN}" and status == "502" and any(
        function == PLAIN and kill - 0.1 <= moment <= kill + AFTERMATH for kill, function in kills
    )
