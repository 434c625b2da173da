import FunctionCore
import Glibc
import Processes
import TestSupport
import Testing

extension Scenarios {
    @Suite("Operating a host", .timeLimit(.minutes(1)))
    struct OperationsTests {
        @Test("metrics are well-formed and count what has happened, and health and readiness answer")
        func metrics() async throws {
            try await DevHost.run { host in
                _ = try await host.get("/v1/questionnaires")
                _ = try await host.get("/v1/questionnaires")
                #expect(try await HTTP.get("\(host.admin)/healthz").status == 200)
                let ready = try await HTTP.get("\(host.admin)/readyz")
                #expect(ready.status == 200 && ready.json["status"]?.stringValue == "ready", "\(ready.text)")
                let answer = try await HTTP.get("\(host.admin)/metrics")
                #expect(answer.headers.first("content-type")?.hasPrefix("text/plain; version=0.0.4") == true)
                try MetricsText.check(answer.text)
                let sample =
                    "swiftlet_invocations_total{function=\"questionnaire\",trigger=\"http\",outcome=\"ok\"} 2"
                #expect(answer.text.contains(sample), "\(answer.text)")
                #expect(
                    try await host.get("/metrics").status == 404,
                    "the gateway shows what is the admin port's"
                )
                for (header, code) in [
                    (Header("origin", "https://example.org"), "foreign_origin"),
                    (Header("host", "example.org"), "not_local"),
                ] {
                    let page = try await HTTP.get("\(host.admin)/v1/clock", [header])
                    #expect(page.status == 403 && page.code == code, "\(header): \(page.text)")
                }
            }
        }

        @Test("when Redis is gone the host is degraded, serves what needs no Redis, and says so for the rest")
        func redisGone() async throws {
            try await DevHost.run { host in
                let redis = try #require(host.redisPid)
                #expect(kill(redis, SIGKILL) == 0)
                let ready = try await eventually("the degraded state") { () -> HTTP.Answer? in
                    let ready = try await HTTP.get("\(host.admin)/readyz")
                    return ready.json["status"]?.stringValue == "degraded" ? .some(ready) : nil
                }
                #expect(ready.text.contains("redis"), "\(ready.text)")
                let motto = try await host.post(
                    "/v1/mottos",
                    ["prompt": "a lamp", "tone": "calm", "count": 1]
                )
                #expect(motto.status == 200, "\(motto.text)")
                _ = try await host.submit(70)
                let state = try await host.get("/v1/trading/status")
                #expect(state.status == 503 && state.code == "redis_unavailable", "\(state.text)")
                #expect(Int(state.headers.first("retry-after") ?? "") ?? 0 >= 1, "\(state.headers)")
                let hello: JSON = ["model": "default", "messages": [["role": "user", "content": "Hello"]]]
                let chat = try await host.post("/v1/chat/completions", hello)
                #expect(chat.status == 200, "\(chat.text)")
                let end = try await host.interrupt()
                #expect(end.status == .exited(0) && end.after < .seconds(5), "\(end)")
            }
        }

        @Test("what a handler prints and logs stands in the log under its invocation's id")
        func handlerOutput() async throws {
            let place = try TemporaryPlace()
            defer { place.remove() }
            try await DevHost.run(FixtureProject.options(in: place.path)) { host in
                let answer = try await host.post("/print", ["text": "lamp-42"])
                let id = try #require(answer.headers.first("x-swiftlet-invocation"))
                for message in ["out lamp-42", "err lamp-42", "log lamp-42"] {
                    let line = try await eventually("`\(message)` in the log") { host.log(message).first }
                    #expect(line["invocation"]?.stringValue == id, "\(line.text)")
                    #expect(line["function"]?.stringValue == "print")
                }
                let shown = try await host.swiftlet("logs", "print", "--invocation", id, "--json")
                #expect(shown.lines.count >= 4 && shown.output.contains("lamp-42"), "\(shown.all)")
                #expect(
                    try shown.lines.allSatisfy { try JSON.parse(Bytes($0))["invocation"]?.stringValue == id }
                )
            }
        }

        @Test(
            "a key given by the environment is shown nowhere: not in logs, not in metrics, not in the settings"
        )
        func secrets() async throws {
            let secret = "sk-e2e-0123456789abcdef"
            // Nobody listens there: each request fails, and failures are what is written down.
            let environment = ["OPENAI_API_KEY": secret, "OPENAI_BASE_URL": "http://127.0.0.1:9/v1"]
            let check = try await DevHost.swiftlet(["check", "--effective"], environment: environment)
            #expect(check.code == 0 && check.output.contains("provider.apiKey"), "\(check.all)")
            #expect(check.output.contains("[secret]") && !check.all.contains(secret))
            var options = DevHost.Options(
                environment: environment.merging(["SWIFTLET_LOG_LEVEL": "debug"]) { $1 }
            )
            options.arguments = []
            try await DevHost.run(options) { host in
                let answer = try await host.post(
                    "/v1/mottos",
                    ["prompt": "a \(secret) lamp", "tone": "calm"]
                )
                #expect(answer.status >= 500 && answer.code != nil, "\(answer.text)")
                #expect(!answer.text.contains(secret))
                let metrics = try await HTTP.get("\(host.admin)/metrics").text
                let functions = try await HTTP.get("\(host.admin)/v1/functions").text
                _ = try await eventually("the failure in the log") {
                    host.log("invocation", of: "motto").first
                }
                let log = Text.read("\(host.data)/logs/swiftlet.jsonl") ?? ""
                for text in [metrics, functions, log, host.output] { #expect(!text.contains(secret)) }
                for worker in try await host.workers(of: "motto") {
                    let environment = Text.read("/proc/\(worker)/environ") ?? ""
                    #expect(!environment.contains(secret), "a worker knows the key")
                }
            }
        }
    }
}

/// The rules of Prometheus' text format.
private enum MetricsText {
    static func check(_ text: String) throws {
        #expect(text.hasSuffix("\n"))
        var types: [Substring: Substring] = [:]
        var seen: Set<Substring> = []
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 3)
            if line.hasPrefix("# TYPE ") {
                #expect(types[words[2]] == nil, "two types of \(words[2])")
                types[words[2]] = words[3]
            } else if !line.hasPrefix("#") {
                let split = try #require(line.lastIndex(of: " "), "\(line)")
                #expect(Double(line[line.index(after: split)...]) != nil, "\(line)")
                let series = line[..<split]
                #expect(seen.insert(series).inserted, "twice: \(series)")
                let name = series.prefix { $0 != "{" }
                let family = ["_bucket", "_sum", "_count"].first { name.hasSuffix($0) }.map {
                    name.dropLast($0.count)
                }
                #expect(
                    types[name] != nil || family.flatMap { types[$0] } == "histogram",
                    "no type for \(name)"
                )
                #expect(series == name || series.hasSuffix("}"), "\(line)")
            }
        }
        #expect(types.count > 10)
    }
}
