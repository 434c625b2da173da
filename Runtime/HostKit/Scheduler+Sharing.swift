import FunctionCore
import Journal
import Scheduling

/// What hosts with the same schedules and one Redis have in common of them: pauses, and how many runs there were
/// of a schedule that has so many in all.
extension Scheduler {
    /// What this host and Redis agreed on when it last looked.
    struct Agreed: Sendable {
        /// The notes of what is paused.
        var pauses: [String: String] = [:]
        /// The version of what was looked at; nil before the first look.
        var version: Int64?
    }

    /// Tells the others what was paused here, and takes over what they have said.
    ///
    /// Only what has changed is told, and what another host says last counts. At the first look Redis goes
    /// before this host's own file, which may be days old.
    func share() async throws {
        guard let shared = journal.sharedSchedules, isRestored else { return }
        let own = machine.pauses
        let changed = Set(own.keys).union(agreed.pauses.keys).filter { own[$0] != agreed.pauses[$0] }
        for id in changed.subtracting(wishes).sorted() {
            if agreed.version != nil {
                try await shared.setPause(id, own[id])
            } else if let note = own[id] {
                try await shared.offerPause(id, note)
            }
            agreed.pauses[id] = own[id]
        }
        let version = try await shared.version()
        guard version != agreed.version else { return }
        let pauses = try await shared.pauses()
        // What is being asked for here is looked at when it has been done.
        guard wishes.isDisjoint(with: pauses.keys) else { return }
        for (id, note) in pauses {
            // Others may have schedules that this host has not.
            guard let state = machine.state(of: id) else { continue }
            let note = note.isEmpty ? nil : note
            agreed.pauses[id] = note
            guard state.pause != note else { continue }
            _ = try await command(note.map { .paused(id: id, note: $0) } ?? .resumed(id: id))
        }
        try await countRuns(shared)
        agreed.version = version
    }

    /// Has a schedule paused, or go on, here and on all hosts.
    /// - Throws: where the others cannot be told: then nothing changes anywhere.
    func setPause(_ id: String, _ note: String?) async throws {
        wishes.insert(id)
        defer { wishes.remove(id) }
        if let shared = journal.sharedSchedules {
            try await shared.setPause(id, note)
            agreed.pauses[id] = note
        }
        _ = try await command(note.map { .paused(id: id, note: $0) } ?? .resumed(id: id))
    }

    private func countRuns(_ shared: SharedSchedules) async throws {
        let entries = machine.plan.entries.filter { $0.policy.remaining != nil }.map {
            SharedSchedules.Counted(schedule: $0.id, runs: machine.state(of: $0.id)?.runs ?? 0)
        }
        let counts = try await shared.runs(of: entries)
        for (entry, runs) in zip(entries, counts) where machine.state(of: entry.schedule)?.runs != runs {
            // What is decided and not yet told is in no count.
            guard try await journal.jobOutbox?.pending(limit: 1).isEmpty ?? true else { return }
            _ = try await command(.counted(id: entry.schedule, runs: runs))
        }
    }
}
