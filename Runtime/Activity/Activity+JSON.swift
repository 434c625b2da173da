import FunctionCore

extension ActivityEntry {
    /// The entry as the admin API shows it; among others its calls are a number.
    package var json: JSON { .object(members) }

    /// The entry with its calls, and the lines that belong to it.
    package func json(lines: [ActivityLine]) -> JSON {
        var object = members
        object["calls"] = .array(calls.map(\.json))
        object["calls_left_out"] = .integer(Int64(callsLeftOut))
        object["lines"] = .array(lines.map(\.json))
        return .object(object)
    }

    private var members: JSONObject {
        var object: JSONObject = [
            "number": .integer(Int64(number)), "id": .string(id), "function": .string(function),
            "trigger": .string(trigger), "operation": .string(operation),
            "attempt": .integer(Int64(attempt)), "trace": .string(trace), "span": .string(SpanID.text(span)),
            "parent": parent.id == 0 ? .null : .string(SpanID.text(parent.id)),
            "began": .string(began.rfc3339), "ended": .string(ended.rfc3339),
            "queued_ms": .number(queued.rounded), "duration_ms": .number(ran.rounded),
            "start": .string(isCold ? "cold" : "warm"), "worker": .integer(Int64(worker)),
            "outcome": .string(outcome), "status": .integer(Int64(status)),
            "calls": .integer(Int64(calls.reduce(callsLeftOut) { $0 + $1.times })),
            "bytes_in": .integer(Int64(bytesIn)), "bytes_out": .integer(Int64(bytesOut)),
            "recorded": .bool(isRecorded),
        ]
        if let error {
            object["code"] = .string(error.code)
            object["error"] = .string(error.message)
        }
        if let replayOf { object["replay_of"] = .string(replayOf) }
        return object
    }
}

extension ActivityCall {
    package var json: JSON {
        var object: JSONObject = [
            "binding": .string(binding), "method": .string(method), "offset_ms": .number(offset.rounded),
        ]
        object["duration_ms"] = duration.map { .number($0.rounded) } ?? .null
        if let error { object["code"] = .string(error) }
        if times > 1 { object["times"] = .integer(Int64(times)) }
        for fact in facts { object[fact.name] = fact.value }
        return .object(object)
    }
}

extension ActivityLine {
    package var json: JSON {
        var object: JSONObject = [
            "time": .string(time.rfc3339), "level": .string(level.name), "message": .string(message),
            "source": .string(source),
        ]
        if let function { object["function"] = .string(function) }
        if let invocation { object["invocation"] = .string(invocation) }
        if let trace { object["trace"] = .string(trace) }
        if worker != 0 { object["worker"] = .integer(Int64(worker)) }
        if !fields.isEmpty {
            var members = JSONObject()
            for (name, value) in fields.sorted(by: { $0.key < $1.key }) { members[name] = .string(value) }
            object["fields"] = .object(members)
        }
        return .object(object)
    }
}

extension ActivityWorker {
    package var json: JSON {
        var object: JSONObject = [
            "time": .string(time.rfc3339), "function": .string(function), "worker": .integer(Int64(pid)),
            "state": .string(state.rawValue),
        ]
        if let startup { object["startup_ms"] = .number(startup.rounded) }
        if let reason { object["reason"] = .string(reason) }
        if state == .gone { object["asked"] = .bool(asked) }
        return .object(object)
    }
}

extension ActivityEvent {
    /// The event's word and its JSON.
    package var message: (name: String, data: JSON) {
        switch self {
        case .invocation(let entry): ("invocation", entry.json)
        case .log(let line): ("log", line.json)
        case .worker(let worker): ("worker", worker.json)
        case .reload(let report): ("reload", report)
        case .build(let state): ("build", state)
        case .lost(let count): ("lost", ["lost": .integer(Int64(count))])
        }
    }
}

extension Duration {
    /// In milliseconds, to the microsecond.
    var rounded: Double { (milliseconds * 1000).rounded() / 1000 }
}
