import Synchronization

/// A feed of events as its reader takes them: several at once where it was away, none after a wake.
package struct ActivityUpdates: AsyncSequence, Sendable {
    /// How many events wait for a reader at most.
    package static let pendingMax = 1024

    package struct Iterator: AsyncIteratorProtocol {
        let reader: ActivityReader
        var wakes: AsyncStream<Void>.Iterator

        package mutating func next() async -> [ActivityEvent]? {
            await wakes.next().map { reader.take() }
        }
    }

    let reader: ActivityReader

    package func makeAsyncIterator() -> Iterator {
        Iterator(reader: reader, wakes: reader.wakes.makeAsyncIterator())
    }

    /// Has the reader look, which sees no events where there are none: for a sign of life.
    ///
    /// Threading: any.
    package func wake() { reader.wake() }

    /// Nobody reads it any more.
    package func end() { reader.end() }
}

/// What waits for one reader of the feed.
final class ActivityReader: Sendable {
    private struct State {
        var pending: [ActivityEvent] = []
        var lost = 0
    }

    let kinds: Set<ActivityEvent.Kind>
    let wakes: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation
    private let state = Mutex(State())

    init(_ kinds: Set<ActivityEvent.Kind>) {
        self.kinds = kinds
        (wakes, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func onEnd(_ body: @escaping @Sendable () -> Void) {
        continuation.onTermination = { _ in body() }
    }

    func offer(_ event: ActivityEvent) {
        if let kind = event.kind, !kinds.contains(kind) { return }
        let isFirst = state.withLock { state in
            guard state.pending.count < ActivityUpdates.pendingMax else {
                state.lost += 1
                return false
            }
            state.pending.append(event)
            return state.pending.count == 1
        }
        if isFirst { wake() }
    }

    func wake() { continuation.yield() }
    func end() { continuation.finish() }

    func take() -> [ActivityEvent] {
        state.withLock { state in
            defer { state = State() }
            return state.lost == 0 ? state.pending : state.pending + [.lost(state.lost)]
        }
    }
}
