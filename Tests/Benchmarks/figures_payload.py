#!/usr/bin/env python3
"""Large bodies between dispatcher and worker, without HTTP: 6 MiB there and back, bytes in and out counted once each."""

import argparse
import json
import subprocess
from pathlib import Path

from report import figure

BYTES = 6 * 1024 * 1024
ROUNDS = 100


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, required=True, help="where `hop` and `fixtures` are")
    build = parser.parse_args().build.absolute()
    said = subprocess.run(
        [build / "hop", "payload", str(BYTES), str(ROUNDS)], capture_output=True, text=True, check=True, timeout=120
    ).stdout
    told = json.loads(said)
    grown = (told["memoryIdle"] - told["memoryBefore"]) / 1024
    for line in (
        figure(
            "6 MiB from dispatcher to reply, without HTTP", told["gigabytesPerSecond"], "GB/s", 1.0, below=False,
            note=f"median of {ROUNDS} echoes; best {told['best']:.1f}",
        ),
        figure("the host's memory after them, idle again, against before", grown, "MiB", 4.0),
    ):
        print(json.dumps(line))


if __name__ == "__main__":
    main()
