import FunctionCore

/// How a rule did.
///
/// Returns are sums over bars in hundredths of a per cent of the value at stake.
package struct Performance: Sendable, Hashable {
    /// How many decisions were judged.
    package var bars = 0
    /// How often a position was opened.
    package var trades = 0
    /// The share of bars with a position.
    package var exposure = 0.0
    /// What was earned, after costs.
    package var net = 0.0
    /// `net` less what holding the same share all the time would have earned: what the timing was worth.
    package var excess = 0.0
    /// The mean of the excess of a bar over its standard error; above 2 in one of forty rules that know
    /// nothing.
    package var score = 0.0
    /// The deepest fall of `net` from a height it had reached.
    package var maxDrawdown = 0.0

    /// The numbers for people and models, in hundredths and without endless digits.
    var json: JSON {
        func short(_ value: Double) -> JSON { .number((value * 100).rounded() / 100) }
        return [
            "bars": .integer(Int64(bars)), "trades": .integer(Int64(trades)), "exposure": short(exposure),
            "net_bps": short(net), "excess_bps": short(excess), "score": short(score),
            "max_drawdown_bps": short(maxDrawdown),
        ]
    }

    /// Gathers decisions of one symbol after another.
    struct Tally {
        private var result = Performance()
        private var sum = 0.0
        private var squares = 0.0
        private var peak = 0.0
        private var heldBars = 0
        private var changes: [Double] = []
        private var nets: [Double] = []
        private var held = 0
        private var wasHeld = false

        /// A symbol's bars begin.
        mutating func begin() {
            changes.removeAll(keepingCapacity: true)
            nets.removeAll(keepingCapacity: true)
            held = 0
            wasHeld = false
        }

        mutating func add(_ change: Double, held isHeld: Bool, cost: Double) {
            changes.append(change)
            nets.append((isHeld ? change : 0) - cost)
            if isHeld { held += 1 }
            if isHeld, !wasHeld { result.trades += 1 }
            wasHeld = isHeld
        }

        /// A symbol's bars are all there: its excess needs the share of all of them that was held.
        mutating func end() {
            let share = changes.isEmpty ? 0 : Double(held) / Double(changes.count)
            for (change, net) in zip(changes, nets) {
                let excess = net - share * change
                sum += excess
                squares += excess * excess
                result.net += net * 10_000
                peak = max(peak, result.net)
                result.maxDrawdown = max(result.maxDrawdown, peak - result.net)
            }
            heldBars += held
            result.bars += changes.count
        }

        var performance: Performance {
            var done = result
            guard done.bars > 1 else { return done }
            let count = Double(done.bars)
            done.exposure = Double(heldBars) / count
            done.excess = sum * 10_000
            let mean = sum / count
            let variance = (squares - count * mean * mean) / (count - 1)
            done.score = variance > 0 ? mean / (variance / count).squareRoot() : 0
            return done
        }
    }
}
