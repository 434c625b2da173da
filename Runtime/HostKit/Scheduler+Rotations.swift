import FunctionCore
import Invocations
import Journal
import NIOCore
import Observe
import Scheduling

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
        guard rotations[rotation]?.phase(of: window) == .open,
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
    package func windows() -> [(rotation: String, window: String, phase: String, token: UInt64?)] {
        rotations.sorted { $0.key < $1.key }.flatMap { id, rotation in
            rotation.plan.windows.map {
                (id, $0.name, rotation.phase(of: $0.name).rawValue, rotation.currentToken(of: $0.name))
            }
        }
    }

    func perform(_ actions: [WindowRotation.Action], of id: String) async throws {
        for action in actions {
            switch action {
            case .persist(let state):
                try await journal.settings.setRotation(id, .string(state.text))
            case .grant(let window, let token, let until):
                tokens.grant(id, token, until: until)
                _ = machine.react(to: .windowOpened(rotation: id, window: window, token: token))
                note("window opens", id, window, token, open: true)
            case .startDraining(let window, let token, let until):
                tokens.shorten(id, token, until: until)
                _ = machine.react(to: .windowClosed(rotation: id, window: window))
                note("window drains", id, window, token, open: true)
            case .revoke(let window, let token):
                tokens.revoke(id, token)
                _ = machine.react(to: .windowClosed(rotation: id, window: window))
                for (run, task) in runs where run.token == token && run.rotation == id { task.cancel() }
                note("window closes", id, window, token, open: false)
            case .planExpired(let error):
                telemetry.note(
                    .error,
                    "the calendar cannot answer",
                    [("rotation", .string(id)), ("reason", .string(error.message))]
                )
            }
        }
    }

    /// A draining window without a run is done; whether that was so.
    func drainIfDone(_ id: String) async throws -> Bool {
        guard let holder = rotations[id]?.state.holder, holder.isDraining,
            !runs.keys.contains(where: { $0.token == holder.token && $0.rotation == id })
        else { return false }
        let done = WindowRotation.Fact.drained(window: holder.window, token: holder.token)
        try await perform(rotations[id]?.react(to: done) ?? [], of: id)
        return true
    }

    /// Begins a run of a window; nil once the scheduler stops.
    func begin(_ run: Run, _ invocation: Invocation) -> Task<CollectedReply?, Never>? {
        if stopping { return nil }
        // What the end of the last window has cancelled must be gone: two windows never run at once.
        let earlier = runs.filter { $0.key.rotation == run.rotation && $0.key.token != run.token }.map(
            \.value
        )
        let task = Task { [dispatching, loop, feed] () -> CollectedReply? in
            defer { feed.yield(.runEnded(run)) }
            for task in earlier { _ = await task.value }
            return Task.isCancelled ? nil : await dispatching.collect(invocation, on: loop)
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
