import FunctionCore
import Journal
import Storage
import TestSupport
import Testing

@Suite("Idempotency keys, on every engine", .timeLimit(.minutes(2)))
struct IdempotencyTests {
    private let scope = IdempotencyScope(function: "video", principal: "ann", key: "k")

    @Test(
        "a key proceeds once, is in flight, then replays; another request with it is a mismatch",
        arguments: Engine.allCases
    )
    func life(_ engine: Engine) async throws {
        try await withJournal(engine) { journal in
            let keys = journal.idempotency
            #expect(try await keys.begin(scope, requestHash: "h", now: at(0)) == .proceed)
            #expect(try await keys.begin(scope, requestHash: "h", now: at(1)) == .inFlight)
            #expect(try await keys.begin(scope, requestHash: "other", now: at(1)) == .mismatch)
            let headers = [Header("content-type", "application/json"), Header("x", "1")]
            #expect(try await keys.finish(scope, status: 201, headers: headers, body: "{}"))
            let replay = IdempotencyVerdict.replay(status: 201, headers: headers, body: "{}")
            #expect(try await keys.begin(scope, requestHash: "h", now: at(2)) == replay)
            #expect(try await keys.begin(scope, requestHash: "other", now: at(2)) == .mismatch)
            try await keys.abandon(scope)
            #expect(try await keys.begin(scope, requestHash: "h", now: at(2)) == replay)
            var other = scope
            other.principal = nil
            #expect(try await keys.begin(other, requestHash: "h", now: at(2)) == .proceed)
        }
    }

    @Test(
        "a key is free again when abandoned, after 24 hours, and after an answer that is too large",
        arguments: Engine.allCases
    )
    func release(_ engine: Engine) async throws {
        try await withJournal(engine) { journal in
            let keys = journal.idempotency
            #expect(try await keys.begin(scope, requestHash: "h", now: at(0)) == .proceed)
            try await keys.abandon(scope)
            #expect(try await keys.begin(scope, requestHash: "g", now: at(0)) == .proceed)
            #expect(try await keys.begin(scope, requestHash: "g", now: at(86_400)) == .inFlight)
            #expect(try await keys.begin(scope, requestHash: "g", now: at(86_401)) == .proceed)
            let large = Bytes([UInt8](repeating: 0, count: IdempotencyScope.bodyLimit + 1))
            #expect(try await keys.finish(scope, status: 200, headers: [], body: large) == false)
            #expect(try await keys.begin(scope, requestHash: "g", now: at(86_402)) == .proceed)
        }
    }

    @Test("of many requests with one key at once, one proceeds", arguments: Engine.allCases)
    func race(_ engine: Engine) async throws {
        try await withJournal(engine) { journal in
            let verdicts = try await withThrowingTaskGroup(of: IdempotencyVerdict.self) { group in
                for _ in 0..<20 {
                    group.addTask { try await journal.idempotency.begin(scope, requestHash: "h", now: at(0)) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(verdicts.filter { $0 == .proceed }.count == 1)
            #expect(verdicts.filter { $0 == .inFlight }.count == 19)
        }
    }

    @Test(
        "a start frees the keys of requests that were lost, and keeps those of jobs",
        arguments: Engine.allCases
    )
    func recovery(_ engine: Engine) async throws {
        try await withJournal(engine) { journal in
            var lost = scope
            lost.key = "lost"
            #expect(try await journal.idempotency.begin(scope, requestHash: "h", now: at(0)) == .proceed)
            #expect(try await journal.idempotency.begin(lost, requestHash: "h", now: at(0)) == .proceed)
            try await journal.jobs.accept(job(id: "j"), scope: scope, now: at(0))
            #expect(try await journal.recover(now: at(1)).keys == 1)
            #expect(
                try await journal.idempotency.begin(scope, requestHash: "h", now: at(1))
                    == .accepted(job: "j")
            )
            #expect(try await journal.idempotency.begin(lost, requestHash: "h", now: at(1)) == .proceed)
        }
    }
}
