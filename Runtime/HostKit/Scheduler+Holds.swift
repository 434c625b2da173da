import FunctionCore
import Journal
import Scheduling

/// Of several hosts one lets the windows of a rotation take turns: the one that holds it.
///
/// A holder counts its hold from before it asked, and stops a fifth before its end by its own clock, which goes on while the machine is suspended: its
/// tokens are worth nothing and what runs is cancelled, whether or not it can still reach the others.
extension Scheduler {
    /// A third of a lease may pass between two looks, so that one that fails does not lose it.
    var longestSleep: Duration {
        guard let lease = journal.rotations.lease, !rotations.isEmpty else { return Scheduler.sleepMax }
        let now = BootTime.now
        // What can no longer be renewed is left at its end, not at the look after it.
        let ends = holds.values.filter { $0 > now }.map { $0 - now }.min()
        return min(lease / 3, ends ?? lease / 3)
    }

    /// Whether this host may act for a rotation now; reads how it stands where another one may have acted.
    func hold(_ id: String) async throws -> Bool {
        guard let lease = journal.rotations.lease else {
            if !held.contains(id) { try await restore(rotation: id) }
            held.insert(id)
            return true
        }
        let asked = BootTime.now
        // Renewed a moment ago: a look at every job's end needs no answer from Redis.
        if held.contains(id), let end = holds[id], end - asked > lease * 3 / 5 { return true }
        do {
            guard case .mine(let isNew) = try await journal.rotations.hold(id) else {
                abandon(id, "another host holds it")
                return false
            }
            tokens.hold(id, until: asked + lease * 4 / 5)
            holds[id] = asked + lease * 4 / 5
            if isNew || !held.contains(id) {
                try await restore(rotation: id)
                held.insert(id)
                let fields: [(String, JSON)] = [("rotation", .string(id))]
                telemetry.note(.info, "this host lets the windows take turns", fields)
            }
            return true
        } catch {
            // What is held goes on until its end, but nothing new begins, as it could not be written down.
            if asked >= holds[id] ?? asked { abandon(id, "\(error)") }
            return false
        }
    }

    /// Ends the windows of rotations that another project has not, and leaves what other hosts have of them.
    func endRotations(notOf project: Project) async throws {
        let ids = Set(project.book.rotations.map(\.id))
        for id in rotations.keys.sorted() where !ids.contains(id) {
            if held.contains(id) {
                try await perform(rotations[id]?.react(to: .removed(at: clock.now)) ?? [], of: id)
                await journal.rotations.release(id)
            }
            held.remove(id)
            holds[id] = nil
            rotations[id] = nil
        }
    }

    /// Leaves all that is held to the next host.
    func releaseHolds() async {
        guard journal.rotations.lease != nil else { return }
        for id in held {
            abandon(id, "this host stops")
            await journal.rotations.release(id)
        }
    }

    /// Stops acting for a rotation: what this host has of it counts no more.
    func abandon(_ id: String, _ why: String) {
        guard held.remove(id) != nil, let plan = rotations[id]?.plan else { return }
        let fields: [(String, JSON)] = [("rotation", .string(id)), ("reason", .string(why))]
        telemetry.note(.warning, "this host no longer lets the windows take turns", fields)
        if let holder = rotations[id]?.state.holder { endWindow(id, holder.window, holder.token) }
        rotations[id] = WindowRotation(plan: plan)
    }
}
