import TestSupport
import Testing

extension Scenarios {
    @Suite("Commands about schedules, without a host", .timeLimit(.minutes(2)))
    struct ScheduleCommandTests {
        @Test(
            "what cannot be meant is refused in words, and nothing is answered silently",
            arguments: [
                (["next", "tradig", "--from", "2026-11-27T17:50:00Z"], 1, "did you mean trading?"),
                (
                    ["next", "--from", "2026-11-27T17:50:00Z", "--until", "2026-11-27T17:40:00Z"], 64,
                    "--until is not after --from"
                ),
                (["next", "--from", "2026-11-27T17:50:00Z", "--count", "0"], 64, "within 1 to 1000"),
                (["next", "--from", "2026-11-27"], 64, "09:25 America/New_York"),
                (["next", "--from", "2050-01-01T00:00:00Z"], 1, "covers 1990 to 2040"),
                (["simulate", "--from", "2026-12-31", "--to", "2026-01-01"], 64, "is before --from"),
                (
                    ["simulate", "--from", "2050-01-01", "--to", "2050-01-02", "--summary"], 1,
                    "calendar_expired"
                ),
                (["simulate", "--from", "9999-01-01", "--to", "9999-12-31"], 64, "not within 1678 and 2261"),
                (
                    ["simulate", "--from", "2026-01-01", "--to", "2026-01-02", "--down", "2026-01-02.."], 64,
                    "--down must be"
                ),
                (
                    ["simulate", "--from", "2027-03-14 02:30 America/New_York", "--to", "2027-03-15"], 64,
                    "leaves"
                ),
            ]
        )
        func refusals(words: [String], code: Int32, message: String) async throws {
            let ran = try await DevHost.swiftlet(["schedule"] + words)
            #expect(ran.code == code && ran.errors.contains(message), "\(ran.all)")
        }

        @Test("an instant may be said by a zone's clock")
        func local() async throws {
            let from = ["--from", "2026-11-27 12:50 America/New_York", "--count", "1"]
            let next = try await DevHost.swiftlet(["schedule", "next", "trading"] + from)
            #expect(next.output.hasPrefix("2026-11-27T17:51:00Z"), "\(next.all)")
            let day = [
                "--from", "2026-11-27 09:00 America/New_York", "--to", "2026-11-27 10:00 America/New_York",
            ]
            let simulated = try await DevHost.swiftlet(["schedule", "simulate", "--summary"] + day)
            #expect(simulated.code == 0 && simulated.output.contains("market.trading"), "\(simulated.all)")
            #expect(simulated.output.contains("31 run"), "\(simulated.all)")
        }
    }
}
