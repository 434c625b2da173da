#!/usr/bin/env python3
"""Has cfn-lint look at the template of deploy/lambda, and at one with a fault, so that its silence says something.

    in_venv.py LambdaBootstrap/template.txt LambdaBootstrap/lint_template.py
"""

import pathlib
import subprocess
import sys
import tempfile

TEMPLATE = pathlib.Path(__file__).resolve().parents[3] / "deploy" / "lambda" / "template.yaml"


def lint(path):
    done = subprocess.run(["cfn-lint", "--include-checks", "W", "--", path], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


code, said = lint(TEMPLATE)
assert code == 0, said
with tempfile.NamedTemporaryFile("w", suffix=".yaml") as broken:
    broken.write(TEMPLATE.read_text().replace("Handler: motto", "Handlr: motto"))
    broken.flush()
    code, said = lint(broken.name)
    assert code != 0 and "Handlr" in said, said
