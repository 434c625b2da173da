import FunctionCore

/// A schedule as the console shows it.
package struct ScheduleView: Sendable {
    /// What became of a nominal time.
    package struct Time: Sendable {
        package var nominal: Instant
        /// How it ended, or a word such as `running`, `skipped` or `ahead`.
        package var verdict: String
        package var sentence: String
        package var job: String?

        package init(nominal: Instant, verdict: String, sentence: String, job: String? = nil) {
            self.nominal = nominal
            self.verdict = verdict
            self.sentence = sentence
            self.job = job
        }
    }

    package var id: String
    package var function: String
    package var when: String
    package var next: Instant?
    package var running: Int
    package var waiting: Int
    package var runs: Int
    package var failures: Int
    /// Why it is paused.
    package var paused: String?
    /// It follows a window, and is run by it alone.
    package var isOfWindow: Bool
    package var times: [Time] = []
    package var policy: [(name: String, value: String)] = []

    package init(
        id: String,
        function: String,
        when: String,
        next: Instant?,
        running: Int,
        waiting: Int,
        runs: Int,
        failures: Int,
        paused: String?,
        isOfWindow: Bool
    ) {
        self.id = id
        self.function = function
        self.when = when
        self.next = next
        self.running = running
        self.waiting = waiting
        self.runs = runs
        self.failures = failures
        self.paused = paused
        self.isOfWindow = isOfWindow
    }

    var address: Address { Address("/console/schedules", id) }

    fileprivate var state: HTML {
        if paused != nil { return pill("paused", .warn) }
        if running > 0 { return pill("running", .blue) }
        return next == nil ? pill("over") : pill("waiting", .good)
    }

    fileprivate func wishes() -> HTML {
        tag("div", .class("actions")) {
            if paused == nil {
                button("Pause", Address("/console/schedule/pause", id), about: id)
            } else {
                button("Resume", Address("/console/schedule/resume", id), about: id)
            }
            if !isOfWindow { button("Run now", Address("/console/schedule/trigger", id), about: id) }
        }
    }
}

/// All schedules, the picture of their days, and the clock.
package struct SchedulesView: Sendable {
    package var chart: ScheduleChart
    package var schedules: [ScheduleView]
    package var isVirtual: Bool
    package var speed: Double
    package var mayBeSet: Bool

    package init(
        chart: ScheduleChart,
        schedules: [ScheduleView],
        isVirtual: Bool,
        speed: Double,
        mayBeSet: Bool
    ) {
        self.chart = chart
        self.schedules = schedules
        self.isVirtual = isVirtual
        self.speed = speed
        self.mayBeSet = mayBeSet
    }

    package var page: Page {
        Page("Schedules", .schedules, live: Address("/console/live/schedules")) {
            tag("h1") { "Schedules" }
            tag("p", .class("lead")) { "What ran in the last days, and what the next ones bring." }
            for part in parts { part.placed() }
            clock
        }
    }

    package var parts: [Part] {
        [
            Part("days") { chart.html },
            Part("schedules") {
                tag("h2") { "All schedules" }
                table(
                    "Schedules",
                    ["Schedule", "Function", "When", "State", "Next (UTC)", .number("Runs"), "Actions"],
                    schedules.map { schedule in
                        [
                            tag("a", .href(schedule.address)) { schedule.id },
                            tag("a", .href(Address("/console/functions", schedule.function))) {
                                schedule.function
                            },
                            tag("code") { schedule.when }, schedule.state,
                            schedule.next.map { $0.written(now: chart.now) } ?? HTML("never"),
                            HTML(String(schedule.runs)), schedule.wishes(),
                        ]
                    },
                    empty: "There is no schedule: each is a file in schedules/, with a cron line or a window."
                )
            },
        ]
    }

    private var pace: String {
        guard isVirtual else { return "The clock is real until it is set." }
        switch speed {
        case 0: return "The clock is virtual, and stands."
        case 1: return "The clock is virtual, and as fast as time."
        default: return "The clock is virtual, and \(digits(speed, 2)) times as fast as time."
        }
    }

    @HTMLBuilder
    private var clock: HTML {
        tag("h2", .id("clock-controls")) { "Clock" }
        if !mayBeSet {
            tag("p", .class("quiet")) { "This host runs on the real clock." }
        } else {
            tag("p", .class("quiet")) {
                pace
            }
            tag("form", .class("bar"), .set("method", "post"), .action(Address("/console/clock"))) {
                tag("div") {
                    tag("label", .set("for", "set")) { "Set to an instant" }
                    void("input", .id("set"), .name("set"), .set("placeholder", "2026-11-27T14:25:00Z"))
                }
                tag("div") {
                    tag("label", .set("for", "advance")) { "or put forward by" }
                    tag("select", .id("advance"), .name("advance")) {
                        for (text, seconds) in [
                            ("nothing", ""), ("a minute", "60"), ("an hour", "3600"), ("a day", "86400"),
                            ("a week", "604800"),
                        ] {
                            tag("option", .set("value", seconds)) { text }
                        }
                    }
                }
                tag("div") {
                    tag("label", .set("for", "speed")) { "or let it run" }
                    tag("select", .id("speed"), .name("speed")) {
                        for (text, speed) in [
                            ("as before", ""), ("not at all", "0"), ("as fast as time", "1"),
                            ("60 times as fast", "60"),
                            ("600 times as fast", "600"), ("3600 times as fast", "3600"),
                        ] {
                            tag("option", .set("value", speed)) { text }
                        }
                    }
                }
                tag("button") { "Set the clock" }
            }
        }
    }
}

extension ScheduleView {
    /// One schedule with what became of its times.
    package func page(now: Instant) -> Page {
        Page(id, .schedules) {
            tag("p", .class("trail")) { tag("a", .href(Address("/console/schedules"))) { "Schedules" } }
            tag("h1") { id }
            tag("p", .class("lead actions")) {
                tag("a", .href(Address("/console/functions", function))) { function }
                state
                tag("code") { when }
            }
            if let paused { tag("p", .class("note warn")) { "Paused: \(paused)" } }
            wishes()
            tag("div", .class("columns uneven")) {
                tag("section") {
                    tag("h2") { "Its times" }
                    table(
                        "Nominal times, the newest first",
                        ["Nominal (UTC)", "Verdict", "Why", "Job"],
                        times.map { time in
                            [
                                time.nominal.written(now: now),
                                pill(time.verdict.replacingUnderscores, time.tone),
                                HTML(time.sentence),
                                time.job.map { job in
                                    tag("a", .class("mono"), .href(Address("/console/jobs", job))) {
                                        String(job.suffix(8))
                                    }
                                } ?? .nothing,
                            ]
                        },
                        empty: "None has come yet."
                    )
                }
                tag("section") {
                    tag("h2") { "Rules" }
                    tag("div", .class("card")) { facts(policy.map { ($0.name, HTML($0.value)) }) }
                }
            }
        }
    }
}

extension ScheduleView.Time {
    fileprivate var tone: Tone {
        switch verdict {
        case "succeeded": .good
        case "failed", "missed": .bad
        case "running": .blue
        case "ahead": .quiet
        default: .warn
        }
    }
}
