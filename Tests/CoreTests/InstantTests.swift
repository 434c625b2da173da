import FunctionCore
import Testing

@Suite("Instant", .timeLimit(.minutes(1)))
struct InstantTests {
    @Test(
        "a timestamp is read and written back in UTC with the least digits",
        arguments: [
            ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
            ("2026-11-27T13:00:00-05:00", "2026-11-27T18:00:00Z"),
            ("2026-11-27t18:00:00z", "2026-11-27T18:00:00Z"),
            ("2024-02-29T23:59:59.5+00:00", "2024-02-29T23:59:59.500Z"),
            ("2024-02-29T23:59:59.000250Z", "2024-02-29T23:59:59.000250Z"),
            ("2024-02-29T23:59:59.0000000019Z", "2024-02-29T23:59:59.000000001Z"),
            ("1969-12-31T23:59:59.999999999Z", "1969-12-31T23:59:59.999999999Z"),
            ("1969-12-31T23:59:59.000Z", "1969-12-31T23:59:59Z"),
            ("2000-01-01T05:45:00+05:45", "2000-01-01T00:00:00Z"),
            ("1900-03-01T00:00:00Z", "1900-03-01T00:00:00Z"),
        ]
    )
    func roundTrip(text: String, written: String) {
        #expect(Instant(rfc3339: text)?.rfc3339 == written)
    }

    @Test(
        "a text that is no timestamp, or outside the range, is refused",
        arguments: [
            "", "2026-11-27", "2026-11-27T18:00:00", "2026-11-27 18:00:00Z", "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-11-27T24:00:00Z",
            "2026-11-27T18:60:00Z", "2026-11-27T18:00:60Z", "2026-11-27T18:00:00.Z", "2026-11-27T18:00:00Zx",
            "2026-11-27T18:00:00+0500", "2026-11-27T18:00:00+24:00", "2026-11-27T18:00:00+05:60",
            "026-11-27T18:00:00Z", "+026-11-27T18:00:00Z", "2026-1é-27T18:00:00Z", "1600-01-01T00:00:00Z",
            "2263-01-01T00:00:00Z", " 2026-11-27T18:00:00Z",
        ]
    )
    func refusal(text: String) {
        #expect(Instant(rfc3339: text) == nil)
    }

    @Test("a slice of a longer text is read without copying it first")
    func slice() {
        let line = "at=2026-11-27T18:00:00Z"
        #expect(Instant(rfc3339: line.dropFirst(3)) == Instant(seconds: 1_795_802_400))
    }

    @Test("both ends of the range can be written and read back")
    func range() {
        for instant in [Instant(nanoseconds: .min), Instant(nanoseconds: .max)] {
            #expect(Instant(rfc3339: instant.rfc3339) == instant)
        }
        #expect(Instant(nanoseconds: .max).rfc3339 == "2262-04-11T23:47:16.854775807Z")
        #expect(Instant(nanoseconds: .min).rfc3339 == "1677-09-21T00:12:43.145224192Z")
    }

    @Test("any instant survives being written and read")
    func randomRoundTrip() {
        var state: UInt64 = 0x5EED
        for _ in 0..<20_000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let instant = Instant(nanoseconds: Int64(bitPattern: state ^ (state >> 29)))
            #expect(Instant(rfc3339: instant.rfc3339) == instant)
        }
    }

    @Test("days and dates agree over five centuries and every month has its length")
    func gregorian() {
        var expected = Gregorian.days(year: 1800, month: 1, day: 1)
        for year in 1800...2299 {
            for month in 1...12 {
                for day in 1...Gregorian.days(inMonth: month, of: year) {
                    let days = Gregorian.days(year: year, month: month, day: day)
                    let date = Gregorian.date(days: days)
                    if days != expected || date != (year, month, day) {
                        Issue.record("\(year)-\(month)-\(day) is day \(days), expected \(expected)")
                    }
                    expected += 1
                }
            }
        }
        #expect(Gregorian.days(year: 1970, month: 1, day: 1) == 0)
    }

    @Test("adding a duration saturates at the ends of the range")
    func saturation() {
        #expect(Instant(nanoseconds: .max) + .seconds(1) == Instant(nanoseconds: .max))
        #expect(Instant(nanoseconds: .min) - .seconds(1) == Instant(nanoseconds: .min))
        #expect(Instant(seconds: 10) - Instant(seconds: 4) == .seconds(6))
        #expect(Instant(nanoseconds: -1).seconds == -1)
    }
}
