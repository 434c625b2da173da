import FunctionCore

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

    /// Reads `open`, `close+5m` or `close-15m`, or the same in words: `5m after close`, `15m before close`.
    package init(parsing text: some StringProtocol) throws(SchedulingError) {
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        let sign = text.firstIndex { $0 == "+" || $0 == "-" }
        let name: Substring
        var distance: Duration?
        var isBefore = false
        if words.count == 3, words[1] == "before" || words[1] == "after" {
            name = Substring(words[2])
            distance = try EverySchedule.interval(parsing: words[0])
            isBefore = words[1] == "before"
        } else if let sign {
            name = Substring(text[..<sign])
            distance = try EverySchedule.interval(parsing: text[text.index(after: sign)...])
            isBefore = text[sign] == "-"
        } else {
            name = Substring(text)
        }
        guard let anchor = Anchor(rawValue: String(name)) else {
            throw SchedulingError(
                .rotationInvalid,
                "edge \"\(text)\" tells its distance from neither open nor close: write one like open+5m, "
                    + "close-15m or 15m before close"
            )
        }
        self.anchor = anchor
        offset = isBefore ? .zero - (distance ?? .zero) : distance ?? .zero
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
    /// The times of the market that a window lies in.
    package enum Base: Sendable, Hashable {
        /// The sessions, each with its pause.
        case session
        /// When the market is so; what is closed lasts from a session's close to the next one's open.
        case phase(PhaseCondition)

        static let closed = Base.phase(.closed)
    }

    /// Letters, digits, `_` and `-`, such as `trading`.
    package let name: String
    package let base: Base
    package let from: SessionEdge
    /// Where it ends: what still runs drains from here on.
    package let to: SessionEdge
    /// How long before it opens its function is warmed.
    package let arm: Duration
    /// From here on nothing begins; `to` where it is nil.
    package let cutoff: SessionEdge?
    /// Where the token is fenced at the latest; `drainLimit` and `checkpoint` after the end where it is nil.
    package let hardStop: SessionEdge?
    /// How long what runs at the end may go on.
    package let drainLimit: Duration
    /// How long the function has for the event `checkpoint` before its token is taken; nil for none.
    package let checkpoint: Duration?

    package init(
        name: String,
        base: Base? = nil,
        from: SessionEdge,
        to: SessionEdge,
        arm: Duration = .zero,
        cutoff: SessionEdge? = nil,
        hardStop: SessionEdge? = nil,
        drainLimit: Duration = .seconds(60),
        checkpoint: Duration? = nil
    ) {
        self.name = name
        self.base = base ?? RotationWindow.base(from, to)
        self.from = from
        self.to = to
        self.arm = arm
        self.cutoff = cutoff
        self.hardStop = hardStop
        self.drainLimit = drainLimit
        self.checkpoint = checkpoint
    }

    /// What edges alone say: `open` to `close` is a session, `close` to `open` the time between two.
    private static func base(_ from: SessionEdge, _ to: SessionEdge) -> Base {
        switch (from.anchor, to.anchor) {
        case (.open, .close): .session
        case (.close, .open): .closed
        case (.open, .open): from.offset < .zero ? .closed : .session
        case (.close, .close): from.offset < .zero ? .session : .closed
        }
    }

    /// The window's opening in one of its base's times; nil where it has no room there, as on a half day.
    func span(in time: Range<Instant>) -> RotationPlan.Span? {
        func instant(_ edge: SessionEdge) -> Instant {
            let isStart = (edge.anchor == .open) == (base != .closed)
            return (isStart ? time.lowerBound : time.upperBound) + edge.offset
        }
        let opens = instant(from)
        var ends = instant(to)
        var closes = cutoff.map(instant) ?? ends
        let stop = hardStop.map(instant) ?? max(ends, closes) + drainLimit + (checkpoint ?? .zero)
        ends = min(ends, stop)
        closes = min(closes, ends)
        guard opens < closes else { return nil }
        return RotationPlan.Span(
            window: name,
            arms: opens - arm,
            opens: opens,
            closes: closes,
            ends: ends,
            cancels: max(closes, stop - (checkpoint ?? .zero)),
            hardStop: stop
        )
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
        let edges =
            [("from", from), ("until", to)]
            + [("cutoff", cutoff), ("hardStop", hardStop)].compactMap {
                field,
                edge in edge.map { (field, $0) }
            }
        for (field, edge) in edges
        where edge.offset > SessionEdge.farthest || edge.offset < .zero - SessionEdge.farthest {
            problems.append(
                "window \(name), \(field): \(edge) is more than 12h from its anchor: move it nearer"
            )
        }
        let spans = [("drain", drainLimit), ("arm", arm), ("checkpoint", checkpoint ?? .zero)]
        for (field, span) in spans where span < .zero || span > .seconds(6 * 3_600) {
            problems.append("window \(name), \(field): not within 0 and 6h: shorten it")
        }
        return problems
    }
}
