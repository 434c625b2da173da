import Activity
import FunctionCore
import Testing

@Suite("Traces of the book", .timeLimit(.minutes(1)))
struct TraceTests {
    private static let trace = "0af7651916cd43dd8448eb211c80319c"

    /// An attempt that ended at so many milliseconds, after 2 of waiting and 3 of running.
    private func attempt(
        _ id: String,
        _ function: String,
        span: UInt64,
        below parent: ParentSpan = ParentSpan(),
        endingAt end: Int64,
        trigger: String = "http"
    ) -> ActivityEntry {
        var entry = entry(id, function, trigger: trigger)
        entry.trace = TraceTests.trace
        entry.span = span
        entry.parent = parent
        entry.clock = Monotonic(nanoseconds: end * 1_000_000)
        return entry
    }

    private func call(
        _ binding: String,
        at offset: Int,
        for duration: Int?,
        error: String? = nil
    ) -> ActivityCall {
        ActivityCall(
            binding: binding,
            method: "do",
            offset: .milliseconds(offset),
            duration: duration.map { .milliseconds($0) },
            error: error
        )
    }

    /// A request that calls another function in its second call, and tells of an event in its third.
    private func story() -> ActivityBook {
        let book = ActivityBook(capacity: 100)
        var first = attempt("one", "shop", span: 1, endingAt: 20)
        first.ran = .milliseconds(10)
        first.isCold = true
        first.startup = .milliseconds(9)
        first.calls = [
            call("text", at: 1, for: 1, error: "rate_limited"), call("invoke", at: 2, for: 6),
            call("emit", at: 8, for: nil),
        ]
        first.calls[0].facts = [SpanAttribute("http.response.status_code", 429)]
        let called = ParentSpan(SpanID.call(2, of: 1))
        book.add(attempt("two", "stock", span: 2, below: called, endingAt: 17, trigger: "invoke"))
        book.add(first)
        let emitted = SpanPlace(traceID: TraceTests.trace, span: 3, parent: ParentSpan(SpanID.call(3, of: 1)))
        book.add(
            ActivitySpan(
                emitted,
                "publish shop.sold",
                .producer,
                function: "shop",
                began: Instant(seconds: 2000),
                start: Monotonic(nanoseconds: 18_000_000),
                duration: .milliseconds(1)
            )
        )
        book.add(attempt("three", "mail", span: 4, below: ParentSpan(3), endingAt: 30, trigger: "redis"))
        return book
    }

    @Test("a request, what it calls and what its events bring about are one tree")
    func whole() throws {
        let tree = try #require(story().tree(of: TraceTests.trace))
        #expect(tree.isComplete)
        let lines = tree.rows.map { String(repeating: "  ", count: $0.depth) + ($0.span?.name ?? "?") }
        #expect(
            lines == [
                "shop", "  queue", "    cold start", "  run", "    text.do", "    invoke.do", "      stock",
                "        queue", "        run", "    emit.do", "      publish shop.sold", "        mail",
                "          queue", "          run",
            ]
        )
        let text = try #require(tree.spans.first { $0.name == "text.do" })
        #expect(text.status == .error("rate_limited") && text["http.response.status_code"] == 429)
        #expect(text.kind == .client && text.start == Monotonic(nanoseconds: 11_000_000))
        let start = try #require(tree.spans.first { $0.name == "cold start" })
        #expect(start.duration == .milliseconds(2), "what was before the wait is not of the trace")
        let emit = try #require(tree.spans.first { $0.name == "emit.do" })
        #expect(emit.status == .unanswered && emit.duration == .milliseconds(2))
        let awaited = tree.spans.filter { !$0.isAwaited }.map(\.name)
        #expect(awaited == ["shop", "publish shop.sold", "mail"])
    }

    @Test("an invocation that did something of several traces at once stands in each of them")
    func members() throws {
        let book = ActivityBook()
        var batch = attempt("batch", "many", span: 9, endingAt: 10, trigger: "batch")
        let other = "1af7651916cd43dd8448eb211c80319c"
        batch.otherPlaces = [SpanPlace(traceID: other, span: 5, parent: ParentSpan(4, isRemote: true))]
        book.add(batch)
        let tree = try #require(book.tree(of: other))
        #expect(tree.rows.map(\.id) == [5] && tree.root?["swiftlet.batch.trace"] == .string(TraceTests.trace))
        #expect(book.tree(of: TraceTests.trace)?.rows.count == 3)
    }

    @Test("what is beyond the bound, of a trace or of an attempt's calls, is counted")
    func bounds() throws {
        let book = ActivityBook()
        for number in 1...ActivityBook.traceMax + 7 {
            book.add(attempt("\(number)", "echo", span: UInt64(number), endingAt: Int64(number)))
        }
        let tree = try #require(book.tree(of: TraceTests.trace))
        #expect(tree.leftOut == 7 && !tree.isComplete && tree.rows.count == 3 * ActivityBook.traceMax)
        let small = ActivityBook()
        var one = attempt("one", "echo", span: 1, endingAt: 1)
        one.callsLeftOut = 3
        small.add(one)
        #expect(small.tree(of: TraceTests.trace)?.leftOut == 3)
    }

    @Test("traces are listed with the newest first, and found by the beginning of their id")
    func list() throws {
        let book = story()
        var late = attempt("late", "echo", span: 1, endingAt: 40)
        late.trace = "beef" + String(TraceTests.trace.dropFirst(4))
        book.add(late)
        let traces = book.traces(limit: 10)
        #expect(traces.map(\.id) == [late.trace, TraceTests.trace])
        #expect(book.traces(limit: 1).count == 1)
        let story = traces[1]
        #expect(story.functions == ["stock", "shop", "mail"], "in the order in which they ended")
        #expect(story.root == "shop" && story.attempts == 3 && story.errors == 0)
        #expect(book.trace(beginningWith: "beef6519") == late.trace)
        #expect(book.trace(beginningWith: "dead") == nil)
    }

    @Test("as OpenTelemetry has it, ids are hexadecimal, kinds numbers, and times texts of nanoseconds")
    func otlp() throws {
        let tree = try #require(story().tree(of: TraceTests.trace))
        let document = tree.otlp(service: "swiftlet", version: "1")
        let spans = document["resourceSpans"]?[0]?["scopeSpans"]?[0]?["spans"]?.arrayValue ?? []
        #expect(spans.count == tree.rows.count)
        let first = try #require(spans.first)
        #expect(first["traceId"] == .string(TraceTests.trace) && first["spanId"] == "0000000000000001")
        #expect(first["parentSpanId"] == nil && first["kind"] == 2 && first["flags"] == 257)
        let began = try #require(first["startTimeUnixNano"]?.stringValue.flatMap { Int64($0) })
        let ended = try #require(first["endTimeUnixNano"]?.stringValue.flatMap { Int64($0) })
        #expect(ended - began == 12_000_000 && began == tree.began.nanoseconds)
        let failed = try #require(spans.first { $0["name"] == "text.do" })
        #expect(failed["status"] == ["code": 2, "message": "rate_limited"])
        let attributes = failed["attributes"]?.arrayValue ?? []
        #expect(attributes.contains(["key": "http.response.status_code", "value": ["intValue": "429"]]))
    }
}
