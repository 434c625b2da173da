/// The serialiser behind `JSON.bytes`.
struct JSONWriter {
    private(set) var output: [UInt8] = []
    private let pretty: Bool
    private let sortedKeys: Bool
    private var level = 0

    init(pretty: Bool, sortedKeys: Bool) {
        self.pretty = pretty
        self.sortedKeys = sortedKeys
        output.reserveCapacity(256)
    }

    /// Appends a value.
    mutating func write(_ json: JSON) {
        switch json {
        case .null: append("null")
        case .bool(let bool): append(bool ? "true" : "false")
        case .integer(let integer): write(integer)
        case .number(let number): write(number)
        case .string(let text): write(text)
        case .array(let elements): write(elements)
        case .object(let object): write(object)
        }
    }

    private mutating func write(_ integer: Int64) {
        var magnitude = integer.magnitude
        if integer < 0 { output.append(UInt8(ascii: "-")) }
        let start = output.count
        repeat {
            output.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: magnitude % 10))
            magnitude /= 10
        } while magnitude > 0
        output[start...].reverse()
    }

    private mutating func write(_ number: Double) {
        // The description of a double is the shortest text that reads back as the same value.
        guard number.isFinite else { return append("null") }
        output.append(contentsOf: number.description.utf8)
    }

    private mutating func write(_ elements: [JSON]) {
        output.append(UInt8(ascii: "["))
        level += 1
        for (place, element) in elements.enumerated() {
            separate(isFirst: place == 0)
            write(element)
        }
        level -= 1
        if pretty, !elements.isEmpty { newLine() }
        output.append(UInt8(ascii: "]"))
    }

    private mutating func write(_ object: JSONObject) {
        output.append(UInt8(ascii: "{"))
        level += 1
        if sortedKeys {
            let sorted = object.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            write(members: sorted)
        } else {
            write(members: object)
        }
        level -= 1
        if pretty, !object.isEmpty { newLine() }
        output.append(UInt8(ascii: "}"))
    }

    private mutating func write(members: some Sequence<(key: String, value: JSON)>) {
        var isFirst = true
        for (key, value) in members {
            separate(isFirst: isFirst)
            isFirst = false
            write(key)
            output.append(UInt8(ascii: ":"))
            if pretty { output.append(UInt8(ascii: " ")) }
            write(value)
        }
    }

    private mutating func separate(isFirst: Bool) {
        if !isFirst { output.append(UInt8(ascii: ",")) }
        if pretty { newLine() }
    }

    private mutating func newLine() {
        output.append(UInt8(ascii: "\n"))
        output.append(contentsOf: repeatElement(UInt8(ascii: " "), count: level * 2))
    }

    private mutating func append(_ word: StaticString) {
        // SAFETY: a static string's bytes live for ever.
        output.append(contentsOf: UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
    }

    private mutating func write(_ text: String) {
        output.append(UInt8(ascii: "\""))
        // SAFETY: the storage is used inside the closure only.
        let done: Void? = text.utf8.withContiguousStorageIfAvailable { appendEscaped($0) }
        if done == nil {
            // SAFETY: the storage is used inside the closure only.
            Array(text.utf8).withUnsafeBufferPointer { appendEscaped($0) }
        }
        output.append(UInt8(ascii: "\""))
    }

    /// Appends text in runs: what needs no escape is copied in one piece.
    // SAFETY: the caller's buffer stays valid for the call, and indices stay below its count.
    private mutating func appendEscaped(_ text: UnsafeBufferPointer<UInt8>) {
        var run = 0
        for place in 0..<text.count {
            let byte = text[place]
            guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { continue }
            // SAFETY: the run ends before `place`, which is in the buffer.
            output.append(contentsOf: UnsafeBufferPointer(rebasing: text[run..<place]))
            run = place + 1
            appendEscape(byte)
        }
        // SAFETY: the run ends with the buffer.
        output.append(contentsOf: UnsafeBufferPointer(rebasing: text[run...]))
    }

    private mutating func appendEscape(_ byte: UInt8) {
        output.append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): output.append(byte)
        case 0x08: output.append(UInt8(ascii: "b"))
        case 0x09: output.append(UInt8(ascii: "t"))
        case 0x0A: output.append(UInt8(ascii: "n"))
        case 0x0C: output.append(UInt8(ascii: "f"))
        case 0x0D: output.append(UInt8(ascii: "r"))
        default:
            append("u00")
            output.append(UInt8(ascii: "0") + byte >> 4)
            let digit = byte & 0x0F
            output.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
    }
}
