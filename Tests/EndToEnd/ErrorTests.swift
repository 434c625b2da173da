import FunctionCore
import TestSupport
import Testing

extension Scenarios {
    @Suite("Errors at the gateway", .serialized, HostTrait.fixtures, .timeLimit(.minutes(1)))
    struct ErrorTests {
        @Test("every error is JSON with a code, a message and the invocation's id")
        func shape() async throws {
            let host = try sharedHost()
            let nowhere = try await host.get("/nowhere")
            #expect(nowhere.status == 404)
            let wrong = try await host.get("/echo")
            #expect(wrong.status == 405 && wrong.headers.first("allow") == "POST, PUT", "\(wrong.headers)")
            let long = Bytes(String(repeating: "x", count: 2000))
            let large = try await HTTP.send("POST", "\(host.gateway)/echo", long, [.json])
            #expect(large.status == 413)
            let type = [Header("content-type", "json")]
            let odd = try await HTTP.send("POST", "\(host.gateway)/echo", "{}", type)
            #expect(odd.status == 415)
            let told = try await host.post("/failing", [:])
            #expect(told.status == 422 && told.code == "told_to")
            #expect(told.json["error"]?["faults"]?[0]?["path"]?.stringValue == "name", "\(told.text)")
            for answer in [nowhere, wrong, large, odd, told] {
                let error = try #require(answer.json["error"], "\(answer.status): \(answer.text)")
                #expect(
                    error["code"]?.stringValue?.isEmpty == false
                        && error["message"]?.stringValue?.isEmpty == false
                )
                let id = try #require(error["invocation"]?.stringValue, "\(answer.text)")
                #expect(
                    answer.headers.first("x-swiftlet-invocation") == id
                        || answer.headers.first("x-request-id") == id
                )
            }
            let reserved = try await host.get("/_swiftlet/nothing")
            #expect(reserved.status == 404)
        }

        @Test("a full queue answers 429 with Retry-After, and those before it are served")
        func full() async throws {
            let host = try sharedHost()
            // A first one, so that none of the six waits for the worker's start.
            _ = try await host.post("/slow", ["ms": 1])
            let answers = try await withThrowingTaskGroup { group in
                for _ in 0..<6 { group.addTask { try await host.post("/slow", ["ms": 400]) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let shed = answers.filter { $0.status == 429 }
            #expect(answers.count { $0.status == 200 } == 2, "\(answers.map(\.status))")
            #expect(shed.count == 4)
            #expect(
                shed.allSatisfy {
                    $0.code == "overloaded" && Int($0.headers.first("retry-after") ?? "") ?? 0 >= 1
                }
            )
        }

        @Test("a crash is a 502 that names the invocation, and the next request has a fresh worker")
        func crash() async throws {
            let host = try sharedHost()
            #expect(try await host.post("/crash", ["after": "none"]).status == 200)
            let before = try await host.workers(of: "crash")
            let crashed = try await host.post("/crash", [:])
            #expect(crashed.status == 502 && crashed.code == "worker_lost", "\(crashed.text)")
            let id = try #require(crashed.json["error"]?["invocation"]?.stringValue)
            let line = try await eventually("the crash in the log") {
                host.log("invocation", of: "crash").first { $0["invocation"]?.stringValue == id }
            }
            #expect(line["outcome"]?.stringValue == "worker_lost")
            let next = try await host.post("/crash", ["after": "none"])
            #expect(next.status == 200 && next.text == "no crash", "\(next.text)")
            let after = try await host.workers(of: "crash")
            #expect(Set(before).isDisjoint(with: after), "the worker \(before) should be gone")
        }

        @Test(
            "a function that does not end in its time is a 504, its worker is killed, and the next request is served"
        )
        func timeout() async throws {
            let host = try sharedHost()
            let begin = Monotonic.now
            let hung = try await host.post("/hang", [:])
            #expect(hung.status == 504 && hung.code == "timed_out", "\(hung.text)")
            #expect(Monotonic.now - begin < .seconds(2))
            let quick = try await host.post("/hang", ["ms": 1])
            #expect(quick.status == 200 && quick.text == "done")
        }

        @Test("server-sent events come through whole and in their order")
        func stream() async throws {
            let host = try sharedHost()
            let answer = try await host.post("/stream", ["events": 5, "size": 8])
            #expect(answer.headers.first("content-type")?.hasPrefix("text/event-stream") == true)
            #expect(
                answer.events.count == 5 && answer.events.first?.hasPrefix("0:") == true,
                "\(answer.text)"
            )
        }

        @Test("a binding that the manifest does not grant is refused by name")
        func notGranted() async throws {
            let host = try sharedHost()
            let answer = try await host.post("/call", ["binding": "state", "key": "a"])
            #expect(
                answer.code == "binding_not_granted" && answer.message.contains("state"),
                "\(answer.text)"
            )
            #expect(answer.message.contains("function.yaml"), "\(answer.message)")
        }
    }

    @Suite("Redis streams", .serialized, HostTrait.fixtures, .timeLimit(.minutes(1)))
    struct StreamTests {
        @Test("a bare XADD of anybody's reaches the function")
        func foreign() async throws {
            let host = try sharedHost()
            let answer = try await host.redis("XADD", "orders", "*", "user", "7", "what", "lamp")
            #expect(answer.text != nil, "\(answer)")
            let run = try await eventually("the run") {
                host.log("invocation", of: "echo").first { $0["trigger"]?.stringValue == "redis" }
            }
            #expect(run["outcome"]?.stringValue == "ok")
            _ = try await eventually("the acknowledgement") {
                let pending = try await host.redis("XPENDING", "orders", "echo")
                return pending.list.first == .integer(0) ? true : nil
            }
        }

        @Test(
            "an entry that fails at every attempt is a dead letter with its reason, and does not hold up the next"
        )
        func deadLetter() async throws {
            let host = try sharedHost()
            let data = "{\"order\": 7}"
            let added = try await host.redis(
                "XADD",
                "failures",
                "*",
                "type",
                "test",
                "id",
                "one",
                "data",
                data
            )
            let letters = try await eventually("the dead letter") {
                let letters = try await host.redis("XRANGE", "dead:{failures}", "-", "+").entries
                return letters.isEmpty ? nil : letters
            }
            let letter = try #require(letters.first)
            #expect(letters.count == 1)
            #expect(letter["id"] == "one" && letter["data"] == data, "\(letter)")
            #expect(letter["dead.function"] == "leave" && letter["dead.group"] == "leave")
            #expect(letter["dead.entry"] == added.text && letter["dead.code"]?.isEmpty == false, "\(letter)")
            #expect(letter["dead.attempts"] == "3")
            // The log's line is written after the letter.
            let attempts = try await eventually("the line of the third attempt") {
                let attempts = host.log("invocation", of: "leave").compactMap { $0["attempt"]?.intValue }
                return attempts.count < 3 ? nil : attempts
            }
            #expect(attempts == [1, 2, 3])
            _ = try await host.redis("XADD", "failures", "*", "type", "test", "id", "two", "data", data)
            _ = try await eventually("the second dead letter") {
                try await host.redis("XLEN", "dead:{failures}") == .integer(2) ? true : nil
            }
        }
    }
}
