#!/usr/bin/env python3
"""Runs a script with packages from PyPI that are pinned in a file.

    in_venv.py REQUIREMENTS SCRIPT [ARGUMENT...]

The packages live in an environment of the project's own, `.venv/NAME`, by the name of the file or, where that is
`requirements.txt`, of its folder. It is made once, and anew where the file has changed; who comes meanwhile waits.
Of a file whose first line begins with `# --no-deps` only what it names is installed.
"""

import fcntl
import os
import pathlib
import subprocess
import sys

PROJECT = pathlib.Path(__file__).resolve().parents[2]


def environment(requirements):
    """The environment of a file with requirements, which is made where it is missing or another."""
    name = requirements.parent.name if requirements.stem == "requirements" else requirements.stem
    home = PROJECT / ".venv" / name.lower()
    home.parent.mkdir(exist_ok=True)
    wanted, stamp = requirements.read_text(), home / "requirements.txt"
    with open(home.parent / f"{home.name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != wanted:
            subprocess.run(["python3", "-m", "venv", "--clear", home], check=True, timeout=120)
            pip = [home / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check"]
            if wanted.startswith("# --no-deps"):
                pip.append("--no-deps")
            subprocess.run([*pip, "-r", requirements], check=True, timeout=400)
            stamp.write_text(wanted)
    return home


def main():
    requirements, script, *arguments = sys.argv[1:]
    home = environment(pathlib.Path(requirements).resolve())
    path = f"{home / 'bin'}:{os.environ['PATH']}"
    python = str(home / "bin" / "python")
    os.execve(python, [python, script, *arguments], {**os.environ, "PATH": path})


if __name__ == "__main__":
    main()
