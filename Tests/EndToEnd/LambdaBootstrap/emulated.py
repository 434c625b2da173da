#!/usr/bin/env python3
"""Runs a bundle as a Lambda behind AWS's own Runtime Interface Emulator, and checks what callers see.

    in_venv.py LambdaBootstrap/emulator.txt LambdaBootstrap/emulated.py BUNDLE-OR-ZIP SCENARIO

The emulator is the program that the package of SAM CLI has in it. It is told nothing but the bundle and the handler's name.
"""

import contextlib
import importlib.util
import json
import os
import pathlib
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zipfile

BUNDLE = sys.argv[1]
ROUTES = {"functions": [{"name": "tell", "redis": [{"source": "orders", "operation": "ordered"}], "routes": [
    {"method": "GET", "path": "/v1/tales/{teller}", "operation": "one"},
    {"method": "POST", "path": "/v1/tales", "operation": "new"},
]}]}


def emulator():
    machine = "arm64" if platform.machine() == "aarch64" else "x86_64"
    package = pathlib.Path(importlib.util.find_spec("samcli").origin).parent
    return package / "local" / "rapid" / f"aws-lambda-rie-{machine}"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Lambda:
    """A function behind the emulator."""

    def __init__(self, port, log):
        self.url = f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
        self.log = log

    def invoke(self, event):
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        try:
            with urllib.request.urlopen(self.url, data=body, timeout=20) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def value(self, event):
        status, body = self.invoke(event)
        assert status == 200, (status, body)
        return json.loads(body)


@contextlib.contextmanager
def running(handler, timeout=10, bundle=BUNDLE, **environment):
    """The bundle as the emulator runs it, with its task root in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        bootstrap = root / "bootstrap"
        if bundle.endswith(".zip"):
            subprocess.run(["python3", "-m", "zipfile", "-e", bundle, folder], check=True)
            bootstrap.chmod(0o755)
        else:
            os.symlink(bundle, bootstrap)
            (root / "functions.json").write_text(json.dumps(ROUTES))
        program = root / "emulator"
        shutil.copy(emulator(), program)
        program.chmod(0o755)
        port, log = free_port(), open(root / "log", "w+")
        process = subprocess.Popen(
            [program, "--log-level", "error", "--runtime-interface-emulator-address", f"127.0.0.1:{port}",
             "--runtime-api-address", f"127.0.0.1:{free_port()}", bootstrap, handler],
            stdout=log, stderr=log, start_new_session=True,
            env={"PATH": os.environ["PATH"], "HOME": folder, "AWS_LAMBDA_FUNCTION_TIMEOUT": str(timeout),
                 "LAMBDA_TASK_ROOT": folder, "AWS_SECRET_ACCESS_KEY": "hidden", **environment},
        )
        try:
            for _ in range(200):
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                assert process.poll() is None, "the emulator left"
                time.sleep(0.05)
            yield Lambda(port, root / "log")
        except BaseException:
            print((root / "log").read_text()[-4000:])
            raise
        finally:
            process.kill()
            process.wait()


def request(method="GET", path="/", body=None, query="", url=True, **members):
    """An event of payload format 2.0."""
    domain = "abc.lambda-url.us-east-1.on.aws" if url else "abc.execute-api.us-east-1.amazonaws.com"
    return {
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": query,
        "headers": {"content-type": "application/json"},
        "requestContext": {"domainName": domain, "stage": "$default", "http": {
            "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "test"}},
        "body": body, "isBase64Encoded": False, **members,
    }


def record(number, data):
    return {"messageId": f"m{number}", "receiptHandle": "r", "body": json.dumps(data), "attributes": {
        "ApproximateReceiveCount": "2", "SentTimestamp": "1545082649183"}, "messageAttributes": {},
        "md5OfBody": "x", "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:1:orders"}


def plain():
    with running("echo") as function:
        for event in (b'{"a":1}', b"[1,2]", b'"text"'):
            assert function.invoke(event) == (200, event)
        assert function.invoke(b"no json") == (200, b'"no json"')
        large = json.dumps({"text": "x" * 5_000_000}).encode()
        assert function.invoke(large) == (200, large)
    with running("typed") as function:
        greetings = function.value({"name": "Ada", "times": 2})["greetings"]
        assert greetings == ["Good day Ada 1", "Good day Ada 2"]
    with running("tell.asked", GREETING="hello") as function:
        told = function.value({"n": 1})
        assert told["operation"] == "asked" and told["kind"] == "plain" and told["body"] == '{"n": 1}', told
        assert 0 < told["remaining"] <= 10_000, told
        assert "GREETING" in told["environment"] and "AWS_SECRET_ACCESS_KEY" not in told["environment"], told
        assert f"[INFO] {told['invocation']} told\rall kind=plain" in function.log.read_bytes().decode()


def faults():
    with running("typed") as function:
        fault = function.value({"name": 1, "times": 1})
        assert fault == {"errorType": "invalid_input", "errorMessage": "name: expected a string, found a number"}
        assert function.value({"name": "Ada", "times": 1})["greetings"], "it does not go on"
    with running("failing") as function:
        assert function.value({"mode": "unhandled"})["errorType"] == "unhandled_error"
        assert function.value({"mode": "status", "status": 99})["errorType"] == "invalid_reply"
        assert function.value({"mode": "status", "status": 404})["errorType"] == "failed"
        assert len(function.value({"mode": "long"})["errorMessage"]) < 65_536
    with running("batched") as function:
        fault = function.value("text")
        assert fault["errorType"] == "binding_unavailable" and "SWIFTLET_BINDINGS_URL" in fault["errorMessage"], fault
    with running("crash") as function:
        # A new process takes the place of each that died.
        for _ in range(2):
            status, body = function.invoke({})
            assert status == 502 and json.loads(body)["errorType"] == "Runtime.ExitError", (status, body)
    with running("nobody") as function:
        status, body = function.invoke({})
        assert status == 502 and json.loads(body)["errorType"] == "Runtime.HandlerNotFound", (status, body)


def timeouts():
    with running("slow", timeout=1) as function:
        assert b"Task timed out after 1.00 seconds" in function.invoke({"ms": 30_000})[1]
        assert function.invoke({"ms": 1}) == (200, b"1")


def streams():
    with running("stream") as function:
        for _ in range(2):
            status, body = function.invoke({"events": 3, "size": 16})
            assert status == 200 and body.count(b"data: ") == 3, (status, body)
    with running("torn") as function:
        reply = function.value(request("POST", body='{"text":"hi"}', url=False))
        assert reply["statusCode"] == 201 and reply["body"] == "hi", reply
        assert reply["headers"] == {"content-type": "text/x-torn"}, reply
        status, body = function.invoke(request("POST", body='{"text":"hi"}'))
        head, text = body.split(b"\0" * 8)
        assert json.loads(head)["statusCode"] == 201 and text == b"hi", body
        reply = function.value(request("POST", body='{"fail":"first"}'))
        assert reply["statusCode"] == 422, reply
    with running("torn", SWIFTLET_INVOKE_MODE="BUFFERED") as function:
        assert function.value(request("POST", body='{"text":"hi"}'))["body"] == "hi"


def http():
    with running("tell") as function:
        reply = function.value(request("GET", "/v1/tales/a%2Fb", query="x=1"))
        assert reply["statusCode"] == 200 and reply["cookies"] == ["a=1", "b=2"], reply
        told = json.loads(reply["body"])
        assert told["operation"] == "one" and told["parameters"] == {"teller": "a/b"}, told
        assert told["target"] == "/v1/tales/a%2Fb?x=1" and told["kind"] == "http", told
        assert json.loads(function.value(request("HEAD", "/v1/tales/x"))["body"])["method"] == "GET"
        assert function.value(request("GET", "/v2"))["statusCode"] == 404
        wrong = function.value(request("GET", "/v1/tales"))
        assert wrong["statusCode"] == 405 and "POST" in wrong["body"], wrong
        assert function.value(request("GET", "/", rawPath=7))["errorType"] == "bad_http_event"
        old = {"version": "1.0", "httpMethod": "GET", "requestContext": {}}
        assert function.value(old)["errorType"] == "payload_version"
    with running("tell.other") as function:
        told = json.loads(function.value(request("GET", "/mine/7", pathParameters={"n": "7"}))["body"])
        assert told["operation"] == "other" and told["parameters"] == {"n": "7"}, told
    with running("failing") as function:
        reply = function.value(request("POST", body="{}"))
        assert reply["statusCode"] == 422 and reply["headers"]["retry-after"] == "7", reply
        assert json.loads(reply["body"])["error"]["code"] == "told_to", reply


def schedules():
    event = {
        "version": "0", "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa", "detail-type": "Scheduled Event",
        "source": "aws.events", "account": "1", "time": "2026-03-09T13:30:00Z", "region": "us-east-1",
        "resources": ["arn:aws:events:us-east-1:1:rule/nightly"], "detail": {},
    }
    with running("tell") as function:
        told = function.value(event)
        assert told["kind"] == "schedule", told
        firing = json.loads(told["body"])
        assert firing["schedule"] == "nightly" and firing["nominal"] == "2026-03-09T13:30:00Z", firing


def batches():
    with running("partial") as function:
        def answer(*data):
            return function.value({"Records": [record(i, {"fail": fail}) for i, fail in enumerate(data)]})
        assert answer("no", "no") == {"batchItemFailures": []}
        assert answer("no", "yes", "forget", "all") == {
            "batchItemFailures": [{"itemIdentifier": "m1"}, {"itemIdentifier": "m3"}]}
        assert answer("no", "throw")["errorType"] == "told_to"
    with running("tell") as function:
        # What a function replies to a batch is for its log: without failures all is done.
        assert function.value({"Records": [record(0, {})]}) == {"batchItemFailures": []}


def packaged():
    """The zip of deploy/lambda/package, with the functions that are shipped."""
    with zipfile.ZipFile(BUNDLE) as packed:
        modes = {info.filename: info.external_attr >> 16 & 0o777 for info in packed.infolist()}
        assert modes == {"bootstrap": 0o755, "functions.json": 0o644}, modes
    with running("questionnaire") as function:
        reply = function.value(request("GET", "/v1/questionnaires"))
        names = [each["name"] for each in json.loads(reply["body"])["questionnaires"]]
        assert reply["statusCode"] == 200 and names, reply
        reply = function.value(request("GET", f"/v1/questionnaires/{names[0]}"))
        assert reply["statusCode"] == 200 and json.loads(reply["body"])["name"] == names[0], reply
        path = f"/v1/users/7/questionnaires/{names[0]}/answers"
        reply = function.value(request("GET", path))
        assert reply["statusCode"] == 501, reply
        assert json.loads(reply["body"])["error"]["code"] == "binding_unavailable", reply


if __name__ == "__main__":
    globals()[sys.argv[2]]()
