import FunctionCore

/// What a rotation must remember over a restart: the highest token, who holds one, and what is over.
package struct RotationState: Sendable, Hashable {
    /// A token given to a window for one of its spans.
    package struct Grant: Sendable, Hashable {
        package let window: String
        package let token: UInt64
        package let opens: Instant
        /// When draining begins; moves if the calendar is corrected.
        package internal(set) var closes: Instant
        /// The first instant at which the token is no longer valid, whatever the holder reports.
        package internal(set) var hardStop: Instant
        package internal(set) var isDraining: Bool
    }

    /// The highest token ever granted; the next one is greater.
    package internal(set) var lastToken: UInt64
    package internal(set) var holder: Grant?
    /// For each window the opening of its last span whose close was reached: it does not open again.
    package internal(set) var ended: [String: Instant]

    /// The state of a rotation that has never run.
    package init() {
        lastToken = 0
        holder = nil
        ended = [:]
    }

    /// One line of text from which `init(text:)` makes the same state; window names hold none of its signs.
    package var text: String {
        var parts = ["1", String(lastToken)]
        if let holder {
            let numbers = [holder.opens, holder.closes, holder.hardStop].map { String($0.nanoseconds) }
            let phase = holder.isDraining ? "draining" : "open"
            parts.append(([holder.window, String(holder.token), phase] + numbers).joined(separator: ","))
        } else {
            parts.append("")
        }
        parts.append(
            ended.sorted { $0.key < $1.key }.map { "\($0.key),\($0.value.nanoseconds)" }.joined(
                separator: ";"
            )
        )
        return parts.joined(separator: "|")
    }

    /// Reads what `text` wrote; `nil` if it is anything else.
    package init?(text: some StringProtocol) {
        let parts = text.split(separator: "|", omittingEmptySubsequences: false)
        guard parts.count == 4, parts[0] == "1", let lastToken = UInt64(parts[1]) else { return nil }
        self.init()
        self.lastToken = lastToken
        if !parts[2].isEmpty {
            let fields = parts[2].split(separator: ",", omittingEmptySubsequences: false)
            let instants = fields.dropFirst(3).compactMap { Int64($0) }.map(Instant.init(nanoseconds:))
            guard fields.count == 6, instants.count == 3, let token = UInt64(fields[1]), token <= lastToken,
                fields[2] == "open" || fields[2] == "draining"
            else { return nil }
            holder = Grant(
                window: String(fields[0]),
                token: token,
                opens: instants[0],
                closes: instants[1],
                hardStop: instants[2],
                isDraining: fields[2] == "draining"
            )
        }
        for item in parts[3].split(separator: ";") {
            let fields = item.split(separator: ",", omittingEmptySubsequences: false)
            guard fields.count == 2, let nanoseconds = Int64(fields[1]) else { return nil }
            ended[String(fields[0])] = Instant(nanoseconds: nanoseconds)
        }
    }
}
