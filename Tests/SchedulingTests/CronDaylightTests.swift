import FunctionCore
import Scheduling
import Testing

/// A night in which a zone's clock is put forward or back, and what an expression does in it.
private struct Night: Sendable, CustomStringConvertible {
    let zone: String
    let expression: String
    /// UTC; the nominal times of the 24 hours behind it are compared.
    let after: String
    /// UTC, hour and minute with the day of month in front, by policy.
    let cron, skip, shift, both, utc: String

    init(
        _ zone: String,
        _ expression: String,
        _ after: String,
        cron: String,
        skip: String? = nil,
        shift: String? = nil,
        both: String? = nil,
        utc: String
    ) {
        (self.zone, self.expression, self.after) = (zone, expression, after)
        (self.cron, self.utc) = (cron, utc)
        (self.skip, self.shift, self.both) = (skip ?? cron, shift ?? cron, both ?? cron)
    }

    var description: String { "\(expression) in \(zone) after \(after)" }
}

@Suite("Cron where the clock is changed", .timeLimit(.minutes(1)))
struct CronDaylightTests {
    private static let nights: [Night] = [
        // Forward at 07:00 UTC, from 02:00 to 03:00.
        Night(
            "America/New_York",
            "30 2 * * *",
            "2026-03-07T12:00:00Z",
            cron: "08T07:00",
            skip: "",
            shift: "08T07:30",
            utc: "08T02:30"
        ),
        Night(
            "America/New_York",
            "0,30 2,3 8 3 *",
            "2026-03-07T12:00:00Z",
            cron: "08T07:00 08T07:30",
            shift: "08T07:00 08T07:30",
            utc: "08T02:00 08T02:30 08T03:00 08T03:30"
        ),
        Night(
            "America/New_York",
            "15,45 2 * * *",
            "2026-03-07T12:00:00Z",
            cron: "08T07:00",
            skip: "",
            shift: "08T07:15 08T07:45",
            utc: "08T02:15 08T02:45"
        ),
        Night(
            "America/New_York",
            "20 */2 8 3 *",
            "2026-03-08T04:00:00Z",
            cron:
                "08T05:20 08T08:20 08T10:20 08T12:20 08T14:20 08T16:20 08T18:20 08T20:20 08T22:20 09T00:20 09T02:20",
            utc: "08T04:20 08T06:20 08T08:20 08T10:20 08T12:20 08T14:20 08T16:20 08T18:20 08T20:20 08T22:20"
        ),
        // Back at 06:00 UTC, from 02:00 to 01:00.
        Night(
            "America/New_York",
            "30 1 1 11 *",
            "2026-11-01T00:00:00Z",
            cron: "01T05:30",
            both: "01T05:30 01T06:30",
            utc: "01T01:30"
        ),
        Night(
            "America/New_York",
            "*/30 1 1 11 *",
            "2026-11-01T00:00:00Z",
            cron: "01T05:00 01T05:30 01T06:00 01T06:30",
            utc: "01T01:00 01T01:30"
        ),
        // Forward by 30 minutes at 15:30 UTC of the 3rd, from 02:00 to 02:30.
        Night(
            "Australia/Lord_Howe",
            "15 2 4 10 *",
            "2026-10-03T12:00:00Z",
            cron: "03T15:30",
            skip: "",
            shift: "03T15:45",
            utc: "04T02:15"
        ),
        // Back by 30 minutes at 15:00 UTC of the 4th, from 02:00 to 01:30.
        Night(
            "Australia/Lord_Howe",
            "45 1 5 4 *",
            "2026-04-04T12:00:00Z",
            cron: "04T14:45",
            both: "04T14:45 04T15:15",
            utc: "05T01:45"
        ),
        // Forward at midnight, 22:00 UTC of the 23rd.
        Night(
            "Africa/Cairo",
            "0 0 * * *",
            "2026-04-23T12:00:00Z",
            cron: "23T22:00",
            skip: "",
            shift: "23T22:00",
            utc: "24T00:00"
        ),
        Night(
            "Africa/Cairo",
            "30 0 * * *",
            "2026-04-23T12:00:00Z",
            cron: "23T22:00",
            skip: "",
            shift: "23T22:30",
            utc: "24T00:30"
        ),
        // Back at midnight into the day before, 21:00 UTC of the 29th.
        Night(
            "Africa/Cairo",
            "30 23 * * *",
            "2026-10-29T12:00:00Z",
            cron: "29T20:30",
            both: "29T20:30 29T21:30",
            utc: "29T23:30"
        ),
        // Forward by two hours at 01:00 UTC, from 01:00 to 03:00, and back at 01:00 UTC.
        Night(
            "Antarctica/Troll",
            "30 1 29 3 *",
            "2026-03-28T12:00:00Z",
            cron: "29T01:00",
            skip: "",
            shift: "29T01:30",
            utc: "29T01:30"
        ),
        Night(
            "Antarctica/Troll",
            "0,30 1,2 29 3 *",
            "2026-03-28T12:00:00Z",
            cron: "29T01:00",
            skip: "",
            shift: "29T01:00 29T01:30 29T02:00 29T02:30",
            utc: "29T01:00 29T01:30 29T02:00 29T02:30"
        ),
        Night(
            "Antarctica/Troll",
            "30 2 25 10 *",
            "2026-10-24T12:00:00Z",
            cron: "25T00:30",
            both: "25T00:30 25T02:30",
            utc: "25T02:30"
        ),
        // Forward at 14:00 UTC of the 26th, from 02:45 to 03:45; back at 14:00 UTC, from 03:45 to 02:45.
        Night(
            "Pacific/Chatham",
            "0 3 27 9 *",
            "2026-09-26T10:00:00Z",
            cron: "26T14:00",
            skip: "",
            shift: "26T14:15",
            utc: "27T03:00"
        ),
        Night(
            "Pacific/Chatham",
            "0 3 5 4 *",
            "2026-04-04T10:00:00Z",
            cron: "04T13:15",
            both: "04T13:15 04T14:15",
            utc: "05T03:00"
        ),
        // Apia went over the date line at 10:00 UTC of the 30th and had no 30th.
        Night(
            "Pacific/Apia",
            "0 12 * * *",
            "2011-12-29T12:00:00Z",
            cron: "29T22:00",
            utc: "30T12:00"
        ),
        Night(
            "Pacific/Apia",
            "0 12 30 12 *",
            "2011-12-29T12:00:00Z",
            cron: "",
            utc: "30T12:00"
        ),
    ]

    private func times(
        _ cron: CronExpression,
        _ zone: TimeZoneRules,
        after start: Instant,
        seconds: Int64
    ) -> [Instant] {
        var times: [Instant] = []
        var instant = start
        while let next = cron.next(after: instant, zone: zone), next - start <= .seconds(seconds) {
            times.append(next)
            instant = next
        }
        return times
    }

    @Test("in every zone each policy does what its row says", arguments: nights)
    private func policies(night: Night) throws {
        let zone = try TimeZoneRules.load(night.zone)
        let rows: [(CronDaylightPolicy, String)] = [
            (.cron, night.cron), (.skip, night.skip), (.shift, night.shift), (.both, night.both),
            (.utc, night.utc),
        ]
        for (policy, expected) in rows {
            let cron = try CronExpression(night.expression, daylight: policy)
            let found = times(cron, zone, after: at(night.after), seconds: 86_400)
            let text = found.map { $0.rfc3339.dropFirst(8).prefix(8) }.joined(separator: " ")
            #expect(text == expected, "\(policy)")
        }
    }

    @Test("on Lord Howe a minute of every hour and every minute of an hour come as the clock shows them")
    func lordHowe() throws {
        let zone = try TimeZoneRules.load("Australia/Lord_Howe")
        // 30 minutes are skipped at 02:00 and repeated from 01:30: the fortieth minute is shown in each hour,
        // and twice in the repeated one.
        let forty = try CronExpression("40 * * * *")
        let forward = times(forty, zone, after: at("2026-10-03T13:30:00Z"), seconds: 4 * 3_600)
        #expect(
            forward.map { zone.civilTime(at: $0).description.suffix(8) } == [
                "00:40:00", "01:40:00", "02:40:00", "03:40:00",
            ]
        )
        let back = times(forty, zone, after: at("2026-04-04T13:00:00Z"), seconds: 3 * 3_600 + 1_800)
        #expect(
            back.map { zone.civilTime(at: $0).description.suffix(8) } == [
                "00:40:00", "01:40:00", "01:40:00", "02:40:00",
            ]
        )
        let noon = try CronExpression("* 12 * * *")
        for day in ["2026-10-04", "2026-04-05"] {
            let found = times(noon, zone, after: at("\(day)T00:00:00Z"), seconds: 6 * 3_600)
            #expect(found.count == 60)
            #expect(found.first.map { zone.civilTime(at: $0) } == wall("\(day)T12:00"))
        }
    }
}
