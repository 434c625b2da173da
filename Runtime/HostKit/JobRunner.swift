import FunctionCore
import Invocations
import Journal
import NIOCore
import Storage
import Synchronization

/// Runs the journal's jobs: claims what is due, dispatches it, writes down what came of it.
///
/// What the host itself cut short — shed, drained, stopped — is given back and does not count as an attempt.
package final class JobRunner: Sendable {
    private struct State {
        var running: [String: Int] = [:]
        var handles: [String: Task<Void, Never>] = [:]
        var stopping = false
    }

    private let jobs: JobStore
    private let dispatching: any Dispatching
    private let loop: any EventLoop
    private let clock: VirtualClock
    private let manifests: [String: Manifest]
    private let telemetry: Telemetry
    /// Called when a job is over for good.
    private let ended: @Sendable (JobRecord) -> Void
    private let state = Mutex(State())

    package init(
        jobs: JobStore,
        dispatching: any Dispatching,
        loop: any EventLoop,
        clock: VirtualClock,
        manifests: [Manifest],
        telemetry: Telemetry,
        ended: @escaping @Sendable (JobRecord) -> Void
    ) {
        self.jobs = jobs
        self.dispatching = dispatching
        self.loop = loop
        self.clock = clock
        self.manifests = Dictionary(manifests.map { ($0.name, $0) }, uniquingKeysWith: { _, last in last })
        self.telemetry = telemetry
        self.ended = ended
    }

    /// Claims and runs until the task is cancelled.
    package func run() async {
        let wakes = jobs.due.wakes()
        clock.onChange { [jobs] in jobs.due.wake() }
        let timer = Timer(loop: loop) { [jobs] in jobs.due.wake() }
        jobs.due.wake()
        for await _ in wakes where !isStopping {
            do {
                try await claimAll()
                timer.set(await waitForNext())
            } catch {
                telemetry.note(.error, "the journal cannot be read", [("reason", .string("\(error)"))])
                timer.set(.seconds(1))
            }
        }
        timer.cancel()
    }

    /// Claims nothing more. What runs ends by the pools' drain, and is given back where it did not succeed.
    package func stop() async {
        state.withLock { $0.stopping = true }
        let tasks = state.withLock { Array($0.handles.values) }
        for task in tasks { await task.value }
    }

    /// Stops a running job's attempt.
    package func cancel(_ id: String) {
        state.withLock { $0.handles[id] }?.cancel()
    }

    private var isStopping: Bool { state.withLock { $0.stopping } }

    /// What each function may run more of: no more jobs at once than its workers can hold.
    private func capacity() -> [String: Int] {
        let running = state.withLock { $0.running }
        return manifests.mapValues { manifest in
            min(manifest.limits.maxInFlight, manifest.scale.max * manifest.limits.perWorker) - (running[manifest.name] ?? 0)
        }
    }

    private func claimAll() async throws {
        while !isStopping {
            let claimed = try await jobs.claim(limit: 64, capacity: capacity(), now: clock.now)
            if claimed.isEmpty { return }
            for job in claimed { begin(job) }
        }
    }

    private func begin(_ job: JobRecord) {
        state.withLock { state in
            state.running[job.function, default: 0] += 1
            state.handles[job.id] = Task { await self.attempt(job) }
        }
    }

    private func attempt(_ job: JobRecord) async {
        let invocation = Invocation(
            id: job.id,
            function: job.function,
            event: job.event,
            attempt: job.attempt,
            depth: job.depth,
            trace: job.trace,
            principal: job.owner,
            trigger: job.trigger
        )
        let reply = await dispatching.collect(invocation, on: loop, limit: JobStore.resultLimit)
        do {
            let record = try await settle(job, reply)
            if let record, record.state.isFinal { ended(record) }
        } catch {
            // A job that was cancelled in the meantime has its end already.
            let stale = (error as? StorageError)?.code == .staleLease || (error as? StorageError)?.code == .wrongState
            if !stale { telemetry.note(.error, "a job's end cannot be written", [("reason", .string("\(error)"))]) }
        }
        state.withLock { state in
            state.running[job.function, default: 1] -= 1
            state.handles[job.id] = nil
        }
        jobs.due.wake()
    }

    private func settle(_ job: JobRecord, _ reply: CollectedReply) async throws -> JobRecord? {
        guard let lease = job.lease else { return nil }
        let now = clock.now
        switch reply.outcome {
        case .replied(let status) where status < 400:
            let type = reply.headers.first("content-type") ?? "application/octet-stream"
            let result = JobResult(status: status, contentType: type, body: reply.body)
            return try await jobs.complete(job.id, lease: lease, result, now: now)
        case _ where isStopping || !reply.outcome.countsAgainstRetries:
            let wait = reply.outcome.retryAfter ?? .seconds(1)
            return try await jobs.requeue(job.id, lease: lease, runAt: now + (isStopping ? .zero : wait), now: now)
        default:
            let error = reply.outcome.error ?? JobRunner.error(of: reply)
            let retry = retryAt(job, reply.outcome, error, now)
            return try await jobs.fail(job.id, lease: lease, JobError(error), retryAt: retry, now: now)
        }
    }

    /// A reply with a status of 400 or above, as an error.
    private static func error(of reply: CollectedReply) -> FunctionError {
        let told = (try? JSON.parse(reply.body))?["error"]
        return FunctionError(
            status: reply.status,
            code: told?["code"]?.stringValue ?? "status_\(reply.status)",
            message: told?["message"]?.stringValue ?? "the function replied \(reply.status)",
            retry: reply.status < 500 ? .never : .byPolicy
        )
    }

    private func retryAt(_ job: JobRecord, _ outcome: Outcome, _ error: FunctionError, _ now: Instant) -> Instant? {
        switch error.retry {
        case .never: return nil
        case .after(let wait): return now + wait
        case .byPolicy:
            let policy = manifests[job.function]?.retry ?? Manifest.Retry()
            let jitter = Double.random(in: 0.8...1.2)
            let wait = Double(policy.wait(after: job.attempt).nanoseconds) * jitter
            return now + .nanoseconds(Int64(wait))
        }
    }

    private func waitForNext() async -> Duration {
        let longest = Duration.seconds(30)
        guard let due = try? await jobs.nextDue(of: Array(manifests.keys)) else { return longest }
        // Due already, but the function is at its limit: the end of a job wakes the runner.
        if due <= clock.now { return .seconds(1) }
        return min(clock.realWait(until: due) ?? longest, longest)
    }
}

/// One timer on an event loop that may be set anew.
package final class Timer: Sendable {
    private let loop: any EventLoop
    private let body: @Sendable () -> Void
    private let pending = Mutex<Scheduled<Void>?>(nil)

    package init(loop: any EventLoop, _ body: @escaping @Sendable () -> Void) {
        self.loop = loop
        self.body = body
    }

    package func set(_ wait: Duration) {
        let next = loop.scheduleTask(in: .nanoseconds(max(0, wait.nanoseconds)), body)
        let before = pending.withLock { pending in
            defer { pending = next }
            return pending
        }
        before?.cancel()
    }

    package func cancel() {
        pending.withLock { $0 }?.cancel()
    }
}
