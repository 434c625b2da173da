import FunctionCore
import Invocations
import Journal
import NIOCore
import Observe
import Scheduling

/// The shell of the scheduler: performs what `WindowRotation` and `ScheduleMachine` decide, on the host's wall clock.
///
/// It never sleeps more than 30 s, and looks at the clock anew each time, so a step or a suspended machine is seen. What a
/// schedule fires becomes a job in the same transaction as its verdict. What a window fires runs at once under the
/// window's token and is not repeated: the next nominal instant takes its place.
package actor Scheduler {
    /// What the scheduler hears from others.
    private enum Input: Sendable {
        case tick
        case jobEnded(String)
        case runEnded(Run)
    }

    /// One run of a window's function.
    private struct Run: Sendable, Hashable {
        var schedule: String
        var nominal: Instant
        var rotation: String
        var window: String
        var token: UInt64
    }

    private let book: ScheduleBook
    private let journal: HostJournal
    private let dispatching: any Dispatching
    private let loop: any EventLoop
    private let clock: VirtualClock
    private let tokens: WindowTokens
    private let telemetry: Telemetry
    private let attempts: [String: Int]

    private var machine: ScheduleMachine
    private var rotations: [String: WindowRotation] = [:]
    private var runs: [Run: Task<Void, Never>] = [:]
    private var jobs: [String: (schedule: String, nominal: Instant)] = [:]
    private var stopping = false
    private let inputs: AsyncStream<Input>
    private let feed: AsyncStream<Input>.Continuation

    private static let sleepMax = Duration.seconds(30)

    package init(
        project: Project,
        journal: HostJournal,
        dispatching: any Dispatching,
        loop: any EventLoop,
        clock: VirtualClock,
        tokens: WindowTokens,
        telemetry: Telemetry
    ) {
        book = project.book
        self.journal = journal
        self.dispatching = dispatching
        self.loop = loop
        self.clock = clock
        self.tokens = tokens
        self.telemetry = telemetry
        machine = ScheduleMachine(plan: project.plan)
        attempts = Dictionary(project.manifests.map { ($0.name, $0.retry.attempts) }, uniquingKeysWith: { _, last in last })
        for plan in project.book.rotations { rotations[plan.id] = WindowRotation(plan: plan) }
        // Bounded by what feeds it: one tick at a time is worth keeping, and each run and job ends once.
        (inputs, feed) = AsyncStream.makeStream(of: Input.self, bufferingPolicy: .unbounded)
    }

    /// Runs until `stop`.
    package func run() async {
        let feed = self.feed
        clock.onChange { feed.yield(.tick) }
        let timer = Timer(loop: loop) { feed.yield(.tick) }
        do {
            try await restore()
        } catch {
            telemetry.note(.error, "the schedules' state cannot be read", [("reason", .string("\(error)"))])
            return
        }
        feed.yield(.tick)
        for await input in inputs {
            if stopping { break }
            do {
                try await take(input)
                timer.set(try await tick())
            } catch {
                telemetry.note(.error, "the scheduler cannot write its journal", [("reason", .string("\(error)"))])
                timer.set(.seconds(1))
            }
        }
        timer.cancel()
    }

    /// Fires nothing more. The windows' runs are cancelled; their tokens are fenced by the next start.
    package func stop() async {
        stopping = true
        feed.finish()
        for run in runs.values { run.cancel() }
        for run in runs.values { await run.value }
    }

    /// A job that a schedule made is over.
    nonisolated package func jobEnded(_ id: String) {
        feed.yield(.jobEnded(id))
    }

    /// The coming runs, as the plan sees them from now.
    package func upcoming(_ count: Int, function: String?) -> SchedulePlan.Preview {
        machine.plan.next(count, for: function, after: clock.now)
    }

    /// How each rotation stands: window by window.
    package func windows() -> [(rotation: String, window: String, phase: String, token: UInt64?)] {
        rotations.sorted { $0.key < $1.key }.flatMap { id, rotation in
            rotation.plan.windows.map {
                (id, $0.name, rotation.phase(of: $0.name).rawValue, rotation.currentToken(of: $0.name))
            }
        }
    }

    // MARK: Facts

    private func restore() async throws {
        var committed: [String: Instant] = [:]
        for entry in book.entries {
            committed[entry.id] = try await journal.schedules.lastCommitted(entry.id)
        }
        _ = machine.react(to: .restored(lastCommitted: committed, running: [:]))
        for id in rotations.keys.sorted() {
            let text = try await journal.settings.rotation(id)?.stringValue
            let state = text.flatMap { RotationState(text: $0) } ?? RotationState()
            try await perform(rotations[id]?.react(to: .restored(state)) ?? [], of: id)
        }
    }

    private func take(_ input: Input) async throws {
        switch input {
        case .tick: break
        case .jobEnded(let id):
            guard let (schedule, nominal) = jobs.removeValue(forKey: id) else { return }
            _ = machine.react(to: .finished(id: schedule, nominal: nominal))
        case .runEnded(let run):
            runs[run] = nil
            _ = machine.react(to: .finished(id: run.schedule, nominal: run.nominal))
            try await drainIfDone(run.rotation, run.window, run.token)
        }
    }

    /// One look at the clock; returns how long to sleep.
    private func tick() async throws -> Duration {
        let now = clock.now
        var next = now + .seconds(30 * 24 * 3600)
        for id in rotations.keys.sorted() {
            try await perform(rotations[id]?.react(to: .tick(now: now)) ?? [], of: id)
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

    private func perform(_ actions: [WindowRotation.Action], of id: String) async throws {
        for action in actions {
            switch action {
            case .persist(let state):
                try await journal.settings.setRotation(id, .string(state.text))
            case .grant(let window, let token, let until):
                tokens.grant(id, window, token, until: until)
                _ = machine.react(to: .windowOpened(rotation: id, window: window, token: token))
                note("window opens", id, window, token, open: true)
            case .startDraining(let window, let token, _):
                _ = machine.react(to: .windowClosed(rotation: id, window: window))
                note("window drains", id, window, token, open: true)
                try await drainIfDone(id, window, token)
            case .revoke(let window, let token):
                tokens.revoke(id, token)
                _ = machine.react(to: .windowClosed(rotation: id, window: window))
                for (run, task) in runs where run.token == token && run.rotation == id { task.cancel() }
                note("window closes", id, window, token, open: false)
            case .planExpired(let error):
                telemetry.note(.error, "the calendar cannot answer", [("rotation", .string(id)), ("reason", .string(error.message))])
            }
        }
    }

    /// A draining window without a run is done.
    private func drainIfDone(_ id: String, _ window: String, _ token: UInt64) async throws {
        guard !runs.keys.contains(where: { $0.token == token && $0.rotation == id }),
            rotations[id]?.phase(of: window) == .draining
        else { return }
        try await perform(rotations[id]?.react(to: .drained(window: window, token: token)) ?? [], of: id)
    }

    private func perform(_ action: ScheduleMachine.Action, _ now: Instant) async throws {
        switch action {
        case .fire(let id, let nominal, let token):
            guard let entry = book.entries.first(where: { $0.id == id }) else { return }
            telemetry.metrics.add("swiftlet_schedule_runs_total", [id, "fired"])
            if case .window(let rotation, let window, _) = entry.kind, let token {
                let verdict = LedgerEntry(schedule: id, nominal: nominal, verdict: .fired)
                guard case .committed = try await journal.schedules.commit(verdict, now: now) else { return }
                begin(entry, Run(schedule: id, nominal: nominal, rotation: rotation, window: window, token: token))
            } else {
                try await accept(entry, nominal, now)
            }
        case .skip(let id, let nominal, let reason):
            telemetry.metrics.add("swiftlet_schedule_runs_total", [id, "skipped"])
            let verdict = LedgerEntry(schedule: id, nominal: nominal, verdict: .skipped, reason: reason.rawValue)
            _ = try await journal.schedules.commit(verdict, now: now)
        case .commit(let id, let nominal):
            try await journal.schedules.commit(id, nominal)
        case .wake:
            break
        case .fault(let id, let error):
            telemetry.note(.error, "a schedule rests", [("schedule", .string(id)), ("reason", .string(error.message))])
        }
    }

    /// Fires a schedule: its job and its verdict are one transaction.
    private func accept(_ entry: ScheduleEntry, _ nominal: Instant, _ now: Instant) async throws {
        let event = ScheduledEvent(schedule: entry.id, nominal: nominal)
        let body = try book.inputs[entry.id]?.bytes() ?? JSONCoder.encode(event)
        let job = NewJob(
            function: entry.function,
            body: body,
            trigger: "schedule",
            maxAttempts: attempts[entry.function] ?? 1
        )
        let verdict = LedgerEntry(schedule: entry.id, nominal: nominal, verdict: .fired)
        guard case .committed = try await journal.schedules.commit(verdict, job: job, now: now) else { return }
        jobs[job.id] = (entry.id, nominal)
    }

    private func begin(_ entry: ScheduleEntry, _ run: Run) {
        let until = (try? rotations[run.rotation]?.plan.span(of: run.window, endingAfter: clock.now))?.closes
        let event = ScheduledEvent(schedule: run.schedule, nominal: run.nominal, window: run.window, until: until)
        guard let body = try? JSONCoder.encode(event) else { return }
        let invocation = Invocation(
            function: entry.function,
            event: Event(kind: .schedule, body: body),
            fencingToken: run.token,
            trigger: "schedule"
        )
        runs[run] = Task { [dispatching, loop, feed] in
            _ = await dispatching.collect(invocation, on: loop)
            feed.yield(.runEnded(run))
        }
    }

    private func note(_ message: String, _ rotation: String, _ window: String, _ token: UInt64, open: Bool) {
        telemetry.metrics.set("swiftlet_window_open", [rotation, window], to: open ? 1 : 0)
        let fields: [(String, JSON)] = [
            ("rotation", .string(rotation)), ("window", .string(window)), ("token", .integer(Int64(clamping: token))),
        ]
        telemetry.note(.info, message, fields)
    }
}
