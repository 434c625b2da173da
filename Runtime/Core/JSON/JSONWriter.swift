/// The serialiser behind `JSON.bytes`.
struct JSONWriter {
    private var output: JSONBuffer
    private let pretty: Bool
    private let sortedKeys: Bool
    private var level = 0

    /// A value's text.
    static func text(of json: JSON, pretty: Bool, sortedKeys: Bool) -> [UInt8] {
        var output = JSONBuffer()
        defer { output.free() }
        write(json, to: &output, pretty: pretty, sortedKeys: sortedKeys)
        return output.array
    }

    /// Appends a value's text.
    static func write(
        _ json: JSON,
        to output: inout JSONBuffer,
        pretty: Bool = false,
        sortedKeys: Bool = false
    ) {
        var writer = JSONWriter(output: output, pretty: pretty, sortedKeys: sortedKeys)
        writer.write(json)
        output = writer.output
    }

    private mutating func write(_ json: JSON) {
        switch json {
        case .null: output.appendWord("null")
        case .bool(let bool): output.append(bool)
        case .integer(let integer): output.append(integer)
        case .number(let number): output.append(number)
        case .string(let text): output.append(text)
        case .array(let elements): write(elements)
        case .object(let object): write(object)
        }
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
            output.append(key)
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
        for _ in 0..<level { output.appendWord("  ") }
    }
}
