import Foundation
import FunctionCore
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
    }
}
