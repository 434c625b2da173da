import FunctionCore

/// Bytes of log lines, written piece by piece as JSON: no tree and no text in between.
struct LineBytes {
    private(set) var bytes: [UInt8] = []

    mutating func reserve(_ count: Int) { bytes.reserveCapacity(count) }

    /// Empties the row; what a burst made large is given back.
    mutating func removeAll() { bytes.removeAll(keepingCapacity: bytes.capacity <= 256 << 10) }

    mutating func newLine() { bytes.append(10) }

    mutating func literal(_ text: StaticString) {
        // SAFETY: a static string's bytes live for ever.
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// A string with its quotes.
    mutating func string(_ text: String) {
        guard LineBytes.isPlain(text.utf8.span) else {
            bytes += JSON.string(text).bytes().array
            return
        }
        var text = text
        bytes.append(34)
        text.withUTF8 { bytes.append(contentsOf: $0) }
        bytes.append(34)
    }

    mutating func value(_ json: JSON) {
        switch json {
        case .string(let text): string(text)
        case .integer(let integer): number(integer)
        case .number(let double): number(double)
        default: bytes += json.bytes().array
        }
    }

    mutating func number(_ integer: Int64) {
        if integer < 0 { bytes.append(45) }
        digits(integer.magnitude)
    }

    /// A number of at most three decimals the quick way: most are milliseconds with their microseconds.
    mutating func number(_ double: Double) {
        let thousandths = double * 1000
        guard thousandths.magnitude < 1e15, thousandths == thousandths.rounded() else {
            bytes += JSON.number(double).bytes().array
            return
        }
        thousandth(Int64(thousandths))
    }

    /// A duration in milliseconds, to the microsecond.
    mutating func milliseconds(_ duration: Duration) { thousandth(LineBytes.microseconds(duration)) }

    /// A duration rounded to microseconds.
    static func microseconds(_ duration: Duration) -> Int64 {
        let nanoseconds = duration.nanoseconds
        return (nanoseconds &+ (nanoseconds < 0 ? -500 : 500)) / 1000
    }

    /// A thousandth of a number, with as many decimals as it needs, one at least.
    private mutating func thousandth(_ number: Int64) {
        if number < 0 { bytes.append(45) }
        digits(number.magnitude / 1000)
        let rest = number.magnitude % 1000
        bytes.append(46)
        bytes.append(UInt8(48 + rest / 100))
        if rest % 100 > 0 { bytes.append(UInt8(48 + rest / 10 % 10)) }
        if rest % 10 > 0 { bytes.append(UInt8(48 + rest % 10)) }
    }

    /// At least `width` digits.
    mutating func digits(_ number: UInt64, width: Int = 1) {
        // From the last to the first: a division by a constant is none.
        var digits = InlineArray<20, UInt8>(repeating: 48)
        var rest = number
        var first = digits.count
        while rest > 0 || digits.count - first < width {
            first -= 1
            digits[first] = UInt8(48 + rest % 10)
            rest /= 10
        }
        withUnsafeBytes(of: &digits) { bytes.append(contentsOf: $0[first...]) }
    }

    /// Whether nothing in the text needs an escape.
    private static func isPlain(_ text: Span<UInt8>) -> Bool {
        for index in 0..<text.count where text[index] < 32 || text[index] == 34 || text[index] == 92 {
            return false
        }
        return true
    }
}

/// The time of day of lines, whose date and second are made once a second.
struct LineClock {
    private var second: Int64 = .min
    private var prefix: [UInt8] = []

    /// Appends `now` as a string in the form of RFC 3339, as `Instant.rfc3339` has it.
    mutating func write(_ now: Instant, to line: inout LineBytes) {
        if now.seconds != second {
            second = now.seconds
            prefix = Array(Instant(seconds: second).rfc3339.utf8.dropLast())
        }
        line.literal("\"")
        line.append(prefix)
        let fraction = UInt64(now.nanoseconds &- second &* 1_000_000_000)
        if fraction > 0 {
            line.literal(".")
            if fraction % 1_000_000 == 0 {
                line.digits(fraction / 1_000_000, width: 3)
            } else if fraction % 1000 == 0 {
                line.digits(fraction / 1000, width: 6)
            } else {
                line.digits(fraction, width: 9)
            }
        }
        line.literal("Z\"")
    }
}

extension LineBytes {
    mutating func append(_ other: [UInt8]) { bytes += other }
}
