import FunctionCore

/// The rule in the footer of a zone file, such as `EST5EDT,M3.2.0,M11.1.0`: what holds for all years to come.
///
/// The notation is that of POSIX's TZ variable with the wider hours of RFC 8536 (from -167 to 167, which
/// zones whose clocks step on the evening before or after a given day need).
struct PosixZoneRule {
    /// The last year that begins within the range of `Instant`.
    private static let lastYear = 2262

    private enum Day {
        /// 1 to 365, where 29 February is never counted.
        case julian(Int)
        /// 0 to 365, where 29 February is counted.
        case zeroBased(Int)
        /// The given weekday of a month for the n-th time; 5 is the last.
        case weekday(month: Int, week: Int, weekday: Int)
    }

    private struct Change {
        let day: Day
        /// Seconds after local midnight.
        let time: Int

        /// The local second at which the change is due in a year.
        func localSeconds(in year: Int) -> Int64 {
            let days: Int64
            switch day {
            case .julian(let number):
                let isPastLeapDay = Gregorian.isLeap(year) && number >= 60
                days =
                    Gregorian.days(year: year, month: 1, day: 1) + Int64(number - 1 + (isPastLeapDay ? 1 : 0))
            case .zeroBased(let number):
                days = Gregorian.days(year: year, month: 1, day: 1) + Int64(number)
            case .weekday(let month, let week, let weekday):
                let first = Gregorian.days(year: year, month: month, day: 1)
                let lead = (weekday - CivilDate.weekday(daysSinceEpoch: first) + 7) % 7
                var dayOfMonth = 1 + lead + (week - 1) * 7
                if dayOfMonth > Gregorian.days(inMonth: month, of: year) { dayOfMonth -= 7 }
                days = first + Int64(dayOfMonth - 1)
            }
            return days * 86_400 + Int64(time)
        }
    }

    private let standard: Int
    private let daylight: (offset: Int, begins: Change, ends: Change)?

    init?(_ text: String) {
        var reader = Reader(bytes: Array(text.utf8))
        guard reader.name(), let standard = reader.hours(), abs(standard) <= 93_600 else { return nil }
        self.standard = -standard
        if reader.isAtEnd {
            daylight = nil
            return
        }
        guard reader.name() else { return nil }
        var offset = self.standard + 3_600
        if !reader.isNext(",") {
            guard let explicit = reader.hours(), abs(explicit) <= 93_600 else { return nil }
            offset = -explicit
        }
        guard let begins = reader.change(), let ends = reader.change(), reader.isAtEnd else { return nil }
        daylight = (offset, begins, ends)
    }

    /// The transitions after `last` up to the end of the range of `Instant`, ascending.
    func transitions(after last: Int64?) -> [(at: Int64, offset: Int32)] {
        guard let daylight else {
            // Before this only if the file has none of its own, and then its first type says the same.
            return [(at: last ?? Int64.min, offset: Int32(standard))]
        }
        let firstYear = last.map { Gregorian.date(days: $0.floorDivided(by: 86_400)).year } ?? 1970
        guard firstYear <= PosixZoneRule.lastYear else { return [] }
        var transitions: [(at: Int64, offset: Int32)] = []
        for year in firstYear...PosixZoneRule.lastYear {
            transitions.append(
                (at: daylight.begins.localSeconds(in: year) - Int64(standard), offset: Int32(daylight.offset))
            )
            transitions.append(
                (at: daylight.ends.localSeconds(in: year) - Int64(daylight.offset), offset: Int32(standard))
            )
        }
        return transitions.filter { $0.at > last ?? .min }.sorted { $0.at < $1.at }
    }

    /// Reads the parts of a rule from left to right.
    private struct Reader {
        let bytes: [UInt8]
        var position = 0

        var isAtEnd: Bool { position == bytes.count }

        func isNext(_ character: Unicode.Scalar) -> Bool {
            position < bytes.count && bytes[position] == UInt8(ascii: character)
        }

        mutating func skip(_ character: Unicode.Scalar) -> Bool {
            guard isNext(character) else { return false }
            position += 1
            return true
        }

        /// An abbreviation: three letters or more, or anything in angle brackets.
        mutating func name() -> Bool {
            let start = position
            if skip("<") {
                while position < bytes.count, !isNext(">") { position += 1 }
                return skip(">")
            }
            while position < bytes.count, (bytes[position] | 0x20) >= UInt8(ascii: "a"),
                (bytes[position] | 0x20) <= UInt8(ascii: "z")
            {
                position += 1
            }
            return position - start >= 3
        }

        mutating func number(upTo limit: Int) -> Int? {
            let start = position
            var value = 0
            while position < bytes.count, UInt8(ascii: "0")...UInt8(ascii: "9") ~= bytes[position] {
                value = value * 10 + Int(bytes[position] - UInt8(ascii: "0"))
                guard value <= limit else { return nil }
                position += 1
            }
            return position > start ? value : nil
        }

        /// `[+-]hh[:mm[:ss]]` in seconds.
        mutating func hours() -> Int? {
            let isNegative = skip("-")
            if !isNegative { _ = skip("+") }
            guard let hours = number(upTo: 167) else { return nil }
            var seconds = hours * 3_600
            for unit in [60, 1] where skip(":") {
                guard let part = number(upTo: 59) else { return nil }
                seconds += part * unit
            }
            return isNegative ? -seconds : seconds
        }

        /// `,Mm.w.d`, `,Jn` or `,n`, each with `/time`, which is 02:00 if missing.
        mutating func change() -> Change? {
            guard skip(","), let day = day() else { return nil }
            guard skip("/") else { return Change(day: day, time: 7_200) }
            return hours().map { Change(day: day, time: $0) }
        }

        private mutating func day() -> Day? {
            if skip("M") {
                guard
                    let month = number(upTo: 12), month > 0, skip("."),
                    let week = number(upTo: 5), week > 0, skip("."),
                    let weekday = number(upTo: 6)
                else { return nil }
                return .weekday(month: month, week: week, weekday: weekday)
            }
            if skip("J") {
                return number(upTo: 365).flatMap { $0 > 0 ? .julian($0) : nil }
            }
            return number(upTo: 365).map { .zeroBased($0) }
        }
    }
}
