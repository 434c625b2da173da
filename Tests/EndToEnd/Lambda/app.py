"""A Lambda function with many habits, by what the event asks for."""

import os
import signal
import sys
import time

if os.environ.get("FAIL_INIT") == "exit":
    sys.exit(3)
if os.environ.get("FAIL_INIT") == "raise":
    raise RuntimeError("no start today")

CALLS = 0


def handler(event, context):
    global CALLS
    CALLS += 1
    what = event.get("do", "echo")
    if what == "fail":
        raise ValueError("told to")
    if what == "sleep":
        print(f"sleeping {event['seconds']}", flush=True)
        time.sleep(event["seconds"])
    if what == "meet":
        # Returns once so many are under way together.
        open(os.path.join(event["folder"], context.aws_request_id), "w").close()
        while len(os.listdir(event["folder"])) < event["count"]:
            time.sleep(0.02)
    if what == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "allocate":
        held = []
        for _ in range(event["megabytes"]):
            held.append(bytearray(b"x") * (1 << 20))
            time.sleep(0.002)
        time.sleep(10)
    if what == "exit":
        os._exit(event["code"])
    if what == "large":
        return "x" * event["bytes"]
    if what == "print":
        print("a line of the function")
    return {
        "event": event,
        "pid": os.getpid(),
        "calls": CALLS,
        "request": context.aws_request_id,
        "arn": context.invoked_function_arn,
        "left": context.get_remaining_time_in_millis(),
        "memory": context.memory_limit_in_mb,
        "stream": context.log_stream_name,
    }


def http(event, context):
    if event["rawPath"].endswith("/plain"):
        return {"statusCode": 201, "headers": {"x-own": "yes"}, "cookies": ["a=1"], "body": "made"}
    return {"method": event["requestContext"]["http"]["method"], "route": event["routeKey"], "body": event.get("body")}
