import FunctionCore

extension ActivityBook {
    /// How many attempts and other spans of one trace are shown, the first ones.
    package static let traceMax = 1000

    /// The spans of a trace that are kept; nil where none is.
    package func tree(of trace: String) -> SpanTree? {
        let entries = entries(matching: ActivityFilter(trace: trace), limit: .max).reversed()
        let others = spans.filter { $0.place.traceID == trace }
        guard
            let first = (entries.map { ($0.began, $0.start) } + others.map { ($0.began, $0.start) })
                .min(by: { $0.1 < $1.1 })
        else { return nil }
        var found = others.prefix(ActivityBook.traceMax).map(\.span)
        var leftOut = others.count - found.count
        for (index, entry) in entries.enumerated() {
            guard index + others.count < ActivityBook.traceMax else {
                leftOut += 1
                continue
            }
            found += entry.spans(in: trace)
            if entry.trace == trace { leftOut += entry.callsLeftOut }
        }
        return SpanTree(trace, found, began: first.0, leftOut: leftOut)
    }

    /// The newest trace whose id begins so.
    package func trace(beginningWith text: String) -> String? {
        entries(matching: ActivityFilter(tracePrefix: text), limit: 1).first?.trace
            ?? spans.filter { $0.place.traceID.hasPrefix(text) }.max { $0.start < $1.start }?.place.traceID
    }

    /// The traces of late, that with the newest attempt first.
    package func traces(limit: Int) -> [TraceSummary] {
        var found: [String: TraceSummary] = [:]
        var order: [String] = []
        for entry in entries(limit: .max) {
            if found[entry.trace] == nil {
                order.append(entry.trace)
                found[entry.trace] = TraceSummary(entry)
            } else {
                found[entry.trace]?.add(entry)
            }
        }
        return order.prefix(limit).compactMap { found[$0] }
    }
}

/// What a trace is about, by its attempts.
package struct TraceSummary: Sendable {
    package private(set) var id: String
    /// What began first.
    package private(set) var root: String
    /// In the order in which they first ended.
    package private(set) var functions: [String]
    package private(set) var began: Instant
    package private(set) var attempts = 1
    package private(set) var errors: Int
    private var start: Monotonic
    private var end: Monotonic

    fileprivate init(_ entry: ActivityEntry) {
        id = entry.trace
        root = entry.name
        functions = [entry.function]
        began = entry.began
        errors = entry.hasFailed ? 1 : 0
        start = entry.start
        end = entry.clock
    }

    /// Another one, which ended before those that were added.
    fileprivate mutating func add(_ entry: ActivityEntry) {
        attempts += 1
        if entry.hasFailed { errors += 1 }
        end = max(end, entry.clock)
        functions.removeAll { $0 == entry.function }
        functions.insert(entry.function, at: 0)
        guard entry.start < start else { return }
        (start, began, root) = (entry.start, entry.began, entry.name)
    }

    package var json: JSON {
        [
            "trace": .string(id), "root": .string(root), "functions": .array(functions.map { .string($0) }),
            "began": .string(began.rfc3339), "duration_ms": .number((end - start).rounded),
            "attempts": .integer(Int64(attempts)), "errors": .integer(Int64(errors)),
        ]
    }
}
