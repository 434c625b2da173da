import FunctionCore
import Processes
import TestSupport
import Testing

extension Scenarios {
    @Suite("The commands", .serialized, .devHost(), .timeLimit(.minutes(1)))
    struct CommandTests {
        private let names = [
            "chatbot", "learning", "motto", "persona-image", "questionnaire", "script", "trading", "video",
        ]

        private func bundle(_ arguments: [String], input: String? = nil) async throws -> Ran {
            try await Ran.run(ChildSpec("\(Installed.directory)/functions", arguments), input: input)
        }

        @Test("the bundle describes its functions, one object a line")
        func describe() async throws {
            let ran = try await bundle(["--describe"])
            let listed = try ran.lines.map { try JSON.parse(Bytes($0)) }
            #expect(
                ran.code == 0 && listed.compactMap { $0["name"]?.stringValue }.sorted() == names,
                "\(ran.all)"
            )
            #expect(listed.allSatisfy { $0["protocol"]?.intValue != nil })
        }

        @Test("a function runs alone on one event, and a binding that is not there is named")
        func inline() async throws {
            let event = "{\"prompt\": \"a lighthouse\", \"tone\": \"calm\"}"
            let ran = try await bundle(["--inline", "motto"], input: event)
            let error = try JSON.parse(Bytes(ran.output))["error"]
            #expect(ran.code == 1 && error?["message"]?.stringValue?.contains("`text`") == true, "\(ran.all)")
            let faults = try await bundle(["--inline", "motto"], input: "{}")
            #expect(faults.code == 1 && faults.output.contains("prompt is required"), "\(faults.all)")
            let unknown = try await bundle(["--inline", "nothing"], input: "{}")
            #expect(unknown.code == 64 && unknown.all.contains("persona-image"), "\(unknown.all)")
        }

        @Test("functions --json prints one object a line, with routes and workers")
        func functions() async throws {
            let ran = try await sharedHost().swiftlet("functions", "--json")
            let listed = try ran.lines.map { try JSON.parse(Bytes($0)) }
            #expect(listed.compactMap { $0["name"]?.stringValue }.sorted() == names, "\(ran.all)")
            #expect(listed.allSatisfy { $0["workers"]?.intValue != nil && $0["routes"]?.arrayValue != nil })
            let plain = try await sharedHost().swiftlet("functions")
            for name in names { #expect(plain.output.contains(name)) }
        }

        @Test("invoke gives a plain event to a function, prints its reply, and ends with 1 where it fails")
        func invoke() async throws {
            let host = try sharedHost()
            let event = "{\"prompt\": \"a lighthouse\", \"tone\": \"calm\", \"count\": 1}"
            let ran = try await host.swiftlet("invoke", "motto", "--event", "-", input: event)
            #expect(ran.code == 0 && ran.output.contains("\"tone\":\"calm\""), "\(ran.all)")
            let failed = try await host.swiftlet("invoke", "motto")
            #expect(failed.code == 1 && failed.output.contains("prompt is required"), "\(failed.all)")
            let unknown = try await host.swiftlet("invoke", "nothing")
            #expect(unknown.code == 1 && unknown.all.contains("persona-image"), "\(unknown.all)")
        }

        @Test("the clock is shown, set, moved and sped up by commands")
        func clock() async throws {
            let host = try sharedHost()
            #expect(try await host.swiftlet("clock", "set", "2027-03-01T12:00:00Z").code == 0)
            #expect(try await host.swiftlet("clock", "advance", "2h").code == 0)
            let shown = try await host.swiftlet("clock", "show", "--json")
            #expect(
                try JSON.parse(Bytes(shown.output))["now"]?.stringValue?.hasPrefix("2027-03-01T14:00:")
                    == true,
                "\(shown.all)"
            )
            let stopped = try await host.swiftlet("clock", "speed", "0", "--json")
            #expect(try JSON.parse(Bytes(stopped.output))["speed"]?.doubleValue == 0)
            #expect(try await host.swiftlet("clock", "set", "yesterday").code != 0)
        }

        @Test("version, help and words that are off end as they should")
        func others() async throws {
            let version = try await DevHost.swiftlet(["version"])
            #expect(version.code == 0 && version.lines.first?.contains(".") == true, "\(version.all)")
            let commands = ["dev", "serve", "invoke", "functions", "check", "logs", "schedule", "clock"]
            for command in commands {
                let help = try await DevHost.swiftlet([command, "--help"])
                #expect(help.code == 0 && help.output.contains("USAGE: swiftlet \(command)"), "\(help.all)")
            }
            #expect(try await DevHost.swiftlet(["dev", "--nonsense"]).code == 64)
            let place = try TemporaryPlace()
            defer { place.remove() }
            let nobody = try await DevHost.swiftlet(["functions", "--data", place.path])
            #expect(nobody.code == 69 && nobody.errors.contains("swiftlet dev"), "\(nobody.all)")
        }

        @Test("check finds the project in order, and shows each setting with its source")
        func check() async throws {
            let plain = try await DevHost.swiftlet(["check"])
            #expect(plain.code == 0 && plain.output.contains("8 functions"), "\(plain.all)")
            let ran = try await DevHost.swiftlet(
                ["check", "--effective"],
                environment: ["SWIFTLET_PORT": "9999"]
            )
            let line = ran.lines.first { $0.hasPrefix("gateway.port") }
            #expect(line?.contains("9999") == true && line?.contains("SWIFTLET_PORT") == true, "\(ran.all)")
        }
    }
}
