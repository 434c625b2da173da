import FunctionCore

/// The picture of some days: a lane for each market with its sessions and holidays, for each rotation with its
/// windows and hand-overs, and for each schedule with a mark for every time.
package struct ScheduleChart: Sendable {
    package struct Span: Sendable {
        package var from: Instant
        package var to: Instant
        /// The look, as in the stylesheet: `session`, `pause`, `holiday`, `window`, `window alt`, `drain`.
        package var look: String
        package var title: String

        package init(from: Instant, to: Instant, look: String, title: String) {
            self.from = from
            self.to = to
            self.look = look
            self.title = title
        }
    }

    package struct Lane: Sendable {
        package var name: String
        package var spans: [Span]
        package var times: [ScheduleView.Time]

        package init(name: String, spans: [Span] = [], times: [ScheduleView.Time] = []) {
            self.name = name
            self.spans = spans
            self.times = times
        }
    }

    package var now: Instant
    package var from: Instant
    package var to: Instant
    package var lanes: [Lane]

    package init(now: Instant, from: Instant, to: Instant, lanes: [Lane]) {
        self.now = now
        self.from = from
        self.to = to
        self.lanes = lanes
    }

    private static let (left, width, row, top) = (150.0, 1000.0, 30.0, 24.0)
    private static let day = Duration.seconds(86_400)

    private func x(_ instant: Instant) -> Double {
        let inside = min(max(instant, from), to)
        let share = (inside - from).milliseconds / max((to - from).milliseconds, 1)
        return ScheduleChart.left + ScheduleChart.width * share
    }

    private var height: Double { ScheduleChart.top + ScheduleChart.row * Double(lanes.count) + 6 }

    var html: HTML {
        tag("div") {
            tag(
                "div",
                .class("strip"),
                .set("tabindex", "0"),
                .set("role", "region"),
                .label("Days of the schedules")
            ) {
                tag(
                    "svg",
                    .set("viewBox", "0 0 1170 \(Int(height))"),
                    .set("role", "img"),
                    .label("From \(from.spokenDate) to \(to.spokenDate), the details are in the tables")
                ) {
                    days
                    for (index, lane) in lanes.enumerated() { draw(lane, index) }
                    tag(
                        "line",
                        .class("now"),
                        .number("x1", x(now)),
                        .number("x2", x(now)),
                        .number("y1", 18),
                        .number("y2", height)
                    )
                    tag(
                        "text",
                        .class("now-label"),
                        .number("x", x(now) + 5),
                        .number("y", height - 6)
                    ) { "now" }
                }
            }
            legend
        }
    }

    private var days: [HTML] {
        let first = from.seconds - from.seconds % 86_400
        let count = Int((to - from).milliseconds / 86_400_000) + 2
        return (0..<count).flatMap { index -> [HTML] in
            let midnight = Instant(seconds: first + Int64(index) * 86_400)
            guard midnight >= from, midnight < to else { return [] }
            return [
                tag(
                    "line",
                    .class("day"),
                    .number("x1", x(midnight)),
                    .number("x2", x(midnight)),
                    .number("y1", 4),
                    .number("y2", height)
                ),
                tag("text", .number("x", x(midnight) + 5), .number("y", 14)) { midnight.weekdayText },
            ]
        }
    }

    private func draw(_ lane: Lane, _ index: Int) -> [HTML] {
        let y = ScheduleChart.top + ScheduleChart.row * Double(index)
        var drawn = [
            tag(
                "line",
                .class("grid"),
                .number("x1", 0),
                .number("x2", 1160),
                .number("y1", y),
                .number("y2", y)
            ),
            tag("text", .class("name"), .number("x", 6), .number("y", y + 20)) {
                String(lane.name.prefix(22))
            },
        ]
        for span in lane.spans where span.to > from && span.from < to {
            drawn.append(
                tag(
                    "rect",
                    .class(span.look),
                    .number("x", x(span.from)),
                    .number("width", max(x(span.to) - x(span.from), 1)),
                    .number("y", y + 6),
                    .number("height", ScheduleChart.row - 11),
                    .set("rx", "2")
                ) { tag("title") { span.title } }
            )
        }
        return drawn + marks(lane.times, y)
    }

    /// Times that fall on one place are one mark, which shows the worst of them.
    private func marks(_ times: [ScheduleView.Time], _ y: Double) -> [HTML] {
        var places: [Int: (time: ScheduleView.Time, count: Int)] = [:]
        for time in times where time.nominal >= from && time.nominal < to {
            let place = Int(x(time.nominal) / 5)
            guard let known = places[place] else {
                places[place] = (time, 1)
                continue
            }
            places[place] = (known.time.weight >= time.weight ? known.time : time, known.count + 1)
        }
        return places.sorted { $0.key < $1.key }.map { _, mark in
            let more = mark.count > 1 ? ", and \(mark.count - 1) more" : ""
            return tag(
                "circle",
                .class("mark \(mark.time.verdict)"),
                .number("cx", x(mark.time.nominal)),
                .number("cy", y + ScheduleChart.row / 2),
                .set("r", mark.time.verdict == "ahead" ? "2.5" : "3.5")
            ) { tag("title") { "\(mark.time.nominal.spoken) \(mark.time.verdict)\(more)" } }
        }
    }

    private var legend: HTML {
        tag("ul", .class("legend")) {
            for (look, text) in [
                ("session", "session"), ("holiday", "holiday"), ("window", "window"),
                ("window alt", "the other window"),
                ("drain", "drain and hand-over"), ("mark succeeded", "succeeded"),
                ("mark failed", "failed or missed"),
                ("mark skipped", "skipped"), ("mark ahead", "ahead"),
            ] {
                tag("li") {
                    tag("svg", .set("viewBox", "0 0 16 11"), .set("aria-hidden", "true")) {
                        if look.hasPrefix("mark") {
                            tag("circle", .class(look), .set("cx", "8"), .set("cy", "5.5"), .set("r", "4"))
                        } else {
                            tag(
                                "rect",
                                .class(look),
                                .set("x", "1"),
                                .set("y", "1"),
                                .set("width", "14"),
                                .set("height", "9")
                            )
                        }
                    }
                    text
                }
            }
        }
    }
}

extension ScheduleView.Time {
    fileprivate var weight: Int {
        switch verdict {
        case "failed", "missed": 5
        case "running": 4
        case "skipped", "coalesced", "cancelled", "waiting": 3
        case "succeeded": 2
        default: 1
        }
    }
}

extension Instant {
    /// `Fri 27 Nov`.
    fileprivate var weekdayText: String {
        let days = seconds / 86_400
        // 1970-01-01 was a Thursday.
        let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][Int((days % 7 + 7) % 7)]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let (_, month, day) = Gregorian.date(days: days)
        return "\(weekday) \(day) \(months[month - 1])"
    }
}
