/// Where prices are thought to go.
package enum Signal: String, Sendable, Codable, Hashable {
    case up, down
    /// Not clear enough: hold what is held.
    case unclear
}

/// Two moving averages that cross: up while the fast one is above the slow one by more than a threshold.
///
/// The function `learning` trains what this one applies, and functions share no code; a test holds both to
/// the same answers. All is integer arithmetic, so that no rounding tells them apart.
package struct CrossRule: Sendable, Codable, Hashable {
    /// How many closes the fast average takes.
    package var fast: Int
    /// How many closes the slow average takes.
    package var slow: Int
    /// By how much the averages must differ, in hundredths of a per cent.
    package var threshold: Int

    package init(fast: Int, slow: Int, threshold: Int) {
        self.fast = fast
        self.slow = slow
        self.threshold = threshold
    }

    /// What holds until something better is learnt.
    package static let initial = CrossRule(fast: 5, slow: 20, threshold: 0)

    /// Whether the numbers make a rule; the slow average must fit into the 120 bars that a step reads.
    package var isValid: Bool {
        fast >= 1 && fast < slow && slow <= 120 && (0...1000).contains(threshold)
    }

    /// The signal after the last of `closes`; it depends on that and the `slow - 1` closes before it, on
    /// nothing later.
    package func signal(_ closes: some RandomAccessCollection<Int64>) -> Signal {
        guard closes.count >= slow else { return .unclear }
        // Averages compared without division. Prices up to 10^10 keep the products inside 64 bits.
        let quick = closes.suffix(fast).reduce(0, +) * Int64(slow) * 10_000
        let steady = closes.suffix(slow).reduce(0, +) * Int64(fast)
        if quick > steady * Int64(10_000 + threshold) { return .up }
        if quick < steady * Int64(10_000 - threshold) { return .down }
        return .unclear
    }
}
