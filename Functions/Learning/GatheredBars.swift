import FunctionCore

/// The closes of one symbol that `trading` gathered, oldest first.
package struct GatheredBars: Sendable, Hashable {
    /// How many bars are read at most; `trading` keeps no more.
    private static let capacity = 5000
    /// How long a bar lasts, in seconds.
    private static let length: Int64 = 60

    package var symbol: String
    package var closes: [Int64] = []
    /// When the last bar ended, in seconds since the epoch.
    package var end: Int64 = 0

    package init(symbol: String, closes: [Int64] = [], end: Int64 = 0) {
        self.symbol = symbol
        self.closes = closes
        self.end = end
    }

    /// Reads what was complete at `cutoff`.
    static func read(_ symbol: String, until cutoff: Instant, _ context: Context) async throws -> GatheredBars
    {
        let lines = try await context.bindings.state.last("market:bars:\(symbol)", capacity)
        return parsed(symbol, lines, until: cutoff)
    }

    /// Bars from lines `[seconds, open, high, low, close, volume]`.
    ///
    /// A line that is out of order, double or broken is skipped: a gap costs one return, and a wrong order
    /// would be a look into the future.
    static func parsed(_ symbol: String, _ lines: [String], until cutoff: Instant) -> GatheredBars {
        var bars = GatheredBars(symbol: symbol)
        for line in lines {
            guard let bar = try? JSON.parse(Bytes(line)), let seconds = bar[0]?.intValue,
                let close = bar[4]?.intValue,
                close > 0
            else { continue }
            let end = Int64(seconds) + length
            guard end > bars.end, end <= cutoff.seconds else { continue }
            bars.closes.append(Int64(close))
            bars.end = end
        }
        return bars
    }

    /// Where the bars that are only judged by begin: 70 % are for training.
    var split: Int { closes.count * 7 / 10 }
}
