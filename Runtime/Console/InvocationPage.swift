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
            AttemptChart(attempt: attempt).html
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
///
/// Places are shares of the width, so that it is as legible on a phone.
struct AttemptChart {
    let attempt: AttemptView

    private struct Bar {
        var name: String
        var look: String
        var start: Duration
        var took: Duration
        var error: String?
    }

    private var total: Duration {
        let calls = attempt.calls.map { $0.offset + ($0.duration ?? .zero) }.max() ?? .zero
        return max(attempt.queued + max(attempt.ran, calls), .microseconds(1))
    }

    private var bars: [Bar] {
        let waited = Bar(
            name: attempt.isCold ? "queue, cold start" : "queue",
            look: attempt.isCold ? "phase-cold" : "phase-queued",
            start: .zero,
            took: attempt.queued
        )
        let ran = Bar(name: "run", look: "phase-ran", start: attempt.queued, took: attempt.ran)
        let calls = attempt.calls.map { call in
            Bar(
                name: "\(call.binding).\(call.method)",
                look: call.error == nil ? "phase-call" : "mark failed",
                start: attempt.queued + call.offset,
                // One that is open at the end was so until then.
                took: call.duration ?? max(attempt.ran - call.offset, .zero),
                error: call.error
            )
        }
        return [waited, ran] + calls
    }

    var html: HTML {
        tag("div", .class("card phases")) {
            for bar in bars {
                tag("span", .class("name")) { bar.name }
                tag("svg", .set("height", "16"), .set("aria-hidden", "true")) {
                    ticks
                    tag(
                        "rect",
                        .class(bar.look),
                        .share("x", min(share(bar.start), 0.996)),
                        .share("width", max(share(bar.took), 0.004)),
                        .set("height", "16"),
                        .set("rx", "3")
                    )
                }
                tag("span", .class("took")) {
                    spoken(bar.took)
                    if let error = bar.error { tag("span", .class("bad")) { " \(error)" } }
                }
            }
            tag("svg", .class("axis"), .set("height", "18"), .set("aria-hidden", "true")) {
                tag("text", .set("y", "14")) { "0" }
                tag("text", .set("y", "14"), .share("x", 0.5), .set("text-anchor", "middle")) {
                    spoken(.nanoseconds(total.nanoseconds / 2))
                }
                tag("text", .set("y", "14"), .share("x", 1), .set("text-anchor", "end")) { spoken(total) }
            }
            if attempt.callsLeftOut > 0 {
                tag("p", .class("quiet small")) {
                    "\(counted(attempt.callsLeftOut, "call")) more are not kept."
                }
            }
        }
    }

    private var ticks: [HTML] {
        [0, 0.25, 0.5, 0.75, 1].map { place in
            tag("line", .class("grid"), .share("x1", place), .share("x2", place), .set("y2", "16"))
        }
    }

    private func share(_ duration: Duration) -> Double { duration.milliseconds / total.milliseconds }
}
