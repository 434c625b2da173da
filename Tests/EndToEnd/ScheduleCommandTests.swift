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

        @Test("the files are read where the configuration has them, or where an option says")
        func places() async throws {
            let place = try TemporaryPlace()
            defer { place.remove() }
            _ = FixtureProject.options(in: place.path)
            let schedule = "schedule: nightly\nfunction: typed\ncron: \"0 3 * * *\"\nzone: Etc/UTC\n"
            Text.write(schedule.utf8, to: "\(place.path)/schedules/nightly.yaml")
            let (functions, schedules) = ("\(place.path)/Functions", "\(place.path)/schedules")
            let file = "\(place.path)/swiftlet.yaml"
            Text.write("functions: \(functions)\nschedules: \(schedules)\n".utf8, to: file)
            let from = ["--from", "2026-11-27T00:00:00Z"]
            for words in [["--config", file], ["--functions", functions, "--schedules", schedules]] {
                let next = try await DevHost.swiftlet(["schedule", "next", "--count", "1"] + from + words)
                #expect(next.output.hasPrefix("2026-11-27T03:00:00Z"), "\(next.all)")
                let day = try await DevHost.swiftlet(
                    ["schedule", "simulate", "--to", "2026-11-28", "--summary"] + from + words
                )
                #expect(day.code == 0 && day.output.contains("nightly"), "\(day.all)")
            }
            let missing = try await DevHost.swiftlet(
                ["schedule", "next", "--config", "/nowhere.yaml"] + from
            )
            #expect(missing.code == 78 && missing.errors.contains("/nowhere.yaml"), "\(missing.all)")
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
