/// What a rule would have earned on past bars, after costs.
///
/// A decision at the close of a bar uses that close and earlier ones, and earns the change to the next close;
/// this is how the paper broker fills. Only long positions are taken, one unit or none.
package struct Backtest: Sendable {
    /// A stretch of one symbol's closes with what is needed to average them quickly.
    package struct Series: Sendable {
        let closes: [Int64]
        /// `sums[i]` is the sum of the first `i` closes.
        let sums: [Int64]

        package init(_ closes: [Int64]) {
            self.closes = closes
            var sums: [Int64] = [0]
            sums.reserveCapacity(closes.count + 1)
            var sum: Int64 = 0
            for close in closes {
                sum += close
                sums.append(sum)
            }
            self.sums = sums
        }

        /// The rule's signal after the close at `place`; the same as `rule.signal(closes[...place])`, but for
        /// its speed.
        package func signal(_ rule: CrossRule, at place: Int) -> Signal {
            guard place + 1 >= rule.slow else { return .unclear }
            let end = sums[place + 1]
            let quick = (end - sums[place + 1 - rule.fast]) * Int64(rule.slow) * 10_000
            let steady = (end - sums[place + 1 - rule.slow]) * Int64(rule.fast)
            if quick > steady * Int64(10_000 + rule.threshold) { return .up }
            if quick < steady * Int64(10_000 - rule.threshold) { return .down }
            return .unclear
        }
    }

    /// What a change of position costs, as a fraction of its value.
    let cost: Double

    package init(costBps: Int) {
        cost = Double(costBps) / 10_000
    }

    /// Applies a rule to the decisions in `range` of each series; earlier closes serve the averages only.
    package func run(_ rule: CrossRule, on parts: [(series: Series, range: Range<Int>)]) -> Performance {
        var performance = Performance.Tally()
        for part in parts {
            performance.begin()
            var isHeld = false
            for place in part.range where place + 1 < part.series.closes.count {
                let before = isHeld
                switch part.series.signal(rule, at: place) {
                case .up: isHeld = true
                case .down: isHeld = false
                case .unclear: break
                }
                let now = Double(part.series.closes[place])
                let change = (Double(part.series.closes[place + 1]) - now) / now
                performance.add(change, held: isHeld, cost: before == isHeld ? 0 : cost)
            }
            performance.end()
        }
        return performance.performance
    }
}
