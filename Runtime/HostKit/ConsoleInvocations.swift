import Activity
import Console
import FunctionCore
import HTTPTrigger
import Invocations
import Journal

/// What the console shows of invocations.
extension ConsoleRoutes {
    private var book: ActivityBook { host.telemetry.activity }

    func invocations(_ request: EndpointRequest) -> InvocationsView {
        func value(_ name: String) -> String? { request.query[name].flatMap { $0.isEmpty ? nil : $0 } }
        let filter = ActivityFilter(
            function: value("function"),
            trigger: value("trigger"),
            outcomes: Set((value("outcome") ?? "").split(separator: ",").map { String($0) }),
            search: value("search")
        )
        let before = value("before").flatMap { Int($0) }
        let found = book.entries(matching: filter, before: before, limit: 101)
        return InvocationsView(
            now: host.clock.now,
            rows: found.prefix(100).map { AttemptView($0) },
            functions: host.project.manifests.map(\.name),
            function: value("function"),
            outcome: value("outcome"),
            trigger: value("trigger"),
            search: value("search"),
            next: found.count > 100 ? found[99].number : nil,
            isFirst: before == nil
        )
    }

    func invocation(_ request: EndpointRequest) async throws -> InvocationView {
        let id = request.parameters["id"] ?? ""
        let entries = book.attempts(of: id)
        guard let last = entries.last else {
            throw FunctionError.notFound(
                "No invocation \(id) has ended of late; the last \(book.capacity) are kept."
            )
        }
        let (lines, leftOut) = book.lines(of: id)
        let attempts = entries.indices.map { index in
            var view = AttemptView(entries[index])
            // A line is of the last attempt that had begun.
            let next = index + 1 < entries.count ? entries[index + 1].began : nil
            view.lines = lines.filter { line in
                (index == 0 || line.time >= entries[index].began) && next.map { line.time < $0 } != false
            }.map { AttemptView.Line($0) }
            return view
        }
        let replays = book.entries(matching: ActivityFilter(function: last.function), limit: book.capacity)
            .filter {
                $0.replayOf == id
            }
        let job = try await host.stores.journal.jobs.job(id)
        return InvocationView(
            now: host.clock.now,
            attempts: attempts,
            linesLeftOut: leftOut,
            replays: replays.prefix(20).map { AttemptView($0) },
            mayReplay: mayReplay && last.isRecorded,
            job: job?.id
        )
    }
}

extension AttemptView {
    init(_ entry: ActivityEntry) {
        self.init(id: entry.id, function: entry.function)
        number = entry.number
        trigger = entry.trigger
        operation = entry.operation
        attempt = entry.attempt
        trace = entry.trace
        began = entry.began
        queued = entry.queued
        ran = entry.ran
        isCold = entry.isCold
        worker = entry.worker
        outcome = entry.outcome
        status = entry.status
        code = entry.error?.code
        message = entry.error?.message
        bytesIn = entry.bytesIn
        bytesOut = entry.bytesOut
        isRecorded = entry.isRecorded
        replayOf = entry.replayOf
        calls = entry.calls.map {
            Call(
                binding: $0.binding,
                method: $0.method,
                offset: $0.offset,
                duration: $0.duration,
                error: $0.error
            )
        }
        callsLeftOut = entry.callsLeftOut
    }
}

extension AttemptView.Line {
    init(_ line: ActivityLine) {
        self.init(
            time: line.time,
            level: line.level.name,
            message: line.message,
            fields: line.fields.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        )
    }
}
