import FunctionCore
import Glibc
import TestSupport
import Testing

extension Scenarios {
    @Suite("Dead letters of streams and lists, by the command", .timeLimit(.minutes(1)))
    struct DeadLetterTests {
        /// Two functions read one stream; `record` fails while the folder of its file is missing, the other always.
        private func withHost(_ body: (DevHost, _ folder: String) async throws -> Void) async throws {
            let place = try TemporaryPlace()
            defer { place.remove() }
            var options = FixtureProject.options(in: place.path)
            let folder = "\(place.path)/missing"
            let record = """
                triggers: {redis: [{stream: letters}, {list: parcels, take: left}]}
                retry: {attempts: 2, backoff: 10ms}
                environment: {RECORD_FILE: \(folder)/record}
                """
            FixtureProject.write("record", record, in: place.path)
            let failing = "triggers: {redis: [{stream: letters}]}\nretry: {attempts: 1}"
            FixtureProject.write("failing", failing, in: place.path)
            options.environment = ["SWIFTLET_WORKERS_SANDBOX": "off", "SWIFTLET_WORKERS_USERS": "off"]
            try await DevHost.run(options) { try await body($0, folder) }
        }

        private func letters(_ host: DevHost, of key: String, _ count: Int) async throws -> [JSON] {
            try await eventually("\(count) letters of \(key)") { () -> [JSON]? in
                let ran = try await host.swiftlet("dead-letters", key, "--json")
                #expect(ran.code == 0, "\(ran.all)")
                let letters = try ran.lines.map { try JSON.parse(Bytes($0)) }
                return letters.count == count ? letters : nil
            }
        }

        private func field(_ letter: JSON, _ name: String) -> String {
            letter["fields"]?[name]?.stringValue ?? ""
        }

        @Test("letters are shown with their reason, sent again one by one or by code, and removed")
        func command() async throws {
            try await withHost { host, folder in
                for seq in 0..<3 {
                    _ = try await host.redis("XADD", "letters", "*", "key", "a", "seq", "\(seq)")
                }
                let all = try await letters(host, of: "letters", 6)
                let told = all.filter { field($0, "dead.code") == "told_to" }
                let missed = all.filter { field($0, "dead.code") == "not_recorded" }
                #expect(told.count == 3 && missed.count == 3, "\(all.map(\.text))")
                #expect(missed.allSatisfy { field($0, "dead.attempts") == "2" && field($0, "key") == "a" })
                let table = try await host.swiftlet("dead-letters", "letters")
                #expect(table.lines.count == 6 && table.output.contains("not_recorded: "), "\(table.all)")

                let one = try await host.swiftlet(
                    "dead-letters",
                    "letters",
                    "--redrive",
                    try #require(told[0]["id"]?.stringValue)
                )
                #expect(one.output == "1 sent again\n", "\(one.all)")
                // It fails anew, for its own group alone, and is known by its first id.
                let again = try await letters(host, of: "letters", 6)
                let new = again.filter { letter in !all.contains { $0["id"] == letter["id"] } }
                #expect(new.count == 1 && field(new[0], "dead.code") == "told_to", "\(new.map(\.text))")
                #expect(field(new[0], "swiftlet.entry") == field(told[0], "dead.entry"))

                mkdir(folder, 0o700)
                let many = try await host.swiftlet(
                    "dead-letters",
                    "letters",
                    "--redrive-all",
                    "--code",
                    "not_recorded"
                )
                #expect(many.output == "3 sent again\n", "\(many.all)")
                _ = try await letters(host, of: "letters", 3)
                _ = try await eventually("the effects") { () -> Bool? in
                    let lines = (Text.read("\(folder)/record") ?? "").split(separator: "\n")
                    let ran = Set(
                        lines.compactMap { $0.split(separator: " ").dropFirst(3).first.map(String.init) }
                    )
                    // As the events that they were.
                    return ran == Set(missed.map { "letters/" + field($0, "dead.entry") }) ? true : nil
                }

                let gone = try await host.swiftlet(
                    "dead-letters",
                    "letters",
                    "--purge",
                    try #require(new[0]["id"]?.stringValue)
                )
                #expect(gone.output == "1 removed\n", "\(gone.all)")
                let rest = try await host.swiftlet("dead-letters", "letters", "--purge-all")
                #expect(rest.output == "2 removed\n", "\(rest.all)")
                _ = try await letters(host, of: "letters", 0)
                let audit = try await host.swiftlet("audit")
                #expect(audit.code == 0, "\(audit.all)")
            }
        }

        @Test("an element of a list goes back to where producers push; what makes no sense is refused")
        func list() async throws {
            try await withHost { host, folder in
                _ = try await host.redis("RPUSH", "parcels", #"{"key":"p","seq":1}"#)
                let letter = try #require(try await letters(host, of: "parcels", 1).first)
                #expect(field(letter, "dead.list") == "parcels" && field(letter, "dead.attempts") == "2")
                mkdir(folder, 0o700)
                let sent = try await host.swiftlet("dead-letters", "parcels", "--redrive-all")
                #expect(sent.output == "1 sent again\n", "\(sent.all)")
                _ = try await eventually("the effect") { Text.read("\(folder)/record") }
                _ = try await letters(host, of: "parcels", 0)

                #expect(try await host.swiftlet("dead-letters", "nothing").all == "")
                let wrong = [
                    ["--redrive-all", "--purge-all"], ["--code", "x"], ["--purge", "1-0", "--purge-all"],
                ]
                for arguments in wrong {
                    let ran = try await DevHost.swiftlet(["dead-letters", "parcels"] + arguments)
                    #expect(ran.code == 64, "\(arguments): \(ran.all)")
                }
            }
        }
    }
}
