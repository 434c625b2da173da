import FunctionCore
import Invocations
import Journal
import NIOCore
import Observe
import Scheduling
import WorkerPool

/// What the scheduler does for the windows that take turns.
extension Scheduler {
    /// Runs a window's function by hand, as one of the window's runs; nil where the window is not open.
    ///
    /// Cancelling the task cancels the run.
    package func invoke(
        _ invocation: Invocation,
        rotation: String,
        window: String
    ) async -> CollectedReply? {
        guard rotations[rotation]?.stage(of: window) == .open,
            let token = rotations[rotation]?.currentToken(of: window),
            // What is granted and not yet durable is not current.
            tokens.isCurrent(invocation.function, token)
        else { return nil }
        let run = Run(
            schedule: "by hand, \(invocation.id)",
            nominal: clock.now,
            rotation: rotation,
            window: window,
            token: token
        )
        var invocation = invocation
        invocation.fencingToken = token
        guard let task = begin(run, invocation) else { return nil }
        return await withTaskCancellationHandler {
            await task.value ?? CollectedReply(outcome: .cancelled)
        } onCancel: {
            task.cancel()
        }
    }

    /// How each rotation stands: window by window.
    package func windows() -> [(rotation: String, window: String, stage: String, token: UInt64?)] {
        rotations.sorted { $0.key < $1.key }.flatMap { id, rotation in
            rotation.plan.windows.map {
                (id, $0.name, rotation.stage(of: $0.name).rawValue, rotation.currentToken(of: $0.name))
            }
        }
    }

    func perform(_ actions: [WindowRotation.Action], of id: String) async throws {
        for action in actions {
            switch action {
            case .persist(let state, let event):
                let row = RotationRow(event)
                guard try await journal.rotations.record(id, state.text, row) else {
                    return abandon(id, "another host took it over")
                }
            case .warm(let window, _): function(id, window).map { warmth?.keepWarm($0) }
            case .grant(let window, let token, let until):
                tokens.grant(id, token, until: until)
                // Its first run comes now.
                function(id, window).map { warmth?.letCool($0) }
                _ = machine.react(to: .windowOpened(rotation: id, window: window, token: token))
                note("window opens", id, window, token, open: true)
            case .extend(_, let token, let until): tokens.grant(id, token, until: until)
            case .cutOff(let window, let token, let until):
                tokens.shorten(id, token, until: until)
                _ = machine.react(to: .windowClosed(rotation: id, window: window))
                note("window drains", id, window, token, open: true)
            case .cancel(_, let token): cancelRuns(of: id, token)
            case .checkpoint(let window, let token, let deadline):
                beginCheckpoint(Checkpoint(rotation: id, window: window, token: token), deadline)
            case .revoke(let window, let token): endWindow(id, window, token)
            case .late(let window, let opens):
                telemetry.metrics.add("swiftlet_window_late_total", [id, window])
                telemetry.note(
                    .error,
                    "a window has not opened in its time",
                    [
                        ("rotation", .string(id)), ("window", .string(window)),
                        ("opens", .string(opens.rfc3339)),
                    ]
                )
            case .planExpired(let error):
                telemetry.note(
                    .error,
                    "the calendar cannot answer",
                    [("rotation", .string(id)), ("reason", .string(error.message))]
                )
            }
        }
    }

    /// Past its cutoff a window without a run is done; whether that was so.
    func drainIfDone(_ id: String) async throws -> Bool {
        guard let holder = rotations[id]?.state.holder, [.cutoff, .draining].contains(holder.stage),
            !runs.keys.contains(where: { $0.token == holder.token && $0.rotation == id })
        else { return false }
        let done = WindowRotation.Fact.drained(window: holder.window, token: holder.token, at: clock.now)
        try await perform(rotations[id]?.react(to: done) ?? [], of: id)
        return true
    }

    /// Takes a window's token: nothing more begins, and what runs is cancelled.
    func endWindow(_ id: String, _ window: String, _ token: UInt64) {
        tokens.revoke(id, token)
        _ = machine.react(to: .windowClosed(rotation: id, window: window))
        cancelRuns(of: id, token)
        for (checkpoint, task) in checkpoints where checkpoint.rotation == id { task.cancel() }
        function(id, window).map { warmth?.rest($0) }
        note("window closes", id, window, token, open: false)
    }

    private func cancelRuns(of rotation: String, _ token: UInt64) {
        for (run, task) in runs where run.token == token && run.rotation == rotation { task.cancel() }
    }

    private func function(_ rotation: String, _ window: String) -> String? {
        book.entries.first { $0.kind.isOf(rotation, window) }?.function
    }

    // MARK: Hand-over

    /// The last event under a window's token.
    struct Checkpoint: Sendable, Hashable {
        var rotation: String
        var window: String
        var token: UInt64
    }

    /// The longest reply to a `checkpoint` that is handed over, in bytes.
    static let handoverMax = 64 << 10

    private func beginCheckpoint(_ checkpoint: Checkpoint, _ deadline: Instant) {
        let event = ScheduledEvent(
            schedule: "\(checkpoint.rotation).\(checkpoint.window)",
            nominal: clock.now,
            window: checkpoint.window,
            until: deadline
        )
        guard !stopping, let function = function(checkpoint.rotation, checkpoint.window),
            let body = try? JSONCoder.encode(event)
        else {
            inbox.put(.checkpointed(checkpoint, nil))
            return
        }
        let invocation = Invocation(
            function: function,
            event: Event(kind: .schedule, operation: "checkpoint", body: body),
            fencingToken: checkpoint.token,
            trigger: "schedule"
        )
        checkpoints[checkpoint] = Task { [dispatching, loop, inbox] in
            let reply = await dispatching.collect(invocation, on: loop)
            inbox.put(.checkpointed(checkpoint, reply))
        }
    }

    func checkpointed(_ checkpoint: Checkpoint, _ reply: CollectedReply?) async throws {
        checkpoints[checkpoint] = nil
        var text: String?
        if let reply, case .replied = reply.outcome, reply.status < 300,
            reply.body.count <= Scheduler.handoverMax
        {
            text = reply.body.text
        } else {
            let fields: [(String, JSON)] = [
                ("rotation", .string(checkpoint.rotation)), ("window", .string(checkpoint.window)),
                ("outcome", .string(reply.map { "\($0.outcome)" } ?? "not begun")),
            ]
            telemetry.note(.warning, "a checkpoint failed; nothing is handed over", fields)
        }
        let fact = WindowRotation.Fact.checkpointed(
            window: checkpoint.window,
            token: checkpoint.token,
            text: text,
            at: clock.now
        )
        try await perform(rotations[checkpoint.rotation]?.react(to: fact) ?? [], of: checkpoint.rotation)
    }

    /// Begins a run of a window; nil once the scheduler stops.
    func begin(_ run: Run, _ invocation: Invocation) -> Task<CollectedReply?, Never>? {
        if stopping { return nil }
        // What the end of the last window has cancelled must be gone: two windows never run at once.
        let earlier = runs.filter { $0.key.rotation == run.rotation && $0.key.token != run.token }.map(
            \.value
        )
        let checkpoints = checkpoints.filter { $0.key.rotation == run.rotation }.map(\.value)
        let task = Task { [dispatching, loop, inbox] () -> CollectedReply? in
            for task in earlier { _ = await task.value }
            for task in checkpoints { await task.value }
            let reply = Task.isCancelled ? nil : await dispatching.collect(invocation, on: loop)
            inbox.put(.runEnded(run, ScheduleMachine.RunEnd(reply?.outcome ?? .cancelled)))
            return reply
        }
        runs[run] = task
        return task
    }

    private func note(_ message: String, _ rotation: String, _ window: String, _ token: UInt64, open: Bool) {
        telemetry.metrics.set("swiftlet_window_open", [rotation, window], to: open ? 1 : 0)
        let fields: [(String, JSON)] = [
            ("rotation", .string(rotation)), ("window", .string(window)),
            ("token", .integer(Int64(clamping: token))),
        ]
        telemetry.note(.info, message, fields)
    }
}

/// Whoever can have a function's worker ready before anything arrives.
package protocol Warmth: Sendable {
    /// Keeps a worker of the function ready.
    func keepWarm(_ function: String)
    /// Leaves the function's workers to its idle time again.
    func letCool(_ function: String)
    /// Lets the function's idle workers go at once.
    func rest(_ function: String)
}

extension PoolDispatcher: Warmth {}

extension RotationRow {
    init(_ event: RotationEvent) {
        self.init(
            kind: event.kind.rawValue,
            window: event.window,
            token: event.token,
            at: event.at,
            opens: event.opens,
            hardStop: event.hardStop,
            reason: event.reason?.rawValue
        )
    }
}

extension RotationEvent {
    /// What a row tells; nil where another version wrote what this one does not know.
    package init?(_ row: RotationRow) {
        guard let kind = Kind(rawValue: row.kind) else { return nil }
        self.init(
            kind,
            window: row.window,
            token: row.token,
            at: row.at,
            opens: row.opens,
            hardStop: row.hardStop,
            reason: row.reason.flatMap { Reason(rawValue: $0) }
        )
    }
}

extension ScheduleEntry.Kind {
    fileprivate func isOf(_ rotation: String, _ window: String) -> Bool {
        if case .window(rotation, window, _) = self { true } else { false }
    }
}
