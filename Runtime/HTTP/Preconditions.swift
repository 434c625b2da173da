import FunctionCore

/// What tells one state of a body from another.
package struct Validators: Sendable, Hashable {
    /// With its quotes, and `W/` where it is weak.
    package var etag: String
    /// Seconds since 1970.
    package var modified: Int64

    package init(etag: String, modified: Int64) {
        self.etag = etag
        self.modified = modified
    }

    private var isWeak: Bool { etag.hasPrefix("W/") }
    /// What weak comparison looks at.
    private var opaque: Substring { isWeak ? etag.dropFirst(2) : etag[...] }

    /// What the conditions of a request come to (RFC 9110, 13.2.2).
    package enum Verdict: Sendable, Hashable {
        case proceed
        /// 304: the client has it.
        case notModified
        /// 412: the client meant another state.
        case failed
    }

    /// Evaluates the conditions of a GET or HEAD.
    package func verdict(_ headers: [Header]) -> Verdict {
        if let tags = list(headers, "if-match") {
            guard matches(tags, strongly: true) else { return .failed }
        } else if let date = date(headers, "if-unmodified-since"), modified > date {
            return .failed
        }
        if let tags = list(headers, "if-none-match") {
            return matches(tags, strongly: false) ? .notModified : .proceed
        }
        if let date = date(headers, "if-modified-since"), modified <= date { return .notModified }
        return .proceed
    }

    /// Whether a `Range` counts: without `If-Range`, or where that names this very state.
    package func allowsRange(_ headers: [Header]) -> Bool {
        guard let condition = headers.first("if-range") else { return true }
        if condition.hasPrefix("\"") || condition.hasPrefix("W/") { return !isWeak && condition == etag }
        // A date is a strong validator only where the file did not change twice in its second, which a
        // strong tag says as well.
        return !isWeak && DateField.seconds(condition) == modified
    }

    private func list(_ headers: [Header], _ name: String) -> String? {
        let values = headers.filter { $0.name.isHeader(name) }.map(\.value)
        return values.isEmpty ? nil : values.joined(separator: ",")
    }

    private func date(_ headers: [Header], _ name: String) -> Int64? {
        headers.first(name).flatMap(DateField.seconds)
    }

    /// The tags are found by their quotes, as a comma may be part of one.
    private func matches(_ list: String, strongly: Bool) -> Bool {
        if MediaType.trimmed(list[...]) == "*" { return true }
        if strongly, isWeak { return false }
        var rest = list[...]
        while let open = rest.firstIndex(of: "\"") {
            let isWeakTag = rest[..<open].hasSuffix("W/")
            guard let close = rest[rest.index(after: open)...].firstIndex(of: "\"") else { return false }
            if rest[open...close] == opaque, !(strongly && isWeakTag) { return true }
            rest = rest[rest.index(after: close)...]
        }
        return false
    }
}

extension DateField {
    /// Reads a date in the preferred form of RFC 9110, 5.6.7; nil for the obsolete ones, which no client of
    /// this century sends.
    static func seconds(_ text: String) -> Int64? {
        let parts = text.split(separator: " ")
        guard parts.count == 6, parts[5] == "GMT", let day = Int(parts[1]), let year = Int(parts[3]),
            let month = months.firstIndex(of: String(parts[2]))
        else { return nil }
        let time = parts[4].split(separator: ":").compactMap { Int64($0) }
        guard time.count == 3, (0..<24).contains(time[0]), (0..<60).contains(time[1]),
            (0...60).contains(time[2]), (1...31).contains(day), (1...9999).contains(year)
        else { return nil }
        let days = Gregorian.days(year: year, month: month + 1, day: day)
        return days * 86_400 + time[0] * 3_600 + time[1] * 60 + time[2]
    }
}
