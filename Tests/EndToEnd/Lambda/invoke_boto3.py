#!/usr/bin/env python3
"""Drives the Lambda API of a host with the fixtures as boto3 does, and checks what it answers.

    in_venv.py Lambda/requirements.txt Lambda/invoke_boto3.py ADMIN-URL SCENARIO
"""

import base64
import concurrent.futures
import json
import re
import sys
import time
import urllib.request

import boto3
import botocore.config
import botocore.exceptions
import botocore.validate

ADMIN = sys.argv[1]
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def client(attempts=1, connections=64):
    """A client that asks `attempts` times."""
    return boto3.client(
        "lambda", endpoint_url=ADMIN, region_name="us-east-1", aws_access_key_id="any", aws_secret_access_key="any",
        config=botocore.config.Config(
            retries={"total_max_attempts": attempts, "mode": "standard"}, max_pool_connections=connections,
        ),
    )


def invoke(function, event=None, by=None, **options):
    payload = event if isinstance(event, bytes) else json.dumps(event or {}).encode()
    answer = (by or client()).invoke(FunctionName=function, Payload=payload, **options)
    answer["Text"] = answer["Payload"].read()
    return answer


def fault(function, event=None, **options):
    """The body of a function error."""
    answer = invoke(function, event, **options)
    assert answer["StatusCode"] == 200 and answer["FunctionError"] == "Unhandled", answer
    return json.loads(answer["Text"])


def refusal(call):
    """The exception's name, the status and the body of an error of the API."""
    try:
        answer = call()
    except botocore.exceptions.ClientError as error:
        return type(error).__name__, error.response["ResponseMetadata"]["HTTPStatusCode"], error.response
    raise AssertionError(f"no error: {answer}")


def admin(path):
    with urllib.request.urlopen(ADMIN + path, timeout=10) as answer:
        return json.load(answer)


def eventually(what, look):
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what} did not come")


def replies():
    answer = invoke("echo", {"a": [1, "ä"]})
    assert json.loads(answer["Text"]) == {"a": [1, "ä"]}
    assert answer["StatusCode"] == 200 and answer["ExecutedVersion"] == "$LATEST" and "FunctionError" not in answer
    meta = answer["ResponseMetadata"]
    assert UUID.fullmatch(meta["RequestId"]), meta
    assert len(meta["HTTPHeaders"]["x-swiftlet-invocation"]) == 24 and len(meta["HTTPHeaders"]["x-trace-id"]) == 32
    assert "LogResult" not in answer
    for name in (
        "function:echo", "000000000000:function:echo", "arn:aws:lambda:us-east-1:000000000000:function:echo",
        "arn:aws:lambda:eu-central-1:123456789012:function:echo:$LATEST", "echo:$LATEST",
    ):
        assert invoke(name, {"b": 2})["Text"] == b'{"b": 2}', name
    assert invoke("echo", b"")["Text"] == b"{}"
    assert invoke("echo", b"[1]", Qualifier="$LATEST")["Text"] == b"[1]"
    assert json.loads(invoke("doze", {})["Text"]) == "rested"
    assert invoke("echo", b'"' + b"x" * 5_000_000 + b'"')["Text"][:3] == b'"xx'
    context = base64.b64encode(b'{"custom": {"a": "1"}}').decode()
    assert invoke("echo", {}, ClientContext=context)["StatusCode"] == 200


def faults():
    told = fault("failing")
    assert told["errorType"] == "told_to" and told["errorMessage"] == "told to" and told["faults"], told
    assert UUID.fullmatch(told["requestId"])
    assert fault("failing", {"mode": "unhandled"})["errorType"] == "unhandled_error"
    late = fault("hang")
    assert late["errorType"] == "Sandbox.Timedout", late
    assert re.fullmatch(r"RequestId: \S{36} Error: Task timed out after 0.30 seconds", late["errorMessage"]), late
    left = fault("leave")
    assert left["errorType"] == "Runtime.ExitError", left
    assert left["errorMessage"].endswith("Error: Runtime exited without providing a reason"), left
    assert fault("crash")["errorType"] == "Runtime.ExitError"
    large = fault("big", {"bytes": 6_500_000})
    assert large["errorType"] == "Function.ResponseSizeTooLarge", large


def refusals():
    missing = refusal(lambda: invoke("nobody"))
    assert missing[:2] == ("ResourceNotFoundException", 404), missing
    assert missing[2]["Type"] == "User" and "function:nobody" in missing[2]["Error"]["Message"], missing
    assert refusal(lambda: invoke("echo:none"))[0] == "ResourceNotFoundException"
    assert refusal(lambda: invoke("echo", b"{'a'"))[:2] == ("InvalidRequestContentException", 400)
    assert refusal(lambda: invoke("echo", ClientContext="###"))[0] == "InvalidRequestContentException"
    large = b'"' + b"x" * (6 << 20) + b'"'
    assert refusal(lambda: invoke("echo", large))[:2] == ("RequestTooLargeException", 413)
    event = large[:1 << 20] + b'"'
    assert refusal(lambda: invoke("echo", event, InvocationType="Event"))[0] == "RequestTooLargeException"
    assert client().invoke(FunctionName="echo", InvocationType="DryRun")["StatusCode"] == 204
    assert refusal(lambda: invoke("nobody", InvocationType="DryRun"))[0] == "ResourceNotFoundException"


def events():
    answer = invoke("echo", {"job": 1}, InvocationType="Event")
    assert answer["StatusCode"] == 202 and answer["Text"] == b"", answer
    old = client().invoke_async(FunctionName="echo", InvokeArgs=b'{"job": 2}')
    assert old["Status"] == 202, old
    for one in (answer, old):
        job = one["ResponseMetadata"]["HTTPHeaders"]["x-swiftlet-invocation"]
        eventually(job, lambda: admin(f"/v1/jobs/{job}")["job"]["state"] == "completed")


def logs():
    answer = invoke("print", {"text": "hello"}, LogType="Tail")
    log = base64.b64decode(answer["LogResult"]).decode()
    request = answer["ResponseMetadata"]["RequestId"]
    assert log.startswith(f"START RequestId: {request} Version: $LATEST\n"), log
    for line in ("\nout hello\n", "\nerr hello\n", "\n[info] log hello key=value\n", f"\nEND RequestId: {request}\n"):
        assert line in log, log
    assert re.search(r"\nREPORT RequestId: \S+\tDuration: [0-9.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 256 MB\t"
                     r"Max Memory Used: \d+ MB\t", log), log
    late = invoke("hang", LogType="Tail")
    log = base64.b64decode(late["LogResult"]).decode()
    request = late["ResponseMetadata"]["RequestId"]
    assert re.search(rf"Z {request} Task timed out after 0.30 seconds\nEND RequestId: {request}\nREPORT ", log), log
    assert log.endswith("\tStatus: timeout\n"), log
    many = invoke("print", {"text": "x" * 6000}, LogType="Tail")
    assert len(base64.b64decode(many["LogResult"])) == 4096


def streams():
    by = client()
    for _ in range(2):
        answer = by.invoke_with_response_stream(
            FunctionName="stream", Payload=b'{"events": 5, "delay": 60}', LogType="Tail",
        )
        assert answer["StatusCode"] == 200 and answer["ExecutedVersion"] == "$LATEST", answer
        began, pieces, end = time.monotonic(), [], None
        for event in answer["EventStream"]:
            if "PayloadChunk" in event:
                pieces.append((time.monotonic() - began, event["PayloadChunk"]["Payload"]))
            else:
                end = event["InvokeComplete"]
        body = b"".join(piece for _, piece in pieces)
        assert len(pieces) > 1 and body.count(b"data: ") == 5, pieces
        assert "ErrorCode" not in end and b"START RequestId" in base64.b64decode(end["LogResult"]), end
    body = b""
    for event in by.invoke_with_response_stream(FunctionName="big", Payload=b'{"bytes": 900000}')["EventStream"]:
        body += event.get("PayloadChunk", {}).get("Payload", b"")
    assert body == bytes(index * 31 % 256 for index in range(900_000))
    for event in ({"after": "piece"}, {}):
        answer = by.invoke_with_response_stream(FunctionName="crash", Payload=json.dumps(event).encode())
        end = list(answer["EventStream"])[-1]["InvokeComplete"]
        assert end["ErrorCode"] == "Unhandled", end
        assert json.loads(end["ErrorDetails"])["errorType"] == "Runtime.ExitError", end
    missing = refusal(lambda: by.invoke_with_response_stream(FunctionName="nobody"))
    assert missing[0] == "ResourceNotFoundException", missing
    assert by.invoke_with_response_stream(FunctionName="echo", InvocationType="DryRun")["StatusCode"] == 204


def many():
    by = client()
    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        invoke("doze", {}, by)
        sleeping = [pool.submit(invoke, "doze", {"ms": 1500}, by) for _ in range(16)]
        workers = lambda: next(one for one in admin("/v1/functions")["functions"] if one["name"] == "doze")
        eventually("a worker each", lambda: workers()["running"] == 16 and len(set(workers()["pids"])) == 16)
        assert all(one.result()["Text"] == b'"rested"' for one in sleeping)
        calls = [pool.submit(invoke, "echo", {"n": n}, by) for n in range(1000)]
        assert [json.loads(one.result()["Text"])["n"] for one in calls] == list(range(1000))


def throttles():
    by, patient = client(), client(attempts=8)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(refusal_or_text, by, 1000) for _ in range(8)]
        ends = [one.result() for one in calls]
        refused = [end for end in ends if end != b'"1"']
        assert refused and len(refused) < 8, ends
        for name, status, response in refused:
            assert (name, status) == ("TooManyRequestsException", 429), response
            assert response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded", response
            assert int(response["retryAfterSeconds"]) >= 1, response
        calls = [pool.submit(invoke, "slow", {"ms": 50}, patient) for _ in range(4)]
        assert all(one.result()["Text"] == b'"1"' for one in calls)


def refusal_or_text(by, milliseconds):
    try:
        return invoke("slow", {"ms": milliseconds}, by)["Text"]
    except botocore.exceptions.ClientError as error:
        return type(error).__name__, error.response["ResponseMetadata"]["HTTPStatusCode"], error.response


def functions():
    by = client()
    whole = by.get_function(FunctionName="echo")
    assert whole["Configuration"]["FunctionArn"].endswith(":function:echo"), whole
    configuration = by.get_function_configuration(FunctionName=whole["Configuration"]["FunctionArn"])
    assert configuration["State"] == "Active" and configuration["MemorySize"] == 256, configuration
    assert configuration["CodeSize"] > 100_000 and len(base64.b64decode(configuration["CodeSha256"])) == 32
    assert refusal(lambda: by.get_function(FunctionName="nobody"))[0] == "ResourceNotFoundException"
    pages = list(by.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 7}))
    names = [one["FunctionName"] for page in pages for one in page["Functions"]]
    assert len(pages) > 2 and names == sorted(one["name"] for one in admin("/v1/functions")["functions"]), names
    by.get_waiter("function_active_v2").wait(FunctionName="echo")
    for operation, path in ("GetFunction", "/echo"), ("GetFunctionConfiguration", "/echo/configuration"):
        shape = by.meta.service_model.operation_model(operation).output_shape
        report = botocore.validate.ParamValidator().validate(admin(f"/2015-03-31/functions{path}"), shape)
        assert not report.has_errors(), report.generate_report()


if __name__ == "__main__":
    globals()[sys.argv[2]]()
