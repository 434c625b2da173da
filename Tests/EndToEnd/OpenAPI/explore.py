#!/usr/bin/env python3
"""Asks a dev host what its OpenAPI documents promise, and whatever else schemathesis thinks of.

    in_venv.py OpenAPI/requirements.txt OpenAPI/explore.py story GATEWAY-URL
    in_venv.py OpenAPI/requirements.txt OpenAPI/explore.py gateway|admin DOCUMENT-URL [EXAMPLES]

`story` walks through the functions with what callers would send, each answer against the document. The others have
schemathesis make requests up, good ones and bad ones, the same at every run.
"""

import subprocess
import sys
import time
import urllib.parse
from pathlib import Path

import openapi_spec_validator
import requests
import schemathesis

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,unsupported_method"
)
# What never ends, what moves the clock under the others' feet, and what ends the host's own work.
LEFT_OUT = {"gateway": None, "admin": "(/events|/v1/clock|/v1/reload|/v1/faults)$"}


def validate(url):
    document = requests.get(url, timeout=10).json()
    openapi_spec_validator.validate(document)
    return document


def explore(kind, url, examples):
    base = "{0.scheme}://{0.netloc}".format(urllib.parse.urlsplit(url))
    validate(url)
    command = [
        str(Path(sys.executable).with_name("schemathesis")), "run", url, "--url", base,
        "--phases", "examples,coverage,fuzzing", "--max-examples", examples, "--checks", CHECKS,
        "--generation-deterministic", "--no-shrink", "--continue-on-failure",
        "--request-timeout", "30", "--suppress-health-check", "all", "--warnings", "off", "--no-color",
    ]
    if LEFT_OUT[kind]:
        command += ["--exclude-path-regex", LEFT_OUT[kind]]
    sys.exit(subprocess.run(command, timeout=200, cwd="/tmp").returncode)


class Story:
    """Requests whose answers are validated."""

    def __init__(self, gateway):
        self.gateway = gateway
        validate(gateway + "/_swiftlet/openapi.json")
        self.schema = schemathesis.openapi.from_url(gateway + "/_swiftlet/openapi.json")

    def ask(self, method, path, status, **parts):
        """The answer to a request, which must have that status and be as the document says."""
        case = self.schema[path][method].Case(**parts)
        answer = case.call_and_validate(base_url=self.gateway)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer

    def tell(self):
        user = {"user": 7}
        answers = "/v1/users/{user}/questionnaires/{definition}/answers"
        story = {**user, "definition": "story"}
        hero = {"hero": "Mara", "age": 9, "place": "Lisbon", "wish": "to find the lighthouse"}
        self.ask("GET", "/v1/questionnaires", 200)
        self.ask("GET", "/v1/questionnaires/{definition}", 200, path_parameters={"definition": "story"})
        given = self.ask("POST", answers, 201, path_parameters=story, body={"answers": hero}).json()
        self.ask("POST", answers, 422, path_parameters=story, body={"answers": {**hero, "age": 900}})
        self.ask("GET", answers, 200, path_parameters=story)
        self.ask("GET", answers + "/{id}", 200, path_parameters={**story, "id": given["id"]})
        scripts = "/v1/users/{user}/scripts"
        self.ask("POST", scripts, 200, path_parameters=user, body={"title": "A lamp", "dry_run": True})
        script = self.ask("POST", scripts, 201, path_parameters=user, body={"answers": given["id"], "seconds": 15}).json()
        self.ask("GET", scripts, 200, path_parameters=user)
        self.ask("GET", scripts + "/{id}", 200, path_parameters={**user, "id": script["id"]})
        videos = "/v1/users/{user}/videos"
        film = {"script": script["id"], "width": 64, "height": 64}
        job = self.ask("POST", videos, 202, path_parameters=user, body=film).json()["job"]["id"]
        end = time.monotonic() + 60
        while (state := self.job(job)["state"]) != "completed":
            assert state in ("queued", "running") and time.monotonic() < end, self.job(job)
            time.sleep(0.2)
        self.ask("GET", "/v1/jobs/{id}/events", 200, path_parameters={"id": job})
        self.ask("GET", videos, 200, path_parameters=user)
        video = self.job(job)["result"]["id"]
        self.ask("GET", videos + "/{id}", 200, path_parameters={**user, "id": video})
        persona = {"name": "Ada", "prompt": "a mathematician", "tone": "witty"}
        self.ask("POST", "/v1/personas", 201, body=persona)
        self.ask("POST", "/v1/personas", 200, body=persona)
        self.ask("POST", "/v1/personas", 409, body={**persona, "if_exists": "error"})
        self.ask("GET", "/v1/personas/{name}", 200, path_parameters={"name": "Ada"})
        self.ask("POST", "/v1/mottos", 200, body={"prompt": "a lighthouse", "tone": "witty", "count": 2})
        hello = {"messages": [{"role": "user", "content": "Hello"}]}
        self.ask("POST", "/v1/chat/completions", 200, body=hello)
        self.ask("POST", "/v1/chat/completions", 200, body={**hello, "stream": True})
        self.ask("POST", "/v1/chat/completions", 400, body={"messages": []})
        self.ask("GET", "/v1/trading/status", 200)
        self.ask("GET", "/v1/learning/status", 200)

    def job(self, job):
        return self.ask("GET", "/v1/jobs/{id}", 200, path_parameters={"id": job}).json()["job"]


if __name__ == "__main__":
    if sys.argv[1] == "story":
        Story(sys.argv[2]).tell()
    else:
        explore(sys.argv[1], sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else "10")
