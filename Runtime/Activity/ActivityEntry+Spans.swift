import FunctionCore

/// An attempt as the spans of a trace: the attempt, in it the wait for a worker and the run, in that its calls.
extension ActivityEntry {
    /// When it arrived, on the real clock.
    var start: Monotonic { clock + (.zero - (queued + ran)) }

    var name: String { operation.isEmpty ? function : "\(function) \(operation)" }
    var hasFailed: Bool { error != nil || status >= 500 }

    func spans(in trace: String) -> [Span] {
        guard trace == self.trace else {
            return otherPlaces.lazy.filter { $0.traceID == trace }.map { member in
                var span = attempt(at: member)
                span.attributes.append(SpanAttribute("swiftlet.batch.trace", .string(self.trace)))
                return span
            }
        }
        let place = SpanPlace(traceID: trace, span: span, parent: parent)
        var spans = [attempt(at: place), queue]
        if isCold { spans.append(coldStart) }
        guard worker != 0 else { return spans }
        spans.append(part(SpanID.run(of: span), "run", from: start + queued, ran))
        for (index, call) in calls.enumerated() { spans.append(self.span(of: call, number: index + 1)) }
        return spans
    }

    private func attempt(at place: SpanPlace) -> Span {
        var attempt = Span(
            place,
            name,
            kind,
            function: function,
            start: start,
            duration: queued + ran,
            status: hasFailed ? .error(error?.code ?? outcome) : .ok,
            isAwaited: trigger == "invoke" && !parent.isRemote
        )
        attempt.attributes = [
            SpanAttribute("faas.invoked_name", .string(function)),
            SpanAttribute("faas.invocation_id", .string(id)),
            SpanAttribute("faas.trigger", .string(faasTrigger)),
            SpanAttribute("faas.coldstart", .bool(isCold)),
            SpanAttribute("swiftlet.trigger", .string(trigger)),
            SpanAttribute("swiftlet.attempt", .integer(Int64(self.attempt))),
            SpanAttribute("swiftlet.outcome", .string(outcome)),
        ]
        if status != 0 {
            attempt.attributes.append(SpanAttribute("http.response.status_code", .integer(Int64(status))))
        }
        if worker != 0 { attempt.attributes.append(SpanAttribute("process.pid", .integer(Int64(worker)))) }
        if let replayOf { attempt.attributes.append(SpanAttribute("swiftlet.replay_of", .string(replayOf))) }
        return attempt
    }

    private var kind: Span.Kind {
        switch trigger {
        case "redis", "channel", "batch", "job": .consumer
        case "schedule", "replay": .internal
        case "invoke": parent.id == 0 || parent.isRemote ? .server : .internal
        default: .server
        }
    }

    /// By OpenTelemetry's list.
    private var faasTrigger: String {
        switch trigger {
        case "http", "websocket": "http"
        case "redis", "channel": "pubsub"
        case "schedule": "timer"
        default: "other"
        }
    }

    private var queue: Span { part(SpanID.queue(of: span), "queue", from: start, queued) }

    /// A worker may have been under way before the attempt came.
    private var coldStart: Span {
        let took = min(startup, queued)
        var part = part(SpanID.start(of: span), "cold start", from: start + (queued - took), took)
        part.place.parent = ParentSpan(SpanID.queue(of: span))
        return part
    }

    private func part(_ id: UInt64, _ name: String, from start: Monotonic, _ duration: Duration) -> Span {
        let place = SpanPlace(traceID: trace, span: id, parent: ParentSpan(span))
        return Span(place, name, function: function, start: start, duration: duration)
    }

    private func span(of call: ActivityCall, number: Int) -> Span {
        let place = SpanPlace(
            traceID: trace,
            span: SpanID.call(number, of: span),
            parent: ParentSpan(SpanID.run(of: span))
        )
        var span = Span(
            place,
            "\(call.binding).\(call.method)",
            call.kind,
            function: function,
            start: start + queued + call.offset,
            duration: call.duration ?? max(ran - call.offset, .zero),
            status: call.error.map { .error($0) } ?? (call.duration == nil ? .unanswered : .ok)
        )
        span.attributes = call.facts
        if call.times > 1 {
            span.attributes.append(SpanAttribute("swiftlet.times", .integer(Int64(call.times))))
        }
        return span
    }
}

extension ActivityCall {
    fileprivate var kind: Span.Kind {
        switch binding {
        case "emit": .producer
        case "invoke", "progress", "render": .internal
        default: .client
        }
    }
}
