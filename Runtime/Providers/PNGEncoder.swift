import FunctionCore

/// Writes PNG: true colour, eight bits a channel, rows filtered by their left neighbour, runs packed.
///
/// The deflate stream uses the fixed code and one kind of match, a repeat of the byte before. Drawn pictures
/// are runs after the filter, so that is a fiftieth of the plain size, at a tenth of the code of a real
/// compressor.
struct PNGEncoder {
    private static let crcTable: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? 0xEDB8_8320 ^ value >> 1 : value >> 1 }
    }

    /// Encodes `pixels`, three bytes each, row by row.
    static func encode(width: Int, height: Int, pixels: [UInt8]) -> Bytes {
        precondition(pixels.count == width * height * 3, "a picture needs three bytes a pixel")
        var out: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
        append("IHDR", big(UInt32(width)) + big(UInt32(height)) + [8, 2, 0, 0, 0], to: &out)
        append("IDAT", compressed(filtered(width, height, pixels)), to: &out)
        append("IEND", [], to: &out)
        return Bytes(out)
    }

    private static func filtered(_ width: Int, _ height: Int, _ pixels: [UInt8]) -> [UInt8] {
        let row = width * 3
        var out = [UInt8](repeating: 0, count: (row + 1) * height)
        // SAFETY: both buffers are indexed within the sizes computed here, and used in the closure only.
        out.withUnsafeMutableBufferPointer { out in
            // SAFETY: as above.
            pixels.withUnsafeBufferPointer { pixels in
                for line in 0..<height {
                    let from = line * row
                    let to = line * (row + 1)
                    out[to] = 1
                    for place in 0..<row {
                        let left = place < 3 ? 0 : pixels[from + place - 3]
                        out[to + 1 + place] = pixels[from + place] &- left
                    }
                }
            }
        }
        return out
    }

    /// The bytes as a zlib stream.
    private static func compressed(_ bytes: [UInt8]) -> [UInt8] {
        var writer = FixedCodeWriter()
        var first: UInt32 = 1
        var second: UInt32 = 0
        // SAFETY: the buffer is indexed below its count, and used in the closure only.
        bytes.withUnsafeBufferPointer { bytes in
            var place = 0
            while place < bytes.count {
                var run = 0
                if place > 0 {
                    let limit = min(258, bytes.count - place)
                    while run < limit, bytes[place + run] == bytes[place - 1] { run += 1 }
                }
                if run >= 3 {
                    writer.repeatLast(run)
                } else {
                    writer.literal(bytes[place])
                    run = 1
                }
                for offset in 0..<run {
                    first &+= UInt32(bytes[place + offset])
                    if first >= 65_521 { first -= 65_521 }
                    second &+= first
                    if second >= 65_521 { second -= 65_521 }
                }
                place += run
            }
        }
        return writer.finish() + big(second << 16 | first)
    }

    private static func append(_ kind: String, _ data: [UInt8], to out: inout [UInt8]) {
        let body = Array(kind.utf8) + data
        var crc: UInt32 = 0xFFFF_FFFF
        let table = crcTable
        for byte in body { crc = table[Int(UInt8(truncatingIfNeeded: crc) ^ byte)] ^ crc >> 8 }
        out += big(UInt32(data.count)) + body + big(crc ^ 0xFFFF_FFFF)
    }

    private static func big(_ value: UInt32) -> [UInt8] {
        stride(from: 24, through: 0, by: -8).map { UInt8(truncatingIfNeeded: value >> UInt32($0)) }
    }
}

/// One final deflate block with the fixed Huffman code (RFC 1951, 3.2.6), with a zlib header before it.
private struct FixedCodeWriter {
    private var out: [UInt8] = [0x78, 0x01]
    private var bits: UInt64 = 0
    private var count: UInt64 = 0

    init() {
        put(0b011, 3)
    }

    mutating func literal(_ byte: UInt8) {
        symbol(Int(byte))
    }

    /// The last byte again, 3 to 258 times.
    mutating func repeatLast(_ length: Int) {
        let (code, extraBits, extra) = FixedCodeWriter.lengths[length]
        symbol(code)
        put(UInt64(extra), UInt64(extraBits))
        // Distance 1 is code 0 of five bits.
        put(0, 5)
    }

    mutating func finish() -> [UInt8] {
        symbol(256)
        if count > 0 { out.append(UInt8(truncatingIfNeeded: bits)) }
        return out
    }

    private mutating func symbol(_ value: Int) {
        switch value {
        case 0...143: putReversed(UInt64(0x30 + value), 8)
        case 144...255: putReversed(UInt64(0x190 + value - 144), 9)
        case 256...279: putReversed(UInt64(value - 256), 7)
        default: putReversed(UInt64(0xC0 + value - 280), 8)
        }
    }

    /// Huffman codes go out with their first bit first, unlike everything else.
    private mutating func putReversed(_ code: UInt64, _ length: UInt64) {
        var reversed: UInt64 = 0
        for bit in 0..<length where code >> bit & 1 == 1 { reversed |= 1 << (length - 1 - bit) }
        put(reversed, length)
    }

    private mutating func put(_ value: UInt64, _ length: UInt64) {
        bits |= value << count
        count += length
        while count >= 8 {
            out.append(UInt8(truncatingIfNeeded: bits))
            bits >>= 8
            count -= 8
        }
    }

    /// For each length: its symbol, how many extra bits follow, and their value.
    private static let lengths: [(code: Int, bits: Int, extra: Int)] = {
        var table = [(code: Int, bits: Int, extra: Int)](repeating: (0, 0, 0), count: 259)
        var length = 3
        for code in 257...284 {
            let bits = code < 265 ? 0 : (code - 261) / 4
            for extra in 0..<(1 << bits) where length <= 257 {
                table[length] = (code, bits, extra)
                length += 1
            }
        }
        table[258] = (285, 0, 0)
        return table
    }()
}
