import FunctionCore

/// The bars gathered so far, for `learning`: a list in Redis for each symbol, one compact JSON array a bar.
struct BarStore: Sendable {
    /// How many bars of a symbol are kept; at one a minute that is thirteen sessions.
    static let capacity = 5000

    var context: Context

    /// Adds those of `bars` that are newer than the last gathered; tells how many.
    ///
    /// The list's own end says what was gathered last, so that a step that breaks off between two bars
    /// neither loses nor doubles one.
    func gather(_ symbol: String, _ bars: [Bar], after last: Instant?) async throws -> Int {
        var count = 0
        for bar in bars where last.map({ bar.time > $0 }) ?? true {
            try Task.checkCancellation()
            try await context.bindings.state.append(key(symbol), BarStore.line(bar), keep: BarStore.capacity)
            count += 1
        }
        return count
    }

    /// When the bar that was gathered last began.
    func last(_ symbol: String) async throws -> Instant? {
        guard let line = try await context.bindings.state.last(key(symbol), 1).last else { return nil }
        return (try? JSON.parse(Bytes(line)))?[0]?.intValue.map { Instant(seconds: Int64($0)) }
    }

    private func key(_ symbol: String) -> String { "market:bars:\(symbol)" }

    /// `[seconds, open, high, low, close, volume]`.
    static func line(_ bar: Bar) -> String {
        "[\(bar.time.seconds),\(bar.open),\(bar.high),\(bar.low),\(bar.close),\(bar.volume)]"
    }
}
