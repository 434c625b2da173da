import FunctionCore

/// An interval of elapsed time, counted from an anchor: `every: 15m`.
///
/// A day is 86,400 seconds here; no zone and no step of a wall clock plays a part. Because the nominal
/// times are multiples from the anchor, a restart does not shift their phase.
package struct EverySchedule: Sendable, Hashable {
    package let interval: Duration
    /// The first nominal time; there is none before it.
    package let anchor: Instant

    /// - Parameters:
    ///   - interval: One second or more.
    ///   - anchor: The epoch by default, so that `1h` falls on full hours of UTC.
    package init(interval: Duration, anchor: Instant = Instant(nanoseconds: 0)) {
        precondition(interval >= .seconds(1), "an interval schedule needs an interval of one second or more")
        self.interval = interval
        self.anchor = anchor
    }

    /// Reads an interval such as `15s`, `5m`, `1h30m` or `1d`: whole numbers of days, hours, minutes and
    /// seconds in this order, each at most once, one second to 366 days in all.
    package static func interval(parsing text: some StringProtocol) throws(SchedulingError) -> Duration {
        let units: [(letter: UInt8, seconds: Int64)] = [
            (UInt8(ascii: "d"), 86_400), (UInt8(ascii: "h"), 3_600), (UInt8(ascii: "m"), 60),
            (UInt8(ascii: "s"), 1),
        ]
        var seconds: Int64 = 0
        var number: Int64?
        var nextUnit = 0
        var isValid = !text.isEmpty
        for byte in text.utf8 {
            if UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte {
                // Beyond this the value is out of range whatever follows, and must not overflow.
                number = min((number ?? 0) * 10 + Int64(byte - UInt8(ascii: "0")), 1_000_000_000)
            } else if let value = number,
                let unit = units[nextUnit...].firstIndex(where: { $0.letter == byte })
            {
                seconds += value * units[unit].seconds
                nextUnit = unit + 1
                number = nil
            } else {
                isValid = false
            }
        }
        guard isValid, number == nil, 1...366 * 86_400 ~= seconds else {
            throw SchedulingError(
                .intervalInvalid,
                "interval \"\(text)\" is not within 1s and 366d in days, hours, minutes and seconds: "
                    + "write one like 15s, 5m, 1h30m or 1d"
            )
        }
        return .seconds(seconds)
    }

    /// The interval as `interval(parsing:)` reads it.
    package var text: String { EverySchedule.text(of: interval) }

    /// Writes an interval in days, hours, minutes and seconds: `1h30m`.
    package static func text(of interval: Duration) -> String {
        let nanoseconds = interval.nanoseconds
        var rest = nanoseconds / 1_000_000_000
        var text = ""
        for (letter, length) in [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)] as [(String, Int64)] {
            if rest >= length { text += "\(rest / length)\(letter)" }
            rest %= length
        }
        let milliseconds = nanoseconds / 1_000_000 % 1_000
        if milliseconds > 0 { text += "\(milliseconds)ms" }
        return text.isEmpty ? "0s" : text
    }

    /// The first nominal time after an instant; `nil` only beyond the range of `Instant`.
    package func next(after instant: Instant) -> Instant? {
        guard instant >= anchor else { return anchor }
        let step = UInt64(interval.nanoseconds)
        // The distance of two instants may exceed Int64, never UInt64.
        let elapsed = UInt64(bitPattern: instant.nanoseconds &- anchor.nanoseconds)
        let (sum, overflow) = (elapsed - elapsed % step).addingReportingOverflow(step)
        let room = UInt64(bitPattern: Int64.max &- anchor.nanoseconds)
        guard !overflow, sum <= room else { return nil }
        return Instant(nanoseconds: anchor.nanoseconds &+ Int64(bitPattern: sum))
    }
}
