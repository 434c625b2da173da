import FunctionCore

/// A job as the console shows it.
package struct JobView: Sendable {
    package struct Attempt: Sendable {
        package var attempt: Int
        package var outcome: String
        package var started: Instant
        package var took: Duration
        package var error: String

        package init(attempt: Int, outcome: String, started: Instant, took: Duration, error: String) {
            self.attempt = attempt
            self.outcome = outcome
            self.started = started
            self.took = took
            self.error = error
        }
    }

    package var id: String
    package var function: String
    package var state: String
    package var attempt: Int
    package var maxAttempts: Int
    package var created: Instant
    package var updated: Instant
    package var stage: String?
    package var percent: Int
    package var error: String?
    package var isDeadLetter: Bool
    package var isOver: Bool
    package var trigger = ""
    package var result = ""
    package var attempts: [Attempt] = []
    /// Whether the invocation is among those of late.
    package var isKnown = false

    package init(
        id: String,
        function: String,
        state: String,
        attempt: Int,
        maxAttempts: Int,
        created: Instant,
        updated: Instant,
        stage: String?,
        percent: Int,
        error: String?,
        isDeadLetter: Bool,
        isOver: Bool
    ) {
        self.id = id
        self.function = function
        self.state = state
        self.attempt = attempt
        self.maxAttempts = maxAttempts
        self.created = created
        self.updated = updated
        self.stage = stage
        self.percent = percent
        self.error = error
        self.isDeadLetter = isDeadLetter
        self.isOver = isOver
    }

    var address: Address { Address("/console/jobs", id) }

    var mark: HTML {
        let tone: Tone
        switch state {
        case "completed": tone = .good
        case "running": tone = .blue
        case "failed", "expired": tone = .bad
        case "retry_wait": tone = .warn
        default: tone = .quiet
        }
        return pill(state.replacingUnderscores, tone)
    }
}

/// What waits: jobs, entries of streams and lists, and the dead letters of both.
package struct QueuesView: Sendable {
    /// A function's jobs by state.
    package struct Jobs: Sendable {
        package var function: String
        package var counts: [String: Int]

        package init(function: String, counts: [String: Int]) {
            self.function = function
            self.counts = counts
        }
    }

    /// A stream or list that a function reads.
    package struct Source: Sendable {
        package var key: String
        package var group: String
        package var function: String
        package var lag: Int?
        package var pending: Int?
        package var dead: Int?

        package init(key: String, group: String, function: String, lag: Int?, pending: Int?, dead: Int?) {
            self.key = key
            self.group = group
            self.function = function
            self.lag = lag
            self.pending = pending
            self.dead = dead
        }
    }

    package var now: Instant
    package var jobs: [Jobs]
    package var sources: [Source]
    package var latest: [JobView]
    package var state: String?
    package var next: Int64?

    package init(
        now: Instant,
        jobs: [Jobs],
        sources: [Source],
        latest: [JobView],
        state: String?,
        next: Int64?
    ) {
        self.now = now
        self.jobs = jobs
        self.sources = sources
        self.latest = latest
        self.state = state
        self.next = next
    }

    private static let states = [
        "queued", "running", "retry_wait", "completed", "failed", "expired", "cancelled",
    ]

    package var page: Page {
        Page("Queues", .queues, live: Address("/console/live/queues").with("state", state)) {
            tag("h1") { "Queues" }
            tag("p", .class("lead")) { "What waits, and what was given up." }
            for part in parts { part.placed() }
            if let next {
                tag("p", .class("more")) {
                    tag(
                        "a",
                        .href(Address("/console/queues").with("state", state).with("before", String(next)))
                    ) { "Older jobs" }
                }
            }
        }
    }

    package var parts: [Part] {
        [
            Part("sources") {
                tag("h2") { "Streams and lists" }
                table(
                    "Streams and lists that functions read",
                    [
                        "Source", "Group", "Function", .number("To read"), .number("Under way"),
                        .number("Dead letters"), "Actions",
                    ],
                    sources.map(row),
                    empty: "No function reads a stream or a list: a redis trigger in its function.yaml does."
                )
            },
            Part("counts") {
                tag("h2") { "Jobs by function" }
                table(
                    "Jobs by function and state",
                    ["Function"] + QueuesView.states.map { .number($0.replacingUnderscores) } + ["Actions"],
                    jobs.map(row),
                    empty:
                        "There was no job yet: swiftlet invoke NAME --async makes one, or a route with mode: async."
                )
            },
            Part("jobs") {
                tag("h2") { state.map { "Jobs that are \($0.replacingUnderscores)" } ?? "Latest jobs" }
                choice
                table(
                    "Jobs, the newest first",
                    ["Job", "Function", "State", "Attempt", "Changed (UTC)", "Error or stage", "Actions"],
                    latest.map(row),
                    empty: state == nil ? "There is none." : "No job is in that state."
                )
            },
        ]
    }

    private func row(_ source: Source) -> [HTML] {
        let dead = Address("/console/dead-letters").with("key", source.key)
        return [
            tag("a", .href(Address("/console/streams/one").with("key", source.key))) { source.key },
            HTML(source.group),
            tag("a", .href(Address("/console/functions", source.function))) { source.function },
            amount(source.lag), amount(source.pending),
            source.dead.map { $0 > 0 ? pill(String($0), .bad) : amount(0) } ?? amount(nil),
            (source.dead ?? 0) > 0
                ? tag("a", .href(dead)) {
                    "Look"
                    tag("span", .class("visually-hidden")) { " at the dead letters of \(source.key)" }
                } : .nothing,
        ]
    }

    private func row(_ jobs: Jobs) -> [HTML] {
        let failed = (jobs.counts["failed"] ?? 0) + (jobs.counts["expired"] ?? 0)
        return [tag("a", .href(Address("/console/functions", jobs.function))) { jobs.function }]
            + QueuesView.states.map { amount(jobs.counts[$0] ?? 0) }
            + [
                failed > 0
                    ? button(
                        "Redrive",
                        Address("/console/jobs/redrive").with("function", jobs.function),
                        about: jobs.function
                    )
                    : .nothing
            ]
    }

    private func row(_ job: JobView) -> [HTML] {
        [
            tag("a", .class("mono"), .href(job.address)) { job.id },
            tag("a", .href(Address("/console/functions", job.function))) { job.function }, job.mark,
            HTML("\(job.attempt) of \(job.maxAttempts)"), job.updated.written(now: now),
            HTML(job.error ?? job.stage.map { "\($0), \(job.percent) %" } ?? ""),
            job.isDeadLetter
                ? button("Retry", Address("/console/job/retry", job.id), about: job.id) : .nothing,
        ]
    }

    private var choice: HTML {
        tag("p", .class("actions small")) {
            for state in [nil] + QueuesView.states {
                tag(
                    "a",
                    .href(Address("/console/queues").with("state", state)),
                    state == self.state ? .set("aria-current", "true") : nil
                ) { state?.replacingUnderscores ?? "all" }
            }
        }
    }
}

extension JobView {
    /// One job with its attempts.
    package func page(now: Instant) -> Page {
        Page(id, .queues) {
            tag("p", .class("trail")) { tag("a", .href(Address("/console/queues"))) { "Queues" } }
            tag("h1", .class("mono")) { id }
            tag("p", .class("lead actions")) {
                tag("a", .href(Address("/console/functions", function))) { function }
                mark
            }
            if let error { tag("p", .class("note bad")) { error } }
            tag("div", .class("actions")) {
                if isDeadLetter { button("Retry", Address("/console/job/retry", id), "") }
                if !isOver { button("Cancel", Address("/console/job/cancel", id), "danger") }
                if isKnown { tag("a", .href(Address("/console/invocations", id))) { "Its invocation" } }
            }
            tag("h2") { "Facts" }
            facts([
                ("accepted", created.written(now: now)), ("changed", updated.written(now: now)),
                ("attempts", HTML("\(attempt) of \(maxAttempts)")), ("asked by", HTML(trigger)),
                ("stage", HTML(stage.map { "\($0), \(percent) %" } ?? "none")),
            ])
            if !attempts.isEmpty {
                tag("h2") { "Attempts that failed" }
                table(
                    "Attempts that failed",
                    [.number("Attempt"), "Outcome", "Began (UTC)", .number("Took"), "Error"],
                    attempts.map { attempt in
                        [
                            HTML(String(attempt.attempt)), pill(attempt.outcome.replacingUnderscores, .bad),
                            attempt.started.written(now: now), HTML(spoken(attempt.took)),
                            HTML(attempt.error),
                        ]
                    },
                    empty: ""
                )
            }
            if !result.isEmpty {
                tag("h2") { "Result" }
                tag("pre", .set("tabindex", "0"), .set("role", "group"), .label("Result")) { result }
            }
        }
    }
}

/// The dead letters of one stream or list.
package struct DeadLettersView: Sendable {
    package struct Letter: Sendable {
        package var id: String
        package var code: String
        package var message: String
        package var attempts: String
        package var fields: String

        package init(id: String, code: String, message: String, attempts: String, fields: String) {
            self.id = id
            self.code = code
            self.message = message
            self.attempts = attempts
            self.fields = fields
        }
    }

    package var key: String
    package var count: Int
    package var letters: [Letter]

    package init(key: String, count: Int, letters: [Letter]) {
        self.key = key
        self.count = count
        self.letters = letters
    }

    private func action(_ path: StaticString, _ id: String?) -> Address {
        Address(path).with("key", key).with("id", id)
    }

    package var page: Page {
        Page("Dead letters", .queues) {
            tag("p", .class("trail")) { tag("a", .href(Address("/console/queues"))) { "Queues" } }
            tag("h1") { "Dead letters" }
            tag("p", .class("lead")) {
                "Of "
                tag("code") { key }
                ", \(counted(count, "letter")), the oldest first."
            }
            if count > 0 {
                tag("div", .class("actions")) {
                    button("Redrive all", action("/console/dead-letters/redrive", nil), "")
                    button("Purge all", action("/console/dead-letters/purge", nil), "danger")
                }
            }
            tag("h2") { "Letters" }
            table(
                "Dead letters",
                ["Letter", "Code", "Message", .number("Attempts"), "Fields", "Actions"],
                letters.map { letter in
                    [
                        tag("code") { letter.id }, pill(letter.code, .bad), HTML(letter.message),
                        HTML(letter.attempts),
                        tag("code") { letter.fields },
                        tag("div", .class("actions")) {
                            button(
                                "Redrive",
                                action("/console/dead-letters/redrive", letter.id),
                                about: letter.id
                            )
                            button(
                                "Purge",
                                action("/console/dead-letters/purge", letter.id),
                                about: letter.id
                            )
                        },
                    ]
                },
                empty: "There is none: all that failed was sent again or removed."
            )
        }
    }
}
