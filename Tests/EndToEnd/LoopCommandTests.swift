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
            // Filled in as the operation's schema gives an example.
            let made = try await host.swiftlet("invoke", "motto", "--sample", "http")
            #expect(made.code == 0 && made.output.contains("mottos"), "\(made.all)")
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
            #expect(bare.output.contains("`render` is granted to video"), "\(bare.all)")
        }

        /// One finding of doctor's, and its verdict.
        private func finding(
            _ name: String,
            _ arguments: [String] = [],
            _ environment: [String: String] = [:]
        ) async throws -> String {
            let ran = try await DevHost.swiftlet(["doctor", "--json"] + arguments, environment: environment)
            let findings = try ran.lines.map { try JSON.parse(Bytes($0)) }
            let found = try #require(findings.first { $0["name"]?.stringValue == name }, "\(ran.all)")
            return found.text
        }

        @Test("doctor tells of a held or unusable data directory, a busy port, a missing and an old bundle")
        func project() async throws {
            let host = try sharedHost()
            let place = try TemporaryPlace()
            defer { place.remove() }
            let held = try await finding("data directory", ["--data", host.data])
            #expect(held.contains("\"warning\"") && held.contains("pid \(host.pid ?? 0)"), "\(held)")
            Text.write("".utf8, to: "\(place.path)/file")
            let blocked = try await finding("data directory", ["--data", "\(place.path)/file/data"])
            #expect(blocked.contains("\"fault\"") && blocked.contains("Not a directory"), "\(blocked)")
            let port = host.gateway.split(separator: ":").last.map(String.init) ?? ""
            let busy = try await finding("gateway.port", [], ["SWIFTLET_PORT": port])
            #expect(busy.contains("\"warning\"") && busy.contains("in use"), "\(busy)")
            let away = try await finding("gateway.port", [], ["SWIFTLET_HOST": "192.0.2.1"])
            #expect(away.contains("\"fault\"") && away.contains("address that this machine has"), "\(away)")
            let lost = try await finding("redis.url", [], ["REDIS_URL": "redis://:secret@127.0.0.1:1"])
            #expect(lost.contains("\"warning\"") && lost.contains("redis_unavailable"), "\(lost)")
            #expect(!lost.contains("secret"))
            let none = try await finding("project", ["--functions", place.path])
            #expect(none.contains("\"warning\"") && none.contains("swiftlet new project"), "\(none)")

            let options = FixtureProject.options(in: place.path)
            FixtureProject.copyBundle("", in: place.path)
            let files = ["--functions", options.functions ?? "", "--schedules", options.schedules ?? ""]
            let bundle = files + ["--bundle", "\(place.path)/bundle"]
            #expect(try await finding("bundle", bundle).contains("\"ok\""))
            Text.write("".utf8, to: "\(place.path)/Package.swift")
            let old = try await finding("bundle", bundle)
            #expect(old.contains("\"warning\"") && old.contains("older than the sources"), "\(old)")
            let missing = try await finding("bundle", files + ["--bundle", "\(place.path)/nothing"])
            #expect(missing.contains("\"fault\"") && missing.contains("make build"), "\(missing)")
            let other = try await finding("project", files)
            #expect(other.contains("\"fault\"") && other.contains("swiftlet check"), "\(other)")
        }

        @Test("the log is followed by function, level, invocation and trace, and wrong values are refused")
        func followed() async throws {
            let host = try sharedHost()
            let place = try TemporaryPlace()
            defer { place.remove() }
            let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
            let first = try await host.get(
                "/v1/questionnaires",
                [
                    Header("traceparent", "00-\(trace)-00f067aa0ba902b7-01")
                ]
            )
            let id = try #require(first.headers.first("x-swiftlet-invocation"))
            for (name, filter) in [
                ("function", ["questionnaire"]), ("level", ["--level", "warning"]),
                ("invocation", ["--invocation", id]), ("trace", ["--trace", trace]),
            ] {
                let output = open("\(place.path)/\(name)", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
                defer { close(output) }
                let words = ["logs", "--json", "--follow", "--data", host.data] + filter
                var spec = ChildSpec("\(Installed.directory)/swiftlet", words)
                spec.descriptors = [1: output, 2: output]
                let logs = try ChildProcess.spawn(spec) { _ in }
                defer { logs.signal(SIGKILL) }
                let line = try await eventually("a line of \(name)") { () -> JSON? in
                    let fault = [Header("x-swiftlet-fault", "worker=kill")]
                    _ = try await host.post("/v1/mottos", ["prompt": "rain", "tone": "calm"], fault)
                    _ = try await host.get("/v1/questionnaires")
                    let lines = Text.read("\(place.path)/\(name)")?.split(separator: "\n") ?? []
                    return lines.lazy.compactMap { try? JSON.parse(Bytes(String($0))) }.first
                }
                switch name {
                case "function": #expect(line["function"] == "questionnaire", "\(line.text)")
                case "level":
                    #expect(["warning", "error"].contains(line["level"]?.stringValue), "\(line.text)")
                default: #expect(line["trace"]?.stringValue == trace, "\(line.text)")
                }
            }
            for (words, code, message) in [
                (["logs", "nobody"], 64, "there is no function `nobody`; there are"),
                (["tail", "nobody"], 64, "there is no function `nobody`; there are"),
                (["logs", "--trace", "4BF9"], 64, "32 hexadecimal digits"),
                (["logs", "--lines", "-1"], 64, "--lines"),
                (["logs", "--invocation", "nobody"], 0, "no line of"),
            ] as [([String], Int32, String)] {
                let ran = try await DevHost.swiftlet(words + ["--data", host.data])
                #expect(ran.code == code && ran.errors.contains(message), "\(words): \(ran.all)")
            }
        }
    }
}
