import FunctionCore

/// A small generator, so that a machine's jitter can be repeated from its seed (SplitMix64).
struct SplitMix: RandomNumberGenerator, Sendable {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// The time and up to a quarter more.
    mutating func jittered(_ duration: Duration) -> Duration {
        duration + .nanoseconds(Int64.random(in: 0...max(duration.nanoseconds / 4, 0), using: &self))
    }
}
