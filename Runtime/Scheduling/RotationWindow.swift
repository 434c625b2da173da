/// A moment told by a market's session: so long before or after its open or close.
package struct SessionEdge: Sendable, Hashable, CustomStringConvertible {
    package enum Anchor: String, Sendable, Hashable {
        case open
        case close
    }

    /// No edge lies further from its anchor; more would reach into the sessions next to it.
    package static let farthest: Duration = .seconds(12 * 3_600)

    package let anchor: Anchor
    /// Negative before the anchor.
    package let offset: Duration

    package init(_ anchor: Anchor, _ offset: Duration = .zero) {
        self.anchor = anchor
        self.offset = offset
    }

    /// Reads `open`, `close`, `open+5m` or `close-15m`.
    package init(parsing text: some StringProtocol) throws(SchedulingError) {
        let sign = text.firstIndex { $0 == "+" || $0 == "-" }
        guard let anchor = Anchor(rawValue: String(text[..<(sign ?? text.endIndex)])) else {
            throw SchedulingError(
                .rotationInvalid,
                "edge \"\(text)\" starts with neither open nor close: write one like open+5m or close-15m"
            )
        }
        self.anchor = anchor
        guard let sign else {
            offset = .zero
            return
        }
        let distance = try EverySchedule.interval(parsing: text[text.index(after: sign)...])
        offset = text[sign] == "-" ? .zero - distance : distance
    }

    package var description: String {
        guard offset != .zero else { return anchor.rawValue }
        let seconds = offset.components.seconds
        return "\(anchor.rawValue)\(seconds < 0 ? "-" : "+")\(abs(seconds))s"
    }
}

/// One of the windows that take turns: when it opens and closes, told by the sessions of a market.
///
/// `open` to `close-5m` is a window within each session; `close+15m` to `open-30m` reaches from a session's
/// close to the next one's open, over nights, weekends and holidays.
package struct RotationWindow: Sendable, Hashable {
    /// Letters, digits, `_` and `-`, such as `trading`.
    package let name: String
    package let from: SessionEdge
    /// Where it closes: from here on its holder drains.
    package let to: SessionEdge
    /// How long the holder may drain before its token is fenced.
    package let drainLimit: Duration

    package init(name: String, from: SessionEdge, to: SessionEdge, drainLimit: Duration = .seconds(60)) {
        self.name = name
        self.from = from
        self.to = to
        self.drainLimit = drainLimit
    }

    /// Whether the window closes in the session after the one it opens in.
    var endsInNextSession: Bool {
        switch (from.anchor, to.anchor) {
        case (.open, .close): false
        case (.close, .open): true
        default: to.offset <= from.offset
        }
    }

    func problems() -> [String] {
        var problems: [String] = []
        let isPlain = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        if name.isEmpty || name.utf8.count > 64 || !isPlain {
            problems.append("window \"\(name)\": a name has 1 to 64 letters, digits, _ and -: rename it")
        }
        for (field, edge) in [("from", from), ("to", to)]
        where edge.offset > SessionEdge.farthest || edge.offset < .zero - SessionEdge.farthest {
            problems.append(
                "window \(name), \(field): \(edge) is more than 12h from its anchor: move it nearer"
            )
        }
        if drainLimit < .zero || drainLimit > .seconds(6 * 3_600) {
            problems.append("window \(name), drainLimit: not within 0 and 6h: shorten it")
        }
        return problems
    }
}
