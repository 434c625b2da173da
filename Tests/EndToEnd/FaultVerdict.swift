import FunctionCore

/// What must hold when all is quiet again: in sentences what does not.
struct FaultVerdict {
    let log: FaultLog

    var problems: [String] {
        lost + unasked + astray + doubledEntries + doubledJobs + disordered + unbalanced + unpaid
    }

    /// Each accepted event has its effect at least once, and so has each entry that Redis has taken.
    private var lost: [String] {
        let ran = Set(log.effects.map(\.event))
        let taken = Set(log.accepted.keys).union(log.entries.values)
        return Self.report(taken.subtracting(ran), "accepted events are lost")
            + Self.report(
                Set(log.accepted.keys.filter(\.source.isStream)).subtracting(log.entries.values),
                "entries that Redis has acknowledged are not in it"
            )
    }

    /// Nothing has an effect that nobody sent.
    private var unasked: [String] {
        let asked = Set(log.accepted.keys).union(log.unsure)
        return Self.report(Set(log.effects.map(\.event)).subtracting(asked), "effects were not asked for")
    }

    /// A job's event ran as the job that its producer was told of, and as no other.
    private var astray: [String] {
        let other = log.effects.filter { effect in
            effect.event.source.isJob && log.accepted[effect.event].map { $0 != effect.delivery } ?? false
        }
        return Self.report(Set(other.map(\.event)), "events ran as another job than that which was accepted")
    }

    /// An entry runs again where Redis held it for the host when a worker that had it was killed, or the host.
    private var doubledEntries: [String] {
        var wrong: Set<SentEvent> = []
        var between: Set<String> = []
        for (delivery, effects) in log.repeated {
            for (first, again) in zip(effects, effects.dropFirst()) where !first.event.source.isJob {
                let faults = log.faults.filter { first.at <= $0.end && again.at >= $0.begin }
                let isAllowed = faults.contains { fault in
                    fault.open.contains(delivery) && fault.killed?.contains(first.process) ?? true
                }
                if isAllowed { continue }
                wrong.insert(first.event)
                between.formUnion(faults.map(\.kind))
            }
        }
        let what = "entries ran twice though nothing that held them was killed (\(between.sorted()) between)"
        return Self.report(wrong, what)
    }

    /// A job runs once, and once more for each attempt that its history says did not succeed.
    private var doubledJobs: [String] {
        let wrong = log.repeated.filter { delivery, effects in
            effects[0].event.source.isJob && effects.count > 1 + (log.setbacks[delivery] ?? 0)
        }
        return Self.report(
            Set(wrong.values.map { $0[0].event }),
            "jobs ran more often than their history has attempts"
        )
    }

    /// Of an ordered key each job has ended before the next one begins, repetitions included.
    private var disordered: [String] {
        var last: [String: SentEvent] = [:]
        var wrong: Set<SentEvent> = []
        for effect in log.effects where effect.event.source.isOrdered {
            let (event, name) = (effect.event, effect.event.name)
            let expected = last[name].map { [$0.seq, $0.seq + 1] } ?? [0]
            if !expected.contains(event.seq) { wrong.insert(event) }
            last[name] = event
        }
        return Self.report(wrong, "events of ordered keys ran out of turn")
    }

    /// The audit adds up, and says of each source what its producers say.
    private var unbalanced: [String] {
        var problems: [String] = []
        for line in log.audit {
            for problem in line["problems"]?.arrayValue ?? [] { problems.append("audit: \(problem.text)") }
            guard line["function"]?.stringValue == "record", let source = line["source"]?.stringValue else {
                continue
            }
            let expected: Int
            switch FaultSource(rawValue: source) {
            case let stream?: expected = log.entries.values.filter { $0.source == stream }.count
            case nil where source == "journal": expected = log.accepted.keys.filter(\.source.isJob).count
            case nil: continue
            }
            let isOver = ["pending", "dead_lettered", "cancelled"].allSatisfy { line[$0]?.intValue == 0 }
            if !isOver || line["completed"]?.intValue != expected {
                problems.append("\(expected) should be completed: \(line.text)")
            }
        }
        let sources = Set(log.audit.compactMap { $0["source"]?.stringValue })
        let missing = Set(["journal", "loose", "narrow"]).subtracting(sources)
        return missing.isEmpty ? problems : problems + ["the audit says nothing of \(missing.sorted())"]
    }

    /// Each paid job that was accepted has cost its credit, once.
    private var unpaid: [String] {
        log.accounts.enumerated().compactMap { user, account in
            let jobs = log.accepted.keys.filter { $0.source == .paid && $0.key == user }.count
            if account.held == 0, account.posted == log.grant - jobs { return nil }
            let paid = log.grant - account.posted
            return "user \(user + 1) has paid \(paid) for \(jobs) jobs, and \(account.held) are held"
        }
    }

    private static func report(_ events: Set<SentEvent>, _ what: String) -> [String] {
        guard !events.isEmpty else { return [] }
        let some = events.sorted().prefix(5).map(\.description).joined(separator: ", ")
        return ["\(events.count) \(what), such as \(some)"]
    }
}
