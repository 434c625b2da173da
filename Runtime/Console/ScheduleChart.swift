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
        /// What is written on it, where there is room.
        package var word: String?

        package init(from: Instant, to: Instant, look: String, title: String, word: String? = nil) {
            self.from = from
            self.to = to
            self.look = look
            self.title = title
            self.word = word
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

    private static let (row, top) = (30.0, 44.0)

    /// Where an instant lies between the chart's ends.
    private func x(_ instant: Instant) -> Double {
        let inside = min(max(instant, from), to)
        return (inside - from).milliseconds / max((to - from).milliseconds, 1)
    }

    private var height: Double { ScheduleChart.top + ScheduleChart.row * Double(lanes.count) + 4 }

    private func y(_ lane: Int) -> Double { ScheduleChart.top + ScheduleChart.row * Double(lane) }

    /// Heights are pixels and widths shares, so that nothing is distorted however wide the page is; on a narrow one
    /// the days scroll beside the names.
    var html: HTML {
        tag("div") {
            tag(
                "div",
                .class("strip days"),
                .set("tabindex", "0"),
                .set("role", "region"),
                .number("data-now", x(now)),
                .label("Days of the schedules")
            ) {
                tag("svg", .class("lanes"), .number("height", height), .set("aria-hidden", "true")) {
                    for (index, lane) in lanes.enumerated() {
                        rule(index)
                        tag("text", .class("name"), .number("x", 0), .number("y", y(index) + 20)) {
                            lane.name.count > 18 ? lane.name.prefix(17) + "…" : lane.name
                            tag("title") { lane.name }
                        }
                    }
                }
                tag(
                    "svg",
                    .class("times"),
                    .number("height", height),
                    .set("role", "img"),
                    .label("From \(from.spokenDate) to \(to.spokenDate), the details are in the tables")
                ) {
                    days
                    for (index, lane) in lanes.enumerated() {
                        rule(index)
                        draw(lane, y(index))
                    }
                    nowMark
                }
            }
            legend
        }
    }

    private func rule(_ lane: Int) -> HTML {
        tag(
            "line",
            .class("grid"),
            .number("x1", 0),
            .share("x2", 1),
            .number("y1", y(lane)),
            .number("y2", y(lane))
        )
    }

    /// In a row of its own, below that of the days.
    private var nowMark: [HTML] {
        let place = x(now)
        return [
            tag(
                "line",
                .class("now"),
                .share("x1", place),
                .share("x2", place),
                .number("y1", 24),
                .number("y2", height)
            ),
            tag(
                "text",
                .class("now-label"),
                .share("x", place),
                .set("dx", place < 0.9 ? "6" : "-6"),
                .set("text-anchor", place < 0.9 ? "start" : "end"),
                .number("y", 35)
            ) { "now, \(now.spokenTime.prefix(5))" },
        ]
    }

    private var days: [HTML] {
        let first = from.seconds - from.seconds % 86_400
        let count = Int((to - from).milliseconds / 86_400_000) + 2
        return (0..<count).flatMap { index -> [HTML] in
            let midnight = Instant(seconds: first + Int64(index) * 86_400)
            guard midnight >= from, midnight < to else { return [] }
            let line = tag(
                "line",
                .class("day"),
                .share("x1", x(midnight)),
                .share("x2", x(midnight)),
                .number("y1", 2),
                .number("y2", height)
            )
            // A name that the end would cut is left out.
            guard x(midnight) < 0.95 else { return [line] }
            let name = tag("text", .share("x", x(midnight)), .set("dx", "6"), .number("y", 14)) {
                midnight.weekdayText
            }
            return [line, name]
        }
    }

    private func draw(_ lane: Lane, _ y: Double) -> [HTML] {
        let spans = lane.spans.filter { $0.to > from && $0.from < to }.flatMap { span -> [HTML] in
            let share = x(span.to) - x(span.from)
            let shape = tag(
                "rect",
                .class(span.look),
                .share("x", x(span.from)),
                .share("width", max(share, 0.001)),
                .number("y", y + 6),
                .number("height", ScheduleChart.row - 11),
                .set("rx", "2")
            ) { tag("title") { span.title } }
            guard let word = span.word, share > 0.06 else { return [shape] }
            let text = tag(
                "text",
                .class("word"),
                .share("x", x(span.from)),
                .set("dx", "6"),
                .number("y", y + 19)
            ) { word }
            return [shape, text]
        }
        return spans + marks(lane.times, y)
    }

    /// Times that fall on one place are one mark, which shows the worst of them.
    private func marks(_ times: [ScheduleView.Time], _ y: Double) -> [HTML] {
        var places: [Int: (time: ScheduleView.Time, count: Int)] = [:]
        for time in times where time.nominal >= from && time.nominal < to {
            let place = Int(x(time.nominal) * 160)
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
                .share("cx", x(mark.time.nominal)),
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
