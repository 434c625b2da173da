import Activity
import FunctionCore
import Invocations
import Observe
import WorkerPool

extension FunctionError {
    /// Its message, or where it only points to its faults, these.
    var spelledOut: String {
        faults.isEmpty ? message : faults.map(\.message).joined(separator: "; ")
    }
}

/// What goes into the book of activity; texts with the host's secrets taken out, as in the log.
extension Telemetry {
    func enter(_ report: InvocationReport, _ error: FunctionError?, at time: Instant) {
        var status = error?.status ?? 0
        if case .replied(let replied) = report.outcome { status = replied }
        var entry = ActivityEntry(
            id: report.id,
            function: report.function,
            trigger: report.trigger,
            operation: report.operation,
            attempt: report.attempt,
            trace: report.traceID,
            ended: time,
            queued: report.queued,
            ran: report.ran,
            isCold: report.cold,
            worker: report.pid,
            outcome: report.outcome.label,
            status: status,
            error: error.map { ActivityError(code: $0.code, message: log.clean($0.spelledOut)) },
            bytesIn: report.bytesIn,
            bytesOut: report.bytesOut
        )
        entry.span = report.span
        entry.parent = report.parent
        entry.otherPlaces = report.members
        entry.clock = report.ended
        entry.startup = report.startup
        entry.isRecorded = report.isRecorded
        entry.replayOf = report.replayOf
        if !report.calls.isEmpty {
            entry.callsLeftOut = report.callsLeftOut
            entry.calls = report.calls.map { call in
                var kept = ActivityCall(
                    binding: call.binding,
                    method: call.method,
                    offset: call.offset,
                    duration: call.duration,
                    error: call.error
                )
                kept.facts = call.facts
                kept.times = call.times
                return kept
            }
        }
        activity.add(entry)
    }

    /// Something of a trace that is no attempt, and has been done just now.
    func enter(
        _ place: SpanPlace,
        _ name: String,
        _ kind: Span.Kind,
        function: String,
        since start: Monotonic,
        error: String? = nil,
        _ attributes: [SpanAttribute]
    ) {
        let took = Monotonic.now - start
        activity.add(
            ActivitySpan(
                place,
                name,
                kind,
                function: function,
                began: clock.now - took,
                start: start,
                duration: took,
                error: error,
                attributes: attributes
            )
        )
    }

    func enter(_ line: LogLine, at time: Instant) {
        activity.add(
            ActivityLine(
                time: time,
                level: line.level,
                message: log.clean(line.message),
                fields: line.metadata.mapValues { log.clean($0) },
                function: line.function,
                invocation: line.invocation,
                trace: line.traceID,
                worker: line.pid,
                source: line.source
            )
        )
    }

    /// A line of the host itself, for those who follow the feed.
    func enter(_ record: LogRecord) {
        guard log.takes(record.level), activity.isRead(.log) else { return }
        let fields = record.fields.map { ($0.0, log.clean($0.1.stringValue ?? $0.1.text)) }
        activity.add(
            ActivityLine(
                time: record.time,
                level: record.level,
                message: log.clean(record.message),
                fields: Dictionary(fields) { first, _ in first },
                function: record.function,
                source: "host"
            )
        )
    }

    /// A worker has come or gone.
    func enter(
        _ function: String,
        _ pid: Int32,
        _ state: ActivityWorker.State,
        reason: String? = nil,
        startup: Duration? = nil,
        asked: Bool = false
    ) {
        let worker = ActivityWorker(
            time: clock.now,
            function: function,
            pid: pid,
            state: state,
            reason: reason.map { log.clean($0) },
            startup: startup,
            asked: asked
        )
        activity.tell(.worker(worker))
    }
}
