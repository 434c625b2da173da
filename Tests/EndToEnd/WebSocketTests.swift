import FunctionCore
import Glibc
import Processes
import TestSupport
import Testing

extension Scenarios {
    /// The client is Python's `websockets`, so that both ends of the protocol are not of one mind.
    @Suite("WebSocket clients", .timeLimit(.minutes(2)), HostTrait.fixtures)
    struct WebSocketTests {
        /// Runs a function of `websocket_client.py`.
        private func run(_ scenario: String, _ host: DevHost? = nil) async throws {
            let host = try host ?? sharedHost()
            let script = "\(Installed.project)/Tests/EndToEnd/websocket_client.py"
            let gateway = String(host.gateway.dropFirst("http://".count))
            let spec = ChildSpec(
                "/usr/bin/python3",
                [script, gateway, scenario],
                directory: Installed.project
            )
            let ran = try await ChildProcess.run(spec, timeout: .seconds(60))
            #expect(ran.status == .exited(0), "\(scenario): \(ran.output.text)\(ran.errors.text)")
        }

        @Test("text, binary, fragments and pings are answered, without extensions")
        func messages() async throws { try await run("messages") }

        @Test("each write of a streamed reply is a message, a long one comes in fragments, by one worker")
        func streams() async throws { try await run("streams") }

        @Test("300 messages at once are answered in order")
        func order() async throws { try await run("order") }

        @Test("any event of the function reaches its clients; one that has left is told as gone")
        func pushes() async throws { try await run("pushes") }

        @Test(
            "connect refuses with its own status; other pages' origins, paths and plain requests are refused"
        )
        func refusals() async throws { try await run("refusals") }

        @Test("the first subprotocol of the manifest that is offered is chosen")
        func subprotocols() async throws { try await run("subprotocols") }

        @Test("closes have the code of their cause: the function's, 1001, 1002, 1007, 1009")
        func closings() async throws {
            try await run("closings")
            let codes = try await eventually("the events disconnect") { () -> Set<String>? in
                let lines = try sharedHost().log("disconnected", of: "socket")
                let codes = Set(lines.compactMap { $0["code"]?.stringValue })
                return codes.isSuperset(of: ["4001", "1001", "1002", "1007", "1009"]) ? codes : nil
            }
            #expect(codes.contains("1001"))
        }

        @Test("25 users bring three workers of ten each, and none is left when they have gone")
        func users() async throws {
            let host = try sharedHost()
            let none = { () async throws -> Bool? in
                try await host.workers(of: "socket").isEmpty ? true : nil
            }
            _ = try await eventually("no worker before", none)
            try await run("users")
            _ = try await eventually("no worker after", none)
        }

        @Test("a host that stops says so to its clients, and tells the function that they are gone")
        func stopping() async throws {
            let place = try TemporaryPlace()
            defer { place.remove() }
            try await DevHost.run(FixtureProject.options(in: place.path)) { host in
                async let client: Void = run("stopping", host)
                _ = try await eventually("the client") { () -> Bool? in
                    let functions = try await HTTP.get("\(host.admin)/v1/functions").json["functions"]
                    let count = functions?.arrayValue?.compactMap { $0["connections"]?.intValue }.max()
                    return count == 1 ? true : nil
                }
                let end = try await host.interrupt(SIGTERM)
                #expect(end.status == .exited(0) && end.after < .seconds(5), "\(end)")
                try await client
                let line = try #require(host.log("disconnected", of: "socket").first)
                #expect(line["code"]?.stringValue == "1001", "\(line.text)")
            }
        }

        @Test("an error is a message; a worker's end costs its message, and the connection stays")
        func failures() async throws { try await run("failures") }

        @Test("the chat bot streams its answers to a client, one after the other")
        func chat() async throws {
            try await DevHost.run { try await run("chat", $0) }
        }

        @Test("a client of server-sent events goes on behind the last one that it has")
        func resumedStream() async throws {
            let host = try sharedHost()
            let whole = try await host.get("/ticker?events=4")
            #expect(whole.text.hasPrefix("id: 1\nevent: tick\nretry: 100\ndata: 1\n\nid: 2\n"))
            let rest = try await host.get("/ticker?events=4", [Header("last-event-id", "2")])
            #expect(rest.text == whole.text.split(separator: "id: 3").last.map { "id: 3\($0)" })
        }

        @Test("a client that sends and does not read is slowed, and nobody else")
        func flood() async throws { try await run("flood") }
    }
}
