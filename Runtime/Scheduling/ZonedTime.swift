import FunctionCore

extension Instant {
    /// What `init(text:zone:)` reads, for messages.
    package static let forms =
        "2026-11-27T14:25:00Z, 2026-11-27T09:25:00-05:00 or \"2026-11-27 09:25 America/New_York\""

    /// Reads an instant as RFC 3339 writes it, or as a date, a time of day and the name of a zone.
    ///
    /// Of a time that the zone's clock shows twice it is the first.
    ///
    /// - Parameters:
    ///   - text: Such as one of `forms`; seconds may be left out before a zone's name.
    ///   - zone: Finds the rules of a zone.
    /// - Throws: `time_invalid`, with what is allowed; what `zone` throws.
    package init(
        text: String,
        zone: (String) throws(SchedulingError) -> TimeZoneRules
    ) throws(SchedulingError) {
        if let instant = Instant(rfc3339: text) {
            self = instant
            return
        }
        guard let (date, time, name) = Instant.parts(text) else {
            throw SchedulingError(.timeInvalid, "\"\(text)\" is no instant: write one like \(Instant.forms)")
        }
        let rules = try zone(name)
        switch rules.meaning(of: CivilTime(date, time)) {
        case .once(let instant), .twice(let instant, _): self = instant
        case .never(let after):
            throw SchedulingError(
                .timeInvalid,
                "\"\(text)\": the clock of \(name) leaves this time out: write \(rules.civilTime(at: after)), "
                    + "which comes next"
            )
        }
    }

    /// `DATE TIME ZONE` or `DATE-T-TIME ZONE`.
    private static func parts(_ text: String) -> (CivilDate, TimeOfDay, String)? {
        let words = text.split(separator: " ")
        guard let zone = words.last else { return nil }
        let reading = words.dropLast().flatMap { $0.split(separator: "T", omittingEmptySubsequences: false) }
        guard reading.count == 2, let date = CivilDate(parsing: reading[0]),
            let time = TimeOfDay(parsing: reading[1])
        else { return nil }
        return (date, time, String(zone))
    }
}
