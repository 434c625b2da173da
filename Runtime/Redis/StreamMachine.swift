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
/// Where the function's reply names the entries that failed, the others are done. A failed event of several
/// entries is taken apart: each entry is run alone from then on, so that an entry becomes a dead letter for a
/// failure of its own only. What the filter does not let pass is acknowledged without being run.
package struct StreamMachine: Sendable {
    package enum State: Sendable, Hashable {
        case connecting, ensuringGroup, readingOwnPending, reading, draining, drained
    }

    enum Place: Hashable {
        case ready, underWay, waiting, settling
    }

    enum Settlement {
        case ack(StreamEnding)
        case deadLetter(StreamDeadLetter)
    }

    /// Whether a batch that is not full may wait: no timer yet, one under way, or one that has ended.
    enum BatchWindow {
        case open, armed, over
    }

    struct Held {
        var entry: StreamEntry
        var failures: Int
        /// Ends that were not the function's own fault, in a row; for the back-off alone.
        var setbacks = 0
        var alone = false
        var place = Place.ready
        var settlement = Settlement.ack(.completed)
    }

    package let settings: StreamSettings
    package internal(set) var state = State.connecting
    var held: [String: Held] = [:]
    var ready: [String] = []
    var events: [Int: [String]] = [:]
    var nextEvent = 1
    /// How many entries a read or a claim under way may bring; 0 where there is none.
    var reading = 0
    var claiming = 0
    /// How many entries are asked for at most: fewer after each failure, as a reply of many large ones is refused.
    var readLimit = StreamSettings.readBound
    /// Where the scan of the own pending entries is.
    var cursor = "0"
    var failuresInRow = 0
    var isRegrouped = false
    var isClaimArmed = false
    var unsettled: Set<String> = []
    var settleFailures = 0
    /// What Redis has confirmed while it was asked for what is pending: the answer may show it all the same.
    var settledMeanwhile: Set<String> = []
    var isSettleArmed = false
    var window = BatchWindow.open
    var random: SplitMix

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
        case .eventFinished(let event, let outcome, let failed): finished(event, outcome, failed, &actions)
        case .windowOver: window = ready.isEmpty ? .open : .over
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
        if !isLookingBack { settledMeanwhile = [] }
        advance(&actions)
        return actions
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
        while events.count < settings.concurrency, let event = nextBatch(&actions) {
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

    /// Whether Redis is being asked for what is pending.
    var isLookingBack: Bool { state == .readingOwnPending && reading > 0 || claiming > 0 }

    /// How many more entries may be asked for: what the free places take at once, within the bound on what is
    /// held.
    var room: Int {
        let free = (settings.concurrency - events.count) * settings.batch - ready.count
        let unheld = settings.heldBound - held.count - reading - claiming
        return max(0, min(free, unheld, readLimit))
    }

    /// The next event; nil where there is none, or the next one may still grow.
    private mutating func nextBatch(_ actions: inout [StreamAction]) -> StreamAction? {
        guard let first = ready.first, let item = held[first] else { return nil }
        var count = 1
        if !item.alone {
            while count < min(settings.batch, ready.count), held[ready[count]]?.alone == false { count += 1 }
            if count < settings.batch, count == ready.count, settings.window > .zero, window != .over {
                if window == .open { actions.append(.armWindow(after: settings.window)) }
                window = .armed
                return nil
            }
        }
        let ids = Array(ready.prefix(count))
        ready.removeFirst(count)
        if ready.isEmpty, window == .over { window = .open }
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
    static func backoff(_ failures: Int) -> Duration {
        .milliseconds(min(100 << min(max(failures - 1, 0), 10), 5000))
    }
}
