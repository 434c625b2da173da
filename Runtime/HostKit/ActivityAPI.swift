import Activity
import FunctionCore
import HTTPTrigger
import NIOCore

/// The admin API's part on invocations of late, and the feed of what happens.
struct ActivityAPI: Sendable {
    let book: ActivityBook
    let loop: any EventLoop

    /// How often a silent feed is kept alive by a comment.
    private static let heartbeat = Duration.seconds(15)

    var routes: [EndpointRoute] {
        [
            EndpointRoute("GET", "/v1/invocations") { self.list($0) },
            EndpointRoute("GET", "/v1/invocations/{id}") { self.show($0) },
            EndpointRoute("GET", "/v1/events") { self.events($0) },
        ]
    }

    private func list(_ request: EndpointRequest) -> EndpointResponse {
        let query = request.query
        var before: Int?
        if let text = query["before"] {
            guard let number = Int(text), number > 0 else {
                return .failure(
                    .invalid("before", "integer", "`before` must be the number of an entry, from 1")
                )
            }
            before = number
        }
        let limit = query["limit"].map { Int($0) } ?? 100
        guard let limit, (1...1000).contains(limit) else {
            return .failure(.invalid("limit", "range", "`limit` must be a whole number from 1 to 1000"))
        }
        let filter = ActivityFilter(
            function: query["function"],
            trigger: query["trigger"],
            outcomes: Set((query["outcome"] ?? "").split(separator: ",").map { String($0) }),
            search: query["search"]
        )
        // One more than is shown tells whether there are more.
        let found = book.entries(matching: filter, before: before, limit: limit + 1)
        var answer: JSONObject = ["invocations": .array(found.prefix(limit).map(\.json))]
        answer["before"] = found.count > limit ? .integer(Int64(found[limit - 1].number)) : .null
        return .json(.object(answer))
    }

    /// The last attempt, and all of them with their calls and lines.
    private func show(_ request: EndpointRequest) -> EndpointResponse {
        let id = request.parameters["id"] ?? ""
        let attempts = book.attempts(of: id)
        guard let last = attempts.last, case .object(var answer) = last.json else {
            return .failure(
                .notFound("no invocation \(id) has ended of late; the last \(book.capacity) are kept")
            )
        }
        let (lines, leftOut) = book.lines(of: id)
        answer["attempts"] = .array(
            attempts.indices.map { index in
                // A line is of the last attempt that had begun.
                let next = index + 1 < attempts.count ? attempts[index + 1].began : nil
                let own = lines.filter { line in
                    (index == 0 || line.time >= attempts[index].began) && next.map { line.time < $0 } != false
                }
                return attempts[index].json(lines: own)
            }
        )
        answer["lines_left_out"] = .integer(Int64(leftOut))
        return .json(.object(answer))
    }

    private func events(_ request: EndpointRequest) -> EndpointResponse {
        var kinds = Set(ActivityEvent.Kind.allCases)
        if let words = request.query["kinds"]?.split(separator: ",") {
            let known = words.compactMap { ActivityEvent.Kind(rawValue: String($0)) }
            guard known.count == words.count, !known.isEmpty else {
                let all = ActivityEvent.Kind.allCases.map(\.rawValue).joined(separator: ", ")
                return .failure(.invalid("kinds", "one_of", "`kinds` must be some of \(all), with commas"))
            }
            kinds = Set(known)
        }
        return EndpointResponse(
            headers: [
                Header("content-type", "text/event-stream; charset=utf-8"),
                Header("cache-control", "no-store"),
            ],
            body: .stream { [kinds] in try await self.write(kinds, to: $0) }
        )
    }

    private func write(_ kinds: Set<ActivityEvent.Kind>, to writer: EndpointWriter) async throws {
        let updates = book.updates(kinds)
        let timer = Timer(loop: loop) { updates.wake() }
        defer {
            timer.cancel()
            updates.end()
        }
        // The reader knows that it is heard from here on.
        try await writer.write(":\n\n")
        timer.set(ActivityAPI.heartbeat)
        for await events in updates {
            var text = events.isEmpty ? ":\n\n" : ""
            for event in events {
                let (name, data) = event.message
                // JSON text has no line ends in it.
                text += "event: \(name)\ndata: \(data.text)\n\n"
            }
            try await writer.write(Bytes(text))
            timer.set(ActivityAPI.heartbeat)
        }
    }
}
