#!/usr/bin/env python3
"""Reads a trace that the admin port serves as OTLP/JSON with OpenTelemetry's own messages, and looks for its form.

    in_venv.py Traces/requirements.txt Traces/otlp.py URL-OF-A-TRACE

An unknown member or a value of another type is a fault of `json_format.Parse`. OTLP/JSON differs from the JSON of
Protocol Buffers in one thing, that ids are hexadecimal and not Base64: here they are turned back into the text.
"""

import base64
import json
import re
import sys
import urllib.request

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, SpanFlags, Status


def text(digits, count):
    """An id as it was written."""
    written = base64.b64encode(digits).decode()
    assert re.fullmatch(f"[0-9a-f]{{{count}}}", written) and set(written) != {"0"}, f"no id: {written}"
    return written


def main(url):
    tree = json.load(urllib.request.urlopen(url))
    document = urllib.request.urlopen(f"{url}?format=otlp").read()
    request = json_format.Parse(document, ExportTraceServiceRequest())
    assert ExportTraceServiceRequest.FromString(request.SerializeToString()) == request
    (resource,) = request.resource_spans
    named = {pair.key: pair.value.string_value for pair in resource.resource.attributes}
    assert named["service.name"] == "swiftlet" and named["service.version"], named
    (scope,) = resource.scope_spans
    spans = {text(span.span_id, 16): span for span in scope.spans}
    shown = {span["span"]: span for span in tree["spans"] if not span.get("missing")}
    assert spans.keys() == shown.keys(), "the two forms have other spans"
    roots = []
    for name, span in spans.items():
        other = shown[name]
        assert text(span.trace_id, 32) == tree["trace"]
        assert span.name == other["name"] and Span.SpanKind.Name(span.kind) == f"SPAN_KIND_{other['kind'].upper()}"
        assert abs(span.end_time_unix_nano - span.start_time_unix_nano - other["duration_ms"] * 1e6) <= 1000
        assert (span.status.code == Status.STATUS_CODE_ERROR) == (other["status"] != "ok")
        assert span.flags & SpanFlags.Value("SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK"), "remote or not is not said"
        remote = bool(span.flags & SpanFlags.Value("SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK"))
        parent = text(span.parent_span_id, 16) if span.parent_span_id else None
        assert parent == other["parent"] and remote == other.get("remote_parent", False)
        keys = [pair.key for pair in span.attributes]
        assert len(keys) == len(set(keys)), f"an attribute twice: {keys}"
        if parent not in spans:
            roots.append(name)
    print(f"{len(spans)} spans, {len(roots)} without a parent among them")


main(sys.argv[1])
