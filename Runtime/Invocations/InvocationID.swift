import Synchronization

/// Makes ids: a random part for the process and a counter, so that an id costs no system call and sorts by
/// age within a process.
package enum InvocationID {
    private static let prefix = UInt64.random(in: 0...UInt64.max)
    private static let counter = Atomic<UInt64>(0)

    /// The next id: 24 characters of `0-9a-v`.
    package static func next() -> String {
        let count = counter.wrappingAdd(1, ordering: .relaxed).newValue
        let prefix = prefix
        // SAFETY: all 24 bytes of the capacity asked for are written, all of them ASCII.
        return String(unsafeUninitializedCapacity: 24) { buffer in
            write(prefix, to: buffer, 0..<13)
            write(count, to: buffer, 13..<24)
            return 24
        }
    }

    /// Writes a number's lowest digits to base 32.
    private static func write(
        _ value: UInt64,
        to buffer: UnsafeMutableBufferPointer<UInt8>,
        _ range: Range<Int>
    ) {
        var rest = value
        for index in range.reversed() {
            let digit = UInt8(truncatingIfNeeded: rest & 31)
            buffer[index] = digit < 10 ? 48 + digit : 87 + digit
            rest >>= 5
        }
    }
}
