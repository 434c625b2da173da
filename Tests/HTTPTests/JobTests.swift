import FunctionCore
import HTTPTrigger
import Invocations
import Testing

/// Accepts everything, or fails as told.
private final class FakeJobs: JobAccepting {
    let accepted = Watched<[(invocation: Invocation, key: String?, hash: String)]>([])
    private let failure: (any Error)?

    init(failing failure: (any Error)? = nil) {
        self.failure = failure
    }

    func accept(
        _ invocation: Invocation,
        idempotencyKey: String?,
        requestHash: String
    ) async throws -> AcceptedJob {
        if let failure { throw failure }
        accepted.update { $0.append((invocation, idempotencyKey, requestHash)) }
        return AcceptedJob(id: "job1", replayed: idempotencyKey == "again")
    }
}

@Suite("Jobs", .timeLimit(.minutes(1)))
struct JobTests {
    @Test("an asynchronous route answers 202 with the job's place")
    func route() async throws {
        let jobs = FakeJobs()
        let functions = FakeFunctions.echo()
        try await TestServer.run(functions, jobs: jobs) { host in
            let response = try await host.post("/v1/videos", "{}", "Idempotency-Key: again\r\n")
            #expect(response.status == 202 && response["location"] == "/v1/jobs/job1")
            #expect(response.body == #"{"job":{"id":"job1","state":"queued","location":"/v1/jobs/job1"}}"#)
            #expect(response["preference-applied"] == nil && response["idempotency-replayed"] == "true")
            let job = try #require(jobs.accepted.value.first)
            #expect(job.invocation.event.body == "{}" && job.invocation.event.operation == "make")
            #expect(job.key == "again" && job.hash == "hash of POST /v1/videos\n{}")
            #expect(functions.runs.value.isEmpty)
        }
    }

    @Test("any route answers so if the client prefers it")
    func preference() async throws {
        let jobs = FakeJobs()
        try await TestServer.run(jobs: jobs) { host in
            let response = try await host.post("/v1/echo", "{}", "Prefer: wait=5, Respond-Async; x=y\r\n")
            #expect(response.status == 202 && response["preference-applied"] == "respond-async")
            let other = try await host.post("/v1/echo", "{}", "Prefer: respond-asynchronously\r\n")
            #expect(other.status == 200)
        }
    }

    @Test("a host without jobs runs what is merely preferred, and refuses what must be one")
    func noJobs() async throws {
        try await TestServer.run { host in
            #expect(try await host.post("/v1/echo", "{}", "Prefer: respond-async\r\n").status == 200)
            let response = try await host.post("/v1/videos", "{}")
            #expect(response.status == 503 && response["retry-after"] == "1")
        }
    }

    @Test("a refused job has the refusal's status, and an unknown error keeps its text")
    func refusals() async throws {
        struct Secret: Error {}
        let full = FunctionError(status: 429, code: "journal_full", message: "too many jobs")
        try await TestServer.run(jobs: FakeJobs(failing: full)) { host in
            let response = try await host.post("/v1/videos", "{}")
            #expect(response.status == 429 && response["retry-after"] == "1")
            #expect(
                response.golden
                    == #"{"error":{"code":"journal_full","message":"too many jobs","invocation":"ID"}}"#
            )
        }
        try await TestServer.run(jobs: FakeJobs(failing: Secret())) { host in
            let response = try await host.post("/v1/videos", "{}")
            #expect(response.status == 500 && !response.body.contains("Secret"))
        }
    }
}
