import FunctionCore
import Invocations
import Journal
import NIOCore
import Observe
import Scheduling

/// The shell of the scheduler: performs what `WindowRotation` and `ScheduleMachine` decide, on the host's
/// wall clock.
///
/// It never sleeps more than 30 s, and looks at the clock anew each time, so a step or a suspended machine is
/// seen. What a schedule fires becomes a job in the same transaction as its verdict. What a window fires runs
/// at once under the window's token and is not repeated: the next nominal instant takes its place.
///
/// What cannot be written down is not done: after an error all is read from the journal again, and decided
/// again from there.
package actor Scheduler {
    /// What the scheduler hears from others.
    enum Input: Sendable {
        case tick
        case jobEnded(String)
        case runEnded(Run)
        case checkpointed(Checkpoint, CollectedReply?)
        case replaced(Project)
    }

    /// One run of a window's function.
    struct Run: Sendable, Hashable {
        var schedule: String
        var nominal: Instant
        var rotation: String
        var window: String
        var token: UInt64
    }

    var book: ScheduleBook
    let journal: HostJournal
    let dispatching: any Dispatching
    let loop: any EventLoop
    let clock: VirtualClock
    let tokens: WindowTokens
    let warmth: (any Warmth)?
    let telemetry: Telemetry
    var manifests: [String: Manifest]

    var machine: ScheduleMachine
    var rotations: [String: WindowRotation] = [:]
    var checkpoints: [Checkpoint: Task<Void, Never>] = [:]
    var runs: [Run: Task<CollectedReply?, Never>] = [:]
    var jobs: [String: (schedule: String, nominal: Instant)] = [:]
    var isRestored = false
    var stopping = false
    private let inputs: AsyncStream<Input>
    let feed: AsyncStream<Input>.Continuation

    private static let sleepMax = Duration.seconds(30)
    /// How many open jobs of a function are looked through at a start.
    static let openJobs = 500

    package init(
        project: Project,
        journal: HostJournal,
        dispatching: any Dispatching,
        loop: any EventLoop,
        clock: VirtualClock,
        tokens: WindowTokens,
        warmth: (any Warmth)? = nil,
        telemetry: Telemetry
    ) {
        book = project.book
        self.journal = journal
        self.dispatching = dispatching
        self.loop = loop
        self.clock = clock
        self.tokens = tokens
        self.warmth = warmth
        self.telemetry = telemetry
        machine = ScheduleMachine(plan: project.plan)
        manifests = Scheduler.manifests(project)
        for plan in project.book.rotations { rotations[plan.id] = WindowRotation(plan: plan) }
        // Bounded by what feeds it: one tick at a time is worth keeping, and each run and job ends once.
        (inputs, feed) = AsyncStream.makeStream(of: Input.self, bufferingPolicy: .unbounded)
    }

    /// Goes by another project from now on.
    ///
    /// Where its schedules differ all is read from the journal again; runs under way count as ever.
    package nonisolated func replace(_ project: Project) {
        feed.yield(.replaced(project))
    }

    /// Runs until `stop`.
    package func run() async {
        let feed = self.feed
        clock.onChange { feed.yield(.tick) }
        let timer = Timer(loop: loop) { feed.yield(.tick) }
        feed.yield(.tick)
        for await input in inputs {
            if stopping { break }
            take(input)
            do {
                if !isRestored { try await restore() }
                isRestored = true
                if case .checkpointed(let checkpoint, let reply) = input {
                    try await checkpointed(checkpoint, reply)
                }
                timer.set(try await tick())
            } catch {
                if stopping { break }
                isRestored = false
                telemetry.note(
                    .error,
                    "the scheduler cannot use its journal",
                    [("reason", .string("\(error)"))]
                )
                timer.set(.seconds(1))
            }
        }
        timer.cancel()
    }

    /// Fires nothing more.
    ///
    /// The windows' runs are cancelled; their tokens are fenced by the next start.
    package func stop() async {
        stopping = true
        feed.finish()
        for run in runs.values { run.cancel() }
        for checkpoint in checkpoints.values { checkpoint.cancel() }
        for run in runs.values { _ = await run.value }
        for checkpoint in checkpoints.values { await checkpoint.value }
    }

    /// A job that a schedule made is over.
    nonisolated package func jobEnded(_ id: String) {
        feed.yield(.jobEnded(id))
    }

    /// How many runs of windows are under way.
    package var runsUnderWay: Int { runs.count }

    /// How many jobs of schedules have not ended, as far as the scheduler has heard.
    package var jobsOpen: Int { jobs.count }
    /// Their ids.
    var openJobs: [String] { Array(jobs.keys) }

    /// The coming runs, as the plan sees them from now.
    package func upcoming(_ count: Int, function: String?) -> SchedulePlan.Preview {
        machine.plan.next(count, for: function, after: clock.now)
    }

    // MARK: Facts

    private func take(_ input: Input) {
        switch input {
        case .tick, .checkpointed: break
        case .jobEnded(let id):
            guard let (schedule, nominal) = jobs.removeValue(forKey: id) else { return }
            _ = machine.react(to: .finished(id: schedule, nominal: nominal))
        case .runEnded(let run):
            runs[run] = nil
            _ = machine.react(to: .finished(id: run.schedule, nominal: run.nominal))
        case .replaced(let project): goBy(project)
        }
    }

    /// One look at the clock; returns how long to sleep.
    private func tick() async throws -> Duration {
        let now = clock.now
        var next = now + .seconds(30 * 24 * 3600)
        for id in rotations.keys.sorted() {
            // A window that has drained makes room for the next at once: a turn takes three rounds at most.
            for _ in 0..<3 {
                try await perform(rotations[id]?.react(to: .tick(now: now)) ?? [], of: id)
                guard try await drainIfDone(id) else { break }
            }
            if let wake = rotations[id]?.nextWake(after: now) { next = min(next, wake) }
        }
        for action in machine.react(to: .tick(now: now)) {
            if case .wake(let at) = action { next = min(next, at) }
            try await perform(action, now)
        }
        let wait = clock.realWait(until: next) ?? Scheduler.sleepMax
        return min(max(wait, .milliseconds(1)), Scheduler.sleepMax)
    }

    // MARK: Actions

    private func perform(_ action: ScheduleMachine.Action, _ now: Instant) async throws {
        switch action {
        case .fire(let id, let nominal, let token):
            if try await fire(id, nominal, token, now) {
                telemetry.metrics.add("swiftlet_schedule_runs_total", [id, "fired"])
            } else {
                // Nothing is under way, so nothing will report its end.
                _ = machine.react(to: .finished(id: id, nominal: nominal))
            }
        case .skip(let id, let nominal, let reason):
            telemetry.metrics.add("swiftlet_schedule_runs_total", [id, "skipped"])
            let verdict = LedgerEntry(
                schedule: id,
                nominal: nominal,
                verdict: .skipped,
                reason: reason.rawValue
            )
            _ = try await journal.schedules.commit(verdict, now: now)
        case .commit(let id, let nominal):
            try await journal.schedules.commit(id, nominal)
        case .wake:
            break
        case .fault(let id, let error):
            telemetry.note(
                .error,
                "a schedule rests",
                [("schedule", .string(id)), ("reason", .string(error.message))]
            )
        }
    }

    /// Fires a schedule; false where nothing has begun.
    private func fire(_ id: String, _ nominal: Instant, _ token: UInt64?, _ now: Instant) async throws -> Bool
    {
        guard let entry = book.entries.first(where: { $0.id == id }) else { return false }
        guard case .window(let rotation, let window, _) = entry.kind, let token else {
            return try await accept(entry, nominal, now)
        }
        let verdict = LedgerEntry(schedule: id, nominal: nominal, verdict: .fired)
        guard case .committed = try await journal.schedules.commit(verdict, now: now) else { return false }
        let run = Run(schedule: id, nominal: nominal, rotation: rotation, window: window, token: token)
        return try begin(run, invocation(entry, run)) != nil
    }

    /// Fires a schedule outside of windows: its job and its verdict are one transaction.
    private func accept(_ entry: ScheduleEntry, _ nominal: Instant, _ now: Instant) async throws -> Bool {
        let event = ScheduledEvent(schedule: entry.id, nominal: nominal)
        let body = try book.inputs[entry.id]?.bytes() ?? JSONCoder.encode(event)
        var job = NewJob(function: entry.function, body: body, trigger: "schedule")
        job.follow(manifests[entry.function], now: now)
        let verdict = LedgerEntry(schedule: entry.id, nominal: nominal, verdict: .fired)
        guard case .committed = try await journal.schedules.commit(verdict, job: job, now: now) else {
            return false
        }
        jobs[job.id] = (entry.id, nominal)
        return true
    }

    private func invocation(_ entry: ScheduleEntry, _ run: Run) throws -> Invocation {
        let until = (try? rotations[run.rotation]?.plan.span(of: run.window, endingAfter: clock.now))?.closes
        let event = ScheduledEvent(
            schedule: run.schedule,
            nominal: run.nominal,
            window: run.window,
            until: until,
            handover: rotations[run.rotation]?.state.handover.flatMap {
                $0.window == run.window ? nil : $0.text
            }
        )
        return Invocation(
            function: entry.function,
            event: Event(
                kind: .schedule,
                body: try book.inputs[entry.id]?.bytes() ?? JSONCoder.encode(event)
            ),
            fencingToken: run.token,
            trigger: "schedule"
        )
    }
}
