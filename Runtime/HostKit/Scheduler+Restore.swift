import FunctionCore
import Invocations
import Journal
import Observe
import Scheduling

/// What the scheduler knows when it begins: the project's schedules, and from the journal what has been run.
extension Scheduler {
    func restore() async throws {
        jobs = [:]
        let books = try await journal.schedules.load()
        _ = machine.react(to: .restored(books.stored))
        for run in books.open {
            let fact: (ScheduleMachine.RunEnd) -> ScheduleMachine.Fact = {
                .finished(id: run.schedule, nominal: run.nominal, $0)
            }
            if let end = run.end {
                pending += machine.react(to: fact(end))
            } else if let job = run.job {
                jobs[job] = (run.schedule, run.nominal)
            } else if !runs.keys.contains(where: { $0.schedule == run.schedule && $0.nominal == run.nominal })
            {
                // A window's run ends with its host.
                pending += machine.react(to: fact(.cancelled))
            }
        }
    }

    func restore(rotation id: String) async throws {
        let kept = try await journal.rotations.state(of: id)
        guard let state = kept.map({ RotationState(text: $0) }) ?? RotationState() else {
            // To begin anew would give out tokens that were given before.
            let fields: [(String, JSON)] = [("rotation", .string(id))]
            return telemetry.note(
                .error,
                "the rotation's state is unreadable; its windows stay closed",
                fields
            )
        }
        try await perform(rotations[id]?.react(to: .restored(state, at: clock.now)) ?? [], of: id)
    }

    /// Goes by another project: where its schedules differ all is read from the journal again, and runs under
    /// way count as ever.
    func goBy(_ project: Project) {
        manifests = Scheduler.manifests(project)
        guard project.book != book else { return }
        let plans = Dictionary(project.book.rotations.map { ($0.id, $0) }) { _, last in last }
        book = project.book
        // Which schedules there are is another question now; Redis has the answers for those that come back.
        agreed = Agreed()
        machine = ScheduleMachine(plan: project.plan)
        for (id, plan) in plans {
            guard rotations[id] != nil else {
                rotations[id] = WindowRotation(plan: plan)
                continue
            }
            // What is open goes on, or is cut off where the new plan has it closed.
            _ = rotations[id]?.react(to: .replanned(plan))
            guard let holder = rotations[id]?.state.holder, holder.stage == .open else { continue }
            _ = machine.react(
                to: .windowOpened(rotation: id, window: holder.window, token: holder.token)
            )
        }
        isRestored = false
    }

    /// Tells people and metrics of what was done.
    func tell(_ action: ScheduleMachine.Action) {
        let metrics = telemetry.metrics
        switch action {
        case .decide(let decision): tell(decision)
        case .stop(let id, _): metrics.add("swiftlet_schedule_cancelled_total", [id])
        case .fault(let id, let error):
            let fields: [(String, JSON)] = [("schedule", .string(id)), ("reason", .string(error.message))]
            telemetry.note(.error, "a schedule rests", fields)
        case .clockStepped(let from, let to):
            let fields: [(String, JSON)] = [("from", .string(from.rfc3339)), ("to", .string(to.rfc3339))]
            telemetry.note(.warning, "the clock was put forward; missed times are caught up with", fields)
        case .keep, .end, .begin, .wake: break
        }
    }

    private func tell(_ decision: ScheduleDecision) {
        let metrics = telemetry.metrics
        let id = decision.id
        if decision.verdict != .waiting {
            metrics.add("swiftlet_schedule_runs_total", [id, decision.verdict.name])
        }
        switch decision.verdict {
        case .run: metrics.observe("swiftlet_schedule_lateness_seconds", [id], clock.now - decision.due)
        case .skipped(let reason): metrics.add("swiftlet_schedule_skipped_total", [id, reason.rawValue])
        case .missed(let reason): metrics.add("swiftlet_schedule_missed_total", [id, reason.rawValue])
        case .waiting, .coalesced: break
        }
        switch decision.verdict {
        case .waiting, .skipped(.overlap), .missed(.bufferFull):
            if decision.cause != .backfill { metrics.add("swiftlet_schedule_overlaps_total", [id]) }
        default: break
        }
    }

    static func manifests(_ project: Project) -> [String: Manifest] {
        Dictionary(
            project.manifests.map { ($0.name, $0) },
            uniquingKeysWith: { _, last in last }
        )
    }
}
