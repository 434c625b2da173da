import FunctionCore

/// All schedules of a host, and the rotations some of them follow.
package struct SchedulePlan: Sendable, Hashable {
    /// A time at which an entry is due.
    package struct Nominal: Sendable, Hashable {
        package let instant: Instant
        /// The close of the window the run belongs to, if its entry follows one.
        package let windowCloses: Instant?
    }

    /// A row of a preview.
    package struct Upcoming: Sendable, Hashable {
        package let instant: Instant
        package let id: String
        package let function: String
        /// The window it belongs to.
        package let window: String?
    }

    /// The next runs, and what kept a preview from showing more.
    package struct Preview: Sendable, Hashable {
        package let upcoming: [Upcoming]
        package let faults: [SchedulingError]
    }

    /// A preview shows no more rows than this.
    package static let previewLimit = 1_000

    package let entries: [ScheduleEntry]
    package let rotations: [String: RotationPlan]

    /// - Throws: `schedule_invalid`, listing everything that is wrong.
    package init(entries: [ScheduleEntry], rotations: [RotationPlan] = []) throws(SchedulingError) {
        self.entries = entries
        self.rotations = Dictionary(rotations.map { ($0.id, $0) }) { first, _ in first }
        var problems: [String] = []
        for (kind, ids) in [("schedule", entries.map(\.id)), ("rotation", rotations.map(\.id))] {
            var seen: Set<String> = []
            for id in ids where !seen.insert(id).inserted {
                problems.append("\(kind) \(id) is there twice: rename one")
            }
        }
        for entry in entries { problems += SchedulePlan.problems(of: entry, self.rotations) }
        guard problems.isEmpty else {
            throw SchedulingError(.scheduleInvalid, problems.joined(separator: "; "))
        }
    }

    /// The first time after an instant at which an entry is due; `nil` if there is none.
    package func next(of entry: ScheduleEntry, after instant: Instant) throws(SchedulingError) -> Nominal? {
        switch entry.kind {
        case .cron(let expression, let zone):
            return expression.next(after: instant, zone: zone).map { Nominal(instant: $0, windowCloses: nil) }
        case .every(let schedule):
            return schedule.next(after: instant).map { Nominal(instant: $0, windowCloses: nil) }
        case .window(let rotation, let window, let interval):
            guard let plan = rotations[rotation] else {
                throw SchedulingError(
                    .scheduleInvalid,
                    "schedule \(entry.id): rotation \(rotation) is not there: add it"
                )
            }
            let span = try plan.span(of: window, endingAfter: instant)
            if span.opens > instant { return Nominal(instant: span.opens, windowCloses: span.closes) }
            if let interval {
                let next = EverySchedule(interval: interval, anchor: span.opens).next(after: instant)
                if let next, next < span.closes { return Nominal(instant: next, windowCloses: span.closes) }
            }
            let following = try plan.span(of: window, endingAfter: span.closes)
            return Nominal(instant: following.opens, windowCloses: following.closes)
        }
    }

    /// The next times at which a function's entries, or all, are due: what the machine would do, without
    /// catching up.
    package func next(_ count: Int, for function: String? = nil, after instant: Instant) -> Preview {
        var cursors: [(entry: ScheduleEntry, nominal: Nominal)] = []
        var faults: [SchedulingError] = []
        func cursor(_ entry: ScheduleEntry, after instant: Instant) -> Nominal? {
            do throws(SchedulingError) {
                return try next(of: entry, after: instant)
            } catch {
                faults.append(error)
                return nil
            }
        }
        for entry in entries where function == nil || entry.function == function {
            if let nominal = cursor(entry, after: instant) { cursors.append((entry, nominal)) }
        }
        var upcoming: [Upcoming] = []
        while upcoming.count < min(count, SchedulePlan.previewLimit) {
            let earliest = cursors.indices.min {
                (cursors[$0].nominal.instant, cursors[$0].entry.id)
                    < (cursors[$1].nominal.instant, cursors[$1].entry.id)
            }
            guard let earliest else { break }
            let (entry, nominal) = cursors[earliest]
            var name: String?
            if case .window(_, let window, _) = entry.kind { name = window }
            upcoming.append(
                Upcoming(instant: nominal.instant, id: entry.id, function: entry.function, window: name)
            )
            if let following = cursor(entry, after: nominal.instant) {
                cursors[earliest].nominal = following
            } else {
                cursors.remove(at: earliest)
            }
        }
        return Preview(upcoming: upcoming, faults: faults)
    }

    private static func problems(of entry: ScheduleEntry, _ rotations: [String: RotationPlan]) -> [String] {
        var problems: [String] = []
        if case .all(let max) = entry.catchUp, !(1...ScheduleMachine.passLimit ~= max) {
            problems.append(
                "schedule \(entry.id), catchUp: \(max) is not within 1 to \(ScheduleMachine.passLimit): "
                    + "change it"
            )
        }
        guard case .window(let rotation, let window, let interval) = entry.kind else { return problems }
        if let interval, interval < .seconds(1) {
            problems.append("schedule \(entry.id), every: shorter than 1s: lengthen it")
        }
        if let plan = rotations[rotation] {
            if !plan.windows.contains(where: { $0.name == window }) {
                let names = plan.windows.map(\.name).joined(separator: ", ")
                problems.append(
                    "schedule \(entry.id), window: rotation \(rotation) has no window \(window): "
                        + "write one of \(names)"
                )
            }
        } else {
            problems.append(
                "schedule \(entry.id), rotation: there is no rotation \(rotation): add it or correct the name"
            )
        }
        return problems
    }
}
