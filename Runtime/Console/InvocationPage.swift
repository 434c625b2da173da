import FunctionCore

/// One invocation with all its attempts, the first one first.
package struct InvocationView: Sendable {
    package var now: Instant
    package var attempts: [AttemptView]
    package var linesLeftOut: Int
    /// Repetitions of it that are known.
    package var replays: [AttemptView]
    /// Whether it may be run again.
    package var mayReplay: Bool
    /// The job, where it is one.
    package var job: String?

    package init(
        now: Instant,
        attempts: [AttemptView],
        linesLeftOut: Int,
        replays: [AttemptView],
        mayReplay: Bool,
        job: String?
    ) {
        self.now = now
        self.attempts = attempts
        self.linesLeftOut = linesLeftOut
        self.replays = replays
        self.mayReplay = mayReplay
        self.job = job
    }

    package var page: Page {
        guard let last = attempts.last else {
            return Page.failure(
                "Not there",
                "There is no such invocation.",
                back: Address("/console/invocations")
            )
        }
        return Page(last.id, .invocations) {
            tag("p", .class("trail")) { tag("a", .href(Address("/console/invocations"))) { "Invocations" } }
            tag("h1", .class("mono")) { last.id }
            tag("p", .class("lead actions")) {
                tag("a", .href(Address("/console/functions", last.function))) { last.function }
                pill(last.word, last.tone)
                if attempts.count > 1 { pill(counted(attempts.count, "attempt")) }
                if last.isRecorded { pill("recorded", .blue) }
            }
            if let message = last.message {
                tag("p", .class("note bad")) { "\(last.code ?? "error"): \(message)" }
            }
            if mayReplay {
                tag("p") { button("Replay", Address("/console/replay", last.id), "", about: nil) }
            }
            chain
            for attempt in attempts.reversed() { section(attempt) }
            if linesLeftOut > 0 {
                tag("p", .class("quiet small")) { "\(counted(linesLeftOut, "line")) more are not kept." }
            }
        }
    }

    @HTMLBuilder
    private var chain: HTML {
        if let original = attempts.last?.replayOf {
            tag("p") {
                "It repeats "
                tag("a", .class("mono"), .href(Address("/console/invocations", original))) { original }
                "."
            }
        }
        if let job {
            tag("p") {
                "It is the job "
                tag("a", .class("mono"), .href(Address("/console/jobs", job))) { job }
                "."
            }
        }
        if !replays.isEmpty {
            tag("h2") { "Replays" }
            tag("ul", .class("plain-list")) {
                for replay in replays {
                    tag("li", .class("actions")) {
                        tag("a", .class("mono"), .href(replay.address)) { replay.id }
                        pill(replay.word, replay.tone)
                        tag("span", .class("quiet small")) { replay.began.written(now: now) }
                    }
                }
            }
        }
    }

    private func section(_ attempt: AttemptView) -> HTML {
        tag("section") {
            tag("h2") { attempts.count > 1 ? "Attempt \(attempt.attempt)" : "What happened" }
            tag(
                "div",
                .class("strip"),
                .set("tabindex", "0"),
                .set("role", "region"),
                .label("When attempt \(attempt.attempt) did what")
            ) { AttemptChart(attempt: attempt).html }
            tag("div", .class("columns")) {
                tag("div") {
                    facts(details(attempt))
                }
                tag("div") {
                    tag("h3") { "Log" }
                    log(attempt)
                }
            }
        }
    }

    private func details(_ attempt: AttemptView) -> [(name: String, value: HTML)] {
        var all: [(String, HTML)] = [
            ("outcome", pill(attempt.word, attempt.tone)), ("began", attempt.began.written(now: now)),
            ("waited", HTML(spoken(attempt.queued) + (attempt.isCold ? ", with the start of a worker" : ""))),
            ("ran", HTML(spoken(attempt.ran))),
            ("asked by", HTML(attempt.trigger + (attempt.operation.isEmpty ? "" : ", \(attempt.operation)"))),
            ("worker", HTML(attempt.worker == 0 ? "none" : "process \(attempt.worker)")),
            ("event, reply", HTML("\(spoken(bytes: attempt.bytesIn)), \(spoken(bytes: attempt.bytesOut))")),
            (
                "trace",
                tag("a", .class("mono"), .href(Address("/console/traces", attempt.trace))) { attempt.trace }
            ),
        ]
        if let message = attempt.message, attempts.count > 1 {
            all.append(("error", HTML("\(attempt.code ?? ""): \(message)")))
        }
        return all
    }

    private func log(_ attempt: AttemptView) -> HTML {
        guard !attempt.lines.isEmpty else { return tag("p", .class("quiet")) { "It said nothing." } }
        return tag("pre", .set("tabindex", "0"), .set("role", "group"), .label("Log of the attempt")) {
            for line in attempt.lines {
                tag("span", .class("quiet")) { "\(line.time.spokenTime) " }
                tag("span", .class("level-\(line.level)")) { line.level }
                " \(line.message)"
                for field in line.fields {
                    tag("span", .class("quiet")) { " \(field.name)=" }
                    field.value
                }
                "\n"
            }
        }
    }
}

/// When an attempt waited, ran and called, as bars on one line of time.
struct AttemptChart {
    let attempt: AttemptView

    private static let (left, width, row) = (150.0, 640.0, 26.0)

    private var total: Duration {
        let calls = attempt.calls.map { $0.offset + ($0.duration ?? .zero) }.max() ?? .zero
        return max(attempt.queued + max(attempt.ran, calls), .microseconds(1))
    }

    var html: HTML {
        let height = 24 + AttemptChart.row * Double(2 + attempt.calls.count)
        let waited = attempt.isCold ? "waited and started" : "waited"
        return tag(
            "svg",
            .class("chart"),
            .set("viewBox", "0 0 880 \(Int(height))"),
            .set("role", "img"),
            .label("\(waited) \(spoken(attempt.queued)), ran \(spoken(attempt.ran))")
        ) {
            axis(height)
            bar(
                0,
                attempt.isCold ? "queue, cold start" : "queue",
                attempt.isCold ? "phase-cold" : "phase-queued",
                .zero,
                attempt.queued
            )
            bar(1, "run", "phase-ran", attempt.queued, attempt.ran)
            for (index, call) in attempt.calls.enumerated() {
                let duration = call.duration ?? max(attempt.ran - call.offset, .zero)
                bar(
                    index + 2,
                    "\(call.binding).\(call.method)",
                    call.error == nil ? "phase-call" : "mark failed",
                    attempt.queued + call.offset,
                    duration,
                    call.error
                )
            }
        }
    }

    private func x(_ duration: Duration) -> Double {
        AttemptChart.left + AttemptChart.width * (duration.milliseconds / total.milliseconds)
    }

    private func axis(_ height: Double) -> [HTML] {
        (0...4).flatMap { step -> [HTML] in
            let place = AttemptChart.left + AttemptChart.width * Double(step) / 4
            let time = Duration.nanoseconds(total.nanoseconds / 4 * Int64(step))
            return [
                tag(
                    "line",
                    .class("grid"),
                    .number("x1", place),
                    .number("x2", place),
                    .number("y1", 0),
                    .number("y2", height - 18)
                ),
                tag("text", .number("x", place), .number("y", height - 4), .set("text-anchor", "middle")) {
                    step == 0 ? "0" : spoken(time)
                },
            ]
        }
    }

    private func bar(
        _ row: Int,
        _ name: String,
        _ look: String,
        _ start: Duration,
        _ duration: Duration,
        _ error: String? = nil
    ) -> [HTML] {
        let y = AttemptChart.row * Double(row)
        let end = x(start + duration)
        return [
            tag("text", .class("name"), .number("x", 0), .number("y", y + 16)) { String(name.prefix(24)) },
            tag(
                "rect",
                .class(look),
                .number("x", x(start)),
                .number("y", y + 5),
                .number("width", max(end - x(start), 1.5)),
                .number("height", 15),
                .set("rx", "3")
            ),
            tag("text", .number("x", end + 6), .number("y", y + 16)) {
                spoken(duration) + (error.map { " · \($0)" } ?? "")
            },
        ]
    }
}
