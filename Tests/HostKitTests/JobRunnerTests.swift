import FunctionCore
import HostKit
import Invocations
import Journal
import Storage
import Synchronization
import TestSupport
import Testing
import UserData

/// A runner over a real journal and a recorder.
struct RunnerStand: Sendable {
    let journal: HostJournal
    let clock: VirtualClock
    let recorder: Recorder
    let runner: JobRunner
    let over: Ended

    /// The jobs that were reported to be over.
    final class Ended: Sendable {
        private let records = Mutex<[JobRecord]>([])
        func add(_ record: JobRecord) { records.withLock { $0.append(record) } }
        var all: [JobRecord] { records.withLock { $0 } }
    }

    static let manifests: [Manifest] = {
        var one = Manifest(name: "one")
        one.scale.max = 1
        one.retry.backoff = .seconds(10)
        var many = Manifest(name: "many")
        many.scale.max = 8
        return [one, many]
    }()

    init(
        _ journal: HostJournal,
        _ clock: VirtualClock,
        _ recorder: Recorder,
        results: ResultBlobs? = nil
    ) {
        self.journal = journal
        self.clock = clock
        self.recorder = recorder
        let over = Ended()
        self.over = over
        runner = JobRunner(
            jobs: journal.jobs,
            dispatching: recorder,
            loop: testLoop,
            clock: clock,
            manifests: ManifestTable(RunnerStand.manifests),
            telemetry: quietTelemetry(clock),
            results: results,
            ended: { over.add($0) }
        )
    }

    func whileRunning(_ body: () async throws -> Void) async throws {
        let task = Task { await runner.run() }
        do {
            try await body()
        } catch {
            for number in recorder.seen.indices { recorder.end(number) }
            await runner.stop()
            task.cancel()
            throw error
        }
        await runner.stop()
        task.cancel()
        await task.value
    }

    @discardableResult
    func accept(_ function: String = "one", attempts: Int = 3, trigger: String = "job") async throws -> String
    {
        let job = NewJob(function: function, body: "{}", trigger: trigger, maxAttempts: attempts)
        return try await journal.jobs.accept(job, now: clock.now).id
    }

    func job(_ id: String, in state: JobState) async throws -> JobRecord {
        try await until("the state \(state.rawValue)") {
            guard let job = try await journal.jobs.job(id), job.state == state else { return nil }
            return job
        }
    }
}

@Suite(.timeLimit(.minutes(1)))
struct JobRunnerTests {
    private let workspace = Workspace()

    private func with(
        _ answer: @escaping @Sendable (Invocation) -> CollectedReply?,
        _ body: (RunnerStand) async throws -> Void
    ) async throws {
        try await with(standing("2026-11-25T08:00:00Z"), answer, body)
    }

    private func with(
        _ clock: VirtualClock,
        _ answer: @escaping @Sendable (Invocation) -> CollectedReply?,
        _ body: (RunnerStand) async throws -> Void
    ) async throws {
        let journal = try await HostJournal.open(directory: workspace.path)
        let stand = RunnerStand(journal, clock, Recorder(on: testLoop, answer))
        try await stand.whileRunning { try await body(stand) }
        await journal.close()
    }

    @Test("a job that succeeds keeps its result, and is told of once")
    func success() async throws {
        try await with({ _ in .ok }) { stand in
            let id = try await stand.accept()
            let job = try await stand.job(id, in: .completed)
            #expect(job.result?.body == "{\"done\":true}" && job.result?.status == 200)
            #expect(job.attempt == 1 && job.percent == 100)
            _ = try await until("the report") { stand.over.all.map(\.id) == [id] ? true : nil }
            let seen = stand.recorder.seen[0].invocation
            #expect(seen.id == id && seen.attempt == 1 && seen.trigger == "job")
        }
    }

    @Test("a result that is too large for the journal is a blob, which goes with its job")
    func largeResult() async throws {
        let clock = standing("2026-11-25T08:00:00Z")
        let journal = try await HostJournal.open(directory: workspace.path)
        let blobs = try await BlobStore.open(
            directory: workspace.path,
            clock: clock,
            key: try await SigningKey.load(directory: workspace.path),
            capacity: 1 << 20
        )
        var large = CollectedReply.ok
        large.headers = [Header("content-type", "text/plain")]
        large.body = Bytes([UInt8](repeating: 65, count: 300_000))
        let recorder = Recorder(on: testLoop) { [large] _ in large }
        let stand = RunnerStand(journal, clock, recorder, results: ResultBlobs(blobs))
        try await stand.whileRunning {
            let job = try await stand.job(stand.accept("many"), in: .completed)
            let key = try #require(job.result?.blob)
            #expect(key == "results/\(job.id)" && job.result?.size == 300_000)
            #expect(try await blobs.head(key)?.size == 300_000)
            // Two fit and four do not: an attempt whose result finds no room has failed.
            for _ in 0..<2 { _ = try await stand.job(stand.accept("many"), in: .completed) }
            let full = try await stand.job(stand.accept("many", attempts: 1), in: .failed)
            #expect(full.error?.status == 507, "\(String(describing: full.error))")
            #expect(try await stand.journal.jobs.missing([job.id, "none"]) == ["none"])
            clock.advance(.seconds(100))
            try await journal.prune(jobsEndedBefore: clock.now, keepJobs: 0, now: clock.now)
            try await ResultBlobs(blobs).sweep(journal.jobs)
            #expect(try await blobs.list(prefix: "results/").isEmpty)
        }
        await blobs.close()
        await journal.close()
    }

    @Test("a schedule's job is a schedule event")
    func scheduleEvent() async throws {
        try await with({ _ in .ok }) { stand in
            try await stand.accept("many", trigger: "schedule")
            let seen = try await stand.recorder.wait("the run") { $0.count == 1 }
            #expect(seen[0].invocation.event.kind == .schedule)
        }
    }

    @Test("a failure is tried again after its back-off on the host's clock, and not before")
    func retry() async throws {
        try await with({ $0.function == "one" && $0.attempt == 1 ? .failed() : .ok }) { stand in
            let begin = stand.clock.now
            let id = try await stand.accept()
            let waiting = try await stand.job(id, in: .retryWait)
            #expect(waiting.error?.code == "broken")
            let wait = waiting.runAt - begin
            #expect(wait >= .seconds(8) && wait <= .seconds(12))
            stand.clock.set(waiting.runAt - .nanoseconds(1))
            // Another job goes all the way meanwhile, so the runner has looked.
            _ = try await stand.job(stand.accept("many"), in: .completed)
            #expect(stand.recorder.seen.count { $0.invocation.id == id } == 1)
            stand.clock.set(waiting.runAt)
            let done = try await stand.job(id, in: .completed)
            #expect(done.attempt == 2)
        }
    }

    @Test("back-off doubles, and a job out of attempts is a dead letter with its last error")
    func deadLetter() async throws {
        try await with({ _ in .status(503, code: "never_well") }) { stand in
            let id = try await stand.accept(attempts: 3)
            for attempt in 1...2 {
                let waiting = try await until("attempt \(attempt)") {
                    let job = try await stand.journal.jobs.job(id)
                    return job?.state == .retryWait && job?.attempt == attempt ? job : nil
                }
                let wait = waiting.runAt - stand.clock.now
                let ideal = Duration.seconds(10 * attempt)
                #expect(wait >= ideal * 0.8 && wait <= ideal * 1.2)
                stand.clock.set(waiting.runAt)
            }
            let dead = try await stand.job(id, in: .failed)
            #expect(dead.attempt == 3 && dead.error?.code == "never_well" && dead.error?.status == 503)
            _ = try await until("the report") { stand.over.all.map(\.id) == [id] ? true : nil }
        }
    }

    @Test(
        "what is never to be retried ends at once",
        arguments: [
            CollectedReply.failed(.never), .status(422, code: "invalid_input"),
            .status(404, code: "not_found"),
        ]
    )
    func final(reply: CollectedReply) async throws {
        try await with({ _ in reply }) { stand in
            let dead = try await stand.job(stand.accept(), in: .failed)
            #expect(dead.attempt == 1)
        }
    }

    @Test("a function says itself when to try again, and 429 is worth another attempt")
    func after() async throws {
        try await with({ $0.function == "one" ? .failed(.after(.seconds(77))) : .status(429, code: "slow") })
        { stand in
            let begin = stand.clock.now
            let first = try await stand.job(stand.accept(), in: .retryWait)
            #expect(first.runAt == begin + .seconds(77))
            let second = try await stand.job(stand.accept("many"), in: .retryWait)
            #expect(second.error?.code == "slow")
        }
    }

    @Test("a function may have its job forgotten: cancelled, with the reason, and told of")
    func discard() async throws {
        try await with({ _ in .failed(.discard) }) { stand in
            let job = try await stand.job(stand.accept(), in: .cancelled)
            #expect(job.error?.code == "broken" && job.attempt == 1)
            _ = try await until("the report") { stand.over.all.map(\.id) == [job.id] ? true : nil }
        }
    }

    @Test("a clock that leaps takes no job from who runs it, and a lost one is run again")
    func leases() async throws {
        try await with({ $0.function == "one" ? nil : .ok }) { stand in
            let kept = try await stand.accept()
            try await stand.recorder.wait("the run") { $0.count == 1 }
            // Claimed by somebody who is gone: nobody here runs it.
            let lost = try await stand.journal.jobs.accept(
                NewJob(function: "many", body: "{}", trigger: "job", runAt: stand.clock.now + .seconds(3600)),
                now: stand.clock.now
            ).id
            let later = stand.clock.now + .seconds(3600)
            let claimed = try await stand.journal.jobs.claim(limit: 1, capacity: ["many": 1], now: later)
            #expect(claimed.map(\.id) == [lost])
            stand.clock.advance(.seconds(86_400))
            let done = try await stand.job(lost, in: .completed)
            #expect(done.life.recoveries == 1 && done.life.claims == 2 && done.attempt == 1)
            #expect(try await stand.journal.jobs.job(kept)?.life.claims == 1)
            stand.recorder.end(0)
            let first = try await stand.job(kept, in: .completed)
            #expect(first.life.recoveries == 0)
        }
    }

    @Test("what the host sheds is no attempt, and comes again although the clock stands still")
    func shed() async throws {
        let count = Mutex(0)
        try await with({ _ in
            let turn = count.withLock { count in
                count += 1
                return count
            }
            switch turn {
            case 1: return .shed(.overloaded, after: .milliseconds(1))
            case 2: return .shed(.crashLoop, after: .milliseconds(1))
            default: return .ok
            }
        }) { stand in
            let id = try await stand.accept(attempts: 1)
            let job = try await stand.job(id, in: .completed)
            #expect(job.attempt == 1)
            #expect(stand.recorder.seen.map(\.invocation.attempt) == [1, 1, 1])
        }
    }

    @Test("a function that sheds is left alone for a while of real time, however fast the clock runs")
    func noHotLoop() async throws {
        let clock = standing("2026-11-25T08:00:00Z")
        clock.setSpeed(100_000)
        try await with(clock, { $0.function == "one" ? .shed(.overloaded, after: .milliseconds(1)) : .ok }) {
            stand in
            let begin = Monotonic.now
            try await stand.accept()
            try await stand.recorder.wait("four attempts") { $0.count == 4 }
            #expect(Monotonic.now - begin >= .milliseconds(300))
        }
    }

    @Test("no more jobs of a function are under way than its workers hold, and others do not wait for them")
    func capacity() async throws {
        try await with({ $0.function == "one" ? nil : .ok }) { stand in
            let ids = [try await stand.accept(), try await stand.accept(), try await stand.accept()]
            for (index, id) in ids.enumerated() {
                try await stand.recorder.wait("job \(index)") { seen in
                    seen.contains { $0.invocation.id == id }
                }
                _ = try await stand.job(stand.accept("many"), in: .completed)
                #expect(stand.recorder.underWay == 1)
                let number = stand.recorder.seen.firstIndex { $0.invocation.id == id } ?? 0
                stand.recorder.end(number)
            }
            for id in ids { _ = try await stand.job(id, in: .completed) }
        }
    }

    @Test("a job that is cancelled while it runs has its attempt stopped, and is told of")
    func cancel() async throws {
        try await with({ _ in nil }) { stand in
            let id = try await stand.accept()
            try await stand.recorder.wait("the run") { $0.count == 1 }
            let job = try await stand.runner.cancel(id)
            #expect(job.state == .cancelled)
            try await stand.recorder.wait("the cancelling") { $0[0].isCancelled }
            _ = try await until("the report") { stand.over.all.map(\.state) == [.cancelled] ? true : nil }
            let kept = try await stand.journal.jobs.job(id)
            #expect(kept?.state == .cancelled)
            _ = await #expect(throws: StorageError.self) { try await stand.runner.cancel(id) }
        }
    }

    @Test("a job that is cancelled while it waits never runs, and is told of")
    func cancelWaiting() async throws {
        try await with({ _ in .failed(.after(.seconds(60))) }) { stand in
            let id = try await stand.accept()
            _ = try await stand.job(id, in: .retryWait)
            try await stand.runner.cancel(id)
            #expect(stand.over.all.map(\.state) == [.cancelled])
            stand.clock.advance(.seconds(120))
            _ = try await stand.accept("many")
            try await stand.recorder.wait("the other") { $0.count == 2 }
            #expect(stand.recorder.seen.count { $0.invocation.id == id } == 1)
        }
    }

    @Test("stop gives back what does not succeed, uncounted, and the next start goes on with it")
    func stop() async throws {
        let clock = standing("2026-11-25T08:00:00Z")
        let journal = try await HostJournal.open(directory: workspace.path)
        let stand = RunnerStand(journal, clock, Recorder(on: testLoop) { _ in nil })
        let run = Task { await stand.runner.run() }
        let lost = try await stand.accept("many")
        let kept = try await stand.accept("many")
        try await stand.recorder.wait("both") { $0.count == 2 }
        let stopping = Task { await stand.runner.stop() }
        _ = try await until("the stop") { stand.runner.isStopping ? true : nil }
        let late = try await stand.accept("many")
        // As the pools' drain does: one ends in time, the other's worker is killed.
        for (number, seen) in stand.recorder.seen.enumerated() {
            let ok = seen.invocation.id == kept
            stand.recorder.end(number, ok ? .ok : .shed(.draining, after: .seconds(1)))
        }
        await stopping.value
        run.cancel()
        await run.value
        #expect(try await journal.jobs.job(kept)?.state == .completed)
        let given = try await journal.jobs.job(lost)
        #expect(given?.state == .queued && given?.attempt == 0)
        #expect(!stand.recorder.seen.contains { $0.invocation.id == late })
        await journal.close()

        let again = try await HostJournal.open(directory: workspace.path)
        let next = RunnerStand(again, clock, Recorder(on: testLoop))
        try await next.whileRunning {
            let done = try await next.job(lost, in: .completed)
            #expect(done.attempt == 1)
            let seen = next.recorder.seen
            #expect(!seen.contains { $0.invocation.id == kept })
        }
        await again.close()
    }

    @Test("what a killed host was running is run again by the next")
    func killed() async throws {
        let clock = standing("2026-11-25T08:00:00Z")
        let journal = try await HostJournal.open(directory: workspace.path)
        let id = try await journal.jobs.accept(
            NewJob(function: "one", body: "{}", trigger: "job"),
            now: clock.now
        ).id
        _ = try await journal.jobs.claim(limit: 1, capacity: ["one": 1], now: clock.now)
        #expect(try await journal.jobs.job(id)?.state == .running)
        await journal.close()
        let again = try await HostJournal.open(directory: workspace.path)
        #expect(try await again.recover(now: clock.now).jobs == 1)
        let stand = RunnerStand(again, clock, Recorder(on: testLoop))
        try await stand.whileRunning {
            let done = try await stand.job(id, in: .completed)
            #expect(done.attempt == 1)
        }
        await again.close()
    }
}
