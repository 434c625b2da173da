import FunctionCore

/// One attempt of an invocation, as the console shows it.
package struct AttemptView: Sendable {
    package struct Call: Sendable {
        package var binding: String
        package var method: String
        package var offset: Duration
        /// Nil where the invocation ended before.
        package var duration: Duration?
        package var error: String?

        package init(binding: String, method: String, offset: Duration, duration: Duration?, error: String?) {
            self.binding = binding
            self.method = method
            self.offset = offset
            self.duration = duration
            self.error = error
        }
    }

    package struct Line: Sendable {
        package var time: Instant
        package var level: String
        package var message: String
        package var fields: [(name: String, value: String)]

        package init(time: Instant, level: String, message: String, fields: [(name: String, value: String)]) {
            self.time = time
            self.level = level
            self.message = message
            self.fields = fields
        }
    }

    package var id: String
    package var function: String
    package var number = 0
    package var trigger = ""
    package var operation = ""
    package var attempt = 1
    package var trace = ""
    package var began = Instant(seconds: 0)
    package var queued = Duration.zero
    package var ran = Duration.zero
    package var isCold = false
    package var worker: Int32 = 0
    package var outcome = ""
    package var status = 0
    package var code: String?
    package var message: String?
    package var bytesIn = 0
    package var bytesOut = 0
    package var isRecorded = false
    package var replayOf: String?
    package var calls: [Call] = []
    package var callsLeftOut = 0
    package var lines: [Line] = []

    package init(id: String, function: String) {
        self.id = id
        self.function = function
    }

    var address: Address { Address("/console/invocations", id) }

    var tone: Tone {
        switch outcome {
        case "ok": status < 400 ? .good : .warn
        case "cancelled", "expired", "shed": .warn
        default: .bad
        }
    }

    var word: String { outcome == "ok" ? String(status) : outcome.replacingUnderscores }
}

extension String {
    /// `timed out` for `timed_out`.
    var replacingUnderscores: String { String(map { $0 == "_" ? " " : $0 }) }
}

/// What the list of invocations is asked for, and a page of what was found.
package struct InvocationsView: Sendable {
    package var now: Instant
    package var rows: [AttemptView]
    package var functions: [String]
    package var function: String?
    package var outcome: String?
    package var trigger: String?
    package var search: String?
    /// The number before which the next page begins.
    package var next: Int?
    /// It is the first page, which changes by itself.
    package var isFirst: Bool

    package init(
        now: Instant,
        rows: [AttemptView],
        functions: [String],
        function: String?,
        outcome: String?,
        trigger: String?,
        search: String?,
        next: Int?,
        isFirst: Bool
    ) {
        self.now = now
        self.rows = rows
        self.functions = functions
        self.function = function
        self.outcome = outcome
        self.trigger = trigger
        self.search = search
        self.next = next
        self.isFirst = isFirst
    }

    /// Words for what may be asked for, and the outcomes that they stand for.
    package static let outcomes: [(word: String, outcomes: String)] = [
        ("succeeded", "ok"), ("failed", "error,failed,timed_out,worker_lost,out_of_memory"),
        ("timed out", "timed_out"), ("worker lost", "worker_lost,out_of_memory"), ("refused", "shed,expired"),
        ("cancelled", "cancelled"),
    ]

    private func address(_ path: StaticString) -> Address {
        Address(path).with("function", function).with("outcome", outcome).with("trigger", trigger)
            .with("search", search)
    }

    package var page: Page {
        // Older pages stay as they are.
        let live = isFirst ? address("/console/live/invocations") : Address("/console/live/frame")
        return Page("Invocations", .invocations, live: live) {
            tag("h1") { "Invocations" }
            tag("p", .class("lead")) { "Those that ended of late, the newest first." }
            filters
            for part in parts { part.placed() }
            if let next {
                tag("p", .class("more")) {
                    tag(
                        "a",
                        .class("button"),
                        .set("data-more", "rows"),
                        .href(address("/console/invocations").with("before", String(next)))
                    ) { "Older" }
                }
            }
        }
    }

    package var parts: [Part] {
        [
            Part("invocations") {
                if rows.isEmpty { nothing }
                tag("ol", .id("rows"), .class("rows"), .flag("hidden", rows.isEmpty)) {
                    for row in rows { tag("li") { line(row) } }
                }
            }
        ]
    }

    private var nothing: HTML {
        let isFiltered = [function, outcome, trigger, search].contains { $0 != nil }
        return tag("p", .class("empty")) {
            if isFiltered {
                "No invocation that ended of late fits. "
                tag("a", .href(Address("/console/invocations"))) { "Show all" }
            } else {
                "No invocation has ended yet. Try a function on "
                tag("a", .href(Address("/console/functions"))) { "its page" }
                ", or call one of its routes."
            }
        }
    }

    private func line(_ row: AttemptView) -> HTML {
        tag("a", .class("row"), .href(row.address)) {
            row.began.written(now: now)
            tag("span") { row.function }
            tag("span") { pill(row.word, row.tone) }
            tag("span", .class("quiet small")) {
                row.trigger + (row.operation.isEmpty ? "" : " · \(row.operation)")
                if row.attempt > 1 { " · attempt \(row.attempt)" }
                if row.isCold { " · cold start" }
                if let code = row.code { " · \(code)" }
                if row.replayOf != nil { " · replay" }
            }
            tag("span", .class("number small quiet")) {
                row.queued > .milliseconds(1) ? "+\(spoken(row.queued))" : ""
            }
            tag("span", .class("number")) { spoken(row.ran) }
        }
    }

    private var filters: HTML {
        tag("form", .class("bar"), .set("method", "get"), .action(Address("/console/invocations"))) {
            tag("div", .class("wide")) {
                tag("label", .set("for", "search")) { "Search id, trace, error or log" }
                void("input", .type("search"), .id("search"), .name("search"), .value(search ?? ""))
            }
            choice("function", "Function", functions.map { ($0, $0) }, function)
            choice("outcome", "Outcome", InvocationsView.outcomes.map { ($0.word, $0.outcomes) }, outcome)
            choice(
                "trigger",
                "Trigger",
                ["http", "websocket", "redis", "schedule", "job", "invoke"].map { ($0, $0) },
                trigger
            )
            tag("button") { "Show" }
        }
    }

    private func choice(
        _ name: StaticString,
        _ title: String,
        _ options: [(word: String, value: String)],
        _ chosen: String?
    ) -> HTML {
        tag("div") {
            tag("label", .set("for", "\(name)")) { title }
            tag("select", .id("\(name)"), .name(name)) {
                tag("option", .set("value", "")) { "any" }
                for option in options {
                    tag("option", .set("value", option.value), .flag("selected", option.value == chosen)) {
                        option.word
                    }
                }
            }
        }
    }
}
