import Activity
import Console
import FunctionCore
import HTTPTrigger

/// What the console shows of a trace.
extension ConsoleRoutes {
    var traceRoutes: [EndpointRoute] {
        [page("/console/traces/{id}") { try self.trace($0).page }]
    }

    private func trace(_ request: EndpointRequest) throws -> TraceView {
        let tree = try TracesAPI(book: host.telemetry.activity).tree(request.parameters["id"] ?? "")
        return TraceView(
            now: host.clock.now,
            id: tree.traceID,
            began: tree.began,
            duration: tree.duration,
            rows: tree.rows.map { TraceView.Row($0, since: tree.start) },
            missing: tree.missing,
            leftOut: tree.leftOut
        )
    }
}

extension TraceView.Row {
    init(_ row: SpanTree.Row, since start: Monotonic) {
        guard let span = row.span else {
            self.init(
                name: "a parent that is not known, \(SpanID.text(row.id))",
                depth: row.depth,
                look: .missing
            )
            return
        }
        self.init(name: span.name, depth: row.depth, look: TraceView.Row.look(of: span))
        offset = span.start - start
        duration = span.duration
        switch span.status {
        case .ok: break
        case .error(let code): error = code
        case .unanswered: error = "unanswered"
        }
        invocation = span["faas.invocation_id"]?.stringValue
        facts = [("function", span.function)]
        facts += span.attributes.filter { !["faas.invocation_id", "faas.invoked_name"].contains($0.name) }.map
        {
            ($0.name, $0.value.stringValue ?? $0.value.text)
        }
    }

    private static func look(of span: Span) -> Look {
        if span["faas.invocation_id"] != nil { return .attempt }
        guard span.isAwaited else { return .event }
        switch span.name {
        case "queue": return .queue
        case "cold start": return .start
        case "run": return .run
        default: return .call
        }
    }
}
