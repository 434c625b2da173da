import FunctionCore

/// What a stream machine takes in: its own, what is new, what others left.
extension StreamMachine {
    mutating func groupReady(_ actions: inout [StreamAction]) {
        guard state == .ensuringGroup else { return }
        state = .readingOwnPending
        cursor = "0"
        guard !isClaimArmed else { return }
        isClaimArmed = true
        // Soon, for what a dead host left; not at once, as hosts that start together should not all claim.
        actions.append(.armClaim(after: random.jittered(min(.seconds(1), settings.minIdle / 3))))
    }

    mutating func entriesRead(_ deliveries: [StreamDelivery], _ actions: inout [StreamAction]) {
        reading = 0
        guard state == .readingOwnPending || state == .reading else { return }
        readSucceeded()
        if state == .readingOwnPending {
            guard let last = deliveries.last else {
                state = .reading
                return
            }
            cursor = last.entry.id
        }
        take(deliveries, &actions)
    }

    mutating func readSucceeded() {
        failuresInRow = 0
        isRegrouped = false
        readLimit = min(2 * readLimit, StreamSettings.readBound)
    }

    /// Holds what is new; what is held already, or was until now, has only been shown again.
    mutating func take(_ deliveries: [StreamDelivery], _ actions: inout [StreamAction]) {
        var lost: [String] = []
        var filtered: [String] = []
        for delivery in deliveries {
            let id = delivery.entry.id
            guard held[id] == nil, !settledMeanwhile.contains(id) else { continue }
            held[id] = Held(entry: delivery.entry, failures: delivery.failures, alone: delivery.failures > 0)
            if delivery.entry.fields == nil {
                lost.append(id)
            } else if settings.filter.passes(delivery.entry) {
                ready.append(id)
            } else {
                filtered.append(id)
            }
        }
        if !filtered.isEmpty { acknowledge(filtered, as: .filtered, &actions) }
        guard !lost.isEmpty else { return }
        actions.append(.lost(lost))
        acknowledge(lost, as: .lost, &actions)
    }

    mutating func redisFailed(_ failure: StreamFailure, _ actions: inout [StreamAction]) {
        reading = 0
        guard state != .draining else { return }
        if failure == .groupGone, !isRegrouped {
            isRegrouped = true
            state = .ensuringGroup
            actions.append(.ensureGroup)
            return
        }
        failuresInRow += 1
        readLimit = max(readLimit / 4, 1)
        state = .connecting
        let wait = failure == .misconfigured ? .seconds(5) : StreamMachine.backoff(failuresInRow)
        actions.append(.reconnect(after: random.jittered(wait)))
    }

    // MARK: - Other consumers' entries

    mutating func claimTick(_ actions: inout [StreamAction]) {
        guard state != .draining else { return }
        // Three times within the idle time, so that one lost renewal does no harm.
        actions.append(.armClaim(after: random.jittered(settings.minIdle / 4)))
        let mine = held.filter { $0.value.place != .settling }.keys
        if !mine.isEmpty { actions.append(.renew(mine.sorted())) }
        guard state == .reading, claiming == 0 else { return }
        if settings.keep != nil { actions.append(.trim) }
        claim(from: "0-0", &actions)
    }

    mutating func claim(from cursor: String, _ actions: inout [StreamAction]) {
        let count = room
        guard count > 0 else { return }
        claiming = count
        actions.append(.claimStale(cursor: cursor, count: count))
    }

    mutating func claimed(
        _ deliveries: [StreamDelivery],
        _ cursor: String,
        _ lost: [String],
        _ actions: inout [StreamAction]
    ) {
        claiming = 0
        guard state == .readingOwnPending || state == .reading else { return }
        // Redis 7 has dropped these from the group already, and they are counted.
        if !lost.isEmpty { actions.append(.lost(lost)) }
        take(deliveries, &actions)
        if cursor != "0-0" { claim(from: cursor, &actions) }
    }
}
