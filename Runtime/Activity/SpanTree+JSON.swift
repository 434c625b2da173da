import FunctionCore

extension SpanTree {
    /// The tree as the admin API shows it: its spans in order, each with its depth.
    package var json: JSON {
        [
            "trace": .string(traceID), "root": root.map { .string(SpanID.text($0.id)) } ?? .null,
            "began": .string(began.rfc3339), "duration_ms": .number(duration.rounded),
            "complete": .bool(isComplete), "missing": .integer(Int64(missing)),
            "left_out": .integer(Int64(leftOut)),
            "spans": .array(rows.map { row in row.span?.json(depth: row.depth, since: start) ?? row.json }),
        ]
    }

    /// The tree as an `ExportTraceServiceRequest` of OpenTelemetry's protocol, version 1, in its JSON form.
    ///
    /// As that asks, ids are hexadecimal, kinds and codes are numbers, and 64-bit integers are texts.
    package func otlp(service: String, version: String) -> JSON {
        let spans = self.spans.map { $0.otlp(at: began + ($0.start - start)) }
        let resource: [SpanAttribute] = [
            SpanAttribute("service.name", .string(service)),
            SpanAttribute("service.version", .string(version)),
        ]
        let scope: JSON = ["name": .string(service), "version": .string(version)]
        return [
            "resourceSpans": [
                [
                    "resource": ["attributes": .array(resource.map(\.otlp))],
                    "scopeSpans": [["scope": scope, "spans": .array(spans)]],
                ]
            ]
        ]
    }
}

extension SpanTree.Row {
    /// A parent that is not known.
    fileprivate var json: JSON {
        ["span": .string(SpanID.text(id)), "depth": .integer(Int64(depth)), "missing": true]
    }
}

extension Span {
    fileprivate func json(depth: Int, since start: Monotonic) -> JSON {
        var object: JSONObject = [
            "span": .string(SpanID.text(id)),
            "parent": place.parent.id == 0 ? .null : .string(SpanID.text(place.parent.id)),
            "depth": .integer(Int64(depth)), "name": .string(name), "kind": .string(kind.name),
            "function": .string(function), "offset_ms": .number((self.start - start).rounded),
            "duration_ms": .number(duration.rounded), "awaited": .bool(isAwaited),
            "status": .string(status.word),
        ]
        if place.parent.isRemote { object["remote_parent"] = true }
        if case .error(let code) = status { object["code"] = .string(code) }
        var members = JSONObject()
        for attribute in attributes { members[attribute.name] = attribute.value }
        object["attributes"] = .object(members)
        return .object(object)
    }

    fileprivate func otlp(at began: Instant) -> JSON {
        let parent = place.parent
        var told = attributes
        told.append(SpanAttribute("faas.name", .string(function)))
        var status: JSONObject = [:]
        switch self.status {
        case .ok: break
        case .error(let code):
            told.append(SpanAttribute("error.type", .string(code)))
            status = ["code": 2, "message": .string(code)]
        case .unanswered: status = ["code": 2, "message": "unanswered"]
        }
        var object: JSONObject = [
            "traceId": .string(place.traceID), "spanId": .string(SpanID.text(id)), "name": .string(name),
            "kind": .integer(Int64(kind.rawValue)), "startTimeUnixNano": .string(String(began.nanoseconds)),
            "endTimeUnixNano": .string(String((began + duration).nanoseconds)),
            "attributes": .array(told.map(\.otlp)), "status": .object(status),
            // Sampled; and that it is known whether the parent is remote, which it is or not.
            "flags": .integer(parent.isRemote ? 0x301 : 0x101),
        ]
        if parent.id != 0 { object["parentSpanId"] = .string(SpanID.text(parent.id)) }
        return .object(object)
    }
}

extension Span.Status {
    package var word: String {
        switch self {
        case .ok: "ok"
        case .error: "error"
        case .unanswered: "unanswered"
        }
    }
}

extension SpanAttribute {
    fileprivate var otlp: JSON {
        let value: JSON
        switch self.value {
        case .bool(let bool): value = ["boolValue": .bool(bool)]
        case .integer(let number): value = ["intValue": .string(String(number))]
        case .number(let number): value = ["doubleValue": .number(number)]
        case .string(let text): value = ["stringValue": .string(text)]
        case .null, .array, .object: value = ["stringValue": .string(self.value.text)]
        }
        return ["key": .string(name), "value": value]
    }
}
