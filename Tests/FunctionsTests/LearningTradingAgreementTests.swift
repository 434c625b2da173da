import FunctionCore
import Learning
import Testing
import Trading

/// Functions share no code, so what one trains and the other applies is held together here.
@Suite(.timeLimit(.minutes(1)))
struct LearningTradingAgreementTests {
    @Test("learning's backtest, learning's rule and trading's rule give the same signals")
    func sameSignals() {
        var random = TestRandom(seed: 5)
        let closes = (0..<400).map { _ in Int64(100_000 + random.below(4_000)) }
        let series = Backtest.Series(closes)
        for _ in 0..<40 {
            let rule = RuleSearch.candidates[random.below(RuleSearch.candidates.count)]
            let traded = Trading.CrossRule(fast: rule.fast, slow: rule.slow, threshold: rule.threshold)
            #expect(rule.isValid && traded.isValid)
            for place in stride(from: 0, to: closes.count, by: 7) {
                let signal = series.signal(rule, at: place)
                #expect(signal == rule.signal(closes[...place]))
                #expect(signal.rawValue == traded.signal(closes[...place].suffix(120)).rawValue)
            }
        }
    }

    @Test("both begin with the same rule")
    func sameBeginning() {
        let mine = Learning.CrossRule.initial
        let theirs = Trading.CrossRule.initial
        #expect([mine.fast, mine.slow, mine.threshold] == [theirs.fast, theirs.slow, theirs.threshold])
    }
}
