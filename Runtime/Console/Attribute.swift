/// An attribute of an element; its name is written in the program, its value is escaped.
package struct Attribute: Sendable {
    let name: String
    /// Nil where it is left out; empty where the name alone says it.
    let value: String?

    private init(_ name: String, _ value: String?) {
        self.name = name
        self.value = value
    }

    /// Any attribute that is neither an address, nor a handler, nor a style.
    ///
    /// The content policy refuses the latter two anyway, and addresses have their own ways in.
    package static func set(_ name: StaticString, _ value: String) -> Attribute {
        let text = "\(name)"
        let isAddress = ["href", "src", "action", "formaction", "style", "srcdoc"].contains(text)
        precondition(!isAddress && !text.hasPrefix("on"), "\(text) is not written as a text")
        return Attribute(text, value)
    }

    /// An attribute without a value, where `isOn`.
    package static func flag(_ name: StaticString, _ isOn: Bool = true) -> Attribute? {
        isOn ? Attribute("\(name)", "") : nil
    }

    package static func `class`(_ names: String) -> Attribute { Attribute("class", names) }
    package static func id(_ id: String) -> Attribute { Attribute("id", id) }
    package static func name(_ name: StaticString) -> Attribute { Attribute("name", "\(name)") }
    package static func type(_ type: StaticString) -> Attribute { Attribute("type", "\(type)") }
    package static func href(_ address: Address) -> Attribute { Attribute("href", address.text) }
    package static func src(_ address: Address) -> Attribute { Attribute("src", address.text) }
    package static func action(_ address: Address) -> Attribute { Attribute("action", address.text) }
    package static func label(_ text: String) -> Attribute { Attribute("aria-label", text) }

    /// An empty value is written out, unlike that of a flag.
    package static func value(_ text: String) -> Attribute? { text.isEmpty ? nil : Attribute("value", text) }

    /// A number, such as a place in a picture.
    package static func number(_ name: StaticString, _ value: Double) -> Attribute {
        Attribute("\(name)", hundredths(value))
    }

    /// A part of the whole from 0 to 1, as a percentage.
    package static func share(_ name: StaticString, _ value: Double) -> Attribute {
        Attribute("\(name)", hundredths(value * 100) + "%")
    }

    private static func hundredths(_ value: Double) -> String {
        let hundredths = (value * 100).rounded() / 100
        return hundredths == hundredths.rounded() ? String(Int64(hundredths)) : "\(hundredths)"
    }
}

/// An address below the console; what comes from data is percent-encoded.
package struct Address: Sendable, Hashable {
    package private(set) var text: String

    /// `Address("/console/functions", name)`.
    ///
    /// A segment is a name or an id; what may hold any text, such as a key, belongs into the query.
    package init(_ path: StaticString, _ segments: String...) {
        text = "\(path)" + segments.map { "/" + Address.encoded($0) }.joined()
    }

    /// With another pair in its query; without it where the value is nil or empty.
    package func with(_ name: StaticString, _ value: String?) -> Address {
        guard let value, !value.isEmpty else { return self }
        var copy = self
        copy.text += (text.contains("?") ? "&" : "?") + "\(name)=" + Address.encoded(value)
        return copy
    }

    /// A place within the page.
    static func place(_ id: StaticString) -> Address {
        var address = Address("")
        address.text = "#\(id)"
        return address
    }

    private static func encoded(_ text: String) -> String {
        var out: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 48...57, 65...90, 97...122, 45, 46, 95, 126: out.append(byte)
            default:
                let digits = Array("0123456789ABCDEF".utf8)
                out += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
