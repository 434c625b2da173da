import Foundation
import FunctionCore
import Scheduling
import Seeds
import Testing

@Suite("TimeZoneRules", .timeLimit(.minutes(1)))
struct TimeZoneRulesTests {
    @Test(
        "the offset agrees with Foundation's at random instants",
        arguments: [
            "America/New_York", "Europe/Berlin", "Europe/London", "Europe/Dublin", "Asia/Tokyo",
            "Asia/Kathmandu",
            "Australia/Lord_Howe", "Pacific/Chatham", "America/St_Johns", "Antarctica/Troll",
            "America/Santiago",
        ]
    )
    func oracle(name: String) throws {
        let zone = try TimeZoneRules.load(name)
        let oracle = try #require(TimeZone(identifier: name))
        var random = SeededRandom(42)
        // From 1972, as both databases then tell the same history, over the end of the table into the footer.
        let range = at("1972-01-01T00:00:00Z").seconds..<at("2090-01-01T00:00:00Z").seconds
        for _ in 0..<4_000 {
            let seconds = Int64.random(in: range, using: &random)
            let expected = oracle.secondsFromGMT(for: Date(timeIntervalSince1970: Double(seconds)))
            let actual = zone.offset(at: Instant(seconds: seconds))
            #expect(actual == expected, "\(name) at \(Instant(seconds: seconds).rfc3339)")
            if actual != expected { return }
        }
    }

    @Test(
        "every instant is among the meanings of what its wall clock shows",
        arguments: [
            "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "Africa/Casablanca", "Pacific/Apia",
            "America/Nuuk",
        ]
    )
    func roundTrip(name: String) throws {
        let zone = try TimeZoneRules.load(name)
        var random = SeededRandom(3)
        for _ in 0..<4_000 {
            var instant = Instant(seconds: Int64.random(in: -6_000_000_000..<9_000_000_000, using: &random))
            if Bool.random(using: &random), let step = zone.nextStep(after: instant) {
                instant = step.instant + .seconds(Int64.random(in: -7_200...7_200, using: &random))
            }
            let reading = zone.civilTime(at: instant)
            #expect(reading.seconds == instant.seconds + Int64(zone.offset(at: instant)))
            switch zone.meaning(of: reading) {
            case .once(let only): #expect(only == instant)
            case .twice(let first, let second):
                #expect(first < second && (first == instant || second == instant))
            case .never: Issue.record("\(name): \(reading) was shown at \(instant.rfc3339)")
            }
        }
    }

    @Test("a gap names the instant that skips it, and an overlap both instants")
    func meanings() throws {
        let newYork = try TimeZoneRules.load("America/New_York")
        #expect(
            newYork.meaning(of: wall("2026-03-08T02:30")) == .never(skippedAt: at("2026-03-08T07:00:00Z"))
        )
        #expect(newYork.meaning(of: wall("2026-03-08T03:00")) == .once(at("2026-03-08T07:00:00Z")))
        #expect(newYork.meaning(of: wall("2026-03-08T01:59:59")) == .once(at("2026-03-08T06:59:59Z")))
        let twice = TimeZoneRules.Meaning.twice(at("2026-11-01T05:30:00Z"), at("2026-11-01T06:30:00Z"))
        #expect(newYork.meaning(of: wall("2026-11-01T01:30")) == twice)
        #expect(newYork.meaning(of: wall("2026-11-01T02:00")) == .once(at("2026-11-01T07:00:00Z")))
        #expect(newYork.instant(of: wall("2026-11-01T01:30")) == at("2026-11-01T05:30:00Z"))
        let apia = try TimeZoneRules.load("Pacific/Apia")
        #expect(apia.meaning(of: wall("2011-12-30T12:00")) == .never(skippedAt: at("2011-12-30T10:00:00Z")))
    }

    @Test("the rule in the footer holds to the end of the range")
    func footer() throws {
        let newYork = try TimeZoneRules.load("America/New_York")
        #expect(newYork.offset(at: at("2261-07-01T00:00:00Z")) == -14_400)
        #expect(newYork.offset(at: at("2261-01-01T00:00:00Z")) == -18_000)
        let step = try #require(newYork.nextStep(after: at("2100-01-01T00:00:00Z")))
        #expect(step.instant == at("2100-03-14T07:00:00Z"))
        #expect(step.before == -18_000 && step.after == -14_400)
        #expect(TimeZoneRules.utc.nextStep(after: at("2026-01-01T00:00:00Z")) == nil)
        #expect(newYork.meaning(of: CivilTime(seconds: 300_000_000_000)) == .once(Instant(nanoseconds: .max)))
    }

    @Test(
        "a zone that is not there is refused by name, with the remedy",
        arguments: [
            "Mars/Olympus", "../../etc/passwd", "/etc/passwd", "", "America//New_York", "Europe/Bérlin",
        ]
    )
    func unknown(name: String) {
        let error = #expect(throws: SchedulingError.self) { try TimeZoneRules.load(name) }
        #expect(error?.code == .zoneUnknown)
        #expect(error?.message.contains(name.isEmpty ? "\"\"" : name) == true)
    }

    @Test("without a database the message says which package to install")
    func noDatabase() throws {
        let error = #expect(throws: SchedulingError.self) {
            try TimeZoneRules.load("Europe/Berlin", from: "/nonexistent")
        }
        #expect(error?.message.contains("install the package tzdata") == true)
        #expect(try TimeZoneRules.load("UTC", from: "/nonexistent") == .utc)
    }

    @Test("a region, or a file cut short at any length, is refused and never read beyond its end")
    func damaged() throws {
        let region = #expect(throws: SchedulingError.self) { try TimeZoneRules.load("America") }
        #expect(region?.code == .zoneUnreadable)
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "zones-\(UUID().uuidString)"
        )
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = URL(fileURLWithPath: "\(TimeZoneRules.systemDirectory)/Australia/Lord_Howe")
        let whole = try Data(contentsOf: path)
        for length in stride(from: 0, to: whole.count, by: 5) {
            try whole.prefix(length).write(to: folder.appendingPathComponent("Cut"))
            #expect(throws: SchedulingError.self) { try TimeZoneRules.load("Cut", from: folder.path) }
        }
        var random = SeededRandom(11)
        for _ in 0..<400 {
            var bytes = whole
            for _ in 0..<3 {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(
                    in: 0...255,
                    using: &random
                )
            }
            try bytes.write(to: folder.appendingPathComponent("Mutated"))
            // Whatever it says, it must neither trap nor hang.
            if let zone = try? TimeZoneRules.load("Mutated", from: folder.path) {
                _ = zone.meaning(of: wall("2026-04-05T01:45"))
                _ = try CronExpression("30 2 * * *").next(after: at("2026-04-04T00:00:00Z"), zone: zone)
            }
        }
    }
}
