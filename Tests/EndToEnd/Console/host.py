"""The host whose console is used, and what programs ask of it."""

import json
import sys
import urllib.error
import urllib.request

ADMIN, GATEWAY = sys.argv[1:3]
HOSTILE = "</title><script>alert(1)</script>\"'&"


def call(url, body=None, headers=None, method=None):
    data = None if body is None else json.dumps(body).encode() if not isinstance(body, bytes) else body
    request = urllib.request.Request(url, data, headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def motto():
    return call(f"{GATEWAY}/v1/mottos", {"prompt": HOSTILE, "tone": "witty", "count": 1})
