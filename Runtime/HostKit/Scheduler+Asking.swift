import FunctionCore
import Invocations
import Journal
import Scheduling

/// What the operator asks the scheduler.
extension Scheduler {
    /// How a schedule stands.
    struct Standing: Sendable {
        var entry: ScheduleEntry
        var state: ScheduleState
        var running: Int
        var waiting: Int
        var next: Instant?
    }

    func standings(of entries: [ScheduleEntry]) -> [Standing] {
        let now = clock.now
        return entries.map { entry in
            Standing(
                entry: entry,
                state: machine.state(of: entry.id) ?? ScheduleState(),
                running: machine.running(entry.id).count,
                waiting: machine.waiting(entry.id).count,
                next: (try? machine.plan.next(of: entry, after: now))?.instant
            )
        }
    }

    /// The coming runs from now, as the plan sees them, of a function or a schedule, or of all.
    package func upcoming(
        _ count: Int,
        of name: String? = nil,
        until: Instant? = nil
    ) -> SchedulePlan.Preview {
        machine.plan.next(count, for: name, after: clock.now, until: until)
    }

    func pause(_ id: String, note: String) async throws {
        try await setPause(id, note)
    }

    func resume(_ id: String) async throws {
        try await setPause(id, nil)
    }

    /// Has a schedule run now, by its overlap policy.
    func trigger(_ entry: ScheduleEntry) async throws -> [ScheduleDecision] {
        try refuseWindow(entry, "invoke its function instead, with `swiftlet invoke \(entry.function)`")
        let now = clock.now
        var nominal = now
        // A time of its own, also where the clock stands still.
        while true {
            let known = try await journal.schedules.entry(entry.id, nominal)
            if known == nil, !machine.isPlanned(nominal, entry.id) { break }
            nominal = nominal + .nanoseconds(1)
        }
        return try await command(.triggered(id: entry.id, nominal: nominal, now: now)).decisions
    }

    /// Has a schedule run for those of its past times in a range that had no run.
    func backfill(
        _ entry: ScheduleEntry,
        _ range: ClosedRange<Instant>
    ) async throws -> [ScheduleDecision] {
        try refuseWindow(entry, "a window's run belongs to its window")
        let now = clock.now
        let taken = try await journal.schedules.taken(entry.id, in: range)
        let room = ScheduleMachine.bufferLimit - machine.waiting(entry.id).count
        // Times that lie ahead have their turn without being asked for.
        let end = min(range.upperBound, machine.state(of: entry.id)?.mark ?? now, now)
        var times: [Instant] = []
        var cursor = range.lowerBound - .nanoseconds(1)
        do throws(SchedulingError) {
            while let next = try machine.plan.next(of: entry, after: cursor), next.instant <= end {
                cursor = next.instant
                if !next.isExcluded, !taken.contains(cursor) { times.append(cursor) }
                guard times.count <= room else {
                    let message = "more than \(room) times would wait; ask for a shorter range"
                    throw SchedulingError(.scheduleInvalid, message)
                }
            }
        } catch {
            throw FunctionError.invalid("from", "range", error.message)
        }
        return try await command(.backfilled(id: entry.id, times: times, now: now)).decisions
    }

    private func refuseWindow(_ entry: ScheduleEntry, _ remedy: String) throws {
        guard case .window = entry.kind else { return }
        throw FunctionError.conflict("window_schedule", "\(entry.id) follows a window: \(remedy)")
    }

    /// What became of one nominal time, and for what reason.
    func why(_ entry: ScheduleEntry, _ nominal: Instant) async throws -> JSONObject {
        var chain: [ScheduleLedger.Entry] = []
        var time: Instant? = nominal
        // A time may be coalesced into one that was coalesced itself; the last one had the say.
        while let at = time, chain.count < 100, let row = try await journal.schedules.entry(entry.id, at) {
            chain.append(row)
            time = nil
            if case .coalesced(let into) = row.decision.verdict { time = into }
        }
        guard let first = chain.first, case .object(var told) = first.json else {
            return [
                "schedule": .string(entry.id), "nominal": .string(nominal.rfc3339),
                "verdict": "none", "text": .string(whyNot(entry, nominal)),
            ]
        }
        told["text"] = .string(first.sentence)
        told["chain"] = .array(chain.dropFirst().map(\.json))
        if let id = chain.last?.job, let job = try await journal.jobs.job(id) {
            told["job"] = ["id": .string(id), "state": .string(job.state.rawValue)]
        }
        return told
    }

    /// Why the ledger has nothing of a time.
    private func whyNot(_ entry: ScheduleEntry, _ nominal: Instant) -> String {
        guard machine.isPlanned(nominal, entry.id) else {
            let next = (try? machine.plan.next(of: entry, after: nominal))?.instant.rfc3339 ?? "none"
            return "it is none of the schedule's times (\(entry.kind.text)); the next one is \(next)"
        }
        if nominal > clock.now { return "it lies ahead" }
        if let mark = machine.state(of: entry.id)?.mark, nominal <= mark {
            return "the schedule began after it, was changed after it, or its row was pruned"
        }
        return "it is being decided: it waits for its window, its jitter, or the next look"
    }
}

extension [ScheduleMachine.Action] {
    /// What was decided.
    fileprivate var decisions: [ScheduleDecision] {
        compactMap { action in
            if case .decide(let decision) = action { decision } else { nil }
        }
    }
}
