import FunctionCore
import Invocations
import Journal
import Scheduling

/// What the scheduler knows when it begins: the project's schedules, and from the journal what has been run.
extension Scheduler {
    func restore() async throws {
        var committed: [String: Instant] = [:]
        var running: [String: [Instant]] = [:]
        for run in runs.keys { running[run.schedule, default: []].append(run.nominal) }
        for entry in book.entries {
            committed[entry.id] = try await journal.schedules.lastCommitted(entry.id)
            let filter = JobFilter(
                function: entry.function,
                states: [.queued, .running, .retryWait],
                limit: Scheduler.openJobs
            )
            let open = Set(try await journal.jobs.list(filter).map(\.id))
            if open.isEmpty { continue }
            for decided in try await journal.schedules.entries(entry.id, limit: 1000) {
                guard let job = decided.job, open.contains(job) else { continue }
                jobs[job] = (entry.id, decided.nominal)
                running[entry.id, default: []].append(decided.nominal)
            }
        }
        _ = machine.react(to: .restored(lastCommitted: committed, running: running))
        for id in rotations.keys.sorted() { try await restore(rotation: id) }
    }

    private func restore(rotation id: String) async throws {
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
        book = project.book
        machine = ScheduleMachine(plan: project.plan)
        rotations = Dictionary(
            book.rotations.map { ($0.id, WindowRotation(plan: $0)) },
            uniquingKeysWith: { _, last in last }
        )
        jobs = [:]
        isRestored = false
    }

    static func manifests(_ project: Project) -> [String: Manifest] {
        Dictionary(
            project.manifests.map { ($0.name, $0) },
            uniquingKeysWith: { _, last in last }
        )
    }
}
