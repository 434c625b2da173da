#!/usr/bin/env python3
"""Serves a bundle the Runtime API by script, and checks what the emulator of AWS does not show.

    scripted.py BUNDLE SCENARIO [HANDLER]

Streams piece by piece with their trailers, several loops at once, the end by SIGTERM, a server that closes connections.
"""

import base64
import contextlib
import http.server
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time

BUNDLE = sys.argv[1]
TRACE = "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1"


class Answer:
    """What was posted: when its pieces came, and its trailers."""

    def __init__(self, path, headers):
        self.path, self.headers = path, headers
        self.pieces, self.trailers, self.status = [], {}, 202

    @property
    def body(self):
        return b"".join(piece for _, piece in self.pieces)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        api = self.server.api
        api.waiting.release()
        number, event, options = api.events.get()
        if number is None:
            self.close_connection = True
            return
        body = json.dumps(event).encode()
        self.send_response(200)
        self.send_header("Lambda-Runtime-Aws-Request-Id", f"r-{number}")
        self.send_header("Lambda-Runtime-Deadline-Ms", str(int((time.time() + 5) * 1000)))
        self.send_header("Lambda-Runtime-Trace-Id", TRACE)
        if options.get("closes"):
            self.send_header("Connection", "close")
        if options.get("chunked"):
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for start in range(0, len(body), 7):
                piece = body[start:start + 7]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def do_POST(self):
        answer = Answer(self.path, dict((name.lower(), value) for name, value in self.headers.items()))
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline().split(b";")[0], 16):
                answer.pieces.append((time.monotonic(), self.rfile.read(size)))
                self.rfile.readline()
            while line := self.rfile.readline().strip():
                name, value = line.decode().split(":", 1)
                answer.trailers[name.lower()] = value.strip()
        else:
            answer.pieces.append((time.monotonic(), self.rfile.read(int(self.headers["Content-Length"]))))
        status = self.server.api.refuses or 202
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()
        self.server.api.answers.put(answer)


class API:
    def __init__(self):
        self.events, self.answers = queue.Queue(), queue.Queue()
        self.waiting, self.refuses, self.count = threading.Semaphore(0), None, 0
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads, self.server.api = True, self
        # A process that is killed resets its connection.
        self.server.handle_error = lambda *_: None
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def send(self, event, **options):
        self.count += 1
        self.events.put((self.count, event, options))

    def answer(self):
        return self.answers.get(timeout=15)


@contextlib.contextmanager
def running(handler, **environment):
    api = API()
    with tempfile.TemporaryDirectory() as folder:
        api.began = time.perf_counter()
        process = subprocess.Popen(
            [BUNDLE], cwd=folder,
            env={"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{api.server.server_port}", "_HANDLER": handler, **environment},
        )
        try:
            yield api, process
        finally:
            process.kill()
            process.wait()


def request(event):
    return {
        "version": "2.0", "rawPath": "/", "headers": {}, "body": json.dumps(event), "isBase64Encoded": False,
        "requestContext": {"domainName": "abc.lambda-url.us-east-1.on.aws", "http": {"method": "POST"}},
    }


def streams():
    with running("torn") as (api, _):
        api.send(request({"text": "hi", "ms": 300, "fail": "last"}))
        answer = api.answer()
        assert answer.path == "/2018-06-01/runtime/invocation/r-1/response", answer.path
        assert answer.headers["lambda-runtime-function-response-mode"] == "streaming"
        assert answer.headers["content-type"] == "application/vnd.awslambda.http-integration-response"
        head, body = answer.body.split(b"\0" * 8)
        assert json.loads(head) == {"statusCode": 201, "headers": {"content-type": "text/x-torn"}} and body == b"hi"
        assert answer.trailers["lambda-runtime-function-error-type"] == "Function.TornOff", answer.trailers
        fault = json.loads(base64.b64decode(answer.trailers["lambda-runtime-function-error-body"]))
        assert fault == {"errorMessage": "after the text", "errorType": "torn_off"}, fault
        api.send({"text": "plain"})
        answer = api.answer()
        assert answer.body == b"plain" and not answer.trailers and answer.headers["content-type"] == "text/x-torn"
        api.send({"text": "", "fail": "first"})
        answer = api.answer()
        assert answer.path.endswith("/r-3/error"), answer.path
        assert answer.headers["lambda-runtime-function-error-type"] == "Function.InvalidInput"
    with running("stream") as (api, _):
        api.send({"events": 4, "delay": 150})
        times = [when for when, _ in api.answer().pieces]
        assert len(times) == 4 and times[-1] - times[0] > 0.3, "the pieces did not come as they were written"


def told():
    with running("tell") as (api, _):
        api.send({"n": 1}, chunked=True)
        answer = json.loads(api.answer().body)
        assert answer["invocation"] == "r-1" and json.loads(answer["body"]) == {"n": 1}, answer
        assert answer["trace"].startswith("00-5bef4de7ad49b0e87f6ef6c87fc2e700-"), answer
        assert "9a9197af755a6419" not in answer["trace"] and 0 < answer["remaining"] <= 5000, answer
        api.send({"n": 2}, closes=True)
        assert json.loads(api.answer().body)["invocation"] == "r-2"
        api.refuses = 413
        api.send({"n": 3})
        api.answer()
        api.refuses = None
        api.send({"n": 4})
        assert json.loads(api.answer().body)["invocation"] == "r-4"


def several():
    with running("slow", AWS_LAMBDA_MAX_CONCURRENCY="4") as (api, _):
        for _ in range(4):
            assert api.waiting.acquire(timeout=15), "fewer than four loops"
        began = time.monotonic()
        for _ in range(8):
            api.send({"ms": 500})
        paths = {api.answer().path for _ in range(8)}
        assert len(paths) == 8 and time.monotonic() - began < 3.5, "one after the other"


def ends():
    with running("slow") as (api, process):
        assert api.waiting.acquire(timeout=15)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    with running("slow") as (api, process):
        api.send({"ms": 700})
        api.waiting.acquire(timeout=15)
        time.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        assert api.answer().body == b"1"
        assert process.wait(10) == 0
    with running("slow") as (api, process):
        api.events.put((None, None, {}))
        api.events.put((None, None, {}))
        assert process.wait(10) == 1


def beginnings():
    for handler, kind in ("nobody", "Runtime.HandlerNotFound"), ("start-crash", "Function.InitError"):
        with running(handler) as (api, process):
            answer = api.answer()
            assert answer.path.endswith("/runtime/init/error"), answer.path
            assert answer.headers["lambda-runtime-function-error-type"] == kind, answer.headers
            assert json.loads(answer.body)["errorType"] == kind
            assert process.wait(10) == 1


def bindings():
    """Functions that call bindings of a host: `bindings URL TOKEN CERTIFICATES`."""
    url, token, certificates = sys.argv[3:6]
    host = {"SWIFTLET_BINDINGS_URL": url, "SWIFTLET_BINDINGS_TOKEN": token, "SWIFTLET_BINDINGS_CA": certificates}

    def told(handler, event, **changed):
        with running(handler, **{**host, **changed}) as (api, _):
            api.send(event)
            return api.answer()

    motto = {"prompt": "rain", "tone": "witty", "count": 2}
    answer = told("motto.create", motto)
    assert answer.path.endswith("/response") and len(json.loads(answer.body)["mottos"]) == 2, answer.body
    answers = {"user": 7, "definition": "story", "answers": {"hero": "Mara", "place": "the sea", "wish": "a boat", "age": 31}}
    answer = told("questionnaire.submit", answers)
    assert answer.path.endswith("/response") and json.loads(answer.body)["user"] == 7, answer.body
    kept = json.loads(told("questionnaire.list", {"user": 7, "definition": "story"}).body)
    assert len(kept["answers"]) == 1, kept
    chat = {"stream": True, "messages": [{"role": "user", "content": "Hello, who are you?"}]}
    answer = told("chatbot.complete", request(chat))
    assert len(answer.pieces) > 4 and b"data: [DONE]" in answer.body, answer.body
    # The next call of a process takes the connection of the last one.
    with running("motto.create", **host) as (api, _):
        for _ in range(3):
            api.send(motto)
            assert api.answer().path.endswith("/response")
    for changed, kind in [
        ({"SWIFTLET_BINDINGS_TOKEN": "another"}, "Function.TokenRequired"),
        ({"SWIFTLET_BINDINGS_URL": "https://localhost:1"}, "Function.BindingsUnreachable"),
        ({"SWIFTLET_BINDINGS_CA": "/dev/null"}, "Function.BindingsUnreachable"),
        ({"SWIFTLET_BINDINGS_URL": "http://example.org"}, "Function.BindingUnavailable"),
        ({"SWIFTLET_BINDINGS_URL": ""}, "Function.BindingUnavailable"),
    ]:
        answer = told("motto.create", motto, **changed)
        assert answer.headers["lambda-runtime-function-error-type"] == kind, (changed, answer.body)
        assert token not in answer.body.decode(), answer.body


def cold():
    """Prints how long it takes from the start of the process to its first answer, and what memory it has then."""
    times, sizes = [], []
    for _ in range(21):
        with running(sys.argv[3]) as (api, process):
            api.send({})
            api.answer()
            times.append((time.perf_counter() - api.began) * 1000)
            with open(f"/proc/{process.pid}/status") as status:
                sizes.append(next(int(line.split()[1]) for line in status if line.startswith("VmRSS")))
    times.sort()
    print(f"first answer after {times[10]:.1f} ms (fastest {times[0]:.1f}, slowest {times[-1]:.1f}), "
          f"{sorted(sizes)[10] / 1024:.1f} MiB")


if __name__ == "__main__":
    globals()[sys.argv[2]]()
