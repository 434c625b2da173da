import FunctionCore
import HostKit
import HTTPTrigger
import Invocations
import Journal
import TestSupport
import Testing
import UserData

@Suite(.timeLimit(.minutes(1)))
struct GatewayPortsTests {
    private let workspace = Workspace()
    private let clock = standing("2026-11-25T08:00:00Z")

    private func with(_ body: (GatewayPorts, HostJournal) async throws -> Void) async throws {
        let journal = try await HostJournal.open(directory: workspace.path)
        var manifest = Manifest(name: "video")
        manifest.retry.attempts = 4
        let manifests = ManifestTable([manifest])
        let shards = try await ShardMap.open(directory: workspace.path)
        let ports = GatewayPorts(
            journal: journal,
            credits: CreditLedger(shards),
            clock: clock,
            manifests: manifests
        )
        try await body(ports, journal)
        await shards.close()
        await journal.close()
    }

    private func invocation(_ principal: String? = nil) -> Invocation {
        let request = HTTPRequest(method: "POST", target: "/v1/users/7/videos", parameters: ["user": "7"])
        let event = Event(kind: .http, operation: "create", request: request, body: "{\"script\":\"s\"}")
        return Invocation(function: "video", event: event, principal: principal, trigger: "http")
    }

    @Test("a request becomes a job with the request's object, owner, trace and the manifest's attempts")
    func accepted() async throws {
        try await with { ports, journal in
            let invocation = invocation("anna")
            let accepted = try await ports.accept(invocation, idempotencyKey: nil, requestHash: "h")
            #expect(accepted == AcceptedJob(id: invocation.id))
            let job = try #require(try await journal.jobs.job(invocation.id))
            #expect(job.operation == "create" && job.owner == "anna" && job.maxAttempts == 4)
            #expect(job.trace.traceID == invocation.trace.traceID)
            let object = try JSON.parse(job.body)
            #expect(object["user"]?.intValue == 7 && object["script"]?.stringValue == "s")
        }
    }

    @Test("the same key and request again is the first job; another request is refused")
    func replay() async throws {
        try await with { ports, journal in
            let first = try await ports.accept(invocation(), idempotencyKey: "k", requestHash: "h")
            let again = try await ports.accept(invocation(), idempotencyKey: "k", requestHash: "h")
            #expect(again == AcceptedJob(id: first.id, replayed: true))
            let error = await #expect(throws: FunctionError.self) {
                try await ports.accept(invocation(), idempotencyKey: "k", requestHash: "other")
            }
            #expect(error?.status == 422 && error?.code == "idempotency_mismatch")
            // The same key of somebody else is another key.
            let other = try await ports.accept(invocation("anna"), idempotencyKey: "k", requestHash: "other")
            #expect(!other.replayed)
            let jobs = try await journal.jobs.list()
            #expect(jobs.count == 2)
        }
    }

    @Test("a key whose first request is under way is in flight; it is free again once that was given up")
    func inFlight() async throws {
        try await with { ports, _ in
            let begun = try await ports.begin(function: "video", principal: nil, key: "k", requestHash: "h")
            guard case .proceed = begun else {
                Issue.record("\(begun)")
                return
            }
            let error = await #expect(throws: FunctionError.self) {
                try await ports.accept(invocation(), idempotencyKey: "k", requestHash: "h")
            }
            #expect(error?.status == 409 && error?.code == "idempotency_in_flight")
            await ports.abandon(function: "video", principal: nil, key: "k", requestHash: "h")
            let accepted = try await ports.accept(invocation(), idempotencyKey: "k", requestHash: "h")
            #expect(!accepted.replayed)
        }
    }

    @Test("a finished request's answer is given again, to the same request only")
    func finished() async throws {
        try await with { ports, _ in
            _ = try await ports.begin(function: "video", principal: nil, key: "k", requestHash: "h")
            await ports.finish(
                function: "video",
                principal: nil,
                key: "k",
                requestHash: "h",
                status: 201,
                headers: [Header("x-a", "b")],
                body: "made"
            )
            let again = try await ports.begin(function: "video", principal: nil, key: "k", requestHash: "h")
            guard case .replay(201, let headers, "made") = again else {
                Issue.record("\(again)")
                return
            }
            #expect(headers == [Header("x-a", "b")])
            let other = try await ports.begin(function: "video", principal: nil, key: "k", requestHash: "x")
            guard case .mismatch = other else {
                Issue.record("\(other)")
                return
            }
        }
    }

    @Test("twenty requests at once with one key make one job")
    func atOnce() async throws {
        try await with { ports, journal in
            let ids = await withTaskGroup(of: String?.self) { group in
                for _ in 0..<20 {
                    let invocation = invocation()
                    group.addTask {
                        // Those that come between the key and the job are told to ask again.
                        try? await ports.accept(invocation, idempotencyKey: "k", requestHash: "h").id
                    }
                }
                return await group.reduce(into: Set<String>()) { if let id = $1 { $0.insert(id) } }
            }
            #expect(ids.count == 1)
            let jobs = try await journal.jobs.list()
            #expect(jobs.map(\.id) == Array(ids))
        }
    }

    @Test("a job that cannot be taken frees its key")
    func refused() async throws {
        try await with { ports, _ in
            let event = Event(body: Bytes("{\"a\":\"\(String(repeating: "x", count: JobLimits.body))\"}"))
            let large = Invocation(function: "video", event: event)
            let error = await #expect(throws: FunctionError.self) {
                try await ports.accept(large, idempotencyKey: "k", requestHash: "h")
            }
            #expect(error?.status == 413)
            let next = try await ports.accept(invocation(), idempotencyKey: "k", requestHash: "h2")
            #expect(!next.replayed)
        }
    }
}
