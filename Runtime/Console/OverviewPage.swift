import FunctionCore

/// What the overview shows.
package struct OverviewView: Sendable {
    package struct Row: Sendable {
        package var name: String
        package var reading: RateBook.Reading
        package var workers: Int
        package var max: Int
        package var running: Int
        package var waiting: Int

        package init(
            name: String,
            reading: RateBook.Reading,
            workers: Int,
            max: Int,
            running: Int,
            waiting: Int
        ) {
            self.name = name
            self.reading = reading
            self.workers = workers
            self.max = max
            self.running = running
            self.waiting = waiting
        }
    }

    package struct Coming: Sendable {
        package var at: Instant
        package var schedule: String
        package var function: String
        package var window: String?

        package init(at: Instant, schedule: String, function: String, window: String?) {
            self.at = at
            self.schedule = schedule
            self.function = function
            self.window = window
        }
    }

    package var now: Instant
    package var uptime: Duration
    package var redisIsUp: Bool
    package var all: RateBook.Reading
    package var rows: [Row]
    package var coming: [Coming]

    package init(
        now: Instant,
        uptime: Duration,
        redisIsUp: Bool,
        all: RateBook.Reading,
        rows: [Row],
        coming: [Coming]
    ) {
        self.now = now
        self.uptime = uptime
        self.redisIsUp = redisIsUp
        self.all = all
        self.rows = rows
        self.coming = coming
    }
}

extension OverviewView {
    package var page: Page {
        Page("Overview", .overview, live: Address("/console/live/overview")) {
            tag("h1") { "Overview" }
            tag("p", .class("lead")) { "The last minute, of all functions and of each." }
            for part in parts { part.placed() }
        }
    }

    package var parts: [Part] {
        [
            Part("tiles") { tiles },
            Part("functions") {
                tag("h2") { "Functions" }
                functions
            },
            Part("coming") {
                tag("h2") { "Next by schedule" }
                comingRuns
            },
        ]
    }

    private var tiles: HTML {
        let (running, waiting) = (rows.map(\.running).reduce(0, +), rows.map(\.waiting).reduce(0, +))
        return tag("dl", .class("tiles")) {
            tile("Rate", all.rateText, "a second")
            tile("Errors", all.errorText, counted(all.failed, "failure"), isBad: all.failed > 0)
            tile("Latency, median", all.latency(0.5), "95 % below \(all.latency(0.95))")
            tile("Under way", String(running), waiting > 0 ? "\(waiting) waiting" : "none waiting")
            tile(
                "Workers",
                String(rows.map(\.workers).reduce(0, +)),
                "of \(rows.map(\.max).reduce(0, +)) at most"
            )
            tile("Redis", redisIsUp ? "up" : "down", "host up \(spoken(uptime))", isBad: !redisIsUp)
        }
    }

    private func tile(_ name: String, _ value: String, _ aside: String, isBad: Bool = false) -> HTML {
        tag("div") {
            tag("dt") { name }
            tag("dd", isBad ? .class("bad") : nil) {
                value
                tag("span", .class("sub")) { aside }
            }
        }
    }

    private var functions: HTML {
        table(
            "Functions with their rates, errors, latencies and workers",
            [
                "Function", "Five minutes", .number("Rate"), .number("Errors"), .number("Median"),
                .number("95 %"), .number("Workers"), .number("Waiting"),
            ],
            rows.map { row in
                [
                    tag("a", .href(Address("/console/functions", row.name))) { row.name },
                    sparkline(row.reading.history, "\(row.name): \(row.reading.lately) in five minutes"),
                    HTML(row.reading.rateText), tinted(row.reading.errorText, row.reading.failed > 0),
                    HTML(row.reading.latency(0.5)), HTML(row.reading.latency(0.95)),
                    HTML("\(row.workers) of \(row.max)"), amount(row.waiting),
                ]
            },
            empty: noFunctions
        )
    }

    private func tinted(_ text: String, _ isBad: Bool) -> HTML { isBad ? pill(text, .bad) : HTML(text) }

    private var comingRuns: HTML {
        table(
            "What the schedules run next",
            ["At (UTC)", "Function", "Schedule", "Window"],
            coming.map { run in
                [
                    run.at.written(now: now),
                    tag("a", .href(Address("/console/functions", run.function))) { run.function },
                    tag("a", .href(Address("/console/schedules", run.schedule))) { run.schedule },
                    HTML(run.window ?? ""),
                ]
            },
            empty: "No schedule runs anything: each is a file in schedules/."
        )
    }
}

extension RateBook.Reading {
    var rateText: String { rate == 0 ? "0" : digits(rate, rate < 10 ? 2 : 0) }
    var errorText: String {
        guard count > 0 else { return "–" }
        let share = 100 * Double(failed) / Double(count)
        return failed > 0 && share < 0.1 ? "< 0.1 %" : "\(digits(share, 1)) %"
    }
    func latency(_ share: Double) -> String { quantile(share).map { spoken($0) } ?? "–" }
    var lately: String { counted(Int(history.map(\.all).reduce(0, +)), "invocation") }
}
