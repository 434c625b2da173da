import FunctionCore
import TestSupport
import Testing

extension Scenarios {
    @Suite("Traces", .serialized, .devHost(), .timeLimit(.minutes(10)))
    struct TraceTests {
        @Test("answers that become a script and a film are one tree, in which nothing is missing")
        func story() async throws {
            let host = try sharedHost()
            let trace = TraceContext.begin()
            _ = try await host.submit(1700, [Header("traceparent", trace.traceparent)])
            let tree = try await host.tree(trace.traceID) { $0.span("publish video.ready") != nil }
            #expect(tree.isComplete, "\(tree.text)")
            let root = try #require(tree.spans.first)
            #expect(
                tree.spans.filter { $0.depth == 0 }.count == 1 && root.json["parent"] == .string(trace.spanID)
            )
            #expect(root.json["remote_parent"] == true && root.function == "questionnaire")

            // Who is below whom, by name.
            let chain = [
                "video", "publish script.generated", "script",
                "publish questionnaire.submitted", "questionnaire",
            ]
            let last = try #require(tree.span("publish video.ready"))
            let above = tree.line(above: last).map(\.name)
            let found = chain.map { name in above.firstIndex { $0 == name || $0.hasPrefix("\(name) ") } ?? -1
            }
            #expect(!found.contains(-1) && found == found.sorted(), "\(above)")

            // Every attempt that the log tells of, and every call that the attempt's own page tells of.
            let logged = host.log("invocation").filter { $0["trace"]?.stringValue == trace.traceID }
            let attempts = tree.spans.filter { $0.attributes["faas.invocation_id"] != nil }
            #expect(logged.count == 3 && attempts.count == 3)
            for attempt in attempts {
                let id = try #require(attempt.attributes["faas.invocation_id"]?.stringValue)
                let shown = try await HTTP.get("\(host.admin)/v1/invocations/\(id)").json["attempts"]?[0]
                let run = try #require(tree.children(of: attempt).first { $0.name == "run" })
                let calls = (shown?["calls"]?.arrayValue ?? []).map {
                    "\($0["binding"]?.stringValue ?? "").\($0["method"]?.stringValue ?? "")"
                }
                #expect(!calls.isEmpty && tree.children(of: run).map(\.name) == calls, "\(calls)")
                #expect(tree.children(of: attempt).contains { $0.name == "queue" })
            }
            let text = try #require(tree.spans.first { $0.name.hasPrefix("text.") })
            #expect(text.attributes["http.response.status_code"] == 200)
            #expect((text.attributes["gen_ai.usage.output_tokens"]?.intValue ?? 0) > 0)
            let names = Set(tree.spans.map(\.name))
            #expect(names.isSuperset(of: ["speech.speak", "render.video"]), "\(names)")
            tree.expectTimesToHold()

            let checked = try await Python.run(
                "Traces/otlp.py",
                requirements: "Traces/requirements.txt",
                ["\(host.admin)/v1/traces/\(trace.traceID)"]
            )
            #expect(checked.code == 0, "\(checked.all)")
        }

        @Test(
            "a function that calls another, and its calls of providers, are below the call that asked for it"
        )
        func nested() async throws {
            let host = try sharedHost()
            let answer = try await host.post(
                "/v1/personas",
                ["name": "Grace", "prompt": "an admiral", "tone": "bold"]
            )
            let trace = try #require(answer.headers.first("x-trace-id"))
            let tree = try await host.tree(trace) { $0.isComplete }
            #expect(tree.spans.first?.json["parent"] == .null, "\(tree.text)")
            let text = try #require(tree.spans.first { $0.name.hasPrefix("text.") })
            let above = tree.line(above: text)
            #expect(above.map(\.function).contains("motto") && above.last?.function == "persona-image")
            #expect(above.map(\.name).contains("invoke.invoke"))
            let images = try #require(tree.spans.first { $0.name.hasPrefix("images.") })
            #expect(images.attributes["http.response.status_code"] == 200)
            tree.expectTimesToHold()
        }

        @Test("a request that becomes a job is the root of the job's attempts")
        func job() async throws {
            let host = try sharedHost()
            let prefer = Header("prefer", "respond-async")
            let prompt: JSON = ["prompt": "a lamp", "tone": "calm", "count": 1]
            let answer = try await host.post("/v1/mottos", prompt, [prefer])
            #expect(answer.status == 202, "\(answer.text)")
            let trace = try #require(answer.headers.first("x-trace-id"))
            let tree = try await host.tree(trace) { tree in tree.spans.contains { $0.name.hasPrefix("text.") }
            }
            #expect(tree.isComplete && tree.spans.first?.name == "accept job of motto", "\(tree.text)")
            #expect(tree.spans.filter { $0.depth == 1 }.map(\.function) == ["motto"])
        }

        @Test("a context that is malformed begins a new trace")
        func malformed() async throws {
            let host = try sharedHost()
            let bad = "00-00000000000000000000000000000000-b7ad6b7169203331-01"
            let answer = try await host.post("/v1/mottos", [:], [Header("traceparent", bad)])
            let trace = try #require(answer.headers.first("x-trace-id"))
            #expect(trace.utf8.count == 32 && !trace.hasPrefix("0000000000"))
            let tree = try await host.tree(trace) { $0.isComplete }
            #expect(tree.spans.first?.json["parent"] == .null)
        }

        @Test(
            "the command draws a trace by the beginning of its id, or the newest, and says what it cannot find"
        )
        func command() async throws {
            let host = try sharedHost()
            let answer = try await host.post("/v1/mottos", ["prompt": "a lamp", "tone": "calm", "count": 1])
            let trace = try #require(answer.headers.first("x-trace-id"))
            _ = try await host.tree(trace) { $0.isComplete }
            let drawn = try await host.swiftlet("trace", String(trace.prefix(8)))
            #expect(drawn.code == 0 && drawn.lines.first?.contains(trace) == true, "\(drawn.all)")
            #expect(drawn.lines.contains { $0.hasPrefix("├ queue ") }, "\(drawn.all)")
            #expect(
                drawn.lines.contains { $0.hasPrefix("  └ text.") && $0.contains(" tokens") },
                "\(drawn.all)"
            )
            #expect(drawn.lines.last?.hasSuffix(", complete") == true, "\(drawn.all)")
            let last = try await host.swiftlet("trace", "--last")
            #expect(last.output == drawn.output)
            let otlp = try await host.swiftlet("trace", trace, "--otlp")
            #expect(try JSON.parse(Bytes(otlp.output))["resourceSpans"] != nil, "\(otlp.all)")
            let unknown = try await host.swiftlet("trace", "ffffffffffff")
            #expect(unknown.code == 1 && unknown.all.contains("nothing of a trace"), "\(unknown.all)")
            let vague = try await host.swiftlet("trace")
            #expect(vague.code == 64, "\(vague.all)")
            let list = try await HTTP.get("\(host.admin)/v1/traces?limit=1").json["traces"]
            #expect(list?[0]?["trace"]?.stringValue == trace && list?[0]?["functions"] == ["motto"])
            let bad = try await HTTP.get("\(host.admin)/v1/traces?limit=0")
            #expect(bad.status == 422, "\(bad.text)")
        }
    }

    @Suite("Traces of jobs", .timeLimit(.minutes(1)))
    struct JobTraceTests {
        @Test("a schedule's time is the root of the run that it has")
        func schedule() async throws {
            let place = try TemporaryPlace()
            defer { place.remove() }
            let options = FixtureProject.options(in: place.path)
            let schedule = "schedule: evening\nfunction: echo\ncron: \"30 18 * * *\"\nzone: Europe/Vienna\n"
            Text.write(schedule.utf8, to: "\(place.path)/schedules/evening.yaml")
            try await DevHost.run(options) { host in
                let asked = try await host.swiftlet("schedule", "trigger", "evening")
                #expect(asked.code == 0, "\(asked.all)")
                let trace = try await eventually("the run") {
                    let list = try await HTTP.get("\(host.admin)/v1/invocations?trigger=schedule").json
                    return list["invocations"]?[0]?["trace"]?.stringValue
                }
                let tree = try await host.tree(trace) { $0.spans.first?.name == "schedule evening" }
                #expect(tree.spans.filter { $0.depth == 1 }.map(\.function) == ["echo"], "\(tree.text)")
            }
        }

        @Test(
            "attempts that fail, and the webhook that tells of them, are below the request; so is who hears of it"
        )
        func retries() async throws {
            let place = try TemporaryPlace()
            defer { place.remove() }
            let options = FixtureProject.options(in: place.path)
            try await DevHost.run(options) { host in
                FixtureProject.write(
                    "failing",
                    """
                    triggers: {http: [{method: POST, path: /failing}]}
                    retry: {attempts: 2, backoff: 20ms, ceiling: 40ms}
                    onFailure: {webhook: "\(host.gateway)/echo"}
                    """,
                    in: place.path
                )
                let reloaded = try await host.swiftlet("reload")
                #expect(reloaded.code == 0, "\(reloaded.all)")
                let answer = try await host.post(
                    "/failing",
                    ["mode": "unhandled"],
                    [Header("prefer", "respond-async")]
                )
                #expect(answer.status == 202, "\(answer.text)")
                let trace = try #require(answer.headers.first("x-trace-id"))
                let tree = try await host.tree(trace) { tree in tree.spans.contains { $0.function == "echo" }
                }
                #expect(tree.isComplete, "\(tree.text)")
                let below = tree.spans.filter { $0.depth == 1 }
                #expect(below.map(\.name) == ["failing", "failing", "deliver job.failed to a webhook"])
                #expect(below.prefix(2).map { $0.attributes["swiftlet.attempt"] } == [1, 2])
                #expect(below.prefix(2).allSatisfy { $0.json["status"] == "error" })
                let echo = try #require(tree.spans.first { $0.function == "echo" })
                #expect(tree.line(above: echo).map(\.name).first == "deliver job.failed to a webhook")
                #expect(below[2].attributes["http.response.status_code"] == 200)
            }
        }
    }
}

/// A trace as the admin port shows it.
struct ShownTree {
    struct Span {
        let json: JSON
        var id: String { json["span"]?.stringValue ?? "" }
        var name: String { json["name"]?.stringValue ?? "" }
        var function: String { json["function"]?.stringValue ?? "" }
        var depth: Int { json["depth"]?.intValue ?? 0 }
        var attributes: [String: JSON] {
            var members: [String: JSON] = [:]
            for (name, value) in json["attributes"]?.objectValue ?? [:] { members[name] = value }
            return members
        }
        var start: Double { json["offset_ms"]?.doubleValue ?? 0 }
        var end: Double { start + (json["duration_ms"]?.doubleValue ?? 0) }
    }

    let json: JSON
    var text: String { json.text }
    var isComplete: Bool { json["complete"] == true }
    var spans: [Span] { (json["spans"]?.arrayValue ?? []).map { Span(json: $0) } }

    func span(_ name: String) -> Span? { spans.first { $0.name == name } }
    func children(of span: Span) -> [Span] { spans.filter { $0.json["parent"] == .string(span.id) } }

    /// Its parent, the parent's parent and so on.
    func line(above span: Span) -> [Span] {
        var line: [Span] = []
        var next = span
        while let parent = spans.first(where: { .string($0.id) == next.json["parent"] }) {
            line.append(parent)
            next = parent
        }
        return line
    }

    /// What a span waits for lies within it, and nothing begins before what caused it.
    ///
    /// Times are told to the microsecond.
    func expectTimesToHold() {
        for span in spans {
            guard let parent = spans.first(where: { .string($0.id) == span.json["parent"] }) else { continue }
            #expect(span.start >= parent.start - 0.002, "\(span.name) begins before \(parent.name)")
            guard span.json["awaited"] == true else { continue }
            #expect(span.end <= parent.end + 0.002, "\(span.name) ends after \(parent.name)")
        }
    }
}

extension DevHost {
    /// A trace's tree, once it is as it should be.
    func tree(_ id: String, _ isThere: (ShownTree) -> Bool) async throws -> ShownTree {
        try await eventually("the tree of \(id)", within: .seconds(50)) {
            let answer = try await HTTP.get("\(self.admin)/v1/traces/\(id)")
            let tree = ShownTree(json: answer.json)
            return answer.status == 200 && tree.isComplete && isThere(tree) ? tree : nil
        }
    }
}
