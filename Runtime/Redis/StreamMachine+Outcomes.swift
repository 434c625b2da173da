import FunctionCore
import Invocations

/// How a stream machine deals with the ends of events, and settles entries.
extension StreamMachine {
    mutating func finished(
        _ event: Int,
        _ outcome: Outcome,
        _ failures: [String: FunctionError],
        _ actions: inout [StreamAction]
    ) {
        guard let ids = events.removeValue(forKey: event) else { return }
        var missed = ids
        if outcome.isDiscarded { return acknowledge(ids, as: .discarded, &actions) }
        if outcome.succeeded {
            missed = failures.isEmpty ? [] : ids.filter { failures[$0] != nil }
            let done = failures.isEmpty ? ids : ids.filter { failures[$0] == nil }
            if !done.isEmpty { acknowledge(done, as: .completed, &actions) }
        }
        let unwanted = missed.filter { failures[$0]?.retry == .discard }
        if !unwanted.isEmpty { acknowledge(unwanted, as: .discarded, &actions) }
        for id in missed where failures[id]?.retry != .discard {
            guard var item = held[id] else { continue }
            item.place = .waiting
            // An entry that is named has failed by itself, whatever ran beside it.
            let own = failures[id].map(Outcome.failed) ?? outcome
            if own.countsAgainstRetries {
                failed(&item, own, isSingle: ids.count == 1 || failures[id] != nil, &actions)
            } else {
                item.setbacks += 1
                let wait = own.retryAfter ?? settings.retry.wait(after: item.setbacks)
                actions.append(.retryAt(id, delay: random.jittered(max(wait, .milliseconds(50)))))
            }
            held[id] = item
        }
        if state == .draining { release(missed, &actions) }
    }

    mutating func failed(
        _ item: inout Held,
        _ outcome: Outcome,
        isSingle: Bool,
        _ actions: inout [StreamAction]
    ) {
        let id = item.entry.id
        item.setbacks = 0
        if isSingle {
            item.failures += 1
            if item.failures >= settings.retry.attempts || outcome.isFinal {
                let letter = StreamDeadLetter(item.entry, outcome, attempts: item.failures)
                item.place = .settling
                item.settlement = .deadLetter(letter)
                actions.append(.deadLetter(letter))
                return
            }
        } else {
            item.alone = true
            item.failures = min(item.failures + 1, settings.retry.attempts - 1)
        }
        if item.failures > 0 { actions.append(.recordFailure(id, count: item.failures)) }
        let wait = outcome.retryAfter ?? settings.retry.wait(after: item.failures)
        actions.append(.retryAt(id, delay: random.jittered(wait)))
    }

    /// While draining nothing waits here: the entries stay pending in Redis.
    mutating func release(_ ids: [String], _ actions: inout [StreamAction]) {
        for id in ids where held[id]?.place == .waiting { held[id] = nil }
        actions.removeAll { if case .retryAt = $0 { true } else { false } }
    }

    // MARK: - Settling

    mutating func acknowledge(
        _ ids: [String],
        as ending: StreamEnding,
        _ actions: inout [StreamAction]
    ) {
        var counted = false
        for id in ids {
            counted = counted || (held[id]?.failures ?? 0) > 0
            held[id]?.place = .settling
            held[id]?.settlement = .ack(ending)
        }
        actions.append(.ack(ids, counted: counted, as: ending))
    }

    mutating func settled(_ ids: [String]) {
        settleFailures = 0
        if isLookingBack { settledMeanwhile.formUnion(ids) }
        for id in ids where held[id]?.place == .settling {
            held[id] = nil
            unsettled.remove(id)
        }
    }

    mutating func settleFailed(_ ids: [String], _ actions: inout [StreamAction]) {
        for id in ids where held[id]?.place == .settling {
            // While draining, Redis keeps it: it will be run once more.
            if state == .draining { held[id] = nil } else { unsettled.insert(id) }
        }
        guard !unsettled.isEmpty, !isSettleArmed else { return }
        isSettleArmed = true
        settleFailures += 1
        actions.append(.settleAgain(after: random.jittered(StreamMachine.backoff(settleFailures))))
    }

    mutating func settleAgain(_ actions: inout [StreamAction]) {
        let ids = unsettled.sorted()
        unsettled = []
        var acks: [StreamEnding: [String]] = [:]
        for id in ids {
            switch held[id]?.settlement {
            case .ack(let ending): acks[ending, default: []].append(id)
            case .deadLetter(let letter): actions.append(.deadLetter(letter))
            case nil: break
            }
        }
        for ending in StreamEnding.allCases {
            if let ids = acks[ending] { acknowledge(ids, as: ending, &actions) }
        }
    }

    mutating func stop(_ actions: inout [StreamAction]) {
        guard state != .draining else { return }
        state = .draining
        ready = []
        held = held.filter { $0.value.place == .underWay || $0.value.place == .settling }
        settleAgain(&actions)
    }
}
