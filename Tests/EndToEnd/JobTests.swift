import FunctionCore
import TestSupport
import Testing

extension Scenarios {
    @Suite(
        "Jobs and keys",
        .serialized,
        .devHost { .init(environment: ["SWIFTLET_PRINCIPAL_HEADER": "x-user"]) },
        .timeLimit(.minutes(1))
    )
    struct JobTests {
        private let anna = Header("x-user", "anna")

        @Test(
            "a film is a job: 202, a Location, and a progress that never falls, by named stages, to its result"
        )
        func film() async throws {
            let host = try sharedHost()
            let script = try await host.script(31, seconds: 20)
            let accepted = try await host.post("/v1/users/31/videos", ["script": .string(script)], [anna])
            #expect(accepted.status == 202)
            let location = try #require(accepted.headers.first("location"))
            let id = try #require(accepted.json["job"]?["id"]?.stringValue)
            #expect(location == "/v1/jobs/\(id)")
            var seen: [JSON] = []
            let last = try await eventually("the film") { () -> JSON? in
                let job = try await host.get(location, [anna]).json["job"] ?? .null
                if seen.last?["percent"] != job["percent"] || seen.last?["state"] != job["state"] {
                    seen.append(job)
                }
                return ["completed", "failed"].contains(job["state"]?.stringValue) ? .some(job) : nil
            }
            #expect(last["state"]?.stringValue == "completed", "\(last.text)")
            #expect(
                last["result"]?["key"]?.stringValue?.hasPrefix("outputs/31/\(id)/") == true,
                "\(last.text)"
            )
            let percents = seen.compactMap { $0["percent"]?.intValue }
            #expect(
                percents == percents.sorted() && percents.last == 100 && percents.count > 3,
                "\(percents)"
            )
            let order = ["validate", "narrate", "compose", "finalize"]
            let stages = seen.compactMap { $0["stage"]?.stringValue }.compactMap { order.firstIndex(of: $0) }
            #expect(stages == stages.sorted() && Set(stages).count > 1, "\(stages)")
            let states = ["queued", "running", "completed"]
            let passed = seen.compactMap { $0["state"]?.stringValue }.compactMap { states.firstIndex(of: $0) }
            #expect(passed == passed.sorted() && passed.count == seen.count, "\(seen.map(\.text))")
        }

        @Test("a job is its owner's: for anybody else it is not there")
        func owner() async throws {
            let host = try sharedHost()
            let prefer = Header("prefer", "respond-async")
            let path = "/v1/users/32/questionnaires/story/answers"
            let accepted = try await host.post(path, goodAnswers, [anna, prefer])
            #expect(accepted.status == 202, "\(accepted.text)")
            #expect(accepted.headers.first("preference-applied") == "respond-async")
            let location = try #require(accepted.headers.first("location"))
            let job = try await eventually("the job's end") { () -> JSON? in
                let job = try await host.get(location, [anna]).json["job"] ?? .null
                return job["state"]?.stringValue == "completed" ? .some(job) : nil
            }
            #expect(job["status"]?.intValue == 201 && job["result"]?["user"]?.intValue == 32, "\(job.text)")
            #expect(try await host.get(location, [Header("x-user", "bert")]).status == 404)
            #expect(try await host.get(location).status == 404)
            #expect(try await host.get("/v1/jobs/nothing", [anna]).status == 404)
        }

        @Test("invoke --async prints a job's id, and swiftlet jobs shows what became of it")
        func invokeAsync() async throws {
            let host = try sharedHost()
            let event = "{\"prompt\": \"a lighthouse\", \"tone\": \"calm\", \"count\": 1}"
            let ran = try await host.swiftlet("invoke", "motto", "--async", "--event", "-", input: event)
            #expect(ran.code == 0, "\(ran.all)")
            let id = try #require(ran.lines.first)
            let job = try await eventually("the job's end") { () -> JSON? in
                let shown = try await host.swiftlet("jobs", "show", id, "--json")
                let job = try JSON.parse(Bytes(shown.output))
                return job["state"]?.stringValue == "completed" ? .some(job) : nil
            }
            #expect(job["result"]?["tone"]?.stringValue == "calm", "\(job.text)")
        }

        @Test("a dead letter is listed with its reason, shown with its attempts, tried again and purged")
        func deadLetters() async throws {
            let host = try sharedHost()
            let ran = try await host.swiftlet(
                "invoke",
                "motto",
                "--async",
                "--event",
                "-",
                input: "{\"tone\":7}"
            )
            let id = try #require(ran.lines.first)
            let tail = try await host.swiftlet("jobs", "tail", id)
            #expect(tail.code == 1 && tail.lines.last?.contains("failed") == true, "\(tail.all)")
            let listed = try await host.swiftlet("jobs", "list", "--state", "failed", "--function", "motto")
            #expect(listed.lines.contains { $0.hasPrefix(id) }, "\(listed.all)")
            let shown = try JSON.parse(Bytes(try await host.swiftlet("jobs", "show", id, "--json").output))
            let code = try #require(shown["error"]?["code"]?.stringValue)
            #expect(shown["attempts"]?.arrayValue?.count == 1, "\(shown.text)")
            #expect(shown["attempts"]?[0]?["error"]?["code"]?.stringValue == code, "\(shown.text)")
            #expect(shown["attempts"]?[0]?["worker"]?.stringValue != nil, "\(shown.text)")
            let retried = try await host.swiftlet("jobs", "retry", id)
            #expect(retried.code == 0, "\(retried.all)")
            #expect(try await host.endOfJob(id)["state"]?.stringValue == "failed")
            let again = try JSON.parse(Bytes(try await host.swiftlet("jobs", "show", id, "--json").output))
            #expect(again["attempts"]?.arrayValue?.count == 2, "\(again.text)")
            #expect(try await host.swiftlet("jobs", "purge").code == 64)
            let purged = try await host.swiftlet("jobs", "purge", "--function", "motto", "--error", code)
            #expect(purged.code == 0 && purged.output.hasPrefix("1 "), "\(purged.all)")
            #expect(try await host.swiftlet("jobs", "show", id).code == 1)
            let audit = try await host.swiftlet("audit")
            #expect(audit.code == 0 && audit.output.contains("motto"), "\(audit.all)")
        }

        @Test("a job's progress comes as server-sent events to its owner, and goes on where a reader left it")
        func events() async throws {
            let host = try sharedHost()
            let script = try await host.script(35, seconds: 15)
            let accepted = try await host.post("/v1/users/35/videos", ["script": .string(script)], [anna])
            let location = try #require(accepted.headers.first("location"))
            let told = try await host.get("\(location)/events", [anna])
            #expect(told.headers.first("content-type")?.hasPrefix("text/event-stream") == true)
            let lines = told.text.split(separator: "\n")
            let ids = lines.compactMap { $0.hasPrefix("id: ") ? Int($0.dropFirst(4)) : nil }
            #expect(ids.count > 2 && ids == ids.sorted() && Set(ids).count == ids.count, "\(told.text)")
            let states = lines.compactMap { $0.hasPrefix("event: ") ? String($0.dropFirst(7)) : nil }
            #expect(states.last == "completed", "\(told.text)")
            let jobs = try lines.compactMap { line in
                line.hasPrefix("data: ") ? try JSON.parse(Bytes(String(line.dropFirst(6)))) : nil
            }
            let percents = jobs.compactMap { $0["percent"]?.intValue }
            #expect(percents == percents.sorted() && percents.last == 100, "\(percents)")
            let last = try #require(ids.last)
            let rest = try await host.get(
                "\(location)/events",
                [anna, Header("last-event-id", "\(last - 1)")]
            )
            #expect(
                rest.text.contains("id: \(last)\n") && !rest.text.contains("id: \(last - 1)\n"),
                "\(rest.text)"
            )
            #expect(try await host.get("\(location)/events", [Header("x-user", "bert")]).status == 404)
        }

        @Test(
            "a request says when its job begins, how urgent it is and that it is wanted once; what cannot be is 422"
        )
        func wishes() async throws {
            let host = try sharedHost()
            let path = "/v1/users/36/questionnaires/story/answers"
            func ask(_ fields: [String: String]) async throws -> HTTP.Answer {
                let headers = [Header("prefer", "respond-async")] + fields.map { Header($0.key, $0.value) }
                return try await host.post(path, goodAnswers, headers)
            }
            let delayed = try await ask(["job-delay": "1h", "job-unique": "once", "job-priority": "9"])
            #expect(delayed.status == 202, "\(delayed.text)")
            let id = try #require(delayed.json["job"]?["id"]?.stringValue)
            let again = try await ask(["job-unique": "once"])
            #expect(again.json["job"]?["id"]?.stringValue == id)
            #expect(again.headers.first("idempotency-replayed") == "true")
            let refused = try await ask(["job-delay": "soon", "job-priority": "high"])
            #expect(refused.status == 422 && refused.json["error"]?["faults"]?.arrayValue?.count == 2)
            #expect(try await host.job(id)["state"]?.stringValue == "queued")
            let cancelled = try await host.swiftlet("jobs", "cancel", id, "--json")
            #expect(cancelled.code == 0 && cancelled.output.contains("cancelled"), "\(cancelled.all)")
            let short = try await ask(["job-delay": "100ms", "job-key": "ann"])
            let end = try await host.endOfJob(try #require(short.json["job"]?["id"]?.stringValue))
            #expect(end["state"]?.stringValue == "completed", "\(end.text)")
        }

        @Test(
            "a request with the same Idempotency-Key gets the same answer, and another request with it is refused"
        )
        func idempotency() async throws {
            let host = try sharedHost()
            let path = "/v1/users/33/questionnaires/story/answers"
            let key = [Header("idempotency-key", "\"first-try\""), anna]
            let first = try await host.post(path, goodAnswers, key)
            let second = try await host.post(path, goodAnswers, key)
            #expect(first.status == 201 && second.status == 201, "\(first.text) \(second.text)")
            #expect(first.headers.first("idempotency-replayed") == nil)
            #expect(second.headers.first("idempotency-replayed") == "true")
            #expect(first.body == second.body)
            let other: JSON = ["answers": ["hero": "Tom", "age": 8, "place": "Riga", "wish": "to fly once"]]
            let clash = try await host.post(path, other, key)
            #expect(clash.status == 422 && clash.code == "idempotency_mismatch", "\(clash.text)")
            #expect(try await host.list("answers", of: 33).count == 1)
            let bert = try await host.post(path, goodAnswers, [key[0], Header("x-user", "bert")])
            #expect(bert.status == 201 && bert.headers.first("idempotency-replayed") == nil)
        }

        @Test("a job that was accepted under a key is the same job at the second request")
        func keyedJob() async throws {
            let host = try sharedHost()
            let script = try await host.script(34, seconds: 15)
            let key = Header("idempotency-key", "film-34")
            let body: JSON = ["script": .string(script)]
            let first = try await host.post("/v1/users/34/videos", body, [key])
            let second = try await host.post("/v1/users/34/videos", body, [key])
            #expect(first.status == 202 && second.status == 202)
            #expect(first.headers.first("location") == second.headers.first("location"))
            #expect(second.headers.first("idempotency-replayed") == "true")
            let clash = try await host.post("/v1/users/34/videos", ["script": "another"], [key])
            #expect(clash.status == 422, "\(clash.text)")
        }
    }
}
