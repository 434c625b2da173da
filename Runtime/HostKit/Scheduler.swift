import FunctionCore
import Invocations
import Journal
import NIOCore
import Observe
import Scheduling
import WorkerPool

/// The shell of the scheduler: performs what `WindowRotation` and `ScheduleMachine` decide, on the host's
/// wall clock.
///
/// It never sleeps more than 30 s, and looks at the clock anew each time, so a step or a suspended machine is
/// seen. What a schedule begins becomes a job in the same transaction as its verdict. What a window begins runs
/// at once under the window's token and is not repeated: the next nominal time takes its place.
///
/// What cannot be written down is not done: after an error all is read from the journal again, and decided
/// again from there.
package actor Scheduler {
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
    /// The rotations that this host acts for, as the journal has them.
    var held: Set<String> = []
    /// Until when it does, where other hosts could.
    var holds: [String: BootTime] = [:]
    /// What this host and the others agreed on last; see `share`.
    var agreed = Agreed()
    /// The schedules that somebody has paused or resumed this very moment.
    var wishes: Set<String> = []
    var isRestored = false
    var stopping = false
    let inbox = SchedulerInbox()
    /// What was heard and is still to be taken in.
    private var taken: [SchedulerInbox.Input] = []
    /// What the machine wants written down since the last look.
    var pending: [ScheduleMachine.Action] = []
    /// Who waits for it to be written.
    private var asking:
        [(CheckedContinuation<[ScheduleMachine.Action], any Error>, [ScheduleMachine.Action])] =
            []
    private var cancelJob: @Sendable (String) async throws -> Void
    /// A clock beside the wall clock that runs at its speed, suspended or not, and makes none of its steps.
    private var steady = (elapsed: Duration.zero, at: BootTime.now)

    static let sleepMax = Duration.seconds(30)

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
        cancelJob = { [jobs = journal.jobs] in _ = try await jobs.cancel($0, now: clock.now) }
        machine = ScheduleMachine(plan: project.plan)
        manifests = Scheduler.manifests(project)
        for plan in project.book.rotations { rotations[plan.id] = WindowRotation(plan: plan) }
    }

    /// Goes by another project from now on.
    ///
    /// Where its schedules differ all is read from the journal again; runs under way count as ever.
    package nonisolated func replace(_ project: Project) {
        inbox.put(.replaced(project))
    }

    /// Has jobs cancelled by whoever runs them, for policies that cancel; before `run`.
    package func cancelJobs(by cancel: @escaping @Sendable (String) async throws -> Void) {
        cancelJob = cancel
    }

    /// Runs until `stop`.
    package func run() async {
        let inbox = self.inbox
        let wakes = inbox.wakes()
        clock.onChange { inbox.tick() }
        let timer = Timer(loop: loop) { inbox.tick() }
        inbox.tick()
        for await _ in wakes {
            if stopping { break }
            do {
                if !isRestored { try await restore() }
                isRestored = true
                try await takeAll()
                timer.set(try await tick())
                answer(nil)
            } catch {
                answer(error)
                taken += inbox.takeAll()
                refuseCommands(error)
                if stopping { break }
                isRestored = false
                held = []
                pending = []
                telemetry.note(
                    .error,
                    "the scheduler cannot use its journal",
                    [("reason", .string("\(error)"))]
                )
                timer.set(.seconds(1))
            }
        }
        timer.cancel()
        taken += inbox.takeAll()
        refuseCommands(CancellationError())
    }

    /// Begins nothing more.
    ///
    /// The windows' runs are cancelled; their tokens are fenced by the next start.
    package func stop() async {
        stopping = true
        inbox.tick()
        for run in runs.values { run.cancel() }
        for checkpoint in checkpoints.values { checkpoint.cancel() }
        for run in runs.values { _ = await run.value }
        for checkpoint in checkpoints.values { await checkpoint.value }
        await releaseHolds()
    }

    /// A job that a schedule made is over.
    nonisolated package func jobEnded(_ id: String, _ end: ScheduleMachine.RunEnd = .succeeded) {
        inbox.put(.jobEnded(id, end))
    }

    /// How many runs of windows are under way.
    package var runsUnderWay: Int { runs.count }

    /// How many jobs of schedules have not ended, as far as the scheduler has heard.
    package var jobsOpen: Int { jobs.count }
    /// Their ids.
    var openJobs: [String] { Array(jobs.keys) }

    /// Tells the machine what the operator wants, and returns what it decided once that is on the disk.
    func command(_ fact: ScheduleMachine.Fact) async throws -> [ScheduleMachine.Action] {
        if stopping { throw CancellationError() }
        return try await withCheckedThrowingContinuation { inbox.put(.command(fact, $0)) }
    }

    // MARK: Facts

    /// Takes in what was heard; what an error leaves over is taken in once the journal is there again.
    private func takeAll() async throws {
        taken += inbox.takeAll()
        while let input = taken.first {
            if case .replaced(let project) = input {
                try await settle()
                try await endRotations(notOf: project)
            }
            if case .checkpointed(let checkpoint, let reply) = input {
                try await checkpointed(checkpoint, reply)
            }
            taken.removeFirst()
            take(input)
            // Other schedules begin with what the journal has of them.
            if !isRestored { try await restore() }
            isRestored = true
        }
    }

    /// Whoever waits for an answer gets this one.
    private func refuseCommands(_ error: any Error) {
        for case .command(_, let asker) in taken { asker.resume(throwing: error) }
        taken.removeAll { if case .command = $0 { true } else { false } }
    }

    private func take(_ input: SchedulerInbox.Input) {
        switch input {
        case .jobEnded(let id, let end):
            guard let (schedule, nominal) = jobs.removeValue(forKey: id) else { return }
            pending += machine.react(to: .finished(id: schedule, nominal: nominal, end))
        case .runEnded(let run, let end):
            runs[run] = nil
            pending += machine.react(to: .finished(id: run.schedule, nominal: run.nominal, end))
        case .checkpointed: break
        case .replaced(let project): goBy(project)
        case .command(let fact, let asker):
            let actions = machine.react(to: fact)
            pending += actions
            asking.append((asker, actions))
        }
    }

    private func answer(_ error: (any Error)?) {
        for (asker, actions) in asking {
            if let error { asker.resume(throwing: error) } else { asker.resume(returning: actions) }
        }
        asking = []
    }

    /// One look at the clock; returns how long to sleep.
    private func tick() async throws -> Duration {
        let now = clock.now
        var next = now + .seconds(30 * 24 * 3600)
        for id in rotations.keys.sorted() where try await hold(id) {
            // A window that has drained makes room for the next at once: a turn takes three rounds at most.
            for _ in 0..<3 {
                try await perform(rotations[id]?.react(to: .tick(now: now)) ?? [], of: id)
                guard try await drainIfDone(id) else { break }
            }
            if let wake = rotations[id]?.nextWake(after: now) { next = min(next, wake) }
        }
        let actions = pending + machine.react(to: .tick(now: now, steady: steadyTime()))
        pending = []
        try await perform(actions, now)
        for case .wake(let at) in actions { next = min(next, at) }
        return min(clock.realWait(until: next) ?? longestSleep, longestSleep)
    }

    /// Writes down what was heard before other schedules come.
    private func settle() async throws {
        try await perform(pending, clock.now)
        pending = []
    }

    private func steadyTime() -> Duration {
        let now = BootTime.now
        let passed = Double((now - steady.at).nanoseconds) * clock.reading.speed
        steady = (steady.elapsed + .nanoseconds(Int64(min(passed, 4e18))), now)
        return steady.elapsed
    }

    // MARK: Actions

    /// Writes all of it down, and does what is to be done then.
    private func perform(_ actions: [ScheduleMachine.Action], _ now: Instant) async throws {
        var new: [ScheduleLedger.RunJob] = []
        for case .decide(let decision) in actions where decision.verdict == .run {
            if let job = try job(for: decision, now) { new.append(job) }
        }
        let began = Monotonic.now
        if actions.contains(where: \.isWritten) {
            let refused = try await journal.schedules.commit(actions, jobs: new, now: now)
            for decision in refused where decision.verdict == .run {
                // It has its run already: nothing is under way, so nothing will report its end.
                new.removeAll { $0.schedule == decision.id && $0.nominal == decision.nominal }
                _ = machine.react(to: .finished(id: decision.id, nominal: decision.nominal, .cancelled))
            }
        }
        for run in new {
            jobs[run.job.id] = (run.schedule, run.nominal)
            note(run, since: began)
        }
        for action in actions {
            switch action {
            case .begin(let id, let nominal, let token): try begin(id, nominal, token)
            case .stop(let id, let nominal): await cancel(id, nominal)
            case .decide, .keep, .end, .wake, .fault, .clockStepped: break
            }
            tell(action)
        }
    }

    /// The job of a run outside of windows: its id follows from schedule and time, so that it is there once.
    private func job(
        for decision: ScheduleDecision,
        _ now: Instant
    ) throws -> ScheduleLedger.RunJob? {
        guard let entry = machine.entry(decision.id) else { return nil }
        if case .window = entry.kind { return nil }
        let key = entry.idempotencyKey(of: decision.nominal)
        let event = ScheduledEvent(schedule: entry.id, nominal: decision.nominal, idempotencyKey: key)
        var job = NewJob(
            id: String(key.prefix(24)),
            function: entry.function,
            body: try body(entry, event),
            trigger: "schedule",
            idempotencyKey: key
        )
        if decision.cause != .trigger, decision.cause != .backfill {
            let before = decision.nominal - .nanoseconds(1)
            let closes = (try? machine.plan.next(of: entry, after: before))?.windowCloses
            let deadline = entry.policy.deadline.map { decision.due + $0 + .nanoseconds(1) }
            // An attempt that would begin too late is none, also after a retry.
            job.expires = [deadline, closes].compactMap { $0 }.min()
        }
        if entry.policy.remaining != nil { job.countsFor = entry.id }
        job.follow(manifests[entry.function], now: now)
        return ScheduleLedger.RunJob(schedule: entry.id, nominal: decision.nominal, job: job)
    }

    private func body(_ entry: ScheduleEntry, _ event: ScheduledEvent) throws -> Bytes {
        guard let input = book.inputs[entry.id] else { return try JSONCoder.encode(event) }
        return input.filled("{{scheduledTime}}", with: event.nominal.rfc3339).bytes()
    }

    /// Begins a window's run; jobs are begun by who runs jobs.
    private func begin(_ id: String, _ nominal: Instant, _ token: UInt64?) throws {
        guard let entry = machine.entry(id), case .window(let rotation, let window, _) = entry.kind, let token
        else { return }
        let run = Run(schedule: id, nominal: nominal, rotation: rotation, window: window, token: token)
        _ = begin(run, try invocation(entry, run))
    }

    private func cancel(_ id: String, _ nominal: Instant) async {
        for (run, task) in runs where run.schedule == id && run.nominal == nominal { task.cancel() }
        for (job, run) in jobs where run.schedule == id && run.nominal == nominal {
            // One that has ended meanwhile says so by itself.
            try? await cancelJob(job)
        }
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
            },
            idempotencyKey: entry.idempotencyKey(of: run.nominal)
        )
        return Invocation(
            function: entry.function,
            event: Event(kind: .schedule, body: try body(entry, event)),
            fencingToken: run.token,
            trigger: "schedule"
        )
    }
}

extension ScheduleMachine.Action {
    /// Whether the journal has something to write.
    fileprivate var isWritten: Bool {
        switch self {
        case .decide, .keep, .end: true
        case .begin, .stop, .wake, .fault, .clockStepped: false
        }
    }
}

extension ScheduleMachine.RunEnd {
    /// How a window's run has ended.
    init(_ outcome: Outcome) {
        switch outcome {
        case .cancelled, .shed, .expired: self = .cancelled
        default: self = outcome.succeeded ? .succeeded : .failed
        }
    }
}

extension JSON {
    /// The value with a mark in its strings replaced.
    func filled(_ mark: String, with text: String) -> JSON {
        switch self {
        case .string(let string):
            .string(string.split(separator: mark, omittingEmptySubsequences: false).joined(separator: text))
        case .array(let elements): .array(elements.map { $0.filled(mark, with: text) })
        case .object(let object):
            .object(JSONObject(zip(object.keys, object.values.map { $0.filled(mark, with: text) })))
        case .null, .bool, .integer, .number: self
        }
    }
}
