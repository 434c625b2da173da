import Glibc

extension JSONScanner {
    /// Powers of ten that a double holds exactly.
    private static let exactPowers: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
        1e18,
        1e19, 1e20, 1e21, 1e22,
    ]

    /// Reads the number at the position.
    mutating func number() throws(Fault) {
        let start = position
        let isNegative = base[start] == UInt8(ascii: "-")
        if isNegative { position += 1 }
        // Nineteen digits always fit 64 bits; with more, the mantissa wraps and is not used.
        var mantissa: UInt64 = 0
        let wholeStart = position
        var digitCount = try digits(into: &mantissa)
        if digitCount > 1, base[wholeStart] == UInt8(ascii: "0") {
            throw Fault(reason: .leadingZero, offset: wholeStart)
        }
        var isInteger = true
        var exponent = 0
        if position < end, base[position] == UInt8(ascii: ".") {
            isInteger = false
            position += 1
            let fraction = try digits(into: &mantissa)
            digitCount += fraction
            exponent -= fraction
        }
        if position < end, base[position] | 0x20 == UInt8(ascii: "e") {
            isInteger = false
            exponent += try exponentDigits()
        }
        if isInteger, digitCount <= 19, let integer = Self.integer(mantissa, isNegative) {
            return tape.append(JSONTapeEntry(kind: .integer, payload: UInt64(bitPattern: integer)))
        }
        // Both operands are exact, so the one rounding of the operation gives the nearest double.
        if digitCount <= 19, mantissa <= 1 << 53, exponent.magnitude <= 22 {
            let power = Self.exactPowers[Int(exponent.magnitude)]
            let value = exponent < 0 ? Double(mantissa) / power : Double(mantissa) * power
            return append(isNegative ? -value : value)
        }
        let value = nearestDouble(from: start)
        guard value.isFinite else { throw Fault(reason: .range, offset: start) }
        append(value)
    }

    private mutating func append(_ value: Double) {
        tape.append(JSONTapeEntry(kind: .number, payload: value.bitPattern))
    }

    private static func integer(_ mantissa: UInt64, _ isNegative: Bool) -> Int64? {
        guard isNegative else { return Int64(exactly: mantissa) }
        // An integer has no negative zero, so that one stays a double.
        guard mantissa > 0, mantissa <= UInt64(Int64.max) + 1 else { return nil }
        return Int64(truncatingIfNeeded: 0 &- mantissa)
    }

    /// Reads at least one digit; returns how many.
    private mutating func digits(into mantissa: inout UInt64) throws(Fault) -> Int {
        let start = position
        while position < end {
            let digit = base[position] &- UInt8(ascii: "0")
            guard digit <= 9 else { break }
            mantissa = mantissa &* 10 &+ UInt64(digit)
            position += 1
        }
        guard position > start else { throw fault(.digit) }
        return position - start
    }

    /// Reads an exponent from its letter on; a huge one is cut to a value that is still far out of range.
    private mutating func exponentDigits() throws(Fault) -> Int {
        position += 1
        var isNegative = false
        if position < end, base[position] == UInt8(ascii: "-") || base[position] == UInt8(ascii: "+") {
            isNegative = base[position] == UInt8(ascii: "-")
            position += 1
        }
        var magnitude: UInt64 = 0
        let count = try digits(into: &magnitude)
        let bounded = count > 18 ? 1_000_000 : Int(min(magnitude, 1_000_000))
        return isNegative ? -bounded : bounded
    }

    /// The nearest double to the number between `start` and the position.
    ///
    /// libc reads up to a terminator that the buffer does not have, hence the copy. Its decimal point is the
    /// locale's, which is "C" since nothing in this runtime calls `setlocale`.
    private func nearestDouble(from start: Int) -> Double {
        let count = position - start
        // SAFETY: the copy has room for the number and its terminator, and lives for the closure only.
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: count + 1) { copy in
            for place in 0..<count {
                copy[place] = CChar(bitPattern: base[start + place])
            }
            copy[count] = 0
            guard let text = copy.baseAddress else { return .nan }
            return strtod(text, nil)
        }
    }
}
