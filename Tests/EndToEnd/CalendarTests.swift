import Foundation
import FunctionCore
import Glibc
import Processes
import TestSupport
import Testing

extension Scenarios {
    /// `swiftlet calendar`, and what a running host makes of a day that changes.
    @Suite("Calendars", .timeLimit(.minutes(10)))
    struct CalendarTests {
        @Test(
            "all calendars agree with exchange_calendars and pandas_market_calendars, but for what is listed"
        )
        func conformance() async throws {
            let ran = try await Python.run(
                "Calendars/conformance.py",
                requirements: "Calendars/requirements.txt",
                ["\(Installed.directory)/swiftlet"]
            )
            #expect(ran.code == 0, "\(ran.all)")
            print(ran.output)
        }

        @Test("commands answer without a host, and refuse what the calendar does not know")
        func commands() async throws {
            let sessions = try await DevHost.swiftlet([
                "calendar", "sessions", "XNYS", "--from", "2026-11-26", "--to", "2026-11-27", "--json",
            ])
            #expect(
                sessions.output == """
                    {"session":"2026-11-27","open":"2026-11-27T14:30:00Z","close":"2026-11-27T18:00:00Z",\
                    "break_start":null,"break_end":null,"early_close":true,"late_open":false}

                    """
            )
            func answer(_ words: String...) async throws -> String {
                try await DevHost.swiftlet(["calendar"] + words).output
            }
            #expect(try await answer("is-open", "XNYS", "--at", "2026-11-27T17:59:59Z") == "true\n")
            #expect(try await answer("is-open", "XTKS", "--at", "2026-11-27T03:00:00Z") == "false\n")
            let open = try await answer("next-open", "XNYS", "--at", "2026-11-26T15:00:00Z")
            let close = try await answer("next-close", "CMES", "--at", "2026-03-09T00:00:00Z")
            #expect(open == "2026-11-27T14:30:00Z\n" && close == "2026-03-09T22:00:00Z\n")
            let status = try await answer("status", "XTKS", "--at", "2026-11-27T03:00:00Z")
            #expect(status.contains("phase       lunch\n") && status.contains("session     2026-11-27\n"))
            let local = try await answer("is-open", "XNYS", "--at", "2026-11-27 09:30 America/New_York")
            #expect(local == "true\n")
            let gap = try await DevHost.swiftlet([
                "calendar", "next-open", "XNYS", "--at", "2027-03-14 02:30 America/New_York",
            ])
            #expect(gap.code == 64 && gap.errors.contains("write 2027-03-14T03:00:00"), "\(gap.all)")
            let late = try await DevHost.swiftlet([
                "calendar", "is-open", "XNYS", "--at", "2041-01-02T15:00:00Z",
            ])
            #expect(late.code == 1 && late.errors.contains("calendar_expired"))
            let unknown = try await DevHost.swiftlet(["calendar", "status", "XNYX"])
            #expect(unknown.code == 78 && unknown.errors.contains("did you mean XNYS?"))
        }

        @Test("a day that closes early by an override ends the open window at once")
        func overriddenDay() async throws {
            let place = try TemporaryPlace()
            let folder = "\(place.path)/schedules"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try FileManager.default.copyItem(
                atPath: "\(Installed.project)/schedules/market.yaml",
                toPath: "\(folder)/market.yaml"
            )
            var options = DevHost.Options(["--at", "2026-11-23T15:00:00Z", "--speed", "1"])
            options.schedules = folder
            try await DevHost.run(options) { host in
                func isOpen() async throws -> Bool {
                    let state =
                        try await HTTP.get("\(host.admin)/v1/schedule").json["windows"]?.arrayValue ?? []
                    return state.first { $0["window"]?.stringValue == "trading" }?["stage"]?.stringValue
                        == "open"
                }
                _ = try await eventually("trading") { try await isOpen() ? true : nil }
                let ran = try await host.swiftlet(
                    "calendar",
                    "override",
                    "XNYS",
                    "2026-11-23",
                    "--close",
                    "10:00",
                    "--reason",
                    "storm",
                    "--schedules",
                    folder
                )
                #expect(ran.code == 0 && ran.output.contains("the host goes by it"), "\(ran.all)")
                _ = try await eventually("the end of trading") { try await isOpen() ? nil : true }
            }
        }

        @Test("in `serve` a day's override that is written by hand ends the open window at once")
        func writtenByHand() async throws {
            let place = try TemporaryPlace()
            defer { place.remove() }
            _ = FixtureProject.options(in: place.path)
            FixtureProject.copyBundle("", in: place.path)
            let rotation = """
                rotation: always
                calendar: 24/7
                phases: {day: {function: typed, while: regular, event: '{"name": "day", "times": 1}'}}

                """
            Text.write(rotation.utf8, to: "\(place.path)/schedules/always.yaml")
            let host = try ServeProcess(in: place.path)
            defer { host.signal(SIGKILL) }
            let admin = try await host.ready().admin
            func stage() async throws -> String? {
                let windows = try await HTTP.get("\(admin)/v1/schedule").json["windows"]?.arrayValue
                return windows?.first?["stage"]?.stringValue
            }
            _ = try await eventually("the window") { try await stage() == "open" ? true : nil }
            let folder = "\(place.path)/schedules/calendars/overrides"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let today = ISO8601DateFormatter().string(from: Date()).prefix(10)
            let tomorrow = ISO8601DateFormatter().string(from: Date(timeIntervalSinceNow: 86_400)).prefix(10)
            let closed = """
                calendar: "24/7"
                days:
                  - {date: "\(today)", closed: true, reason: "a test"}
                  - {date: "\(tomorrow)", closed: true, reason: "a test"}

                """
            Text.write(closed.utf8, to: "\(folder)/24-7.yaml")
            _ = try await eventually("its end") { try await stage() == "closed" ? true : nil }
            host.signal(SIGTERM)
            let end = try await host.ended()
            #expect(end == .exited(0))
        }
    }
}
