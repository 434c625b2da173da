import FunctionCore

/// Where the events of the fault test come from.
enum FaultSource: String, CaseIterable {
    /// A stream in batches, several of them at once.
    case loose
    /// A stream, one batch at a time.
    case narrow
    /// A reliable list.
    case list
    /// Asynchronous requests with an Idempotency-Key.
    case free
    /// The same, in the order of their key.
    case ordered
    /// The same, at a price.
    case paid

    var isJob: Bool { [.free, .ordered, .paid].contains(self) }
    var isOrdered: Bool { [.ordered, .paid].contains(self) }
    var isStream: Bool { [.loose, .narrow].contains(self) }
    /// How many keys there are, each with a producer of its own.
    var keys: Int { [.loose: 4, .ordered: 4, .free: 3][self] ?? 2 }
    /// How much of all events.
    var percent: Int { [.loose: 25, .ordered: 20][self] ?? [.narrow: 15, .list: 15, .free: 15][self] ?? 10 }
}

/// An event as a producer has sent it: of each key the numbers grow by one.
struct SentEvent: Hashable, Comparable, CustomStringConvertible {
    var source: FaultSource
    var key: Int
    var seq: Int
    /// Which sending, from 0: whoever has no answer from Redis sends a copy, as producers without an
    /// Idempotency-Key must.
    var copy = 0

    var name: String { "\(source.rawValue)-\(key)" }
    var description: String { "\(name)/\(seq)/\(copy)" }

    init(source: FaultSource, key: Int, seq: Int, copy: Int = 0) {
        self.source = source
        self.key = key
        self.seq = seq
        self.copy = copy
    }

    /// From what it was sent with; nil for what is none.
    init?(key name: some StringProtocol, seq: Int?, copy: Int?) {
        let parts = name.split(separator: "-")
        guard parts.count == 2, let source = FaultSource(rawValue: String(parts[0])), let key = Int(parts[1]),
            let seq
        else { return nil }
        self.init(source: source, key: key, seq: seq, copy: copy ?? 0)
    }

    static func < (left: SentEvent, right: SentEvent) -> Bool {
        (left.name, left.seq, left.copy) < (right.name, right.seq, right.copy)
    }
}

/// A line that the function has written: it ran.
struct FaultEffect {
    var event: SentEvent
    /// What was delivered: the job's id, the stream and the entry's id, or the element.
    var delivery: String
    var process: Int
    var at: Monotonic
}

/// A fault, from before it struck until all that it hit was up again.
struct Fault: Sendable {
    var kind: String
    var begin: Monotonic
    var end: Monotonic
    /// The processes that were killed; nil for the host with all its workers.
    var killed: Set<Int>? = []
    /// The deliveries of streams and lists that Redis held for the host when it struck: these come again.
    var open: Set<String> = []
}

/// What became of everything, for the verdict.
struct FaultLog {
    /// What producers were told is taken, with the job's or the entry's id; an element has none.
    var accepted: [SentEvent: String] = [:]
    /// Sent without an answer: it may be there, or not.
    var unsure: Set<SentEvent> = []
    /// The entries of the streams, by delivery.
    var entries: [String: SentEvent] = [:]
    /// In the order in which they were written.
    var effects: [FaultEffect] = []
    var faults: [Fault] = []
    /// Of jobs that ran more than once: how many attempts the history has that did not succeed.
    var setbacks: [String: Int] = [:]
    /// The lines of the audit at the end.
    var audit: [JSON] = []
    /// What each paying user has left, and what is held of it.
    var accounts: [(posted: Int, held: Int)] = []
    /// What paying users had at the beginning.
    var grant = 0

    /// The deliveries that ran more than once, each with its effects in order.
    var repeated: [String: [FaultEffect]] {
        Dictionary(grouping: effects, by: \.delivery).filter { $0.value.count > 1 }
    }
}
