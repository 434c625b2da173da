#!/usr/bin/env python3
"""Holds errors of the Lambda API against botocore's model of it.

    in_venv.py Lambda/requirements.txt Lambda/model.py '[{"type": ..., "status": ..., "message": ...}]'
"""

import json
import sys

import botocore.loaders

model = botocore.loaders.Loader().load_service_model("lambda", "service-2", "2015-03-31")
shapes = model["shapes"]


def documented(operation):
    return {error["shape"] for error in model["operations"][operation]["errors"]}


errors = json.loads(sys.argv[1])
for error in errors:
    shape = shapes[error["type"]]
    assert shape["error"]["httpStatusCode"] == error["status"], (error, shape["error"])
    assert {"Type", error["message"]} <= shape["members"].keys(), (error, shape["members"])
    for operation in "Invoke", "InvokeWithResponseStream":
        assert error["type"] in documented(operation), (error, operation)
reasons = set(shapes["ThrottleReason"]["enum"])
assert {"ConcurrentInvocationLimitExceeded", "ReservedFunctionConcurrentInvocationLimitExceeded"} <= reasons
assert "retryAfterSeconds" in shapes["TooManyRequestsException"]["members"]
