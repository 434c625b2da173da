import Synchronization

/// Random numbers of one invocation, which a replay of a recording repeats: SplitMix64 from the invocation's seed.
///
/// All who take `context.random` draw from one sequence. Threading: any, without a lock; only numbers that are drawn in
/// the same order come again. Not for secrets: who knows a few of them can tell the rest.
///
///     var random = context.random
///     let lot = Int.random(in: 1...6, using: &random)
public final class InvocationRandom: RandomNumberGenerator, Sendable {
    private let state: Atomic<UInt64>

    /// A sequence that depends on `seed` alone; made by the worker, and by tests.
    public init(seed: UInt64) {
        state = Atomic(seed)
    }

    /// The next number.
    public func next() -> UInt64 {
        var mixed = state.wrappingAdd(0x9E37_79B9_7F4A_7C15, ordering: .relaxed).newValue
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
