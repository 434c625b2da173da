"""Processes that a benchmark starts, and what the kernel says of them."""

import contextlib
import os
import re
import socket
import subprocess
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
TICK = os.sysconf("SC_CLK_TCK")


class Failure(Exception):
    """Why there is no figure, in a sentence."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(condition, seconds, message):
    """What `condition` returns once it is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.005)
    raise Failure(message)


def descendants(pid):
    """A process and all it has started, by their ids."""
    found = [pid]
    for parent in found:
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{parent}/task").iterdir():
                found += [int(child) for child in (task / "children").read_text().split()]
    return found


def processor_seconds(pids):
    """User and system time of the processes that are still there."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
    return total / TICK


def memory(pids):
    """Resident, proportional and private memory of processes together, in MiB."""
    sums = {"Rss": 0, "Pss": 0, "Private_Clean": 0, "Private_Dirty": 0}
    for pid in pids:
        with contextlib.suppress(OSError):
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
            for name in sums:
                sums[name] += int(re.search(rf"^{name}:\s+(\d+)", text, re.M)[1])
    return {
        "rss": sums["Rss"] / 1024,
        "pss": sums["Pss"] / 1024,
        "private": (sums["Private_Clean"] + sums["Private_Dirty"]) / 1024,
    }


def stop(process, seconds=15):
    """Asks a process of ours to end, and makes it if it does not."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Server:
    """A server on loopback, of one process or several, that is started here and ended here."""

    name = ""
    path = "/"

    def __init__(self, home):
        self.home = home
        self.home.mkdir(parents=True)
        self.port = free_port()
        self.processes = []

    def start(self, *command, **options):
        """Starts a process of the server; what it prints goes to a file."""
        output = (self.home / f"output{len(self.processes)}").open("w")
        options = {"cwd": self.home, "stdin": subprocess.DEVNULL, "stdout": output, "stderr": subprocess.STDOUT} | options
        with output:
            self.processes.append(subprocess.Popen([str(part) for part in command], **options))

    def wait_until_ready(self, seconds=15):
        try:
            until(self.answers, seconds, f"{self.name} does not answer within {seconds} s")
        except Failure as failure:
            self.stop()
            raise Failure(f"{failure}{self.words()}") from None

    def answers(self):
        for process in self.processes:
            if process.poll() is not None:
                raise Failure(f"{self.name} ended with {process.returncode}")
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True

    def words(self):
        """The end of what the processes printed, for the message of a failure."""
        texts = [path.read_text(errors="replace")[-1500:].strip() for path in sorted(self.home.glob("output*"))]
        return "".join(f"\n{text}" for text in texts if text)

    def pids(self):
        return [pid for process in self.processes for pid in descendants(process.pid)]

    def stop(self):
        for process in reversed(self.processes):
            stop(process)
