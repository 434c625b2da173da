import FunctionCore
import Invocations

/// Where a symbol's prices come from.
package enum MarketSource: Sendable {
    /// Made up, by the service's seed.
    case generated
    /// Given, oldest first; see `BarFile`.
    case bars([Bar])
}

/// Answers `market-data`: the last complete bars of a symbol. No bar is told before it has ended.
package actor MarketDataService: BindingService {
    /// The most bars of one answer.
    private static let mostBars = 5000
    /// How many generated sessions are kept: a full answer spans about thirteen of each symbol.
    private static let keptSessions = 128

    package nonisolated let binding = "market-data"
    private let generator: MarketGenerator
    private let sources: [String: MarketSource]
    private let sessions: any SessionSource
    private let clock: any HostClock
    private var kept: [SessionKey: [Bar]] = [:]
    /// The kept sessions in the order in which they were made; at the bound the oldest makes room.
    private var order: [SessionKey] = []

    private struct SessionKey: Hashable {
        var symbol: String
        var session: MarketSession
    }

    /// Symbols whose prices are made up.
    package static let usualSources: [String: MarketSource] = [
        "ACME": .generated, "GLOBEX": .generated, "INITECH": .generated, "HOOLI": .generated,
    ]

    package init(
        seed: UInt64 = 1,
        sources: [String: MarketSource] = MarketDataService.usualSources,
        sessions: any SessionSource,
        clock: any HostClock
    ) {
        self.generator = MarketGenerator(seed: seed)
        self.sources = sources
        self.sessions = sessions
        self.clock = clock
    }

    package func call(_ call: BindingCall, answer: any BindingAnswering) async throws {
        guard call.method == "bars" else { throw call.unknownMethod(of: binding) }
        let query = try call.decode(BarQuery.self)
        try answer.send(encoding: try bars(query.symbol, until: query.until, count: query.count))
    }

    /// The last `count` bars that are complete at `until`, and now, oldest first.
    /// - Throws: `FunctionError` 422 `unknown_symbol`, or for a count outside 1 to 5000.
    package func bars(_ symbol: String, until: Instant? = nil, count: Int) throws -> [Bar] {
        guard (1...MarketDataService.mostBars).contains(count) else {
            throw FunctionError.invalid("count", "range", "count must be 1 to \(MarketDataService.mostBars)")
        }
        guard let source = sources[symbol] else { throw unknown(symbol) }
        let now = clock.now
        let end = min(until ?? now, now)
        switch source {
        case .bars(let bars): return MarketDataService.complete(bars, at: end, count)
        case .generated: return generated(symbol, until: end, count)
        }
    }

    /// The last complete bar of a symbol, or nil where there is none yet.
    package func lastBar(_ symbol: String) throws -> Bar? {
        try bars(symbol, count: 1).last
    }

    private func generated(_ symbol: String, until end: Instant, _ count: Int) -> [Bar] {
        var parts: [ArraySlice<Bar>] = []
        var missing = count
        var session = sessions.session(containingOrBefore: end)
        while missing > 0, let current = session {
            let bars = sessionBars(symbol, current)
            let part = MarketDataService.complete(bars, at: end, missing)
            missing -= part.count
            parts.append(part[...])
            session = sessions.session(before: current)
        }
        return parts.reversed().flatMap { $0 }
    }

    private func sessionBars(_ symbol: String, _ session: MarketSession) -> [Bar] {
        let key = SessionKey(symbol: symbol, session: session)
        if let bars = kept[key] { return bars }
        let bars = generator.bars(symbol, in: session)
        kept[key] = bars
        order.append(key)
        if order.count > MarketDataService.keptSessions { kept[order.removeFirst()] = nil }
        return bars
    }

    /// Those of `bars` that have ended by `end`, the last `count` of them; found by halving, as files are
    /// long.
    private static func complete(_ bars: [Bar], at end: Instant, _ count: Int) -> [Bar] {
        var low = 0
        var high = bars.count
        while low < high {
            let middle = (low + high) / 2
            if bars[middle].time + .seconds(60) <= end { low = middle + 1 } else { high = middle }
        }
        return Array(bars[max(0, low - count)..<low])
    }

    private func unknown(_ symbol: String) -> FunctionError {
        let known = sources.keys.sorted().joined(separator: ", ")
        var error = FunctionError.invalid(
            "symbol",
            "unknown_symbol",
            "symbol is not known; known are \(known)"
        )
        error.code = "unknown_symbol"
        return error
    }
}
