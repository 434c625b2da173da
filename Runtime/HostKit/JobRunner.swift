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
        var attempts: [String: Attempt] = [:]
        /// Functions that shed, and until when they are left alone.
        ///
        /// In real time: on a virtual clock that is fast the runner would turn in circles, and on one that
        /// stands still wait for ever.
        var resting: [String: Monotonic] = [:]
        /// What is left of the rates of functions that have one, in real time too.
        var paces: [String: TokenBucket] = [:]
        /// When the leases of what runs are looked after next, in real time.
        var tending = Monotonic.now
        var stopping = false
    }

    private struct Attempt {
        var lease: Int64?
        var task: Task<Void, Never>
    }

    private let jobs: any JobEngine
    private let dispatching: any Dispatching
    private let loop: any EventLoop
    private let clock: VirtualClock
    private let manifests: ManifestTable
    private let telemetry: Telemetry
    private let trials: JobTrials
    /// Takes what is too large for the journal; nil refuses it.
    private let results: ResultBlobs?
    /// Called when a job is over for good.
    private let ended: @Sendable (JobRecord) -> Void
    private let state = Mutex(State())

    package init(
        jobs: any JobEngine,
        dispatching: any Dispatching,
        loop: any EventLoop,
        clock: VirtualClock,
        manifests: ManifestTable,
        telemetry: Telemetry,
        trials: JobTrials = JobTrials(),
        results: ResultBlobs? = nil,
        ended: @escaping @Sendable (JobRecord) -> Void
    ) {
        self.jobs = jobs
        self.dispatching = dispatching
        self.loop = loop
        self.clock = clock
        self.manifests = manifests
        self.telemetry = telemetry
        self.trials = trials
        self.results = results
        self.ended = ended
    }

    /// Claims and runs until the task is cancelled.
    package func run() async {
        let wakes = jobs.due.wakes()
        clock.onChange { [jobs] in jobs.due.wake() }
        let timer = Timer(loop: loop) { [jobs] in jobs.due.wake() }
        jobs.due.wake()
        var isAway = false
        for await _ in wakes {
            if isStopping { break }
            do {
                try await claimAll()
                try await tendLeases()
                timer.set(try await waitForNext())
                isAway = false
            } catch {
                if !isAway {
                    telemetry.note(.error, "the journal cannot be read", [("reason", .string("\(error)"))])
                }
                isAway = true
                timer.set(.seconds(1))
            }
        }
        timer.cancel()
    }

    /// Claims nothing more.
    ///
    /// What runs ends by the pools' drain, and is given back where it did not succeed.
    package func stop() async {
        state.withLock { $0.stopping = true }
        jobs.due.wake()
        await settled()
    }

    private func settled() async {
        while let attempt = state.withLock({ $0.attempts.values.first }) { await attempt.task.value }
    }

    /// Ends a job on demand, and the attempt that is under way.
    /// - Throws: `StorageError` wrong_state for a job that has ended, not_found.
    @discardableResult
    package func cancel(_ id: String) async throws -> JobRecord {
        let (job, wasRunning) = try await jobs.cancel(id, now: clock.now)
        // The end of an attempt tells of the job's end by itself.
        if wasRunning { state.withLock { $0.attempts[id] }?.task.cancel() } else { ended(job) }
        return job
    }

    package var isStopping: Bool { state.withLock { $0.stopping } }

    /// What each function may run more of: no more jobs at once than its workers can hold.
    private func capacity() -> [String: Int] {
        let now = Monotonic.now
        let (running, resting) = state.withLock { state in
            state.resting = state.resting.filter { $0.value > now }
            return (state.running, state.resting)
        }
        return manifests.all.filter { resting[$0.key] == nil }.mapValues { manifest in
            let room = min(
                manifest.limits.maxInFlight,
                manifest.scale.max * manifest.limits.perWorker,
                manifest.jobs.concurrency ?? .max
            )
            return min(room - (running[manifest.name] ?? 0), standing(manifest)?.remaining ?? .max)
        }
    }

    /// How the bucket of a function stands that has a rate.
    private func standing(_ manifest: Manifest) -> BucketStanding? {
        guard let rate = manifest.jobs.rate else { return nil }
        let bucket = state.withLock { $0.paces[manifest.name] } ?? TokenBucket()
        return bucket.standing(rate, at: Monotonic.now.nanoseconds / 1000)
    }

    private func claimAll() async throws {
        while !isStopping {
            for job in try await jobs.expireDue(now: clock.now) { ended(job) }
            if isStopping { return }
            let claimed = try await jobs.claim(limit: 64, capacity: capacity(), now: clock.now)
            if claimed.isEmpty { return }
            for job in claimed where !begin(job) {
                guard let lease = job.lease else { continue }
                try await jobs.requeue(job.id, lease: lease, runAt: job.runAt, now: clock.now)
            }
        }
    }

    /// Begins an attempt; false after `stop`, which waits for the ones that it finds.
    private func begin(_ job: JobRecord) -> Bool {
        let rate = manifests[job.function]?.jobs.rate
        return state.withLock { state in
            guard !state.stopping else { return false }
            state.running[job.function, default: 0] += 1
            if let rate {
                let now = Monotonic.now.nanoseconds / 1000
                _ = state.paces[job.function, default: TokenBucket()].take(rate, at: now)
            }
            state.attempts[job.id] = Attempt(lease: job.lease, task: Task { await self.attempt(job) })
            return true
        }
    }

    private func attempt(_ job: JobRecord) async {
        var event = job.event
        if job.trigger == "schedule" { event.kind = .schedule }
        var invocation = Invocation(
            id: job.id,
            function: job.function,
            event: event,
            attempt: job.attempt,
            depth: job.depth,
            trace: job.trace.child(),
            parent: ParentSpan(job.trace, isRemote: false),
            principal: job.owner,
            trigger: job.trigger
        )
        invocation.trial = trials[job.id]
        let reply = await dispatching.collect(invocation, on: loop, limit: resultLimit)
        // In a task of its own: what cancels an attempt must not cancel the writing down of its end.
        await Task { await end(job, reply) }.value
        state.withLock { state in
            state.running[job.function, default: 1] -= 1
            // A job that was given back may be claimed anew already.
            if state.attempts[job.id]?.lease == job.lease { state.attempts[job.id] = nil }
        }
        jobs.due.wake()
    }

    /// Writes an attempt's end down, once a second until it succeeds or the host stops: the next start takes
    /// what is still running for interrupted.
    private func end(_ job: JobRecord, _ reply: CollectedReply) async {
        var isNoted = false
        while true {
            do {
                let record = try await settle(job, reply)
                if let record, record.state.isFinal {
                    trials.forget(job.id)
                    ended(record)
                }
                return
            } catch let error as StorageError
                where [.staleLease, .wrongState, .notFound].contains(error.code)
            {
                // A job that was cancelled in the meantime has its end already.
                if let record = try? await jobs.job(job.id), record.state.isFinal { ended(record) }
                return
            } catch {
                if !isNoted {
                    telemetry.note(.error, "a job's end cannot be written", [("reason", .string("\(error)"))])
                }
                isNoted = true
                if isStopping || (error as? StorageError)?.code == .closed { return }
                try? await loop.scheduleTask(in: .seconds(1)) {}.futureResult.get()
            }
        }
    }

    private var resultLimit: Int { results == nil ? JobLimits.result : ResultBlobs.limit }

    /// A reply as the journal keeps it; one that finds no room as a blob is a failure of the attempt.
    private func kept(_ job: JobRecord, _ reply: CollectedReply) async -> Result<JobResult, FunctionError> {
        let type = reply.headers.first("content-type") ?? "application/octet-stream"
        guard let results, reply.body.count > JobLimits.result else {
            return .success(JobResult(status: reply.status, contentType: type, body: reply.body))
        }
        do {
            return .success(
                try await results.result(of: job, status: reply.status, type: type, reply.body)
            )
        } catch {
            let message = "the result of \(reply.body.count) bytes could not be stored as a blob"
            let told = error as? FunctionError ?? (error as? StorageError)?.functionError
            return .failure(told ?? FunctionError(code: "result_not_stored", message: message))
        }
    }

    private func settle(_ job: JobRecord, _ reply: CollectedReply) async throws -> JobRecord? {
        guard let lease = job.lease else { return nil }
        let worker = reply.process.map { "\($0)" }
        var outcome = reply.outcome
        if outcome.succeeded {
            switch await kept(job, reply) {
            case .success(let result):
                return try await jobs.complete(job.id, lease: lease, result, worker: worker, now: clock.now)
            case .failure(let error): outcome = .failed(error)
            }
        }
        let now = clock.now
        if isStopping || !outcome.countsAgainstRetries {
            let wait = min(max(outcome.retryAfter ?? .seconds(1), .milliseconds(100)), .seconds(10))
            state.withLock { $0.resting[job.function] = .now + wait }
            return try await jobs.requeue(job.id, lease: lease, runAt: now, now: now)
        }
        let error = outcome.error ?? JobRunner.error(of: reply)
        let end = AttemptEnd(outcome: outcome.label, worker: worker)
        if error.retry == .discard {
            return try await jobs.discard(job.id, lease: lease, JobError(error), end: end, now: now)
        }
        return try await jobs.fail(
            job.id,
            lease: lease,
            JobError(error),
            retryAt: retryAt(job, error, now),
            end: end,
            now: now
        )
    }

    /// A reply with a status of 400 or above, as an error.
    private static func error(of reply: CollectedReply) -> FunctionError {
        let told = (try? JSON.parse(reply.body))?["error"]
        return FunctionError(
            status: reply.status,
            code: told?["code"]?.stringValue ?? "status_\(reply.status)",
            message: told?["message"]?.stringValue ?? "the function replied \(reply.status)",
            // The statuses below 500 that tell of a passing state are those of a stream's entries too.
            retry: reply.status < 500 && ![408, 409, 423, 425, 429].contains(reply.status)
                ? .never : .byPolicy
        )
    }

    private func retryAt(_ job: JobRecord, _ error: FunctionError, _ now: Instant) -> Instant? {
        switch error.retry {
        case .never, .discard: return nil
        case .after(let wait): return now + wait
        case .byPolicy:
            let policy = manifests[job.function]?.retry ?? Manifest.Retry()
            let jitter = Double.random(in: 0.8...1.2)
            let wait = Double(policy.wait(after: job.attempt).nanoseconds) * jitter
            return now + .nanoseconds(Int64(wait))
        }
    }

    /// Until the next job is due, or a function has rested.
    ///
    /// A function at its limit is left out, as the end of a job of it wakes the runner.
    private func waitForNext() async throws -> Duration {
        let open = capacity().filter { $0.value > 0 }
        // The leases of other hosts run out while nothing runs here as well.
        let isIdle = state.withLock { $0.attempts.isEmpty } && !jobs.isShared
        let tending = isIdle ? .now + .seconds(30) : state.withLock { $0.tending }
        var wait = max(tending - .now, .milliseconds(1))
        if let due = try await jobs.nextDue(of: Array(open.keys)) {
            // On a fast clock a job has become due since the claim.
            wait = due <= clock.now ? .milliseconds(10) : min(clock.realWait(until: due) ?? wait, wait)
        }
        let rested = state.withLock { $0.resting.values.min() }
        let paced = manifests.all.values.compactMap { standing($0)?.retryAfter }.filter { $0 > 0 }.min()
        if let paced { wait = min(wait, .microseconds(paced) + .milliseconds(1)) }
        return rested.map { min(wait, max($0 - .now, .zero) + .milliseconds(1)) } ?? wait
    }
}

// MARK: - Leases

extension JobRunner {
    /// How often the leases are looked after; short beside the time they are good for.
    private static let tendEvery = Duration.seconds(5)

    /// Renews what runs here, and takes back what nobody runs any more.
    ///
    /// What runs here is known to: its lease may look spent where the clock was moved, and is renewed all the
    /// same. An attempt that has lost its job is stopped.
    private func tendLeases() async throws {
        let leases = state.withLock { state -> [String: Int64]? in
            guard state.tending <= .now else { return nil }
            state.tending = .now + JobRunner.tendEvery
            return state.attempts.compactMapValues(\.lease)
        }
        guard let leases else { return }
        for id in try await jobs.renew(leases, now: clock.now) {
            let attempt = state.withLock { $0.attempts[id] }
            // It may have ended in order since.
            if let attempt, attempt.lease == leases[id] { attempt.task.cancel() }
        }
        let rescued = try await jobs.rescue(alive: Set(leases.keys), now: clock.now)
        for job in rescued {
            telemetry.note(
                .warning,
                "a job's holder was lost",
                function: job.function,
                [("job", .string(job.id)), ("state", .string(job.state.rawValue))]
            )
            if job.state.isFinal { ended(job) }
        }
    }
}
