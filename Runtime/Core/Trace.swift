/// A position in a W3C trace (https://www.w3.org/TR/trace-context/), version 00.
public struct TraceContext: Sendable, Hashable {
    /// 32 lower-case hexadecimal digits, not all zero.
    public var traceID: String
    /// 16 lower-case hexadecimal digits, not all zero.
    public var spanID: String
    /// Whether the caller records the trace.
    public var sampled: Bool

    /// A position made of its parts.
    public init(traceID: String, spanID: String, sampled: Bool = true) {
        self.traceID = traceID
        self.spanID = spanID
        self.sampled = sampled
    }

    /// Reads a `traceparent` header; nil where it is malformed, so that a new trace is begun.
    public init?(traceparent: String) {
        let parts = traceparent.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count >= 4, parts[0].utf8.count == 2, parts[0] != "ff", parts[3].utf8.count == 2,
            parts[0] != "00" || parts.count == 4,
            TraceContext.isID(parts[1], digits: 32), TraceContext.isID(parts[2], digits: 16),
            let flags = UInt8(parts[3], radix: 16)
        else { return nil }
        self.init(traceID: String(parts[1]), spanID: String(parts[2]), sampled: flags & 1 == 1)
    }

    /// The header's value.
    public var traceparent: String {
        "00-\(traceID)-\(spanID)-\(sampled ? "01" : "00")"
    }

    /// A new trace with random ids.
    public static func begin() -> TraceContext {
        TraceContext(
            traceID: hex(UInt64.random(in: 1 ... .max)) + hex(UInt64.random(in: 1 ... .max)),
            spanID: hex(UInt64.random(in: 1 ... .max))
        )
    }

    /// A new position below this one in the same trace.
    public func child() -> TraceContext {
        TraceContext(traceID: traceID, spanID: hex(UInt64.random(in: 1 ... .max)), sampled: sampled)
    }

    private static func isID(_ text: Substring, digits: Int) -> Bool {
        text.utf8.count == digits && text.utf8.allSatisfy { hexValue($0) != nil && !(65...70).contains($0) }
            && text.utf8.contains { $0 != 48 }
    }
}

/// Sixteen lower-case hexadecimal digits.
func hex(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.utf8.count) + digits
}
