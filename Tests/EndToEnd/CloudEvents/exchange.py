#!/usr/bin/env python3
"""Sends CloudEvents to a function that sends them back, and reads them by the SDK of the CloudEvents project.

    in_venv.py CloudEvents/requirements.txt CloudEvents/exchange.py GATEWAY-URL
"""

import datetime
import json
import sys
import urllib.error
import urllib.request

from cloudevents.core.bindings.http import HTTPMessage, from_binary, from_structured, to_binary, to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

GATEWAY = sys.argv[1]
FORMAT = JSONFormat()


def send(message, mode="binary", path="/cloud"):
    request = urllib.request.Request(
        f"{GATEWAY}{path}?mode={mode}", data=message.body or b"", headers=dict(message.headers), method="POST",
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, HTTPMessage({k.lower(): v for k, v in answer.headers.items()}, answer.read())
    except urllib.error.HTTPError as error:
        return error.code, HTTPMessage(dict(error.headers), error.read())


def attributes(event):
    return {name: value for name, value in event.get_attributes().items() if value is not None}


def same(sent, received):
    assert attributes(received) == attributes(sent), (attributes(sent), attributes(received))
    assert received.get_data() == sent.get_data(), (sent.get_data(), received.get_data())


def exchange():
    time = datetime.datetime(2026, 11, 27, 18, 0, 0, 500_000, tzinfo=datetime.timezone.utc)
    base = {"id": "a b\"%é€😀", "source": "/shop?x=1%20", "type": "com.example.placed", "specversion": "1.0"}
    events = [
        CloudEvent({**base, "datacontenttype": "application/json", "time": time, "subject": "Euro € \"x\""},
                   {"n": 1, "text": "é"}),
        CloudEvent({**base, "datacontenttype": "application/json"}, "text"),
        CloudEvent({**base, "datacontenttype": "text/plain", "comexampleother": "100%"}, "plain € text"),
        CloudEvent({**base, "datacontenttype": "image/png", "dataschema": "https://example.org/s"}, bytes(range(256))),
    ]
    for event in events:
        for write in to_binary, to_structured:
            # The SDK's binary mode writes a JSON string without its quotes, which is no JSON.
            if write is to_binary and event.get_data() == "text":
                continue
            for mode, read in ("binary", from_binary), ("structured", from_structured):
                status, message = send(write(event, FORMAT), mode)
                assert status == 200, (status, message)
                assert ("ce-id" in message.headers) == (mode == "binary"), message
                same(event, read(message, FORMAT))


def refusals():
    good = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": "t"}
    for name in good:
        headers = {each: value for each, value in good.items() if each != name}
        status, message = send(HTTPMessage(headers, b""))
        assert status == 400 and name.removeprefix("ce-") in json.loads(message.body)["error"]["message"], message
    status, message = send(HTTPMessage({**good, "ce-time": "yesterday"}, b""))
    assert status == 400 and "attribute time" in message.body.decode(), message
    status, message = send(HTTPMessage({"content-type": "application/cloudevents+avro"}, b"{}"))
    assert status == 415, message
    status, message = send(HTTPMessage({"content-type": "application/cloudevents-batch+json"}, b"[]"))
    assert status == 200 and json.loads(message.body) == {"events": 0}, message


def typed():
    """A function of types has the data as its input, and the attributes beside it."""
    base = {"id": "7", "source": "/shop", "type": "com.example.placed", "subject": "s", "specversion": "1.0"}
    order = {"item": "tea", "count": 2}
    event = CloudEvent({**base, "datacontenttype": "application/json"}, order)
    for write in to_binary, to_structured:
        status, message = send(write(event, FORMAT), path="/order")
        told = json.loads(message.body)
        assert status == 200, message
        assert told == {"order": order, "id": "7", "type": "com.example.placed", "subject": "s"}, told
    status, message = send(HTTPMessage({"content-type": "application/json"}, json.dumps(order).encode()), path="/order")
    assert status == 200 and json.loads(message.body) == {"order": order}, message
    wrong = CloudEvent({**base, "datacontenttype": "application/json"}, {"item": "tea"})
    status, message = send(to_structured(wrong, FORMAT), path="/order")
    assert status == 422 and b"count" in message.body, message
    picture = CloudEvent({**base, "datacontenttype": "image/png"}, b"abc")
    assert send(to_structured(picture, FORMAT), path="/order")[0] == 415
    batch = json.dumps([json.loads(to_structured(event, FORMAT).body)] * 2).encode()
    status, message = send(HTTPMessage({"content-type": "application/cloudevents-batch+json"}, batch), path="/order")
    assert status == 400 and b"not a batch of 2" in message.body, message


exchange()
typed()
refusals()
