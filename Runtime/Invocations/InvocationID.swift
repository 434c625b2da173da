import Synchronization

/// Makes ids: a random part for the process and a counter, so that an id costs no system call and sorts by
/// age within a process.
package enum InvocationID {
    private static let prefix = text(UInt64.random(in: 0...UInt64.max), width: 13)
    private static let counter = Atomic<UInt64>(0)

    /// The next id: 24 characters of `0-9a-v`.
    package static func next() -> String {
        prefix + text(counter.wrappingAdd(1, ordering: .relaxed).newValue, width: 11)
    }

    private static func text(_ value: UInt64, width: Int) -> String {
        let digits = String(value, radix: 32)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}
