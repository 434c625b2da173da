import FunctionCore

/// Makes the ids of new traces.
///
/// They need to be unlike one another, not hard to guess, and a system call for each would show in the cost
/// of a request: a SplitMix64 sequence, seeded by the system, one for each loop.
struct TraceIDs {
    private var state: UInt64

    init(seed: UInt64 = .random(in: 0 ... .max)) {
        state = seed
    }

    /// A new trace, recorded.
    mutating func begin() -> TraceContext {
        TraceContext(traceID: hex(words: 2), spanID: hex(words: 1))
    }

    /// A new position below the caller's in its trace.
    mutating func child(of caller: TraceContext) -> TraceContext {
        TraceContext(traceID: caller.traceID, spanID: hex(words: 1), sampled: caller.sampled)
    }

    private mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        // An id of nothing but zeros is not valid.
        return (mixed ^ (mixed >> 31)) | 1
    }

    private mutating func hex(words: Int) -> String {
        var left = 0
        var bits: UInt64 = 0
        let count = words * 16
        // SAFETY: exactly `count` bytes, the capacity asked for, are written, all of them ASCII.
        return String(unsafeUninitializedCapacity: count) { buffer in
            for index in 0..<count {
                if left == 0 {
                    bits = next()
                    left = 16
                }
                let digit = UInt8(truncatingIfNeeded: bits >> 60)
                buffer[index] = digit < 10 ? 48 + digit : 87 + digit
                bits <<= 4
                left -= 1
            }
            return count
        }
    }
}
