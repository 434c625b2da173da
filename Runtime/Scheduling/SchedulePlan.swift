import FunctionCore

/// All schedules of a host, and the rotations some of them follow.
package struct SchedulePlan: Sendable, Hashable {
    /// A time at which an entry is due.
    package struct Nominal: Sendable, Hashable {
        package let instant: Instant
        /// The close of the window or session it belongs to, where its run is bound to one.
        package let windowCloses: Instant?
        /// When it is to run: the nominal time and its jitter.
        package let due: Instant
        /// It is left out by the entry's limits.
        package let isExcluded: Bool
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
    /// How many excluded times a preview passes over before it gives an entry up.
    private static let searchLimit = 86_400

    package let entries: [ScheduleEntry]
    package let rotations: [String: RotationPlan]

    /// - Throws: `schedule_invalid`, listing everything that is wrong.
    package init(entries: [ScheduleEntry], rotations: [RotationPlan] = []) throws(SchedulingError) {
        self.entries = entries
        self.rotations = Dictionary(rotations.map { ($0.id, $0) }) { first, _ in first }
        var problems: [String] = []
        for (kind, ids) in [("schedule", entries.map(\.id)), ("rotation", rotations.map(\.id))] {
            var seen = Set<String>(minimumCapacity: ids.count)
            for id in ids where !seen.insert(id).inserted {
                problems.append("\(kind) \(id) is there twice: rename one")
            }
        }
        for entry in entries { problems += entry.problems(self.rotations) }
        guard problems.isEmpty else {
            throw SchedulingError(.scheduleInvalid, problems.joined(separator: "; "))
        }
    }

    /// The first time after an instant at which an entry is due; `nil` if there is none.
    package func next(of entry: ScheduleEntry, after instant: Instant) throws(SchedulingError) -> Nominal? {
        let limits = entry.limits
        guard let (time, closes) = try time(of: entry, after: instant) else { return nil }
        var due = time
        if limits.jitter > .zero {
            // Where nothing follows, as after the last time of a calendar, only the jitter's own length counts.
            var room = limits.jitter
            if let following = (try? self.time(of: entry, after: time))?.0 {
                room = min(room, following - time)
            }
            if let closes, closes > time { room = min(room, closes - time) }
            let hash = StableHash.of("\(entry.id)|\(time.nanoseconds)")
            due = time + .nanoseconds(Int64(hash % UInt64(max(room.nanoseconds, 1))))
        }
        let isExcluded = limits.exclusions.isEmpty ? false : try limits.exclude(time)
        return Nominal(instant: time, windowCloses: closes, due: due, isExcluded: isExcluded)
    }

    /// The first nominal time after an instant within the entry's limits, excluded or not.
    private func time(
        of entry: ScheduleEntry,
        after instant: Instant
    ) throws(SchedulingError) -> (Instant, Instant?)? {
        let limits = entry.limits
        var instant = instant
        if let start = limits.start { instant = max(instant, start - .nanoseconds(1)) }
        let found = try unlimited(entry, after: instant)
        if let end = limits.end, let found, found.0 > end { return nil }
        return found
    }

    private func unlimited(
        _ entry: ScheduleEntry,
        after instant: Instant
    ) throws(SchedulingError) -> (Instant, Instant?)? {
        switch entry.kind {
        case .cron(let expression, let zone):
            return expression.next(after: instant, zone: zone).map { ($0, nil) }
        case .every(let schedule):
            return schedule.next(after: instant).map { ($0, nil) }
        case .at(let time):
            return time > instant ? (time, nil) : nil
        case .sessions(let schedule):
            let (time, closes) = try schedule.next(after: instant)
            return (time, entry.policy.isBoundToWindow && time < closes ? closes : nil)
        case .window(let rotation, let window, let interval):
            guard let plan = rotations[rotation] else {
                throw SchedulingError(
                    .scheduleInvalid,
                    "schedule \(entry.id): rotation \(rotation) is not there: add it"
                )
            }
            let span = try plan.span(of: window, endingAfter: instant)
            if span.opens > instant { return (span.opens, span.closes) }
            if let interval {
                let next = EverySchedule(interval: interval, anchor: span.opens).next(after: instant)
                if let next, next < span.closes { return (next, span.closes) }
            }
            let following = try plan.span(of: window, endingAfter: span.closes)
            return (following.opens, following.closes)
        }
    }

    /// The next times at which a function's entries, one entry, or all, are due: what the machine would do,
    /// without catching up.
    ///
    /// `until` is the last instant that is shown.
    package func next(
        _ count: Int,
        for name: String? = nil,
        after instant: Instant,
        until end: Instant? = nil
    ) -> Preview {
        var faults: [SchedulingError] = []
        func cursor(_ entry: ScheduleEntry, after instant: Instant) -> Nominal? {
            var from = instant
            do throws(SchedulingError) {
                for _ in 0..<SchedulePlan.searchLimit {
                    guard let next = try next(of: entry, after: from) else { return nil }
                    if let end, next.instant > end { return nil }
                    if !next.isExcluded { return next }
                    from = next.instant
                }
            } catch {
                faults.append(error)
            }
            return nil
        }
        // In the order of their ids, which decides between equal instants.
        let shown = entries.filter { name == nil || $0.function == name || $0.id == name }.sorted {
            $0.id < $1.id
        }
        var heap = ScheduleHeap()
        for (index, entry) in shown.enumerated() {
            if let next = cursor(entry, after: instant) { heap.insert(index, at: next.instant) }
        }
        var upcoming: [Upcoming] = []
        while upcoming.count < min(count, SchedulePlan.previewLimit), let first = heap.removeFirst() {
            let entry = shown[first.index]
            var name: String?
            if case .window(_, let window, _) = entry.kind { name = window }
            upcoming.append(
                Upcoming(instant: first.instant, id: entry.id, function: entry.function, window: name)
            )
            if let next = cursor(entry, after: first.instant) { heap.insert(first.index, at: next.instant) }
        }
        return Preview(upcoming: upcoming, faults: faults)
    }
}

extension ScheduleEntry {
    /// All that is wrong with the entry, each with its remedy.
    fileprivate func problems(_ rotations: [String: RotationPlan]) -> [String] {
        var problems: [String] = []
        func unless(_ isRight: Bool, _ field: String, _ message: String) {
            if !isRight { problems.append("schedule \(id), \(field): \(message)") }
        }
        let limit = ScheduleMachine.passLimit
        if case .all(let max) = policy.catchUp {
            unless(1...limit ~= max, "catchUp", "\(max) is not within 1 to \(limit): change it")
        }
        if let deadline = policy.deadline {
            unless(deadline > .zero, "deadline", "it is not above 0: lengthen it")
        }
        unless(limits.jitter >= .zero, "jitter", "it is below 0: lengthen it")
        unless(policy.pauseOnFailure.map { $0 > 0 } ?? true, "pauseOnFailure", "it is not above 0: raise it")
        unless(policy.remaining.map { $0 > 0 } ?? true, "remaining", "it is not above 0: raise it")
        if let start = limits.start, let end = limits.end {
            unless(start <= end, "end", "\(end.rfc3339) is before the start: swap them")
        }
        guard case .window(let rotation, let window, let interval) = kind else { return problems }
        unless(interval.map { $0 >= .seconds(1) } ?? true, "every", "shorter than 1s: lengthen it")
        guard let plan = rotations[rotation] else {
            unless(false, "rotation", "there is no rotation \(rotation): add it or correct the name")
            return problems
        }
        let names = plan.windows.map(\.name)
        let known = names.joined(separator: ", ")
        unless(
            names.contains(window),
            "window",
            "rotation \(rotation) has no window \(window): write one of \(known)"
        )
        return problems
    }
}
