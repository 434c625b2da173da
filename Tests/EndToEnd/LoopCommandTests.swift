import FunctionCore
import Glibc
import Processes
import TestSupport
import Testing

extension Scenarios {
    @Suite("The commands of the developer's loop", .serialized, .devHost(), .timeLimit(.minutes(2)))
    struct LoopCommandTests {
        @Test("a sample event is made for every trigger of every function, and sent as that trigger would")
        func samples() async throws {
            let host = try sharedHost()
            let functions =
                try await HTTP.get("\(host.admin)/v1/functions").json["functions"]?.arrayValue ?? []
            var kinds: Set<String> = []
            for name in functions.compactMap({ $0["name"]?.stringValue }) {
                let answer = try await HTTP.get("\(host.admin)/v1/functions/\(name)/samples")
                let samples = answer.json["samples"]?.arrayValue ?? []
                #expect(samples.last?["kind"] == "plain", "\(name): \(answer.text)")
                kinds.formUnion(samples.compactMap { $0["kind"]?.stringValue })
            }
            #expect(kinds == ["plain", "http", "websocket", "redis", "schedule"])
            let listed = try await host.swiftlet(
                "invoke",
                "questionnaire",
                "--sample",
                "http",
                "--operation",
                "definitions"
            )
            #expect(listed.code == 0 && listed.output.contains("story"), "\(listed.all)")
            let refused = try await host.swiftlet("invoke", "motto", "--sample", "http")
            #expect(refused.code == 1 && refused.output.contains("prompt"), "\(refused.all)")
        }

        @Test("a printed sample that is filled in is an event to send, from a file or standard input")
        func printed() async throws {
            let host = try sharedHost()
            let ran = try await host.swiftlet("invoke", "motto", "--sample", "http", "--print")
            var event = try JSON.parse(Bytes(ran.output)).objectValue ?? [:]
            #expect(
                event["request"]?["target"] == "/v1/mottos" && event["operation"] == "create",
                "\(ran.all)"
            )
            event["body"] = ["prompt": "a lighthouse", "tone": "calm", "count": 1]
            let text = JSON.object(event).text
            let answer = try await host.swiftlet("invoke", "motto", "--event", "-", input: text)
            #expect(answer.code == 0 && answer.output.contains("mottos"), "\(answer.all)")
            let wrong = try await host.swiftlet("invoke", "motto", "--sample", "websocket")
            #expect(wrong.code == 64 && wrong.errors.contains("http (create)"), "\(wrong.all)")
            let faulty = "{\"kind\": \"post\", \"body\": {}}"
            let unknown = try await host.swiftlet("invoke", "motto", "--event", "-", input: faulty)
            #expect(unknown.code == 1 && unknown.output.contains("kind must be one of"), "\(unknown.all)")
        }

        @Test("tail shows invocations as they end, in plain lines where there is no terminal")
        func tail() async throws {
            let host = try sharedHost()
            let place = try TemporaryPlace()
            defer { place.remove() }
            let output = open("\(place.path)/tail", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
            defer { close(output) }
            var spec = ChildSpec(
                "\(Installed.directory)/swiftlet",
                ["tail", "questionnaire", "--data", host.data]
            )
            spec.descriptors = [1: output, 2: output]
            let tail = try ChildProcess.spawn(spec) { _ in }
            defer { tail.signal(SIGKILL) }
            let shown = try await eventually("a line of tail") {
                _ = try await host.get("/v1/questionnaires")
                return Text.read("\(place.path)/tail").flatMap { $0.contains("\n") ? $0 : nil }
            }
            #expect(shown.contains("questionnaire") && shown.contains("200") && shown.contains(" ms"))
            #expect(!shown.contains("\u{1B}"))
        }

        @Test("the log is filtered by level")
        func levels() async throws {
            let host = try sharedHost()
            let all = try await host.swiftlet("logs", "--json", "--level", "info")
            #expect(all.lines.contains { $0.contains("\"host ready\"") }, "\(all.all)")
            let errors = try await host.swiftlet("logs", "--json", "--level", "error")
            #expect(!errors.lines.contains { $0.contains("\"level\":\"info\"") })
            let unknown = try await host.swiftlet("logs", "--level", "loud")
            #expect(unknown.code == 64)
        }

        @Test("doctor names what is there and what is missing, with its remedy and an exit code")
        func doctor() async throws {
            let ran = try await DevHost.swiftlet(["doctor", "--json"])
            let findings = try ran.lines.map { try JSON.parse(Bytes($0)) }
            let names = findings.compactMap { $0["name"]?.stringValue }
            #expect(
                ["swift", "redis-server", "kernel", "time zones", "seccomp"].allSatisfy(names.contains),
                "\(ran.all)"
            )
            let redis = findings.first { $0["name"] == "redis-server" }
            #expect(redis?["verdict"] == "ok", "\(ran.all)")
            let bare = try await DevHost.swiftlet(["doctor"], environment: ["PATH": "/nowhere"])
            #expect(bare.code == 69 && bare.output.contains("apt-get install redis-server"), "\(bare.all)")
        }
    }
}
