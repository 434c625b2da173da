import FunctionCore

/// What the manifest's `environment:` sets: the symbols and the caps on risk.
struct TradingSettings: Sendable {
    /// What is traded, in this order.
    var symbols: [String]
    /// The most shares of one symbol.
    var maxPosition: Int64
    /// The most shares of one order.
    var maxOrder: Int64
    /// A step trades no symbol whose newest bar is older; 0 for no such rule.
    var maxBarAgeMinutes: Int64
    /// How many bars a step gathers at most of one symbol, so that a long pause is caught up in bounded
    /// steps.
    var backfill: Int

    /// - Throws: `FunctionError` 500 `bad_setting`, naming the variable.
    init(_ environment: [String: String]) throws {
        symbols = (environment["TRADING_SYMBOLS"] ?? "ACME,GLOBEX").split(separator: ",")
            .map { String($0.filter { !$0.isWhitespace }) }.filter { !$0.isEmpty }
        guard (1...32).contains(symbols.count), Set(symbols).count == symbols.count else {
            throw TradingSettings.bad("TRADING_SYMBOLS", "1 to 32 different symbols, with commas between")
        }
        maxPosition = try TradingSettings.number(environment, "TRADING_MAX_POSITION", 200, 1...1_000_000)
        maxOrder = try TradingSettings.number(environment, "TRADING_MAX_ORDER", 100, 1...1_000_000)
        maxBarAgeMinutes = try TradingSettings.number(environment, "TRADING_MAX_BAR_AGE", 0, 0...100_000)
        backfill = Int(try TradingSettings.number(environment, "TRADING_BACKFILL", 780, 120...5000))
    }

    private static func number(
        _ environment: [String: String],
        _ name: String,
        _ otherwise: Int64,
        _ range: ClosedRange<Int64>
    ) throws -> Int64 {
        guard let text = environment[name], !text.isEmpty else { return otherwise }
        guard let number = Int64(text), range.contains(number) else {
            throw bad(name, "a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    private static func bad(_ name: String, _ rule: String) -> FunctionError {
        FunctionError(
            code: "bad_setting",
            message: "\(name) under environment: in trading's function.yaml must be \(rule)",
            retry: .never
        )
    }
}
