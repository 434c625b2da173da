import FunctionCore
import Scheduling
import Testing

@Suite("CronExpression", .timeLimit(.minutes(1)))
struct CronTests {
    /// The wall clock readings of the nominal times after an instant.
    private func readings(
        _ expression: String,
        zone: TimeZoneRules = .utc,
        after start: String,
        count: Int
    ) throws -> [String] {
        let cron = try CronExpression(expression)
        var instant = at(start)
        var readings: [String] = []
        while readings.count < count, let next = cron.next(after: instant, zone: zone) {
            #expect(next > instant)
            readings.append(String(zone.civilTime(at: next).description.dropLast(3)))
            instant = next
        }
        return readings
    }

    @Test(
        "an expression is due when its fields say",
        arguments: [
            ("* * * * *", "2026-01-01T00:00:30Z", "2026-01-01T00:01 2026-01-01T00:02"),
            ("*/15 * * * *", "2026-01-01T00:45:00Z", "2026-01-01T01:00 2026-01-01T01:15"),
            ("5-20/5 3,9 * * *", "2026-01-01T03:15:00Z", "2026-01-01T03:20 2026-01-01T09:05"),
            ("0 0 29 2 *", "2026-01-01T00:00:00Z", "2028-02-29T00:00 2032-02-29T00:00"),
            ("0 0 31 * *", "2026-01-31T00:00:00Z", "2026-03-31T00:00 2026-05-31T00:00"),
            ("0 9 * * MON-FRI", "2026-11-20T09:00:00Z", "2026-11-23T09:00 2026-11-24T09:00"),
            ("0 9 * * 7", "2026-11-20T00:00:00Z", "2026-11-22T09:00 2026-11-29T09:00"),
            ("0 9 * * 5-7", "2026-11-21T09:00:00Z", "2026-11-22T09:00 2026-11-27T09:00"),
            ("0 0 * jan,DEC sun", "2026-12-27T00:00:00Z", "2027-01-03T00:00 2027-01-10T00:00"),
            ("59 23 31 12 ?", "2026-12-31T23:59:00Z", "2027-12-31T23:59 2028-12-31T23:59"),
            ("@daily", "2026-02-28T00:00:00Z", "2026-03-01T00:00 2026-03-02T00:00"),
            ("@Monthly", "2026-02-28T00:00:00Z", "2026-03-01T00:00 2026-04-01T00:00"),
            ("  0   12 1 1  *  ", "2026-02-28T00:00:00Z", "2027-01-01T12:00 2028-01-01T12:00"),
        ]
    )
    func fields(expression: String, start: String, expected: String) throws {
        #expect(try readings(expression, after: start, count: 2).joined(separator: " ") == expected)
    }

    @Test(
        "of two restricted day fields one must match, and with a star both",
        arguments: [
            // The 13th or a Friday.
            ("0 0 13 * FRI", "2026-11-06 2026-11-13 2026-11-20 2026-11-27 2026-12-04 2026-12-11 2026-12-13"),
            // A field that starts with a star is none that restricts: odd days that are Sundays.
            ("0 0 */2 * SUN", "2026-11-01 2026-11-15 2026-11-29 2026-12-13 2026-12-27 2027-01-03 2027-01-17"),
            // The first seven days, if also a day of the week by a starred step.
            ("0 0 1-7 * */6", "2026-11-01 2026-11-07 2026-12-05 2026-12-06 2027-01-02 2027-01-03 2027-02-06"),
            ("0 0 ? * MON", "2026-11-02 2026-11-09 2026-11-16 2026-11-23 2026-11-30 2026-12-07 2026-12-14"),
        ]
    )
    func dayFields(expression: String, expected: String) throws {
        let days = try readings(expression, after: "2026-10-31T12:00:00Z", count: 7).map { $0.prefix(10) }
        #expect(days.joined(separator: " ") == expected)
    }

    @Test(
        "a day told by the month's end, its workdays or its weeks is found in each month",
        arguments: [
            ("0 0 L * *", "2026-01-31 2026-02-28 2026-03-31 2026-04-30"),
            ("0 0 L-2 * *", "2026-01-29 2026-02-26 2026-03-29 2026-04-28"),
            ("0 0 LW * *", "2026-01-30 2026-02-27 2026-03-31 2026-04-30"),
            // 1 February and 1 March 2026 are Sundays, 1 August is a Saturday: never back into the month
            // before.
            ("0 0 1W * *", "2026-01-01 2026-02-02 2026-03-02 2026-04-01"),
            ("0 0 1W 8 *", "2026-08-03 2027-08-02 2028-08-01 2029-08-01"),
            ("0 0 31W * *", "2026-01-30 2026-03-31 2026-05-29 2026-07-31"),
            ("0 0 * * 5#3", "2026-01-16 2026-02-20 2026-03-20 2026-04-17"),
            ("0 0 * * THU#5", "2026-01-29 2026-04-30 2026-07-30 2026-10-29"),
            ("0 0 * * 1L", "2026-01-26 2026-02-23 2026-03-30 2026-04-27"),
            ("0 0 * * fri#L", "2026-01-30 2026-02-27 2026-03-27 2026-04-24"),
            ("0 0 1,L * *", "2026-01-01 2026-01-31 2026-02-01 2026-02-28"),
            ("0 0 15 * 7#1", "2026-01-04 2026-01-15 2026-02-01 2026-02-15"),
        ]
    )
    func dayRules(expression: String, expected: String) throws {
        let days = try readings(expression, after: "2025-12-31T12:00:00Z", count: 4).map { $0.prefix(10) }
        #expect(days.joined(separator: " ") == expected)
    }

    @Test(
        "a time in a gap or an overlap of the wall clock fires as the rules D1 to D5 say",
        arguments: [
            // D1: after the gap, once. New York, Lord Howe (30 minutes), Cairo (midnight), Troll (2 hours).
            ("30 2 * * *", "America/New_York", "2026-03-08T05:00:00Z", "2026-03-08T03:00 2026-03-09T02:30"),
            ("0,30 2 * * *", "America/New_York", "2026-03-08T05:00:00Z", "2026-03-08T03:00 2026-03-09T02:00"),
            ("0 2,3 * * *", "America/New_York", "2026-03-08T05:00:00Z", "2026-03-08T03:00 2026-03-09T02:00"),
            (
                "15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00:00Z",
                "2026-10-04T02:30 2026-10-05T02:15"
            ),
            ("0 0 * * *", "Africa/Cairo", "2026-04-23T12:00:00Z", "2026-04-24T01:00 2026-04-25T00:00"),
            ("30 1 * * *", "Antarctica/Troll", "2026-03-28T12:00:00Z", "2026-03-29T03:00 2026-03-30T01:30"),
            // D2: a frequency keeps its grid.
            ("30 * * * *", "America/New_York", "2026-03-08T06:00:00Z", "2026-03-08T01:30 2026-03-08T03:30"),
            ("0 */2 * * *", "America/New_York", "2026-03-08T04:30:00Z", "2026-03-08T00:00 2026-03-08T04:00"),
            // D3: the first of two.
            ("30 1 * * *", "America/New_York", "2026-11-01T04:00:00Z", "2026-11-01T01:30 2026-11-02T01:30"),
            (
                "45 1 * * *", "Australia/Lord_Howe", "2026-04-04T12:00:00Z",
                "2026-04-05T01:45 2026-04-06T01:45"
            ),
            ("30 1-9 * * *", "America/New_York", "2026-11-01T05:30:00Z", "2026-11-01T02:30 2026-11-01T03:30"),
            // D5: Apia had no 30 December 2011.
            ("0 12 30 * *", "Pacific/Apia", "2011-12-01T00:00:00Z", "2012-01-30T12:00 2012-03-30T12:00"),
            ("0 12 * * *", "Pacific/Apia", "2011-12-29T00:00:00Z", "2011-12-29T12:00 2011-12-31T12:00"),
        ]
    )
    func clockChanges(expression: String, zone: String, start: String, expected: String) throws {
        let readings = try readings(expression, zone: .load(zone), after: start, count: 2)
        #expect(readings.joined(separator: " ") == expected)
    }

    @Test("a frequency fires in both passes of a repeated hour, and a fixed time in the first")
    func overlap() throws {
        let newYork = try TimeZoneRules.load("America/New_York")
        let half = try CronExpression("*/30 * * * *")
        var instants: [String] = []
        var instant = at("2026-11-01T04:59:00Z")
        while instants.count < 6, let next = half.next(after: instant, zone: newYork) {
            instants.append(String(next.rfc3339.dropFirst(11).prefix(5)))
            instant = next
        }
        #expect(instants == ["05:00", "05:30", "06:00", "06:30", "07:00", "07:30"])
        let fixed = try CronExpression("30 1 * * *")
        #expect(fixed.next(after: at("2026-11-01T04:00:00Z"), zone: newYork) == at("2026-11-01T05:30:00Z"))
        // Asked within the second pass, the next one is the next day's.
        #expect(fixed.next(after: at("2026-11-01T06:10:00Z"), zone: newYork) == at("2026-11-02T06:30:00Z"))
        let lordHowe = try TimeZoneRules.load("Australia/Lord_Howe")
        let quarter = try CronExpression("45 1 * * *")
        #expect(quarter.next(after: at("2026-04-04T12:00:00Z"), zone: lordHowe) == at("2026-04-04T14:45:00Z"))
    }

    @Test("a ten minute schedule on Lord Howe never leaves a hole, nor fires an instant twice")
    func lordHowe() throws {
        let zone = try TimeZoneRules.load("Australia/Lord_Howe")
        let cron = try CronExpression("*/10 * * * *")
        for start in ["2026-10-03T10:00:00Z", "2026-04-04T10:00:00Z"] {
            var instant = at(start)
            for _ in 0..<60 {
                let next = try #require(cron.next(after: instant, zone: zone))
                #expect(next - instant == .seconds(600))
                instant = next
            }
        }
    }

    @Test("a date that never comes ends the search, and a rare one is found")
    func bounds() throws {
        #expect(try CronExpression("0 0 30 2 *").next(after: at("2026-01-01T00:00:00Z"), zone: .utc) == nil)
        #expect(
            try CronExpression("0 0 31 4,6,9,11 *").next(after: at("2026-01-01T00:00:00Z"), zone: .utc) == nil
        )
        let berlin = try TimeZoneRules.load("Europe/Berlin")
        #expect(
            try CronExpression("0 0 L-30 2 *").next(after: at("2026-01-01T00:00:00Z"), zone: berlin) == nil
        )
        // 29 February as a fifth Monday.
        #expect(
            try readings("0 0 * 2 MON#5", after: "2026-01-01T00:00:00Z", count: 1) == ["2044-02-29T00:00"]
        )
        #expect(try CronExpression("* * * * *").next(after: at("2199-12-31T23:59:00Z"), zone: .utc) == nil)
        #expect(try CronExpression("* * * * *").next(after: Instant(nanoseconds: .max), zone: berlin) == nil)
        #expect(try CronExpression("* * * * *").next(after: Instant(nanoseconds: .min), zone: berlin) != nil)
    }

    @Test(
        "an expression that engines read in different ways is refused, with field and remedy",
        arguments: [
            ("* * * *", "five"), ("* * * * * * * *", "8 fields"), ("60 * * * *", "field minute"),
            ("* 24 * * *", "field hour"), ("* * 0 * *", "field day of month"), ("* * 32 * *", "1-31"),
            ("* * * 13 *", "JAN-DEC"), ("* * * * 8", "SUN-SAT"), ("* * * * FRI-SUN", "write 5-7"),
            ("0/15 * * * *", "write 0-59/15"), ("/15 * * * *", "write */15"), ("*/0 * * * *", "step"),
            ("*/60 * * * *", "step"), ("50-10 * * * *", "write two ranges: 50-59,0-10"),
            ("1,,2 * * * *", "empty item"),
            ("? * * * *", "write *"), ("* * * ? *", "write *"), ("* * 1,? * *", "alone"),
            ("1-2-3 * * * *", "minute"),
            ("*/2/3 * * * *", "two steps"), ("-5 * * * *", "minute"), ("+5 * * * *", "minute"),
            ("* * * * L", "6L"), ("* * * * 5#6", "5#3"), ("* * L-31 * *", "L-3"),
            ("* * W * *", "day of month"),
            ("L * * * *", "minute"), ("@secondly", "@hourly"), ("@every 5m", "every: with a value like 15m"),
            ("@every", "every:"),
            ("TZ=UTC 0 0 * * *", "write CRON_TZ=UTC"), ("", "five"), ("CRON_TZ=UTC", "0 fields"),
            ("a b c d e", "minute"), ("０ * * * *", "minute"),
        ]
    )
    func refusals(expression: String, hint: String) throws {
        let error = #expect(throws: SchedulingError.self) { try CronExpression(expression) }
        #expect(error?.code == .cronInvalid)
        #expect(error?.message.contains(hint) == true, "\(error?.message ?? "")")
    }
}
