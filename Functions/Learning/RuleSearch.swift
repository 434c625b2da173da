/// The rules that are tried, and which of them did best on the bars for training.
package struct RuleSearch: Sendable {
    /// How a search ended.
    package enum Ending: Sendable {
        /// All rules were tried.
        case complete
        /// The window closed, or the host asked to stop.
        case stopped
    }

    /// Every rule, in the order in which it is tried; of two that do alike the earlier one counts.
    package static let candidates: [CrossRule] = {
        var rules: [CrossRule] = []
        for slow in [15, 20, 30, 45, 60, 90, 120] {
            for fast in [2, 3, 5, 8, 13, 20, 30] where fast * 3 <= slow * 2 {
                for threshold in [0, 5, 10, 20] {
                    rules.append(CrossRule(fast: fast, slow: slow, threshold: threshold))
                }
            }
        }
        return rules
    }()

    /// A rule that trades less often has not shown anything.
    static let minTrades = 5

    package private(set) var best: (rule: CrossRule, performance: Performance)?
    package private(set) var tried = 0

    package init() {}

    /// Tries all candidates; asks `mayGoOn` before each.
    package mutating func run(
        _ backtest: Backtest,
        on parts: [(series: Backtest.Series, range: Range<Int>)],
        mayGoOn: () -> Bool
    ) async -> Ending {
        for rule in RuleSearch.candidates {
            guard mayGoOn() else { return .stopped }
            let performance = backtest.run(rule, on: parts)
            tried += 1
            if performance.trades >= RuleSearch.minTrades, performance.score > best?.performance.score ?? 0 {
                best = (rule, performance)
            }
            // A candidate takes a few milliseconds; in between others get their turn on the worker's threads.
            await Task.yield()
        }
        return .complete
    }
}
