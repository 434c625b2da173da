import FunctionCore

/// What the manifest's `environment:` sets.
struct LearningSettings: Sendable {
    /// Whose bars are learnt from.
    var symbols: [String]
    /// What a change of position costs, in hundredths of a per cent of its value: slippage and fees.
    var cost: Int
    /// By how much a candidate must beat the champion, in hundredths of a per cent over the later bars.
    var margin: Int
    /// A symbol with fewer bars is left out.
    var minBars: Int

    /// - Throws: `FunctionError` 500 `bad_setting`, naming the variable.
    init(_ environment: [String: String]) throws {
        symbols = (environment["TRADING_SYMBOLS"] ?? "ACME,GLOBEX").split(separator: ",")
            .map { String($0.filter { !$0.isWhitespace }) }.filter { !$0.isEmpty }
        guard (1...32).contains(symbols.count), Set(symbols).count == symbols.count else {
            throw LearningSettings.bad("TRADING_SYMBOLS", "1 to 32 different symbols, with commas between")
        }
        cost = try LearningSettings.number(environment, "LEARNING_COST_BPS", 3, 0...1000)
        margin = try LearningSettings.number(environment, "LEARNING_MARGIN_BPS", 10, 0...10_000)
        minBars = try LearningSettings.number(environment, "LEARNING_MIN_BARS", 300, 200...5000)
    }

    private static func number(
        _ environment: [String: String],
        _ name: String,
        _ otherwise: Int,
        _ range: ClosedRange<Int>
    ) throws -> Int {
        guard let text = environment[name], !text.isEmpty else { return otherwise }
        guard let number = Int(text), range.contains(number) else {
            throw bad(name, "a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    private static func bad(_ name: String, _ rule: String) -> FunctionError {
        FunctionError(
            code: "bad_setting",
            message: "\(name) under environment: in learning's function.yaml must be \(rule)",
            retry: .never
        )
    }
}
