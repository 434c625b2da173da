import FunctionCore
import Invocations

/// Decides for one consumer of one stream; no I/O, no clock.
///
/// Facts in, actions out.
///
///     connecting ──connected──► ensuringGroup ──groupReady──► readingOwnPending ──none left──► reading
///         ▲                                                                                     │
///         └───────────── redisFailed, with back-off; a lost group goes to ensuringGroup ────────┘
///     any ──stop──► draining ──nothing under way, nothing to settle──► drained
///
/// An entry that is held is in one place: ready, under way, waiting for its retry, or waiting for Redis to
/// confirm its settlement (an acknowledgement or a dead letter). It is settled only for a success, a final
/// failure or lost data; in every other case it stays pending in Redis, and comes back: at the next start of
/// this consumer, or to another.
///
/// A failed event of several entries is taken apart: each entry is run alone from then on, so that an entry
/// becomes a dead letter for a failure of its own only.
package struct StreamMachine: Sendable {
    package enum State: Sendable, Hashable {
        case connecting, ensuringGroup, readingOwnPending, reading, draining, drained
    }

    private enum Place: Hashable {
        case ready, underWay, waiting, settling
    }

    private enum Settlement {
        case ack
        case deadLetter(StreamDeadLetter)
    }

    private struct Held {
        var entry: StreamEntry
        var failures: Int
        /// Ends that were not the function's own fault, in a row; for the back-off alone.
        var setbacks = 0
        var alone = false
        var place = Place.ready
        var settlement = Settlement.ack
    }

    package let settings: StreamSettings
    package private(set) var state = State.connecting
    private var held: [String: Held] = [:]
    private var ready: [String] = []
    private var events: [Int: [String]] = [:]
    private var nextEvent = 1
    /// How many entries a read or a claim under way may bring; 0 where there is none.
    private var reading = 0
    private var claiming = 0
    /// Where the scan of the own pending entries is.
    private var cursor = "0"
    private var failuresInRow = 0
    private var isRegrouped = false
    private var isClaimArmed = false
    private var unsettled: Set<String> = []
    private var settleFailures = 0
    private var isSettleArmed = false
    private var random: SplitMix

    /// A machine that waits for a connection; its jitter comes from `seed`.
    package init(settings: StreamSettings, seed: UInt64) {
        self.settings = settings
        self.random = SplitMix(state: seed)
    }

    /// Events under way.
    package var inFlight: Int { events.count }
    /// Entries held in any place.
    package var heldCount: Int { held.count }

    /// Takes a fact and tells what to do.
    package mutating func handle(_ fact: StreamFact) -> [StreamAction] {
        guard state != .drained else { return [] }
        var actions: [StreamAction] = []
        switch fact {
        case .connected:
            guard state == .connecting else { break }
            state = .ensuringGroup
            actions.append(.ensureGroup)
        case .groupReady: groupReady(&actions)
        case .entriesRead(let deliveries): entriesRead(deliveries, &actions)
        case .readTimedOut:
            reading = 0
            readSucceeded()
        case .redisFailed(let failure): redisFailed(failure, &actions)
        case .claimed(let deliveries, let cursor, let lost): claimed(deliveries, cursor, lost, &actions)
        case .claimFailed: claiming = 0
        case .eventFinished(let event, let outcome): finished(event, outcome, &actions)
        case .retryDue(let id):
            guard held[id]?.place == .waiting, state != .draining else { break }
            held[id]?.place = .ready
            ready.append(id)
        case .settled(let ids): settled(ids)
        case .settleFailed(let ids): settleFailed(ids, &actions)
        case .settleDue:
            isSettleArmed = false
            settleAgain(&actions)
        case .claimTick: claimTick(&actions)
        case .stop: stop(&actions)
        case .graceOver where state == .draining:
            events = [:]
            held = [:]
        case .graceOver: break
        }
        advance(&actions)
        return actions
    }

    // MARK: - Reading

    private mutating func groupReady(_ actions: inout [StreamAction]) {
        guard state == .ensuringGroup else { return }
        state = .readingOwnPending
        cursor = "0"
        guard !isClaimArmed else { return }
        isClaimArmed = true
        // Soon, for what a dead host left; not at once, as hosts that start together should not all claim.
        actions.append(.armClaim(after: random.jittered(min(.seconds(1), settings.minIdle / 3))))
    }

    private mutating func entriesRead(_ deliveries: [StreamDelivery], _ actions: inout [StreamAction]) {
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

    private mutating func readSucceeded() {
        failuresInRow = 0
        isRegrouped = false
    }

    /// Holds what is new; what is held already has only been shown again.
    private mutating func take(_ deliveries: [StreamDelivery], _ actions: inout [StreamAction]) {
        var lost: [String] = []
        for delivery in deliveries where held[delivery.entry.id] == nil {
            let id = delivery.entry.id
            let isLost = delivery.entry.fields == nil
            held[id] = Held(entry: delivery.entry, failures: delivery.failures, alone: delivery.failures > 0)
            if isLost { lost.append(id) } else { ready.append(id) }
        }
        guard !lost.isEmpty else { return }
        actions.append(.lost(lost))
        acknowledge(lost, &actions)
    }

    private mutating func redisFailed(_ failure: StreamFailure, _ actions: inout [StreamAction]) {
        reading = 0
        guard state != .draining else { return }
        if failure == .groupGone { actions.append(.groupLost) }
        if failure == .groupGone, !isRegrouped {
            isRegrouped = true
            state = .ensuringGroup
            actions.append(.ensureGroup)
            return
        }
        failuresInRow += 1
        state = .connecting
        let wait = failure == .misconfigured ? .seconds(5) : StreamMachine.backoff(failuresInRow)
        actions.append(.reconnect(after: random.jittered(wait)))
    }

    // MARK: - Other consumers' entries

    private mutating func claimTick(_ actions: inout [StreamAction]) {
        guard state != .draining else { return }
        // Three times within the idle time, so that one lost renewal does no harm.
        actions.append(.armClaim(after: random.jittered(settings.minIdle / 4)))
        let mine = held.filter { $0.value.place != .settling }.keys
        if !mine.isEmpty { actions.append(.renew(mine.sorted())) }
        guard state == .reading, claiming == 0 else { return }
        claim(from: "0-0", &actions)
    }

    private mutating func claim(from cursor: String, _ actions: inout [StreamAction]) {
        let count = room
        guard count > 0 else { return }
        claiming = count
        actions.append(.claimStale(cursor: cursor, count: count))
    }

    private mutating func claimed(
        _ deliveries: [StreamDelivery],
        _ cursor: String,
        _ lost: [String],
        _ actions: inout [StreamAction]
    ) {
        claiming = 0
        guard state == .readingOwnPending || state == .reading else { return }
        // Redis 7 has dropped these from the group already.
        if !lost.isEmpty { actions.append(.lost(lost)) }
        take(deliveries, &actions)
        if cursor != "0-0" { claim(from: cursor, &actions) }
    }

    // MARK: - Outcomes

    private mutating func finished(_ event: Int, _ outcome: Outcome, _ actions: inout [StreamAction]) {
        guard let ids = events.removeValue(forKey: event) else { return }
        if outcome.succeeded || outcome.isDiscarded { return acknowledge(ids, &actions) }
        for id in ids {
            guard var item = held[id] else { continue }
            item.place = .waiting
            if outcome.countsAgainstRetries {
                failed(&item, outcome, isSingle: ids.count == 1, &actions)
            } else {
                item.setbacks += 1
                let wait = outcome.retryAfter ?? settings.retry.wait(after: item.setbacks)
                actions.append(.retryAt(id, delay: random.jittered(max(wait, .milliseconds(50)))))
            }
            held[id] = item
        }
        if state == .draining { release(ids, &actions) }
    }

    private mutating func failed(
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
                let letter = StreamDeadLetter(
                    entry: item.entry,
                    reason: outcome.reason,
                    attempts: item.failures
                )
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
    private mutating func release(_ ids: [String], _ actions: inout [StreamAction]) {
        for id in ids where held[id]?.place == .waiting { held[id] = nil }
        actions.removeAll { if case .retryAt = $0 { true } else { false } }
    }

    // MARK: - Settling

    private mutating func acknowledge(_ ids: [String], _ actions: inout [StreamAction]) {
        var counted = false
        for id in ids {
            counted = counted || (held[id]?.failures ?? 0) > 0
            held[id]?.place = .settling
            held[id]?.settlement = .ack
        }
        actions.append(.ack(ids, counted: counted))
    }

    private mutating func settled(_ ids: [String]) {
        settleFailures = 0
        for id in ids where held[id]?.place == .settling {
            held[id] = nil
            unsettled.remove(id)
        }
    }

    private mutating func settleFailed(_ ids: [String], _ actions: inout [StreamAction]) {
        for id in ids where held[id]?.place == .settling {
            // While draining, Redis keeps it: it will be run once more.
            if state == .draining { held[id] = nil } else { unsettled.insert(id) }
        }
        guard !unsettled.isEmpty, !isSettleArmed else { return }
        isSettleArmed = true
        settleFailures += 1
        actions.append(.settleAgain(after: random.jittered(StreamMachine.backoff(settleFailures))))
    }

    private mutating func settleAgain(_ actions: inout [StreamAction]) {
        let ids = unsettled.sorted()
        unsettled = []
        var acks: [String] = []
        for id in ids {
            switch held[id]?.settlement {
            case .ack: acks.append(id)
            case .deadLetter(let letter): actions.append(.deadLetter(letter))
            case nil: break
            }
        }
        if !acks.isEmpty { acknowledge(acks, &actions) }
    }

    private mutating func stop(_ actions: inout [StreamAction]) {
        guard state != .draining else { return }
        state = .draining
        ready = []
        held = held.filter { $0.value.place == .underWay || $0.value.place == .settling }
        settleAgain(&actions)
    }

    // MARK: - Going on

    /// Delivers what is ready, reads where there is room, and ends where all is done.
    private mutating func advance(_ actions: inout [StreamAction]) {
        if state == .draining {
            guard held.isEmpty, events.isEmpty else { return }
            state = .drained
            actions.append(.drained)
            return
        }
        while events.count < settings.concurrency, let event = nextBatch() {
            actions.append(event)
        }
        guard reading == 0, room > 0 else { return }
        switch state {
        case .readingOwnPending:
            reading = room
            actions.append(.readPending(after: cursor, count: reading))
        case .reading:
            reading = room
            actions.append(.read(count: reading))
        default: break
        }
    }

    /// How many more entries may be asked for: what the free places take at once, within the bound on what is
    /// held.
    private var room: Int {
        let free = (settings.concurrency - events.count) * settings.batch - ready.count
        return max(0, min(free, settings.heldBound - held.count - reading - claiming, 100))
    }

    private mutating func nextBatch() -> StreamAction? {
        guard let first = ready.first, let item = held[first] else { return nil }
        var count = 1
        if !item.alone {
            while count < min(settings.batch, ready.count), held[ready[count]]?.alone == false { count += 1 }
        }
        let ids = Array(ready.prefix(count))
        ready.removeFirst(count)
        var entries: [StreamEntry] = []
        for id in ids {
            held[id]?.place = .underWay
            if let entry = held[id]?.entry { entries.append(entry) }
        }
        let event = nextEvent
        nextEvent += 1
        events[event] = ids
        return .deliver(event: event, entries: entries, attempt: item.failures + 1)
    }

    /// 100 ms, doubling up to 5 s.
    private static func backoff(_ failures: Int) -> Duration {
        .milliseconds(min(100 << min(max(failures - 1, 0), 10), 5000))
    }
}
