import FunctionCore
import Synchronization

/// The invocations of late, their log lines, and a feed of what happens.
///
/// Bounds: `capacity` attempts, as many spans that are none, and the lines of `LineShelf`, of each the oldest
/// go; a reader of the feed that
/// is behind by `ActivityUpdates.pendingMax` events loses those that follow, and is told how many. Nothing is
/// allocated before there is something to keep. Threading: any; an entry costs its making one short lock.
package final class ActivityBook: Sendable {
    private struct State {
        /// A ring once it is full; `head` is where its oldest lies.
        var entries: [ActivityEntry] = []
        var head = 0
        var count = 0
        var spans: [ActivitySpan] = []
        var spanHead = 0
        var lines = LineShelf()
        var readers: [Int: ActivityReader] = [:]
        var nextReader = 0

        /// By age: 0 is the oldest.
        func entry(_ index: Int) -> ActivityEntry { entries[(head + index) % entries.count] }

        func tell(_ event: ActivityEvent) {
            for reader in readers.values { reader.offer(event) }
        }
    }

    package let capacity: Int
    private let state = Mutex(State())

    package init(capacity: Int = 10_000) {
        self.capacity = max(1, capacity)
    }

    // MARK: What happens

    /// An attempt has ended.
    package func add(_ entry: consuming ActivityEntry) {
        var entry = entry
        state.withLock { state in
            state.count += 1
            entry.number = state.count
            if !state.readers.isEmpty { state.tell(.invocation(entry)) }
            if state.entries.count < capacity { return state.entries.append(entry) }
            // The oldest one leaves with the lock, and goes after it.
            swap(&state.entries[state.head], &entry)
            state.head = state.head + 1 == capacity ? 0 : state.head + 1
        }
    }

    /// Something of a trace that is no attempt.
    package func add(_ span: ActivitySpan) {
        state.withLock { state in
            if state.spans.count < capacity { return state.spans.append(span) }
            state.spans[state.spanHead] = span
            state.spanHead = state.spanHead + 1 == capacity ? 0 : state.spanHead + 1
        }
    }

    /// Something was said; lines without an invocation go to the feed only.
    package func add(_ line: ActivityLine) {
        state.withLock { state in
            if !state.readers.isEmpty { state.tell(.log(line)) }
            if let invocation = line.invocation { state.lines.add(line, of: invocation) }
        }
    }

    /// Something for the feed alone.
    package func tell(_ event: ActivityEvent) {
        state.withLock { $0.tell(event) }
    }

    /// Whether somebody reads events of that kind.
    package func isRead(_ kind: ActivityEvent.Kind) -> Bool {
        state.withLock { state in state.readers.values.contains { $0.kinds.contains(kind) } }
    }

    // MARK: Looking

    /// The entries that match, newest first, of those with a lower number than `before`.
    ///
    /// The lock is held for a few hundred entries at a time: looking does not hold up what happens.
    package func entries(
        matching filter: ActivityFilter = ActivityFilter(),
        before: Int? = nil,
        limit: Int = 100
    ) -> [ActivityEntry] {
        var found: [ActivityEntry] = []
        var next = before ?? .max
        var filter = filter
        // A copy of the shelf, which is looked through without the lock.
        if let word = filter.word { filter.saying = state.withLock { $0.lines }.invocations(saying: word) }
        while found.count < limit {
            let some = newest(below: next)
            guard let last = some.last else { break }
            next = last.number
            found += some.lazy.filter { filter.takes($0) }.prefix(limit - found.count)
        }
        return found
    }

    /// All attempts of an invocation that are kept, the first one first.
    package func attempts(of id: String) -> [ActivityEntry] {
        entries(matching: ActivityFilter(id: id), limit: .max).reversed()
    }

    /// The last attempt of an invocation.
    package func entry(_ id: String) -> ActivityEntry? {
        entries(matching: ActivityFilter(id: id), limit: 1).first
    }

    /// The lines of an invocation, of all its attempts, and how many there were beyond those that are kept.
    package func lines(of id: String) -> (kept: [ActivityLine], leftOut: Int) {
        state.withLock { $0.lines.lines(of: id) }
    }

    /// What is kept of spans that are no attempts, in no order.
    package var spans: [ActivitySpan] { state.withLock { $0.spans } }

    private func newest(below number: Int) -> [ActivityEntry] {
        state.withLock { state in
            let oldest = state.count - state.entries.count + 1
            let end = min(number, state.count + 1) - oldest
            guard end > 0 else { return [] }
            return stride(from: end - 1, through: max(0, end - 256), by: -1).map { state.entry($0) }
        }
    }

    // MARK: The feed

    /// What happens from now on, of these kinds; ends with the task that reads it, or by `end`.
    package func updates(
        _ kinds: Set<ActivityEvent.Kind> = Set(ActivityEvent.Kind.allCases)
    ) -> ActivityUpdates {
        let reader = ActivityReader(kinds)
        let number = state.withLock { state in
            state.nextReader += 1
            state.readers[state.nextReader] = reader
            return state.nextReader
        }
        reader.onEnd { [weak self] in
            self?.state.withLock { _ = $0.readers.removeValue(forKey: number) }
        }
        return ActivityUpdates(reader: reader)
    }
}

/// Which entries are wanted; what is nil or empty does not matter.
package struct ActivityFilter: Sendable {
    package var id: String?
    package var function: String?
    package var trigger: String?
    /// A trace of which it is a part, or how its own begins.
    package var trace: String?
    package var tracePrefix: String?
    /// Any of these words.
    package var outcomes: Set<String>
    /// What is somewhere in id, function, trace, error or log lines; capitals and small letters are the same.
    let word: SearchWord?
    /// The invocations whose lines hold the word.
    var saying: Set<String> = []

    package init(
        id: String? = nil,
        function: String? = nil,
        trigger: String? = nil,
        trace: String? = nil,
        tracePrefix: String? = nil,
        outcomes: Set<String> = [],
        search: String? = nil
    ) {
        self.id = id
        self.function = function
        self.trigger = trigger
        self.trace = trace
        self.tracePrefix = tracePrefix
        self.outcomes = outcomes
        word = search.flatMap { SearchWord($0) }
    }

    package func takes(_ entry: ActivityEntry) -> Bool {
        if let id, entry.id != id { return false }
        if let function, entry.function != function { return false }
        if let trigger, entry.trigger != trigger { return false }
        if let trace, entry.trace != trace, !entry.otherPlaces.contains(where: { $0.traceID == trace }) {
            return false
        }
        if let tracePrefix, !entry.trace.hasPrefix(tracePrefix) { return false }
        if !outcomes.isEmpty, !outcomes.contains(entry.outcome) { return false }
        guard let word else { return true }
        let texts = [entry.id, entry.function, entry.trace, entry.error?.code, entry.error?.message]
        return texts.contains { $0.map(word.isIn) ?? false } || saying.contains(entry.id)
    }
}

/// A word that is looked for, without a difference between capitals and small letters of ASCII.
struct SearchWord: Sendable {
    private let bytes: [UInt8]

    /// Nil for an empty one, which is in everything.
    init?(_ text: String) {
        guard !text.isEmpty else { return nil }
        bytes = text.utf8.map(SearchWord.folded)
    }

    func isIn(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { text in
            guard text.count >= bytes.count else { return false }
            return (0...(text.count - bytes.count)).contains { start in
                bytes.indices.allSatisfy { SearchWord.folded(text[start + $0]) == bytes[$0] }
            }
        }
    }

    private static func folded(_ byte: UInt8) -> UInt8 {
        (65...90).contains(byte) ? byte | 32 : byte
    }
}
