import FunctionCore
import Scheduling
import Seeds
import Testing

/// An expression as a list of numbers for each field, looked up one reading after the other.
private struct NaiveCron {
    let seconds, minutes, hours, days, months, weekdays: Set<Int>
    let eitherDay, isFixed: Bool

    init(_ fields: [String]) {
        func numbers(_ text: String, _ range: ClosedRange<Int>) -> Set<Int> {
            var found: Set<Int> = []
            for item in text.split(separator: ",") {
                let parts = item.split(separator: "/")
                let ends = parts[0] == "*" ? [] : parts[0].split(separator: "-").compactMap { Int($0) }
                let (low, high) = (ends.first ?? range.lowerBound, ends.last ?? range.upperBound)
                let step = parts.count == 2 ? Int(parts[1]) ?? 1 : 1
                for number in low...high where (number - low) % step == 0 { found.insert(number) }
            }
            return found
        }
        seconds = numbers(fields[0], 0...59)
        minutes = numbers(fields[1], 0...59)
        hours = numbers(fields[2], 0...23)
        days = numbers(fields[3], 1...31)
        months = numbers(fields[4], 1...12)
        weekdays = Set(numbers(fields[5], 0...6).map { $0 % 7 })
        eitherDay = !fields[3].hasPrefix("*") && !fields[5].hasPrefix("*")
        isFixed = !fields[..<3].contains { $0.hasPrefix("*") }
    }

    func matches(_ time: CivilTime) -> Bool {
        guard seconds.contains(time.second), minutes.contains(time.minute), hours.contains(time.hour) else {
            return false
        }
        let date = time.date
        let (day, weekday) = (days.contains(date.day), weekdays.contains(date.weekday))
        return months.contains(date.month) && (eitherDay ? day || weekday : day && weekday)
    }

    /// What a daemon would do that looks at the clock each second and knows the rules.
    func times(
        _ policy: CronDaylightPolicy,
        _ zone: TimeZoneRules,
        from start: Instant,
        seconds: Int64
    ) -> [Instant] {
        let clock = policy == .utc ? .utc : zone
        var fired: [Instant] = []
        var highest = clock.civilTime(at: start)
        /// The last gap: the first reading after it, and its length.
        var gap: (end: Int64, length: Int64) = (0, 0)
        for second in 1..<seconds {
            let now = start + .seconds(second)
            let reading = clock.civilTime(at: now)
            var isDue = matches(reading)
            if isFixed {
                if policy != .both, reading <= highest { isDue = false }
                let skipped = reading.seconds - highest.seconds - 1
                if skipped > 0, skipped <= 3 * 3_600 {
                    gap = (reading.seconds, skipped)
                    let lost = (highest.seconds + 1..<reading.seconds).contains {
                        matches(CivilTime(seconds: $0))
                    }
                    if lost, policy == .cron || policy == .both { isDue = true }
                }
                if policy == .shift, reading.seconds - gap.end < gap.length {
                    if matches(CivilTime(seconds: reading.seconds - gap.length)) { isDue = true }
                }
            }
            highest = max(highest, reading)
            if isDue { fired.append(now) }
        }
        return fired
    }
}

@Suite("Cron against a count of seconds", .timeLimit(.minutes(2)))
struct CronOracleTests {
    private static let zones = [
        "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "Antarctica/Troll", "Pacific/Chatham",
        "Pacific/Apia", "America/Havana", "Asia/Kathmandu",
    ]
    /// What each field may be: second, minute, hour, day of month, month, day of week.
    private static let choices = [
        ["0", "0", "0", "*/20", "7,59", "*"],
        ["0", "30", "*", "*/7", "15,45", "10-50/20", "0,59"],
        ["*", "*/2", "0", "1-3", "2", "1,2,23", "0,3"],
        ["*", "*", "*", "*/2", "1-7", "28-31"],
        ["*", "*", "*", "3-4,9-11", "*/2"],
        ["*", "*", "*", "0", "6-7", "1-5/2"],
    ]

    @Test("under every policy the search agrees with a count of the seconds about each change of the clock")
    func oracle() throws {
        var random = SeededRandom(7)
        let zones = try Self.zones.map { try TimeZoneRules.load($0) }
        for round in 0..<200 {
            let zone = zones[round % zones.count]
            let fields = Self.choices.map { $0.randomElement(using: &random) ?? "*" }
            let policy = CronDaylightPolicy.allCases.randomElement(using: &random) ?? .cron
            let cron = try CronExpression(fields.joined(separator: " "), daylight: policy)
            let day = Int64.random(in: 0..<9_000, using: &random)
            var start = at("2004-01-01T00:00:00Z") + .seconds(day * 86_400)
            // Some hours about a step of the clock, if the zone has any left.
            if let step = zone.nextStep(after: start) {
                start = step.instant - .seconds(Int64.random(in: 600..<12_000, using: &random))
            }
            let length = Int64.random(in: 10_000..<20_000, using: &random)
            let expected = NaiveCron(fields).times(policy, zone, from: start, seconds: length)
            var instant = start
            var actual: [Instant] = []
            while let next = cron.next(after: instant, zone: zone), next < start + .seconds(length) {
                actual.append(next)
                instant = next
            }
            #expect(actual == expected, "\(cron) \(policy) in \(zone.name) from \(start.rfc3339)")
        }
    }

    @Test("a search from anywhere gives the first of the times behind it")
    func consistency() throws {
        var random = SeededRandom(8)
        let zones = try Self.zones.map { try TimeZoneRules.load($0) }
        for round in 0..<400 {
            let zone = zones[round % zones.count]
            let fields = Self.choices.map { $0.randomElement(using: &random) ?? "*" }
            let policy = CronDaylightPolicy.allCases.randomElement(using: &random) ?? .cron
            let cron = try CronExpression(fields.joined(separator: " "), daylight: policy)
            let start = Instant(seconds: Int64.random(in: 0..<4_000_000_000, using: &random))
            guard let next = cron.next(after: start, zone: zone) else { continue }
            #expect(next > start)
            let middle = Instant(seconds: Int64.random(in: start.seconds..<next.seconds, using: &random))
            #expect(
                cron.next(after: middle, zone: zone) == next,
                "\(cron) in \(zone.name) from \(middle.rfc3339)"
            )
        }
    }
}
