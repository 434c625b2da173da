import FunctionCore
import Scheduling
import Testing

@Suite("Cron dialects", .timeLimit(.minutes(1)))
struct CronDialectTests {
    /// The nominal times after an instant in UTC, without year of this century and zone.
    private func times(
        _ text: String,
        _ dialect: CronDialect = .vixie,
        after start: String,
        count: Int
    ) throws -> [String] {
        let cron = try CronExpression(text, dialect: dialect)
        var instant = at(start)
        var times: [String] = []
        while times.count < count, let next = cron.next(after: instant, zone: .utc) {
            times.append(String(next.rfc3339.dropFirst(2).dropLast()))
            instant = next
        }
        return times
    }

    @Test(
        "six fields begin with the second, and seven end with the year",
        arguments: [
            ("*/20 * * * * *", "26-01-01T00:00:20 26-01-01T00:00:40 26-01-01T00:01:00"),
            ("5,50 59 23 * * *", "26-01-01T23:59:05 26-01-01T23:59:50 26-01-02T23:59:05"),
            ("30 0 0 1 * * *", "26-01-01T00:00:30 26-02-01T00:00:30 26-03-01T00:00:30"),
            ("0 0 0 29 2 * 2027-2050", "28-02-29T00:00:00 32-02-29T00:00:00 36-02-29T00:00:00"),
            ("0 0 12 L 12 ? 2026,2030", "26-12-31T12:00:00 30-12-31T12:00:00"),
            ("0 0 12 1 1 ? 2026/1", ""),
            ("0 0 0 1 1 ? 2020-2026/3", "26-01-01T00:00:00"),
            ("59 59 23 31 12 ? 2199", "99-12-31T23:59:59"),
        ]
    )
    func lengths(text: String, expected: String) throws {
        guard !expected.isEmpty else {
            #expect(throws: SchedulingError.self) { try CronExpression(text) }
            return
        }
        let found = try times(
            text,
            after: text.contains("-2026") ? "2025-06-01T00:00:00Z" : "2026-01-01T00:00:00Z",
            count: 3
        )
        #expect(found.joined(separator: " ") == expected)
    }

    @Test(
        "Quartz counts weekdays from 1 for Sunday, steps from a value and runs over the end",
        arguments: [
            ("0 0 12 ? * 1", "26-01-04T12:00:00 26-01-11T12:00:00"),
            ("0 0 12 ? * SUN", "26-01-04T12:00:00 26-01-11T12:00:00"),
            ("0 0 12 ? * 6#3", "26-01-16T12:00:00 26-02-20T12:00:00"),
            ("0 0 12 ? * 6L", "26-01-30T12:00:00 26-02-27T12:00:00"),
            ("0 0 12 ? * L", "26-01-03T12:00:00 26-01-10T12:00:00"),
            ("0 0 12 ? * FRI-MON", "26-01-02T12:00:00 26-01-03T12:00:00"),
            ("0 0 12 ? * 2-6", "26-01-01T12:00:00 26-01-02T12:00:00"),
            ("0 0/25 9 * * ?", "26-01-01T09:00:00 26-01-01T09:25:00"),
            ("0 20/25 9 * * ?", "26-01-01T09:20:00 26-01-01T09:45:00"),
            ("/40 0 0 * * ?", "26-01-01T00:00:40 26-01-02T00:00:00"),
            ("0 0 22-1 * * ?", "26-01-01T01:00:00 26-01-01T22:00:00"),
            ("0 0 0 1 nov-feb ?", "26-02-01T00:00:00 26-11-01T00:00:00"),
            ("0 0 0 15w * ? 2026-2027", "26-01-15T00:00:00 26-02-16T00:00:00"),
        ]
    )
    func quartz(text: String, expected: String) throws {
        let found = try times(text, .quartz, after: "2026-01-01T00:00:00Z", count: 2)
        #expect(found.joined(separator: " ") == expected)
    }

    @Test(
        "Quartz asks for one question mark and for seconds, and a year runs no way but forwards",
        arguments: [
            ("0 0 12 * * *", "exactly one"), ("0 0 12 ? * ?", "exactly one"),
            ("0 0 12 1 * MON", "exactly one"), ("0 12 * * ?", "six with seconds"),
            ("0 0 12 ? * 0", "1-7 or SUN-SAT"), ("0 0 12 ? * 8", "field day of week"),
            ("0 0 12 ? * 1 2030-2027", "write 2027-2030"), ("0 0 12 ? * 1 1969", "1970-2199"),
            ("60 0 12 ? * 1", "field second"), ("0 70/5 12 ? * 1", "field minute"),
        ]
    )
    func quartzRefusals(text: String, hint: String) {
        let error = #expect(throws: SchedulingError.self) { try CronExpression(text, dialect: .quartz) }
        #expect(error?.message.contains(hint) == true, "\(error?.message ?? "")")
    }

    @Test(
        "an error names the field, the value and what is allowed",
        arguments: [
            ("61 * * * *", "cron \"61 * * * *\", field minute: \"61\" is not within 0-59: "),
            ("0 25 * * *", "field hour: \"25\" is not within 0-23"),
            ("0 0 * jam *", "field month: \"jam\" is not within 1-12 or JAN-DEC"),
            ("60 0 0 * * *", "field second: \"60\" is not within 0-59"),
            ("0 0 0 1 1 * 2200", "field year: \"2200\" is not within 1970-2199"),
            ("*/5/2 * * * *", "field minute: \"*/5/2\" has two steps"),
            ("0 0 0 1 1 * */300", "field year: the step \"300\" is not within 1 to 229"),
        ]
    )
    func messages(text: String, expected: String) {
        let error = #expect(throws: SchedulingError.self) { try CronExpression(text) }
        #expect(error?.message.contains(expected) == true, "\(error?.message ?? "")")
    }

    @Test(
        "an expression without a date is valid, says so, and answers at once",
        arguments: [
            "0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 L-30 2 *", "0 0 0 29 2 ? 2025-2027",
            "0 0 0 29 2 MON#5 2026",
            "0 0 0 30 2 * *", "@reboot",
        ]
    )
    func impossible(text: String) throws {
        let cron = try CronExpression(text)
        #expect(!cron.hasDates && cron.warning?.contains(text) == true)
        #expect(cron.next(after: at("2026-01-01T00:00:00Z"), zone: .utc) == nil)
    }

    @Test("a rare date or the last of its kind is found, and nothing behind it")
    func rare() throws {
        let newYork = try TimeZoneRules.load("America/New_York")
        let monday = try CronExpression("0 0 * 2 MON#5")
        #expect(monday.hasDates && monday.warning == nil)
        // 2100 is no leap year: the longest wait of all.
        #expect(
            monday.next(after: at("2072-03-01T00:00:00Z"), zone: newYork) == at("2112-02-29T05:00:00Z")
        )
        let over = try CronExpression("0 0 0 1 1 ? 2026")
        #expect(over.hasDates)
        #expect(over.next(after: at("2026-01-01T04:59:59Z"), zone: newYork) == at("2026-01-01T05:00:00Z"))
        #expect(over.next(after: at("2026-01-01T05:00:00Z"), zone: newYork) == nil)
        #expect(over.next(after: at("1700-01-01T05:00:00Z"), zone: newYork) == at("2026-01-01T05:00:00Z"))
    }

    @Test("a zone in front of the expression is taken, unless another is set beside it")
    func zones() throws {
        let cron = try CronExpression("CRON_TZ=Asia/Tokyo 0 9 * * *")
        #expect(cron.zoneName == "Asia/Tokyo" && cron.isFixed)
        #expect(try cron.zoneName(agreeingWith: nil) == "Asia/Tokyo")
        #expect(try cron.zoneName(agreeingWith: "Asia/Tokyo") == "Asia/Tokyo")
        #expect(throws: SchedulingError.self) { try cron.zoneName(agreeingWith: "UTC") }
        #expect(try CronExpression("0 9 * * *").zoneName(agreeingWith: nil) == "UTC")
        #expect(try CronExpression("CRON_TZ=UTC @daily").zoneName(agreeingWith: nil) == "UTC")
    }
}
