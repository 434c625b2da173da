import FunctionCore

/// What a rotation must remember over a restart: the highest token, who holds one, and what is over.
package struct RotationState: Sendable, Hashable {
    /// A token given to a window for one of its spans.
    package struct Grant: Sendable, Hashable {
        package let window: String
        package let token: UInt64
        package let opens: Instant
        /// The cutoff; moves, like the instants after it, if the calendar is corrected.
        package internal(set) var closes: Instant
        package internal(set) var ends: Instant
        package internal(set) var cancels: Instant
        /// The first instant at which the token is no longer valid, whatever the holder reports.
        package internal(set) var hardStop: Instant
        package internal(set) var stage = WindowRotation.Stage.open
        /// What runs has been cancelled.
        package internal(set) var isCancelled = false

        init(_ span: RotationPlan.Span, token: UInt64) {
            window = span.window
            self.token = token
            opens = span.opens
            closes = span.closes
            ends = span.ends
            cancels = span.cancels
            hardStop = span.hardStop
            tail = span.hardStop - span.closes
        }

        /// How long the span's token lives beyond the cutoff.
        package let tail: Duration
    }

    /// What a window left to the next one.
    package struct Handover: Sendable, Hashable {
        package let window: String
        /// The reply to its `checkpoint`.
        package let text: String
    }

    /// The highest token ever granted; the next one is greater.
    package internal(set) var lastToken: UInt64 = 0
    package internal(set) var holder: Grant?
    /// For each window the opening of its last span whose cutoff was reached: it does not open again.
    package internal(set) var ended: [String: Instant] = [:]
    /// For each window the opening of its last span that was granted: only the first grant of one can be late.
    package internal(set) var opened: [String: Instant] = [:]
    package internal(set) var handover: Handover?

    /// The state of a rotation that has never run.
    package init() {}

    /// One line of text from which `init(text:)` makes the same state; window names hold none of its signs.
    package var text: String {
        var parts = ["2", String(lastToken), holder?.text ?? ""]
        for instants in [ended, opened] {
            let items = instants.sorted { $0.key < $1.key }.map { "\($0.key),\($0.value.nanoseconds)" }
            parts.append(items.joined(separator: ";"))
        }
        parts.append(handover?.window ?? "")
        parts.append(handover?.text ?? "")
        return parts.joined(separator: "|")
    }

    /// Reads what `text` wrote; `nil` if it is anything else.
    package init?(text: some StringProtocol) {
        // What a window left is the last part, and may hold any sign.
        let parts = text.split(separator: "|", maxSplits: 6, omittingEmptySubsequences: false)
        guard parts.count == 7, parts[0] == "2", let lastToken = UInt64(parts[1]),
            let ended = RotationState.instants(parts[3]), let opened = RotationState.instants(parts[4])
        else { return nil }
        self.lastToken = lastToken
        self.ended = ended
        self.opened = opened
        if !parts[2].isEmpty {
            guard let grant = Grant(text: parts[2]), grant.token <= lastToken else { return nil }
            holder = grant
        }
        if !parts[5].isEmpty { handover = Handover(window: String(parts[5]), text: String(parts[6])) }
    }

    private static func instants(_ text: some StringProtocol) -> [String: Instant]? {
        var instants: [String: Instant] = [:]
        for item in text.split(separator: ";") {
            let fields = item.split(separator: ",", omittingEmptySubsequences: false)
            guard fields.count == 2, let nanoseconds = Int64(fields[1]) else { return nil }
            instants[String(fields[0])] = Instant(nanoseconds: nanoseconds)
        }
        return instants
    }
}

extension RotationState.Grant {
    fileprivate var text: String {
        let numbers = [opens, closes, ends, cancels, hardStop].map { String($0.nanoseconds) }
        let words = [window, String(token), stage.rawValue, isCancelled ? "cancelled" : ""]
        return (words + numbers + [String(tail.nanoseconds)]).joined(separator: ",")
    }

    fileprivate init?(text: some StringProtocol) {
        let fields = text.split(separator: ",", omittingEmptySubsequences: false)
        let numbers = fields.dropFirst(4).compactMap { Int64($0) }
        guard fields.count == 10, numbers.count == 6, let token = UInt64(fields[1]),
            let stage = WindowRotation.Stage(rawValue: String(fields[2])),
            [.open, .cutoff, .draining, .handover].contains(stage)
        else { return nil }
        let instants = numbers.map { Instant(nanoseconds: $0) }
        window = String(fields[0])
        self.token = token
        opens = instants[0]
        closes = instants[1]
        ends = instants[2]
        cancels = instants[3]
        hardStop = instants[4]
        tail = .nanoseconds(numbers[5])
        self.stage = stage
        isCancelled = fields[3] == "cancelled"
    }
}
