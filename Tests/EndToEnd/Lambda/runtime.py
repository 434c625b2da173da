"""A Lambda runtime by hand, that does what an event asks for, right or wrong, and replies with what it was told."""

import base64
import http.client
import json
import os
import socket

API = os.environ["AWS_LAMBDA_RUNTIME_API"]
BASE = "/2018-06-01/runtime"
PRELUDE = "application/vnd.awslambda.http-integration-response"


def ask(method, path, body=None, headers=None, by=None):
    connection = by or http.client.HTTPConnection(API)
    connection.request(method, BASE + path, body, headers or {})
    answer = connection.getresponse()
    text = answer.read()
    if by is None:
        connection.close()
    return answer.status, answer.headers, text


def stream(request, pieces, headers, trailers=None):
    """Sends a chunked reply, and trailers after it; what the answer's status is."""
    host, port = API.split(":")
    with socket.create_connection((host, int(port))) as link:
        names = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"POST {BASE}/invocation/{request}/response HTTP/1.1\r\nHost: {API}\r\n{names}"
        link.sendall(f"{head}Lambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        for piece in pieces:
            link.sendall(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        ending = "".join(f"{name}: {value}\r\n" for name, value in (trailers or {}).items())
        link.sendall(f"0\r\n{ending}\r\n".encode())
        return int(link.recv(4096).split()[1])


def failures(request):
    """What a runtime hears that does wrong things."""
    told = [ask("POST", f"/invocation/{name}/response", "1") for name in ("nobody",)]
    told.append(ask("POST", "/init/error", "{}"))
    told.append(ask("GET", "/nowhere"))
    told.append(ask("PUT", "/invocation/next"))
    status, headers, event = ask("GET", "/invocation/next")
    same = headers["Lambda-Runtime-Aws-Request-Id"] == request
    return {"told": [[status, json.loads(text)] for status, _, text in told], "same": [status, same, event.decode()]}


def truncate(request):
    host, port = API.split(":")
    with socket.create_connection((host, int(port))) as link:
        head = f"POST {BASE}/invocation/{request}/response HTTP/1.1\r\nHost: {API}\r\nContent-Length: 100\r\n\r\nshort"
        link.sendall(head.encode())
        link.shutdown(socket.SHUT_WR)
        print("truncated:", link.recv(4096).decode().replace("\r\n", " "), flush=True)


def serve(request, headers, event):
    path = f"/invocation/{request}"
    what = event.get("do") or event.get("rawPath", "")
    if what == "headers":
        ask("POST", f"{path}/response", json.dumps({name.lower(): value for name, value in headers.items()}))
    elif what == "failures":
        ask("POST", f"{path}/response", json.dumps(failures(request)))
    elif what == "truncate":
        truncate(request)
    elif what == "mode":
        print("mode:", ask("POST", f"{path}/response", "1", {"Lambda-Runtime-Function-Response-Mode": "buffered"})[0], flush=True)
    elif what == "cause":
        error = {"errorMessage": "m", "errorType": "T", "stackTrace": ["a"], "errorCause": {"exceptions": []}}
        ask("POST", f"{path}/error", json.dumps(error), {"Content-Type": "application/vnd.aws.lambda.error.cause+json"})
    elif what.endswith("/stream"):
        prelude = json.dumps({"statusCode": 202, "headers": {"x-own": "yes"}, "cookies": ["a=1"]}).encode()
        pieces = [prelude[:7], prelude[7:] + bytes(8) + b"first,"] + [b"piece," * 1000] * 50
        stream(request, pieces, {"Content-Type": PRELUDE})
    elif what.endswith("/broken"):
        error = {"errorMessage": "midway", "errorType": "Broken"}
        stream(request, [b"begun"], {"Content-Type": "text/plain"}, {
            "Lambda-Runtime-Function-Error-Type": "Runtime.Broken",
            "Lambda-Runtime-Function-Error-Body": base64.b64encode(json.dumps(error).encode()).decode(),
        })
    elif "Records" in event:
        failed = [one["messageId"] for one in event["Records"] if json.loads(one["body"]).get("bad")]
        print("records:", [one["body"] for one in event["Records"]], flush=True)
        ask("POST", f"{path}/response", json.dumps({"batchItemFailures": [{"itemIdentifier": name} for name in failed]}))
    else:
        print("event:", json.dumps(event), flush=True)
        ask("POST", f"{path}/response", json.dumps(event))


def main():
    link = http.client.HTTPConnection(API)
    while True:
        status, headers, body = ask("GET", "/invocation/next", by=link)
        serve(headers["Lambda-Runtime-Aws-Request-Id"], headers, json.loads(body))


main()
