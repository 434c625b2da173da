/// Decides whether a candidate takes the champion's place, by bars on which neither was trained.
package struct PromotionGate: Sendable {
    /// By how much the candidate must beat the champion, in hundredths of a per cent.
    var margin: Double
    /// How sure its timing must be; see `Performance.score`.
    var minScore = 2.0

    package init(marginBps: Int) {
        margin = Double(marginBps)
    }

    /// Why the candidate is turned down, as codes; none where it passes.
    package func objections(to candidate: Performance, against champion: Performance) -> [String] {
        var objections: [String] = []
        if candidate.trades < RuleSearch.minTrades { objections.append("too_few_trades") }
        if candidate.net <= 0 { objections.append("no_gain") }
        if candidate.score < minScore { objections.append("not_significant") }
        if candidate.net < champion.net + margin { objections.append("not_better_than_champion") }
        return objections
    }
}
