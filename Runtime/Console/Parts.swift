import FunctionCore

/// A part of a page that is sent again when it has changed.
package struct Part: Sendable, Hashable {
    package let id: String
    package let html: HTML

    package init(_ id: StaticString, @HTMLBuilder content: () -> HTML) {
        self.id = "\(id)"
        html = content()
    }

    /// The part in its place on the page.
    func placed(_ attribute: Attribute? = nil) -> HTML { tag("div", .id(id), attribute) { html } }
}

/// What a developer does first.
let noFunctions = "There is no function yet: swiftlet new function NAME writes one, with its test."

/// How good or bad something is, as a colour beside the word that says it.
package enum Tone: String, Sendable {
    case good, warn, bad, blue, quiet
}

func pill(_ text: String, _ tone: Tone = .quiet) -> HTML {
    tag("span", .class(tone == .quiet ? "pill" : "pill \(tone.rawValue)")) { text }
}

/// A table; on a narrow screen each row stands by itself, with the columns' names beside the values.
func table(_ caption: String, _ columns: [Column], _ rows: [[HTML]], empty: String) -> HTML {
    guard !rows.isEmpty else { return tag("p", .class("empty")) { empty } }
    return tag("table", .class("list")) {
        tag("caption") { caption }
        tag("thead") {
            tag("tr") {
                for column in columns {
                    tag("th", .set("scope", "col"), column.isNumber ? .class("number") : nil) { column.title }
                }
            }
        }
        tag("tbody") {
            for row in rows {
                tag("tr") {
                    for (index, cell) in row.enumerated() {
                        if index == 0 {
                            tag("th", .set("scope", "row")) { cell }
                        } else {
                            tag(
                                "td",
                                columns[index].title.isEmpty ? nil : .set("data-label", columns[index].title),
                                columns[index].isNumber ? .class("number") : nil
                            ) { cell }
                        }
                    }
                }
            }
        }
    }
}

struct Column: ExpressibleByStringLiteral {
    let title: String
    var isNumber = false

    init(stringLiteral title: String) { self.title = title }

    static func number(_ title: String) -> Column {
        var column = Column(stringLiteral: title)
        column.isNumber = true
        return column
    }
}

/// Names and values, one under the other.
func facts(_ facts: [(name: String, value: HTML)]) -> HTML {
    tag("dl", .class("facts")) {
        for fact in facts {
            tag("dt") { fact.name }
            tag("dd") { fact.value }
        }
    }
}

/// A button that does something: a form of its own, so that it needs no script.
func button(_ text: String, _ action: Address, _ look: String = "plain slim", about: String? = nil) -> HTML {
    tag("form", .set("method", "post"), .action(action)) {
        tag("button", .class(look), .set("data-key", action.text)) {
            text
            if let about { tag("span", .class("visually-hidden")) { " \(about)" } }
        }
    }
}

/// A small picture of the last minutes, one bar a step; failures in another colour.
func sparkline(_ counts: [(all: Double, failed: Double)], _ label: String) -> HTML {
    let most = max(counts.map(\.all).max() ?? 0, 1)
    return tag(
        "svg",
        .class("spark"),
        .set("viewBox", "0 0 \(max(counts.count, 1) * 4) 24"),
        .set("preserveAspectRatio", "none"),
        .set("role", "img"),
        .label(label)
    ) {
        tag(
            "line",
            .number("x1", 0),
            .number("x2", Double(counts.count * 4)),
            .number("y1", 23.5),
            .number("y2", 23.5)
        )
        for (index, count) in counts.enumerated() where count.all > 0 {
            bar(index, count.all / most, nil)
            if count.failed > 0 { bar(index, count.failed / most, .class("bad")) }
        }
    }
}

private func bar(_ index: Int, _ share: Double, _ look: Attribute?) -> HTML {
    let height = max(share * 23, 1.5)
    return tag(
        "rect",
        .number("x", Double(index * 4)),
        .number("width", 3),
        .number("y", 23.5 - height),
        .number("height", height),
        look
    )
}

// MARK: Numbers in words

/// `0.42 ms`, `18 ms`, `1.3 s`, `2 min`.
package func spoken(_ duration: Duration) -> String {
    let milliseconds = duration.milliseconds
    switch milliseconds {
    case ..<1: return "\(digits(milliseconds, 2)) ms"
    case ..<10: return "\(digits(milliseconds, 1)) ms"
    case ..<1000: return "\(Int64(milliseconds.rounded())) ms"
    case ..<60_000: return "\(digits(milliseconds / 1000, 1)) s"
    case ..<3_600_000:
        let seconds = Int64(milliseconds / 1000)
        return seconds % 60 == 0 ? "\(seconds / 60) min" : "\(seconds / 60) min \(seconds % 60) s"
    case ..<172_800_000:
        return "\(Int64(milliseconds / 3_600_000)) h \(Int64(milliseconds / 60_000) % 60) min"
    default: return "\(Int64(milliseconds / 86_400_000)) days"
    }
}

/// `512 B`, `3.4 KiB`, `12 MiB`.
package func spoken(bytes: Int) -> String {
    var (value, unit) = (Double(bytes), 0)
    while value >= 1024, unit < 4 {
        value /= 1024
        unit += 1
    }
    let text = unit == 0 || value >= 100 ? String(Int(value.rounded())) : digits(value, 1)
    return "\(text) \(["B", "KiB", "MiB", "GiB", "TiB"][unit])"
}

/// A number with so many digits behind the point, and no zeros at its end.
package func digits(_ value: Double, _ count: Int) -> String {
    var factor = 1.0
    for _ in 0..<count { factor *= 10 }
    let rounded = (value * factor).rounded() / factor
    return rounded == rounded.rounded() && abs(rounded) < 1e15 ? String(Int64(rounded)) : "\(rounded)"
}

/// A number of a table, which stands back where it is none.
func amount(_ count: Int?) -> HTML {
    guard let count, count != 0 else { return tag("span", .class("quiet")) { count == nil ? "–" : "0" } }
    return HTML(String(count))
}

/// `1 core`, `1.5 cores`.
func counted(_ count: String, _ one: String) -> String { "\(count) \(count == "1" ? one : one + "s")" }

/// `1 worker`, `2 workers`.
func counted(_ count: Int, _ one: String, _ many: String? = nil) -> String {
    "\(count) \(count == 1 ? one : many ?? one + "s")"
}

extension Instant {
    /// `2026-11-21 19:04:07`, in UTC.
    package var spoken: String { spokenDate + " " + spokenTime }
    var spokenDate: String { String(rfc3339.prefix(10)) }
    var spokenTime: String { String(rfc3339.dropFirst(11).prefix(8)) }

    /// With the whole instant for who wants it, on the day of `now` without the date.
    func written(now: Instant) -> HTML {
        tag("time", .set("datetime", rfc3339), .set("title", rfc3339)) {
            spokenDate == now.spokenDate ? spokenTime : spoken
        }
    }
}
