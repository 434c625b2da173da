#!/usr/bin/env python3
"""Measures the gateway and its workers against other servers, and what else there are aims for.

    make bench                                   builds, and runs this
    make bench ARGS="--only speed --markdown"    one part, as a table for the README
    Tests/Benchmarks/bench.py --help             what can be changed

Parts: `speed` (an echo of 300 bytes against nginx, uWSGI, php-fpm, gunicorn, functions-framework, and a NIO server without a hop),
`json`, `cold` (cold starts), `soak` (ten minutes of load while workers are killed; only when it is asked for), and one for
each file `figures_NAME.py` beside this one. Such a file is run as `figures_NAME.py --build DIRECTORY` and prints a JSON
object a line: {"what": text, "value": number, "unit": text, "aim": number or null, "below": true if the aim is an upper one,
"reached": true, false or null, "note": text}; `report.figure` makes one.

All listen on loopback, on ports of their own; the rounds take turns, so that a slow minute of the machine meets everybody.
Processor time is what the kernel counts for a server's processes over a round, divided by the requests of the round;
the load generator's own is not in it. Everything that is started here is ended here, by its process id.
"""

import argparse
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import cold
import json_figures
import report
import soak
import speed
from processes import PROJECT, Failure

HERE = Path(__file__).resolve().parent


def others():
    """The parts that lie in files of their own."""
    return {path.stem.removeprefix("figures_"): path for path in sorted(HERE.glob("figures_*.py"))}


def from_file(path, build):
    """The figures that a file of figures prints."""
    # A session of its own, so that what it leaves behind when it fails can be ended with it.
    process = subprocess.Popen(
        [sys.executable, path, "--build", build], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        output, _ = process.communicate(timeout=300)
    except BaseException as error:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if isinstance(error, subprocess.TimeoutExpired):
            raise Failure(f"{path.name} took more than 300 s") from None
        raise
    if process.returncode:
        raise Failure(f"{path.name} ended with {process.returncode}")
    return [json.loads(line) for line in output.splitlines() if line.startswith("{")]


def machine(options):
    found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    name = found[1] if found else platform.machine()
    return (
        f"{len(os.sched_getaffinity(0))} processors, {name}, {platform.system()} {platform.release()}; "
        f"wrk with one thread, POST of {options.size} bytes, medians of {options.rounds} rounds of {options.seconds} s in turns"
    )


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument(
        "--only", nargs="+", metavar="PART", choices=["speed", "json", "cold", "soak", *others()],
        help="these parts only: speed, json, cold, soak" + "".join(f", {name}" for name in others()),
    )
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each server (5)")
    parser.add_argument("--seconds", type=int, default=2, help="seconds a round (2)")
    parser.add_argument("--size", type=int, default=300, help="bytes of a body (300; 250 at least)")
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 64], help="connections (1 64)")
    parser.add_argument("--no-peers", dest="peers", action="store_false", help="only nginx and NIO to compare with")
    parser.add_argument("--cold", type=int, default=20, help="cold starts (20)")
    parser.add_argument("--minutes", type=float, default=10, help="minutes of the soak (10)")
    parser.add_argument("--markdown", action="store_true", help="tables as Markdown")
    parser.add_argument("--json", type=Path, help="write all figures to this file as well")
    parser.add_argument(
        "--build", type=Path, default=PROJECT / ".build" / "release", help="where the executables are (.build/release)"
    )
    options = parser.parse_args()
    options.build = options.build.absolute()
    for name in ("swiftlet", "fixtures"):
        if not os.access(options.build / name, os.X_OK):
            raise Failure(f"there is no {name} in {options.build}; run make bench")
    if not shutil.which("wrk"):
        raise Failure("wrk is not installed; run deploy/install-packages bench")
    return options


def run(options, home):
    """All parts that are wanted; one that fails says so and does not keep the others from their turn."""
    rows, figures, rounds, failed = [], [], {}, []

    def part(name, measure):
        if name not in (options.only or ["speed", "json", "cold", *others()]):
            return
        print(f"{name}:", file=sys.stderr)
        try:
            measure()
        except Failure as failure:
            failed.append(name)
            print(f"bench: {name}: {failure}", file=sys.stderr)

    def measure_speed():
        more = speed.measure(home, options)
        rows.extend(more[0])
        figures.extend(more[1])
        rounds.update(more[2])

    part("speed", measure_speed)
    part("json", lambda: figures.extend(json_figures.measure(home, options)))
    part("cold", lambda: figures.extend(cold.measure(home, options)))
    for name, path in others().items():
        part(name, lambda: figures.extend(from_file(path, options.build)))
    part("soak", lambda: figures.extend(soak.measure(home, options)))

    print(f"\n{machine(options)}\n")
    if rows:
        print(report.speed_table(rows, options.markdown))
    if figures:
        print(report.figure_table(figures, options.markdown))
    if options.json:
        everything = {
            "rounds": [{"server": name, "connections": count} | row for (name, count), each in rounds.items() for row in each],
            "speed": rows, "figures": figures,
        }
        options.json.write_text(json.dumps(everything, indent=1) + "\n")
    # Aims of the other parts are told, not enforced: a benchmark's figures depend on the machine.
    if failed or any(entry.get("reached") is False and entry.get("part") == "soak" for entry in figures):
        sys.exit(1)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        chosen = arguments()
        with tempfile.TemporaryDirectory(prefix="swiftlet-bench-") as folder:
            run(chosen, Path(folder))
    except Failure as failure:
        sys.exit(f"bench: {failure}")
