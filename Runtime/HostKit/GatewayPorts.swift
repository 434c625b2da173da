import Activity
import FunctionCore
import HTTPTrigger
import Invocations
import Journal
import Storage
import UserData

/// Takes asynchronous requests into the journal, and keeps idempotency keys there, for the gateway and the
/// admin API.
package struct GatewayPorts: JobAccepting, IdempotencyKeeping {
    let journal: HostJournal
    let credits: CreditLedger
    let clock: any HostClock
    private let manifests: ManifestTable
    let trials = JobTrials()
    /// Told of the jobs that are accepted; nil for nobody.
    var telemetry: Telemetry?

    package init(
        journal: HostJournal,
        credits: CreditLedger,
        clock: any HostClock,
        manifests: ManifestTable
    ) {
        self.journal = journal
        self.credits = credits
        self.clock = clock
        self.manifests = manifests
    }

    init(_ stores: HostStores, clock: any HostClock, manifests: ManifestTable, telemetry: Telemetry) {
        self.init(journal: stores.journal, credits: stores.credits, clock: clock, manifests: manifests)
        self.telemetry = telemetry
    }

    package func accept(
        _ invocation: Invocation,
        idempotencyKey: String?,
        requestHash: String
    ) async throws -> AcceptedJob {
        let wishes = try JobWishes.headers(invocation.event.request?.headers ?? [], now: clock.now)
        return try await accept(
            invocation,
            idempotencyKey: idempotencyKey,
            requestHash: requestHash,
            wishes: wishes
        )
    }

    /// The same with what the job is to be like.
    package func accept(
        _ invocation: Invocation,
        idempotencyKey: String?,
        requestHash: String,
        wishes: JobWishes
    ) async throws -> AcceptedJob {
        let began = Monotonic.now
        let job = try await acceptTried(invocation, idempotencyKey, requestHash, wishes)
        telemetry?.enter(
            SpanPlace(invocation.trace, parent: invocation.parent),
            "accept job of \(invocation.function)",
            .server,
            function: invocation.function,
            since: began,
            [
                SpanAttribute("swiftlet.job", .string(job.id)),
                SpanAttribute("swiftlet.replayed", .bool(job.replayed)),
            ]
        )
        return job
    }

    private func acceptTried(
        _ invocation: Invocation,
        _ idempotencyKey: String?,
        _ requestHash: String,
        _ wishes: JobWishes
    ) async throws -> AcceptedJob {
        guard let trial = invocation.trial else {
            return try await acceptJob(invocation, idempotencyKey, requestHash, wishes)
        }
        trials.note(trial, of: invocation.id)
        do {
            let job = try await acceptJob(invocation, idempotencyKey, requestHash, wishes)
            if job.id != invocation.id { trials.forget(invocation.id) }
            return job
        } catch {
            trials.forget(invocation.id)
            throw error
        }
    }

    private func acceptJob(
        _ invocation: Invocation,
        _ idempotencyKey: String?,
        _ requestHash: String,
        _ wishes: JobWishes
    ) async throws -> AcceptedJob {
        let now = clock.now
        let object = try invocation.event.object()
        var job = NewJob(
            id: invocation.id,
            function: invocation.function,
            operation: invocation.event.operation,
            body: object.bytes(),
            trigger: "job",
            owner: invocation.principal,
            trace: invocation.trace,
            depth: invocation.depth
        )
        job.heed(wishes)
        job.follow(manifests[invocation.function], now: now)
        do {
            // What the operator, a schedule or another function asks for costs no user anything.
            if invocation.trigger == "http", let price = manifests[job.function]?.prices[job.operation] {
                guard job.unique == nil else {
                    let message = "a job that costs credits cannot be unique; send an Idempotency-Key"
                    throw FunctionError.invalid("job-unique", "credits", message)
                }
                job.idempotencyKey = idempotencyKey
                return try await accept(job, credits: price, requestHash: requestHash)
            }
            guard let key = idempotencyKey else {
                let record = try await journal.jobs.accept(job, now: now)
                return AcceptedJob(id: record.id, replayed: record.id != job.id)
            }
            let scope = IdempotencyScope(
                function: invocation.function,
                principal: invocation.principal,
                key: key
            )
            job.idempotencyKey = key
            switch try await journal.idempotency.begin(scope, requestHash: requestHash, now: now) {
            case .proceed:
                do {
                    let record = try await journal.jobs.accept(job, scope: scope, now: now)
                    return AcceptedJob(id: record.id, replayed: record.id != job.id)
                } catch {
                    try? await journal.idempotency.abandon(scope)
                    throw error
                }
            case .accepted(let id): return AcceptedJob(id: id, replayed: true)
            case .replay, .mismatch: throw GatewayPorts.mismatch
            case .inFlight: throw GatewayPorts.inFlight
            }
        } catch let error as StorageError {
            throw error.functionError
        }
    }

    private static let mismatch = FunctionError(
        status: 422,
        code: "idempotency_mismatch",
        message: "the Idempotency-Key was used for another request; choose a new key",
        retry: .never
    )
    private static let inFlight = FunctionError(
        status: 409,
        code: "idempotency_in_flight",
        message: "the first request of this Idempotency-Key is still under way; ask again",
        retry: .after(.seconds(1))
    )

    package func begin(
        function: String,
        principal: String?,
        key: String,
        requestHash: String
    ) async throws -> HTTPTrigger.IdempotencyVerdict {
        let scope = IdempotencyScope(function: function, principal: principal, key: key)
        do {
            switch try await journal.idempotency.begin(scope, requestHash: requestHash, now: clock.now) {
            case .proceed: return .proceed
            case .replay(let status, let headers, let body):
                return .replay(status: status, headers: headers, body: body)
            case .inFlight: return .inFlight
            case .mismatch, .accepted: return .mismatch
            }
        } catch let error as StorageError {
            throw error.functionError
        }
    }

    package func finish(
        function: String,
        principal: String?,
        key: String,
        requestHash: String,
        status: Int,
        headers: [Header],
        body: Bytes
    ) async {
        let scope = IdempotencyScope(function: function, principal: principal, key: key)
        // A key that cannot be kept is free again; the caller has its answer either way.
        _ = try? await journal.idempotency.finish(scope, status: status, headers: headers, body: body)
    }

    package func abandon(function: String, principal: String?, key: String, requestHash: String) async {
        // As above.
        try? await journal.idempotency.abandon(
            IdempotencyScope(function: function, principal: principal, key: key)
        )
    }
}
