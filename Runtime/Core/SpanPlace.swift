/// Where a span hangs in its trace: its own number, and its parent's.
///
/// Spans' ids are 64 bits; as numbers they are kept and compared without a text for each.
package struct SpanPlace: Sendable, Hashable {
    /// 32 lower-case hexadecimal digits.
    package var traceID: String
    package var span: UInt64
    package var parent: ParentSpan

    package init(traceID: String, span: UInt64, parent: ParentSpan = ParentSpan()) {
        self.traceID = traceID
        self.span = span
        self.parent = parent
    }

    /// The place of a context whose parent is known.
    package init(_ context: TraceContext, parent: ParentSpan = ParentSpan()) {
        self.init(traceID: context.traceID, span: context.span, parent: parent)
    }
}

/// The span above another one, if there is one.
package struct ParentSpan: Sendable, Hashable {
    /// 0 for none.
    package var id: UInt64
    /// Whether it was named from outside, so that nobody here need know it.
    package var isRemote: Bool

    package init(_ id: UInt64 = 0, isRemote: Bool = false) {
        self.id = id
        self.isRemote = isRemote
    }

    /// The span of a caller, where there was one.
    package init(_ caller: TraceContext?, isRemote: Bool) {
        self.init(caller?.span ?? 0, isRemote: isRemote)
    }
}

/// Numbers of spans.
package enum SpanID {
    /// Sixteen lower-case hexadecimal digits.
    package static func text(_ span: UInt64) -> String { hex(span) }

    /// The number of a span within another one, which both sides reckon for themselves.
    ///
    /// So a binding call has an id before it is told of, and is none more to keep.
    package static func derived(from span: UInt64, _ number: UInt64) -> UInt64 {
        // SplitMix64's finish: numbers that lie beside one another give ids that have nothing in common.
        var mixed = span &+ number &* 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        mixed ^= mixed >> 31
        return mixed == 0 ? 1 : mixed
    }

    /// The same by a name instead of a number.
    package static func derived(from span: UInt64, _ name: String) -> UInt64 {
        // FNV-1a.
        let hash = name.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        return derived(from: span, hash)
    }

    /// The waiting for a worker, within an attempt.
    package static func queue(of attempt: UInt64) -> UInt64 { derived(from: attempt, 1) }
    /// The start of a worker, within that.
    package static func start(of attempt: UInt64) -> UInt64 { derived(from: attempt, 2) }
    /// The work itself, within an attempt.
    package static func run(of attempt: UInt64) -> UInt64 { derived(from: attempt, 3) }
    /// A binding call of an attempt, the first one 1.
    package static func call(_ number: Int, of attempt: UInt64) -> UInt64 {
        derived(from: attempt, 16 + UInt64(number))
    }
}

extension TraceContext {
    /// The span's id as a number; 0 for what is none.
    package var span: UInt64 {
        var value: UInt64 = 0
        for byte in spanID.utf8 {
            guard let digit = hexValue(byte) else { return 0 }
            value = value << 4 | UInt64(digit)
        }
        return value
    }

    /// The place of another span of the same trace.
    package func at(_ span: UInt64) -> TraceContext {
        TraceContext(traceID: traceID, spanID: hex(span), sampled: sampled)
    }
}

/// One thing to know of a span, such as the status of a provider's answer.
package struct SpanAttribute: Sendable, Hashable {
    /// By OpenTelemetry's semantic conventions where they have a name for it.
    package var name: String
    /// A text, a number or a boolean.
    package var value: JSON

    package init(_ name: String, _ value: JSON) {
        self.name = name
        self.value = value
    }
}
